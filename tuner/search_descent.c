/* Strategy "descent": the cheapest picks of the analytic model with one of every variant among
 * them; then coordinate descent from the two best, their neighbours in the model's order; one
 * proposal in ten is random. A centre moves when a neighbour beats it. When no neighbour is left,
 * the rest is random.
 *
 * Picks that the model holds for hopeless are left alone, whatever their variant.
 * Every pick that was proposed is kept with its time, so nothing is proposed twice. */
#include <math.h>

#include "tuner/search.h"

enum { CENTRES = 2, TOP_MIN = 4, TOP_MAX = 16, RANDOM_EVERY = 10, RANDOM_TRIES = 50, NEAR = 48 };

static const double HOPELESS = 8; /* times the cheapest pick's cost */

typedef struct Tried {
	Pick pick;
	double ns; /* INFINITY: failed, or not reported yet */
} Tried;

typedef struct Descent {
	Arena *arena;
	const Space *space;
	Rng rng;
	VEC(Tried) tried;
	Pick *top; /* still to be proposed: top[next..ntop) */
	int ntop, next;
	double cost_max;
	int centre[CENTRES]; /* in tried, or -1 */
} Descent;

static void *
start(Arena *a, const Space *s, const SearchOptions *opt)
{
	Descent *d = ARENA_NEW(a, Descent);
	int n = opt->trials / 2;

	n = n < TOP_MIN ? TOP_MIN : n > TOP_MAX ? TOP_MAX : n;
	n = n < s->variant.n ? s->variant.n : n;
	*d = (Descent){.arena = a, .space = s, .centre = {-1, -1}};
	d->top = ARENA_ARRAY(a, Pick, n);
	d->ntop = space_top(s, n, d->top);
	d->cost_max = HOPELESS * space_cost(s, &d->top[0]);
	rng_init(&d->rng, opt->seed);
	return d;
}

static int
find(const Descent *d, const Pick *p)
{
	for (int i = 0; i < d->tried.n; i++)
		if (pick_equal(d->space, &d->tried.v[i].pick, p))
			return i;
	return -1;
}

/* Adds p to the proposals unless it was proposed before or is hopeless. */
static bool
offer(Descent *d, const Pick *p, const char *stage, Proposal *out, int *n)
{
	if (find(d, p) >= 0 || space_cost(d->space, p) > d->cost_max)
		return false;
	vec_push(d->arena, &d->tried, ((Tried){*p, INFINITY}));
	out[(*n)++] = (Proposal){*p, stage};
	return true;
}

static bool
offer_random(Descent *d, Proposal *out, int *n)
{
	for (int i = 0; i < RANDOM_TRIES; i++) {
		Pick p = space_random(d->space, &d->rng);

		if (offer(d, &p, "random", out, n))
			return true;
	}
	return false;
}

/* The cheapest neighbour of a centre that was not proposed yet. */
static bool
offer_neighbour(Descent *d, int centre, Proposal *out, int *n)
{
	Pick near[NEAR];
	int count;

	if (d->centre[centre] < 0)
		return false;
	count = space_neighbours(d->space, &d->tried.v[d->centre[centre]].pick, NEAR, near);
	for (int i = 0; i < count; i++)
		if (offer(d, &near[i], "descent", out, n))
			return true;
	return false;
}

/* The two best so far that worked. */
static void
choose_centres(Descent *d)
{
	d->centre[0] = d->centre[1] = -1;
	for (int i = 0; i < d->tried.n; i++) {
		double ns = d->tried.v[i].ns;

		if (isinf(ns))
			continue;
		if (d->centre[0] < 0 || ns < d->tried.v[d->centre[0]].ns) {
			d->centre[1] = d->centre[0];
			d->centre[0] = i;
		} else if (d->centre[1] < 0 || ns < d->tried.v[d->centre[1]].ns) {
			d->centre[1] = i;
		}
	}
}

static int
propose(void *state, int max, Proposal *out)
{
	Descent *d = state;
	int n = 0, from = 0;

	while (n < max && d->next < d->ntop)
		offer(d, &d->top[d->next++], "top", out, &n);
	if (n)
		return n;
	choose_centres(d);
	while (n < max) {
		bool random = (d->tried.n + 1) % RANDOM_EVERY == 0;

		if (random && offer_random(d, out, &n))
			continue;
		from = (from + 1) % CENTRES;
		if (!offer_neighbour(d, from, out, &n) &&
		    !offer_neighbour(d, (from + 1) % CENTRES, out, &n) && !offer_random(d, out, &n))
			break;
	}
	return n;
}

static void
report(void *state, const Pick *p, double ns)
{
	Descent *d = state;
	int i = find(d, p);

	if (i >= 0)
		d->tried.v[i].ns = ns;
}

const Search search_descent = {
	.name = "descent",
	.start = start,
	.propose = propose,
	.report = report,
};
