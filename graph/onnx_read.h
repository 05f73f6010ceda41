/* ONNX's protobuf messages: bytes to structures, and the contents of tensors. With onnx_read.c the
 * only place that knows the library; the structures are the generated ones.
 */
#ifndef GRAPH_ONNX_READ_H
#define GRAPH_ONNX_READ_H

#include "base/arena.h"
#include "base/err.h"
#include "graph/graph.h"
#include "onnx.pb-c.h"

/* Messages live in the arena. Errors: ERR_INPUT for bytes that are no such message or nest deeper
 * than any real model. */
int onnx_unpack_model(Arena *a, const void *bytes, size_t size, Onnx__ModelProto **out, Err *e);
int onnx_unpack_tensor(Arena *a, const void *bytes, size_t size, Onnx__TensorProto **out, Err *e);

/* "float32" for 1, also for types that hone does not have; "unknown" for foreign numbers. */
const char *onnx_type_name(int64_t number);

/* Type, rank and dims into v, and a look whether the contents are there in full. External data is a
 * regular file in dir or below it; absolute locations and ".." are refused, and all of it when dir
 * is NULL. Symbolic links are followed: model caches use them. Errors: ERR_UNSUPPORTED (type, rank,
 * extents), ERR_INPUT, ERR_IO. */
int onnx_tensor_shape(const Onnx__TensorProto *t, const char *dir, Value *v, Err *e);

/* The contents of a tensor that onnx_tensor_shape took into dst, which has room for shape v.
 * Errors: ERR_IO. */
int onnx_tensor_data(const Onnx__TensorProto *t, const char *dir, const Value *v, void *dst,
		     Err *e);

/* The text, "" for NULL. */
static inline const char *
onnx_text(const char *s)
{
	return s ? s : "";
}

#endif
