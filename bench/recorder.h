/* Recorder: times candidates of one Task by a private agent, as the tuner does, and keeps them as
 * recorded rows (tuner/recorded.h). */
#ifndef BENCH_RECORDER_H
#define BENCH_RECORDER_H

#include "bench/layers.h"
#include "tuner/recorded.h"

typedef struct Recorder {
	Layers *l;
	const PlanTask *task;
	Problem problem;
	ObjectCache object;
	Space space;
	int spills;              /* of the untuned choice */
	double best_us, peak[2]; /* least and most GFLOPS of the calibrations */
	Recorded out;
	Recorded keep;        /* those rows of out that are wanted; none: all */
	uint64_t began, ends; /* clock_ns */
} Recorder;

double recorder_ms(uint64_t since);

/* A Task of the plan; l outlives r. The caller sets `ends`. */
int recorder_start(Recorder *r, Layers *l, int number, const char *name, Err *e);

/* Times those of the texts that have no row. ERR_CANCELLED: time is over; what was timed is kept.
 */
int recorder_texts(Recorder *r, const char *const *text, int n, Err *e);

/* A search of the whole Space. best: its best pick of every variant whose time was above it, or
 * NULL. */
int recorder_search(Recorder *r, int trials, Pick *best, double *best_us, Err *e);

/* Times the rows again, some hundred at most, that took at most `limit` times the best, in rounds
 * of other neighbours each time. What disturbs makes slower, so the least counts. */
int recorder_again(Recorder *r, double limit, int passes, Err *e);

/* Rows of an earlier run, where there is the file; all of them, to a file. */
void recorder_read(Recorder *r, const char *part);
int recorder_write(const Recorder *r, const char *file, Err *e);

#endif
