/* Networks of depthwise convolutions: MobileNet v1 and v2, and MLPerf Tiny's DS-CNN. */
#include "graph/zoo_net.h"

/* A convolution over all channels, and one for each channel by itself. */
static ZooConv
dense(int out, int kernel, int stride, ZooPad pad)
{
	return (ZooConv){out, {{kernel, kernel}, stride, pad, false}, 1, false};
}

static ZooConv
depthwise(ZooTensor x, int stride, ZooPad pad)
{
	int channels = (int)x.dim[1];

	return (ZooConv){channels, {{3, 3}, stride, pad, false}, channels, false};
}

/* What all convolutions of a network of v1's kind have in common. */
typedef struct Style {
	ZooAct act;
	bool bias;
} Style;

static ZooTensor
separable(ZooNet *z, ZooTensor x, Style s, int out, int stride)
{
	ZooConv spatial = depthwise(x, stride, ZOO_SAME), mix = dense(out, 1, 1, ZOO_SAME);

	spatial.bias = mix.bias = s.bias;
	return zoo_conv_bn(z, zoo_conv_bn(z, x, spatial, s.act), mix, s.act);
}

static ZooTensor
v1_features(ZooNet *z, ZooTensor x, Style s, double width)
{
	static const struct Pair {
		int out, stride;
	} pair[] = {
		{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2},  {512, 1},
		{512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1},
	};
	ZooConv first = dense((int)(32 * width), 3, 2, ZOO_SAME);

	first.bias = s.bias;
	x = zoo_conv_bn(z, x, first, s.act);
	for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
		x = separable(z, x, s, (int)(pair[i].out * width), pair[i].stride);
	return x;
}

void
zoo_mobilenet_v1(ZooNet *z)
{
	ZooTensor x = zoo_input(z, "image", 4, (int64_t[]){1, 3, 224, 224});

	x = zoo_global_pool(z, v1_features(z, x, (Style){ZOO_RELU6, false}, 1));
	zoo_output(z, "logits", zoo_gemm(z, zoo_flatten(z, x), 1000));
}

void
zoo_vww_mobilenet(ZooNet *z)
{
	ZooTensor x = zoo_input(z, "image", 4, (int64_t[]){1, 3, 96, 96});

	x = v1_features(z, x, (Style){ZOO_RELU, true}, 0.25);
	x = zoo_average_pool(z, x, (ZooWindow){{3, 3}, 3, ZOO_VALID, false});
	zoo_output(z, "probs", zoo_softmax(z, zoo_gemm(z, zoo_flatten(z, x), 2)));
}

/* Wider by `expand`, depthwise, back to `out`; linear, and added to its input where shapes allow.
 */
static ZooTensor
inverted_residual(ZooNet *z, ZooTensor x, int expand, int out, int stride)
{
	int channels = (int)x.dim[1];
	ZooTensor y = x;

	if (expand > 1)
		y = zoo_conv_bn(z, y, dense(channels * expand, 1, 1, ZOO_HALF), ZOO_RELU6);
	y = zoo_conv_bn(z, y, depthwise(y, stride, ZOO_HALF), ZOO_RELU6);
	y = zoo_conv_bn(z, y, dense(out, 1, 1, ZOO_HALF), ZOO_LINEAR);
	return stride == 1 && channels == out ? zoo_add(z, x, y) : y;
}

void
zoo_mobilenet_v2(ZooNet *z)
{
	static const struct Stage {
		int expand, out, blocks, stride;
	} stage[] = {
		{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2},  {6, 64, 4, 2},
		{6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
	};
	ZooTensor x = zoo_input(z, "image", 4, (int64_t[]){1, 3, 224, 224});

	x = zoo_conv_bn(z, x, dense(32, 3, 2, ZOO_HALF), ZOO_RELU6);
	for (size_t s = 0; s < sizeof stage / sizeof *stage; s++)
		for (int i = 0; i < stage[s].blocks; i++)
			x = inverted_residual(z, x, stage[s].expand, stage[s].out,
					      i ? 1 : stage[s].stride);
	x = zoo_conv_bn(z, x, dense(1280, 1, 1, ZOO_HALF), ZOO_RELU6);
	zoo_output(z, "logits", zoo_gemm(z, zoo_flatten(z, zoo_global_pool(z, x)), 1000));
}

void
zoo_ds_cnn(ZooNet *z)
{
	ZooTensor x = zoo_input(z, "features", 4, (int64_t[]){1, 1, 49, 10});
	ZooConv c = {64, {{10, 4}, 2, ZOO_SAME, false}, 1, true};

	x = zoo_conv_bn(z, x, c, ZOO_RELU);
	for (int i = 0; i < 4; i++)
		x = separable(z, x, (Style){ZOO_RELU, true}, 64, 1);
	x = zoo_average_pool(z, x, (ZooWindow){{25, 5}, 1, ZOO_VALID, false});
	zoo_output(z, "probs", zoo_softmax(z, zoo_gemm(z, zoo_flatten(z, x), 12)));
}
