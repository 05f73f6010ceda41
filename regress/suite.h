/* Suite: a model as `hone compile` would compile it now, each kernel and the whole as a parcel of
 * one candidate: what stands on the new side of a comparison, and what a baseline is made of.
 *
 * Everything lives in the suite's arena, but for the parcels, which suite_close frees. */
#ifndef REGRESS_SUITE_H
#define REGRESS_SUITE_H

#include "deploy/compile.h"
#include "regress/baseline.h"
#include "tuner/parcel.h"

/* A fresh process of a kernel: so many runs, then samples for so long, and the median counts. */
enum {
	PROCESS_WARMUP = 3,
	PROCESS_RUNS = 9,
	PROCESS_RUNS_MAX = 400,
	PROCESS_NS = 12000000,
	PROCESS_NS_MAX = 500000000,
	PROCESS_DEADLINE_MS = 20000,
};

#define SUITE_MODEL "model" /* name of the whole among the kernels */

typedef struct SuiteKernel {
	const char *name; /* of the first node, unique in the suite */
	const PlanTask *task;
	const char *sched, *algorithm, *grade;
	double slack;
	Problem problem;
	Parcel *parcel; /* NULL: it could not be made, see why */
	const char *why;
	BaselineCall call; /* of that parcel; its digests are of the parcel's blobs */
} SuiteKernel;

typedef struct Suite {
	Arena *arena;
	const Graph *graph;
	const CompileOptions *opt; /* the caller's */
	Emit *emit;
	Bundle bundle;
	SuiteKernel *kernel;
	int nkernel;
	Parcel *model;
	BaselineModel as_model; /* what a baseline would say of it */
	const char *plan;       /* text */
} Suite;

/* Compiles everything. opt and g outlive it; opt->target is set. Errors: of compile; a kernel that
 * cannot be offered to a device is told in its `why`. suite_close either way. */
int suite_open(const Graph *g, const CompileOptions *opt, Suite *s, Err *e);
void suite_close(Suite *s);

/* What opt of the suite asks of a graph and of a baseline: a name, for the refusal when a baseline
 * was made otherwise. NULL: they agree. */
const char *suite_differs(const Suite *s, const Baseline *b);

/* How many kernels had a schedule that was measured when the baseline was set, and have none now.
 */
int suite_unmeasured(const Suite *s, const Baseline *b);

/* Another parcel of kernel k with code that runs before its own. The caller frees it. */
int suite_delayed(Suite *s, int k, const Code *delay, Parcel **out, Err *e);

/* What the kernel is called as in a baseline; blobs go to b. */
BaselineKernel suite_baseline_kernel(const SuiteKernel *k, Baseline *b, Arena *a);

/* The same in the baseline's place: a parcel that calls its code, with the buffers and checks of
 * the present suite. The caller frees it. Errors: ERR_INPUT when it does not suit them. */
int suite_old_kernel(const SuiteKernel *k, const Baseline *b, const BaselineKernel *old,
		     Parcel **out, Err *e);

/* The baseline's model, whose weights are made again from its plan and schedules. NOT_APPLICABLE:
 * they come out otherwise, *why says how; in a. The caller frees the parcel. */
int suite_old_model(const Suite *s, const Baseline *b, Arena *a, Parcel **out, const char **why);

/* One parcel of the model from its parts; weights live as long as it does. */
Parcel *suite_model_parcel(const BaselineModel *m, const void *image, size_t image_bytes,
			   const void *weights, int threads);

#endif
