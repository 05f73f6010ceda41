/* Process: a parcel of one candidate run in a fresh process on a device, and pairs of them. */
#ifndef REGRESS_PROCESS_H
#define REGRESS_PROCESS_H

#include "regress/result.h"
#include "tuner/device.h"

/* Calibrations of a pair that differ by more were taken at two clocks; samples of which a quarter
 * is slower than the median by more were disturbed by somebody. */
#define PROCESS_CLOCK_STEP 0.04
#define PROCESS_LOAD_STEP  0.20

enum { PROCESS_OUTPUTS_MAX = 16 };

/* What came of it. */
typedef enum ProcessEnd {
	PROCESS_OK,
	PROCESS_WRONG,   /* computes something else */
	PROCESS_CRASH,   /* died, hung, could not be loaded */
	PROCESS_SHORT,   /* too short for the clock of the board */
	PROCESS_REFUSED, /* the agent does not take it */
	PROCESS_LOST,    /* for a reason that is not its own: may be tried again */
} ProcessEnd;

typedef struct Process {
	ProcessEnd end;
	char reason[REASON_MAX + 1];
	double ns;                  /* median; 0 unless OK */
	double spread;              /* upper quartile of the samples over ns, minus 1 */
	double peak_low, peak_high; /* of the calibrations around it; 0: none */
	uint32_t nfetched;
	Digest fetched[PROCESS_OUTPUTS_MAX]; /* the first of its outputs, where it was asked for */
} Process;

/* Runs p[0..n), n at most FLIGHT_MAX, one directly after the other. stop: asked while waiting; may
 * be NULL. Errors: those of device_send and device_take but for refusals, which are an end; then
 * nothing is in flight where the device is still there. */
int process_run(Device *d, Parcel *const *p, int n, bool (*stop)(void *self), void *self,
		Process *out, Err *e);

/* The one to believe of two of the same code: what was disturbed is slower, or spreads. */
const Process *process_better(const Process *a, const Process *b);

/* Both sides of one kernel; the one that came first is first. */
RegressPair process_pair(const Process *baseline, const Process *now, bool new_first);

#endif
