/* Features: what a pick looks like, as numbers, to trees that learn how long picks take.
 *
 * A variant's stages are told apart by the time that the analytic model gives their cheapest
 * options: everything is said of the dearest, the knobs of the second, of the others what they
 * cost. Bytes, extents and factors are logarithms to base 2, so that models carry over from one
 * Task or Target to another.
 */
#ifndef SEARCH_SPACE_FEATURES_H
#define SEARCH_SPACE_FEATURES_H

#include "search_space/space.h"

/* name in the text of a model, what it says. First the knobs of the dearest stage, and from
 * vec_2 on those of the second, in the order of KNOB_LIST. */
#define FEATURE_LIST(X)                                                         \
	X(vec, "number of the axis the lanes run along")                        \
	X(lanes, "lanes")                                                       \
	X(dot, "number of the reduction axis that shares the vector, plus one") \
	X(vectors, "vectors of the lane axis in the tile")                      \
	X(tile_a, "tile of the innermost other spatial axis")                   \
	X(tile_b, "of the one before it")                                       \
	X(tile_c, "of the one before that")                                     \
	X(order, "order of the spatial loops")                                  \
	X(reduction, "order and unrolling of the reduction")                    \
	X(partial, "partial accumulators")                                      \
	X(peel, "edges split off")                                              \
	X(prefetch, "constants are fetched ahead")                              \
	X(registers, "vectors alive in the innermost body, of those there are") \
	X(sums, "log2 of accumulators")                                         \
	X(loads, "loads per multiply-add")                                      \
	X(terms, "log2 of reduction terms in the innermost body")               \
	X(tails, "log2 of elements computed over elements wanted")              \
	X(body_bytes, "log2 of what a body touches, of the first cache")        \
	X(tile_bytes, "log2 of what a tile touches, of the first cache")        \
	X(loop_bytes, "log2 of what the loop around it touches, of the second") \
	X(vec_2, "knobs of the second stage, 0 without one")                    \
	X(lanes_2, "")                                                          \
	X(dot_2, "")                                                            \
	X(vectors_2, "")                                                        \
	X(tile_a_2, "")                                                         \
	X(tile_b_2, "")                                                         \
	X(tile_c_2, "")                                                         \
	X(order_2, "")                                                          \
	X(reduction_2, "")                                                      \
	X(partial_2, "")                                                        \
	X(peel_2, "")                                                           \
	X(prefetch_2, "")                                                       \
	X(cost, "log2 of the analytic model's time, over the cheapest pick's")  \
	X(variant, "rank of the variant in its Space")                          \
	X(rewrite, "number of the algorithm")                                   \
	X(stages, "stages with loops of their own")                             \
	X(fused, "shared loops")                                                \
	X(fused_step, "log2 of the innermost one's step")                       \
	X(flops, "log2 of the Task's operations")                               \
	X(bytes, "log2 of the bytes of its inputs and outputs")                 \
	X(lane_extent, "log2 of the extent of the lane axis")                   \
	X(reduced, "log2 of the terms of a reduction")                          \
	X(threads, "threads")                                                   \
	X(width, "f32 lanes of the Target")

typedef enum Feature {
#define X(name, text) FEATURE_##name,
	FEATURE_LIST(X)
#undef X
		FEATURES
} Feature;

extern const char *const feature_name[FEATURES];

typedef struct Features Features;

/* Computes what is asked for, when it is first asked for, and keeps it in a; s outlives it. One
 * thread at a time. */
Features *features_new(Arena *a, const Space *s);

/* All finite. */
void features_of(Features *f, const Pick *p, float out[FEATURES]);

#endif
