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

/* Contents of the inputs. A candidate of the search is checked on the first and timed on the
 * second ones; a finalist is checked on the third, which it has not met, and timed on the first. */
typedef enum Contents { CONTENTS_FIRST, CONTENTS_SECOND, CONTENTS_THIRD, CONTENTS } Contents;

typedef struct Problem {
	Arena *arena;
	const Task *task;
	const TaskForm *form;
	VEC(BufferSpec) buffer; /* in, out, given constants */
	int ngiven;
	VEC(Literal) literal;
	VEC(CheckSpec) check; /* without the samples */
	Blobs blob;           /* that checks name */
	ExpectedList expected[CONTENTS];
} Problem;

/* t and f must outlive it. Errors: ERR_UNSUPPORTED when the Task cannot be offered to a device
 * (an empty tensor, too many tensors). */
int problem_build(Arena *a, const Task *t, const TaskForm *f, Problem *out, Err *e);

/* Expectations for finalists; once. */
void problem_extend(Problem *p);

/* Number among the constants of a literal of these contents, added when new. -1: no room. */
int problem_literal(Problem *p, const TaskTensor *x);

/* All buffers of a batch, in a; final: for finalists. */
void problem_buffers(const Problem *p, Arena *a, bool final, Batch *out);

/* All checks of a batch, in a; every tolerance is multiplied by slack. Blobs they name are added to
 * blobs. */
void problem_checks(const Problem *p, Arena *a, double slack, bool final, Batch *out, Blobs *blobs);

#endif
