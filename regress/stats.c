/* Ranks of paired differences: test, interval, estimate.
 *
 * The distribution of the rank sum is counted: one coin per rank, each coin shifts the distribution
 * of those before it. Ranks are doubled, so that ranks shared by equal sizes stay whole numbers. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/median.h"
#include "regress/stats.h"

static int
by_size(const void *x, const void *y)
{
	double a = fabs(*(const double *)x), b = fabs(*(const double *)y);

	return (a > b) - (a < b);
}

double
stats_median(const double *v, int n, Arena *scratch)
{
	return median_sorting(arena_copy(scratch, v, sizeof *v * (size_t)n), n);
}

static bool
counts(const RegressPair *p)
{
	return p->drop == REGRESS_DROP_KEPT && p->baseline_ns > 0 && p->new_ns > 0 &&
	       isfinite(p->baseline_ns) && isfinite(p->new_ns);
}

int
stats_log_ratios(const RegressPair *pair, int n, double *d)
{
	int used = 0;

	for (int i = 0; i < n; i++)
		if (counts(&pair[i]))
			d[used++] = log(pair[i].new_ns / pair[i].baseline_ns);
	return used;
}

/* Doubled ranks of n sizes in ascending order; equal sizes share the mean of theirs. */
static void
doubled_ranks(const double *s, int n, int *rank)
{
	for (int i = 0, j; i < n; i = j) {
		for (j = i + 1; j < n && fabs(s[j]) == fabs(s[i]); j++)
			;
		for (int k = i; k < j; k++)
			rank[k] = i + 1 + j;
	}
}

/* chance[s]: probability that the sum of the ranks whose coin shows heads is at most s. */
static double *
distribution(const int *rank, int n, Arena *scratch)
{
	int top = 0;
	double *chance;

	for (int i = 0; i < n; i++)
		top += rank[i];
	chance = ARENA_ARRAY(scratch, double, top + 1);
	chance[0] = 1;
	top = 0;
	for (int i = 0; i < n; i++) {
		top += rank[i];
		for (int s = top; s >= 0; s--)
			chance[s] =
				0.5 * chance[s] + (s >= rank[i] ? 0.5 * chance[s - rank[i]] : 0);
	}
	for (int s = 1; s <= top; s++)
		chance[s] += chance[s - 1];
	return chance;
}

static double
normal_p(const int *rank, int n, int less)
{
	double mean = 0, variance = 0, z;

	for (int i = 0; i < n; i++) {
		mean += rank[i] / 4.0;
		variance += rank[i] * (double)rank[i] / 16;
	}
	if (variance <= 0)
		return 1;
	z = (mean - less / 2.0 - 0.5) / sqrt(variance);
	return z > 0 ? erfc(z / sqrt(2)) : 1;
}

double
stats_signed_rank(const double *d, int n, Arena *scratch)
{
	int zeros = 0, up = 0, down = 0, less, *rank;
	double *s, p;

	if (!n)
		return 1;
	s = arena_copy(scratch, d, sizeof *d * (size_t)n);
	qsort(s, (size_t)n, sizeof *s, by_size);
	rank = ARENA_ARRAY(scratch, int, n);
	doubled_ranks(s, n, rank);
	for (int i = 0; i < n; i++) {
		zeros += s[i] == 0;
		up += s[i] > 0 ? rank[i] : 0;
		down += s[i] < 0 ? rank[i] : 0;
	}
	less = up < down ? up : down;
	if (n > STATS_EXACT_MAX)
		return normal_p(rank + zeros, n - zeros, less);
	p = 2 * distribution(rank + zeros, n - zeros, scratch)[less];
	return p < 1 ? p : 1;
}

/* Means of all pairs. */
static double *
walsh(const double *d, int n, int *count, Arena *scratch)
{
	double *w = ARENA_ARRAY(scratch, double, (size_t)n *((size_t)n + 1) / 2);

	*count = 0;
	for (int i = 0; i < n; i++)
		for (int j = i; j < n; j++)
			w[(*count)++] = (d[i] + d[j]) / 2;
	return w;
}

double
stats_hodges_lehmann(const double *d, int n, Arena *scratch)
{
	int m;
	double *w = walsh(d, n, &m, scratch);

	return median_sorting(w, m);
}

/* How many means are cut off at either end for an interval of at least `level`, and the level that
 * it then has. 0: there is none. */
static int
cut_of(int n, double level, double *reached, Arena *scratch)
{
	double tail = (1 - level) / 2, mean = n * (n + 1.0) / 4, sd, *chance;
	int *rank, cut;

	if (n > STATS_EXACT_MAX) {
		sd = sqrt(n * (n + 1.0) * (2.0 * n + 1) / 24);
		cut = (int)floor(mean + 0.5 + stats_normal_quantile(tail) * sd);
		*reached = level;
		return cut > 0 ? cut : 0;
	}
	rank = ARENA_ARRAY(scratch, int, n + 1);
	for (int i = 0; i < n; i++)
		rank[i] = i + 1;
	chance = distribution(rank, n, scratch);
	for (cut = 0; cut < mean && chance[cut] <= tail; cut++)
		*reached = 1 - 2 * chance[cut];
	return cut;
}

static bool
interval(const double *d, int n, double level, Arena *scratch, double *low, double *high,
	 double *reached)
{
	int m, cut = n ? cut_of(n, level, reached, scratch) : 0;
	double *w;

	*low = -INFINITY;
	*high = INFINITY;
	if (!cut)
		return false;
	w = walsh(d, n, &m, scratch);
	qsort(w, (size_t)m, sizeof *w, by_double);
	*low = w[cut - 1];
	*high = w[m - cut];
	return true;
}

bool
stats_interval(const double *d, int n, double level, Arena *scratch, double *low, double *high)
{
	double reached;

	return interval(d, n, level, scratch, low, high, &reached);
}

/* A p value and whose it is. */
typedef struct Claim {
	double p;
	int of;
} Claim;

static int
by_p(const void *x, const void *y)
{
	const Claim *a = x, *b = y;

	return a->p == b->p ? a->of - b->of : (a->p > b->p) - (a->p < b->p);
}

void
stats_holm(double *p, int n, Arena *scratch)
{
	Claim *v = ARENA_ARRAY(scratch, Claim, n + 1);
	double least = 0;

	for (int i = 0; i < n; i++)
		v[i] = (Claim){.p = p[i], .of = i};
	qsort(v, (size_t)n, sizeof *v, by_p);
	for (int i = 0; i < n; i++) {
		least = fmax(least, fmin(1, v[i].p * (n - i)));
		p[v[i].of] = least;
	}
}

static double
below(double x)
{
	return 0.5 * erfc(-x / sqrt(2));
}

double
stats_normal_quantile(double p)
{
	double low = -40, high = 40;

	assert(p > 0 && p < 1);
	for (int i = 0; i < 100; i++) {
		double x = (low + high) / 2;

		if (below(x) < p)
			low = x;
		else
			high = x;
	}
	return high;
}

RegressEstimate
stats_estimate(const RegressPair *pair, int n, Arena *scratch)
{
	RegressEstimate e = {.p = 1, .p_holm = 1, .high = INFINITY};
	double *d = ARENA_ARRAY(scratch, double, n + 1), *baseline, *fresh, low, high;
	int k = 0;

	e.used = stats_log_ratios(pair, n, d);
	e.dropped = n - e.used;
	if (!e.used)
		return e;
	baseline = ARENA_ARRAY(scratch, double, n);
	fresh = ARENA_ARRAY(scratch, double, n);
	for (int i = 0; i < n; i++) {
		if (!counts(&pair[i]))
			continue;
		baseline[k] = pair[i].baseline_ns;
		fresh[k++] = pair[i].new_ns;
	}
	e.baseline_ns = stats_median(baseline, k, scratch);
	e.new_ns = stats_median(fresh, k, scratch);
	e.ratio = exp(stats_hodges_lehmann(d, k, scratch));
	stats_interval(d, k, STATS_LEVEL, scratch, &low, &high);
	e.low = exp(low);
	e.high = exp(high);
	e.p = stats_signed_rank(d, k, scratch);
	return e;
}

/* --- what can be seen --- */

/* Chance that both a + b and a + c are above 0, where all three are normal around `shift`. */
static double
both_above(double shift)
{
	enum { STEPS = 64, REACH = 8 };
	double sum = 0, step = 2.0 * REACH / STEPS;

	for (int i = 0; i <= STEPS; i++) {
		double x = -REACH + i * step, p = below(x + 2 * shift);

		sum += (i % 2 ? 4 : i && i < STEPS ? 2 : 1) * exp(-x * x / 2) * p * p;
	}
	return sum * step / 3 / sqrt(2 * 3.14159265358979323846);
}

/* What the rank sum of n normal differences around `shift` exceeds 95 times of 100: its mean and
 * variance are those of the count of means above 0. */
static double
likely_sum(double shift, int n)
{
	double p1 = below(shift), p2 = below(sqrt(2) * shift), p3 = (p1 * p1 + p2) / 2;
	double pairs = n * (n - 1.0), mean = n * p1 + pairs / 2 * p2;
	double variance = n * p1 * (1 - p1) + pairs / 2 * p2 * (1 - p2) +
			  2 * pairs * (p3 - p1 * p2) +
			  pairs * (n - 2.0) * (both_above(shift) - p2 * p2);

	return mean - 1.6448536269514722 * sqrt(fmax(variance, 0));
}

double
stats_shift(double alpha, int pairs, Arena *scratch)
{
	double reached, low = 0, high = 10, wanted;
	int cut = pairs > 0 ? cut_of(pairs, 1 - alpha, &reached, scratch) : 0;

	if (!cut)
		return 0;
	wanted = pairs * (pairs + 1.0) / 2 - cut + 0.5;
	for (int i = 0; i < 50; i++) {
		double shift = (low + high) / 2;

		if (likely_sum(shift, pairs) < wanted)
			low = shift;
		else
			high = shift;
	}
	return high;
}

/* The width of the exact interval says how uncertain the estimate is, whatever the distribution: it
 * is that many standard errors of a normal one. */
double
stats_detectable(const double *d, int n, double shift, Arena *scratch)
{
	static const double error_of_one = 1.0233267079464885; /* sqrt(pi / 3) */
	double low, high, reached, error;

	if (n < 1 || !(shift > 0) || !interval(d, n, STATS_LEVEL, scratch, &low, &high, &reached))
		return 0;
	error = (high - low) / 2 / stats_normal_quantile((1 + reached) / 2);
	return shift * error * sqrt(n) / error_of_one;
}

/* In a sample of one group the gaps between neighbours are alike. Two groups: a gap far from both
 * ends that is many times the usual one. On simulated boards 1 of 700 samples of one group is taken
 * for two, and 9 of 10 of two groups 10 % apart are seen in 30 pairs. */
bool
stats_two_modes(const double *d, int n, Arena *scratch)
{
	enum { TIMES = 20, LEAST = 10, SIDE = 5 };
	double *s, *gap, widest = 0;

	if (n < LEAST)
		return false;
	s = arena_copy(scratch, d, sizeof *d * (size_t)n);
	qsort(s, (size_t)n, sizeof *s, by_double);
	gap = ARENA_ARRAY(scratch, double, n);
	for (int i = 0; i + 1 < n; i++) {
		gap[i] = s[i + 1] - s[i];
		if (i + 1 >= n / SIDE && n - i - 1 >= n / SIDE && gap[i] > widest)
			widest = gap[i];
	}
	return widest > TIMES * stats_median(gap, n - 1, scratch);
}
