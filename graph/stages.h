/* Stages: what an operator computes, as stages of a Task. One function stages_NAME per family,
 * named by the stages column of kernels/ops.h.
 *
 * A builder appends to the Task under construction: tensors for the values it touches and one or
 * more stages. It never looks at layouts or targets. NOT_APPLICABLE means that this node (its type,
 * a mode) has no such form and goes to an extern task; the Task is then thrown away.
 */
#ifndef GRAPH_STAGES_H
#define GRAPH_STAGES_H

#include "graph/graph.h"
#include "graph/task.h"

typedef struct Stager {
	const Graph *g;
	Task *t;
	int *tensor; /* per graph value: its tensor in t, or TASK_NONE */
} Stager;

typedef int StageBuilder(Stager *s, const Node *n);

/* The builder of an operator; NULL when it has none. */
StageBuilder *stage_builder(Op op);

/* Appends the node's stages. */
int stages_of_node(Stager *s, const Node *n);

/* What the builders use. */

/* Tensor of a value that is read: the one a stage already writes, or a new in or const tensor. */
int stager_read(Stager *s, int value);
/* New temporary for a value that is written. */
int stager_write(Stager *s, int value);
/* New temporary that is no value of the graph. */
int stager_temporary(Stager *s, const char *name, DType type, int rank, const int64_t *dim);
/* Literal tensor; v is copied. */
int stager_literal(Stager *s, const char *name, DType type, int rank, const int64_t *dim,
		   const double *v);

/* A stage with one spatial axis per dimension of `dim` (none for extents of 1), the output indexed
 * by them in order. at[d] is the index of dimension d. */
typedef struct Over {
	int stage, rank;
	Index at[TASK_RANK_MAX];
} Over;

Over stage_over(Stager *s, int tensor, int rank, const int64_t *dim);
/* Adds an axis and gives it as an index; extent 1 gives the constant 0. */
Index over_axis(Stager *s, int stage, const char *name, int64_t extent, bool reduce);
/* Loads a value broadcast to the stage's dimensions, aligned to the right as NumPy does. */
int over_load(Stager *s, const Over *o, int value);

void stage_value(Stager *s, int stage, int value);
void stage_reduce(Stager *s, int stage, Combiner c, DType acc, int body);
/* acc of the stage as an expression */
int stage_acc(Stager *s, int stage);

const Value *node_in(const Stager *s, const Node *n, int i); /* NULL when absent */
const Value *node_out(const Stager *s, const Node *n, int i);
DType node_type(const Stager *s, const Node *n); /* value type of input 0 */
/* A constant input with one element: its value. */
bool node_scalar(const Stager *s, const Node *n, int i, double *v);

#define X(name, ref, infer, stages, in_min, in_max, out_max, attrs) StageBuilder stages_##stages;
OP_LIST(X)
#undef X

#endif
