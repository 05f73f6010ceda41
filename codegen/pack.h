/* The pack description of a Loop: which constants go where in its pool (format: base/pack.h). */
#ifndef CODEGEN_PACK_H
#define CODEGEN_PACK_H

#include "base/str.h"
#include "codegen/loop.h"

/* number[i]: position of Task tensor i among the constants that pack_run will be given. */
void pack_describe(const Loop *l, const Task *t, const int *number, Str *out);

/* Positions of constants: first those the model gives (const tensors without a stage, in tensor
 * order), then literals, then those made by constant stages. Returns how many; *given gets the
 * count of the first kind. number has an entry per tensor, TASK_NONE for the rest. */
int pack_number(const Task *t, int *number, int *given);

#endif
