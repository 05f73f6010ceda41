/* What a strategy proposed. */
#include "tuner/tried.h"

#include <math.h>

enum { RANDOM_EVERY = 10, RANDOM_TRIES = 50 };

static const double HOPELESS = 8; /* times the cheapest pick's cost */

void
tried_init(Tried *t, Arena *a, const Space *s, const SearchOptions *opt)
{
	double cheapest = INFINITY;

	for (int v = 0; v < s->variant.n; v++)
		cheapest = fmin(cheapest, space_cost(s, &(Pick){.variant = v}));
	*t = (Tried){.arena = a,
		     .space = s,
		     .cost_max = HOPELESS * cheapest,
		     .warm = opt->warm,
		     .nwarm = opt->nwarm};
	rng_init(&t->rng, opt->seed);
}

static int
find(const Tried *t, const Pick *p)
{
	for (int i = 0; i < t->list.n; i++)
		if (pick_equal(t->space, &t->list.v[i].pick, p))
			return i;
	return -1;
}

bool
tried_offer(Tried *t, const Pick *p, const char *stage, Proposal *out, int *n)
{
	if (space_cost(t->space, p) > t->cost_max || find(t, p) >= 0)
		return false;
	vec_push(t->arena, &t->list, ((TriedPick){.pick = *p, .ns = INFINITY}));
	out[(*n)++] = (Proposal){*p, stage};
	return true;
}

bool
tried_offer_warm(Tried *t, Proposal *out, int *n)
{
	while (t->next < t->nwarm) {
		const Proposal *p = &t->warm[t->next++];

		if (tried_offer(t, &p->pick, p->stage, out, n))
			return true;
	}
	return false;
}

bool
tried_offer_random(Tried *t, Proposal *out, int *n)
{
	for (int i = 0; i < RANDOM_TRIES; i++) {
		Pick p = space_random(t->space, &t->rng);

		if (tried_offer(t, &p, "random", out, n))
			return true;
	}
	return false;
}

bool
tried_wants_random(const Tried *t)
{
	return (t->list.n + 1) % RANDOM_EVERY == 0;
}

void
tried_report(Tried *t, const Pick *p, double ns)
{
	int i = find(t, p);

	if (i < 0)
		return;
	t->list.v[i].ns = ns;
	t->list.v[i].reported = true;
}

int
tried_best(const Tried *t, int n, int *at)
{
	int found = 0;

	for (int i = 0; i < t->list.n; i++) {
		double ns = t->list.v[i].ns;
		int k = found;

		if (isinf(ns) || (found == n && ns >= t->list.v[at[n - 1]].ns))
			continue;
		if (found < n)
			found++;
		else
			k--;
		for (; k > 0 && ns < t->list.v[at[k - 1]].ns; k--)
			at[k] = at[k - 1];
		at[k] = i;
	}
	return found;
}
