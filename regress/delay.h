/* Delay: code that takes time and does nothing else, to be slowed down by on purpose: a chain of
 * dependent additions, compiled like any kernel. For the self-test only. */
#ifndef REGRESS_DELAY_H
#define REGRESS_DELAY_H

#include "codegen/emit.h"

/* Functions that add up the first number of the first input so many times, and leave the sum in
 * the first bytes of the scratch memory: ParcelSpec.before. For kernels with an input of at least
 * four bytes. In a. */
int delay_build(Emit *m, int64_t turns, Arena *a, Code *out, Err *e);

#endif
