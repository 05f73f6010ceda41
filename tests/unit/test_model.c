/* Whole small models through compile and run, each output and layer against the reference kernels:
 * with the plainest schedules and with those of the cost model, alone and shared by threads. */
#include <stdio.h>

#include "base/rng.h"
#include "deploy/compare.h"
#include "deploy/compile.h"
#include "deploy/execute.h"
#include "import_case.h"

static const Tolerance close_enough = {1e-5, 2e-6};

typedef struct Ran {
	Bundle b;
	void **in, **out, **want; /* want: per graph value */
	Executable *x;
} Ran;

static void
run_once(Fixture *f, Arena *a, bool scalar, bool keep, int threads, Ran *r)
{
	Target here;
	const Graph *g = f->g;
	CompileOptions opt = {.scalar = scalar, .keep = keep, .name = "small model"};

	opt.threads = threads;
	opt.target = &here;
	if (target_host(&here, &f->e))
		fail_msg("%s", f->e.msg);
	here.fork_ns = 0; /* every kernel is shared, however short */

	if (compile(g, a, &opt, &r->b, &f->e) || executable_open(&r->b, &r->x, &f->e))
		fail_msg("%s", f->e.msg);
	r->in = ARENA_ARRAY(a, void *, g->input.n + 1);
	r->out = ARENA_ARRAY(a, void *, g->output.n + 1);
	r->want = ARENA_ARRAY(a, void *, g->value.n + 1);
	for (int i = 0; i < g->input.n; i++) {
		const Value *v = &g->value.v[g->input.v[i]];

		r->in[i] = arena_alloc64(a, value_bytes(v));
		rng_fill(v->type, r->in[i], (size_t)value_count(v), (uint64_t)i + 7,
			 dtype_is_float(v->type) ? -2 : 0, 2);
	}
	for (int i = 0; i < g->output.n; i++)
		r->out[i] = arena_alloc64(a, r->b.output[i].bytes);
	if (graph_run(g, a, (const void *const *)r->in, r->want, &f->e) ||
	    executable_run(r->x, (const void *const *)r->in, r->out, &f->e))
		fail_msg("%s", f->e.msg);
}

static void
compare(const Graph *g, int value, const void *got, const Ran *r)
{
	const Value *v = &g->value.v[value];
	Comparison c =
		compare_tensors(v->type, got, r->want[value], (size_t)value_count(v), close_enough);

	if (!(c.worst <= 1))
		fail_msg("%s[%zu] is %g, wanted %g", v->name, c.at, c.got, c.want);
}

/* Compiles, runs and compares in several ways; returns how many reference kernels were needed. */
static int
check(Fixture *f)
{
	int externs = 0;

	if (import(f))
		fail_msg("%s", f->e.msg);
	for (int way = 0; way < 6; way++) {
		Arena *a = arena_new();
		Ran r = {0};

		run_once(f, a, way & 1, way & 2, way & 4 ? 2 : 1, &r);
		for (int i = 0; i < f->g->output.n; i++)
			compare(f->g, f->g->output.v[i], r.out[i], &r);
		assert_int_equal(r.b.nlayer > 0, (way & 2) != 0);
		for (int i = 0; i < r.b.nlayer; i++)
			compare(f->g, r.b.layer[i].value,
				bundle_layer(&r.b, i, r.out, executable_activations(r.x), f->g, a),
				&r);
		externs = 0;
		for (int i = 0; i < r.b.nkernel; i++)
			externs += !strcmp(r.b.kernel[i].algorithm, "extern");
		executable_close(r.x);
		arena_free(a);
	}
	return externs;
}

/* A constant of seeded numbers; dims like "8,3,3,3" are n elements. */
static void
weights(Fixture *f, const char *name, const char *dims, size_t n)
{
	float *w = arena_alloc(f->make.arena, n * sizeof *w);

	rng_fill(DT_F32, w, n, n + name[0], -0.5, 0.5);
	onnx_make_const(&f->make, name, DT_F32, dims, w);
}

static Onnx__NodeProto *
conv(Fixture *f, const char *in, const char *out, int pad)
{
	Onnx__NodeProto *n = onnx_make_node(&f->make, "Conv", in, out);

	onnx_write_ints(&f->make, n, "pads", 4, (int64_t[]){pad, pad, pad, pad});
	return n;
}

static void
a_small_classifier(void **state)
{
	Fixture f;
	Onnx__NodeProto *n;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "1,3,13,11");
	weights(&f, "w", "8,3,3,3", 216);
	weights(&f, "b", "8", 8);
	conv(&f, "x w b", "c", 1);
	onnx_make_node(&f.make, "Relu", "c", "r");
	n = onnx_make_node(&f.make, "MaxPool", "r", "p");
	onnx_write_ints(&f.make, n, "kernel_shape", 2, (int64_t[]){2, 2});
	onnx_write_ints(&f.make, n, "strides", 2, (int64_t[]){2, 2});
	onnx_make_node(&f.make, "Flatten", "p", "flat");
	weights(&f, "g", "240,5", 1200);
	weights(&f, "h", "5", 5);
	onnx_make_node(&f.make, "Gemm", "flat g h", "logits");
	n = onnx_make_node(&f.make, "Softmax", "logits", "y");
	onnx_write_int(&f.make, n, "axis", -1);
	onnx_make_output(&f.make, "y");
	assert_int_equal(check(&f), 0);
	stop(&f);
}

static void
equal_blocks_share_code_not_weights(void **state)
{
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "1,8,6,6");
	weights(&f, "u", "8,8,3,3", 576);
	weights(&f, "v", "8,8,3,3", 576);
	conv(&f, "x u", "a", 1);
	onnx_make_node(&f.make, "Add", "a x", "b");
	onnx_make_node(&f.make, "Relu", "b", "c");
	conv(&f, "c v", "d", 1);
	onnx_make_node(&f.make, "Add", "d c", "e");
	onnx_make_node(&f.make, "Relu", "e", "h");
	conv(&f, "h u", "i", 1);
	onnx_make_node(&f.make, "Add", "i h", "j");
	onnx_make_node(&f.make, "Relu", "j", "y");
	onnx_make_output(&f.make, "y");
	assert_int_equal(check(&f), 0);
	stop(&f);
}

static void
concatenation_and_split(void **state)
{
	Fixture f;
	Onnx__NodeProto *n;

	(void)state;
	start(&f, 11);
	onnx_make_input(&f.make, "x", DT_F32, "1,6,5,5");
	weights(&f, "w", "4,6,1,1", 24);
	conv(&f, "x w", "a", 0);
	onnx_make_node(&f.make, "Sigmoid", "x", "b");
	n = onnx_make_node(&f.make, "Concat", "a b x", "c");
	onnx_write_int(&f.make, n, "axis", 1);
	n = onnx_make_node(&f.make, "Split", "c", "d e");
	onnx_write_int(&f.make, n, "axis", 1);
	onnx_write_ints(&f.make, n, "split", 2, (int64_t[]){7, 9});
	onnx_make_output(&f.make, "e");
	onnx_make_output(&f.make, "c");
	onnx_make_output(&f.make, "d");
	assert_int_equal(check(&f), 0);
	stop(&f);
}

static void
concat(Fixture *f, const char *in, const char *out, int axis)
{
	onnx_write_int(&f->make, onnx_make_node(&f->make, "Concat", in, out), "axis", axis);
}

/* Convolutions write their parts of a whole, and of the whole around that; what reads them wants
 * borders, not all of one value; a value that is wanted twice is copied. */
static void
parts_made_in_place(void **state)
{
	Fixture f;
	Onnx__NodeProto *n;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "1,3,7,6");
	weights(&f, "u", "5,3,3,3", 135);
	weights(&f, "v", "17,3,1,1", 51);
	weights(&f, "w", "4,22,3,3", 792);
	weights(&f, "k", "6,17,3,3", 918);
	weights(&f, "m", "2,48,3,3", 864);
	conv(&f, "x u", "a0", 1);
	onnx_make_node(&f.make, "Relu", "a0", "a");
	conv(&f, "x v", "b0", 0);
	onnx_make_node(&f.make, "Sigmoid", "b0", "b");
	concat(&f, "a b", "ab", 1);
	conv(&f, "ab w", "c", 1);
	conv(&f, "b k", "d", 1);
	concat(&f, "ab c a b", "abcab", 1);
	n = onnx_make_node(&f.make, "MaxPool", "abcab", "p");
	onnx_write_ints(&f.make, n, "kernel_shape", 2, (int64_t[]){3, 3});
	onnx_write_ints(&f.make, n, "pads", 4, (int64_t[]){1, 1, 1, 1});
	conv(&f, "abcab m", "e", 1);
	onnx_make_output(&f.make, "d");
	onnx_make_output(&f.make, "p");
	onnx_make_output(&f.make, "e");
	assert_int_equal(check(&f), 0);
	stop(&f);
}

/* Rows side by side, and a reference kernel that wants a part row-major. */
static void
parts_along_other_dimensions(void **state)
{
	Fixture f;

	(void)state;
	start(&f, 17);
	onnx_make_input(&f.make, "x", DT_F32, "1,3,4,6");
	onnx_make_input(&f.make, "rows", DT_F32, "2,5");
	weights(&f, "u", "4,3,3,3", 108);
	weights(&f, "v", "4,3,1,1", 12);
	weights(&f, "w", "3,4,3,3", 108);
	weights(&f, "g", "5,9", 45);
	conv(&f, "x u", "a", 1);
	conv(&f, "x v", "b", 0);
	onnx_make_node(&f.make, "Abs", "a", "x4");
	concat(&f, "a b x4", "ab", 2);
	conv(&f, "ab w", "c", 1);
	onnx_make_node(&f.make, "Sin", "b", "d");
	onnx_make_node(&f.make, "MatMul", "rows g", "e");
	onnx_make_node(&f.make, "Exp", "rows", "h");
	concat(&f, "e h", "eh", 1);
	onnx_make_node(&f.make, "Neg", "eh", "y");
	onnx_make_output(&f.make, "c");
	onnx_make_output(&f.make, "d");
	onnx_make_output(&f.make, "y");
	assert_int_equal(check(&f), 1);
	stop(&f);
}

/* More stages than a Pick once had room for, and more than a Task may have. */
static void
long_concatenations(void **state)
{
	static const int parts[] = {40, TASK_STAGES_MAX, TASK_STAGES_MAX + 1};

	(void)state;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		Str inputs = {0};
		Onnx__NodeProto *n;
		Fixture f;

		start(&f, 11);
		onnx_make_input(&f.make, "x", DT_F32, "1,2,3");
		for (int k = 0; k < parts[i]; k++)
			str_add(&inputs, k ? " x" : "x");
		n = onnx_make_node(&f.make, "Concat", str_get(&inputs), "y");
		onnx_write_int(&f.make, n, "axis", 1);
		onnx_make_output(&f.make, "y");
		assert_int_equal(check(&f), parts[i] > TASK_STAGES_MAX);
		str_fini(&inputs);
		stop(&f);
	}
}

static void
reference_kernels_are_called(void **state)
{
	Fixture f;
	Onnx__NodeProto *n;
	const float scale = 0.02f;
	const uint8_t zero = 117;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "3,2,4");
	onnx_make_input(&f.make, "h0", DT_F32, "1,2,5");
	weights(&f, "w", "1,20,4", 80);
	weights(&f, "r", "1,20,5", 100);
	n = onnx_make_node(&f.make, "LSTM", "x w r - - h0", "y yh -");
	onnx_write_int(&f.make, n, "hidden_size", 5);
	onnx_make_const(&f.make, "s", DT_F32, "", &scale);
	onnx_make_const(&f.make, "z", DT_U8, "", &zero);
	onnx_make_node(&f.make, "QuantizeLinear", "y s z", "q");
	onnx_make_node(&f.make, "DequantizeLinear", "q s z", "dq");
	onnx_make_node(&f.make, "Tanh", "dq", "t");
	onnx_make_output(&f.make, "q");
	onnx_make_output(&f.make, "t");
	onnx_make_output(&f.make, "yh");
	assert_int_equal(check(&f), 1);
	stop(&f);
}

static void
outputs_that_are_something_else_too(void **state)
{
	const float k[] = {1, 2, 3};
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "2,3");
	onnx_make_input(&f.make, "unused", DT_F32, "4");
	onnx_make_const(&f.make, "k", DT_F32, "3", k);
	onnx_make_node(&f.make, "Add", "x k", "s");
	onnx_make_node(&f.make, "Identity", "x", "input_again");
	onnx_make_node(&f.make, "Identity", "k", "constant");
	onnx_make_node(&f.make, "Identity", "s", "s_again");
	onnx_make_node(&f.make, "Exp", "s", "further");
	onnx_make_output(&f.make, "input_again");
	onnx_make_output(&f.make, "constant");
	onnx_make_output(&f.make, "s");
	onnx_make_output(&f.make, "s_again");
	onnx_make_output(&f.make, "further");
	check(&f);
	stop(&f);
}

static void
reshapes_of_inputs_and_outputs(void **state)
{
	const int64_t flat[] = {6, -1}, back[] = {2, 3, 4}, wide[] = {1, 24};
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "2,3,4");
	onnx_make_const(&f.make, "flat", DT_I64, "2", flat);
	onnx_make_const(&f.make, "back", DT_I64, "3", back);
	onnx_make_const(&f.make, "wide", DT_I64, "2", wide);
	onnx_make_node(&f.make, "Reshape", "x flat", "a");
	onnx_make_node(&f.make, "Reshape", "a back", "b");
	onnx_make_node(&f.make, "Neg", "a", "c");
	onnx_make_node(&f.make, "Reshape", "c back", "d");
	onnx_make_node(&f.make, "Abs", "d", "e");
	onnx_make_node(&f.make, "Reshape", "c wide", "g");
	onnx_make_output(&f.make, "b");
	onnx_make_output(&f.make, "c");
	onnx_make_output(&f.make, "e");
	onnx_make_output(&f.make, "g");
	assert_int_equal(check(&f), 0);
	stop(&f);
}

static void
a_long_chain_reuses_memory(void **state)
{
	Fixture f;
	Arena *a = arena_new();
	char in[24] = "x", out[24];
	CompileOptions opt = {.scalar = true};
	Bundle b;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "1,4,8,8");
	for (int i = 0; i < 12; i++) { /* a softmax is a step of its own */
		snprintf(out, sizeof out, "s%d", i);
		onnx_write_int(&f.make, onnx_make_node(&f.make, "Softmax", in, out), "axis", 1);
		snprintf(in, sizeof in, "%s", out);
	}
	onnx_make_output(&f.make, in);
	check(&f);
	assert_int_equal(compile(f.g, a, &opt, &b, &f.e), OK);
	assert_true(b.activations_bytes < 4 * 4 * 8 * 8 * sizeof(float));
	arena_free(a);
	stop(&f);
}

static void
many_inputs_of_several_types(void **state)
{
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "i", DT_I64, "3,4");
	onnx_make_input(&f.make, "u", DT_U8, "3,4");
	onnx_make_input(&f.make, "x", DT_F32, "4");
	onnx_make_input(&f.make, "d", DT_F64, "3,4");
	onnx_write_int(&f.make, onnx_make_node(&f.make, "Cast", "i", "fi"), "to", 1);
	onnx_write_int(&f.make, onnx_make_node(&f.make, "Cast", "u", "fu"), "to", 1);
	onnx_make_node(&f.make, "Mul", "fi fu", "m");
	onnx_make_node(&f.make, "Add", "m x", "s");
	onnx_write_int(&f.make, onnx_make_node(&f.make, "Cast", "s", "sd"), "to", 11);
	onnx_make_node(&f.make, "Sub", "sd d", "y");
	onnx_write_int(&f.make, onnx_make_node(&f.make, "Cast", "s", "k"), "to", 6);
	onnx_make_output(&f.make, "y");
	onnx_make_output(&f.make, "k");
	check(&f);
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_classifier),
		cmocka_unit_test(equal_blocks_share_code_not_weights),
		cmocka_unit_test(concatenation_and_split),
		cmocka_unit_test(parts_made_in_place),
		cmocka_unit_test(parts_along_other_dimensions),
		cmocka_unit_test(long_concatenations),
		cmocka_unit_test(reference_kernels_are_called),
		cmocka_unit_test(outputs_that_are_something_else_too),
		cmocka_unit_test(reshapes_of_inputs_and_outputs),
		cmocka_unit_test(a_long_chain_reuses_memory),
		cmocka_unit_test(many_inputs_of_several_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
