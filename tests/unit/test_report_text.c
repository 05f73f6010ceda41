/* report: texts and numbers as they stand in a page or on a terminal, and scales. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/charts.h"
#include "report/scale.h"
#include "report/text.h"

/* --- text --- */

static void
assert_escaped(const char *text, const char *expected)
{
	Str s = {0};

	text_escape(&s, text);
	assert_string_equal(str_get(&s), expected);
	str_fini(&s);
}

static void
markup_is_escaped(void **state)
{
	(void)state;
	assert_escaped("plain k:64 | c:3", "plain k:64 | c:3");
	assert_escaped("<b a='1' b=\"2\">&`", "&lt;b a=&#39;1&#39; b=&quot;2&quot;&gt;&amp;&#96;");
	assert_escaped("a\nb", "a\nb");
	assert_escaped("\x01\x1f\t\x7f", "\xe2\x90\x81\xe2\x90\x9f\xe2\x90\x89\xe2\x90\xa1");
	assert_escaped("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80",
		       "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
}

#define BAD "\xef\xbf\xbd"

static void
what_is_no_utf8_is_replaced(void **state)
{
	(void)state;
	assert_escaped("a\xff"
		       "b",
		       "a" BAD "b");
	assert_escaped("\xc3", BAD);                 /* cut */
	assert_escaped("\xe2\x82", BAD BAD);         /* cut */
	assert_escaped("\xc3(", BAD "(");            /* no continuation */
	assert_escaped("\xc0\xbc", BAD BAD);         /* '<', too long */
	assert_escaped("\xed\xa0\x80", BAD BAD BAD); /* surrogate */
	assert_escaped("\xf4\x90\x80\x80", BAD BAD BAD BAD);
	assert_escaped("\xe2\x80\xae"
		       "abc",
		       BAD "abc"); /* turns text around */
	assert_escaped("\xc2\x9b"
		       "1m",
		       BAD "1m"); /* escape sequences of a terminal */
}

static void
long_texts_are_cut_between_characters(void **state)
{
	Str s = {0};

	(void)state;
	add_text(&s, "12345", 5);
	assert_string_equal(str_get(&s), "12345");
	str_clear(&s);
	add_text(&s, "1234\xc3\xa4", 5);
	assert_string_equal(str_get(&s), "1234...");
	str_fini(&s);
}

static void
assert_plain(const char *text, int columns, const char *expected, int used)
{
	Str s = {0};

	assert_int_equal(text_plain(&s, text, columns), used);
	assert_string_equal(str_get(&s), expected);
	str_fini(&s);
}

static void
terminal_texts_have_no_sequences(void **state)
{
	(void)state;
	assert_plain("abc", 3, "abc", 3);
	assert_plain("abcdef", 5, "ab...", 5);
	assert_plain("a\033[31mb", 20, "a\xe2\x90\x9b[31mb", 7);
	assert_plain("a\nb\n", 20, "a;b", 4);
	assert_plain("", 5, "", 0);
}

/* --- scales --- */

static void
scales_stay_in_the_picture(void **state)
{
	static const double odd[] = {0, -1, 1e-300, 1e300, INFINITY, -INFINITY, NAN, 3};
	enum { N = sizeof odd / sizeof *odd };

	(void)state;
	for (int i = 0; i < N * N * 2; i++) {
		Scale s = scale_init(i & 1, odd[i / 2 % N], odd[i / 2 / N], 50, 400);
		double tick[TICKS_MAX];
		int n = scale_ticks(&s, 6, tick);

		assert_true(s.lo < s.hi);
		assert_in_range(n, 0, TICKS_MAX);
		for (int k = 0; k < n; k++)
			assert_true(isfinite(tick[k]) && (!k || tick[k] > tick[k - 1]));
		for (int k = 0; k < N; k++) {
			double at = scale_at(&s, odd[k]);

			assert_true(at >= 50 && at <= 400);
		}
	}
}

static void
assert_ticks(bool log, double lo, double hi, int about, int n, const double *expected)
{
	Scale s = scale_init(log, lo, hi, 0, 100);
	double tick[TICKS_MAX];

	assert_int_equal(scale_ticks(&s, about, tick), n);
	for (int i = 0; i < n; i++)
		assert_true(fabs(tick[i] - expected[i]) <= 1e-9 * fabs(expected[i]) + 1e-12);
}

static void
ticks_are_round(void **state)
{
	Scale down = scale_init(false, 0, 10, 200, 100);

	(void)state;
	assert_ticks(false, 0, 10, 5, 6, (double[]){0, 2, 4, 6, 8, 10});
	assert_ticks(false, 0.013, 0.058, 5, 4, (double[]){0.02, 0.03, 0.04, 0.05});
	assert_ticks(true, 0.5, 300, 9, 9, (double[]){0.5, 1, 2, 5, 10, 20, 50, 100, 200});
	assert_ticks(true, 1, 1e6, 7, 7, (double[]){1, 10, 100, 1e3, 1e4, 1e5, 1e6});
	assert_true(scale_at(&down, 2.5) == 175);
}

static void
numbers_are_short(void **state)
{
	char text[NUMBER_TEXT];

	(void)state;
	assert_string_equal(number_text(text, 0.02), "0.02");
	assert_string_equal(number_text(text, 999.9), "1k");
	assert_string_equal(number_text(text, 15306), "15.3k");
	assert_string_equal(number_text(text, NAN), "-");
	assert_string_equal(duration_text(text, 12345), "12.3 us");
	assert_string_equal(duration_text(text, 999700), "1 ms");
	assert_string_equal(duration_text(text, 0), "-");
	assert_string_equal(duration_text(text, 7.2e12), "7200 s");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(markup_is_escaped),
		cmocka_unit_test(what_is_no_utf8_is_replaced),
		cmocka_unit_test(long_texts_are_cut_between_characters),
		cmocka_unit_test(terminal_texts_have_no_sequences),
		cmocka_unit_test(scales_stay_in_the_picture),
		cmocka_unit_test(ticks_are_round),
		cmocka_unit_test(numbers_are_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
