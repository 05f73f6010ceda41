/* Whether a Plan computes what its Graph does: every step's Task, interpreted by the oracle on the
 * values that the reference kernels give, must come out at the values that they give.
 */
#ifndef TESTS_SUPPORT_PLAN_CHECK_H
#define TESTS_SUPPORT_PLAN_CHECK_H

#include "graph/plan.h"

typedef struct PlanCheck {
	int tasks, externs; /* steps */
	int blocked;        /* buffers */
	int strips;         /* tasks that are cut into strips */
	int reading;        /* tasks that read anything but constants */
	int extern_op[OP_COUNT];
	int64_t elements;  /* compared */
	int64_t undecided; /* of them, those where rounding may decide: any value is right */
	double worst;      /* largest |difference| / allowed */
	Err e;             /* the first thing wrong */
} PlanCheck;

/* data: contents of the graph's inputs; cost, memory: for plan_build_within, cost may be NULL; up
 * to `samples` elements of each output are compared. Also checks that steps read only what was
 * written before them, that every output is written, and that Tasks and the Plan read back from
 * their texts. False when something is wrong. */
bool plan_check(const Graph *g, Arena *a, const void *const *data, int samples,
		const FormCost *cost, PlanMemory memory, PlanCheck *out);

#endif
