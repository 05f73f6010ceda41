/* The cost model as plan_build wants it. A Space is large, and only its best number is kept. */
#include "search_space/space_form.h"

#include <math.h>

#include "search_space/space.h"

/* Blocks of fewer channels have always been the slower ones. */
enum { CHANNELS_MIN = 128 };

static double
cheapest_ns(void *self, const Task *t, const TaskForm *f)
{
	const SpaceForm *how = self;
	Arena *a = arena_new();
	double ns = INFINITY;
	Err ignored = {0};
	Space s;
	Pick p;

	if (space_build(a, t, f, how->target, how->tolerance, &s, &ignored) == OK &&
	    space_top(&s, 1, &p) == 1)
		ns = space_cost(&s, &p);
	arena_free(a);
	return ns;
}

FormCost
space_form_cost(SpaceForm *self)
{
	return (FormCost){self, cheapest_ns, target_lanes(self->target), CHANNELS_MIN};
}
