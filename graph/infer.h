/* Shape inference: one function per name in the infer column of OP_LIST. */
#ifndef GRAPH_INFER_H
#define GRAPH_INFER_H

#include "graph/graph.h"

enum { NODE_OUT_MAX = 3 };

/* Fills type, rank and dims of out[0..n->nout) from the node's inputs and attributes; for "given",
 * out[0] comes in with rank and dims. Errors: ERR_INPUT with what was found and what was expected.
 * Reads extents up to DIM_MAX and attributes up to ATTR_INT_MAX without overflow; what it writes is
 * checked by infer_node. */
typedef int Infer(const Graph *g, const Node *n, Value *out, Err *e);

#define X(name, ref, infer, stages, in_min, in_max, out_max, attrs) Infer infer_##infer;
OP_LIST(X)
#undef X

/* Runs the operator's inference, then checks bounds and that the kernel takes the types. */
int infer_node(const Graph *g, const Node *n, Value *out, Err *e);

/* Helpers of infer_*.c. */

/* Input i of the node, NULL when absent. */
static inline const Value *
infer_in(const Graph *g, const Node *n, int i)
{
	return i < n->nin && n->in[i] != NO_VALUE ? &g->value.v[n->in[i]] : NULL;
}

void infer_copy_shape(Value *out, const Value *v);        /* type too */
int infer_rank(const Value *v, int min, int max, Err *e); /* rank within bounds, or ERR_INPUT */
int infer_axis(const Node *n, const Value *v,
	       Err *e); /* attribute axis is one of v's, or ERR_INPUT */
int infer_vector(const Value *v, int64_t extent, const char *what, Err *e); /* NULL is fine */
int infer_same_type(const Value *a, const Value *b, Err *e);
/* out->dim = NumPy broadcast of its present dims and v's. */
int infer_broadcast_dims(Value *out, const Value *v, Err *e);

#endif
