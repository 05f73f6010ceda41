/* Small ONNX models made in memory, so that tests of the importer need no files and no Python. */
#ifndef TESTS_ONNX_MAKE_H
#define TESTS_ONNX_MAKE_H

#include "graph/onnx_read.h"

typedef struct OnnxMake {
	Arena *arena; /* everything; onnx_make_fini frees it */
	Onnx__ModelProto *model;
	Onnx__GraphProto *graph;
} OnnxMake;

void onnx_make_init(OnnxMake *m, int opset);
void onnx_make_fini(OnnxMake *m);

/* dims: "1,3,H,W" (numbers or names of sizes, "?" for one without a name), "" for a scalar, NULL
 * for an unknown rank. */
void onnx_make_input(OnnxMake *m, const char *name, DType type, const char *dims);
void onnx_make_output(OnnxMake *m, const char *name);

/* An initializer with raw contents; dims: numbers only. */
Onnx__TensorProto *onnx_make_const(OnnxMake *m, const char *name, DType type, const char *dims,
				   const void *data);
Onnx__TensorProto *onnx_make_tensor(OnnxMake *m, const char *name, DType type, const char *dims,
				    const void *data); /* that belongs nowhere yet */

/* in, out: names separated by blanks, "-" for an absent one. The node is named like its first
 * output with "n_" before it. */
Onnx__NodeProto *onnx_make_node(OnnxMake *m, const char *op, const char *in, const char *out);

/* Attributes of a node. */
void onnx_make_int(OnnxMake *m, Onnx__NodeProto *n, const char *name, int64_t v);
void onnx_make_float(OnnxMake *m, Onnx__NodeProto *n, const char *name, float v);
void onnx_make_text(OnnxMake *m, Onnx__NodeProto *n, const char *name, const char *v);
void onnx_make_ints(OnnxMake *m, Onnx__NodeProto *n, const char *name, int count, const int64_t *v);
void onnx_make_value(OnnxMake *m, Onnx__NodeProto *n, const char *name, Onnx__TensorProto *t);

/* The model as bytes of a file. */
const void *onnx_make_pack(OnnxMake *m, size_t *size);

#endif
