/* Networks without shortcuts or depthwise convolutions: SqueezeNet, VGG, and M5 for sound. */
#include "graph/zoo_net.h"

static ZooTensor
conv_relu(ZooNet *z, ZooTensor x, int out, int kernel, int stride, ZooPad pad)
{
	ZooConv c = {out, {{kernel, kernel}, stride, pad, false}, 1, true};

	return zoo_act(z, zoo_conv(z, x, c), ZOO_RELU);
}

/* A few channels of 1x1, then 1x1 and 3x3 side by side. */
static ZooTensor
fire(ZooNet *z, ZooTensor x, int squeeze, int expand)
{
	ZooTensor one, three;

	x = conv_relu(z, x, squeeze, 1, 1, ZOO_HALF);
	one = conv_relu(z, x, expand, 1, 1, ZOO_HALF);
	three = conv_relu(z, x, expand, 3, 1, ZOO_HALF);
	return zoo_concat(z, one, three);
}

void
zoo_squeezenet1_1(ZooNet *z)
{
	static const struct Fire {
		int squeeze, expand;
		bool pool; /* before it */
	} f[] = {
		{16, 64, true},  {16, 64, false},  {32, 128, true},  {32, 128, false},
		{48, 192, true}, {48, 192, false}, {64, 256, false}, {64, 256, false},
	};
	ZooTensor x = zoo_input(z, "image", 4, (int64_t[]){1, 3, 224, 224});

	x = conv_relu(z, x, 64, 3, 2, ZOO_VALID);
	for (size_t i = 0; i < sizeof f / sizeof *f; i++) {
		if (f[i].pool)
			x = zoo_max_pool(z, x, (ZooWindow){{3, 3}, 2, ZOO_VALID, true});
		x = fire(z, x, f[i].squeeze, f[i].expand);
	}
	x = conv_relu(z, x, 1000, 1, 1, ZOO_HALF);
	zoo_output(z, "logits", zoo_flatten(z, zoo_global_pool(z, x)));
}

void
zoo_vgg16(ZooNet *z)
{
	static const int convs[] = {2, 2, 3, 3, 3}, width[] = {64, 128, 256, 512, 512};
	ZooTensor x = zoo_input(z, "image", 4, (int64_t[]){1, 3, 224, 224});

	for (int stage = 0; stage < 5; stage++) {
		for (int i = 0; i < convs[stage]; i++)
			x = conv_relu(z, x, width[stage], 3, 1, ZOO_HALF);
		x = zoo_max_pool(z, x, (ZooWindow){{2, 2}, 2, ZOO_VALID, false});
	}
	x = zoo_flatten(z, x);
	for (int i = 0; i < 2; i++)
		x = zoo_act(z, zoo_gemm(z, x, 4096), ZOO_RELU);
	zoo_output(z, "logits", zoo_gemm(z, x, 1000));
}

void
zoo_conv_1d(ZooNet *z)
{
	static const int width[] = {32, 32, 64, 64};
	ZooTensor x = zoo_input(z, "sound", 3, (int64_t[]){1, 1, 8000});

	for (int i = 0; i < 4; i++) {
		ZooConv c = {width[i], {{i ? 3 : 80}, i ? 1 : 4, ZOO_VALID, false}, 1, true};

		x = zoo_conv_bn(z, x, c, ZOO_RELU);
		x = zoo_max_pool(z, x, (ZooWindow){{4}, 4, ZOO_VALID, false});
	}
	x = zoo_flatten(z, zoo_global_pool(z, x));
	zoo_output(z, "logits", zoo_gemm(z, x, 35));
}
