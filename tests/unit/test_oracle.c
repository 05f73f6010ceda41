/* The oracle's error bound where single precision and double part ways: results that only double
 * can hold foretell nothing, so a check against them must accept whatever the kernel gives. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"
#include "graph/oracle.h"

/* The value at y[0] of a Task of one element: x is 3, z is 0. */
static OracleValue
value_of(const char *expr)
{
	static const float x = 3, z = 0;
	Arena *a = arena_new();
	Str text = {0};
	Err e = {0};
	Task *t;
	Oracle *o;
	OracleValue r;

	str_printf(&text, "task\n in x f32[1]\n in z f32[1]\n out y f32[1]\n stage a:1\n y[a] = %s",
		   expr);
	assert_int_equal(task_parse(str_get(&text), a, &t, &e), 0);
	o = oracle_new(t, (const void *const[]){&x, &z, NULL});
	r = oracle_at(o, 2, (const int64_t[]){0});
	oracle_free(o);
	str_fini(&text);
	arena_free(a);
	return r;
}

static void
what_single_precision_holds_is_bounded(void **state)
{
	OracleValue r = value_of("sqrt(pow(x[a], 60))");

	(void)state;
	assert_true(fabs(r.v / pow(3, 30) - 1) < 1e-12);
	assert_true(r.err > 0 && r.err < 1e-2 * r.v);
}

static void
what_only_double_holds_is_not_foretold(void **state)
{
	(void)state;
	assert_true(isinf(value_of("pow(x[a], 100)").err));
	assert_true(isinf(value_of("sqrt(pow(x[a], 100))").err));
	assert_true(isinf(value_of("z[a] * pow(x[a], 100)").err));
}

static void
infinities_of_both_are_exact(void **state)
{
	OracleValue r = value_of("1 / z[a]");

	(void)state;
	assert_true(isinf(r.v) && r.v > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_single_precision_holds_is_bounded),
		cmocka_unit_test(what_only_double_holds_is_not_foretold),
		cmocka_unit_test(infinities_of_both_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
