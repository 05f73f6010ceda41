/* What Tasks cost under Forms, by the analytic model: for plan_build, which chooses Forms. */
#ifndef SEARCH_SPACE_SPACE_FORM_H
#define SEARCH_SPACE_SPACE_FORM_H

#include "graph/plan.h"
#include "search_space/rewrite.h"
#include "search_space/target.h"

typedef struct SpaceForm {
	const Target *target;
	ToleranceClass tolerance;
} SpaceForm;

/* The cheapest pick of a Task's Space. self must outlive what is returned. */
FormCost space_form_cost(SpaceForm *self);

#endif
