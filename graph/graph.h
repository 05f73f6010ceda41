/* Graph: operators, static shapes, constants. What the importer makes and partition reads.
 *
 * Invariants (graph_check lists them one by one):
 * 1. values and nodes refer to each other by number; nodes stand in topological order;
 * 2. every value has a type and static, non-negative extents, rank <= 8;
 * 3. a value is a graph input, a constant (with data, a digest or no elements), or the output of
 *    one node; every graph output is the output of a node, and no two are the same value;
 * 4. names of values are unique;
 * 5. operators are the normalised ones of kernels/ops.h with exactly the attributes listed there.
 */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include "base/arena.h"
#include "base/dtype.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"
#include "kernels/kernel.h"

enum {
	NO_VALUE = -1,
	NO_NODE = -1,
	OP_ATTRS_MAX = 12,
	DIM_MAX = INT32_MAX, /* extents and element counts of a tensor */
	ATTR_INT_MAX =
		INT32_MAX - 1, /* magnitude of integer attributes: window arithmetic fits 64 bits */
};

typedef struct Value {
	const char *name; /* ONNX name; unique */
	DType type;
	int rank;
	int64_t dim[KERNEL_RANK_MAX];
	const void *data; /* constant's contents, row-major, 64-byte aligned; NULL for the rest */
	const Digest
		*digest; /* of a constant read from text, whose contents are elsewhere; or NULL */
	int producer;    /* node, or NO_NODE for inputs and constants */
	bool is_const;
} Value;

typedef struct Node {
	const char *name; /* ONNX name, or made from the operator and its number */
	Op op;
	int nin, nout;
	int *in, *out; /* values; NO_VALUE for an absent input or an output nobody wants */
	int nattr;
	KAttr *attr; /* every attribute of the operator's list, in that list's order */
} Node;

typedef struct Graph {
	Arena *arena; /* everything the graph points to */
	const char *name;
	VEC(Value) value;
	VEC(Node) node;
	VEC(int) input;  /* values the caller gives, in the model's order */
	VEC(int) output; /* values the caller gets, in the model's order */
} Graph;

/* One row of the operator table. */
typedef struct OpInfo {
	const char *name;
	Kernel *kernel;
	int in_min, in_max, out_max;
	const char *attrs; /* names separated by blanks */
} OpInfo;

const OpInfo *op_info(Op op);
bool op_from_name(const char *name, Op *op);
int op_attrs(Op op, AttrKey key[OP_ATTRS_MAX]); /* how many, in the list's order */
const char *attr_name(AttrKey key);
AttrKind attr_kind(AttrKey key);
bool attr_from_name(const char *name, AttrKey *key);

Graph *graph_new(const char *name); /* with an arena of its own */
void graph_free(Graph *g);          /* NULL is fine */

/* Rank and extents within bounds and the count of elements at most DIM_MAX: OK or ERR_UNSUPPORTED.
 */
int shape_check(int rank, const int64_t *dim, Err *e);
void shape_print(Str *s, DType type, int rank, const int64_t *dim); /* "f32[1,3,224,224]" */
int64_t value_count(const Value *v);                                /* elements */
size_t value_bytes(const Value *v);
Digest value_digest(const Value *v); /* of a constant's contents */
bool value_same_shape(const Value *a, const Value *b);

bool graph_is_output(const Graph *g, int value);

/* Adds a value without producer. name is copied; an empty one is made up. */
int graph_add_value(Graph *g, const char *name, DType type, int rank, const int64_t *dim);
/* Same, with contents (copied when copy is set, else they must live as long as the graph). */
int graph_add_const(Graph *g, const char *name, DType type, int rank, const int64_t *dim,
		    const void *data, bool copy);

/* Attributes for graph_add_node; they point to the caller's numbers. */
KAttr attr_int(AttrKey key, const int64_t *v);
KAttr attr_ints(AttrKey key, const int64_t *v, int n);
KAttr attr_float(AttrKey key, const double *v);
KAttr attr_floats(AttrKey key, const double *v, int n);

/* What graph_add_node appends; everything is copied. */
typedef struct NodeSpec {
	Op op;
	const char *name; /* NULL: made from the operator and the node's number */
	int nin;
	const int *in;
	int nattr;
	const KAttr
		*attr; /* in any order; the operator's other attributes get 0 or an empty list */
	const Value *given; /* rank and dims for operators with inference "given", else NULL */
	int nout;           /* 0 means 1 */
	const char *const
		*out; /* names of the outputs, NULL for one that nobody wants; or NULL: made up */
} NodeSpec;

/* Appends a node whose output shapes are inferred from its inputs and attributes. Returns the node,
 * or a negative error when shapes do not fit or the operator does not take the types. The text
 * names what was found and expected; the caller prefixes file and node. */
int graph_add_node(Graph *g, const NodeSpec *spec, Err *e);

/* Same, and returns the node's first output value. */
int graph_add(Graph *g, const NodeSpec *spec, Err *e);

/* Zeroed arena memory for the contents of v, 64-byte aligned. */
void *graph_alloc_data(Graph *g, const Value *v);

const KAttr *node_attr(const Node *n, AttrKey key); /* NULL when the operator has none such */
int64_t node_int(const Node *n, AttrKey key);
double node_float(const Node *n, AttrKey key);

/* Runs the node's reference kernel on its constant inputs, makes its outputs constants and takes
 * the node out of the graph: later nodes move up by one. */
int graph_fold_node(Graph *g, int node, Err *e);

/* Takes nodes and values out that no graph output needs (inputs stay), and renumbers. Outputs of
 * remaining nodes that nobody reads become NO_VALUE. */
void graph_sweep(Graph *g);

/* Every use of value v, as graph output too, becomes one of to[v]. */
void graph_remap(Graph *g, const int *to);

/* How many node inputs and graph outputs refer to each value; the array lives in `a`. */
int *graph_uses(const Graph *g, Arena *a);

/* Multiply-adds or element visits of a node, saturating: a bound for folding, not a cost model. */
int64_t graph_node_work(const Graph *g, const Node *n);

/* Multiply-accumulates of a convolution, matrix product or LSTM; 0 for the other operators: the
 * count that models are compared by. */
int64_t graph_node_macs(const Graph *g, const Node *n);

/* Runs the whole graph through reference kernels: data[i] for every graph input, row-major. Fills
 * all[v] for every value v (arena memory of `a`; constants point to their data). This is the
 * independent reference of finalists and of `verify --layers`. */
int graph_run(const Graph *g, Arena *a, const void *const *data, void **all, Err *e);

/* Text: prints and reads back; constants appear as shape and digest, and read back without
 * contents. Grammar in docs/text_forms.md. */
void graph_print(const Graph *g, Str *out);
int graph_parse(const char *text, Graph **g, Err *e);
int graph_check(const Graph *g, Err *e);
Digest graph_digest(const Graph *g); /* of the text: structure and constants */

#endif
