/* Statistics of races: medians of paired ratios, and the percentile bootstrap over rounds. */
#include "tuner/race.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/median.h"
#include "base/rng.h"

enum { ROUNDS_MAX = 256, SEED = 1 };

double
peak_of(double before, double after)
{
	return before > 0 && after > 0 ? (before + after) / 2 : before > 0 ? before : after;
}

double
median_of(const double *v, int n)
{
	double copy[ROUNDS_MAX];

	if (n <= 0)
		return 0;
	n = n < ROUNDS_MAX ? n : ROUNDS_MAX;
	memcpy(copy, v, (size_t)n * sizeof *v);
	return median_sorting(copy, n);
}

static int
rounds(const RaceEntry *a, const RaceEntry *b)
{
	int n = a->n < b->n ? a->n : b->n;

	return n < ROUNDS_MAX ? n : ROUNDS_MAX;
}

static RaceRatio
interval(double ratio, double *resampled)
{
	qsort(resampled, RACE_RESAMPLES, sizeof *resampled, by_double);
	return (RaceRatio){ratio, resampled[RACE_RESAMPLES * 25 / 1000],
			   resampled[RACE_RESAMPLES * 975 / 1000]};
}

RaceRatio
race_ratio(const RaceEntry *a, const RaceEntry *b)
{
	double ratio[ROUNDS_MAX], drawn[ROUNDS_MAX], resampled[RACE_RESAMPLES];
	int n = rounds(a, b);
	Rng r;

	if (n == 0)
		return (RaceRatio){0};
	for (int i = 0; i < n; i++)
		ratio[i] = a->sample[i] / b->sample[i];
	rng_init(&r, SEED);
	for (int k = 0; k < RACE_RESAMPLES; k++) {
		for (int i = 0; i < n; i++)
			drawn[i] = ratio[rng_below(&r, (uint64_t)n)];
		resampled[k] = median_sorting(drawn, n);
	}
	return interval(median_of(ratio, n), resampled);
}

bool
race_faster(RaceRatio r)
{
	return r.ratio > 0 && r.hi < 1;
}

int
race_winner(const RaceEntry *v, int n)
{
	int holder = -1;

	for (int i = 0; i < n; i++) {
		if (v[i].n == 0)
			continue;
		if (holder < 0 || race_faster(race_ratio(&v[i], &v[holder])))
			holder = i;
	}
	return holder;
}

/* One resampling of all Tasks: sum of after over sum of before. */
static double
resample(const RacePair *v, int n, Rng *r)
{
	double before = 0, after = 0, x[ROUNDS_MAX], y[ROUNDS_MAX];

	for (int i = 0; i < n; i++) {
		int k = rounds(&v[i].after, &v[i].before);

		for (int j = 0; j < k; j++) {
			uint64_t at = rng_below(r, (uint64_t)k);

			x[j] = v[i].after.sample[at];
			y[j] = v[i].before.sample[at];
		}
		if (k) {
			after += v[i].uses * median_sorting(x, k);
			before += v[i].uses * median_sorting(y, k);
		}
	}
	return after / before;
}

RaceRatio
race_model(const RacePair *v, int n)
{
	double resampled[RACE_RESAMPLES], before = 0, after = 0;
	Rng r;

	for (int i = 0; i < n; i++) {
		int k = rounds(&v[i].after, &v[i].before);

		after += v[i].uses * median_of(v[i].after.sample, k);
		before += v[i].uses * median_of(v[i].before.sample, k);
	}
	if (!(before > 0))
		return (RaceRatio){0};
	rng_init(&r, SEED);
	for (int k = 0; k < RACE_RESAMPLES; k++)
		resampled[k] = resample(v, n, &r);
	return interval(after / before, resampled);
}

void
race_text(const RaceRatio *r, char text[RACE_TEXT])
{
	snprintf(text, RACE_TEXT, "%.4f of the untuned time, 95 %% interval %.4f to %.4f", r->ratio,
		 r->lo, r->hi);
}

bool
race_read(const char *text, RaceRatio *r)
{
	RaceRatio x;

	if (sscanf(text, "%lf of the untuned time, 95 %% interval %lf to %lf", &x.ratio, &x.lo,
		   &x.hi) != 3 ||
	    !(x.ratio > 0 && x.lo > 0 && x.hi >= x.lo && isfinite(x.ratio) && isfinite(x.hi)))
		return false;
	*r = x;
	return true;
}
