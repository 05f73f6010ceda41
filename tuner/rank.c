/* Ranking the candidates of a round.
 *
 * A pick's score is -log2 of how many times slower than the best it should be: the analytic
 * model's answer as far as it is believed, corrected by the prior, corrected by trees over the
 * residuals of this Task's own measurements. The belief is the slope of measured over expected
 * times, drawn towards 1 while there are few. */
#include "tuner/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tuner/candidates.h"

enum { KEPT = 256 }; /* candidates of a round that are remembered */

/* A pick that fails is taken for this much slower than the slowest that works, log2. */
static const double FAILED = .5;

/* Variance of expected times, log2, that is worth as much as knowing nothing. */
static const double UNBELIEVED = .3;

void
rank_init(Rank *r, Arena *a, Tried *t, const SearchOptions *opt)
{
	*r = (Rank){.arena = a,
		    .tried = t,
		    .prior = opt->prior,
		    .features = features_new(a, t->space),
		    .seed = opt->seed,
		    .order = ARENA_ARRAY(a, Pick, KEPT)};
}

/* What is expected of a pick without its Task's measurements. */
static double
expected(const Rank *r, const float *x)
{
	return (r->prior ? trees_predict(r->prior, x) : 0) - r->belief * (double)x[FEATURE_cost];
}

/* Rows of what was reported: features, and -log2 of how many times slower than the best. */
static TreesData
rows_of(const Rank *r, Arena *work)
{
	const Tried *t = r->tried;
	float *x = ARENA_ARRAY(work, float, (size_t)t->list.n *FEATURES);
	double *y = ARENA_ARRAY(work, double, t->list.n + 1);
	double best = INFINITY, worst = 0;
	TreesData d = {.width = FEATURES, .name = feature_name, .x = x, .y = y};

	for (int i = 0; i < t->list.n; i++)
		if (!isinf(t->list.v[i].ns)) {
			best = fmin(best, t->list.v[i].ns);
			worst = fmax(worst, t->list.v[i].ns);
		}
	for (int i = 0; i < t->list.n && worst > 0; i++) {
		const TriedPick *p = &t->list.v[i];

		if (!p->reported)
			continue;
		features_of(r->features, &p->pick, x + (size_t)d.n * FEATURES);
		y[d.n++] = isinf(p->ns) ? log2(best / worst) - FAILED : log2(best / p->ns);
	}
	return d;
}

static double
belief(const TreesData *d)
{
	double sum_x = 0, sum_y = 0, xx = 0, xy = 0, slope;

	for (int i = 0; i < d->n; i++) {
		double x = -(double)d->x[(size_t)i * FEATURES + FEATURE_cost];

		sum_x += x;
		sum_y += d->y[i];
		xx += x * x;
		xy += x * d->y[i];
	}
	if (!d->n)
		return 1;
	xx -= sum_x * sum_x / d->n;
	xy -= sum_x * sum_y / d->n;
	slope = (xy + UNBELIEVED) / (xx + UNBELIEVED);
	return fmin(1, fmax(0, slope));
}

static Trees
train(Rank *r, Arena *work)
{
	TreesData d = rows_of(r, work);
	double *offset = ARENA_ARRAY(work, double, d.n + 1);
	TreesOptions how = trees_small;

	how.seed = r->seed;
	r->belief = belief(&d);
	for (int i = 0; i < d.n; i++)
		offset[i] = expected(r, d.x + (size_t)i * FEATURES);
	d.offset = offset;
	return trees_train(work, &d, &how);
}

void
rank_begin(Rank *r)
{
	Arena *work = arena_new();
	Trees trees = train(r, work);
	Candidates list = {0};

	candidates_add(r->tried, work, &list);
	for (int i = 0; i < list.n; i++) {
		float x[FEATURES];

		features_of(r->features, &list.v[i].pick, x);
		list.v[i].score = expected(r, x) + trees_predict(&trees, x);
	}
	candidates_sort(&list);
	r->n = list.n < KEPT ? list.n : KEPT;
	r->next = 0;
	for (int i = 0; i < r->n; i++)
		r->order[i] = list.v[i].pick;
	arena_free(work);
}

bool
rank_offer_among(Rank *r, const Pick *pick, int npick, const char *stage, Proposal *out, int *n)
{
	for (int i = 0; i < r->n; i++)
		for (int k = 0; k < npick; k++)
			if (pick_equal(r->tried->space, &r->order[i], &pick[k]) &&
			    tried_offer(r->tried, &pick[k], stage, out, n))
				return true;
	return false;
}

bool
rank_offer(Rank *r, const char *stage, Proposal *out, int *n)
{
	while (r->next < r->n)
		if (tried_offer(r->tried, &r->order[r->next++], stage, out, n))
			return true;
	return false;
}
