/* The one timing loop, used by every kind of runner. It has no clock of its own: what it times and
 * how time passes come from a Meter, so that tests can run it with any clock. */
#ifndef RPC_SERVER_MEASURE_H
#define RPC_SERVER_MEASURE_H

#include "wire/batch.h"

enum {
	SAMPLE_NS = 20000,  /* a sample is at least so long: shorter kernels run back to back */
	SAMPLE_TICKS = 100, /* and at least so many steps of the clock */
	INNER_MAX = 16384,  /* runs in a sample; who needs more runs shorter than a call takes */
};

typedef struct Meter {
	void *self;
	uint64_t (*now)(void *self); /* ns */
	/* Runs a candidate `times` times back to back; *ns is how long all of it took. Non-zero: a
	 * run failed, and the measurement ends. */
	int (*run)(void *self, uint32_t candidate, uint32_t times, uint64_t *ns);
} Meter;

typedef struct Timing {
	Status status; /* OK, BELOW_RESOLUTION, or WRONG when a run failed */
	uint32_t inner, n;
	double *samples; /* ns per run; the caller's, room for `room` */
	uint32_t room;
} Timing;

/* Least step of the meter's clock, ns. */
uint64_t measure_tick(const Meter *m);

/* Fills *t for one candidate. A warm-up of 0 runs is one of 1. */
void measure_search(const Meter *m, const MeasureSpec *spec, uint32_t candidate, Timing *t);

/* Fills t[i] for candidates[i], n of them: one sample each per round, in shuffled order. One that
 * fails or is below resolution drops out. */
void measure_race(const Meter *m, const MeasureSpec *spec, uint64_t seed,
		  const uint32_t *candidates, uint32_t n, Timing *t);

#endif
