/* Forms chosen by cost: which values get blocked channels or whole planes, and that models of such
 * values, depthwise convolutions, residual steps, pooling and reshapes among them, compute what
 * they should.
 */
#include <math.h>

#include "base/rng.h"
#include "deploy/compare.h"
#include "deploy/compile.h"
#include "deploy/execute.h"
#include "import_case.h"
#include "log_case.h"
#include "tests/support/graph_random.h"
#include "tests/support/plan_check.h"

enum { CHANNELS = 32, LANES = 16 };

/* A Task costs 100, a blocked tensor changes that, and one of whole planes. */
typedef struct Prices {
	double blocked, plain;
	int asked;
} Prices;

static double
price(void *self, const Task *t, const TaskForm *f)
{
	Prices *p = self;
	double ns = 100;

	p->asked++;
	for (int i = 0; i < f->n; i++)
		ns += f->v[i].block_dim != TASK_NONE ? p->blocked
		      : f->v[i].rank == 4 && f->v[i].order[3] == 3 &&
				      t->tensor.v[i].kind != TENSOR_CONST
			      ? p->plain
			      : 0;
	return ns;
}

static void
weights(Fixture *f, const char *name, const char *dims, int n)
{
	float *w = arena_alloc(f->make.arena, (size_t)n * sizeof *w);

	rng_fill(DT_F32, w, (size_t)n, (uint64_t)n + (uint64_t)name[0], -0.3, 0.3);
	onnx_make_const(&f->make, name, DT_F32, dims, w);
}

static Onnx__NodeProto *
padded(Fixture *f, const char *op, const char *in, const char *out)
{
	Onnx__NodeProto *n = onnx_make_node(&f->make, op, in, out);

	onnx_write_ints(&f->make, n, "pads", 4, (int64_t[]){1, 1, 1, 1});
	return n;
}

/* Values: the residual class of a, e and h, d inside it, p pooled, q an output, s read by a
 * Flatten.
 */
static void
make_net(Fixture *f)
{
	Onnx__NodeProto *n;

	start(f, 13);
	onnx_make_input(&f->make, "x", DT_F32, "1,3,9,10");
	weights(f, "u", "32,3,3,3", 864);
	weights(f, "v", "32,1,3,3", 288);
	weights(f, "w", "32,32,1,1", 1024);
	weights(f, "k", "32,32,3,3", 9216);
	weights(f, "g", "128,5", 640);
	padded(f, "Conv", "x u", "a0");
	onnx_make_node(&f->make, "Relu", "a0", "a");
	n = padded(f, "Conv", "a v", "d0");
	onnx_write_int(&f->make, n, "group", CHANNELS);
	onnx_make_node(&f->make, "Relu", "d0", "d");
	onnx_make_node(&f->make, "Conv", "d w", "e0");
	onnx_make_node(&f->make, "Add", "e0 a", "e");
	padded(f, "Conv", "e k", "h0");
	onnx_make_node(&f->make, "Add", "h0 e", "h1");
	onnx_make_node(&f->make, "Relu", "h1", "h");
	n = padded(f, "MaxPool", "h", "p");
	onnx_write_ints(&f->make, n, "kernel_shape", 2, (int64_t[]){3, 3});
	onnx_write_ints(&f->make, n, "strides", 2, (int64_t[]){2, 2});
	onnx_make_node(&f->make, "Conv", "p w", "q");
	onnx_make_output(&f->make, "q");
	n = padded(f, "Conv", "p k", "s");
	onnx_write_ints(&f->make, n, "strides", 2, (int64_t[]){3, 3});
	onnx_make_node(&f->make, "Flatten", "s", "flat");
	onnx_make_node(&f->make, "MatMul", "flat g", "y");
	onnx_make_output(&f->make, "y");
	n = onnx_make_node(&f->make, "MaxPool", "s",
			   "z"); /* so that s is not part of the Flatten */
	onnx_write_ints(&f->make, n, "kernel_shape", 2, (int64_t[]){2, 2});
	onnx_make_output(&f->make, "z");
	if (import(f))
		fail_msg("%s", f->e.msg);
}

/* Few channels: the residual class of a and e, p pooled, m of one block, q an output. */
static void
make_narrow_net(Fixture *f)
{
	start(f, 13);
	onnx_make_input(&f->make, "x", DT_F32, "1,3,9,10");
	weights(f, "u", "5,3,3,3", 135);
	weights(f, "k", "5,5,3,3", 225);
	weights(f, "w", "16,5,1,1", 80);
	weights(f, "v", "3,16,1,1", 48);
	padded(f, "Conv", "x u", "a0");
	onnx_make_node(&f->make, "Relu", "a0", "a");
	padded(f, "Conv", "a k", "e0");
	onnx_make_node(&f->make, "Add", "e0 a", "e");
	onnx_write_ints(&f->make, padded(f, "MaxPool", "e", "p"), "kernel_shape", 2,
			(int64_t[]){3, 3});
	onnx_make_node(&f->make, "Conv", "p w", "m0");
	onnx_make_node(&f->make, "Relu", "m0", "m");
	onnx_make_node(&f->make, "Conv", "m v", "q");
	onnx_make_output(&f->make, "q");
	if (import(f))
		fail_msg("%s", f->e.msg);
}

static Plan *
plan_by(Fixture *f, Prices *p, int channels)
{
	FormCost cost = {p, price, LANES, channels};
	Plan *plan;

	p->asked = 0;
	if (plan_build(f->g, f->make.arena, &cost, &plan, &f->e))
		fail_msg("%s", f->e.msg);
	return plan;
}

static int
blocked(const Plan *p)
{
	int n = 0;

	for (int i = 0; i < p->buffer.n; i++)
		n += p->buffer.v[i].form.block_dim != TASK_NONE;
	return n;
}

static const Form *
form_of(const Plan *p, const char *name)
{
	for (int i = 0; i < p->buffer.n; i++)
		if (!strcmp(p->g->value.v[p->buffer.v[i].value].name, name))
			return &p->buffer.v[i].form;
	fail_msg("no buffer of %s", name);
	return NULL;
}

static void
cheaper_classes_are_blocked(void **state)
{
	static const char *const name[] = {"a", "d", "e", "h", "p"};
	Prices p = {.blocked = -10};
	FormCost cost = {&p, price, LANES, CHANNELS};
	PlanCheck c = {0};
	Plan *plan;
	Fixture f;

	(void)state;
	make_net(&f);
	plan = plan_by(&f, &p, CHANNELS);
	assert_int_equal(blocked(plan), 5);
	for (size_t i = 0; i < sizeof name / sizeof *name; i++)
		assert_int_equal(form_of(plan, name[i])->block, LANES);
	assert_true(form_is_plain(form_of(plan, "q")));
	assert_int_equal(form_of(plan, "s")->block_dim, TASK_NONE);
	assert_int_equal(form_of(plan, "a")->lo[2], 1);
	assert_int_equal(form_of(plan, "a")->hi[3], 1); /* the blocks are innermost, not the rows */
	if (!plan_check(f.g, f.make.arena, graph_random_inputs(f.g, f.make.arena, 3), 500, &cost,
			(PlanMemory){0}, &c))
		fail_msg("%s", c.e.msg);
	stop(&f);
}

static void
one_lane_makes_no_blocks(void **state)
{
	Prices p = {.blocked = -10};
	FormCost cost = {&p, price, 1, CHANNELS};
	Plan *plan;
	Fixture f;

	(void)state;
	make_net(&f);
	if (plan_build(f.g, f.make.arena, &cost, &plan, &f.e))
		fail_msg("%s", f.e.msg);
	assert_int_equal(blocked(plan), 0);
	stop(&f);
}

static void
few_channels_may_be_plain(void **state)
{
	Prices p = {.plain = -10}, dear = {.plain = 10};
	FormCost cost = {&p, price, LANES, CHANNELS};
	PlanCheck c = {0};
	Plan *plan;
	Fixture f;

	(void)state;
	make_narrow_net(&f);
	plan = plan_by(&f, &p, CHANNELS);
	assert_int_equal(form_of(plan, "a")->order[3], 3);
	assert_int_equal(form_of(plan, "e")->order[3], 3);
	assert_int_equal(form_of(plan, "p")->order[3], 3);
	assert_int_equal(form_of(plan, "m")->order[3], 1);
	if (!plan_check(f.g, f.make.arena, graph_random_inputs(f.g, f.make.arena, 4), 500, &cost,
			(PlanMemory){0}, &c))
		fail_msg("%s", c.e.msg);
	plan = plan_by(&f, &dear, CHANNELS);
	assert_int_equal(form_of(plan, "a")->order[3], 1);
	stop(&f);
}

static void
others_stay_channels_last(void **state)
{
	static const struct {
		double blocked;
		int channels;
	} list[] = {
		{-0.2, CHANNELS},     /* no more than the model may be wrong */
		{5, CHANNELS},        /* dearer */
		{NAN, CHANNELS},      /* unknown */
		{-10, CHANNELS + 16}, /* too few channels */
	};
	Prices none = {0};
	Plan *usual;
	Fixture f;

	(void)state;
	make_net(&f);
	assert_int_equal(plan_build(f.g, f.make.arena, NULL, &usual, &f.e), OK);
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		Prices p = {.blocked = list[i].blocked};
		Plan *plan = plan_by(&f, &p, list[i].channels);

		assert_int_equal(blocked(plan), 0);
		assert_int_equal(plan->task.n, usual->task.n);
		for (int v = 0; v < f.g->value.n; v++)
			assert_true(form_equal(&plan->form[v], &usual->form[v]));
	}
	plan_by(&f, &none, CHANNELS + 16);
	assert_int_equal(none.asked, 0);
	stop(&f);
}

/* One value of a residual class cannot be blocked: it is an output. */
static void
a_class_has_one_layout(void **state)
{
	Prices p = {.blocked = -10};
	Fixture f;
	Plan *plan;

	(void)state;
	make_net(&f);
	onnx_make_output(&f.make, "h");
	if (import(&f))
		fail_msg("%s", f.e.msg);
	plan = plan_by(&f, &p, CHANNELS);
	assert_int_equal(form_of(plan, "a")->block_dim, TASK_NONE);
	assert_int_equal(form_of(plan, "e")->block_dim, TASK_NONE);
	assert_int_equal(form_of(plan, "d")->block, LANES);
	stop(&f);
}

static void
run_and_compare(Fixture *f, const Bundle *b)
{
	const Graph *g = f->g;
	Arena *a = f->make.arena;
	const void **in = graph_random_inputs(g, a, 5);
	void **want = ARENA_ARRAY(a, void *, g->value.n + 1), *out[3];
	Executable *x;

	for (int i = 0; i < g->output.n; i++)
		out[i] = arena_alloc64(a, b->output[i].bytes);
	if (executable_open(b, &x, &f->e) || graph_run(g, a, in, want, &f->e) ||
	    executable_run(x, in, out, &f->e))
		fail_msg("%s", f->e.msg);
	for (int i = 0; i < g->output.n; i++) {
		const Value *v = &g->value.v[g->output.v[i]];
		Comparison c = compare_tensors(v->type, out[i], want[g->output.v[i]],
					       (size_t)value_count(v), (Tolerance){1e-5, 1e-5});

		if (!(c.worst <= 1))
			fail_msg("%s[%zu] is %g, wanted %g", v->name, c.at, c.got, c.want);
	}
	for (int i = 0; i < b->nlayer; i++) {
		const Value *v = &g->value.v[b->layer[i].value];
		Comparison c = compare_tensors(
			v->type, bundle_layer(b, i, out, executable_activations(x), g, a),
			want[b->layer[i].value], (size_t)value_count(v), (Tolerance){1e-5, 1e-5});

		if (!(c.worst <= 1))
			fail_msg("%s[%zu] is %g, wanted %g", v->name, c.at, c.got, c.want);
	}
	executable_close(x);
}

/* The Plan comes from a log, which compile follows as it is. */
static void
compute(const Bench *b, void make(Fixture *), Prices p)
{
	char digest[DIGEST_TEXT];
	Str text = {0}, key = {0};
	Target here;
	Digest d;
	Fixture f;
	Log *l;

	make(&f);
	d = graph_digest(f.g);
	digest_print(&d, digest);
	plan_print(plan_by(&f, &p, CHANNELS), &text);
	assert_int_equal(target_host(&here, &f.e), OK);
	target_key(&here, &key);
	assert_int_equal(log_open(b->path, &l, &f.e), OK);
	assert_int_equal(log_put_plan(l, digest, str_get(&key), str_get(&text), &f.e), OK);
	for (int way = 0; way < 4; way++) {
		CompileOptions opt = {.log = l, .scalar = way & 1, .keep = way & 2, .name = "net"};
		Bundle bundle;

		if (compile(f.g, f.make.arena, &opt, &bundle, &f.e))
			fail_msg("%s", f.e.msg);
		assert_string_equal(bundle.plan, "logged");
		run_and_compare(&f, &bundle);
	}
	log_close(l);
	str_fini(&text);
	str_fini(&key);
	stop(&f);
}

static void
blocked_models_compute(void **state)
{
	compute(*state, make_net, (Prices){.blocked = -10});
}

static void
models_of_whole_planes_compute(void **state)
{
	compute(*state, make_narrow_net, (Prices){.plain = -10});
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cheaper_classes_are_blocked),
		cmocka_unit_test(one_lane_makes_no_blocks),
		cmocka_unit_test(few_channels_may_be_plain),
		cmocka_unit_test(others_stay_channels_last),
		cmocka_unit_test(a_class_has_one_layout),
		cmocka_unit_test_setup_teardown(blocked_models_compute, setup, teardown),
		cmocka_unit_test_setup_teardown(models_of_whole_planes_compute, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
