/* Change points: binary segmentation by the greatest distance that the sum of deviations from the
 * mean rank walks away from 0. Ranks, so that one disturbed day is no change. */
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "regress/history.h"

static const uint64_t SEED = 7;

typedef struct Ranked {
	double v;
	int of;
} Ranked;

static int
by_value(const void *x, const void *y)
{
	const Ranked *a = x, *b = y;

	return a->v == b->v ? a->of - b->of : (a->v > b->v) - (a->v < b->v);
}

/* Ranks, equal values share the mean of theirs; returns the sum of t^3 - t over ties of t. */
static double
ranks(const double *v, int n, double *rank, Arena *scratch)
{
	Ranked *r = ARENA_ARRAY(scratch, Ranked, n + 1);
	double ties = 0;

	for (int i = 0; i < n; i++)
		r[i] = (Ranked){v[i], i};
	qsort(r, (size_t)n, sizeof *r, by_value);
	for (int i = 0, j; i < n; i = j) {
		for (j = i + 1; j < n && r[j].v == r[i].v; j++)
			;
		for (int k = i; k < j; k++)
			rank[r[k].of] = (i + 1 + j) / 2.0;
		ties += pow(j - i, 3) - (j - i);
	}
	return ties;
}

/* Where the walk is farthest out, weighed so that a cut near an end is as likely as one in the
 * middle. */
static double
farthest(const double *rank, int n, int *at)
{
	double mean = (n + 1) / 2.0, sum = 0, most = -1;

	for (int i = 0; i + HISTORY_SEGMENT < n; i++) {
		double k = i + 1, out;

		sum += rank[i] - mean;
		if (k < HISTORY_SEGMENT)
			continue;
		out = fabs(sum) / sqrt(k * (n - k));
		if (out <= most)
			continue;
		most = out;
		*at = i + 1;
	}
	return most;
}

/* Share of shuffled series that walk as far; stops where it is clear that the answer is no. */
static double
chance(double *rank, int n, double out, Rng *rng)
{
	int as_far = 1, at;

	for (int i = 0; i < HISTORY_SHUFFLES; i++) {
		for (int k = n - 1; k > 0; k--) {
			int j = (int)rng_below(rng, (uint64_t)k + 1);
			double keep = rank[k];

			rank[k] = rank[j];
			rank[j] = keep;
		}
		as_far += farthest(rank, n, &at) >= out;
		if (as_far > HISTORY_P * (HISTORY_SHUFFLES + 1))
			return 1;
	}
	return as_far / (HISTORY_SHUFFLES + 1.0);
}

static int
by_place(const void *x, const void *y)
{
	const Ranked *a = x, *b = y;

	return a->of - b->of;
}

int
history_cuts(const double *v, int n, int *at, double *p, Arena *scratch)
{
	struct {
		int from, to;
	} *todo = arena_alloc(scratch, sizeof *todo * ((size_t)n + 2));
	Ranked *found = ARENA_ARRAY(scratch, Ranked, n + 1);
	int left = 1, cuts = 0;
	Rng rng;

	rng_init(&rng, SEED);
	todo[0].from = 0;
	todo[0].to = n;
	while (left) {
		int from = todo[--left].from, to = todo[left].to, cut = 0, size = to - from;
		double *rank, out, q;

		if (size < 2 * HISTORY_SEGMENT)
			continue;
		rank = ARENA_ARRAY(scratch, double, size);
		ranks(v + from, size, rank, scratch);
		out = farthest(rank, size, &cut);
		q = chance(rank, size, out, &rng);
		if (q > HISTORY_P)
			continue;
		found[cuts++] = (Ranked){q, from + cut};
		todo[left].from = from;
		todo[left++].to = from + cut;
		todo[left].from = from + cut;
		todo[left++].to = to;
	}
	qsort(found, (size_t)cuts, sizeof *found, by_place);
	for (int i = 0; i < cuts; i++) {
		at[i] = found[i].of;
		p[i] = found[i].v;
	}
	return cuts;
}

double
history_rank_sum(const double *x, int nx, const double *y, int ny, Arena *scratch)
{
	int n = nx + ny;
	double *all, *rank, ties, sum = 0, mean, variance, z;

	if (!nx || !ny)
		return 1;
	all = ARENA_ARRAY(scratch, double, n);
	rank = ARENA_ARRAY(scratch, double, n);
	for (int i = 0; i < n; i++)
		all[i] = i < nx ? x[i] : y[i - nx];
	ties = ranks(all, n, rank, scratch);
	for (int i = 0; i < nx; i++)
		sum += rank[i];
	mean = nx * (n + 1.0) / 2;
	variance = nx * (double)ny / 12 * (n + 1 - ties / (n * (n - 1.0)));
	if (variance <= 0)
		return 1;
	z = (fabs(sum - mean) - 0.5) / sqrt(variance);
	return z > 0 ? erfc(z / sqrt(2)) : 1;
}
