/* Layers: nodes, shapes, weights. Shapes are derived here once more, without the importer's
 * inference, so that the tests compare two independent ways. */
#include "graph/zoo_net.h"

#include <math.h>
#include <string.h>

enum { OPSET = 17 };

void
zoo_net_init(ZooNet *z, Arena *a, const char *name, uint64_t seed)
{
	onnx_write_init(&z->onnx, a, name, OPSET);
	rng_init(&z->rng, seed);
	z->made = 0;
}

static ZooTensor
tensor(const char *name, int rank, const int64_t *dim, double square)
{
	ZooTensor t = {.name = name, .rank = rank, .square = square};

	memcpy(t.dim, dim, (size_t)rank * sizeof *dim);
	return t;
}

ZooTensor
zoo_input(ZooNet *z, const char *name, int rank, const int64_t *dim)
{
	onnx_write_input(&z->onnx, name, DT_F32, rank, dim);
	return tensor(name, rank, dim, 1);
}

void
zoo_output(ZooNet *z, const char *name, ZooTensor t)
{
	Onnx__GraphProto *g = z->onnx.graph;
	Onnx__NodeProto *last = g->node[g->n_node - 1];

	last->name = last->output[0] = arena_strdup(z->onnx.arena, name);
	onnx_write_output(&z->onnx, name, DT_F32, t.rank, t.dim);
}

/* The next operator's node; its output t gets the node's name. */
static Onnx__NodeProto *
add_node(ZooNet *z, const char *op, const char *in, ZooTensor *t)
{
	t->name = arena_printf(z->onnx.arena, "%s_%d", op, z->made++);
	return onnx_write_node(&z->onnx, op, in, t->name);
}

static const char *
text(ZooNet *z, const char *x, const char *y)
{
	return arena_printf(z->onnx.arena, "%s %s", x, y);
}

/* A constant uniform in [lo, hi], named after the node that comes next. */
static const char *
weights(ZooNet *z, const char *what, int rank, const int64_t *dim, double lo, double hi)
{
	const char *name = arena_printf(z->onnx.arena, "%s_%d", what, z->made);
	size_t count = 1;
	float *data;

	for (int i = 0; i < rank; i++)
		count *= (size_t)dim[i];
	data = arena_alloc(z->onnx.arena, count * sizeof *data);
	rng_fill(DT_F32, data, count, rng_next(&z->rng), lo, hi);
	onnx_write_const(&z->onnx, name, DT_F32, rank, dim, data);
	return name;
}

/* Weights of sums over `fan` elements of x: the sums have variance 1. */
static const char *
sum_weights(ZooNet *z, ZooTensor x, int rank, const int64_t *dim, int64_t fan)
{
	double bound = sqrt(3 / ((double)fan * x.square));

	return weights(z, "weight", rank, dim, -bound, bound);
}

static const char *
bias(ZooNet *z, int64_t n)
{
	return weights(z, "bias", 1, &n, -0.1, 0.1);
}

/* Writes the window's attributes, and its output's extents into t, which holds the input's. */
static void
set_window(ZooNet *z, Onnx__NodeProto *n, ZooWindow w, ZooTensor *t)
{
	int spatial = t->rank - 2;
	int64_t kernel[2], stride[2], pad[4] = {0};

	for (int i = 0; i < spatial; i++) {
		int64_t k = kernel[i] = w.kernel[i], s = stride[i] = w.stride ? w.stride : 1;
		int64_t in = t->dim[i + 2], total = 0, room;

		if (w.pad == ZOO_HALF)
			total = k / 2 * 2;
		else if (w.pad == ZOO_SAME)
			total = ((in + s - 1) / s - 1) * s + k - in;
		total = total < 0 ? 0 : total;
		pad[i] = total / 2;
		pad[i + spatial] = total - total / 2;
		room = in + total - k;
		t->dim[i + 2] = (w.ceil ? room + s - 1 : room) / s + 1;
	}
	onnx_write_ints(&z->onnx, n, "kernel_shape", spatial, kernel);
	onnx_write_ints(&z->onnx, n, "strides", spatial, stride);
	onnx_write_ints(&z->onnx, n, "pads", 2 * spatial, pad);
	if (w.ceil)
		onnx_write_int(&z->onnx, n, "ceil_mode", 1);
}

ZooTensor
zoo_conv(ZooNet *z, ZooTensor x, ZooConv c)
{
	int group = c.group ? c.group : 1;
	int64_t dim[4] = {c.out, x.dim[1] / group, c.window.kernel[0], c.window.kernel[1]};
	int64_t fan = dim[1] * dim[2] * (x.rank == 4 ? dim[3] : 1);
	const char *in = text(z, x.name, sum_weights(z, x, x.rank, dim, fan));
	Onnx__NodeProto *n;
	ZooTensor y = x;

	if (c.bias)
		in = text(z, in, bias(z, c.out));
	n = add_node(z, "Conv", in, &y);
	set_window(z, n, c.window, &y);
	onnx_write_int(&z->onnx, n, "group", group);
	y.dim[1] = c.out;
	y.square = 1;
	return y;
}

ZooTensor
zoo_batch_norm(ZooNet *z, ZooTensor x)
{
	int64_t n = x.dim[1];
	const char *in = text(z, x.name, weights(z, "scale", 1, &n, 0.8, 1.2));

	in = text(z, in, weights(z, "shift", 1, &n, -0.2, 0.2));
	in = text(z, in, weights(z, "mean", 1, &n, -0.2, 0.2));
	in = text(z, in, weights(z, "var", 1, &n, 0.8, 1.2));
	x.square = 1;
	add_node(z, "BatchNormalization", in, &x);
	return x;
}

ZooTensor
zoo_scalar(ZooNet *z, float v)
{
	ZooTensor t = {.square = (double)v * (double)v};

	t.name = arena_printf(z->onnx.arena, "scalar_%d", z->made++);
	onnx_write_const(&z->onnx, t.name, DT_F32, 0, NULL,
			 arena_copy(z->onnx.arena, &v, sizeof v));
	return t;
}

ZooTensor
zoo_act(ZooNet *z, ZooTensor x, ZooAct act)
{
	ZooTensor lo, hi;

	if (act == ZOO_LINEAR)
		return x;
	if (act == ZOO_RELU)
		return zoo_unary(z, "Relu", x, x.square / 2);
	lo = zoo_scalar(z, 0);
	hi = zoo_scalar(z, 6);
	x.square /= 2;
	add_node(z, "Clip", text(z, x.name, text(z, lo.name, hi.name)), &x);
	return x;
}

ZooTensor
zoo_conv_bn(ZooNet *z, ZooTensor x, ZooConv c, ZooAct act)
{
	return zoo_act(z, zoo_batch_norm(z, zoo_conv(z, x, c)), act);
}

/* The largest of a few neighbours: about twice the mean square. */
ZooTensor
zoo_max_pool(ZooNet *z, ZooTensor x, ZooWindow w)
{
	set_window(z, add_node(z, "MaxPool", x.name, &x), w, &x);
	x.square *= 2;
	return x;
}

/* A mean of what a Relu made: its mean's square is 1/pi of its mean square, or the whole of it
 * where neighbours are equal. */
ZooTensor
zoo_average_pool(ZooNet *z, ZooTensor x, ZooWindow w)
{
	set_window(z, add_node(z, "AveragePool", x.name, &x), w, &x);
	x.square *= 0.6;
	return x;
}

ZooTensor
zoo_global_pool(ZooNet *z, ZooTensor x)
{
	add_node(z, "GlobalAveragePool", x.name, &x);
	for (int i = 2; i < x.rank; i++)
		x.dim[i] = 1;
	x.square *= 0.6;
	return x;
}

ZooTensor
zoo_concat(ZooNet *z, ZooTensor x, ZooTensor y)
{
	ZooTensor t = x;

	onnx_write_int(&z->onnx, add_node(z, "Concat", text(z, x.name, y.name), &t), "axis", 1);
	t.dim[1] += y.dim[1];
	t.square = (x.square + y.square) / 2;
	return t;
}

ZooTensor
zoo_add(ZooNet *z, ZooTensor x, ZooTensor y)
{
	return zoo_binary(z, "Add", x, y, x.square + y.square);
}

ZooTensor
zoo_softmax(ZooNet *z, ZooTensor x)
{
	Onnx__NodeProto *n = add_node(z, "Softmax", x.name, &x);
	double mean = 1 / (double)x.dim[x.rank - 1];

	onnx_write_int(&z->onnx, n, "axis", -1);
	x.square = exp(1) * mean * mean; /* of exp of a normal variable, over its mean's square */
	return x;
}

ZooTensor
zoo_unary(ZooNet *z, const char *op, ZooTensor x, double square)
{
	add_node(z, op, x.name, &x);
	x.square = square;
	return x;
}

ZooTensor
zoo_binary(ZooNet *z, const char *op, ZooTensor x, ZooTensor y, double square)
{
	add_node(z, op, text(z, x.name, y.name), &x);
	x.square = square;
	return x;
}

ZooTensor
zoo_matmul(ZooNet *z, ZooTensor x, ZooTensor y, double square)
{
	ZooTensor t = zoo_binary(z, "MatMul", x, y, square);

	t.dim[t.rank - 1] = y.dim[y.rank - 1];
	return t;
}

ZooTensor
zoo_gemm(ZooNet *z, ZooTensor x, int out)
{
	int64_t dim[] = {out, x.dim[1]};
	const char *in = text(z, x.name, sum_weights(z, x, 2, dim, dim[1]));

	in = text(z, in, bias(z, out));
	onnx_write_int(&z->onnx, add_node(z, "Gemm", in, &x), "transB", 1);
	x.dim[1] = out;
	x.square = 1;
	return x;
}

ZooTensor
zoo_dense(ZooNet *z, ZooTensor x, int out)
{
	int64_t dim[] = {x.dim[x.rank - 1], out};
	ZooTensor w = tensor(sum_weights(z, x, 2, dim, dim[0]), 2, dim, 0);
	ZooTensor b = {.name = bias(z, out)};

	return zoo_binary(z, "Add", zoo_matmul(z, x, w, 1), b, 1);
}

ZooTensor
zoo_reshape(ZooNet *z, ZooTensor x, int rank, const int64_t *dim)
{
	const char *shape = arena_printf(z->onnx.arena, "shape_%d", z->made);
	int64_t n = rank;
	ZooTensor t = tensor(NULL, rank, dim, x.square);

	onnx_write_const(&z->onnx, shape, DT_I64, 1, &n,
			 arena_copy(z->onnx.arena, dim, (size_t)rank * sizeof *dim));
	add_node(z, "Reshape", text(z, x.name, shape), &t);
	return t;
}

ZooTensor
zoo_flatten(ZooNet *z, ZooTensor x)
{
	ZooTensor t = tensor(NULL, 2, x.dim, x.square);

	for (int i = 2; i < x.rank; i++)
		t.dim[1] *= x.dim[i];
	add_node(z, "Flatten", x.name, &t);
	return t;
}

ZooTensor
zoo_transpose(ZooNet *z, ZooTensor x, const int64_t *perm)
{
	ZooTensor t = x;

	onnx_write_ints(&z->onnx, add_node(z, "Transpose", x.name, &t), "perm", x.rank, perm);
	for (int i = 0; i < x.rank; i++)
		t.dim[i] = x.dim[perm[i]];
	return t;
}

ZooTensor
zoo_layer_norm(ZooNet *z, ZooTensor x)
{
	int64_t n = x.dim[x.rank - 1];
	const char *in = text(z, x.name, weights(z, "scale", 1, &n, 0.8, 1.2));
	Onnx__NodeProto *node;

	in = text(z, in, weights(z, "shift", 1, &n, -0.1, 0.1));
	node = add_node(z, "LayerNormalization", in, &x);
	onnx_write_int(&z->onnx, node, "axis", -1);
	onnx_write_float(&z->onnx, node, "epsilon", 1e-12F);
	x.square = 1;
	return x;
}
