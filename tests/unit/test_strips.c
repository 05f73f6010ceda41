/* Tasks cut into strips of rows: they compute what they did, by the oracle; plans that share rows
 * to fit into memory; small models compiled so, against the reference kernels.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "deploy/compare.h"
#include "deploy/compile.h"
#include "deploy/execute.h"
#include "graph/oracle.h"
#include "graph/zoo.h"
#include "import_case.h"
#include "search_space/space.h"
#include "task_case.h"
#include "tests/support/graph_random.h"

/* expand, depthwise, project: stride, padding before, rows, columns, rows and columns of the
 * result, a residual */
static const char *
inverted(Arena *a, int stride, int pad, int h, int w, int p, int q, bool residual)
{
	return arena_printf(a,
			    "task\n in x f32[1,3,%d,%d]\n const u f32[5,3]\n const v f32[5,3,3]\n"
			    " const w f32[4,5]\n in z f32[1,4,%d,%d]\n tmp e f32[1,5,%d,%d]\n"
			    " tmp d f32[1,5,%d,%d]\n out y f32[1,4,%d,%d]\n"
			    " stage k:5 p:%d q:%d | c:3\n  acc f32 sum x[0,c,p,q] * u[k,c]\n"
			    "  e[0,k,p,q] = min(max(acc + 0.5, 0), 6)\n"
			    " stage k:5 p:%d q:%d | i:3 j:3\n"
			    "  acc f32 sum e[0,k,%d*p+i-%d,%d*q+j-%d else 0] * v[k,i,j]\n"
			    "  d[0,k,p,q] = max(acc + 0.25, 0)\n"
			    " stage k:4 p:%d q:%d | c:5\n  acc f32 sum d[0,c,p,q] * w[k,c]\n"
			    "  y[0,k,p,q] = acc%s\n",
			    h, w, p, q, h, w, p, q, p, q, h, w, p, q, stride, pad, stride, pad, p,
			    q, residual ? " + z[0,k,p,q]" : " + 2 * max(z[0,k,p,q], 0)");
}

static const char pooled[] = "task\n in x f32[2,9,7]\n tmp m f32[2,9,7]\n out y f32[2,5,7]\n"
			     " stage c:2 p:9 q:7 | i:3\n"
			     "  acc f32 sum x[c,p+i-1,q else 0]\n  m[c,p,q] = acc - 3\n"
			     " stage c:2 p:5 q:7 | i:3\n"
			     "  acc f32 max m[c,2*p+i-1,q else -inf]\n  y[c,p,q] = acc\n";

/* Two readers of one temporary, one of them two stages later. */
static const char forked[] = "task\n in x f32[11,3]\n tmp a f32[11,3]\n tmp b f32[11,3]\n"
			     " out y f32[11,3]\n"
			     " stage m:11 n:3 | k:3\n  acc f32 sum x[m,k] * x[m,n]\n"
			     "  a[m,n] = acc\n"
			     " stage m:11 n:3 | i:5\n  acc f32 sum a[m+i-2,n else 0]\n"
			     "  b[m,n] = acc\n"
			     " stage m:11 n:3 | i:2\n  acc f32 sum b[m+i-1,n else 0]\n"
			     "  y[m,n] = acc * a[m,n]\n";

static const void **
contents(Arena *a, const Task *t)
{
	const void **data = ARENA_ARRAY(a, const void *, t->tensor.n + 1);

	for (int i = 0; i < t->tensor.n; i++) {
		size_t n = (size_t)tensor_count(&t->tensor.v[i]);
		float *v = arena_alloc(a, n * sizeof *v);

		rng_fill(DT_F32, v, n, (uint64_t)i + 5, -1, 1);
		data[i] = v;
	}
	return data;
}

static int
tensor_named(const Task *t, const char *name)
{
	for (int i = 0; i < t->tensor.n; i++)
		if (!strcmp(t->tensor.v[i].name, name))
			return i;
	return TASK_NONE;
}

static void
assert_same(Arena *a, const Task *whole, const Task *cut, const char *what)
{
	const void **data = contents(a, whole);
	Oracle *x = oracle_new(whole, data), *y = oracle_new(cut, data);
	int out = tensor_named(whole, "y");
	const TaskTensor *o = &whole->tensor.v[out];
	int64_t ix[TASK_RANK_MAX] = {0};

	for (int64_t i = 0; i < tensor_count(o); i++) {
		double want = oracle_at(x, out, ix).v, got = oracle_at(y, out, ix).v;

		if (!(fabs(want - got) < 1e-12))
			fail_msg("%s: element %lld is %g, wanted %g", what, (long long)i, got,
				 want);
		for (int d = o->rank - 1; d >= 0 && ++ix[d] == o->dim[d]; d--)
			ix[d] = 0;
	}
	oracle_free(x);
	oracle_free(y);
}

/* Every height of strips; returns how many cut. */
static int
cut_all(const char *text)
{
	Arena *a = arena_new();
	Task *whole = parse_task(a, text);
	Err e = {0};
	int cuts = 0;

	for (int rows = 1; rows < 12; rows++) {
		Task *t = task_copy(a, whole);
		size_t room;
		Str s = {0};

		if (task_cut(t, rows, &room))
			break;
		task_print(t, &s);
		if (task_check(t, &e))
			fail_msg("%s\n%s", e.msg, s.s);
		assert_same(a, whole, t, s.s);
		assert_same(a, whole, parse_task(a, s.s), s.s);
		assert_true(room > 0);
		cuts++;
		str_fini(&s);
	}
	arena_free(a);
	return cuts;
}

static void
strips_compute_the_same(void **state)
{
	Arena *a = arena_new();

	(void)state;
	assert_int_equal(cut_all(inverted(a, 1, 1, 9, 7, 9, 7, true)), 8);
	assert_int_equal(cut_all(inverted(a, 1, 0, 9, 7, 7, 5, false)), 6);
	assert_int_equal(cut_all(inverted(a, 2, 1, 9, 8, 5, 4, false)), 4);
	assert_int_equal(cut_all(inverted(a, 2, 0, 8, 9, 4, 4, true)), 3);
	assert_int_equal(cut_all(inverted(a, 3, 2, 10, 7, 4, 3, true)), 3);
	assert_int_equal(cut_all(pooled), 6); /* along q, which no window widens */
	assert_int_equal(cut_all(forked), 10);
	arena_free(a);
}

/* One strip of expand and depthwise: rows that the taps reach, times columns and channels. */
static void
room_is_that_of_one_strip(void **state)
{
	Arena *a = arena_new();
	Task *t = parse_task(a, inverted(a, 2, 1, 9, 8, 5, 4, false));
	size_t room;

	(void)state;
	assert_int_equal(task_cut(t, 2, &room), OK);
	assert_int_equal(room, (5 * 8 * 5 * 4 + 63) / 64 * 64 + (2 * 4 * 5 * 4 + 63) / 64 * 64);
	assert_int_equal(task_cut(t, 1, &room), NOT_APPLICABLE); /* once is enough */
	arena_free(a);
}

/* Every variant of the Space keeps to the room, the plainest too; a Sched that does not is refused.
 */
static void
schedules_keep_to_the_room(void **state)
{
	Arena *a = arena_new();
	Task *t = parse_task(a, inverted(a, 2, 1, 9, 8, 5, 4, true));
	TaskForm f = task_form_plain(a, t);
	char why[LOWER_WHY_MAX];
	Target target;
	Lowered low;
	Space s;
	Str text = {0};
	Err e = {0};

	(void)state;
	assert_int_equal(task_cut(t, 2, &f.room), OK);
	f = (TaskForm){.n = t->tensor.n, .v = task_form_plain(a, t).v, .room = f.room};
	if (target_host(&target, &e) || space_build(a, t, &f, &target, TOLERANCE_DEFAULT, &s, &e))
		fail_msg("%s", e.msg);
	assert_true(s.variant.n > 1);
	for (int i = 0; i < s.variant.n; i++) {
		const char *sched = space_text(&s, a, &(Pick){.variant = i});

		if (lowered_from_text(a, t, &f, sched, &target, &low, why, &e))
			fail_msg("%s %s\n%s", why, e.msg, sched);
		assert_true((size_t)low.loop->scratch_bytes <= f.room);
	}
	sched_print(&low.sched, t, &text);
	assert_memory_equal(text.s, "direct\nfuse ", 12);
	memmove(text.s + 7, strchr(text.s + 7, '\n') + 1, strlen(strchr(text.s + 7, '\n')));
	assert_int_equal(lowered_from_text(a, t, &f, text.s, &target, &low, why, &e),
			 NOT_APPLICABLE);
	assert_non_null(strstr(why, "room for"));
	str_fini(&text);
	arena_free(a);
}

static void
what_cannot_be_cut_stays(void **state)
{
	static const char *const text[] = {
		/* one stage */
		"task\n in x f32[8,4]\n out y f32[8,4]\n stage m:8 n:4\n  y[m,n] = x[m,n]\n",
		/* every element needs all rows */
		"task\n in x f32[8,4]\n tmp s f32[2]\n out y f32[8,4]\n"
		" stage i:2 | m:8 n:4\n  acc f32 sum x[m,n]\n  s[i] = acc\n"
		" stage m:8 n:4\n  y[m,n] = x[m,n] - s[0] * s[1]\n",
		/* rows in reverse */
		"task\n in x f32[8]\n tmp t f32[8]\n out y f32[8]\n"
		" stage m:8 | k:2\n  acc f32 sum x[m] * x[k]\n  t[m] = acc\n"
		" stage m:8\n  y[m] = t[7-m]\n",
		/* two outputs */
		"task\n in x f32[8]\n out t f32[8]\n out y f32[8]\n"
		" stage m:8\n  t[m] = x[m]\n stage m:8\n  y[m] = t[m] + 1\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
		Arena *a = arena_new();
		Task *t = parse_task(a, text[i]);
		Digest before = task_digest(t), after;
		size_t room;

		assert_int_equal(task_cut(t, 2, &room), NOT_APPLICABLE);
		after = task_digest(t);
		assert_true(digest_equal(&before, &after));
		arena_free(a);
	}
}

static Graph *
vww_mobilenet(Arena *a)
{
	const void *bytes;
	size_t size;
	ImportReport report;
	Graph *g;
	Err e = {0};

	import_report_init(&report);
	if (zoo_build("vww_mobilenet", 1, a, &bytes, &size, &e) ||
	    graph_import_memory(bytes, size, NULL, NULL, &g, &report, &e))
		fail_msg("%s", e.msg);
	import_report_fini(&report);
	return g;
}

/* Inputs, outputs, live temporaries and rooms of a plan in so much memory. */
static size_t
planned(const Graph *g, Arena *a, size_t bytes, int threads, Plan **p)
{
	Err e = {0};
	int step;

	if (plan_build_within(g, a, NULL, (PlanMemory){bytes, threads}, p, &e))
		fail_msg("%s", e.msg);
	return plan_given_bytes(*p) + plan_peak(*p, a, threads, &step);
}

static void
plans_fit(void **state)
{
	Arena *a = arena_new();
	Graph *g;
	Err e = {0};
	Plan *p, *again;
	size_t whole, least;
	Str first = {0}, second = {0};

	(void)state;
	g = vww_mobilenet(a);
	whole = planned(g, a, 0, 1, &p);
	assert_null(p->groups.rows);
	least = planned(g, a, 1, 1, &p);
	assert_true(least < whole * 7 / 10);
	for (size_t bytes = whole; bytes > least + 4096; bytes -= 4096)
		for (int threads = 1; threads < 3; threads++) {
			size_t got = planned(g, a, bytes, threads, &p);

			if (threads == 1 && got > bytes)
				fail_msg("%zu bytes planned, there are %zu", got, bytes);
		}
	planned(g, a, least, 1, &p);
	plan_print(p, &first);
	if (plan_parse(first.s, g, a, &again, &e))
		fail_msg("%s", e.msg);
	plan_print(again, &second);
	assert_string_equal(first.s, second.s);
	assert_non_null(strstr(first.s, " rows "));
	assert_non_null(strstr(first.s, " room "));
	assert_string_not_equal(plan_key(g, (PlanMemory){0}, a),
				plan_key(g, (PlanMemory){9, 1}, a));
	str_fini(&first);
	str_fini(&second);
	graph_free(g);
	arena_free(a);
}

static void
plans_of_bad_rows_are_refused(void **state)
{
	Arena *a = arena_new();
	Graph *g;
	Err e = {0};
	Plan *p;
	Str s = {0};
	char *text;

	(void)state;
	g = vww_mobilenet(a);
	planned(g, a, 1, 1, &p);
	plan_print(p, &s);
	text = strstr(s.s, "rows ");
	assert_non_null(text);
	memcpy(text, "rows 9", 6); /* 9.. rows: one strip is all there is */
	text = arena_printf(a, "%.*s999%s", (int)(text + 6 - s.s), s.s, strchr(text, '\n'));
	assert_int_equal(plan_parse(text, g, a, &p, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "no strips"));
	str_fini(&s);
	graph_free(g);
	arena_free(a);
}

static void
weights(Fixture *f, const char *name, const char *dims, size_t n)
{
	float *w = arena_alloc(f->make.arena, n * sizeof *w);

	rng_fill(DT_F32, w, n, n + (uint64_t)name[0], -0.5, 0.5);
	onnx_make_const(&f->make, name, DT_F32, dims, w);
}

/* A convolution with its weights named after its output. */
static void
conv(Fixture *f, const char *in, const char *out, int k, int c, int taps, int stride, int group)
{
	const char *w = arena_printf(f->make.arena, "%c%s", 'w', out);
	Onnx__NodeProto *n =
		onnx_make_node(&f->make, "Conv", arena_printf(f->make.arena, "%s %s", in, w), out);
	int pad = taps / 2;

	weights(f, w, arena_printf(f->make.arena, "%d,%d,%d,%d", k, c / group, taps, taps),
		(size_t)(k * c / group * taps * taps));
	onnx_write_ints(&f->make, n, "pads", 4, (int64_t[]){pad, pad, pad, pad});
	onnx_write_ints(&f->make, n, "strides", 2, (int64_t[]){stride, stride});
	onnx_write_int(&f->make, n, "group", group);
}

/* Two inverted residuals, of stride 1 with its residual and of stride 2, on odd extents. */
static void
make_net(Fixture *f)
{
	start(f, 13);
	onnx_make_input(&f->make, "x", DT_F32, "1,4,19,13");
	conv(f, "x", "a", 24, 4, 1, 1, 1);
	onnx_make_node(&f->make, "Relu", "a", "ar");
	conv(f, "ar", "b", 24, 24, 3, 1, 24);
	onnx_make_node(&f->make, "Sigmoid", "b", "br");
	conv(f, "br", "c", 4, 24, 1, 1, 1);
	onnx_make_node(&f->make, "Add", "c x", "d");
	conv(f, "d", "e", 24, 4, 1, 1, 1);
	onnx_make_node(&f->make, "Sigmoid", "e", "er"); /* not 0 where there is no row */
	conv(f, "er", "g", 24, 24, 3, 2, 24);
	onnx_make_node(&f->make, "Relu", "g", "gr");
	conv(f, "gr", "y", 7, 24, 1, 1, 1);
	onnx_make_output(&f->make, "y");
	if (import(f))
		fail_msg("%s", f->e.msg);
}

/* Bytes of activations in so much memory, 0: there is too little; compares the outputs. */
static size_t
run_in(const Fixture *f, size_t memory, bool scalar, int threads)
{
	static const Tolerance close_enough = {1e-5, 2e-6};
	Arena *a = arena_new();
	const Graph *g = f->g;
	CompileOptions opt = {.scalar = scalar, .memory = memory, .threads = threads};
	void **want = ARENA_ARRAY(a, void *, g->value.n + 1), *out;
	const void **in = graph_random_inputs(g, a, 3);
	const Value *y = &g->value.v[g->output.v[0]];
	Executable *x;
	Comparison c;
	Bundle b;
	Err e = {0};
	int rc = compile(g, a, &opt, &b, &e);

	if (rc == ERR_UNSUPPORTED && strstr(e.msg, "activations take")) {
		arena_free(a);
		return 0;
	}
	if (rc || executable_open(&b, &x, &e))
		fail_msg("%s", e.msg);
	assert_true(!memory || b.mutable_bytes + b.activations_bytes <= memory);
	out = arena_alloc64(a, b.output[0].bytes);
	if (graph_run(g, a, in, want, &e) || executable_run(x, in, &out, &e))
		fail_msg("%s", e.msg);
	c = compare_tensors(y->type, out, want[g->output.v[0]], (size_t)value_count(y),
			    close_enough);
	if (!(c.worst <= 1))
		fail_msg("in %zu bytes: y[%zu] is %g, wanted %g", memory, c.at, c.got, c.want);
	rc = (int)b.activations_bytes;
	executable_close(x);
	arena_free(a);
	return (size_t)rc;
}

static void
models_run_in_little_memory(void **state)
{
	Fixture f;
	size_t whole, got, given, least;

	(void)state;
	make_net(&f);
	for (int way = 0; way < 4; way++) {
		Arena *a = arena_new();
		Plan *p;

		given = (planned(f.g, a, 0, 1, &p), plan_given_bytes(p));
		arena_free(a);
		whole = least = run_in(&f, 0, way & 1, way & 2 ? 2 : 1);
		for (size_t n = whole; n > whole / 8; n -= whole / 8) {
			got = run_in(&f, given + n, way & 1, way & 2 ? 2 : 1);
			least = got && got < least ? got : least;
		}
		if (least * 2 > whole)
			fail_msg("way %d: %zu bytes at least, %zu whole", way, least, whole);
		assert_int_equal(run_in(&f, 64, way & 1, way & 2 ? 2 : 1), 0);
	}
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strips_compute_the_same),
		cmocka_unit_test(room_is_that_of_one_strip),
		cmocka_unit_test(schedules_keep_to_the_room),
		cmocka_unit_test(what_cannot_be_cut_stays),
		cmocka_unit_test(plans_fit),
		cmocka_unit_test(plans_of_bad_rows_are_refused),
		cmocka_unit_test(models_run_in_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
