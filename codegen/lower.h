/* Lower: Task x Form x Sched -> Loop. No operator is named here or below.
 *
 * The lowering in ten rules (each has its place):
 *  1. nest: a loop of whole steps, then the same nest again on the remainder        nest.c
 *  2. every axis is an affine form: constant, lane, one coefficient per open loop   affine.c
 *  3. values are numbered and live in the deepest loop they depend on               build.c
 *  4. lane stride 0: scalar load and splat; 1: vector load; else lane by lane       access.c
 *  5. constants are packed in the order the nest first uses them                    segment.c
 *  6. entering the first reduction loop makes accumulators, leaving it finishes     nest.c, tile.c
 *  7. partial lanes: masked access, neutral element where lanes are reduced         access.c
 *                                                                                   and tile.c
 *  8. an inline stage is evaluated where its output is loaded                       eval.c
 *  9. shared loops surround a run of stages; temporaries lose the shared part       lower.c
 * 10. a store that may miss its tensor is conditional, a load that surely misses
 *     gives the else value, one that may miss is guarded, or the loop is peeled     access.c
 *                                                                                   and nest.c
 */
#ifndef CODEGEN_LOWER_H
#define CODEGEN_LOWER_H

#include "codegen/loop.h"
#include "graph/form.h"
#include "search_space/sched.h"
#include "search_space/target.h"

enum { LOWER_WHY_MAX = 160, LOWER_NODES_DEFAULT = 6000 };

typedef struct LowerOptions {
	int nodes_max; /* refuse bigger Loops; 0: LOWER_NODES_DEFAULT */
} LowerOptions;

/* t, f and s are those after the rewrite that s names. Returns OK, or NOT_APPLICABLE with the
 * reason in why. The Loop lives in a. Its code is right even when an out tensor lies in the memory
 * of an in tensor, where task_may_overwrite allows it. */
int lower(Arena *a, const Task *t, const TaskForm *f, const Sched *s, const Target *target,
	  LowerOptions opt, Loop **out, char why[LOWER_WHY_MAX]);

#endif
