/* Strategy "trees": a quarter of the trials random, then what trees over the times so far expect to
 * be fastest; one proposal in ten stays random. */
#include "tuner/rank.h"

enum { FIRST_MIN = 4, FIRST_MAX = 16 };

typedef struct State {
	Tried tried;
	Rank rank;
	int first; /* random proposals before the trees are asked */
} State;

static void *
start(Arena *a, const Space *s, const SearchOptions *opt)
{
	State *r = ARENA_NEW(a, State);
	int n = opt->trials / 4;

	r->first = n < FIRST_MIN ? FIRST_MIN : n > FIRST_MAX ? FIRST_MAX : n;
	tried_init(&r->tried, a, s, opt);
	rank_init(&r->rank, a, &r->tried, opt);
	return r;
}

static int
propose(void *state, int max, Proposal *out)
{
	State *r = state;
	int n = 0;

	while (n < max && tried_offer_warm(&r->tried, out, &n))
		continue;
	while (n < max && r->tried.list.n < r->first && tried_offer_random(&r->tried, out, &n))
		continue;
	if (n)
		return n;
	rank_begin(&r->rank);
	while (n < max) {
		if (tried_wants_random(&r->tried) && tried_offer_random(&r->tried, out, &n))
			continue;
		if (!rank_offer(&r->rank, "trees", out, &n) &&
		    !tried_offer_random(&r->tried, out, &n))
			break;
	}
	return n;
}

static void
report(void *state, const Pick *p, double ns)
{
	State *r = state;

	tried_report(&r->tried, p, ns);
}

const Search search_trees = {
	.name = "trees",
	.start = start,
	.propose = propose,
	.report = report,
};
