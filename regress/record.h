/* Record: a suite and its board become a baseline. */
#ifndef REGRESS_RECORD_H
#define REGRESS_RECORD_H

#include "regress/suite.h"
#include "tuner/device.h"

enum { RECORD_PROCESSES = 9 };

typedef struct RecordOptions {
	Device *device;
	const Board *board;
	const char *name; /* of the model, for people */
	int processes;    /* of each; 0: RECORD_PROCESSES */
	bool (*stop)(void *self);
	void (*progress)(void *self, const char *text); /* a line for people; may be NULL */
	void *self;
} RecordOptions;

/* Measures every kernel and the model in so many fresh processes, in turns. Everything of
 * *out lives in a or in the suite. Errors: ERR_CHECK names the kernel that is wrong or crashes: a
 * baseline holds what works; those of process_run. */
int record_baseline(Suite *s, const RecordOptions *opt, Arena *a, Baseline *out, Err *e);

#endif
