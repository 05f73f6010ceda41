/* Integer products and their requantised forms, from the model to compiled code, against loops in
 * 64-bit integers: every element is exact. Weights at compile and at run time, zero points of all
 * kinds, groups, pads. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "deploy/compile.h"
#include "deploy/execute.h"
#include "import_case.h"

enum { CHANNELS = 8, OUTPUTS = 12, ROWS = 7, COLUMNS = 6, PER_CHANNEL = 1000, NONE = 1001 };

typedef struct Case {
	const char *op;
	DType x, w;
	int x_zero, w_zero; /* PER_CHANNEL: different ones, of x by row; NONE: no such input */
	int kernel, pad, stride, groups; /* of a convolution; 0: a product of matrices */
	bool weights_given, zero_given;  /* at run time */
	int externs;
} Case;

/* The numbers of a case; products of matrices are [ROWS, 24] x [24, OUTPUTS]. */
typedef struct Numbers {
	int x[CHANNELS * ROWS * COLUMNS], w[OUTPUTS * CHANNELS * 9], bias[OUTPUTS];
	int x_zero[ROWS], w_zero[OUTPUTS];
	int nx, nw, nxz, nwz;
	float x_scale, w_scale[OUTPUTS], y_scale;
	int y_zero;
} Numbers;

enum { DEPTH = 24 };

static int
byte(Rng *r, DType type)
{
	return (int)rng_below(r, 256) - (type == DT_I8 ? 128 : 0);
}

static void
draw(const Case *c, Numbers *v)
{
	bool conv = c->kernel > 0;
	Rng r;

	rng_init(&r, (uint64_t)c->x_zero + 3);
	v->nx = conv ? CHANNELS * ROWS * COLUMNS : ROWS * DEPTH;
	v->nw = conv ? OUTPUTS * CHANNELS / c->groups * c->kernel * c->kernel : DEPTH * OUTPUTS;
	v->nxz = c->x_zero == NONE ? 0 : c->x_zero == PER_CHANNEL ? ROWS : 1;
	v->nwz = c->w_zero == NONE ? 0 : c->w_zero == PER_CHANNEL ? OUTPUTS : 1;
	for (int i = 0; i < v->nx; i++)
		v->x[i] = byte(&r, c->x);
	for (int i = 0; i < v->nw; i++)
		v->w[i] = byte(&r, c->w);
	for (int i = 0; i < ROWS; i++)
		v->x_zero[i] = !v->nxz ? 0 : v->nxz > 1 ? byte(&r, c->x) : c->x_zero;
	for (int i = 0; i < OUTPUTS; i++) {
		v->bias[i] = (int)rng_below(&r, 20000) - 10000;
		v->w_zero[i] = !v->nwz ? 0 : v->nwz > 1 ? byte(&r, c->w) : c->w_zero;
		v->w_scale[i] = 0.01f + 0.003f * (float)i;
	}
	v->x_scale = 0.05f;
	v->y_scale = 1.7f;
	v->y_zero = c->x == DT_I8 ? -3 : 131;
}

static int64_t
conv_at(const Case *c, const Numbers *v, int k, int p, int q)
{
	int each = CHANNELS / c->groups, from = k / (OUTPUTS / c->groups) * each;
	int64_t sum = 0;

	for (int d = 0; d < each; d++)
		for (int i = 0; i < c->kernel; i++)
			for (int j = 0; j < c->kernel; j++) {
				int y = p * c->stride + i - c->pad, x = q * c->stride + j - c->pad;

				if (y < 0 || y >= ROWS || x < 0 || x >= COLUMNS)
					continue;
				sum += (int64_t)(v->x[((from + d) * ROWS + y) * COLUMNS + x] -
						 v->x_zero[0]) *
				       (v->w[((k * each + d) * c->kernel + i) * c->kernel + j] -
					v->w_zero[k]);
			}
	return sum;
}

static int64_t
product_at(const Numbers *v, int m, int n)
{
	int64_t sum = 0;

	for (int k = 0; k < DEPTH; k++)
		sum += (int64_t)(v->x[m * DEPTH + k] - v->x_zero[v->nxz > 1 ? m : 0]) *
		       (v->w[k * OUTPUTS + n] - v->w_zero[n]);
	return sum;
}

/* The sum as the operator gives it: itself, or scaled, rounded half to even, moved and cut. */
static int64_t
result(const Case *c, const Numbers *v, int64_t sum, int channel)
{
	bool each = c->w_zero == PER_CHANNEL;
	float scale = v->x_scale * v->w_scale[each ? channel : 0] / v->y_scale;
	float y;

	if (c->op[0] != 'Q')
		return sum;
	y = rintf((float)sum * scale) + (float)v->y_zero;
	y = fminf(fmaxf(y, c->x == DT_I8 ? -128 : 0), c->x == DT_I8 ? 127 : 255);
	return (int64_t)y;
}

static void
add(Fixture *f, const char *name, DType type, const char *dims, const int *from, int n, bool given)
{
	void *data = arena_alloc64(f->make.arena, (size_t)n * 4);

	for (int i = 0; i < n; i++)
		dtype_put(type, data, (size_t)i, from[i]);
	if (given)
		onnx_make_input(&f->make, name, type, dims);
	else
		onnx_make_const(&f->make, name, type, dims, data);
}

static void
make_model(const Case *c, const Numbers *v, Fixture *f)
{
	bool conv = c->kernel > 0, linear = c->op[0] == 'Q';
	char dims[64], in[64];
	Onnx__NodeProto *n;

	start(f, 13);
	snprintf(dims, sizeof dims, conv ? "1,%d,%d,%d" : "%d,%d", conv ? CHANNELS : ROWS,
		 conv ? ROWS : DEPTH, COLUMNS);
	add(f, "x", c->x, dims, v->x, v->nx, true);
	snprintf(dims, sizeof dims, conv ? "%d,%d,%d,%d" : "%d,%d", conv ? OUTPUTS : DEPTH,
		 conv ? CHANNELS / c->groups : OUTPUTS, c->kernel, c->kernel);
	add(f, "w", c->w, dims, v->w, v->nw, c->weights_given);
	snprintf(dims, sizeof dims, "%d", OUTPUTS);
	add(f, "wz", c->w, v->nwz > 1 ? dims : "", v->w_zero, v->nwz > 1 ? OUTPUTS : 1, false);
	add(f, "bias", DT_I32, dims, v->bias, OUTPUTS, false);
	onnx_make_const(&f->make, "ws", DT_F32, v->nwz > 1 ? dims : "", v->w_scale);
	snprintf(dims, sizeof dims, "%d", ROWS);
	add(f, "xz", c->x, v->nxz > 1 ? dims : "", v->x_zero, v->nxz > 1 ? ROWS : 1, c->zero_given);
	add(f, "yz", c->x, "", &v->y_zero, 1, false);
	onnx_make_const(&f->make, "xs", DT_F32, "", &v->x_scale);
	onnx_make_const(&f->make, "ys", DT_F32, "", &v->y_scale);
	snprintf(in, sizeof in, linear ? "x xs xz w ws wz ys yz%s%s%s" : "x w%s%s%s",
		 !linear && v->nxz + v->nwz ? (v->nxz ? " xz" : " -") : "",
		 !linear && v->nwz ? " wz" : "", linear && conv ? " bias" : "");
	n = onnx_make_node(&f->make, c->op, in, "y");
	onnx_make_output(&f->make, "y");
	if (!conv)
		return;
	onnx_write_int(&f->make, n, "group", c->groups);
	onnx_write_ints(&f->make, n, "pads", 4, (int64_t[]){c->pad, c->pad, c->pad, c->pad});
	onnx_write_ints(&f->make, n, "strides", 2, (int64_t[]){c->stride, c->stride});
}

static void
expect_exact(const Case *c, const Numbers *v, const Value *y, const void *got, const char *way)
{
	int64_t spatial = c->kernel ? y->dim[2] * y->dim[3] : 1, across = c->kernel ? y->dim[3] : 1;

	for (int64_t i = 0; i < value_count(y); i++) {
		int channel = (int)(c->kernel ? i / spatial : i % OUTPUTS);
		int64_t sum = c->kernel ? conv_at(c, v, channel, (int)(i % spatial / across),
						  (int)(i % across))
					: product_at(v, (int)(i / OUTPUTS), channel);
		int64_t want;

		sum += c->op[0] == 'Q' && c->kernel ? v->bias[channel] : 0;
		want = result(c, v, sum, channel);
		if (dtype_get(y->type, got, (size_t)i) != (double)want)
			fail_msg("%s of %s and %s, %s: [%d] is %g, wanted %d", c->op,
				 dtype_name(c->x), dtype_name(c->w), way, (int)i,
				 dtype_get(y->type, got, (size_t)i), (int)want);
	}
}

/* What the graph's inputs hold, by name. */
static const void *
contents(const Case *c, const Numbers *v, const Value *x, Arena *a)
{
	const int *from = x->name[0] == 'w' ? v->w : x->name[1] == 'z' ? v->x_zero : v->x;
	void *data = arena_alloc64(a, value_bytes(x));

	(void)c;
	for (int64_t i = 0; i < value_count(x); i++)
		dtype_put(x->type, data, (size_t)i, from[i]);
	return data;
}

static void
check(const Case *c, const Numbers *v, Fixture *f, bool scalar)
{
	CompileOptions opt = {.scalar = scalar, .name = "quantised"};
	const Graph *g = f->g;
	Arena *a = arena_new();
	const Value *y = &g->value.v[g->output.v[0]];
	const void **in = ARENA_ARRAY(a, const void *, g->input.n + 1);
	void **all = ARENA_ARRAY(a, void *, g->value.n + 1), *out[1];
	Executable *x;
	Bundle b;
	int externs = 0;

	for (int i = 0; i < g->input.n; i++)
		in[i] = contents(c, v, &g->value.v[g->input.v[i]], a);
	if (graph_run(g, a, in, all, &f->e) || compile(g, a, &opt, &b, &f->e) ||
	    executable_open(&b, &x, &f->e))
		fail_msg("%s", f->e.msg);
	expect_exact(c, v, y, all[g->output.v[0]], "reference kernels");
	out[0] = arena_alloc64(a, b.output[0].bytes);
	if (executable_run(x, in, out, &f->e))
		fail_msg("%s", f->e.msg);
	expect_exact(c, v, y, out[0], scalar ? "scalar" : "compiled");
	for (int i = 0; i < b.nkernel; i++)
		externs += !strcmp(b.kernel[i].algorithm, "extern");
	assert_int_equal(externs, c->externs);
	executable_close(x);
	arena_free(a);
}

static const Case cases[] = {
	{"ConvInteger", DT_U8, DT_I8, 117, NONE, 3, 1, 1, 1, false, false, 0},
	{"ConvInteger", DT_I8, DT_I8, -9, 0, 3, 1, 2, 2, false, false, 0},
	{"ConvInteger", DT_U8, DT_U8, 3, 128, 1, 0, 1, 1, false, false, 0}, /* fits i8 */
	{"ConvInteger", DT_U8, DT_U8, 255, 7, 3, 1, 1, 1, false, false, 0}, /* does not */
	{"ConvInteger", DT_U8, DT_I8, NONE, PER_CHANNEL, 3, 2, 1, 1, false, false, 0},
	{"ConvInteger", DT_U8, DT_I8, 40, 5, 3, 1, 1, 1, true, false, 0},
	{"ConvInteger", DT_U8, DT_I8, 40, 0, 3, 1, 1, 1, false, true, 0},
	{"MatMulInteger", DT_U8, DT_I8, NONE, NONE, 0, 0, 0, 0, false, false, 0},
	{"MatMulInteger", DT_I8, DT_I8, -100, 0, 0, 0, 0, 0, false, false, 0},
	{"MatMulInteger", DT_U8, DT_I8, 77, 0, 0, 0, 0, 0, false, true, 0},
	{"MatMulInteger", DT_U8, DT_U8, 12, PER_CHANNEL, 0, 0, 0, 0, false, false, 0},
	{"MatMulInteger", DT_U8, DT_I8, PER_CHANNEL, 0, 0, 0, 0, 0, false, false, 0},
	{"MatMulInteger", DT_I8, DT_U8, 3, 9, 0, 0, 0, 0, true, false, 0},
	{"MatMulInteger", DT_I8, DT_U8, NONE, NONE, 0, 0, 0, 0, true, false, 0},
	{"QLinearConv", DT_U8, DT_I8, 117, 0, 3, 1, 1, 1, false, false, 0},
	{"QLinearConv", DT_I8, DT_I8, -9, PER_CHANNEL, 3, 1, 2, 4, false, false, 0},
	{"QLinearConv", DT_U8, DT_U8, 0, 128, 1, 0, 1, 1, false, false, 0},
	{"QLinearMatMul", DT_U8, DT_I8, 200, 0, 0, 0, 0, 0, false, false, 0},
	{"QLinearMatMul", DT_I8, DT_I8, 1, PER_CHANNEL, 0, 0, 0, 0, true, false, 0},
};

static void
every_element_is_exact(void **state)
{
	bool quick = getenv("HONE_TEST_QUICK") != NULL;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const Case *c = &cases[i];
		Numbers v;
		Fixture f;

		print_message("case %zu: %s of %s and %s\n", i, c->op, dtype_name(c->x),
			      dtype_name(c->w));
		draw(c, &v);
		make_model(c, &v, &f);
		if (import(&f))
			fail_msg("%s", f.e.msg);
		if (!quick || i % 2)
			check(c, &v, &f, true);
		if (!quick || i % 2 == 0)
			check(c, &v, &f, false);
		stop(&f);
	}
}

/* Zero points that leave bytes leave the graph, but for one node that is added once. */
static void
zero_points_leave_the_product(void **state)
{
	static const struct {
		int at;
		const char *nodes;
	} list[] = {
		{0, "ConvInteger(x, w, \"n_y#4\") kernel=[3,3] strides=[1,1] pads=[1,1,1,1] "
		    "dilations=[1,1] group=1 value=117"},
		{7, "MatMulInteger(x, w)"},
		{13, "MatMulInteger(x, w)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		Numbers v;
		Fixture f;

		draw(&cases[list[i].at], &v);
		make_model(&cases[list[i].at], &v, &f);
		expect_nodes(&f, list[i].nodes);
		stop(&f);
	}
}

static void
errors_name_the_input(void **state)
{
	const float scale = 1;
	const uint8_t few[] = {1, 2, 3};
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "2,3");
	onnx_make_const(&f.make, "w", DT_U8, "3,1", few);
	onnx_make_node(&f.make, "MatMulInteger", "x w", "y");
	onnx_make_output(&f.make, "y");
	expect_error(&f, ERR_INPUT, "'x' is f32, expected i8 or u8");
	stop(&f);

	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_U8, "2,3");
	onnx_make_const(&f.make, "w", DT_U8, "3,1", few);
	onnx_make_const(&f.make, "z", DT_U8, "3", few);
	onnx_make_node(&f.make, "MatMulInteger", "x w z", "y");
	onnx_make_output(&f.make, "y");
	expect_error(&f, ERR_INPUT, "'z' has 3 elements, expected 1 or 2");
	stop(&f);

	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_U8, "2,3");
	onnx_make_const(&f.make, "w", DT_U8, "3,1", few);
	onnx_make_const(&f.make, "z", DT_I8, "", few);
	onnx_make_node(&f.make, "MatMulInteger", "x w - z", "y");
	onnx_make_output(&f.make, "y");
	expect_error(&f, ERR_INPUT, "'z' is i8, expected u8");
	stop(&f);

	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_U8, "2,3");
	onnx_make_const(&f.make, "w", DT_U8, "3,1", few);
	onnx_make_const(&f.make, "s", DT_F32, "", &scale);
	onnx_make_node(&f.make, "QLinearMatMul", "x s - w s - s -", "y");
	onnx_make_output(&f.make, "y");
	expect_error(&f, ERR_INPUT, "input 2 is missing");
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_element_is_exact),
		cmocka_unit_test(zero_points_leave_the_product),
		cmocka_unit_test(errors_name_the_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
