/* ONNX models made in memory: inputs, initializers, nodes, outputs; packed to the bytes of a file.
 *
 * The generated structures are filled and protobuf-c packs them, so equal calls give equal bytes.
 * Names hold no blanks: lists of names are texts separated by them.
 */
#ifndef GRAPH_ONNX_WRITE_H
#define GRAPH_ONNX_WRITE_H

#include "base/arena.h"
#include "base/dtype.h"
#include "onnx.pb-c.h"

typedef struct OnnxWrite {
	Arena *arena; /* the caller's; everything below */
	Onnx__ModelProto *model;
	Onnx__GraphProto *graph;
} OnnxWrite;

/* An empty model; texts are copied, here and below. */
void onnx_write_init(OnnxWrite *w, Arena *a, const char *name, int opset);

void onnx_write_input(OnnxWrite *w, const char *name, DType type, int rank, const int64_t *dim);
void onnx_write_output(OnnxWrite *w, const char *name, DType type, int rank, const int64_t *dim);

/* A tensor with raw contents, or without any when data is NULL, that belongs nowhere yet; and an
 * initializer. Contents are not copied: they live until the model is packed. */
Onnx__TensorProto *onnx_write_tensor(OnnxWrite *w, const char *name, DType type, int rank,
				     const int64_t *dim, const void *data);
void onnx_write_const(OnnxWrite *w, const char *name, DType type, int rank, const int64_t *dim,
		      const void *data);

/* in, out: names, "-" for an absent one. The node is named like its first output. */
Onnx__NodeProto *onnx_write_node(OnnxWrite *w, const char *op, const char *in, const char *out);

/* Attributes of a node. */
void onnx_write_int(OnnxWrite *w, Onnx__NodeProto *n, const char *name, int64_t v);
void onnx_write_float(OnnxWrite *w, Onnx__NodeProto *n, const char *name, float v);
void onnx_write_string(OnnxWrite *w, Onnx__NodeProto *n, const char *name, const char *v);
void onnx_write_ints(OnnxWrite *w, Onnx__NodeProto *n, const char *name, int count,
		     const int64_t *v);

/* The model as bytes of a file, in the arena. */
const void *onnx_write_pack(const OnnxWrite *w, size_t *size);

/* For what the calls above do not offer: a structure of a message type in the arena, initialised;
 * and item appended to a repeated field. */
#define ONNX_NEW(a, Type, init) ((Type *)arena_copy((a), &(Type)init, sizeof(Type)))
#define ONNX_APPEND(a, list, count, item) \
	((list) = onnx_append_((a), (list), (count), (item)), (count)++)

void *onnx_append_(Arena *a, void *list, size_t count, void *item);

#endif
