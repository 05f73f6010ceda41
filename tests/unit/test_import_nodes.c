/* Import: what the nodes of a model become in the graph. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "import_case.h"

/* Reshape to a shape computed by Shape, Gather, Mul, Concat: folds away. */
static void
shape_arithmetic_folds(void **state)
{
	const int64_t zero = 0, one = 1, minus = -1;
	Onnx__NodeProto *n;
	Fixture f;

	(void)state;
	start(&f, 11);
	onnx_make_input(&f.make, "x", DT_F32, "2,3,4");
	onnx_make_const(&f.make, "zero", DT_I64, "1", &zero);
	onnx_make_const(&f.make, "one", DT_I64, "1", &one);
	onnx_make_const(&f.make, "minus", DT_I64, "1", &minus);
	onnx_make_node(&f.make, "Shape", "x", "shape");
	onnx_make_node(&f.make, "Gather", "shape zero", "d0");
	onnx_make_node(&f.make, "Gather", "shape one", "d1");
	onnx_make_node(&f.make, "Mul", "d0 d1", "d");
	n = onnx_make_node(&f.make, "Concat", "d minus", "new");
	onnx_write_int(&f.make, n, "axis", 0);
	onnx_make_node(&f.make, "Reshape", "x new", "y");
	onnx_make_output(&f.make, "y");
	expect_nodes(&f, "Reshape(x)");
	assert_non_null(strstr(f.text.s, "node n_y y f32[6,4]"));
	assert_int_equal(f.g->value.n, 2);
	stop(&f);
}

/* Outputs that are an input, a constant, and the same value twice: each from a node of its own. */
static void
outputs_have_nodes_of_their_own(void **state)
{
	const float want[] = {1, 2}, x[] = {1, 2};
	static const char *const name[] = {"same", "copy", "fixed", "twice", "x2"};
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "2");
	onnx_make_const(&f.make, "fixed", DT_F32, "2", ramp);
	onnx_make_node(&f.make, "Abs", "x", "same");
	onnx_make_node(&f.make, "Identity", "same", "copy");
	onnx_make_node(&f.make, "Identity", "same", "twice");
	onnx_make_node(&f.make, "Dropout", "x", "x2");
	for (int i = 0; i < 5; i++)
		onnx_make_output(&f.make, name[i]);
	assert_int_equal(import(&f), OK);
	assert_int_equal(f.g->output.n, 5);
	for (int i = 0; i < 5; i++) {
		assert_string_equal(f.g->value.v[f.g->output.v[i]].name, name[i]);
		expect_floats(&f, x, i, 2, want);
	}
	onnx_make_output(&f.make, "copy");
	expect_error(&f, ERR_INPUT, "output 'copy' is listed twice");
	stop(&f);
}

/* Conv, batch normalisation, a per-channel Mul and an Add: one Conv, with the numbers of all four.
 * The reference is what the definition of each says, worked out for one pixel. */
static void
batchnorm_folds_into_conv(void **state)
{
	const float w[] = {2, -3}, b[] = {0.5f, 1}, scale[] = {1.5f, 2}, bias[] = {0.25f, -1};
	const float mean[] = {0.1f, -0.2f}, var[] = {4, 0.25f}, mul[] = {3, 5}, add = 7, x = 1.25f;
	Onnx__NodeProto *n;
	float want[2];
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "1,1,1,1");
	onnx_make_const(&f.make, "w", DT_F32, "2,1,1,1", w);
	onnx_make_const(&f.make, "b", DT_F32, "2", b);
	onnx_make_const(&f.make, "scale", DT_F32, "2", scale);
	onnx_make_const(&f.make, "bias", DT_F32, "2", bias);
	onnx_make_const(&f.make, "mean", DT_F32, "2", mean);
	onnx_make_const(&f.make, "var", DT_F32, "2", var);
	onnx_make_const(&f.make, "mul", DT_F32, "2,1,1", mul);
	onnx_make_const(&f.make, "add", DT_F32, "", &add);
	onnx_make_node(&f.make, "Conv", "x w b", "c");
	n = onnx_make_node(&f.make, "BatchNormalization", "c scale bias mean var", "n");
	onnx_write_float(&f.make, n, "epsilon", 0);
	onnx_make_node(&f.make, "Mul", "mul n", "m");
	onnx_make_node(&f.make, "Add", "m add", "y");
	onnx_make_output(&f.make, "y");
	assert_int_equal(import(&f), OK);
	assert_int_equal(f.g->node.n, 1);
	assert_int_equal(f.g->node.v[0].op, OP_Conv);
	for (int i = 0; i < 2; i++)
		want[i] = ((w[i] * x + b[i] - mean[i]) / sqrtf(var[i]) * scale[i] + bias[i]) *
				  mul[i] +
			  add;
	expect_floats(&f, &x, 0, 2, want);

	onnx_make_output(&f.make, "c"); /* somebody else reads the convolution: nothing may fold */
	assert_int_equal(import(&f), OK);
	assert_int_equal(f.g->node.n, 3);
	assert_int_equal(f.g->node.v[1].op, OP_Mul);
	assert_int_equal(f.g->node.v[2].op, OP_Add);
	expect_floats(&f, &x, 0, 2, want);
	stop(&f);
}

/* The same for two groups of a transposed convolution, and for Gemm in its four forms. */
static void
scaling_follows_the_layout_of_weights(void **state)
{
	const float x[] = {1, 2}, w[] = {1, 2, 3, 4}, mul[] = {1, 10, 100, 1000};
	const float want[] = {1, 20, 2 * 300, 2 * 4000};
	const float c[] = {5, 6}, mul2[] = {10, 100};
	Onnx__NodeProto *n;
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "1,2,1");
	onnx_make_const(&f.make, "w", DT_F32, "2,2,1", w);
	onnx_make_const(&f.make, "mul", DT_F32, "4,1", mul);
	n = onnx_make_node(&f.make, "ConvTranspose", "x w", "c");
	onnx_write_int(&f.make, n, "group", 2);
	onnx_make_node(&f.make, "Mul", "c mul", "y");
	onnx_make_output(&f.make, "y");
	assert_int_equal(import(&f), OK);
	assert_int_equal(f.g->node.n, 1);
	expect_floats(&f, x, 0, 4, want);
	stop(&f);

	for (int transposed = 0; transposed < 2; transposed++)
		for (int with_c = 0; with_c < 2; with_c++) {
			/* rows of w as columns when transposed: x * w or x * w' */
			float sum[2] = {transposed ? 1 * 1 + 2 * 2 : 1 * 1 + 2 * 3,
					transposed ? 1 * 3 + 2 * 4 : 1 * 2 + 2 * 4};

			start(&f, 13);
			onnx_make_input(&f.make, "x", DT_F32, "1,2");
			onnx_make_const(&f.make, "w", DT_F32, "2,2", w);
			onnx_make_const(&f.make, "c", DT_F32, "2", c);
			onnx_make_const(&f.make, "mul", DT_F32, "1,2", mul2);
			n = onnx_make_node(&f.make, "Gemm", with_c ? "x w c" : "x w", "p");
			onnx_write_int(&f.make, n, "transB", transposed);
			onnx_write_float(&f.make, n, "alpha", 0.5f);
			onnx_write_float(&f.make, n, "beta", 2);
			onnx_make_node(&f.make, "Mul", "p mul", "y");
			onnx_make_output(&f.make, "y");
			assert_int_equal(import(&f), OK);
			assert_int_equal(f.g->node.n, 1);
			for (int i = 0; i < 2; i++)
				sum[i] = (0.5f * sum[i] + (with_c ? 2 * c[i] : 0)) * mul2[i];
			expect_floats(&f, x, 0, 2, sum);
			stop(&f);
		}
}

static void
equal_constants_become_one(void **state)
{
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "2");
	onnx_make_const(&f.make, "a", DT_F32, "2", ramp);
	onnx_make_const(&f.make, "b", DT_F32, "2", ramp);
	onnx_make_const(&f.make, "c", DT_F32, "1,2", ramp);   /* another shape */
	onnx_make_const(&f.make, "d", DT_F32, "2", ramp + 1); /* other contents */
	onnx_make_node(&f.make, "Add", "x a", "xa");
	onnx_make_node(&f.make, "Mul", "xa b", "xb");
	onnx_make_node(&f.make, "Add", "xb c", "xc");
	onnx_make_node(&f.make, "Add", "xc d", "y");
	onnx_make_output(&f.make, "y");
	expect_nodes(&f, "Add(x, a) | Mul(xa, a) | Add(xb, c) | Add(xc, d)");
	stop(&f);
}

/* One node, its attributes as text, and what it becomes; x is f32[1,2,3,4]. */
static void
add_attr(Fixture *f, Onnx__NodeProto *n, const char *attr)
{
	char name[32], text[32];
	int64_t v[8];
	int count = 0, used = 0;

	while (sscanf(attr, " %31[a-z_A-Z]=%n", name, &used) == 1) {
		attr += used;
		if (*attr != '[') {
			sscanf(attr, "%31s%n", text, &used);
			attr += used;
			if (strchr("-0123456789", *text) && strchr(text, '.'))
				onnx_write_float(&f->make, n, name, strtof(text, NULL));
			else if (strchr("-0123456789", *text))
				onnx_write_int(&f->make, n, name, atoll(text));
			else
				onnx_write_string(&f->make, n, name, text);
			continue;
		}
		for (count = 0; *attr++ != ']'; count++)
			v[count] = strtoll(attr, (char **)&attr, 10);
		onnx_write_ints(&f->make, n, name, count, v);
	}
}

static void
operators_become_normal(void **state)
{
	static const struct {
		int opset;
		const char *op, *in, *out, *attr, *want;
	} list[] = {
		{6, "Add", "x v2", "y", "broadcast=1 axis=1", "Add(x, \"n_y#1\")"},
		{6, "Clip", "x", "y", "min=0. max=6.", "Clip(x, \"n_y#1\", \"n_y#2\")"},
		{6, "Clip", "x", "y", "max=6.", "Clip(x, -, \"n_y#1\")"},
		{13, "Clip", "x - s", "y", "", "Clip(x, -, s)"},
		{13, "Elu", "x", "y", "", "Elu(x) alpha=1"},
		{13, "Sum", "x x x", "y", "", "Add(x, x) | Add(\"n_y#1\", x)"},
		{13, "Mean", "x x", "y", "", "Add(x, x) | Div(\"n_y#1\", \"n_y#2\")"},
		{13, "Softmax", "x", "y", "", "Softmax(x) axis=3"},
		{11, "Softmax", "x", "y", "",
		 "Reshape(x) | Softmax(\"n_y#1\") axis=1 | Reshape(\"n_y#2\")"},
		{11, "Softmax", "x", "y", "axis=-1", "Softmax(x) axis=3"},
		{13, "MaxPool", "x", "y", "kernel_shape=[2,3] strides=[2,2] auto_pad=SAME_UPPER",
		 "MaxPool(x) kernel=[2,3] strides=[2,2] pads=[0,0,1,1] dilations=[1,1] ceil_mode=0 "
		 "storage_order=0"},
		{13, "AveragePool", "x", "y", "kernel_shape=[2,3] auto_pad=SAME_LOWER",
		 "AveragePool(x) kernel=[2,3] strides=[1,1] pads=[1,1,0,1] dilations=[1,1] "
		 "ceil_mode=0 count_include_pad=0"},
		{13, "GlobalAveragePool", "x", "y", "", "ReduceMean(x) axes=[2,3] keepdims=1"},
		{13, "ConvTranspose", "x w", "y", "strides=[2,2] output_shape=[5,8]",
		 "ConvTranspose(x, w) kernel=[2,2] strides=[2,2] pads=[1,0,0,0] dilations=[1,1] "
		 "group=1 output_padding=[0,0]"},
		{13, "ConvTranspose", "x w", "y", "strides=[2,2] output_shape=[6,9]",
		 "ConvTranspose(x, w) kernel=[2,2] strides=[2,2] pads=[0,0,0,0] dilations=[1,1] "
		 "group=1 output_padding=[0,1]"},
		{11, "ReduceSum", "x", "y", "axes=[-1,1] keepdims=0",
		 "ReduceSum(x) axes=[1,3] keepdims=0"},
		{13, "ReduceSum", "x axes", "y", "", "ReduceSum(x) axes=[1,2] keepdims=1"},
		{13, "ReduceMean", "x", "y", "", "ReduceMean(x) axes=[0,1,2,3] keepdims=1"},
		{18, "ReduceMean", "x axes", "y", "", "ReduceMean(x) axes=[1,2] keepdims=1"},
		{18, "ReduceMax", "x", "y", "noop_with_empty_axes=1", "Reshape(x)"},
		{11, "Squeeze", "x", "y", "axes=[0]", "Reshape(x)"},
		{13, "Flatten", "x", "y", "axis=2", "Reshape(x)"},
		{13, "Transpose", "x", "y", "", "Transpose(x) perm=[3,2,1,0]"},
		{9, "Slice", "x", "y", "starts=[1,-9] ends=[99,-1] axes=[-1,2]",
		 "Slice(x) starts=[0,0,0,1] steps=[1,1,1,1]"},
		{13, "Slice", "x last first minus minus", "y", "",
		 "Slice(x) starts=[0,0,0,3] steps=[1,1,1,-1]"},
		{11, "Split", "x", "a y", "axis=3 split=[1,3]",
		 "Slice(x) starts=[0,0,0,1] steps=[1,1,1,1]"},
		{18, "Split", "x", "a b y", "axis=3 num_outputs=3", NULL}, /* parts of 2, 2 and 0 */
		{18, "Split", "x", "a y", "axis=2 num_outputs=2",
		 "Slice(x) starts=[0,0,2,0] steps=[1,1,1,1]"},
		{10, "Pad", "x", "y", "pads=[0,0,1,2,0,0,3,4] value=0.5",
		 "Pad(x) pads=[0,0,1,2,0,0,3,4] pad_mode=0 value=0.5"},
		{18, "Pad", "x pads s axes", "y", "mode=edge",
		 "Pad(x) pads=[0,1,2,0,0,1,2,0] pad_mode=2 value=0"},
		{8, "Upsample", "x", "y", "mode=linear", NULL}, /* scales are missing */
		{10, "Resize", "x scales", "y", "",
		 "Resize(x) resize_mode=0 transform=3 nearest=2 scales=[1,1,2,1.5] roi=[] "
		 "cubic_a=-0.75 exclude_outside=0 extrapolation=0 antialias=0"},
		{18, "Resize", "x - - sizes", "y",
		 "axes=[2,3] keep_aspect_ratio_policy=not_larger mode=linear",
		 "Resize(x) resize_mode=1 transform=0 nearest=0 scales=[1,1,2,2] roi=[] "
		 "cubic_a=-0.75 exclude_outside=0 extrapolation=0 antialias=0"},
		{13, "DepthToSpace", "x", "y", "blocksize=1 mode=CRD",
		 "DepthToSpace(x) blocksize=1 crd=1"},
		{13, "QuantizeLinear", "x v2", "y", "", "QuantizeLinear(x, v2, -) axis=1"},
		{13, "OneHot", "axes s pair", "y", "axis=0", "Reshape(\"y#1\")"},
	};
	const int64_t axes[] = {1, 2}, pads[] = {1, 2, 1, 2}, first = -99, last = 99, minus = -1,
		      sizes[] = {6, 16};
	const float scales[] = {1, 1, 2, 1.5f}, s = 4;

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		Fixture f;

		start(&f, list[i].opset);
		onnx_make_input(&f.make, "x", DT_F32, "1,2,3,4");
		onnx_make_const(&f.make, "v2", DT_F32, "2", ramp);
		onnx_make_const(&f.make, "pair", DT_F32, "2", ramp);
		onnx_make_const(&f.make, "w", DT_F32, "2,1,2,2", ramp);
		onnx_make_const(&f.make, "s", DT_F32, "", &s);
		onnx_make_const(&f.make, "axes", DT_I64, "2", axes);
		onnx_make_const(&f.make, "pads", DT_I64, "4", pads);
		onnx_make_const(&f.make, "sizes", DT_I64, "2", sizes);
		onnx_make_const(&f.make, "scales", DT_F32, "4", scales);
		onnx_make_const(&f.make, "first", DT_I64, "1", &first);
		onnx_make_const(&f.make, "last", DT_I64, "1", &last);
		onnx_make_const(&f.make, "minus", DT_I64, "1", &minus);
		add_attr(&f, onnx_make_node(&f.make, list[i].op, list[i].in, list[i].out),
			 list[i].attr);
		onnx_make_output(&f.make, "y");
		if (list[i].want)
			expect_nodes(&f, list[i].want);
		else if (import(&f) != ERR_INPUT)
			fail_msg("%s, opset %d: was taken", list[i].op, list[i].opset);
		stop(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shape_arithmetic_folds),
		cmocka_unit_test(outputs_have_nodes_of_their_own),
		cmocka_unit_test(batchnorm_folds_into_conv),
		cmocka_unit_test(scaling_follows_the_layout_of_weights),
		cmocka_unit_test(equal_constants_become_one),
		cmocka_unit_test(operators_become_normal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
