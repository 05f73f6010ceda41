/* Layers of the zoo's models: each call appends ONNX nodes and their random weights.
 *
 * A tensor carries its expected mean square, which every layer hands on: weights are uniform with
 * variance 1 / (fan-in x mean square of the input), which is He's initialisation (2 / fan-in) after
 * a Relu and keeps sums of order 1 after anything else too. So a batch normalisation expects
 * mean 0 and variance 1; its statistics lie around these.
 */
#ifndef GRAPH_ZOO_NET_H
#define GRAPH_ZOO_NET_H

#include <stdbool.h>

#include "base/rng.h"
#include "graph/onnx_write.h"
#include "graph/zoo.h"

typedef struct ZooTensor {
	const char *name;
	int rank;
	int64_t dim[4];
	double square; /* expected mean square of an element */
} ZooTensor;

struct ZooNet {
	OnnxWrite onnx;
	Rng rng;  /* a seed for each tensor of weights */
	int made; /* names */
};

#define X(name, text) void zoo_##name(ZooNet *z);
ZOO_LIST(X)
#undef X

void zoo_net_init(ZooNet *z, Arena *a, const char *name, uint64_t seed);
ZooTensor zoo_input(ZooNet *z, const char *name, int rank, const int64_t *dim);
void zoo_output(ZooNet *z, const char *name, ZooTensor t); /* renames t, the newest tensor */

/* How a window meets the edges: not at all; half the kernel on either side, as PyTorch's models do;
 * or so that the extent is the input's divided by the stride, rounded up, with the odd line at the
 * end, as TensorFlow's models do. */
typedef enum ZooPad { ZOO_VALID, ZOO_HALF, ZOO_SAME } ZooPad;

/* A window over images [1,C,H,W] or lines [1,C,L], which take kernel[0]. A stride of 0 means 1. */
typedef struct ZooWindow {
	int kernel[2], stride;
	ZooPad pad;
	bool ceil; /* pooling only: the last window may hang over */
} ZooWindow;

typedef struct ZooConv {
	int out; /* channels */
	ZooWindow window;
	int group; /* 0 means 1 */
	bool bias;
} ZooConv;

typedef enum ZooAct { ZOO_LINEAR, ZOO_RELU, ZOO_RELU6 } ZooAct;

ZooTensor zoo_conv(ZooNet *z, ZooTensor x, ZooConv c);
ZooTensor zoo_batch_norm(ZooNet *z, ZooTensor x);
ZooTensor zoo_act(ZooNet *z, ZooTensor x, ZooAct act);
ZooTensor zoo_conv_bn(ZooNet *z, ZooTensor x, ZooConv c, ZooAct act); /* the three above */
ZooTensor zoo_max_pool(ZooNet *z, ZooTensor x, ZooWindow w);
ZooTensor zoo_average_pool(ZooNet *z, ZooTensor x, ZooWindow w);
ZooTensor zoo_global_pool(ZooNet *z, ZooTensor x);
ZooTensor zoo_concat(ZooNet *z, ZooTensor x, ZooTensor y); /* along the channels */
ZooTensor zoo_add(ZooNet *z, ZooTensor x, ZooTensor y);
ZooTensor zoo_softmax(ZooNet *z, ZooTensor x); /* along the last axis */

/* Fully connected, [1,K] to [1,out], as Gemm. */
ZooTensor zoo_gemm(ZooNet *z, ZooTensor x, int out);
/* Fully connected over the last axis, as MatMul and Add. */
ZooTensor zoo_dense(ZooNet *z, ZooTensor x, int out);
ZooTensor zoo_flatten(ZooNet *z, ZooTensor x); /* [1,...] to [1,K] */
ZooTensor zoo_reshape(ZooNet *z, ZooTensor x, int rank, const int64_t *dim);
ZooTensor zoo_transpose(ZooNet *z, ZooTensor x, const int64_t *perm);
ZooTensor zoo_layer_norm(ZooNet *z, ZooTensor x); /* over the last axis */

/* x OP y for an elementwise operator; the result has x's shape and the mean square given. */
ZooTensor zoo_binary(ZooNet *z, const char *op, ZooTensor x, ZooTensor y, double square);
ZooTensor zoo_unary(ZooNet *z, const char *op, ZooTensor x, double square);
ZooTensor zoo_scalar(ZooNet *z, float v);
/* Batched product of [..,M,K] and [..,K,N]. */
ZooTensor zoo_matmul(ZooNet *z, ZooTensor x, ZooTensor y, double square);

#endif
