/* Statistics of paired measurements. Pure and deterministic; n = 0 is fine everywhere.
 *
 * Differences are log(new / baseline) of pairs. Within a pair what the board does cancels; over
 * pairs nothing is assumed but that a difference is as likely above its centre as below. Therefore
 * ranks: the signed-rank test, the interval that inverts it, and the Hodges-Lehmann estimate in its
 * middle.
 */
#ifndef REGRESS_STATS_H
#define REGRESS_STATS_H

#include "base/arena.h"
#include "regress/result.h"

/* Up to so many differences p values and intervals are exact, by counting; above by the normal
 * distribution with a correction for continuity and ties. */
enum { STATS_EXACT_MAX = 100 };

/* log(new / baseline) of the pairs that count, into d, which has room for n; returns how many.
 * Times that are not above 0 count as dropped. */
int stats_log_ratios(const RegressPair *pair, int n, double *d);

double stats_median(const double *v, int n, Arena *scratch); /* 0 for n = 0 */

/* Two-sided p value of the signed-rank test that d is centred at 0. Zeros have ranks but count for
 * neither side (Pratt); equal sizes share their ranks, and the distribution counted is that of the
 * ranks that there are. */
double stats_signed_rank(const double *d, int n, Arena *scratch);

/* Median of the means of all pairs of d (each with itself too). */
double stats_hodges_lehmann(const double *d, int n, Arena *scratch);

/* The interval of the centre that the test does not refuse at 1 - level; false, and infinite, when
 * there are too few for this level. */
bool stats_interval(const double *d, int n, double level, Arena *scratch, double *low,
		    double *high);

/* Holm: p[i] becomes the adjusted p value among all n, at most 1. */
void stats_holm(double *p, int n, Arena *scratch);

/* Value that a standard normal variable is below with probability p, in (0, 1). */
double stats_normal_quantile(double p);

/* Everything an estimate says of pairs but p_holm (1) and detectable (0). The interval has
 * STATS_LEVEL. */
#define STATS_LEVEL 0.95
RegressEstimate stats_estimate(const RegressPair *pair, int n, Arena *scratch);

/* By how many standard deviations of one difference the centre must be off for a test at `alpha`
 * (two-sided) of so many pairs to find it 95 times of 100; 0: such a test never finds anything. */
double stats_shift(double alpha, int pairs, Arena *scratch);
/* The same as a difference of logarithms, where differences are spread like these n; 0: too few to
 * say. */
double stats_detectable(const double *d, int n, double shift, Arena *scratch);

/* Whether the differences fall into two groups with a gap between them. */
bool stats_two_modes(const double *d, int n, Arena *scratch);

#endif
