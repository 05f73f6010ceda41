/* Import: ONNX models made in memory to graphs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "graph/import.h"
#include "onnx_make.h"

/* A model in the making, and what its import gave. */
typedef struct Fixture {
	OnnxMake make;
	ImportOptions opt;
	ImportReport rep;
	Graph *g;
	Err e;
	Str text;
} Fixture;

static void
start(Fixture *f, int opset)
{
	*f = (Fixture){0};
	onnx_make_init(&f->make, opset);
	import_report_init(&f->rep);
}

static int
import(Fixture *f)
{
	size_t size;
	const void *bytes = onnx_make_pack(&f->make, &size);
	int rc;

	import_report_fini(&f->rep);
	import_report_init(&f->rep);
	graph_free(f->g);
	str_clear(&f->text);
	f->e = (Err){0};
	rc = graph_import_memory(bytes, size, NULL, &f->opt, &f->g, &f->rep, &f->e);
	if (rc == OK)
		graph_print(f->g, &f->text);
	return rc;
}

static void
stop(Fixture *f)
{
	graph_free(f->g);
	import_report_fini(&f->rep);
	onnx_make_fini(&f->make);
	str_fini(&f->text);
}

/* The nodes of the imported graph, without names: "Conv(x, w, -) group=1 | Relu(...)". */
static void
expect_nodes(Fixture *f, const char *want)
{
	Str got = {0};

	if (import(f))
		fail_msg("%s", f->e.msg);
	for (const char *p = strstr(f->text.s, "\nnode "); p; p = strstr(p + 1, "\nnode ")) {
		const char *call = strstr(p, " = ") + 3;

		str_add(&got, got.n ? " | " : "");
		str_addn(&got, call, strcspn(call, "\n"));
	}
	assert_string_equal(str_get(&got), want);
	str_fini(&got);
}

static void
expect_error(Fixture *f, int code, const char *text)
{
	if (import(f) != code || !strstr(f->e.msg, text))
		fail_msg("%d: %s\nexpected %d: %s", f->e.code, f->e.msg, code, text);
	assert_null(f->g);
}

/* Runs the graph on one input; output k must be `count` floats `want`. */
static void
expect_floats(Fixture *f, const void *in, int k, int count, const float *want)
{
	Arena *a = arena_new();
	void **all = ARENA_ARRAY(a, void *, f->g->value.n);
	int v = f->g->output.v[k];

	assert_int_equal(graph_run(f->g, a, &in, all, &f->e), OK);
	assert_int_equal(f->g->value.v[v].type, DT_F32);
	assert_int_equal(value_count(&f->g->value.v[v]), count);
	for (int i = 0; i < count; i++)
		assert_float_equal(((const float *)all[v])[i], want[i], 1e-5);
	arena_free(a);
}

static const float ramp[64] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
			       17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};

static void
sizes_come_from_everywhere(void **state)
{
	ImportShape by_symbol = {"width", 1, {7}}, by_input = {"x", 3, {2, 3, 5}};
	ImportShape unknown = {"z", 1, {1}}, wrong = {"x", 3, {2, 4, 5}};
	ImportShape both[2];
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "batch_size,3,width");
	onnx_make_input(&f.make, "y", DT_F32, "?,3,width");
	onnx_make_node(&f.make, "Add", "x y", "s");
	onnx_make_output(&f.make, "s");
	expect_error(&f, ERR_INPUT, "'x' axis 2 = width, 'y' axis 2 = width");

	f.opt.shape = &by_symbol;
	f.opt.nshape = 1;
	assert_int_equal(import(&f), OK);
	assert_non_null(strstr(f.text.s, "in x f32[1,3,7]\nin y f32[1,3,7]\n"));

	f.opt.shape = &by_input; /* binds the width of y too, not its unnamed batch */
	assert_int_equal(import(&f), OK);
	assert_non_null(strstr(f.text.s, "in x f32[2,3,5]\nin y f32[1,3,5]\n"));

	f.opt.shape = &unknown;
	expect_error(&f, ERR_INPUT, "shape for 'z': no such input; there are 'x', 'y'");
	f.opt.shape = &wrong;
	expect_error(&f, ERR_INPUT, "axis 1 of input 'x' is 3, 4 is given");
	both[0] = by_symbol;
	both[1] = by_input;
	f.opt.shape = both;
	f.opt.nshape = 2;
	expect_error(&f, ERR_INPUT, "size 'width' cannot be both 7 and 5");
	stop(&f);
}

static void
shape_options_are_parsed(void **state)
{
	static const char *const bad[] = {"x",
					  "x:",
					  ":1",
					  "x:1x",
					  "x:ax2",
					  "x:1,2",
					  "x:-1",
					  "x:1x2x3x4x5x6x7x8x9",
					  "x:99999999999"};
	Arena *a = arena_new();
	ImportShape s;

	(void)state;
	assert_int_equal(import_shape_parse("in:0:1x3x224", a, &s, NULL), OK);
	assert_string_equal(s.name, "in:0");
	assert_int_equal(s.rank, 3);
	assert_int_equal(s.dim[2], 224);
	assert_int_equal(import_shape_parse("N=16", a, &s, NULL), OK);
	assert_int_equal(s.dim[0], 16);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(import_shape_parse(bad[i], a, &s, NULL), ERR_INPUT);
	arena_free(a);
}

static void
everything_unsupported_is_listed_at_once(void **state)
{
	Onnx__NodeProto *n;
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "4,unknown_size"); /* would be an error by itself */
	n = onnx_make_node(&f.make, "Relu", "x", "a");
	onnx_make_int(&f.make, n, "slope", 1);
	onnx_make_node(&f.make, "Einsum", "a", "b");
	onnx_make_node(&f.make, "Relu", "b", "c"); /* only follows from the others: not listed */
	n = onnx_make_node(&f.make, "Tricky", "c", "d");
	n->domain = "my.domain";
	onnx_make_output(&f.make, "d");
	expect_error(&f, ERR_UNSUPPORTED, "Relu");
	assert_int_equal(f.rep.unsupported.n, 3);
	assert_string_equal(f.rep.unsupported.v[0], "node 'n_a': Relu: attribute slope");
	assert_string_equal(f.rep.unsupported.v[1], "node 'n_b': Einsum: operator");
	assert_string_equal(f.rep.unsupported.v[2], "node 'n_d': my.domain.Tricky: operator");
	assert_int_equal(f.rep.op.n, 3);
	assert_string_equal(f.rep.op.v[0].name, "Relu");
	assert_int_equal(f.rep.op.v[0].n, 2);
	stop(&f);
}

static void
unsupported_is_named(void **state)
{
	Onnx__NodeProto *n;
	Onnx__TensorProto *t;
	Fixture f;

	(void)state;
	start(&f, 22);
	expect_error(&f, ERR_UNSUPPORTED, "model: opset 22, 1 to 21 are supported");
	stop(&f);

	start(&f, 5); /* Add of opset 1 is another one */
	onnx_make_input(&f.make, "x", DT_F32, "1");
	onnx_make_node(&f.make, "Add", "x x", "y");
	onnx_make_output(&f.make, "y");
	expect_error(&f, ERR_UNSUPPORTED, "operator in opset 5");
	stop(&f);

	start(&f, 15);
	onnx_make_input(&f.make, "x", DT_F32, "1,2");
	t = onnx_make_const(&f.make, "s", DT_F32, "1", ramp);
	t->data_type = 8;
	n = onnx_make_node(&f.make, "Cast", "x", "y");
	onnx_make_int(&f.make, n, "to", 17);
	onnx_make_node(&f.make, "BatchNormalization", "x x x x x", "z zz");
	n = onnx_make_node(&f.make, "Reshape", "x s", "r");
	onnx_make_output(&f.make, "y");
	expect_error(&f, ERR_UNSUPPORTED, "initializer 's': element type string");
	assert_int_equal(f.rep.unsupported.n, 3);
	assert_string_equal(f.rep.unsupported.v[1], "node 'n_y': Cast: element type float8e4m3fn");
	assert_string_equal(f.rep.unsupported.v[2],
			    "node 'n_z': BatchNormalization: output 1, which only training fills");
	stop(&f);
}

static void
bad_models_are_refused(void **state)
{
	static const struct {
		const char *op, *in, *out, *error;
	} list[] = {
		{"Relu", "nowhere", "y", "node 'n_y' (Relu): input 'nowhere' is defined nowhere"},
		{"Relu", "later", "y", "input 'later' is computed later"},
		{"Relu", "x x", "y", "2 inputs, expected 1 to 1"},
		{"Add", "x -", "y", "input 1 is missing"},
		{"Relu", "x", "later", "'later' is defined twice"},
		{"Relu", "x", "q", "output 'y' is computed by no node"},
		{"Add", "x w", "y", "extent"},
		{"Concat", "x w", "y", "attribute axis is missing"},
	};
	Fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		start(&f, 13);
		onnx_make_input(&f.make, "x", DT_F32, "2,3");
		onnx_make_const(&f.make, "w", DT_F32, "2,2", ramp);
		onnx_make_node(&f.make, list[i].op, list[i].in, list[i].out);
		onnx_make_node(&f.make, "Neg", "x", "later");
		onnx_make_output(&f.make, "y");
		expect_error(&f, ERR_INPUT, list[i].error);
		stop(&f);
	}
	start(&f, 13);
	assert_int_equal(graph_import_memory("not a model", 11, NULL, NULL, &f.g, &f.rep, &f.e),
			 ERR_INPUT);
	assert_int_equal(graph_import("/nonexistent.onnx", NULL, &f.g, &f.rep, NULL), ERR_IO);
	stop(&f);
}

/* A message within a message within a message...: the unpacker would recurse as deep. */
static void
deep_nesting_is_refused(void **state)
{
	enum { DEPTH = 20000, SIZE = 9 * 3 * DEPTH };
	uint8_t *b = malloc(SIZE);
	size_t at = SIZE;
	Fixture f;

	(void)state;
	for (int i = 0; i < 3 * DEPTH; i++) { /* GraphProto in AttributeProto in NodeProto */
		static const uint8_t tag[] = {6 << 3 | 2, 5 << 3 | 2, 1 << 3 | 2};
		size_t n = SIZE - at;
		int bytes = 0;

		do
			bytes++;
		while (n >> (7 * bytes));
		for (int k = bytes - 1; k >= 0; k--)
			b[--at] = (uint8_t)((n >> (7 * k) & 127) | (k < bytes - 1 ? 128 : 0));
		b[--at] = i == 3 * DEPTH - 1 ? 7 << 3 | 2 : tag[i % 3];
	}
	start(&f, 13);
	assert_int_equal(graph_import_memory(b + at, SIZE - at, NULL, NULL, &f.g, &f.rep, &f.e),
			 ERR_INPUT);
	free(b);
	stop(&f);
}

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
	onnx_make_int(&f.make, n, "axis", 0);
	onnx_make_node(&f.make, "Reshape", "x new", "y");
	onnx_make_output(&f.make, "y");
	expect_nodes(&f, "Reshape(x)");
	assert_non_null(strstr(f.text.s, "node n_y y f32[6,4]"));
	assert_int_equal(f.g->value.n, 2);
	stop(&f);
}

static void
values_that_decide_shapes_are_frozen(void **state)
{
	const int64_t to[] = {3, 2}, dim = 2;
	ImportFreeze freeze = {"s", NULL};
	Fixture f;
	Npy t;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "2,3");
	onnx_make_input(&f.make, "s", DT_I64, "2");
	onnx_make_node(&f.make, "Abs", "s", "positive");
	onnx_make_node(&f.make, "Reshape", "x positive", "y");
	onnx_make_output(&f.make, "y");
	expect_error(&f, ERR_INPUT, "values of input 's': freeze it");
	assert_int_equal(f.rep.freeze.n, 1);
	assert_string_equal(f.rep.freeze.v[0], "s");

	assert_int_equal(npy_init(&t, DT_I64, 1, &dim, NULL), OK);
	memcpy(t.data, to, sizeof to);
	freeze.tensor = &t;
	f.opt.freeze = &freeze;
	f.opt.nfreeze = 1;
	expect_nodes(&f, "Reshape(x)");
	assert_int_equal(f.g->input.n, 1);
	freeze.name = "x"; /* of another type */
	expect_error(&f, ERR_INPUT, "input 'x' is f32, the value given is i64");
	npy_fini(&t);
	stop(&f);
}

static void
initializers_hide_inputs_unless_live(void **state)
{
	const char *live = "w";
	Fixture f;

	(void)state;
	start(&f, 8);
	onnx_make_input(&f.make, "x", DT_F32, "2");
	onnx_make_input(&f.make, "w", DT_F32, "2");
	onnx_make_const(&f.make, "w", DT_F32, "2", ramp);
	onnx_make_node(&f.make, "Add", "x w", "y");
	onnx_make_output(&f.make, "y");
	assert_int_equal(import(&f), OK);
	assert_int_equal(f.g->input.n, 1);
	assert_int_equal(f.rep.input.n, 1);
	f.opt.live = &live;
	f.opt.nlive = 1;
	assert_int_equal(import(&f), OK);
	assert_int_equal(f.g->input.n, 2);
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
	onnx_make_float(&f.make, n, "epsilon", 0);
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
	onnx_make_int(&f.make, n, "group", 2);
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
			onnx_make_int(&f.make, n, "transB", transposed);
			onnx_make_float(&f.make, n, "alpha", 0.5f);
			onnx_make_float(&f.make, n, "beta", 2);
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
				onnx_make_float(&f->make, n, name, strtof(text, NULL));
			else if (strchr("-0123456789", *text))
				onnx_make_int(&f->make, n, name, atoll(text));
			else
				onnx_make_text(&f->make, n, name, text);
			continue;
		}
		for (count = 0; *attr++ != ']'; count++)
			v[count] = strtoll(attr, (char **)&attr, 10);
		onnx_make_ints(&f->make, n, name, count, v);
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
		{11, "Softmax", "x", "y", "", "Reshape(x) | Softmax(\"n_y#1\") axis=1 | Reshape(\"n_y#2\")"},
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
		{18, "Pad", "x axes s axes", "y", "mode=edge",
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
		{13, "OneHot", "axes s pair", "y", "axis=0", "Reshape(\"n_y#14\")"},
	};
	const int64_t axes[] = {1, 2}, first = -99, last = 99, minus = -1, sizes[] = {6, 16};
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
		else
			if (import(&f) != ERR_INPUT)
				fail_msg("%s, opset %d: was taken", list[i].op, list[i].opset);
		stop(&f);
	}
}

static void
write_file(const char *dir, const char *name, const void *data, size_t size)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(file_write(path, data, size, NULL), OK);
}

static void
remove_file(const char *dir, const char *name)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	unlink(path);
}

static Onnx__StringStringEntryProto *
entry(OnnxMake *m, char *key, char *value)
{
	Onnx__StringStringEntryProto e = ONNX__STRING_STRING_ENTRY_PROTO__INIT;

	e.key = key;
	e.value = value;
	return arena_copy(m->arena, &e, sizeof e);
}

static void
external_data_stays_in_the_folder(void **state)
{
	static const struct {
		const char *location, *offset, *length, *error;
	} list[] = {
		{"w.bin", "4", "8", NULL},
		{"./w.bin", "4", "8", NULL},
		{"../w.bin", "4", "8", "not below the model's folder"},
		{"a/../../w.bin", "4", "8", "not below the model's folder"},
		{"/etc/passwd", "0", "8", "not below the model's folder"},
		{"", "0", "8", "not below the model's folder"},
		{"w.bin", "8", "8", "beyond its end"},
		{"w.bin", "-4", "8", "expected a number"},
		{"w.bin", "4", "12", "12 bytes, the shape says 8"},
		{"missing.bin", "0", "8", "No such file"},
		{".", "0", "8", "not a regular file"},
	};
	char dir[] = "/tmp/hone_test_XXXXXX", path[64];
	const float x[] = {0, 0}, want[] = {2, 3};

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/m.onnx", dir);
	write_file(dir, "w.bin", ramp, 12);
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		Onnx__StringStringEntryProto *external[3];
		Onnx__TensorProto *t;
		const void *bytes;
		size_t size;
		Fixture f;

		start(&f, 13);
		onnx_make_input(&f.make, "x", DT_F32, "2");
		t = onnx_make_const(&f.make, "w", DT_F32, "2", NULL);
		external[0] = entry(&f.make, "location", (char *)list[i].location);
		external[1] = entry(&f.make, "offset", (char *)list[i].offset);
		external[2] = entry(&f.make, "length", (char *)list[i].length);
		t->external_data = external;
		t->n_external_data = 3;
		t->has_data_location = true;
		t->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
		onnx_make_node(&f.make, "Add", "x w", "y");
		onnx_make_output(&f.make, "y");
		bytes = onnx_make_pack(&f.make, &size);
		write_file(dir, "m.onnx", bytes, size);
		if (graph_import(path, NULL, &f.g, &f.rep, &f.e) == OK) {
			assert_null(list[i].error);
			expect_floats(&f, x, 0, 2, want);
		} else if (!list[i].error || !strstr(f.e.msg, list[i].error)) {
			fail_msg("%s: %s", list[i].location, f.e.msg);
		}
		if (i == 0) /* from memory there is no folder */
			expect_error(&f, ERR_UNSUPPORTED, "external data");
		stop(&f);
	}
	remove_file(dir, "m.onnx");
	remove_file(dir, "w.bin");
	rmdir(dir);
}

/* Constants beyond the limit are refused; nodes beyond the limit of work stay nodes. */
static void
folding_is_bounded(void **state)
{
	const int64_t shape[] = {64, 64};
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "64,64");
	onnx_make_const(&f.make, "shape", DT_I64, "2", shape);
	onnx_make_node(&f.make, "ConstantOfShape", "shape", "zeros");
	onnx_make_node(&f.make, "MatMul", "zeros zeros", "product");
	onnx_make_node(&f.make, "Add", "x product", "y");
	onnx_make_output(&f.make, "y");
	expect_nodes(&f, "Add(x, product)");
	f.opt.fold_work_max = 100000; /* 64^3 is beyond */
	expect_nodes(&f, "MatMul(zeros, zeros) | Add(x, product)");
	f.opt.fold_bytes_max = 16000;
	expect_error(&f, ERR_UNSUPPORTED, "computes a constant of 16384 bytes");
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_come_from_everywhere),
		cmocka_unit_test(shape_options_are_parsed),
		cmocka_unit_test(everything_unsupported_is_listed_at_once),
		cmocka_unit_test(unsupported_is_named),
		cmocka_unit_test(bad_models_are_refused),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(shape_arithmetic_folds),
		cmocka_unit_test(values_that_decide_shapes_are_frozen),
		cmocka_unit_test(initializers_hide_inputs_unless_live),
		cmocka_unit_test(outputs_have_nodes_of_their_own),
		cmocka_unit_test(batchnorm_folds_into_conv),
		cmocka_unit_test(scaling_follows_the_layout_of_weights),
		cmocka_unit_test(equal_constants_become_one),
		cmocka_unit_test(operators_become_normal),
		cmocka_unit_test(external_data_stays_in_the_folder),
		cmocka_unit_test(folding_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
