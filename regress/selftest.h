/* Self-test: what a comparison is worth on this board. Sides of the same bytes must not differ, and
 * a kernel that was slowed down on purpose must be found. */
#ifndef REGRESS_SELFTEST_H
#define REGRESS_SELFTEST_H

#include "regress/compare.h"

typedef struct SelftestOptions {
	CompareOptions compare; /* of each comparison; kernel: this one only */
	int equal, slow;        /* comparisons of equal sides, and of one that is slower */
	double by;              /* 0.05: 5 % slower */
} SelftestOptions;

typedef struct Selftest {
	int equal[REGRESS_VERDICTS]; /* how often each verdict came of equal sides */
	int slow[REGRESS_VERDICTS];
	double ratio; /* median of what was seen of the slower sides */
	double seconds;
} Selftest;

/* Kernels of the suite in turn: equal ones all at once, as often as it takes; slower ones alone,
 * of those whose time is long enough for such a delay. Errors: ERR_INPUT when the suite has no such
 * kernel; ERR_DEVICE, ERR_CANCELLED; of the linker. */
int selftest_run(Suite *s, const SelftestOptions *opt, Arena *a, Selftest *out, Err *e);

#endif
