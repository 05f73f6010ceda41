/* Serialized ONNX tensors (.pb), as ONNX's test data has them. */
#ifndef GRAPH_ONNX_TENSOR_H
#define GRAPH_ONNX_TENSOR_H

#include "graph/npy.h"

/* One TensorProto; external data is refused. On errors t is empty: ERR_IO, ERR_INPUT,
 * ERR_UNSUPPORTED, ERR_NOMEM. npy_fini frees t. */
int onnx_tensor_read(const char *path, Npy *t, Err *e);
int onnx_tensor_decode(const void *bytes, size_t size, Npy *t, Err *e);

#endif
