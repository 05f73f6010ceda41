/* What the times of the canaries mean, by hand; and which devices are of one model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tuner/boards.h"
#include "tuner/canary.h"

enum { MOST = 5 };

/* now: with '-' behind it where the board is not there; race: where races run, in order. */
static const struct {
	int n;
	double now[MOST], start[MOST];
	const char *there, *fit, *races;
	int reference;
} cases[] = {
	{1, {10}, {10}, "y", "y", "y", 0},
	{1, {12}, {10}, "y", "n", "y", 0},                           /* nobody to turn to */
	{2, {10, 10.4}, {10, 10.4}, "yy", "yy", "yy", 0},            /* one of two, no more */
	{2, {10, 12}, {10, 12}, "yy", "yn", "yn", 0},                /* the faster counts */
	{2, {12, 10}, {12, 10}, "yy", "ny", "ny", 1},                /* whoever it is */
	{2, {10, 12}, {10, 10}, "yy", "yn", "yn", 0},                /* it drifted, too */
	{2, {10, 0}, {10, 0}, "yy", "yn", "yn", 0},                  /* not measured yet */
	{2, {0, 0}, {0, 0}, "yy", "nn", "yy", -1},                   /* nor any */
	{2, {10, 12}, {10, 12}, "ny", "ny", "ny", 1},                /* what is not there */
	{2, {11, 11}, {10, 10}, "yy", "nn", "yy", 0},                /* all drifted alike */
	{2, {11, 12}, {10, 10}, "yy", "nn", "yn", 0},                /* and one more so */
	{3, {10, 10.1, 12}, {10, 10.1, 12}, "yyy", "yyn", "yyn", 1}, /* a slow one of three */
	{3, {12, 10, 12.1}, {12, 10, 12.1}, "yyy", "yny", "yny", 0}, /* a fast one */
	{4, {12, 10, 12, 10}, {12, 10, 12, 10}, "yyyy", "nyny", "nyny", 3}, /* the faster half */
	{5, {10, 10, 10.2, 10, 10}, {10, 10, 9.5, 10, 10}, "yyyyy", "yynyy", "yynyy", 3},
};

static void
boards_are_judged_together(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CanaryVerdict out[MOST];
		CanaryTime v[MOST];

		for (int k = 0; k < cases[i].n; k++)
			v[k] = (CanaryTime){cases[i].there[k] == 'y', cases[i].start[k],
					    cases[i].now[k]};
		canary_judge(v, cases[i].n, out);
		for (int k = 0; k < cases[i].n; k++)
			if (out[k].fit != (cases[i].fit[k] == 'y') ||
			    out[k].races != (cases[i].races[k] == 'y') ||
			    out[k].reference != cases[i].reference)
				fail_msg("case %zu, board %d: fit %d, races %d, reference %d", i, k,
					 out[k].fit, out[k].races, out[k].reference);
	}
}

static void
a_verdict_says_by_how_much(void **state)
{
	CanaryTime v[2] = {{true, 10, 10}, {true, 11, 12}};
	CanaryVerdict out[2];

	(void)state;
	canary_judge(v, 2, out);
	assert_float_equal(out[0].off, 0, 0);
	assert_float_equal(out[1].off, 0.2, 1e-6);
	assert_float_equal(out[1].drift, 12.0 / 11 - 1, 1e-6);
}

static void
other_models_are_named(void **state)
{
	char *features[] = {(char *)"avx2", (char *)"fma"};
	DeviceInfo a = {.name = (char *)"n",
			.cpu = (char *)"One 9",
			.arch = (char *)"x86_64",
			.core = (char *)"",
			.features = {features, 2},
			.l1d = 32768,
			.l2 = 524288,
			.cores = 4};
	DeviceInfo b = a;
	Err e = {0};

	(void)state;
	b.name = (char *)"another host";
	assert_int_equal(boards_compare(&a, "left", &b, "right", &e), OK);
	b.l2 = 1048576;
	assert_int_equal(boards_compare(&a, "left", &b, "right", &e), ERR_INPUT);
	assert_string_equal(e.msg,
			    "boards of two models: l2_bytes of 'left' is 524288, of 'right' it "
			    "is 1048576");
	b = a;
	b.features.n = 1;
	e = (Err){0};
	assert_int_equal(boards_compare(&a, "left", &b, "right", &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "features of 'left' is "));
	b = a;
	b.cores = 2;
	e = (Err){0};
	assert_int_equal(boards_compare(&a, "left", &b, "right", &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "cores of 'left' is 4, of 'right' it is 2"));
	b = a;
	b.cpu = (char *)"Two";
	e = (Err){0};
	assert_int_equal(boards_compare(&a, "left", &b, "right", &e), ERR_INPUT);
	assert_string_equal(e.msg,
			    "boards of two models: 'left' has the processor 'One 9', 'right' "
			    "has 'Two'");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boards_are_judged_together),
		cmocka_unit_test(a_verdict_says_by_how_much),
		cmocka_unit_test(other_models_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
