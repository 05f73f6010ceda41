/* Bundle: what `compile` makes and a program links. Four files: NAME.h, NAME.o, NAME.weights.bin
 * and NAME.json.
 *
 * The code needs no allocation and has no globals. The caller owns three regions, each aligned to
 * 64 bytes: weights (the file, read only), mutable (inputs and outputs at fixed offsets), and
 * activations (whatever, before and after). Two calls may run at once on mutable and activation
 * regions of their own.
 *
 * Functions in the object:
 *   int NAME(const void *weights, void *mutable, void *activations)   0, or a kernel's answer
 *   int NAME_check(const void *weights)                               0 when they are these weights
 *   int NAME_run(const void *const *in, void *const *out, void *activations, int, int)
 * The last has a kernel's signature: in[] holds the inputs in order, then the weights. A bundle for
 * several threads also has
 *   int NAME_parallel(const void *weights, void *mutable, void *activations,
 *                     const hone_parallel *parallel)
 * (base/hone_pool.h), and in[] of NAME_run ends with such a pointer or NULL. NAME is NAME_parallel
 * with NULL: the caller's thread does all of it.
 */
#ifndef DEPLOY_BUNDLE_H
#define DEPLOY_BUNDLE_H

#include "base/arena.h"
#include "base/str.h"
#include "graph/form.h"
#include "graph/graph.h"

enum { BUNDLE_ALIGN = 64, BUNDLE_NAME_MAX = 64 };

/* An input or output: row-major in the mutable region. */
typedef struct BundleTensor {
	const char *name; /* as the model has it */
	DType type;
	int rank;
	int64_t dim[KERNEL_RANK_MAX];
	size_t offset, bytes;
} BundleTensor;

/* What the manifest and the report say about one PlanTask or one extern step. */
typedef struct BundleKernel {
	const char *name;      /* of the first graph node it computes */
	const char *ops;       /* its operators: "Conv+Relu" */
	const char *task;      /* digest of the Task, hex; "" for an extern step */
	const char *form;      /* digest of the Forms, hex */
	const char *algorithm; /* the Sched's rewrite; "extern" */
	const char *sched;     /* text; for an extern step why it is one */
	const char *grade;     /* of the log's row; "estimate" when nothing was measured */
	const char *note;      /* more about the choice; or "" */
	double expected_ns;    /* of one use */
	double flops, bytes;   /* of one use */
	int uses;
} BundleKernel;

/* Where the value that a step computed lies after a run; only in bundles compiled to keep it. */
typedef struct BundleLayer {
	const char *name;
	int value; /* of the graph */
	Form form;
	int output;    /* it is this output, or -1: among the activations... */
	size_t offset; /* ...here */
} BundleLayer;

typedef struct Bundle {
	const char *name;
	const char *target;              /* target_key: triple, CPU, features */
	const char *graph;               /* digest of the graph, hex */
	const char *plan;                /* "logged" or "analytic", and why */
	const char *version, *generator; /* of hone; of what made the code: "LLVM 22.1.0" */
	BundleTensor *input, *output;
	int ninput, noutput;
	size_t weights_bytes, mutable_bytes, activations_bytes;
	size_t activations_bound; /* no plan of memory can need less */
	size_t whole_bytes; /* of activations if no layers were computed by strips, about; 0: memory
			     * was not limited */
	uint64_t weights_hash;
	const void *weights, *object;
	size_t object_bytes;
	BundleKernel *kernel;
	int nkernel;
	BundleLayer *layer;
	int nlayer;
	int threads; /* that its kernels were chosen for */
	bool keep;   /* the activations are one more output of NAME_run */
} Bundle;

/* The header's text. Same bundle, same bytes. */
void bundle_header(const Bundle *b, Str *out);

/* The manifest's text, and back. bundle_parse leaves weights and object NULL. Errors: ERR_INPUT
 * names the field. */
void bundle_manifest(const Bundle *b, Str *out);
int bundle_parse(const char *text, Arena *a, Bundle *out, Err *e);

/* Writes the four files into folder, which is made when there is none. Errors: ERR_IO. */
int bundle_write(const Bundle *b, const char *folder, Err *e);

/* Writes hone_pool.h and hone_pool.c into folder: threads for bundles, as source. Errors: ERR_IO.
 */
int bundle_write_pool(const char *folder, Err *e);

/* Reads a bundle back from its folder (which holds one) or its .json. Checks sizes and the hash of
 * the weights. Errors: ERR_IO, ERR_INPUT. */
int bundle_read(const char *path, Arena *a, Bundle *out, Err *e);

/* The value of layer i after a run of a bundle compiled with keep: row-major, in a. g: the graph it
 * was compiled from. */
void *bundle_layer(const Bundle *b, int i, void *const *output, const void *activations,
		   const Graph *g, Arena *a);

/* A C identifier made from any text, at most BUNDLE_NAME_MAX - 1 long: "res-net 50" ->
 * "res_net_50". Never empty. */
char *bundle_identifier(Arena *a, const char *text);

#endif
