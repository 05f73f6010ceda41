/* Strategy "model": the picks that the analytic model holds for cheapest, with one of every variant
 * among them, up to the trials there are; every pick where these suffice. It learns nothing. */
#include "tuner/search.h"

typedef struct State {
	Pick *pick;
	int n, next;
} State;

static void *
start(Arena *a, const Space *s, const SearchOptions *opt)
{
	State *m = ARENA_NEW(a, State);
	double rows = space_rows(s);
	int most = opt->trials > s->variant.n ? opt->trials : s->variant.n;

	if (most > rows)
		most = (int)rows;
	m->pick = ARENA_ARRAY(a, Pick, most + 1);
	m->n = space_top(s, most, m->pick);
	return m;
}

static int
propose(void *state, int max, Proposal *out)
{
	State *m = state;
	int n = 0;

	while (n < max && m->next < m->n)
		out[n++] = (Proposal){m->pick[m->next++], "model"};
	return n;
}

static void
report(void *state, const Pick *p, double ns)
{
	(void)state;
	(void)p;
	(void)ns;
}

const Search search_model = {
	.name = "model",
	.start = start,
	.propose = propose,
	.report = report,
};
