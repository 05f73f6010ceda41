/* Options: the rule that offers loop nests for one stage. It knows axes and accesses, no operator:
 * dense, depthwise and grouped convolution, matrix products, pooling, reductions, softmax,
 * elementwise chains and transposes all get their nests here. */
#ifndef SEARCH_SPACE_OPTIONS_H
#define SEARCH_SPACE_OPTIONS_H

#include "search_space/cost.h"
#include "search_space/space.h"

/* name, what its values mean */
#define KNOB_LIST(X)                                          \
	X(VEC, "axis the lanes run along")                    \
	X(LANES, "lanes")                                     \
	X(DOT, "reduction axis that shares the vector")       \
	X(VECTORS, "vectors of the lane axis in the tile")    \
	X(TILE_A, "tile of the innermost other spatial axis") \
	X(TILE_B, "tile of the one before it")                \
	X(TILE_C, "tile of the one before that")              \
	X(ORDER, "order and blocking of the spatial loops")   \
	X(REDUCTION, "order and unrolling of the reduction")  \
	X(PARTIAL, "partial accumulators")                    \
	X(PEEL, "edges split off instead of guarded")         \
	X(PREFETCH, "the next slab of constants is fetched")

typedef enum Knob {
#define X(name, text) KNOB_##name,
	KNOB_LIST(X)
#undef X
		KNOB_COUNT
} Knob;

/* What options_of_stage is told of a stage of v that has loops. */
void variant_stage_info(const Variant *v, int stage, StageInfo *out);

/* Fills out->option, cheapest first. */
void options_of_stage(Arena *a, const StageInfo *s, const Target *t, StageOptions *out);

#endif
