/* Recorded rows: their text, the Space that is left of them, searches over made-up rows whose best
 * is known, and what the usual strategy reaches on the recorded set. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/space_case.h"
#include "tuner/effort.h"
#include "tuner/replay.h"

#define SETS "tests/replay"

#define PRODUCT                                                          \
	"task\n in x f32[6,20]\n const w f32[24,20]\n out y f32[6,24]\n" \
	" stage m:6 n:24 | k:20\n  acc f32 sum x[m,k] * w[n,k]\n  y[m,n] = acc\n"

/* Two stages with loops of their own. */
#define SOFT                                                                \
	"task\n in x f32[12,40]\n out y f32[12,40]\n tmp s f32[12]\n"       \
	" stage m:12 | k:40\n  acc f32 sum exp(x[m,k])\n  s[m] = 1 / acc\n" \
	" stage m:12 n:40\n  y[m,n] = exp(x[m,n]) * s[m]\n"

enum { TRIALS = 64, SEEDS = 5, COMPILE_MS = 10, MEASURE_MS = 20, FAILS_EVERY = 5 };

static Recorded
empty_set(const Fixture *f)
{
	return (Recorded){.name = "made up",
			  .device = "none",
			  .target = f->target,
			  .task = f->t,
			  .form = f->f};
}

/* Every step-th of the n cheapest picks; the i-th takes 10 + 7i mod n us, and one in five does not
 * lower. */
static Recorded
make_set(Fixture *f, int n, int step)
{
	Pick *pick = ARENA_ARRAY(f->a, Pick, n);
	Recorded r = empty_set(f);

	n = space_top(&f->s, n, pick);
	for (int i = 0; i < n; i += step) {
		bool fails = i % FAILS_EVERY == FAILS_EVERY - 1;
		RecordedRow row = {.sched = space_text(&f->s, f->a, &pick[i]),
				   .status = fails ? STATUS_INFEASIBLE : STATUS_OK,
				   .us = fails ? 0 : 10 + (7 * i) % n,
				   .compile_ms = COMPILE_MS,
				   .measure_ms = fails ? 0 : MEASURE_MS};

		assert_true(recorded_add(&r, f->a, row));
		assert_false(recorded_add(&r, f->a, row));
	}
	return r;
}

static RecordedSpace
space_of(Fixture *f, const Recorded *r)
{
	RecordedSpace s;

	if (recorded_space(f->a, r, &s, &f->e))
		fail_msg("%s", f->e.msg);
	return s;
}

static void
a_set_prints_and_reads_back(void **state)
{
	Str once = {0}, twice = {0};
	Recorded r, back;
	Fixture f;

	(void)state;
	start(&f, SOFT, "x86-64-v3");
	r = make_set(&f, 300, 1);
	recorded_print(&r, &once);
	assert_int_equal(recorded_parse(str_get(&once), f.a, &back, &f.e), OK);
	recorded_print(&back, &twice);
	assert_string_equal(str_get(&once), str_get(&twice));
	assert_int_equal(back.row.n, r.row.n);
	for (int i = 0; i < r.row.n; i++) {
		const RecordedRow *row = recorded_find(&back, r.row.v[i].sched);

		assert_non_null(row);
		assert_int_equal(row->status, r.row.v[i].status);
		assert_float_equal(row->us, r.row.v[i].us, 0);
	}
	assert_null(recorded_find(&back, "direct\n"));
	str_fini(&once);
	str_fini(&twice);
	stop(&f);
}

#define START "hone rows 1\nname a\ndevice b\n"
#define NOUNS                                                                              \
	"target t\n"                                                                       \
	"task\n  in x f32[2]\n  out y f32[2]\n  stage i:2\n    y[i] = x[i]\nform\n  x a\n" \
	"  y a\nrows\n"

static void
what_is_no_set_is_refused_by_line(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", "line 1: expected 'hone rows 1'"},
		{"hone rows 2\n", "line 1"},
		{"hone rows 1\nnam a\n", "line 2: expected 'name"},
		{"hone rows 1\nname a\nmore\ndevice b\ntarget t\n", "line 2"},
		{"hone rows 1\nname a\ndevice b\n", "line 3: expected 'device"},
		{START "target t\ntask\n", "line 4: expected a Target"},
		{START "target t ghz\ntask\nform\nrows\n", "target"},
		{START "target t\ntask\n  nonsense\nform\nrows\n", "task"},
		{START NOUNS "OK 1 2 3", "line 14: the line has no end"},
		{START NOUNS "FINE 1 2 3 direct\n", "line 14: unknown status"},
		{START NOUNS "OK\n", "line 14: expected a row"},
		{START NOUNS "OK 1 2 direct\n", "line 14: expected a row"},
		{START NOUNS "OK 1 -2 3 direct\n", "line 14: expected a row"},
		{START NOUNS "OK 1 inf 3 direct\n", "line 14: expected a row"},
		{START NOUNS "OK 1e999 2 3 direct\n", "line 14: expected a row"},
		{START NOUNS "OK 0 2 3 direct\n", "line 14: a time belongs"},
		{START NOUNS "CRASH 1 2 3 direct\n", "line 14: a time belongs"},
		{START NOUNS "OK 1 2 3 \n", "line 14: no schedule"},
		{START NOUNS "OK 1 2 3 direct;nest\n", "line 14: no schedule"},
		{START NOUNS "OK 1 2 3 direct\nOK 1 2 3 direct\n", "line 15: a second row"},
	};
	Arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		Err e = {0};
		Recorded r;

		assert_int_equal(recorded_parse(bad[i].text, a, &r, &e), ERR_INPUT);
		if (!strstr(e.msg, bad[i].says))
			fail_msg("'%s' does not say '%s'", e.msg, bad[i].says);
	}
	arena_free(a);
}

static void
the_space_is_what_has_rows(void **state)
{
	RecordedSpace s;
	Recorded r;
	Fixture f;
	Err e = {0};
	int all;

	(void)state;
	start(&f, PRODUCT, "x86-64-v3");
	all = (int)space_rows(&f.s);
	r = make_set(&f, all, 1);
	s = space_of(&f, &r);
	assert_int_equal(s.offered, all);
	assert_float_equal(s.pruned, all, 0);
	assert_float_equal(s.all, all, 0);
	assert_float_equal(s.best_us, 10, 0);
	assert_int_equal(s.ok, all - all / FAILS_EVERY);

	r = make_set(&f, all, 3);
	s = space_of(&f, &r);
	assert_int_equal(s.offered, r.row.n);
	assert_float_equal(s.pruned, r.row.n, 0);

	/* a row of a rule that is gone, faster than all */
	recorded_add(&r, f.a, (RecordedRow){"direct\nnest vec=n n:7\n", STATUS_OK, 1, 1, 1});
	recorded_add(&r, f.a, (RecordedRow){"magic\nnest vec=n\n", STATUS_OK, 1, 1, 1});
	s = space_of(&f, &r);
	assert_int_equal(s.offered, r.row.n - 2);
	assert_float_equal(s.best_us, 10, 0);

	r = empty_set(&f);
	assert_int_equal(recorded_space(f.a, &r, &s, &e), ERR_INPUT);
	stop(&f);
}

static void
trials_are_counted_and_charged(void **state)
{
	SearchOptions opt = {.trials = TRIALS};
	RecordedSpace s;
	Replay r, again;
	Recorded rows;
	Fixture f;

	(void)state;
	start(&f, PRODUCT, "x86-64-v3");
	rows = make_set(&f, (int)space_rows(&f.s), 1);
	s = space_of(&f, &rows);
	replay_run(f.a, &rows, &s, search_named(NULL), &opt, &r);
	assert_int_equal(r.trial.n, TRIALS);
	assert_int_equal(r.unrecorded, 0);
	assert_true(r.infeasible > 0);
	assert_float_equal(r.measure_s, TRIALS * MEASURE_MS * 1e-3, 1e-9);
	assert_float_equal(r.compile_s, (TRIALS + r.infeasible) * COMPILE_MS * 1e-3, 1e-9);
	/* the cheapest pick is the first, and the first row the fastest */
	assert_float_equal(r.trial.v[0].share, 1, 0);
	assert_int_equal(replay_trials(&r, 1), 1);
	assert_float_equal(r.trial.v[0].seconds, (COMPILE_MS + MEASURE_MS) * 1e-3, 1e-9);
	assert_float_equal(r.trial.v[TRIALS - 1].seconds, r.compile_s + r.measure_s, 1e-9);

	replay_run(f.a, &rows, &s, search_named(NULL), &opt, &again);
	assert_int_equal(again.trial.n, r.trial.n);
	assert_int_equal(again.proposed, r.proposed);
	assert_memory_equal(again.trial.v, r.trial.v, (size_t)r.trial.n * sizeof *r.trial.v);
	stop(&f);
}

/* A strategy that proposes every pick in order and looks at what it is told. */
typedef struct Told {
	const Recorded *rows;
	const Space *space;
	Pick *pick;
	int n, next, reports, failed;
} Told;

static Told told;

static void *
told_start(Arena *a, const Space *s, const SearchOptions *opt)
{
	int n = (int)space_rows(s);

	(void)opt;
	told.space = s;
	told.pick = ARENA_ARRAY(a, Pick, n);
	told.n = space_top(s, n, told.pick);
	return &told;
}

static int
told_propose(void *state, int max, Proposal *out)
{
	Told *t = state;
	int n = 0;

	for (; n < max && t->next < t->n; n++)
		out[n] = (Proposal){t->pick[t->next++], "told"};
	return n;
}

static void
told_report(void *state, const Pick *p, double ns)
{
	Told *t = state;
	Arena *a = arena_new();
	const RecordedRow *row = recorded_find(t->rows, space_text(t->space, a, p));

	assert_non_null(row);
	if (row->status == STATUS_OK)
		assert_float_equal(ns, row->us * 1e3, 1e-9);
	else
		assert_true(isinf(ns));
	t->reports++;
	t->failed += isinf(ns);
	arena_free(a);
}

/* Two stages: rows of a few combinations leave options whose other combinations have none. */
static void
picks_without_a_row_are_skipped_and_counted(void **state)
{
	static const Search how = {"told", told_start, told_propose, told_report};
	SearchOptions opt = {.trials = 1000};
	RecordedSpace s;
	Recorded rows;
	Fixture f;
	Replay r;

	(void)state;
	start(&f, SOFT, "x86-64-v3");
	rows = make_set(&f, 150, 2);
	s = space_of(&f, &rows);
	assert_int_equal(s.offered, rows.row.n);
	assert_true(s.pruned > rows.row.n);
	told = (Told){.rows = &rows};
	replay_run(f.a, &rows, &s, &how, &opt, &r);
	assert_true(r.unrecorded > 0);
	assert_int_equal(told.reports + r.unrecorded, r.proposed);
	assert_int_equal(told.failed, r.infeasible);
	assert_true(r.trial.n <= s.ok);
	stop(&f);
}

static int
is_set(const struct dirent *d)
{
	const char *end = strrchr(d->d_name, '.');

	return end && !strcmp(end, ".txt");
}

static void
read_rows(Arena *a, const char *name, Recorded *rows)
{
	char *path = arena_printf(a, SETS "/%s", name), *text;
	Err e = {0};
	size_t size;

	if (file_read(path, 1 << 24, &text, &size, &e) || recorded_parse(text, a, rows, &e))
		fail_msg("%s: %s", path, e.msg);
	free(text);
}

static void
read_set(Arena *a, const char *name, Recorded *rows, RecordedSpace *s)
{
	Err e = {0};

	read_rows(a, name, rows);
	if (recorded_space(a, rows, s, &e))
		fail_msg("%s: %s", name, e.msg);
}

/* Of the best recorded speed: means over the Tasks after 32 and 64 trials, and the worst Task of
 * any seed after 64. */
static const double HALF = .985, FULL = .99, WORST = .96;

/* With what a search of the same Task on AVX2 found; its own rows are no knowledge. */
static int
warm_of(Arena *a, const char *name, const Recorded *rows, const RecordedSpace *s, Proposal *first)
{
	RecordedSpace there;
	Warm w = {0};
	Recorded known;

	read_set(a, arena_printf(a, "avx2/%s", name), &known, &there);
	replay_warm(a, rows, rows, &s->space, &w);
	assert_int_equal(w.source.n, 0);
	replay_warm(a, rows, &known, &there.space, &w);
	assert_int_equal(w.source.n, 1);
	assert_int_equal(w.source.v[0].from, WARM_TARGET);
	return warm_proposals(&w, &s->space, WARM_MOST, first);
}

static int
trials_to(const Replay *r)
{
	int n = replay_trials(r, .95);

	return n ? n : TRIALS;
}

/* Sums over all Tasks; of half of them the first trial is good enough, with or without. */
static void
what_is_known_of_another_target_helps(void **state)
{
	const Search *how = search_named(effort_named(NULL)->strategy);
	struct dirent **list;
	int n = scandir(SETS, &list, is_set, alphasort);
	int cold = 0, warm = 0;
	double share = 0;

	(void)state;
	for (int i = 0; i < n; i++) {
		Arena *a = arena_new();
		Proposal first[WARM_MOST];
		SearchOptions opt = {.trials = TRIALS, .warm = first};
		RecordedSpace s;
		Recorded rows;
		Replay r;

		read_set(a, list[i]->d_name, &rows, &s);
		replay_run(a, &rows, &s, how, &opt, &r);
		cold += trials_to(&r);
		share -= replay_share(&r, 8) / n;
		opt.nwarm = warm_of(a, list[i]->d_name, &rows, &s, first);
		replay_run(a, &rows, &s, how, &opt, &r);
		warm += trials_to(&r);
		share += replay_share(&r, 8) / n;
		free(list[i]);
		arena_free(a);
	}
	free(list);
	printf("trials to 95 %% of the best: %d, with the rows of AVX2 %d; gained after 8: %.4f\n",
	       cold, warm, share);
	assert_true(warm <= cold / 2);
	assert_true(share >= .01);
}

static void
the_usual_strategy_finds_the_best_of_the_recorded_set(void **state)
{
	const Search *how = search_named(effort_named(NULL)->strategy);
	struct dirent **list;
	int n = scandir(SETS, &list, is_set, alphasort);
	double half = 0, full = 0, worst = 1;

	(void)state;
	assert_true(n >= 12);
	for (int i = 0; i < n; i++) {
		Arena *a = arena_new();
		RecordedSpace s;
		Recorded rows;

		read_set(a, list[i]->d_name, &rows, &s);
		/* else it is time to record it again */
		assert_true(s.offered >= .9 * rows.row.n);
		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			SearchOptions opt = {.trials = TRIALS, .seed = seed};
			Replay r;

			replay_run(a, &rows, &s, how, &opt, &r);
			assert_true(r.unrecorded <= r.proposed / 10);
			half += replay_share(&r, TRIALS / 2) / (SEEDS * n);
			full += replay_share(&r, TRIALS) / (SEEDS * n);
			worst = fmin(worst, replay_share(&r, TRIALS));
		}
		free(list[i]);
		arena_free(a);
	}
	free(list);
	print_message("%s: mean %.4f after %d trials, %.4f after %d, worst %.4f\n", how->name, half,
		      TRIALS / 2, full, TRIALS, worst);
	assert_true(half >= HALF);
	assert_true(full >= FULL);
	assert_true(worst >= WORST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_prints_and_reads_back),
		cmocka_unit_test(what_is_no_set_is_refused_by_line),
		cmocka_unit_test(the_space_is_what_has_rows),
		cmocka_unit_test(trials_are_counted_and_charged),
		cmocka_unit_test(picks_without_a_row_are_skipped_and_counted),
		cmocka_unit_test(what_is_known_of_another_target_helps),
		cmocka_unit_test(the_usual_strategy_finds_the_best_of_the_recorded_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
