/* Strategy "descent": the cheapest picks of the analytic model with one of every variant among
 * them; then coordinate descent from the two best, their neighbours in the model's order; one
 * proposal in ten is random. When no neighbour is left, the rest is random. */
#include "tuner/descend.h"

enum { TOP_MIN = 4, TOP_MAX = 16 };

typedef struct State {
	Tried tried;
	Descend descend;
	Pick *top; /* still to be proposed: top[next..ntop) */
	int ntop, next;
} State;

static void *
start(Arena *a, const Space *s, const SearchOptions *opt)
{
	State *d = ARENA_NEW(a, State);
	int n = opt->trials / 2;

	n = n < TOP_MIN ? TOP_MIN : n > TOP_MAX ? TOP_MAX : n;
	n = n < s->variant.n ? s->variant.n : n;
	tried_init(&d->tried, a, s, opt);
	d->descend.tried = &d->tried;
	d->top = ARENA_ARRAY(a, Pick, n);
	d->ntop = space_top(s, n, d->top);
	return d;
}

static int
propose(void *state, int max, Proposal *out)
{
	State *d = state;
	int n = 0;

	while (n < max && tried_offer_warm(&d->tried, out, &n))
		continue;
	while (n < max && d->next < d->ntop)
		tried_offer(&d->tried, &d->top[d->next++], "top", out, &n);
	if (n)
		return n;
	descend_begin(&d->descend);
	while (n < max) {
		if (tried_wants_random(&d->tried) && tried_offer_random(&d->tried, out, &n))
			continue;
		if (!descend_offer(&d->descend, out, &n) && !tried_offer_random(&d->tried, out, &n))
			break;
	}
	return n;
}

static void
report(void *state, const Pick *p, double ns)
{
	State *d = state;

	tried_report(&d->tried, p, ns);
}

const Search search_descent = {
	.name = "descent",
	.start = start,
	.propose = propose,
	.report = report,
};
