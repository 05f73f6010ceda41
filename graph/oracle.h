/* The oracle: a Task interpreted in double precision, element by element.
 *
 * It is the independent meaning of a Task: it never sees a Form, a Sched or generated code. With
 * each value comes a running bound of the rounding error that a single-precision evaluation of the
 * same expressions may show (a first-order analysis; sums count (2 + sqrt(n)/2) roundings of the
 * sum of absolute terms, which is what random rounding gives, not the worst case), so that a check
 * needs no hand-set tolerance. About 20-50 ns a multiply-add: fit for samples, not for tensors.
 */
#ifndef GRAPH_ORACLE_H
#define GRAPH_ORACLE_H

#include "graph/task.h"

typedef struct OracleValue {
	double v;
	double err; /* >= |single-precision result - v|; INFINITY where a near-tie decides */
} OracleValue;

typedef struct Oracle Oracle;

/* data[i]: contents of in and const tensor i, row-major, in its storage type, alive as long as the
 * oracle; other entries are ignored. Heap memory; values of temporaries are remembered. */
Oracle *oracle_new(const Task *t, const void *const *data);
void oracle_free(Oracle *o); /* NULL is fine */

/* One element of any tensor that a stage writes. An element that no stage writes is NaN with
 * err 0. Not thread safe. */
OracleValue oracle_at(Oracle *o, int tensor, const int64_t *ix);

#endif
