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

/* --- sums --- */

enum { ELEMENTS = 5 * 6 * 9 * 9 };

static void
fill(float *v, int n, unsigned seed)
{
	for (int i = 0; i < n; i++)
		v[i] = (float)((int)((seed += 0x9e3779b9u, seed ^ seed >> 15) * 0x2c1b3c6du >> 20) -
			       2048) /
		       512;
}

/* x [6,9,9], w [5,6,3,3]: as read by f. Padding of 1.5, a step of 2 and a gap of 2 between taps. */
static double
convolved(const float *x, const float *w, const int64_t *ix)
{
	double sum = 0;

	for (int c = 0; c < 6; c++)
		for (int i = 0; i < 3; i++)
			for (int j = 0; j < 3; j++) {
				int64_t p = 2 * ix[1] + i - 1, q = ix[2] + 2 * j - 2;
				bool in = p >= 0 && p < 9 && q >= 0 && q < 9;

				sum += (in ? (double)x[(c * 9 + p) * 9 + q] : 1.5) *
				       (double)w[((ix[0] * 6 + c) * 3 + i) * 3 + j];
			}
	return sum;
}

/* Every element of a convolution whose taps fall outside on all sides, against plain loops. */
static void
sums_of_products_are_right(void **state)
{
	static const char *const body[] = {
		"x[c,2*p+i-1,q+2*j-2 else 1.5] * w[k,c,i,j]",
		"w[k,c,i,j] * x[c,2*p+i-1,q+2*j-2 else 1.5]",
		"(x[c,2*p+i-1,q+2*j-2 else 1.5] + 0) * w[k,c,i,j]", /* no plain load */
	};
	static float x[ELEMENTS], w[ELEMENTS];

	(void)state;
	fill(x, ELEMENTS, 1);
	fill(w, ELEMENTS, 2);
	for (size_t b = 0; b < sizeof body / sizeof *body; b++) {
		Arena *a = arena_new();
		Str text = {0};
		Err e = {0};
		Oracle *o;
		Task *t;

		str_printf(&text,
			   "task\n in x f32[6,9,9]\n const w f32[5,6,3,3]\n out y f32[5,5,9]\n"
			   " stage k:5 p:5 q:9 | c:6 i:3 j:3\n acc f32 sum %s\n y[k,p,q] = acc",
			   body[b]);
		if (task_parse(str_get(&text), a, &t, &e))
			fail_msg("%s", e.msg);
		o = oracle_new(t, (const void *const[]){x, w, NULL});
		for (int64_t i = 0; i < 5 * 5 * 9; i++) {
			int64_t ix[] = {i / 45, i / 9 % 5, i % 9};
			OracleValue r = oracle_at(o, 2, ix);

			assert_float_equal(r.v, convolved(x, w, ix), 1e-10);
			assert_true(r.err > 0 && r.err < 1e-3);
		}
		oracle_free(o);
		str_fini(&text);
		arena_free(a);
	}
}

/* A product that single precision does not hold foretells nothing, in a long sum too. */
static void
one_infinite_term_is_enough(void **state)
{
	static float v[64];
	Arena *a = arena_new();
	Err e = {0};
	Oracle *o;
	Task *t;

	(void)state;
	fill(v, 64, 3);
	v[40] = 1e30f;
	assert_int_equal(task_parse("task\n in x f32[64]\n out y f32[1]\n stage a:1 | c:64\n"
				    " acc f32 sum x[c] * x[c]\n y[a] = acc",
				    a, &t, &e),
			 OK);
	o = oracle_new(t, (const void *const[]){v, NULL});
	assert_true(isinf(oracle_at(o, 1, (const int64_t[]){0}).err));
	oracle_free(o);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_single_precision_holds_is_bounded),
		cmocka_unit_test(what_only_double_holds_is_not_foretold),
		cmocka_unit_test(infinities_of_both_are_exact),
		cmocka_unit_test(sums_of_products_are_right),
		cmocka_unit_test(one_infinite_term_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
