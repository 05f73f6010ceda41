/* The analytic cost model: what a stage under a StageSched should take, from the Target's numbers
 * alone. Good enough to rank; measured time decides. */
#ifndef SEARCH_SPACE_COST_H
#define SEARCH_SPACE_COST_H

#include "search_space/stage_info.h"
#include "search_space/target.h"

/* ns of one pass over the stage on one core, constants cold. */
double cost_stage(const StageInfo *s, const StageSched *q, const Target *t);

/* The same without memory: ns of the arithmetic and the loads from the first cache. */
double cost_compute(const StageInfo *s, const StageSched *q, const Target *t);

/* Vector registers the innermost body keeps alive. */
int cost_registers(const StageInfo *s, const StageSched *q, const Target *t);

/* Loop nodes the body will roughly have: the lowering refuses beyond its limit. */
double cost_nodes(const StageInfo *s, const StageSched *q, const Target *t);

#endif
