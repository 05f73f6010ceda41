/* History: results are read back, normalised by canaries, and cut where they changed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "regress/history.h"

enum { DAY = 86400, START = 1767225600 };

typedef struct Made {
	double ns, canary; /* 0: none */
	const char *board_key, *kernel;
	bool is_void;
} Made;

/* The result of day i, as the program itself writes it. */
static int
add(History *h, int i, Made m, Err *e)
{
	RegressView view = {.width = 100};
	Arena *a = arena_new();
	RegressKernel k;
	RegressResult r;
	Str text = {0};
	int rc;

	regress_result_init(&r);
	regress_kernel_init(&k);
	r.suite = "net";
	r.board = "rpi4";
	r.board_key = m.board_key ? m.board_key : "key";
	r.version = "0.1.0";
	r.started = START + (int64_t)i * DAY;
	r.void_reason = m.is_void ? "throttled" : "";
	r.kernel = &k;
	r.nkernel = 1;
	if (m.canary > 0)
		r.canary[r.ncanary++] = (RegressCanary){"c", m.canary, 2 * m.canary, m.canary};
	k.name = m.kernel ? m.kernel : "conv";
	k.verdict = REGRESS_OK;
	k.est.new_ns = m.ns;
	regress_json(&r, &view, a, &text);
	rc = history_add(h, text.s, e);
	str_fini(&text);
	arena_free(a);
	return rc;
}

static void
a_step_is_found_where_it_is(void **state)
{
	History *h = history_new();
	const HistorySeries *s;
	Rng rng;
	int n;

	(void)state;
	rng_init(&rng, 1);
	for (int i = 0; i < 40; i++) {
		double ns = (i < 25 ? 10000 : 10500) * (1 + .005 * rng_normal(&rng));

		assert_int_equal(add(h, i, (Made){.ns = ns}, NULL), OK);
	}
	assert_int_equal(history_results(h), 40);
	s = history_changes(h, &n);
	assert_int_equal(n, 1);
	assert_string_equal(s->name, "conv");
	assert_int_equal(s->point.n, 40);
	assert_int_equal(s->change.n, 1);
	assert_in_range(s->change.v[0].at, 24, 26);
	assert_true(fabs(s->change.v[0].after / s->change.v[0].before - 1.05) < .005);
	assert_true(s->change.v[0].confirmed);
	history_free(h);
}

/* The same twice as slow board is no change of the kernel: its canary says so. */
static void
a_slower_board_is_no_change(void **state)
{
	History *h = history_new(), *bare = history_new();
	const HistorySeries *s;
	Rng rng;
	int n;

	(void)state;
	rng_init(&rng, 2);
	for (int i = 0; i < 40; i++) {
		double board = i < 20 ? 1 : 1.3, own = 1 + .005 * rng_normal(&rng);
		Made m = {.ns = 1e4 * board * own, .canary = 500 * board};

		add(h, i, m, NULL);
		m.canary = 0;
		add(bare, i, m, NULL);
	}
	s = history_changes(h, &n);
	assert_int_equal(s->change.n, 0);
	s = history_changes(bare, &n);
	assert_int_equal(s->change.n, 1);
	history_free(h);
	history_free(bare);
}

static void
noise_hardly_ever_looks_like_a_change(void **state)
{
	enum { SERIES = 200, POINTS = 40 };
	Arena *a = arena_new();
	double v[POINTS], p[POINTS];
	int at[POINTS], wrong = 0, creeps = 0;
	Rng rng;

	(void)state;
	rng_init(&rng, 3);
	for (int s = 0; s < SERIES; s++) {
		for (int i = 0; i < POINTS; i++)
			v[i] = .02 * rng_normal(&rng) + (rng_below(&rng, 20) ? 0 : .3);
		wrong += history_cuts(v, POINTS, at, p, a) > 0;
		for (int i = 0; i < POINTS; i++)
			v[i] = .01 * rng_normal(&rng) + .001 * i;
		creeps += history_cuts(v, POINTS, at, p, a) > 0;
		arena_reset(a);
	}
	assert_in_range(wrong, 0, 4);
	assert_in_range(creeps, SERIES * 95 / 100, SERIES);
	arena_free(a);
}

static void
boards_and_kernels_are_kept_apart(void **state)
{
	History *h = history_new();
	const HistorySeries *s;
	int n;

	(void)state;
	for (int i = 9; i >= 0; i--) { /* the order in which they are added does not matter */
		add(h, i, (Made){.ns = 100 + i}, NULL);
		add(h, i, (Made){.ns = 200, .board_key = "other"}, NULL);
		add(h, i, (Made){.ns = 300, .kernel = "add"}, NULL);
		add(h, i, (Made){.ns = 0}, NULL);
		add(h, i, (Made){.ns = 900, .is_void = true}, NULL);
	}
	s = history_changes(h, &n);
	assert_int_equal(n, 3);
	assert_string_equal(s[0].name, "add");
	assert_int_equal(s[1].point.n, 10);
	for (int i = 0; i < 10; i++)
		assert_true(fabs(s[1].point.v[i].ns - (100 + i)) < 1e-6);
	assert_string_equal(s[2].board_key, "other");
	history_free(h);
}

static void
the_past_of_a_kernel_is_found(void **state)
{
	History *h = history_new();
	RegressKernel k[2];
	RegressResult r;
	int n;

	(void)state;
	for (int i = 0; i < 9; i++)
		add(h, i, (Made){.ns = 100 + i}, NULL);
	history_changes(h, &n);
	regress_result_init(&r);
	regress_kernel_init(&k[0]);
	regress_kernel_init(&k[1]);
	k[0].name = "conv";
	k[1].name = "new";
	r.suite = "net";
	r.board_key = "key";
	r.kernel = k;
	r.nkernel = 2;
	history_past(h, &r, 4);
	assert_int_equal(k[0].npast, 4);
	assert_true(fabs(k[0].past[3].ns - 108) < 1e-6);
	assert_int_equal(k[0].past[3].time, START + 8 * DAY);
	assert_int_equal(k[1].npast, 0);
	history_free(h);
}

static void
other_files_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"format\": \"hone-regress\"}",
		"{\"format\": \"hone-regress\", \"version\": 2, \"started\": "
		"\"2026-01-01T00:00:00Z\"}",
		"{\"format\": \"hone-regress\", \"version\": 1, \"started\": \"today\"}",
	};
	History *h = history_new();

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		Err e = {0};

		assert_int_equal(history_add(h, bad[i], &e), ERR_INPUT);
		assert_true(*e.msg);
	}
	assert_int_equal(history_results(h), 0);
	assert_int_equal(history_add_file(h, "/nowhere/at.json", NULL), ERR_IO);
	history_free(h);
}

static void
the_text_names_what_changed(void **state)
{
	RegressView view = {.width = 100};
	History *h = history_new();
	Arena *a = arena_new();
	Str out = {0};

	(void)state;
	for (int i = 0; i < 30; i++) {
		add(h, i, (Made){.ns = i < 15 ? 1000 + i : 1100 + i}, NULL);
		add(h, i, (Made){.ns = 1000 + i % 3, .kernel = "add"}, NULL);
	}
	history_terminal(h, &view, a, &out);
	assert_non_null(strstr(out.s, "conv: +"));
	assert_non_null(strstr(out.s, "2026-01-16T00:00:00Z"));
	assert_null(strstr(out.s, "add"));
	assert_non_null(strstr(out.s, "60 results, 2 kernels: 1 changed, 1 did not, 0 have"));
	str_fini(&out);
	arena_free(a);
	history_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_is_found_where_it_is),
		cmocka_unit_test(a_slower_board_is_no_change),
		cmocka_unit_test(noise_hardly_ever_looks_like_a_change),
		cmocka_unit_test(boards_and_kernels_are_kept_apart),
		cmocka_unit_test(the_past_of_a_kernel_is_found),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(the_text_names_what_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
