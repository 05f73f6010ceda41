/* Problem: what surrounds the candidates of one Task on the device: contents of buffers, and what
 * right outputs are. Made once per Task and the same for all its candidates.
 *
 * Constants are numbered as in codegen/pack.h, but for one thing: the literals of all rewrites
 * share one list, which grows as rewrites turn up; constants made on the device follow the list.
 */
#ifndef TUNER_PROBLEM_H
#define TUNER_PROBLEM_H

#include "graph/task.h"
#include "tuner/expect.h"
#include "wire/batch.h"

typedef struct Blob {
	Digest digest;
	const void *data;
	size_t size;
} Blob;

typedef VEC(Blob) Blobs;

typedef struct Literal {
	DType type;
	Blob contents;
} Literal;

typedef struct Problem {
	Arena *arena;
	const Task *task;
	const TaskForm *form;
	VEC(BufferSpec) buffer; /* in, out, given constants */
	int ngiven;
	VEC(Literal) literal;
	VEC(CheckSpec) check; /* without the samples */
	Blobs blob;           /* that checks name */
	ExpectedList expected;
	int common; /* expected[0..common) are for every candidate, the rest for finalists */
} Problem;

/* t and f must outlive it. Errors: ERR_UNSUPPORTED when the Task cannot be offered to a device
 * (an empty tensor, too many tensors). */
int problem_build(Arena *a, const Task *t, const TaskForm *f, Problem *out, Err *e);

/* More samples for finalists; once. */
void problem_extend(Problem *p);

/* Number among the constants of a literal of these contents, added when new. -1: no room. */
int problem_literal(Problem *p, const TaskTensor *x);

/* All buffers of a batch, in a. */
void problem_buffers(const Problem *p, Arena *a, Batch *out);

/* All checks of a batch, in a; every tolerance is multiplied by slack. Blobs they name are added to
 * blobs. */
void problem_checks(const Problem *p, Arena *a, double slack, bool final, Batch *out, Blobs *blobs);

#endif
