/* The analytic cost model: what a stage under a StageSched should take, from the Target's numbers
 * alone. Good enough to rank; measured time decides. */
#ifndef SEARCH_SPACE_COST_H
#define SEARCH_SPACE_COST_H

#include "search_space/stage_info.h"
#include "search_space/target.h"

typedef struct Cost {
	double ns;        /* of all rounds of the stage by the Target's threads, constants cold */
	double registers; /* vector registers the innermost body keeps alive */
	double nodes;     /* Loop nodes, roughly: the lowering refuses beyond its limit */
} Cost;

Cost cost_stage(const StageInfo *s, const StageSched *q, const Target *t);

/* One round without memory: the arithmetic, and loads from the first cache. Several times quicker.
 */
Cost cost_rough(const StageInfo *s, const StageSched *q, const Target *t);

/* How much sooner t's threads end than one would that share `extent` in steps. */
double cost_shared(double extent, double step, const Target *t);

/* The same for the outermost loop of the nest that they share as evenly as any; *axis is its axis,
 * TASK_NONE where one thread does all. */
double cost_split(const StageInfo *s, const StageSched *q, const Target *t, int *axis);

#endif
