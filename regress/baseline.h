/* Baseline: what was measured once, kept so that it can be measured again beside what is there now.
 * Not numbers: the code of every kernel and how it is called, the schedules that the weights of the
 * model follow from, and the board it was for. The samples of that day are kept to be read; no
 * verdict rests on them.
 *
 * On disk it is a folder: baseline.txt, sorted text, and blobs/DIGEST for everything bulky. Grammar
 * in docs/text_forms.md. Everything lives in the arena given; texts are never NULL. */
#ifndef REGRESS_BASELINE_H
#define REGRESS_BASELINE_H

#include "base/arena.h"
#include "base/dtype.h"
#include "base/hash.h"
#include "base/str.h"
#include "regress/board.h"

enum {
	BASELINE_FORMAT = 1,
	BASELINE_KERNELS_MAX = 4096,
	BASELINE_WORDS_MAX = 64,          /* phases, literals, samples of one kernel */
	BASELINE_SCHED_MAX = 16384,       /* bytes of a schedule */
	BASELINE_TEXT_BYTES = 1 << 24,    /* of baseline.txt */
	BASELINE_BLOB_BYTES = 1 << 28,    /* of one blob */
	BASELINE_ARCHIVE_BYTES = 1 << 30, /* of an exported one */
};

/* Constants of a rewrite, in the order the pack description counts them. */
typedef struct BaselineLiteral {
	DType type;
	Digest blob;
} BaselineLiteral;

typedef struct BaselineTensor {
	DType type;
	int64_t bytes;
} BaselineTensor;

typedef VEC(const char *) BaselineWords;
typedef VEC(int64_t) BaselineIntegers;
typedef VEC(double) BaselineNumbers;
typedef VEC(BaselineLiteral) BaselineLiterals;
typedef VEC(BaselineTensor) BaselineTensors;

/* How a kernel is called, see wire/batch.h. */
typedef struct BaselineCall {
	Digest image;
	BaselineWords phase;
	BaselineWords prepare;
	BaselineIntegers derived;
	BaselineLiterals literal;
	int64_t scratch, chunks;
	int64_t pool; /* bytes */
	Digest pack;  /* blob: the pack description; unused when pool is 0 */
} BaselineCall;

typedef struct BaselineKernel {
	const char *name; /* of the first node that it computes, with its operators */
	Digest task, form;
	int64_t uses;
	const char *algorithm, *grade;
	double slack;
	const char *sched; /* text, with a line end */
	BaselineCall call;
	BaselineNumbers ns; /* median of each process, the day it was set */
	int line;           /* of the text it was read from; 0: of none */
} BaselineKernel;

/* The model as one candidate: NAME_run of its bundle. */
typedef struct BaselineModel {
	const char *name; /* of the function, without _run */
	Digest image;
	Digest weights; /* what the weights were; they are made again, not kept */
	int64_t weights_bytes, scratch;
	BaselineTensors in;
	BaselineTensors out;
	BaselineNumbers ns;
	int line;
} BaselineModel;

typedef struct BaselineBlob {
	Digest digest;
	const void *data;
	size_t size;
} BaselineBlob;

typedef struct Baseline {
	const char *name;             /* of the model, for people */
	const char *graph;            /* digest of the graph, hex */
	const char *hone, *generator; /* versions */
	const char *tolerance;
	int64_t memory; /* CompileOptions.memory */
	Board board;
	Digest plan; /* blob: text */
	BaselineModel model;
	VEC(BaselineKernel) kernel; /* in the order of their keys */
	VEC(BaselineBlob) blob;
} Baseline;

/* Adds a blob unless it is there; data is not copied. */
Digest baseline_put(Baseline *b, Arena *a, const void *data, size_t size);
const BaselineBlob *baseline_blob(const Baseline *b, const Digest *d); /* NULL: not there */

/* NULL: not there. */
const BaselineKernel *baseline_kernel(const Baseline *b, const Digest *task, const Digest *form);

/* In the order of their keys: below, equal to, above 0. */
int baseline_order(const BaselineKernel *x, const BaselineKernel *y);
void baseline_sort(Baseline *b);

/* The text, and back. `file` names it in errors. Errors: ERR_INPUT names file, line and field.
 * Blobs are not part of it. */
void baseline_print(const Baseline *b, Str *out);
int baseline_parse(const char *file, const char *text, Arena *a, Baseline *out, Err *e);

/* Calls see for every digest that b names; one that answers other than 0 ends it. what: which field
 * names it. */
int baseline_each_blob(const Baseline *b,
		       int (*see)(void *self, const Digest *d, const char *what, Err *e),
		       void *self, Err *e);

/* Writes the folder, which is made when there is none; blobs that the text names no more are taken
 * away, and damaged ones replaced. Errors: ERR_IO. */
int baseline_write(const Baseline *b, const char *folder, Err *e);
/* Reads text and blobs. Errors: ERR_IO; ERR_INPUT, also when a blob is not what its name says. */
int baseline_read(const char *folder, Arena *a, Baseline *out, Err *e);

/* The same in one text: the baseline, then its blobs. */
void baseline_pack(const Baseline *b, Str *out);
int baseline_unpack(const char *file, const char *data, size_t size, Arena *a, Baseline *out,
		    Err *e);

#endif
