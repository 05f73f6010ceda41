/* Zoo: known topologies as ONNX models with seeded random weights, so that anyone can try, time and
 * test without a download.
 *
 * Weights are drawn so that every layer's output stays of order 1 (zoo_net.h says how); no Softmax
 * saturates. The batch is 1 and the opset 17.
 */
#ifndef GRAPH_ZOO_H
#define GRAPH_ZOO_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* Builder's name, a line about it. A new model is a line here and its builder in a zoo_*.c; the
 * command line names a model like its builder. */
#define ZOO_LIST(X)                                                                       \
	X(resnet18, "ResNet-18, ImageNet, 224x224")                                       \
	X(resnet50, "ResNet-50 v1.5, ImageNet, 224x224")                                  \
	X(mobilenet_v1, "MobileNet v1 1.0, ImageNet, 224x224")                            \
	X(mobilenet_v2, "MobileNet v2 1.0, ImageNet, 224x224")                            \
	X(squeezenet1_1, "SqueezeNet 1.1, ImageNet, 224x224")                             \
	X(vgg16, "VGG-16, ImageNet, 224x224")                                             \
	X(ds_cnn, "DS-CNN of MLPerf Tiny, keyword spotting: 49x10 features, 12 classes")  \
	X(tiny_resnet8, "ResNet-8 of MLPerf Tiny, 32x32 images, 10 classes")              \
	X(vww_mobilenet, "MobileNet v1 0.25 of MLPerf Tiny, 96x96 images, person or not") \
	X(mlp, "four blocks of 768-3072-768 with Relu, 128 rows")                         \
	X(conv_1d, "M5, 1-d convolutions over a second of sound at 8 kHz, 35 classes")    \
	X(bert_layer, "one encoder layer of BERT base: 768 wide, 12 heads, 128 tokens")

typedef struct ZooNet ZooNet;

typedef struct ZooModel {
	const char *name, *text;
	void (*build)(ZooNet *z); /* from its inputs to its outputs */
} ZooModel;

/* All models, in the order of the list. */
const ZooModel *zoo_list(int *count);

/* The bytes of model `name` as an ONNX file, in the arena; equal arguments give equal bytes.
 * Errors: ERR_INPUT for an unknown name, with all names. */
int zoo_build(const char *name, uint64_t seed, Arena *a, const void **bytes, size_t *size, Err *e);

#endif
