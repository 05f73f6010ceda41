/* Dot products of bytes: sums of products of 8-bit integers, of which many machines add four to
 * every 32-bit lane by one instruction. What they take differs in signs, so either operand may
 * stand with 128 added or taken away, which gives it the other sign. */
#ifndef SEARCH_SPACE_BYTES_H
#define SEARCH_SPACE_BYTES_H

#include "graph/task.h"
#include "search_space/target.h"

typedef struct ByteOperand {
	int load;       /* expression: of a tensor of I8 or U8 */
	bool flipped;   /* 128 is added to I8, taken from U8 */
	bool is_signed; /* the result is */
} ByteOperand;

/* The operands of the stage's body when it is summed in I32 and is such a product; else false. */
bool byte_operands(const Task *t, const Stage *s, ByteOperand of[2]);

/* Whether the Target has an instruction for operands of these signs. */
bool target_multiplies(const Target *t, const ByteOperand of[2]);

/* task_flops, but where the Target has instructions for products of bytes, each of them is the
 * fourth of a product of floats: so the peak of floats bounds both. */
double target_task_flops(const Target *target, const Task *t);

#endif
