/* Phases of a Loop by themselves. Candidates of a search often differ in one stage only, and the
 * phases of the others need not be compiled again. */
#ifndef CODEGEN_PHASE_H
#define CODEGEN_PHASE_H

#include "base/hash.h"
#include "codegen/loop.h"

/* A Loop with that phase alone, in a; it borrows the segments' slots. Nodes, bodies, accumulators,
 * roots and segments are numbered by the phase alone, so what is equal code comes out equal. */
Loop *loop_phase(Arena *a, const Loop *l, int phase);

/* Of all that code is made from. */
Digest loop_digest(const Loop *l);

#endif
