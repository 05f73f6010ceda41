/* Import: what a model needs and what it may not contain: sizes, frozen inputs, errors, limits,
 * external data. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "import_case.h"

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
	onnx_write_int(&f.make, n, "slope", 1);
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
	onnx_write_int(&f.make, n, "to", 17);
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
		bytes = onnx_write_pack(&f.make, &size);
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
		cmocka_unit_test(values_that_decide_shapes_are_frozen),
		cmocka_unit_test(initializers_hide_inputs_unless_live),
		cmocka_unit_test(external_data_stays_in_the_folder),
		cmocka_unit_test(folding_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
