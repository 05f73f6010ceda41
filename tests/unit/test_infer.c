/* Shape inference: a node whose written shape is the inferred one parses, any other does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"

static const char inputs[] = "graph g\n"
			     "in a f32[2,3]\n"
			     "in b f32[3]\n"
			     "in c bool[2,1]\n"
			     "in i i64[4]\n"
			     "in s f32[]\n"
			     "in t f32[0,3]\n"
			     "in x f32[1,4,9,7]\n"
			     "in w f32[6,2,3,3]\n"
			     "in wt f32[4,5,3,3]\n"
			     "in v4 f32[4]\n"
			     "in v6 f32[6]\n"
			     "in q u8[1,4,9,7]\n"
			     "in qw i8[6,2,3,3]\n"
			     "in qm i8[7,5]\n"
			     "in m f32[5,1,2,3]\n"
			     "in n f32[4,3,8]\n"
			     "in lx f32[7,2,5]\n"
			     "in lw f32[1,12,5]\n"
			     "in lr f32[1,12,3]\n";

#define WINDOW(k, s, p, d) "kernel=[" k "] strides=[" s "] pads=[" p "] dilations=[" d "]"
#define LSTM_REST          "clip=0 input_forget=0 layout=0"

/* "Op(inputs) attributes", the types and shapes of its outputs. */
static const char *const right[][2] = {
	{"Relu(a)", "f32[2,3]"},
	{"Neg(s)", "f32[]"},
	{"Cast(a) to=10", "i64[2,3]"},
	{"Clip(a, s, -)", "f32[2,3]"},
	{"Add(a, b)", "f32[2,3]"},
	{"Add(t, b)", "f32[0,3]"},
	{"Mul(s, x)", "f32[1,4,9,7]"},
	{"Less(a, b)", "bool[2,3]"},
	{"Pow(a, i)", NULL},
	{"Pow(x, s)", "f32[1,4,9,7]"},
	{"Where(c, a, b)", "f32[2,3]"},
	{"PRelu(a, b)", "f32[2,3]"},
	{"PRelu(b, a)", NULL},
	{"Add(a, i)", NULL},
	{"Add(a, v4)", NULL},
	/* floor((9 + 2 - 3) / 2) + 1 = 5, floor((7 + 1 - 5) / 1) + 1 = 4 */
	{"Conv(x, w, v6) " WINDOW("3,3", "2,1", "1,0,1,1", "1,2") " group=2", "f32[1,6,5,4]"},
	{"Conv(x, w, v4) " WINDOW("3,3", "2,1", "1,0,1,1", "1,2") " group=2", NULL},
	{"Conv(x, w) " WINDOW("3,3", "1,1", "0,0,0,0", "1,1") " group=1", NULL},
	{"Conv(x, w) " WINDOW("3,3", "1,1", "0,0,0,0", "5,1") " group=2", NULL},
	{"Conv(x, w) " WINDOW("3,3", "0,1", "0,0,0,0", "1,1") " group=2", NULL},
	{"ConvInteger(q, qw) " WINDOW("3,3", "2,1", "1,0,1,1", "1,2") " group=2 value=3",
	 "i32[1,6,5,4]"},
	{"ConvInteger(q, qw, v6) " WINDOW("3,3", "2,1", "1,0,1,1", "1,2") " group=2", NULL},
	{"ConvInteger(q, w) " WINDOW("3,3", "2,1", "1,0,1,1", "1,2") " group=2", NULL},
	{"ConvInteger(q, qw) " WINDOW("3,3", "1,1", "0,0,0,0", "1,1") " group=2 value=0.5", NULL},
	{"ConvInteger(q, qw) " WINDOW("3,3", "1,1", "0,0,0,0", "1,1") " group=2 value=1e30", NULL},
	{"MatMulInteger(q, qm)", "i32[1,4,9,5]"},
	{"MatMulInteger(q, q)", NULL},
	{"MatMul(q, qm)", NULL},
	/* (9 - 1) * 2 + 3 + 1 - 1 - 1 = 18, (7 - 1) * 3 + 3 = 21 */
	{"ConvTranspose(x, wt) " WINDOW("3,3", "2,3", "1,0,1,0",
					"1,1") " group=1 output_padding=[1,0]",
	 "f32[1,5,18,21]"},
	{"MaxPool(x) " WINDOW("2,2", "2,2", "0,0,0,0", "1,1"), "f32[1,4,4,3]"},
	{"MaxPool(x) " WINDOW("2,2", "2,2", "0,0,0,0", "1,1") " ceil_mode=1", "f32[1,4,5,4]"},
	/* the fourth window of the last axis would begin in the end padding */
	{"AveragePool(x) " WINDOW("2,1", "2,3", "0,0,0,0", "1,1") " ceil_mode=1", "f32[1,4,5,3]"},
	{"AveragePool(x) " WINDOW("3,3", "2,2", "0,1,0,2", "1,1") " ceil_mode=1", "f32[1,4,4,4]"},
	{"MaxPool(x) " WINDOW("2,2", "2,2", "2,0,0,0", "1,1"), NULL},
	{"Gemm(a, n)", NULL},
	{"MatMul(m, n)", "f32[5,4,2,8]"},
	{"MatMul(b, n)", "f32[4,8]"},
	{"MatMul(a, b)", "f32[2]"},
	{"MatMul(b, b)", "f32[]"},
	{"MatMul(a, a)", NULL},
	{"Gemm(a, a, s) transB=1", "f32[2,2]"},
	{"Gemm(a, a, b) transA=1", "f32[3,3]"},
	{"Gemm(a, a, b) transB=1", NULL},
	{"Softmax(a) axis=1", "f32[2,3]"},
	{"Softmax(a) axis=2", NULL},
	{"BatchNormalization(x, v4, v4, v4, v4)", "f32[1,4,9,7]"},
	{"BatchNormalization(x, v4, v4, v4, v6)", NULL},
	{"LayerNormalization(a, b, b) axis=1", "f32[2,3]"},
	{"ReduceSum(x) axes=[1,3] keepdims=1", "f32[1,1,9,1]"},
	{"ReduceSum(x) axes=[1,3]", "f32[1,9]"},
	{"ReduceSum(x) axes=[]", "f32[]"},
	{"ReduceSum(x) axes=[4]", NULL},
	{"ReduceMax(x) axes=[1,1]", NULL},
	{"ArgMax(x) axis=2", "i64[1,4,7]"},
	{"ArgMax(t) axis=0", NULL},
	{"Reshape(a)", "f32[6,1]"},
	{"Reshape(a)", "f32[3,2]"},
	{"Expand(b)", "f32[4,3]"},
	{"Tile(a)", "f32[4,9]"},
	{"Transpose(x) perm=[0,2,3,1]", "f32[1,9,7,4]"},
	{"Transpose(x) perm=[0,2,2,1]", NULL},
	{"Concat(a, a, t) axis=0", "f32[4,3]"},
	{"Concat(a, t) axis=1", NULL},
	{"Slice(a) starts=[1,2] steps=[1,-2]", "f32[1,2]"},
	{"Slice(a) starts=[0,0] steps=[1,1]", "f32[2,3]"},
	{"Gather(a, i) axis=1", "f32[2,4]"},
	{"Gather(a, b) axis=1", NULL},
	{"Pad(a) pads=[1,-1,0,3]", "f32[3,5]"},
	{"Pad(a) pads=[2,0,0,0] pad_mode=1", NULL},
	{"DepthToSpace(x) blocksize=2", "f32[1,1,18,14]"},
	{"SpaceToDepth(x) blocksize=3", NULL},
	{"Resize(a) scales=[2,1.5]", "f32[4,4]"},
	{"Resize(a) scales=[2,0]", NULL},
	{"Trilu(b)", NULL},
	{"LSTM(lx, lw, lr) hidden_size=3 direction=0 activations=[2,1,1] " LSTM_REST,
	 "f32[7,1,2,3], z f32[1,2,3], zz f32[1,2,3]"},
	{"LSTM(lx, lw, lr) hidden_size=3 direction=2 activations=[2,1,1,2,1,1] " LSTM_REST, NULL},
	{"QuantizeLinear(x, s, -)", "u8[1,4,9,7]"},
	{"QuantizeLinear(x, v4) axis=1", "u8[1,4,9,7]"},
	{"QuantizeLinear(x, v4) axis=2", NULL},
	{"DequantizeLinear(q, s)", "f32[1,4,9,7]"},
	{"Not(a)", NULL},
	{"Exp(i)", NULL},
	{"Relu(a) alpha=1", NULL},
	{"Relu(a, b)", NULL},
};

/* Shapes that cannot be: not the inferred one, or a given one that does not fit. */
static const char *const wrong[][2] = {
	{"Relu(a)", "f32[3,2]"},
	{"Relu(a)", "f64[2,3]"},
	{"Reshape(a)", "f32[7]"},
	{"Expand(b)", "f32[4,4]"},
	{"Expand(a)", "f32[3]"},
	{"Tile(a)", "f32[3,3]"},
	{"Tile(a)", "f32[2,3,1]"},
	{"Slice(a) starts=[1,0] steps=[1,1]", "f32[2,3]"},
	{"Slice(a) starts=[0,0] steps=[1,-1]", "f32[2,3]"},
	{"Slice(a) starts=[0,0] steps=[0,1]", "f32[1,3]"},
	{"Resize(a) scales=[2,1]", "f32[4,3,1]"},
	{"Expand(s)", "f32[65536,65536]"},
};

static int
parse_node(const char *call, const char *out, Err *e)
{
	Str text = {0};
	Graph *g;
	int rc;

	str_printf(&text, "%snode n y %s = %s\nout y\n", inputs, out, call);
	rc = graph_parse(text.s, &g, e);
	if (rc == OK)
		graph_free(g);
	str_fini(&text);
	return rc;
}

static void
shapes_are_inferred(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
		Err e = {0};
		int rc = parse_node(right[i][0], right[i][1] ? right[i][1] : "f32[2,3]", &e);

		if ((rc == OK) != (right[i][1] != NULL))
			fail_msg("%s: %s", right[i][0], e.msg);
		assert_true(rc == OK || e.msg[0]);
	}
}

static void
other_shapes_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		Err e = {0};

		if (parse_node(wrong[i][0], wrong[i][1], &e) == OK)
			fail_msg("%s = %s was taken", wrong[i][1], wrong[i][0]);
		assert_true(e.msg[0]);
	}
}

/* Extents and attributes at their limits: an answer, and no overflow. */
static void
limits_do_not_overflow(void **state)
{
	static const char *const call[] = {
		"ConvTranspose(x, wt) " WINDOW(
			"3,3", "2147483646,2147483646", "0,0,0,0",
			"2147483646,2147483646") " group=1 "
						 "output_padding=[2147483646,0]",
		"MaxPool(x) " WINDOW("2147483646,2", "2,2", "0,0,0,0", "2147483646,1"),
		"Pad(a) pads=[2147483646,2147483646,2147483646,2147483646]",
		"Pad(a) pads=[2147483647,0,0,0]",
		"Slice(a) starts=[2147483646,0] steps=[-2147483646,1]",
		"DepthToSpace(x) blocksize=2147483646",
	};

	(void)state;
	for (size_t i = 0; i < sizeof call / sizeof *call; i++) {
		Err e = {0};

		assert_int_equal(parse_node(call[i], "f32[2,3]", &e), ERR_INPUT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes_are_inferred),
		cmocka_unit_test(other_shapes_are_refused),
		cmocka_unit_test(limits_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
