/* What the files that decide on Forms share. Private to graph/. */
#ifndef GRAPH_FORMS_H
#define GRAPH_FORMS_H

#include "graph/parts.h"

typedef struct Forms {
	const Graph *g;
	Arena *arena;
	const GroupTask *group;
	int n;
	const Part *part; /* per value */
	Form *layout; /* per value: decided, without borders; of parts their outermost whole's */
	Form *form;   /* per value: what follows from the layouts */
	unsigned *joined;  /* per value: along which dimensions its parts lie */
	const bool *fixed; /* plain, without border: the caller's, or an extern node's */
} Forms;

/* Borders and parts, and so all of form, from layout. */
void forms_derive(Forms *f);

/* forms_cost.c: other layouts where they make the Tasks cheaper; form follows. */
void forms_by_cost(Forms *f, const FormCost *cost);

#endif
