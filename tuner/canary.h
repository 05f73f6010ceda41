/* Canary: the same small kernel, measured now and then on every board of a run, tells whether they
 * still are equal machines. */
#ifndef TUNER_CANARY_H
#define TUNER_CANARY_H

#include <stdbool.h>

#define CANARY_STEP 0.05 /* two times that differ by more are not of equal machines */

/* Times in ns; 0: not known. */
typedef struct CanaryTime {
	bool counts;     /* the board is there */
	double start_ns; /* at the beginning of the run */
	double now_ns;   /* the newest */
} CanaryTime;

typedef struct CanaryVerdict {
	double drift;  /* now over start, minus 1 */
	double off;    /* now over the reference, minus 1 */
	int reference; /* whose time that is; -1: nobody has one */
	bool fit;      /* neither is more than CANARY_STEP */
	bool races;    /* races may run there */
} CanaryVerdict;

/* Judges n boards together. The reference is the median of those that count; of an even number the
 * faster of the middle two, hence of two boards the faster one: what disturbs a board makes it
 * slow, nothing makes it fast. When no board is fit, races run where the time is that of the
 * reference: then all drifted, and alike. When nobody has a time, they run anywhere. */
void canary_judge(const CanaryTime *v, int n, CanaryVerdict *out);

#endif
