/* Import: an ONNX model to a Graph with static shapes, in one walk over its nodes.
 *
 * Nodes all of whose inputs are constants fold at once through their reference kernels, so shapes
 * that a model computes (Shape, Gather, Concat, Reshape...) are known when they are needed. What
 * cannot be taken is collected over the whole model before anything else is complained about.
 */
#ifndef GRAPH_IMPORT_H
#define GRAPH_IMPORT_H

#include "base/arena.h"
#include "base/err.h"
#include "graph/graph.h"
#include "graph/npy.h"

enum { IMPORT_OPSET_MIN = 1, IMPORT_OPSET_MAX = 21 };

/* Extents of an input, or the size of a symbolic dimension (rank 1). */
typedef struct ImportShape {
	const char *name;
	int rank;
	int64_t dim[KERNEL_RANK_MAX];
} ImportShape;

/* An input that becomes a constant. */
typedef struct ImportFreeze {
	const char *name;
	const Npy *tensor; /* read during the import only */
} ImportFreeze;

typedef struct ImportOptions {
	const ImportShape *shape;
	int nshape;
	const ImportFreeze *freeze;
	int nfreeze;
	const char *const *live; /* inputs with an initializer that stay inputs all the same */
	int nlive;
	int64_t fold_bytes_max; /* 0: 4 GiB; all folded constants together */
	int64_t fold_work_max;  /* 0: 2^34 steps; nodes beyond it stay nodes */
} ImportOptions;

typedef struct ImportCount {
	const char *name; /* ONNX operator, with its domain unless it is the default one */
	int n;
} ImportCount;

/* What an import has to say besides the graph; filled as far as it came, on errors too. */
typedef struct ImportReport {
	Arena *arena; /* everything below */
	int64_t ir_version, opset;
	const char *producer;
	VEC(const char *) input;       /* of the model, without those that have an initializer */
	VEC(ImportCount) op;           /* operators of the model, most frequent first */
	VEC(const char *) unsupported; /* a line each: node, operator, what about it */
	VEC(const char *) freeze;      /* inputs whose values the shapes depend on */
} ImportReport;

void import_report_init(ImportReport *r);
void import_report_fini(ImportReport *r);

/* "NAME:1x3x224x224" or "NAME=16"; the last ':' or '=' separates. The name's memory is `a`. Errors:
 * ERR_INPUT with the text. */
int import_shape_parse(const char *text, Arena *a, ImportShape *out, Err *e);

/* Imports the file at path. External data must lie in the model's folder or below it. On success
 * *out is the caller's (graph_free). opt may be NULL. Errors, the first that applies:
 * ERR_IO; ERR_INPUT: no ONNX model; ERR_UNSUPPORTED: rep->unsupported lists everything;
 * ERR_INPUT: a size is missing (all are listed) or contradicts, or a node is not valid;
 * ERR_INPUT with rep->freeze not empty: these inputs must be constants. */
int graph_import(const char *path, const ImportOptions *opt, Graph **out, ImportReport *rep,
		 Err *e);

/* Same from memory. External data is looked for in dir, or refused when dir is NULL. */
int graph_import_memory(const void *bytes, size_t size, const char *dir, const ImportOptions *opt,
			Graph **out, ImportReport *rep, Err *e);

#endif
