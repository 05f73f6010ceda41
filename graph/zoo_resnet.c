/* Residual networks: ResNet-18 and -50 as torchvision builds them, and MLPerf Tiny's ResNet-8. */
#include "graph/zoo_net.h"

/* Two 3x3 convolutions, or 1x1, 3x3 (which has the stride: v1.5), 1x1 to four times the width; the
 * input comes over a 1x1 convolution where its shape differs. */
typedef struct Style {
	bool bottleneck, bias;
	ZooPad pad;
} Style;

static ZooTensor
branch(ZooNet *z, ZooTensor x, const Style *s, int width, int stride)
{
	ZooConv one = {width, {{1, 1}, 1, s->pad, false}, 1, s->bias};
	ZooConv three = {width, {{3, 3}, 1, s->pad, false}, 1, s->bias};
	ZooConv strided = three;

	strided.window.stride = stride;
	if (!s->bottleneck) {
		x = zoo_conv_bn(z, x, strided, ZOO_RELU);
		return zoo_conv_bn(z, x, three, ZOO_LINEAR);
	}
	x = zoo_conv_bn(z, x, one, ZOO_RELU);
	x = zoo_conv_bn(z, x, strided, ZOO_RELU);
	one.out = 4 * width;
	return zoo_conv_bn(z, x, one, ZOO_LINEAR);
}

static ZooTensor
block(ZooNet *z, ZooTensor x, const Style *s, int width, int stride)
{
	int out = s->bottleneck ? 4 * width : width;
	ZooTensor y = branch(z, x, s, width, stride);
	ZooConv project = {out, {{1, 1}, stride, s->pad, false}, 1, s->bias};

	if (stride == 1 && x.dim[1] == out) /* x is positive: the Relu keeps it, and most of y */
		return zoo_unary(z, "Relu", zoo_add(z, y, x), x.square + 0.75 * y.square);
	x = zoo_conv(z, x, project);
	x = s->bias ? x : zoo_batch_norm(z, x);
	return zoo_act(z, zoo_add(z, y, x), ZOO_RELU);
}

static void
imagenet(ZooNet *z, const Style *s, const int blocks[4])
{
	ZooTensor x = zoo_input(z, "image", 4, (int64_t[]){1, 3, 224, 224});

	x = zoo_conv_bn(z, x, (ZooConv){64, {{7, 7}, 2, ZOO_HALF, false}, 1, false}, ZOO_RELU);
	x = zoo_max_pool(z, x, (ZooWindow){{3, 3}, 2, ZOO_HALF, false});
	for (int stage = 0; stage < 4; stage++)
		for (int i = 0; i < blocks[stage]; i++)
			x = block(z, x, s, 64 << stage, stage && !i ? 2 : 1);
	x = zoo_flatten(z, zoo_global_pool(z, x));
	zoo_output(z, "logits", zoo_gemm(z, x, 1000));
}

void
zoo_resnet18(ZooNet *z)
{
	imagenet(z, &(Style){.pad = ZOO_HALF}, (int[]){2, 2, 2, 2});
}

void
zoo_resnet50(ZooNet *z)
{
	imagenet(z, &(Style){.bottleneck = true, .pad = ZOO_HALF}, (int[]){3, 4, 6, 3});
}

void
zoo_tiny_resnet8(ZooNet *z)
{
	ZooTensor x = zoo_input(z, "image", 4, (int64_t[]){1, 3, 32, 32});
	Style s = {.bias = true, .pad = ZOO_SAME};

	x = zoo_conv_bn(z, x, (ZooConv){16, {{3, 3}, 1, s.pad, false}, 1, s.bias}, ZOO_RELU);
	for (int stage = 0; stage < 3; stage++)
		x = block(z, x, &s, 16 << stage, stage ? 2 : 1);
	x = zoo_flatten(z, zoo_average_pool(z, x, (ZooWindow){{8, 8}, 8, ZOO_VALID, false}));
	zoo_output(z, "probs", zoo_softmax(z, zoo_gemm(z, x, 10)));
}
