/* ModelCalls: the function that calls the kernels of a whole network in order, as data.
 *
 * It becomes NAME_run with a kernel's signature (in[] = the inputs, then the weights; out[] = the
 * outputs; scratch = the activations), NAME(weights, mutable, activations) and NAME_check(weights).
 * With several threads in[] ends with a const hone_parallel * (base/hone_pool.h), NULL for none,
 * and NAME_parallel(weights, mutable, activations, parallel) hands one over. A step of several
 * chunks goes through it phase by phase; without it one chunk does all.
 */
#ifndef CODEGEN_MODEL_H
#define CODEGEN_MODEL_H

#include "base/arena.h"
#include "base/str.h"
#include "graph/graph.h"

/* name: what a Place is relative to */
#define REGION_LIST(X) \
	X(NONE)        \
	X(INPUT)       \
	X(OUTPUT)      \
	X(WEIGHTS)     \
	X(ACTIVATIONS)

typedef enum Region {
#define X(name) REGION_##name,
	REGION_LIST(X)
#undef X
} Region;

typedef struct Place {
	Region region;
	int index;     /* INPUT, OUTPUT: which one */
	size_t offset; /* bytes */
} Place;

/* A call: of a kernel's phases, or of the reference kernel of a graph node. */
typedef struct ModelStep {
	int nphase, chunks;       /* chunks: Loop.threads */
	const char *const *phase; /* kernel: its functions in order */
	const Node *node;         /* reference kernel: operator and attributes; else NULL */
	int nin, nout;
	const Place *in; /* kernel: the Task's in tensors, then its pool; node: its inputs,
			  * REGION_NONE where absent */
	const Place *out;
	Place scratch; /* REGION_NONE when it needs none */
} ModelStep;

typedef struct ModelCalls {
	const char *name; /* a C identifier */
	const Graph *g;   /* types and shapes of the operands of nodes */
	int ninput, noutput;
	const size_t *input, *output; /* offsets in the mutable region */
	size_t weights_bytes;         /* a multiple of 8 */
	uint64_t weights_hash;        /* model_hash of them */
	int threads;
	bool keep; /* NAME_run takes the activations as one more output instead of scratch */
	VEC(ModelStep) step;
} ModelCalls;

/* What NAME_check computes over little-endian 64-bit words w: h = (h ^ w) * factor, from the basis.
 * Any one changed word changes it. bytes is a multiple of 8. */
#define MODEL_HASH_BASIS  UINT64_C(0xcbf29ce484222325)
#define MODEL_HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15)
uint64_t model_hash(const void *weights, size_t bytes);

/* A line per step: what is called with which places. */
void model_print(const ModelCalls *m, Str *out);

#endif
