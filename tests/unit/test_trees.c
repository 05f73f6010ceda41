/* Boosted trees: what they learn, that they do it the same way every time, and their text. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "search_space/trees.h"

enum { ROWS = 600, WIDTH = 4 };

static const char *const name[WIDTH] = {"a", "b", "c", "noise"};

typedef struct Table {
	float x[ROWS * WIDTH];
	double y[ROWS];
} Table;

/* A step, a slope and a product; the last column says nothing. */
static double
truth(const float *x)
{
	return (x[0] > 3 ? 1.5 : 0) + .25 * (double)x[1] + (x[0] > 5 && x[2] > 5 ? -2 : 0);
}

static Table *
table_new(uint64_t seed)
{
	Table *t = malloc(sizeof *t);
	Rng rng;

	rng_init(&rng, seed);
	for (int i = 0; i < ROWS * WIDTH; i++)
		t->x[i] = (float)rng_below(&rng, 9);
	for (int i = 0; i < ROWS; i++)
		t->y[i] = truth(t->x + (size_t)i * WIDTH);
	return t;
}

static TreesData
data_of(const Table *t)
{
	return (TreesData){.n = ROWS, .width = WIDTH, .name = name, .x = t->x, .y = t->y};
}

/* Root of the mean squared error over a table. */
static double
error_of(const Trees *trees, const Table *t)
{
	double sum = 0;

	for (int i = 0; i < ROWS; i++)
		sum += pow(trees_predict(trees, t->x + (size_t)i * WIDTH) - t->y[i], 2);
	return sqrt(sum / ROWS);
}

static char *
text_of(const Trees *t)
{
	Str s = {0};

	trees_print(t, &s);
	return s.s;
}

static void
fits_a_known_function(void **state)
{
	Table *seen = table_new(1), *unseen = table_new(2);
	TreesData d = data_of(seen);
	Arena *a = arena_new();
	Trees t = trees_train(a, &d, &trees_large);

	(void)state;
	assert_int_equal(t.root.n, trees_large.trees);
	assert_true(error_of(&t, seen) < .05);
	assert_true(error_of(&t, unseen) < .1);
	arena_free(a);
	free(seen);
	free(unseen);
}

/* What is learnt is what the offset leaves. */
static void
fits_the_residual(void **state)
{
	Table *seen = table_new(3);
	TreesData d = data_of(seen);
	double offset[ROWS], error = 0;
	Arena *a = arena_new();
	Trees t;

	(void)state;
	for (int i = 0; i < ROWS; i++)
		offset[i] = 10 + 3 * (double)seen->x[i * WIDTH + 3];
	d.offset = offset;
	t = trees_train(a, &d, &trees_large);
	for (int i = 0; i < ROWS; i++)
		error = fmax(error,
			     fabs(offset[i] + trees_predict(&t, seen->x + i * WIDTH) - seen->y[i]));
	assert_true(error < .5);
	arena_free(a);
	free(seen);
}

static void
rows_weigh_as_told(void **state)
{
	static const float x[] = {0, 0, 0, 0, 1, 1, 1, 1};
	static const double y[] = {1, 3, 5, 5}, weight[] = {3, 1, 0, 4};
	static const char *const one[] = {"a"};
	TreesData d = {.n = 4, .width = 1, .name = one, .x = x, .y = y, .weight = weight};
	TreesOptions how = {.trees = 1, .depth = 1, .leaf = 1, .rate = 1, .share = 1};
	Arena *a = arena_new();
	Trees t = trees_train(a, &d, &how);

	(void)state;
	assert_float_equal(trees_predict(&t, x), (3. + 3 + 20) / 8, 1e-12);
	arena_free(a);
}

static void
same_seed_gives_the_same_text(void **state)
{
	Table *seen = table_new(4);
	TreesData d = data_of(seen);
	TreesOptions other = trees_small;
	Arena *a = arena_new();
	Trees t = trees_train(a, &d, &trees_small), again = trees_train(a, &d, &trees_small);
	char *x = text_of(&t), *y = text_of(&again), *z;

	(void)state;
	other.seed = 5;
	t = trees_train(a, &d, &other);
	z = text_of(&t);
	assert_string_equal(x, y);
	assert_string_not_equal(x, z);
	free(x);
	free(y);
	free(z);
	arena_free(a);
	free(seen);
}

static void
text_reads_back(void **state)
{
	Table *seen = table_new(6);
	TreesData d = data_of(seen);
	Arena *a = arena_new();
	Err e = {0};
	Trees t, back;
	char *text, *again;

	(void)state;
	for (int i = 0; i < ROWS * WIDTH; i++)
		seen->x[i] = seen->x[i] / 7 - .3f;
	t = trees_train(a, &d, &trees_small);
	text = text_of(&t);
	assert_int_equal(trees_parse(text, name, WIDTH, a, &back, &e), OK);
	again = text_of(&back);
	assert_string_equal(text, again);
	for (int i = 0; i < ROWS; i++)
		assert_true(trees_predict(&t, seen->x + i * WIDTH) ==
			    trees_predict(&back, seen->x + i * WIDTH));
	free(text);
	free(again);
	arena_free(a);
	free(seen);
}

static void
no_rows_give_a_constant(void **state)
{
	TreesData d = {.width = WIDTH, .name = name};
	Arena *a = arena_new();
	Trees t = trees_train(a, &d, &trees_small);
	char *text = text_of(&t);
	float x[WIDTH] = {0};

	(void)state;
	assert_string_equal(text, "trees\ncolumns a b c noise\nbase 0\n");
	assert_true(trees_predict(&t, x) == 0);
	free(text);
	arena_free(a);
}

static void
columns_of_one_value_are_left_alone(void **state)
{
	static const float x[] = {1, 1, 1, 1};
	static const double y[] = {1, 2, 3, 4};
	static const char *const one[] = {"a"};
	TreesData d = {.n = 4, .width = 1, .name = one, .x = x, .y = y};
	Arena *a = arena_new();
	Trees t = trees_train(a, &d, &trees_small);

	(void)state;
	assert_float_equal(trees_predict(&t, x), 2.5, .5);
	assert_int_equal(t.node.n, t.root.n);
	arena_free(a);
}

typedef struct Bad {
	const char *text, *says;
} Bad;

#define HEAD "trees\ncolumns a b c noise\n"

static void
bad_text_is_refused_with_its_line(void **state)
{
	static const Bad bad[] = {
		{"", "line 1: expected 'trees'"},
		{"forest\n", "line 1: expected 'trees'"},
		{"trees\nbase 0\n", "line 2: expected 'columns'"},
		{"trees\ncolumns a b c\nbase 0\n", "line 2: 3 columns, expected 4"},
		{"trees\ncolumns a b x noise\n", "line 2: column 3 is 'x', expected 'c'"},
		{"trees\ncolumns a b c noise more\n", "line 2: expected the end of the line"},
		{HEAD "base\n", "line 3: expected a number"},
		{HEAD "base nan\n", "line 3: expected a finite number"},
		{HEAD "base 0\nleaf 1\n", "line 4: expected 'tree'"},
		{HEAD "base 0\ntree\n", "line 5: "},
		{HEAD "base 0\ntree\nd 1\nleaf 1\nleaf 2\n", "line 5: 'd' is no column"},
		{HEAD "base 0\ntree\na 1\nleaf 1\n", "line 7: "},
		{HEAD "base 0\ntree\na 1e60\nleaf 1\nleaf 2\n", "line 5: expected a number that"},
		{HEAD "base 0\ntree\na 1 2\nleaf 1\nleaf 2\n", "line 5: expected the end"},
		{HEAD "base 0\ntree\nleaf inf\n", "line 5: expected a finite number"},
		{HEAD "base 0\ntree\na 1\na 1\na 1\na 1\na 1\na 1\na 1\na 1\na 1\n",
		 "line 13: deeper than 8"},
	};
	Arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		Trees t;
		Err e = {0};

		assert_int_equal(trees_parse(bad[i].text, name, WIDTH, a, &t, &e), ERR_INPUT);
		if (!strstr(e.msg, bad[i].says))
			fail_msg("'%s', expected '%s'", e.msg, bad[i].says);
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits_a_known_function),
		cmocka_unit_test(fits_the_residual),
		cmocka_unit_test(rows_weigh_as_told),
		cmocka_unit_test(same_seed_gives_the_same_text),
		cmocka_unit_test(text_reads_back),
		cmocka_unit_test(no_rows_give_a_constant),
		cmocka_unit_test(columns_of_one_value_are_left_alone),
		cmocka_unit_test(bad_text_is_refused_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
