/* Race: judging interleaved measurements. Sample i of every candidate was taken in round i, so
 * ratios are paired and what disturbs a whole round cancels. Resampling is seeded by a constant:
 * the same samples give the same verdict. */
#ifndef TUNER_RACE_H
#define TUNER_RACE_H

#include <stdbool.h>

enum { RACE_RESAMPLES = 2000 };

/* Median ratio of times with its 95 % bootstrap interval; all 0: not known. */
typedef struct RaceRatio {
	double ratio, lo, hi;
} RaceRatio;

typedef struct RaceEntry {
	const double *sample; /* a time per round */
	int n;                /* 0: it did not finish */
} RaceEntry;

/* The peak during a measurement, by the calibrations before and after it; 0 when neither is known.
 */
double peak_of(double before, double after);

double median_of(const double *v, int n); /* 0 for n = 0 */

/* a / b over the rounds both have. */
RaceRatio race_ratio(const RaceEntry *a, const RaceEntry *b);

/* What a row of the log says of its race, and the other way. race_read: false when the text says
 * nothing of the kind. */
enum { RACE_TEXT = 96 };
void race_text(const RaceRatio *r, char text[RACE_TEXT]);
bool race_read(const char *text, RaceRatio *r);

/* Whether a is faster than b beyond doubt: the interval excludes 1. */
bool race_faster(RaceRatio r);

/* Winner among entries; entry 0 is the incumbent. A challenger replaces the holder only when it is
 * faster beyond doubt, so ties go to the incumbent, then to the earlier entry. -1 when no entry has
 * samples. */
int race_winner(const RaceEntry *v, int n);

/* One Task of a model. */
typedef struct RacePair {
	RaceEntry after, before;
	double uses;
} RacePair;

/* Sum of after times over sum of before times; rounds are resampled per Task. */
RaceRatio race_model(const RacePair *v, int n);

#endif
