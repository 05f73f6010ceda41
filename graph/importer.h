/* Inside of the importer: what import_*.c share. Not for other folders.
 *
 * An import function takes one ONNX node whose inputs are known and either binds its outputs
 * (finish, bind_output) or returns an error: ERR_UNSUPPORTED through refuse(), ERR_INPUT through
 * invalid(), NEEDS_VALUE from the static_* readers. The driver collects, prefixes and goes on.
 */
#ifndef GRAPH_IMPORTER_H
#define GRAPH_IMPORTER_H

#include "graph/import.h"
#include "graph/names.h"
#include "graph/onnx_read.h"

enum {
	NEEDS_VALUE = -100, /* a value must be known that depends on graph inputs */
	/* in Importer.names, beside value numbers: */
	NAME_FAILED = -2,  /* output of a node that could not be imported */
	NAME_PENDING = -4, /* output of a later node */
};

typedef struct Importer {
	Graph *g;
	Arena *tmp; /* lives as long as the import: the model and scratch */
	const Onnx__ModelProto *model;
	const char *dir; /* of external data; NULL: refuse */
	const ImportOptions *opt;
	ImportReport *rep;
	Names names; /* ONNX value -> value of g, or NAME_* */
	int opset;
	int64_t fold_bytes, fold_work; /* what is left */
} Importer;

typedef struct OnnxNode OnnxNode;
typedef int ImportFn(OnnxNode *n);

/* One row of the table of ONNX operators. */
typedef struct OnnxOp {
	const char *name; /* with its domain unless it is the default one */
	int since, until; /* opsets in which it means what `import` takes it for */
	ImportFn *import;
	Op op; /* what most import functions emit */
	int in_min, in_max, out_max;
	const char *attrs; /* those it may carry, separated by blanks */
} OnnxOp;

struct OnnxNode {
	Importer *im;
	const Onnx__NodeProto *proto;
	const OnnxOp *row;
	const char *label; /* for people: its name, else that of its first output */
	int nin;
	int *in;                      /* values; NO_VALUE for an absent one */
	KAttr attr[OP_ATTRS_MAX + 1]; /* of the node emitted next */
	int nattr;
	Err err;
};

const OnnxOp *onnx_op(const char *name); /* NULL: not taken */

/* Errors. */
int refuse(OnnxNode *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int invalid(OnnxNode *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Inputs. */
bool has_in(const OnnxNode *n, int i);
const Value *in_value(const OnnxNode *n, int i); /* valid until the graph grows */
const Value *value_of(const OnnxNode *n, int v);

/* The elements of input i, which must be a constant of integers (or floats) of rank 0 or 1; arena
 * memory. Errors: NEEDS_VALUE when it is computed from graph inputs, which are then reported. */
int static_ints(OnnxNode *n, int i, const int64_t **v, int *count);
int static_floats(OnnxNode *n, int i, const double **v, int *count);
int static_int(OnnxNode *n, int i, int64_t *v);  /* one element */
int static_float(OnnxNode *n, int i, double *v); /* one element, any type */

/* The first error; both arguments are evaluated, so that all needs of a node are reported at once.
 */
static inline int
also(int rc, int next)
{
	return rc ? rc : next;
}

/* Attributes. A wrong kind sets n->err, which the driver finds; the value is then `absent`. */
bool has_attr(const OnnxNode *n, const char *name);
int64_t get_int(OnnxNode *n, const char *name, int64_t absent);
double get_float(OnnxNode *n, const char *name, double absent);
const char *get_text(OnnxNode *n, const char *name, const char *absent);
bool get_ints(OnnxNode *n, const char *name, const int64_t **v, int *count);
bool get_floats(OnnxNode *n, const char *name, const double **v, int *count);
bool get_texts(OnnxNode *n, const char *name, const char *const **v, int *count);
const Onnx__TensorProto *get_tensor(OnnxNode *n, const char *name); /* NULL when absent */
/* The number of the text in a list that ends with NULL, or an error. */
int get_choice(OnnxNode *n, const char *name, const char *absent, const char *const *list, int *at);

/* Attribute axes or, from opset `as_input` on, input i: sorted, never negative, each once, below
 * rank. *count is -1 when neither is there. */
int get_axes(OnnxNode *n, int as_input, int i, int rank, int axes[KERNEL_RANK_MAX], int *count);
int get_axis(OnnxNode *n, int64_t absent, int rank, int *axis); /* attribute axis */

/* Attributes of the node that step() or finish() adds next; lists are copied. */
void with_int(OnnxNode *n, AttrKey key, int64_t v);
void with_ints(OnnxNode *n, AttrKey key, const int64_t *v, int count);
void with_float(OnnxNode *n, AttrKey key, double v);
void with_floats(OnnxNode *n, AttrKey key, const double *v, int count);

/* Those of a convolution whose weights are input i, explicit pads and all. */
int with_conv(OnnxNode *n, int i);

/* Adds a node with the attributes set before, folds it when all its inputs are constants. step
 * returns its value, under a made-up name; finish names it and its outputs as the ONNX node does
 * and binds them. Both return negative errors. `given` is for operators whose shape is not
 * inferred. */
int step(OnnxNode *n, Op op, int nin, const int *in, const Value *given);
int step_named(OnnxNode *n, const char *name, Op op, int nin, const int *in, const Value *given);
int finish(OnnxNode *n, Op op, int nin, const int *in, const Value *given);
/* Same, as reshapes (rank <= 8). Reshapes in a row become one, and none when the shape is there. */
int step_reshape(OnnxNode *n, int v, int rank, const int64_t *dim);
int finish_reshape(OnnxNode *n, int v, int rank, const int64_t *dim);

/* Makes value v output i of the ONNX node. */
int bind_output(OnnxNode *n, int i, int v);
bool wants_output(const OnnxNode *n, int i);

/* A name no value has yet, made from base; arena memory of the graph. */
const char *fresh_name(Importer *im, const char *base);

/* Constants under made-up names; contents are copied. Negative error when too large. */
int add_const(OnnxNode *n, DType type, int rank, const int64_t *dim, const void *data);
int add_scalar(OnnxNode *n, DType type, double v);
int add_ints(OnnxNode *n, int rank, const int64_t *v, int64_t count); /* i64; rank 0 or 1 */

/* Extents of all inputs from the model, the options and each other; adds inputs and frozen
 * constants to the graph. Errors: ERR_INPUT with all that is missing; the inputs are NAME_FAILED
 * then. */
int import_inputs(Importer *im, Err *e);

/* Initializers to constants. Errors: ERR_INPUT, ERR_IO. */
int import_initializers(Importer *im, Err *e);
void import_unsupported(Importer *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Passes over the finished graph; each leaves it valid but for values and nodes nobody needs, which
 * graph_sweep takes out. Each file says what it requires. */
void pass_batchnorm(Importer *im);
void pass_duplicates(Graph *g);
/* Every graph output becomes the output of a node of its own, under its ONNX name. */
int pass_outputs(Importer *im, const int *value, int count, Err *e);

#endif
