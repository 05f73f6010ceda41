/* The space: its texts read back, its picks are ordered and distinct, nearly all it ranks high
 * lowers on every Target, and the pool that constant stages make is right. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "codegen/lowered.h"
#include "search_space/cost.h"
#include "search_space/options.h"
#include "tests/support/kernel_run.h"
#include "tests/unit/space_case.h"

enum { SOFTMAX = 3 };

static const char *const tasks[] = {
	CONV3X3,
	"task\n in x f32[144,28,28]\n const w f32[144,3,3]\n out y f32[144,14,14]\n"
	" stage k:144 p:14 q:14 | i:3 j:3\n"
	"  acc f32 sum x[k,2*p+i-1,2*q+j-1 else 0] * w[k,i,j]\n  y[k,p,q] = acc\n",
	"task\n in a f32[40,64]\n in b f32[64,50]\n out y f32[40,50]\n"
	" stage m:40 n:50 | k:64\n  acc f32 sum a[m,k] * b[k,n]\n  y[m,n] = acc\n",
	"task\n in x f32[12,77]\n tmp m f32[12]\n tmp e f32[12,77]\n tmp s f32[12]\n"
	" out y f32[12,77]\n stage r:12 | c:77\n  acc f32 max x[r,c]\n  m[r] = acc\n"
	" stage r:12 c:77\n  e[r,c] = exp(x[r,c] - m[r])\n"
	" stage r:12 | c:77\n  acc f32 sum e[r,c]\n  s[r] = acc\n"
	" stage r:12 c:77\n  y[r,c] = e[r,c] / s[r]\n",
	"task\n in x f32[3,5,7]\n out y f32[7,3,5]\n stage a:7 b:3 c:5\n  y[a,b,c] = x[b,c,a]\n",
	"task\n in x f32[]\n out y f32[]\n stage\n  y[] = x[] + 1\n",
};

static void
picks_are_ordered_and_distinct(void **state)
{
	enum { N = 60 };

	(void)state;
	for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
		Pick top[N];
		Fixture f;
		int n;

		start(&f, tasks[i], "x86-64-v3");
		n = space_top(&f.s, N, top);
		assert_true(n >= 1);
		for (int v = 0; v < f.s.variant.n; v++) {
			bool found = false;

			for (int k = 0; k < n; k++)
				found |= top[k].variant == v;
			assert_true(found);
		}
		for (int k = 1; k < n; k++) {
			assert_true(space_cost(&f.s, &top[k - 1]) <= space_cost(&f.s, &top[k]));
			for (int j = 0; j < k; j++)
				assert_string_not_equal(space_text(&f.s, f.a, &top[j]),
							space_text(&f.s, f.a, &top[k]));
		}
		stop(&f);
	}
}

static void
texts_lead_back_to_their_picks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
		Fixture f;
		Rng rng;

		start(&f, tasks[i], "x86-64-v3");
		rng_init(&rng, i);
		for (int k = 0; k < 20; k++) {
			Pick p = space_random(&f.s, &rng), found;
			const char *text = space_text(&f.s, f.a, &p);

			assert_int_equal(space_find(&f.s, text, &found), OK);
			assert_string_equal(space_text(&f.s, f.a, &found), text);
		}
		assert_int_equal(space_find(&f.s, "direct\nnonsense", &(Pick){0}), NOT_APPLICABLE);
		stop(&f);
	}
}

/* First come the values that most options have. */
static void
varied_picks_have_every_value_of_a_knob(void **state)
{
	enum { MANY = 200 };
	bool seen[2][2] = {{false}};
	Pick pick[MANY];
	Fixture f;
	int n;

	(void)state;
	start(&f, tasks[1], "x86-64-v3");
	n = space_varied(&f.s, 0, INFINITY, MANY, pick);
	assert_true(n > 4 && n < 40);
	for (int i = -1; i < n; i++) {
		int k = i < 0 ? 0 : pick[i].option[0];
		const Option *o = &f.s.variant.v[0].stage[0].option.v[k];

		seen[0][o->knob[KNOB_PEEL]] = seen[1][o->knob[KNOB_PREFETCH]] = true;
	}
	assert_true(seen[0][0] && seen[0][1] && seen[1][0]);
	assert_int_equal(space_varied(&f.s, 0, 0, MANY, pick), 0);
	assert_int_equal(space_varied(&f.s, 0, INFINITY, 3, pick), 3);
	stop(&f);
}

static void
long_tasks_are_refused(void **state)
{
	Fixture f;

	(void)state;
	start(&f, tasks[4], "x86-64-v3");
	while (f.t->stage.n <= TASK_STAGES_MAX)
		vec_push(f.a, &f.t->stage, f.t->stage.v[0]);
	assert_int_equal(space_build(f.a, f.t, &f.f, &f.target, TOLERANCE_DEFAULT, &f.s, &f.e),
			 ERR_UNSUPPORTED);
	assert_string_equal(f.e.msg, "task of 65 stages, expected at most 64");
	stop(&f);
}

static void
texts_read_back(void **state)
{
	Rng rng;

	(void)state;
	rng_init(&rng, 5);
	for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
		Fixture f;

		start(&f, tasks[i], "x86-64-v4");
		for (int k = 0; k < 40; k++) {
			Pick p = space_random(&f.s, &rng);
			const Variant *v = &f.s.variant.v[p.variant];
			const char *text = space_text(&f.s, f.a, &p);
			Str again = {0};
			Sched q;

			if (sched_parse(text, v->task, f.a, &q, &f.e))
				fail_msg("%s\n%s", f.e.msg, text);
			sched_print(&q, v->task, &again);
			assert_string_equal(text, again.s);
			str_fini(&again);
		}
		stop(&f);
	}
}

static void
neighbours_differ_in_one_knob(void **state)
{
	enum { N = 4000 };
	static Pick out[N];
	double last[TASK_STAGES_MAX] = {0};
	Pick p = {0};
	Fixture f;
	int n;

	(void)state;
	start(&f, CONV3X3, "x86-64-v4");
	n = space_neighbours(&f.s, &p, N, out);
	assert_true(n > 5);
	for (int i = 0; i < n; i++) {
		const Variant *v = &f.s.variant.v[0];
		double cost = space_cost(&f.s, &out[i]);
		int apart = 0, moved = 0;

		assert_int_equal(out[i].variant, 0);
		for (int s = 0; s < v->task->stage.n; s++) {
			moved = out[i].option[s] ? s : moved;
			for (int k = 0; k < SPACE_KNOBS_MAX; k++)
				apart += v->stage[s].option.v[0].knob[k] !=
					 v->stage[s].option.v[out[i].option[s]].knob[k];
		}
		assert_int_equal(apart, 1);
		assert_true(last[moved] <= cost); /* cheapest first among those of one stage */
		last[moved] = cost;
	}
	stop(&f);
}

/* What the model ranks first must be worth sending: most of it lowers, and an estimate exists. */
static void
the_best_lower_everywhere(void **state)
{
	static const char *const targets[] = {"x86-64", "x86-64-v3", "x86-64-v4", "cortex-a53",
					      "neoverse-n1"};
	enum { N = 12 };

	(void)state;
	for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
		for (size_t k = 0; k < sizeof targets / sizeof *targets; k++) {
			char why[LOWER_WHY_MAX] = "";
			Pick top[N];
			Lowered l;
			Fixture f;
			int n, refused = 0;
			Emit *m;

			start(&f, tasks[i], targets[k]);
			n = space_top(&f.s, N, top);
			for (int p = 0; p < n; p++)
				refused += lowered_from_text(f.a, f.t, &f.f,
							     space_text(&f.s, f.a, &top[p]),
							     &f.target, &l, why, &f.e) != OK;
			if (2 * refused > n)
				fail_msg("task %zu on %s: %d of %d refused: %s %s", i, targets[k],
					 refused, n, why, f.e.msg);
			assert_int_equal(emit_open("llvm", &f.target, &m, &f.e), OK);
			assert_int_equal(lowered_estimate(f.a, f.t, &f.f, m, TOLERANCE_DEFAULT, "k",
							  &l, &f.e),
					 OK);
			/* without FMA products need registers, too; so do exponentials */
			if (l.code.spills && k && i != SOFTMAX)
				fail_msg("task %zu on %s: %d spills: %s", i, targets[k],
					 l.code.spills, l.text);
			emit_close(m);
			stop(&f);
		}
}

/* Peeling a window of 7 by 7 makes more nodes than a Loop may have, so the cheapest dozens are
 * refused: a better one than the plainest schedule is found behind them. */
static void
estimates_look_behind_refusals(void **state)
{
	static const char *const stem =
		"task\n in x f32[3,224,224]\n const w f32[64,3,7,7]\n out y f32[64,112,112]\n"
		"stage k:64 p:112 q:112 | c:3 i:7 j:7\n"
		" acc f32 sum x[c,2*p+i-3,2*q+j-3 else 0] * w[k,c,i,j]\n y[k,p,q] = max(acc, 0)\n";
	Lowered l;
	Fixture f;
	Emit *m;

	(void)state;
	start(&f, stem, "x86-64-v4");
	f.f.v[2] = form_plain(3);
	memcpy(f.f.v[2].order, (int[]){1, 2, 0}, sizeof(int[3]));
	assert_int_equal(emit_open("llvm", &f.target, &m, &f.e), OK);
	assert_int_equal(lowered_estimate(f.a, f.t, &f.f, m, TOLERANCE_DEFAULT, "k", &l, &f.e), OK);
	emit_close(m);
	assert_non_null(strstr(l.text, "vec=k"));
	stop(&f);
}

/* The pool that code for this machine makes equals the one made from the oracle's constants. */
static void
constant_stages_make_the_pool(void **state)
{
	static const char *const texts[] = {
		"direct\nnest vec=k k:32 p:1 q:7 | c:4 i:1 j:1\n",
		"winograd2\nnest vec=c c:16 ty:1 tx:1\nnest vec=c c:16 ty:1 tx:1\n"
		"nest vec=k k:16 a:1 b:1 ty:1 tx:7 | c:2\nnest vec=k k:16 ty:1 tx:1\n"
		"nest vec=k k:16 ty:1 tx:1\n",
	};
	Emit *host;
	Fixture f;

	(void)state;
	start(&f, CONV3X3, "x86-64-v4");
	assert_int_equal(target_host(&f.target, &f.e), OK);
	assert_int_equal(emit_open("llvm", &f.target, &host, &f.e), OK);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const void *given[2];
		char why[LOWER_WHY_MAX];
		KernelRun r;
		Lowered l;
		void *pool;
		int n = 0;

		if (kernel_run_open(&r, f.a, host, f.t, &f.f, texts[i], GUARD_AFTER, 3, why,
				    &f.e) ||
		    lowered_from_text(f.a, f.t, &f.f, texts[i], &f.target, &l, why, &f.e))
			fail_msg("%s %s", why, f.e.msg);
		for (int k = 0; k < f.t->tensor.n; k++)
			if (f.t->tensor.v[k].kind == TENSOR_CONST)
				given[n++] = r.logical[k];
		if (lowered_pool(f.a, &l, host, given, &pool, &f.e))
			fail_msg("%s", f.e.msg);
		assert_int_equal(l.loop->pool_bytes, r.pool.bytes);
		for (size_t k = 0; k < r.pool.bytes / 4; k++) {
			float a = ((const float *)pool)[k], b = ((const float *)r.pool.p)[k];

			if (!(fabsf(a - b) <= 1e-6f))
				fail_msg("pool[%zu] is %g, expected %g", k, a, b);
		}
		kernel_run_close(&r);
	}
	emit_close(host);
	stop(&f);
}

/* Pixels of 2,048 channels are 8 KiB apart and share one set of the first cache: tiles that walk
 * more of them than it has ways are much dearer. */
static void
rows_that_collide_are_dear(void **state)
{
	double few = INFINITY, many = INFINITY;
	const StageOptions *list;
	Fixture f;

	(void)state;
	start(&f, CONV7, "x86-64-v4");
	list = &f.s.variant.v[0].stage[0];
	for (int i = 0; i < list->option.n; i++) {
		const Option *o = &list->option.v[i];
		double *least = o->knob[KNOB_TILE_A] > 12 ? &many : &few;

		*least = fmin(*least, o->ns);
	}
	assert_true(isfinite(few) && many > 1.3 * few);
	stop(&f);
}

/* Some Winograd is strict enough, some is not. */
static void
a_strict_space_has_no_lossy_algorithm(void **state)
{
	double most[2] = {0};
	Space strict;
	Fixture f;

	(void)state;
	start(&f, CONV3X3, "x86-64-v4");
	assert_int_equal(space_build(f.a, f.t, &f.f, &f.target, TOLERANCE_STRICT, &strict, &f.e),
			 OK);
	for (int i = 0; i < f.s.variant.n; i++)
		most[0] = fmax(most[0], f.s.variant.v[i].slack);
	for (int i = 0; i < strict.variant.n; i++)
		most[1] = fmax(most[1], strict.variant.v[i].slack);
	assert_true(most[0] == 40 && most[1] == 4);
	assert_true(strict.variant.n < f.s.variant.n);
	stop(&f);
}

/* Channels that do not fill their vectors: the best nest shares the lanes with terms, and nests
 * that do not are offered too. Where channels fill them, or where terms do not lie side by side,
 * none does. */
static void
narrow_channels_share_lanes(void **state)
{
	static const struct {
		const char *k, *x, *order;
		bool want;
	} list[] = {
		{"24", "96,9,9", "bca", true},  {"40", "96,9,9", "bca", true},
		{"4", "96,9,9", "bca", true},   {"32", "96,9,9", "bca", false},
		{"24", "96,9,9", "abc", false}, {"24", "95,9,9", "bca", false},
	};
	enum { N = 2000 };
	static Pick top[N];

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		const char *k = list[i].k, *c = list[i].x;
		Arena *a = arena_new();
		int n, shared = 0;
		Target target;
		TaskForm f;
		Err e = {0};
		Space s;
		Task *t;

		if (task_parse(arena_printf(a,
					    "task\n in x f32[%s]\n const w f32[%s,%.2s]\n"
					    " out y f32[%s,9,9]\n stage k:%s p:9 q:9 | c:%.2s\n"
					    "  acc f32 sum x[c,p,q] * w[k,c]\n  y[k,p,q] = acc\n",
					    c, k, c, k, k, c),
			       a, &t, &e) ||
		    task_form_parse(arena_printf(a, "form\n x %s\n y bca\n", list[i].order), t, a,
				    &f, &e) ||
		    target_named("x86-64-v4", &target, &e) ||
		    space_build(a, t, &f, &target, TOLERANCE_DEFAULT, &s, &e))
			fail_msg("%s", e.msg);
		n = space_top(&s, N, top);
		for (int p = 0; p < n; p++)
			shared += strstr(space_text(&s, a, &top[p]), "dot=c") != NULL;
		assert_int_equal(shared > 0, list[i].want);
		assert_int_equal(strstr(space_text(&s, a, &top[0]), "dot=c") != NULL, list[i].want);
		assert_true(n - shared > 100);
		arena_free(a);
	}
}

/* The variants of a Task in a Form, on a machine with 16 lanes. */
static void
start_in_form(Fixture *f, const char *task, const char *form)
{
	start(f, task, "x86-64-v4");
	if (task_form_parse(form, f->t, f->a, &f->f, &f->e) ||
	    space_build(f->a, f->t, &f->f, &f->target, TOLERANCE_DEFAULT, &f->s, &f->e))
		fail_msg("%s", f->e.msg);
}

/* A product whose lanes would gather an operand is packed first, and the model prefers that; what
 * lies side by side already, or comes as a constant, is left alone. */
static void
gathered_operands_are_packed(void **state)
{
	static const struct {
		const char *kind, *form;
		bool packed;
	} list[] = {
		{"in", "form\n", true},
		{"in", "form\n b acb\n", false},
		{"const", "form\n", false},
		{"in", "form\n y acb\n", false}, /* lanes along m: a lies side by side */
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		Arena *a = arena_new();
		Fixture f;

		start_in_form(&f,
			      arena_printf(a,
					   "task\n in a f32[12,64,128]\n %s b f32[12,128,64]\n"
					   " out y f32[12,128,128]\n"
					   " stage h:12 m:128 n:128 | k:64\n"
					   "  acc f32 sum a[h,k,m] * b[h,n,k]\n"
					   "  y[h,m,n] = acc\n",
					   list[i].kind),
			      list[i].form);
		if (!strcmp(f.s.variant.v[0].rewrite, "pack") != list[i].packed)
			fail_msg("%zu: %s", i, f.s.variant.v[0].name);
		stop(&f);
		arena_free(a);
	}
}

/* Rows are shared inside matrices when a matrix of temporaries is too much for the first cache. */
static void
shared_loops_go_inwards(void **state)
{
	static const struct {
		int rows, depth;
	} list[] = {{8, 1}, {256, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		Arena *a = arena_new();
		int r = list[i].rows, depth = 0;
		Fixture f;

		start(&f,
		      arena_printf(a,
				   "task\n in x f32[6,%d,128]\n tmp e f32[6,%d,128]\n"
				   " tmp s f32[6,%d]\n out y f32[6,%d,128]\n"
				   " stage h:6 r:%d c:128\n  e[h,r,c] = exp(x[h,r,c])\n"
				   " stage h:6 r:%d | c:128\n  acc f32 sum e[h,r,c]\n"
				   "  s[h,r] = acc\n"
				   " stage h:6 r:%d c:128\n  y[h,r,c] = e[h,r,c] / s[h,r]\n",
				   r, r, r, r, r, r, r),
		      "x86-64-v4");
		for (int v = 0; v < f.s.variant.n; v++)
			if (f.s.variant.v[v].base.nfuse > depth)
				depth = f.s.variant.v[v].base.nfuse;
		assert_int_equal(depth, list[i].depth);
		stop(&f);
		arena_free(a);
	}
}

/* A depthwise layer of c channels in rows of n. */
static Cost
cost_of_window(Fixture *f, int c, int n, const char *nest)
{
	const bool inlined[1] = {false};
	StageInfo info;
	Sched s;

	start_in_form(f,
		      arena_printf(f->a,
				   "task\n in x f32[%d,%d,%d]\n const w f32[%d,3,3]\n"
				   " out y f32[%d,%d,%d]\n stage g:%d p:%d q:%d | i:3 j:3\n"
				   "  acc f32 sum x[g,p+i-1,q+j-1 else 0] * w[g,i,j]\n"
				   "  y[g,p,q] = acc\n",
				   c, n, n, c, c, n, n, c, n, n),
		      "form\n x bca border 0,1,1/0,1,1 = 0\n y bca\n");
	if (sched_parse(arena_printf(f->a, "direct\nnest vec=g %s\n", nest), f->t, f->a, &s, &f->e))
		fail_msg("%s", f->e.msg);
	stage_info(f->t, &f->f, 0, inlined, NULL, &info);
	return cost_stage(&info, &s.stage[0], &f->target);
}

/* Tiles of depthwise layers that were measured to differ by a fifth or more: rows that a cache does
 * not keep, addresses that share its sets and banks, constants loaded anew. Of tiles that spill the
 * registers say so. */
static void
windows_cost_what_caches_do(void **state)
{
	static const struct {
		int channels, rows;
		const char *faster, *slower;
	} list[] = {
		{32, 112, "g:16 p:4 q:3", "g:16 p:1 q:14"},
		{128, 24, "g:48 p:1 q:4", "g:16 p:2 q:6"},
		{192, 28, "g:16 p:2 q:7", "g:48 p:2 q:2"},
		{384, 14, "g:32 p:2 q:3", "g:16 p:2 q:7"},
		{960, 7, "g:16 p:2 q:7", "g:96 p:1 q:2"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		Arena *a = arena_new();
		Fixture fast = {.a = a}, slow = {.a = a};
		double x = cost_of_window(&fast, list[i].channels, list[i].rows, list[i].faster).ns;
		double y = cost_of_window(&slow, list[i].channels, list[i].rows, list[i].slower).ns;

		if (x >= y)
			fail_msg("%d channels: %s %g, %s %g ns", list[i].channels, list[i].faster,
				 x, list[i].slower, y);
		stop(&fast);
		stop(&slow);
		arena_free(a);
	}
}

static void
windows_that_spill_want_more_registers(void **state)
{
	static const struct {
		const char *nest;
		bool spills;
	} list[] = {{"g:16 p:2 q:7", false}, {"g:32 p:3 q:2", false}, {"g:48 p:2 q:2", false},
		    {"g:32 p:7 q:1", true},  {"g:32 p:4 q:2", true},  {"g:32 p:3 q:3", true}};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		Arena *a = arena_new();
		Fixture f = {.a = a};
		Cost c = cost_of_window(&f, 384, 14, list[i].nest);

		if ((c.registers > f.target.vector_regs) != list[i].spills)
			fail_msg("%s: %g registers", list[i].nest, c.registers);
		stop(&f);
		arena_free(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(picks_are_ordered_and_distinct),
		cmocka_unit_test(texts_read_back),
		cmocka_unit_test(texts_lead_back_to_their_picks),
		cmocka_unit_test(varied_picks_have_every_value_of_a_knob),
		cmocka_unit_test(long_tasks_are_refused),
		cmocka_unit_test(neighbours_differ_in_one_knob),
		cmocka_unit_test(the_best_lower_everywhere),
		cmocka_unit_test(estimates_look_behind_refusals),
		cmocka_unit_test(constant_stages_make_the_pool),
		cmocka_unit_test(rows_that_collide_are_dear),
		cmocka_unit_test(a_strict_space_has_no_lossy_algorithm),
		cmocka_unit_test(narrow_channels_share_lanes),
		cmocka_unit_test(gathered_operands_are_packed),
		cmocka_unit_test(shared_loops_go_inwards),
		cmocka_unit_test(windows_cost_what_caches_do),
		cmocka_unit_test(windows_that_spill_want_more_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
