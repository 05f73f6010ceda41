/* compile under a tolerance class, with logs whose best row is of an algorithm that is too lossy.
 */
#include <string.h>

#include "deploy/compile.h"
#include "tests/unit/log_case.h"
#include "tests/unit/tune_case.h"

static Graph *
make_model(void)
{
	static float w[32 * 32 * 9];
	OnnxMake m;

	onnx_make_init(&m, 13);
	onnx_make_input(&m, "x", DT_F32, "1,32,16,16");
	onnx_make_const(&m, "w", DT_F32, "32,32,3,3", w);
	onnx_write_ints(&m, onnx_make_node(&m, "Conv", "x w", "y"), "pads", 4,
			(const int64_t[]){1, 1, 1, 1});
	onnx_make_output(&m, "y");
	return tune_case_import(&m);
}

/* A row of the model's only Task under the cheapest pick of an algorithm. */
static LogRow
row_of(Arena *a, const Graph *g, const char *algorithm, double ns)
{
	char task[DIGEST_TEXT], form[DIGEST_TEXT];
	LogRow r = row("", ns);
	const PlanTask *t;
	Target target;
	Str key = {0};
	Err e = {0};
	Plan *plan;
	Space s;

	if (target_host(&target, &e) || plan_build(g, a, NULL, &plan, &e))
		fail_msg("%s", e.msg);
	t = &plan->task.v[0];
	if (space_build(a, t->task, &t->form, &target, TOLERANCE_DEFAULT, &s, &e))
		fail_msg("%s", e.msg);
	digest_print(&t->task_key, task);
	digest_print(&t->form_key, form);
	target_key(&target, &key);
	r.key.task = arena_strdup(a, task);
	r.key.form = arena_strdup(a, form);
	r.key.target = arena_strdup(a, str_get(&key));
	str_fini(&key);
	r.algorithm = algorithm;
	for (int i = 0; i < s.variant.n && !*r.sched; i++)
		if (!strcmp(s.variant.v[i].rewrite, algorithm))
			r.sched = space_text(&s, a, &(Pick){.variant = i});
	assert_true(*r.sched);
	return r;
}

/* Compiles with the log; the only kernel. */
static BundleKernel
kernel_of(Arena *a, const Graph *g, Log *l, ToleranceClass tolerance)
{
	CompileOptions opt = {.log = l, .tolerance = tolerance, .key = {.device = "AMD EPYC"}};
	Err e = {0};
	Bundle b;

	if (compile(g, a, &opt, &b, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(b.nkernel, 1);
	return b.kernel[0];
}

static void
the_best_allowed_row_is_taken(void **state)
{
	Bench *b = *state;
	Graph *g = make_model();
	LogRow r[3] = {row_of(b->a, g, "winograd4", 10), row_of(b->a, g, "direct", 30),
		       row_of(b->a, g, "winograd2", 20)};
	BundleKernel k;
	Err e = {0};
	Log *l;

	assert_int_equal(log_open(b->path, &l, &e), OK);
	assert_int_equal(log_add(l, r, 3, &e), OK);
	k = kernel_of(b->a, g, l, TOLERANCE_DEFAULT);
	assert_string_equal(k.algorithm, "winograd4");
	assert_string_equal(k.grade, "exact");
	k = kernel_of(b->a, g, l, TOLERANCE_STRICT);
	assert_string_equal(k.algorithm, "winograd2");
	assert_string_equal(k.grade, "target");
	assert_non_null(strstr(k.note, "tolerance"));
	log_close(l);
	graph_free(g);
}

static void
without_an_allowed_row_the_model_chooses(void **state)
{
	Bench *b = *state;
	Graph *g = make_model();
	LogRow r = row_of(b->a, g, "winograd4", 10), liar = r;
	BundleKernel k;
	Err e = {0};
	Log *l;

	assert_int_equal(log_open(b->path, &l, &e), OK);
	assert_int_equal(log_add(l, &r, 1, &e), OK);
	k = kernel_of(b->a, g, l, TOLERANCE_STRICT);
	assert_string_equal(k.grade, "estimate");
	assert_string_not_equal(k.algorithm, "winograd4");
	liar.algorithm = "direct"; /* a log that somebody edited */
	liar.key.tolerance = "strict";
	assert_int_equal(log_add(l, &liar, 1, &e), OK);
	k = kernel_of(b->a, g, l, TOLERANCE_STRICT);
	assert_string_equal(k.grade, "estimate");
	assert_string_not_equal(k.algorithm, "winograd4");
	assert_non_null(strstr(k.note, "not of the algorithm"));
	k = kernel_of(b->a, g, NULL, TOLERANCE_STRICT);
	assert_string_not_equal(k.algorithm, "winograd4");
	log_close(l);
	graph_free(g);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_best_allowed_row_is_taken),
		CASE(without_an_allowed_row_the_model_chooses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
