/* Compare: a suite against its baseline, side by side on one board, in one lease.
 *
 * Kernels of other bytes than the baseline's are contestants: pairs of two fresh processes
 * a side, which take turns, the kernels and the sides in a drawn order, until verdict.h has an
 * answer for each or the time is over. Some kernels of the same bytes run as controls. Canaries run
 * at the start, in the middle and at the end. Who is slower is measured once more, on another board
 * if there is one, and so is a control whose sides differ: if they differ again, the session counts
 * for nothing.
 */
#ifndef REGRESS_COMPARE_H
#define REGRESS_COMPARE_H

#include "regress/result.h"
#include "regress/suite.h"
#include "tuner/device.h"

enum { COMPARE_DEVICES_MAX = 8, COMPARE_CONTROLS = 3, COMPARE_CANARIES = 2, COMPARE_TRIES = 3 };

typedef struct CompareOptions {
	Device *device; /* open; the first is the board, others are for the repeat */
	const char *const *device_name;
	int ndevice;
	const RegressPolicy *policy;
	double budget_s;          /* for the pairs of each of both rounds */
	uint64_t seed;            /* of every order */
	const char *kernel;       /* only this one; NULL: all, and the model */
	const char *command;      /* that does it all again */
	bool (*stop)(void *self); /* asked often; may be NULL */
	void (*progress)(void *self, const char *text); /* a line for people; may be NULL */
	void *self;
} CompareOptions;

/* Fills *out, everything in a; s and b outlive it. A device that is lost or refused is NO_BOARD of
 * what it should have measured, not an error. Errors: ERR_INPUT when opt->kernel is not in the
 * suite, ERR_CANCELLED. */
int compare_suite(Suite *s, const Baseline *b, const CompareOptions *opt, Arena *a,
		  RegressResult *out, Err *e);

/* What a Result says where nothing could be measured at all: every kernel of the baseline is
 * NO_BOARD for that reason. */
void compare_nothing(const Baseline *b, const char *reason, const CompareOptions *opt, Arena *a,
		     RegressResult *out);

#endif
