/* Plans of small models: what is fused, what is shared, and that they read back from text. */
#include <stdio.h>

#include "import_case.h"
#include "tests/support/graph_random.h"
#include "tests/support/plan_check.h"

/* The model in f as a plan, checked against the reference kernels. */
static const Plan *
plan_of(Fixture *f)
{
	Arena *a = f->make.arena;
	PlanCheck c = {0};
	Plan *p;

	if (import(f))
		fail_msg("%s", f->e.msg);
	if (!plan_check(f->g, a, graph_random_inputs(f->g, a, 7), 500, NULL, (PlanMemory){0}, &c))
		fail_msg("%s\n%s", c.e.msg, f->text.s);
	assert_int_equal(plan_build(f->g, a, NULL, &p, &f->e), OK);
	return p;
}

/* A convolution of 4 to 4 channels, 3x3, that keeps the extents; weights start at `weights`. */
static void
conv(Fixture *f, const char *in, const char *out, const float *weights)
{
	const int64_t pads[] = {1, 1, 1, 1};
	char w[32], inputs[64];

	snprintf(w, sizeof w, "%s_w", out);
	snprintf(inputs, sizeof inputs, "%s %s", in, w);
	onnx_make_const(&f->make, w, DT_F32, "4,4,3,3", weights);
	onnx_write_ints(&f->make, onnx_make_node(&f->make, "Conv", inputs, out), "pads", 4, pads);
}

static const float *
noise(Fixture *f, int n)
{
	float *v = arena_alloc(f->make.arena, (size_t)n * sizeof *v);

	for (int i = 0; i < n; i++)
		v[i] = (float)((i * 37) % 19) / 8 - 1;
	return v;
}

/* Two residual blocks between convolutions. */
static void
make_residuals(Fixture *f)
{
	const float *w = noise(f, 256);

	onnx_make_input(&f->make, "x", DT_F32, "1,4,6,5");
	conv(f, "x", "first", w); /* so that the blocks get their input in the same Form */
	conv(f, "first", "a1", w + 1);
	onnx_make_node(&f->make, "Relu", "a1", "a2");
	conv(f, "a2", "a3", w + 2);
	onnx_make_node(&f->make, "Add", "a3 first", "a4");
	onnx_make_node(&f->make, "Relu", "a4", "a5");
	conv(f, "a5", "b1", w + 3);
	onnx_make_node(&f->make, "Relu", "b1", "b2");
	conv(f, "b2", "b3", w + 4);
	onnx_make_node(&f->make, "Add", "a5 b3", "b4");
	onnx_make_node(&f->make, "Relu", "b4", "b5");
	conv(f, "b5", "last", w + 5);
	onnx_make_output(&f->make, "last");
}

/* Each is two Tasks, and the blocks share them. */
static void
residual_blocks_share_their_tasks(void **state)
{
	const Plan *p;
	Fixture f;

	(void)state;
	start(&f, 13);
	make_residuals(&f);
	p = plan_of(&f);
	assert_int_equal(p->step.n, 6);
	assert_int_equal(p->task.n, 4);
	assert_int_equal(p->task.v[p->step.v[1].task].uses, 2);
	assert_int_equal(p->step.v[1].task, p->step.v[3].task);
	assert_int_equal(p->step.v[2].node.n, 3);
	stop(&f);
}

/* The other way to group them: what adds is a Task of its own. */
static void
residuals_come_apart(void **state)
{
	Groups apart, again;
	const Plan *joined;
	Fixture f;
	Plan *p;

	(void)state;
	start(&f, 13);
	make_residuals(&f);
	joined = plan_of(&f);
	apart = partition_apart(f.g, f.make.arena, &joined->groups);
	assert_int_equal(apart.n, joined->groups.n + 2);
	if (plan_build_groups(f.g, f.make.arena, &apart, NULL, &p, &f.e))
		fail_msg("%s", f.e.msg);
	assert_int_equal(p->step.n, 8);
	assert_int_equal(p->task.n, 6);
	again = partition_apart(f.g, f.make.arena, &apart);
	assert_int_equal(again.n, apart.n);
	assert_memory_equal(again.of, apart.of, (size_t)f.g->node.n * sizeof *apart.of);
	stop(&f);
}

/* Reshapes of row-major memory are views: only what computes is a step. */
static void
reshapes_are_views(void **state)
{
	const int64_t first[] = {4, 6}, second[] = {2, 12};
	const Plan *p;
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "2,3,4");
	onnx_make_const(&f.make, "first", DT_I64, "2", first);
	onnx_make_const(&f.make, "second", DT_I64, "2", second);
	onnx_make_node(&f.make, "Reshape", "x first", "a");
	onnx_make_node(&f.make, "Reshape", "a second", "b");
	onnx_make_node(&f.make, "Softmax", "b", "y");
	onnx_make_output(&f.make, "y");
	p = plan_of(&f);
	assert_int_equal(p->step.n, 1);
	assert_true(p->buffer.v[p->step.v[0].in.v[0]].view_of >= 0);
	onnx_make_node(&f.make, "Reshape", "y first", "z"); /* an output: needs a copy */
	onnx_make_output(&f.make, "z");
	p = plan_of(&f);
	assert_int_equal(p->step.n, 2);
	assert_int_equal(p->buffer.v[p->output[1]].kind, BUFFER_OUTPUT);
	stop(&f);
}

/* Two fire modules: four steps that are four Tasks, the concatenations are none. */
static void
concatenations_are_made_in_place(void **state)
{
	const float *w;
	const Plan *p;
	Fixture f;

	(void)state;
	start(&f, 13);
	w = noise(&f, 288);
	onnx_make_input(&f.make, "x", DT_F32, "1,4,6,5");
	conv(&f, "x", "s", w);
	for (int i = 0; i < 2; i++) {
		const char *const in[] = {"s", "c0"};
		Arena *a = f.make.arena;
		Onnx__NodeProto *n;

		conv(&f, in[i], arena_printf(a, "a%d", i), w + 1 + i);
		conv(&f, in[i], arena_printf(a, "b%d", i), w + 3 + i);
		n = onnx_make_node(&f.make, "Concat", arena_printf(a, "a%d b%d", i, i),
				   arena_printf(a, "ab%d", i));
		onnx_write_int(&f.make, n, "axis", 1);
		onnx_make_const(&f.make, arena_printf(a, "w%d", i), DT_F32, "4,8,3,3", w);
		n = onnx_make_node(&f.make, "Conv", arena_printf(a, "ab%d w%d", i, i),
				   arena_printf(a, "c%d", i));
		onnx_write_ints(&f.make, n, "pads", 4, (int64_t[]){1, 1, 1, 1});
	}
	onnx_make_output(&f.make, "c1");
	p = plan_of(&f);
	assert_int_equal(p->step.n, 7);
	assert_int_equal(p->task.v[p->step.v[1].task].uses, 2);
	assert_int_equal(p->step.v[1].task, p->step.v[4].task);
	assert_int_equal(p->step.v[2].task, p->step.v[5].task);
	assert_int_equal(p->buffer.v[p->step.v[1].out.v[0]].view_of, p->step.v[3].in.v[0]);
	assert_int_equal(p->buffer.v[p->step.v[2].out.v[0]].form.foreign, 2);
	stop(&f);
}

/* What makes the parts of a concatenation, and what reads it. */
static void
concatenations_come_out_right(void **state)
{
	const int64_t two[] = {2, 2};
	Onnx__NodeProto *n;
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "1,4,3,3");
	onnx_make_const(&f.make, "w", DT_F32, "4,4,3,3", noise(&f, 144));
	n = onnx_make_node(&f.make, "ConvTranspose", "x w", "a"); /* 4,7,7 by phases */
	onnx_write_ints(&f.make, n, "strides", 2, two);
	n = onnx_make_node(&f.make, "Transpose", "a", "b");
	onnx_write_ints(&f.make, n, "perm", 4, (const int64_t[]){0, 1, 3, 2});
	n = onnx_make_node(&f.make, "Concat", "a b a", "c");
	onnx_write_int(&f.make, n, "axis", 2);
	onnx_make_node(&f.make, "Sigmoid", "c", "y");
	onnx_make_output(&f.make, "y");
	plan_of(&f);
	stop(&f);
}

/* Phases of a transposed convolution run over the edges of its output; what falls outside is
 * dropped, whatever is fused to it. Rows: 1 to 1, or 3 to 5. */
static void
transposed_then(const char *op, const char *inputs, bool rows, int steps)
{
	const int64_t shape[] = {1, 4, 5, 5}, pads[] = {1, 1, 1, 1}, strides[] = {2, 2};
	Onnx__NodeProto *n;
	Fixture f;

	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, rows ? "1,4,3,3" : "1,4,1,3");
	onnx_make_input(&f.make, "other", DT_F32, rows ? "1,4,5,5" : "1,4,1,5");
	onnx_make_const(&f.make, "shape", DT_I64, "4", shape);
	onnx_make_const(&f.make, "w", DT_F32, "4,4,3,3", noise(&f, 144));
	n = onnx_make_node(&f.make, "ConvTranspose", "x w", "a");
	onnx_write_ints(&f.make, n, "strides", 2, strides);
	onnx_write_ints(&f.make, n, "pads", 4, pads);
	n = onnx_make_node(&f.make, op, inputs, "y");
	if (!strcmp(op, "Concat"))
		onnx_write_int(&f.make, n, "axis", 2);
	onnx_make_output(&f.make, "y");
	assert_int_equal(plan_of(&f)->step.n, steps);
	stop(&f);
}

static void
dropped_points_stay_dropped(void **state)
{
	(void)state;
	for (int rows = 0; rows < 2; rows++) {
		transposed_then("Add", "a other", rows, rows ? 1 : 2);
		transposed_then("Concat", "a other", rows, 2);
		transposed_then("Expand", "a shape", rows, rows ? 1 : 2);
	}
}

/* A result that is read at two places of each point. */
static void
two_places_are_two_loads(void **state)
{
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "5,4");
	onnx_make_const(&f.make, "w", DT_F32, "4,5", noise(&f, 20));
	onnx_make_node(&f.make, "MatMul", "x w", "a");
	onnx_make_node(&f.make, "Transpose", "a", "t");
	onnx_make_node(&f.make, "Sub", "a t", "y");
	onnx_make_output(&f.make, "y");
	plan_of(&f);
	stop(&f);
}

/* u8 arithmetic wraps before it is widened; floats saturate when they are cast. */
static void
narrow_integers_are_cut(void **state)
{
	Onnx__NodeProto *n;
	Fixture f;

	(void)state;
	start(&f, 14);
	onnx_make_input(&f.make, "x", DT_U8, "64");
	onnx_make_input(&f.make, "f", DT_F32, "8");
	onnx_make_const(&f.make, "c", DT_U8, "", "\xfc");
	onnx_make_const(&f.make, "big", DT_F32, "8", noise(&f, 8));
	onnx_make_node(&f.make, "Add", "x c", "sum");
	n = onnx_make_node(&f.make, "Cast", "sum", "wide");
	onnx_write_int(&f.make, n, "to", 6); /* i32 */
	onnx_make_output(&f.make, "wide");
	onnx_make_const(&f.make, "scale", DT_F32, "", &(float){300});
	onnx_make_node(&f.make, "Mul", "f scale", "large");
	n = onnx_make_node(&f.make, "Cast", "large", "byte");
	onnx_write_int(&f.make, n, "to", 2); /* u8 */
	onnx_make_node(&f.make, "Add", "byte c", "again");
	onnx_make_output(&f.make, "again");
	plan_of(&f);
	stop(&f);
}

/* Positions from a table, and computed ones, in what other nodes have cut or moved. */
static void
gathers_read_the_right_place(void **state)
{
	const int64_t at[] = {-1, 0, 2}, one = 1, end = 4, axis = 1;
	Onnx__NodeProto *n;
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "3,6");
	onnx_make_const(&f.make, "at", DT_I64, "3", at);
	onnx_make_const(&f.make, "one", DT_I64, "1", &one);
	onnx_make_const(&f.make, "end", DT_I64, "1", &end);
	onnx_make_const(&f.make, "axis", DT_I64, "1", &axis);
	onnx_make_node(&f.make, "Slice", "x one end axis", "part");
	n = onnx_make_node(&f.make, "Gather", "part at", "y");
	onnx_write_int(&f.make, n, "axis", 1);
	onnx_make_output(&f.make, "y");
	n = onnx_make_node(&f.make, "ArgMax", "part", "where");
	onnx_write_int(&f.make, n, "axis", 1);
	n = onnx_make_node(&f.make, "Gather", "x where", "z");
	onnx_write_int(&f.make, n, "axis", 1);
	onnx_make_output(&f.make, "z");
	plan_of(&f);
	stop(&f);
}

static void
operators_with_modes(void **state)
{
	Onnx__NodeProto *n;
	Fixture f;

	(void)state;
	start(&f, 20);
	onnx_make_input(&f.make, "x", DT_F32, "1,6,3,3");
	n = onnx_make_node(&f.make, "LRN", "x", "a");
	onnx_write_int(&f.make, n, "size", 4); /* one more channel above than below */
	n = onnx_make_node(&f.make, "Gelu", "a", "b");
	onnx_write_string(&f.make, n, "approximate", "tanh");
	onnx_make_output(&f.make, "b");
	n = onnx_make_node(&f.make, "Gelu", "x", "c");
	onnx_make_output(&f.make, "c");
	plan_of(&f);
	stop(&f);
}

static void
bad_plan_texts_are_refused(void **state)
{
	static const struct {
		const char *rest, *error;
	} list[] = {
		{"group 0 1\ngroup 2\n", NULL},
		{"group 0\ngroup 1\ngroup 2\nform 0.0 acdb\n", NULL},
		{"group 0\ngroup 1\n", "node 2 is in no group"},
		{"group 0 1\ngroup 1 2\n", "node 1 is in two groups"},
		{"group 1\ngroup 0\ngroup 2\n", "node 1, in group 0, reads node 0, in group 1"},
		{"group 0 1 2\n", "makes no task"}, /* an operator without stages */
		{"group 3\n", "3 is not in [0, 2]"},
		{"group\n", "expected the numbers of nodes"},
		{"group 0 1\ngroup 2\nform 1.1 abcd\n", "1 is not in [0, 0]"},
		{"group 0 1\ngroup 2\nform 1.0 ab\n", "rank 2 for a tensor of rank 4"},
		{"group 0 1\ngroup 2\nform 1.0 abcc\n", "not a permutation"},
		{"group 0 1\ngroup 2\nform 2.0 acdb\n", "must be plain"},
		{"group 0 1\ngroup 2\nform 1.0 acdb border 0,4,0,0/0,0,0,0 foreign 2 = 0\n",
		 "a part of nothing"},
		{"frog\n", "expected 'group' or 'form'"},
	};
	char head[DIGEST_TEXT];
	Digest d;
	Fixture f;

	(void)state;
	start(&f, 13);
	onnx_make_input(&f.make, "x", DT_F32, "1,4,6,5");
	conv(&f, "x", "a", noise(&f, 144));
	onnx_make_node(&f.make, "Relu", "a", "b");
	onnx_make_node(&f.make, "Sin", "b", "y");
	onnx_make_output(&f.make, "y");
	plan_of(&f);
	d = graph_digest(f.g);
	digest_print(&d, head);
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		const char *text = arena_printf(f.make.arena, "plan of %s\n%s", head, list[i].rest);
		Err e = {0};
		Plan *p;
		int rc = plan_parse(text, f.g, f.make.arena, &p, &e);

		if (list[i].error ? rc != ERR_INPUT || !strstr(e.msg, list[i].error) : rc != OK)
			fail_msg("%s: %d %s", list[i].rest, rc, e.msg);
	}
	head[0] = head[0] == '0' ? '1' : '0';
	f.e = (Err){0};
	assert_int_equal(plan_parse(arena_printf(f.make.arena, "plan of %s\n", head), f.g,
				    f.make.arena, &(Plan *){NULL}, &f.e),
			 ERR_INPUT);
	stop(&f);
}

/* Heads have a dimension of their own: the channels of each head lie side by side, not the heads,
 * wherever the model's transposition puts them. */
static void
channels_of_heads_lie_side_by_side(void **state)
{
	static const struct {
		int64_t perm[4];
		const char *order;
	} list[] = {{{0, 2, 1, 3}, "abcd"}, {{0, 2, 3, 1}, "abdc"}};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		const Plan *p;
		Fixture f;
		Str text = {0};

		start(&f, 13);
		onnx_make_input(&f.make, "x", DT_F32, "1,6,16");
		onnx_make_const(&f.make, "w", DT_F32, "16,24", noise(&f, 16 * 24));
		onnx_make_const(&f.make, "shape", DT_I64, "4", (const int64_t[]){0, 0, 3, 8});
		onnx_make_node(&f.make, "MatMul", "x w", "p");
		onnx_make_node(&f.make, "Reshape", "p shape", "r");
		onnx_write_ints(&f.make, onnx_make_node(&f.make, "Transpose", "r", "t"), "perm", 4,
				list[i].perm);
		onnx_make_node(&f.make, "Softmax", "t", "s");
		onnx_make_output(&f.make, "s");
		p = plan_of(&f);
		task_form_print(p->task.v[0].task, &p->task.v[0].form, &text);
		if (!strstr(str_get(&text), list[i].order))
			fail_msg("%s", str_get(&text));
		str_fini(&text);
		stop(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(residual_blocks_share_their_tasks),
		cmocka_unit_test(residuals_come_apart),
		cmocka_unit_test(reshapes_are_views),
		cmocka_unit_test(concatenations_are_made_in_place),
		cmocka_unit_test(concatenations_come_out_right),
		cmocka_unit_test(dropped_points_stay_dropped),
		cmocka_unit_test(two_places_are_two_loads),
		cmocka_unit_test(narrow_integers_are_cut),
		cmocka_unit_test(gathers_read_the_right_place),
		cmocka_unit_test(operators_with_modes),
		cmocka_unit_test(bad_plan_texts_are_refused),
		cmocka_unit_test(channels_of_heads_lie_side_by_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
