/* Strategy "all": every pick, cheapest of the analytic model first, up to the trials there are. It
 * learns nothing. */
#include "tuner/search.h"

typedef struct All {
	Pick *pick;
	int n, next;
} All;

static void *
start(Arena *a, const Space *s, const SearchOptions *opt)
{
	All *all = ARENA_NEW(a, All);
	double rows = space_rows(s);
	int most = opt->trials > s->variant.n ? opt->trials : s->variant.n;

	if (most > rows)
		most = (int)rows;
	all->pick = ARENA_ARRAY(a, Pick, most + 1);
	all->n = space_top(s, most, all->pick);
	return all;
}

static int
propose(void *state, int max, Proposal *out)
{
	All *all = state;
	int n = 0;

	while (n < max && all->next < all->n)
		out[n++] = (Proposal){all->pick[all->next++], "all"};
	return n;
}

static void
report(void *state, const Pick *p, double ns)
{
	(void)state;
	(void)p;
	(void)ns;
}

const Search search_all = {
	.name = "all",
	.start = start,
	.propose = propose,
	.report = report,
};
