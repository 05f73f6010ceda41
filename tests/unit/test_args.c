/* cli: option tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/args.h"

static const ArgOption options[] = {
	{.name = "shape", .kind = ARG_TEXT, .repeat = true, .value = "S", .help = "a shape"},
	{.name = "output", .letter = 'o', .kind = ARG_TEXT, .value = "FILE", .help = "a file"},
	{.name = "trials", .kind = ARG_INTEGER, .min = 1, .max = 1000, .value = "N", .help = "n"},
	{.name = "seed", .kind = ARG_INTEGER, .value = "S", .help = "n"},
	{.name = "rtol", .kind = ARG_NUMBER, .value = "R", .help = "a tolerance"},
	{.name = "time-limit", .kind = ARG_DURATION, .value = "T", .help = "a time"},
	{.name = "memory", .kind = ARG_BYTES, .min = 1, .max = 0x1p40, .value = "B", .help = "m"},
	{.name = "json", .help = "JSON"},
	{0},
};

static const Command command = {
	.name = "try",
	.summary = "Try",
	.operands = "MODEL",
	.min = 1,
	.max = 2,
	.option = options,
};

enum { WORDS_MAX = 16 };

/* Parses a line of words separated by blanks. */
static int
parse(Arena *arena, const char *line, Args *a, Err *e)
{
	char *argv[WORDS_MAX], *rest = arena_strdup(arena, line), *word;
	int argc = 0;

	while ((word = strsep(&rest, " ")))
		argv[argc++] = word;
	*e = (Err){0};
	return args_parse(a, &command, arena, argc, argv, e);
}

static void
values_are_found(void **state)
{
	Arena *arena = arena_new();
	Args a;
	Err e;

	(void)state;
	assert_int_equal(parse(arena,
			       "--shape x:1 m.onnx --shape=y=2 -o out --trials=7 --rtol 1e-3 "
			       "--time-limit 1.5m --memory 1.5K -- --json",
			       &a, &e),
			 OK);
	assert_int_equal(a.operand.n, 2);
	assert_string_equal(a.operand.v[0], "m.onnx");
	assert_string_equal(a.operand.v[1], "--json");
	assert_string_equal(args_nth(&a, "shape", 0), "x:1");
	assert_string_equal(args_nth(&a, "shape", 1), "y=2");
	assert_null(args_nth(&a, "shape", 2));
	assert_string_equal(args_text(&a, "output", "none"), "out");
	assert_int_equal(args_integer(&a, "trials", 3), 7);
	assert_true(args_number(&a, "rtol", 0) == 1e-3);
	assert_true(args_seconds(&a, "time-limit", 0) == 90);
	assert_int_equal(args_bytes(&a, "memory", 0), 1536);
	assert_false(args_has(&a, "json"));
	assert_int_equal(parse(arena, "m --json", &a, &e), OK);
	assert_true(args_has(&a, "json"));
	assert_int_equal(args_integer(&a, "trials", 3), 3);
	assert_string_equal(args_text(&a, "output", "none"), "none");
	assert_int_equal(parse(arena, "--bogus --help", &a, &e), OK);
	assert_true(a.help);
	arena_free(arena);
}

static void
mistakes_are_named(void **state)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
		{"m --shap x", "unknown option '--shap'"},
		{"m --shapes x", "unknown option '--shapes'"},
		{"m -x", "unknown option '-x'"},
		{"m --output", "--output: nothing, expected FILE"},
		{"m -o a --output b", "--output: given twice"},
		{"m --json=yes", "--json: 'yes', expected no value"},
		{"m --trials many", "--trials: 'many', expected an integer"},
		{"m --trials 1.5", "--trials: '1.5', expected an integer"},
		{"m --seed 99999999999999999999", "--seed: '99999999999999999999', expected an i"},
		{"m --trials 0", "--trials: 0, expected an integer from 1 to 1000"},
		{"m --rtol nan", "--rtol: 'nan', expected a number"},
		{"m --time-limit 5d", "--time-limit: '5d', expected a duration"},
		{"m --memory 5k", "--memory: '5k', expected a size"},
		{"m --memory 0", "--memory: 0, expected a size"},
		{"m --time-limit -5", "--time-limit: '-5', expected a duration"},
		{"--json", "0 operands, expected MODEL"},
		{"a b c", "3 operands, expected MODEL"},
	};
	Arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Args a;
		Err e;

		assert_int_equal(parse(arena, cases[i].line, &a, &e), ERR_INPUT);
		if (strncmp(e.msg, cases[i].message, strlen(cases[i].message)))
			fail_msg("'%s': %s", cases[i].line, e.msg);
	}
	arena_free(arena);
}

static void
words_become_bits(void **state)
{
	static const char *const words[] = {"one", "two", NULL};
	Arena *arena = arena_new();
	unsigned bits = 0;
	Args a;
	Err e;

	(void)state;
	assert_int_equal(parse(arena, "m -o one,two", &a, &e), OK);
	assert_int_equal(args_bits(&a, "output", words, &bits, &e), OK);
	assert_int_equal(bits, 3);
	bits = 0;
	assert_int_equal(parse(arena, "m -o two", &a, &e), OK);
	assert_int_equal(args_bits(&a, "output", words, &bits, &e), OK);
	assert_int_equal(bits, 2);
	assert_int_equal(parse(arena, "m -o one,three", &a, &e), OK);
	assert_int_equal(args_bits(&a, "output", words, &bits, &e), ERR_INPUT);
	assert_string_equal(e.msg, "--output: 'three', expected one two");
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(words_become_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
