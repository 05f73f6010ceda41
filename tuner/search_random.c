/* Strategy "random": picks drawn evenly from the Space's variants and options, whatever the model
 * thinks of them, until none new turns up. What others are compared with. */
#include <math.h>

#include "tuner/tried.h"

static void *
start(Arena *a, const Space *s, const SearchOptions *opt)
{
	Tried *t = ARENA_NEW(a, Tried);

	tried_init(t, a, s, opt);
	t->cost_max = INFINITY;
	return t;
}

static int
propose(void *state, int max, Proposal *out)
{
	int n = 0;

	while (n < max && tried_offer_random(state, out, &n))
		continue;
	return n;
}

static void
report(void *state, const Pick *p, double ns)
{
	tried_report(state, p, ns);
}

const Search search_random = {
	.name = "random",
	.start = start,
	.propose = propose,
	.report = report,
};
