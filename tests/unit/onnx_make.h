/* Small ONNX models made in memory, so that tests of the importer need no files
 * and no Python: what graph/onnx_write.h has, with shapes as text and with what
 * only readers need to know.
 */
#ifndef TESTS_ONNX_MAKE_H
#define TESTS_ONNX_MAKE_H

#include "graph/onnx_write.h"

typedef OnnxWrite OnnxMake; /* attributes and packing: onnx_write_... */

void onnx_make_init(OnnxMake *m, int opset); /* with an arena of its own */
void onnx_make_fini(OnnxMake *m);

/* dims: "1,3,H,W" (numbers or names of sizes, "?" for one without a name), ""
 * for a scalar, NULL for an unknown rank. */
void onnx_make_input(OnnxMake *m, const char *name, DType type, const char *dims);
void onnx_make_output(OnnxMake *m, const char *name); /* of unknown type */

/* An initializer with raw contents, which are copied; dims: numbers only. */
Onnx__TensorProto *onnx_make_const(OnnxMake *m, const char *name, DType type, const char *dims,
				   const void *data);
Onnx__TensorProto *onnx_make_tensor(OnnxMake *m, const char *name, DType type, const char *dims,
				    const void *data); /* that belongs nowhere yet */

/* onnx_write_node, but named like its first output with "n_" before it. */
Onnx__NodeProto *onnx_make_node(OnnxMake *m, const char *op, const char *in, const char *out);

/* A tensor as an attribute. */
void onnx_make_value(OnnxMake *m, Onnx__NodeProto *n, const char *name, Onnx__TensorProto *t);

#endif
