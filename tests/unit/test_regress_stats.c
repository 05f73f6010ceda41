/* Statistics of pairs against values computed elsewhere (tests/peers/ranks.py). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "regress/history.h"
#include "regress/stats.h"

enum { NUMBERS = 300 };

static void
near(double a, double b, double share)
{
	if (a == b)
		return;
	if (!(fabs(a - b) <= share * fmax(fabs(a), fabs(b)) + 1e-11))
		fail_msg("%.12g is not %.12g", a, b);
}

/* Numbers up to the next word; *text moves to it. */
static int
numbers(char **text, double *v)
{
	int n = 0;

	for (;;) {
		char *end;
		double x = strtod(*text, &end);

		if (end == *text)
			break;
		assert_true(n < NUMBERS);
		v[n++] = x;
		*text = end;
	}
	while (**text == ' ')
		(*text)++;
	return n;
}

/* "word numbers": the numbers. */
static int
field(char **text, const char *word, double *v)
{
	size_t n = strlen(word);

	assert_memory_equal(*text, word, n);
	*text += n;
	return numbers(text, v);
}

static void
check_series(char *text, bool plain, Arena *a)
{
	double d[NUMBERS], p, low, high, centre, sees, count;
	int n;

	assert_int_equal(numbers(&text, &count), 1);
	field(&text, "p", &p);
	field(&text, "low", &low);
	field(&text, "high", &high);
	field(&text, "centre", &centre);
	field(&text, "sees", &sees);
	n = field(&text, "d", d);
	assert_int_equal(n, (int)count);
	near(stats_signed_rank(d, n, a), p, 1e-9);
	near(stats_hodges_lehmann(d, n, a), centre, 1e-9);
	if (plain) {
		double l, h;

		assert_int_equal(stats_interval(d, n, .95, a, &l, &h), isfinite(low));
		near(l, low, 1e-9);
		near(h, high, 1e-9);
		near(stats_detectable(d, n, stats_shift(.01 / 160, 30, a), a), sees, 1e-5);
	}
}

static void
check_holm(char *text, Arena *a)
{
	double p[NUMBERS], q[NUMBERS], count;
	int n;

	numbers(&text, &count);
	n = field(&text, "p", p);
	assert_int_equal(n, (int)count);
	assert_int_equal(field(&text, "q", q), n);
	stats_holm(p, n, a);
	for (int i = 0; i < n; i++)
		near(p[i], q[i], 1e-9);
}

static void
check_rank_sum(char *text, Arena *a)
{
	double x[NUMBERS], y[NUMBERS], p, count[NUMBERS];
	int nx, ny;

	assert_int_equal(numbers(&text, count), 2);
	field(&text, "p", &p);
	nx = field(&text, "x", x);
	ny = field(&text, "y", y);
	assert_true(nx == (int)count[0] && ny == (int)count[1]);
	near(history_rank_sum(x, nx, y, ny, a), p, 1e-9);
}

static void
values_are_those_of_others(void **state)
{
	FILE *in = fopen("tests/golden/signed_rank.txt", "r");
	static char line[16384];
	Arena *a = arena_new();
	int seen = 0;

	(void)state;
	assert_non_null(in);
	while (fgets(line, sizeof line, in)) {
		char *text = strchr(line, ' ');
		double v[NUMBERS];

		assert_non_null(text);
		*text++ = 0;
		seen++;
		if (!strcmp(line, "holm"))
			check_holm(text, a);
		else if (!strcmp(line, "ranksum"))
			check_rank_sum(text, a);
		else if (!strcmp(line, "normal") && numbers(&text, v) == 2)
			near(stats_normal_quantile(v[0]), v[1], 1e-8);
		else if (!strcmp(line, "shift") && numbers(&text, v) == 3)
			near(stats_shift(v[0], (int)v[1], a), v[2], 1e-5);
		else if (*line != '#')
			check_series(text,
				     !strcmp(line, "plain") || !strcmp(line, "many") ||
					     !strcmp(line, "heavy"),
				     a);
		arena_reset(a);
	}
	assert_true(seen > 70);
	fclose(in);
	arena_free(a);
}

static void
pairs_that_do_not_count_are_left_out(void **state)
{
	RegressPair pair[] = {{.baseline_ns = 100, .new_ns = 110},
			      {.baseline_ns = 100, .new_ns = 900, .drop = REGRESS_DROP_CLOCK},
			      {.baseline_ns = 0, .new_ns = 110},
			      {.baseline_ns = NAN, .new_ns = 110},
			      {.baseline_ns = 100, .new_ns = INFINITY},
			      {.baseline_ns = 200, .new_ns = 220},
			      {.baseline_ns = 300, .new_ns = 330}};
	Arena *a = arena_new();
	RegressEstimate e = stats_estimate(pair, 7, a);

	(void)state;
	assert_int_equal(e.used, 3);
	assert_int_equal(e.dropped, 4);
	near(e.ratio, 1.1, 1e-12);
	near(e.baseline_ns, 200, 0);
	near(e.new_ns, 220, 0);
	near(e.p, .25, 1e-12);
	assert_true(isinf(e.high) && e.low == 0);
	arena_free(a);
}

static void
nothing_says_nothing(void **state)
{
	Arena *a = arena_new();
	RegressEstimate e = stats_estimate(NULL, 0, a);
	double low, high;

	(void)state;
	assert_true(e.used == 0 && e.ratio == 0 && e.p == 1);
	assert_false(stats_interval(NULL, 0, .95, a, &low, &high));
	assert_true(stats_signed_rank(NULL, 0, a) == 1);
	assert_true(stats_detectable(NULL, 0, 1, a) == 0);
	assert_false(stats_two_modes(NULL, 0, a));
	stats_holm(NULL, 0, a);
	arena_free(a);
}

/* The sides exchanged: the same with the other sign. */
static void
sides_are_alike(void **state)
{
	double d[] = {.03, -.01, .02, .05, .01, .04, -.02, .06, .07}, back[9], l, h, bl, bh;
	Arena *a = arena_new();

	(void)state;
	for (int i = 0; i < 9; i++)
		back[i] = -d[8 - i];
	assert_true(stats_signed_rank(d, 9, a) == stats_signed_rank(back, 9, a));
	near(stats_hodges_lehmann(d, 9, a), -stats_hodges_lehmann(back, 9, a), 1e-12);
	stats_interval(d, 9, .95, a, &l, &h);
	stats_interval(back, 9, .95, a, &bl, &bh);
	near(l, -bh, 1e-12);
	near(h, -bl, 1e-12);
	arena_free(a);
}

static void
two_groups_are_seen(void **state)
{
	double one[24], two[24];
	Arena *a = arena_new();
	Rng rng;

	(void)state;
	rng_init(&rng, 3);
	for (int i = 0; i < 24; i++) {
		one[i] = .01 * rng_normal(&rng);
		two[i] = one[i] + (i % 2 ? .3 : 0);
	}
	assert_false(stats_two_modes(one, 24, a));
	assert_true(stats_two_modes(two, 24, a));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_those_of_others),
		cmocka_unit_test(pairs_that_do_not_count_are_left_out),
		cmocka_unit_test(nothing_says_nothing),
		cmocka_unit_test(sides_are_alike),
		cmocka_unit_test(two_groups_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
