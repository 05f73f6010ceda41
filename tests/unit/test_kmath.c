/* kernels/kmath against the C library on dense grids and at the edges. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "kernels/kmath.h"

typedef double Fn(double);

static const double edges[] = {
	0.0,
	-0.0,
	0.5,
	-0.5,
	1,
	-1,
	1.5,
	-1.5,
	2.5,
	-2.5,
	3,
	-3,
	0.35,
	-0.35,
	6,
	-6,
	20,
	-20,
	1e-8,
	-1e-8,
	1e-300,
	-1e-300,
	0x1p-1022,
	0x1p-1074,
	-0x1p-1074,
	0x1.fffffffffffffp-1,
	0x1.0000000000001p0,
	4503599627370495.5,
	-4503599627370495.5,
	4503599627370496.0,
	9007199254740993.0,
	709.78,
	709.79,
	-708.5,
	-745.1,
	-745.2,
	1e10,
	-1e10,
	DBL_MAX,
	-DBL_MAX,
	INFINITY,
	-INFINITY,
	NAN,
};
enum { EDGES = sizeof edges / sizeof *edges };

/* Equal NaN-ness, equal sign of zeros and infinities, else within rel or one subnormal step. */
static void
check(const char *name, double x, double y, double got, double want, double rel)
{
	double bound = rel * fabs(want) + 0x1p-1074;

	if (isnan(want)                ? isnan(got)
	    : isinf(want) || want == 0 ? got == want && signbit(got) == signbit(want)
				       : fabs(got - want) <= bound)
		return;
	fail_msg("%s(%a, %a) = %a, expected %a", name, x, y, got, want);
}

static void
check_one(const char *name, Fn *got, Fn *want, double x, double rel)
{
	check(name, x, 0, got(x), want(x), rel);
}

static void
elementary_functions_agree_with_libm(void **state)
{
	static const struct {
		const char *name;
		Fn *got, *want;
		double lo, hi;
	} list[] = {
		{"exp", k_exp, exp, -750, 715},     {"exp", k_exp, exp, -1, 1},
		{"expm1", k_expm1, expm1, -2, 2},   {"expm1", k_expm1, expm1, -100, 720},
		{"log", k_log, log, 0, 3},          {"log", k_log, log, 0, 1e9},
		{"log1p", k_log1p, log1p, -1, 2},   {"log1p", k_log1p, log1p, -1e-3, 1e-3},
		{"log1p", k_log1p, log1p, -1, 1e6}, {"tanh", k_tanh, tanh, -25, 25},
		{"tanh", k_tanh, tanh, -0.5, 0.5},  {"erf", k_erf, erf, -7, 7},
		{"erf", k_erf, erf, -1e-3, 1e-3},   {"sqrt", k_sqrt, sqrt, 0, 10},
		{"sqrt", k_sqrt, sqrt, 0, 1e300},   {"floor", k_floor, floor, -10, 10},
		{"ceil", k_ceil, ceil, -10, 10},    {"rint", k_rint, rint, -10, 10},
		{"trunc", k_trunc, trunc, -10, 10},
	};
	enum { STEPS = 40000 };

	(void)state;
	for (size_t f = 0; f < sizeof list / sizeof *list; f++) {
		for (int i = 0; i <= STEPS; i++)
			check_one(list[f].name, list[f].got, list[f].want,
				  list[f].lo + (list[f].hi - list[f].lo) * i / STEPS, 1e-15);
		for (int i = 0; i < EDGES; i++)
			check_one(list[f].name, list[f].got, list[f].want, edges[i], 1e-15);
	}
}

static void
every_binade_is_good(void **state)
{
	Rng r;

	(void)state;
	rng_init(&r, 1);
	for (int i = 0; i < 200000; i++) {
		double x = k_from_bits(rng_next(&r) & INT64_MAX);

		check_one("log", k_log, log, x, 1e-15);
		check_one("sqrt", k_sqrt, sqrt, x, 1e-15);
		check_one("rint", k_rint, rint, -x, 0);
		check_one("floor", k_floor, floor, -x, 0);
		check_one("erf", k_erf, erf, x, 1e-15);
		check_one("expm1", k_expm1, expm1, -x, 1e-15);
	}
	for (double x = 1; x < 1e6; x++) /* roots of squares are exact */
		assert_true(k_sqrt(x * x) == x);
}

static void
sine_and_cosine_keep_their_absolute_error(void **state)
{
	Rng r;

	(void)state;
	rng_init(&r, 2);
	for (int i = 0; i < 400000; i++) {
		double x = (2 * rng_unit(&r) - 1) * (i & 1 ? 1e5 : 10);

		assert_true(fabs(k_sin(x) - sin(x)) <= 1e-12);
		assert_true(fabs(k_cos(x) - cos(x)) <= 1e-12);
	}
	for (int i = 0; i < EDGES; i++)
		if (!(fabs(edges[i]) > 1e5 && fabs(edges[i]) < INFINITY)) {
			check_one("sin", k_sin, sin, edges[i], 1e-14);
			check_one("cos", k_cos, cos, edges[i], 1e-14);
		}
	assert_true(fabs(k_sin(1e10) - sin(1e10)) < 1e-5);
	assert_true(fabs(k_cos(1e300)) <= 1);
}

static void
powers_agree_with_libm(void **state)
{
	static const double exponents[] = {
		0.5, 1, 2, 3, 4, -1, -2, -3, 7, 1e15, 9007199254740994.0};
	Rng r;

	(void)state;
	rng_init(&r, 3);
	for (int i = 0; i < 400000; i++) {
		double x = exp((2 * rng_unit(&r) - 1) * (i & 1 ? 700 : 1));
		double y = (2 * rng_unit(&r) - 1) * (i & 2 ? 500 : 4);

		check("pow", x, y, k_pow(x, y), pow(x, y), 1e-14);
		check("pow", -x, rint(y), k_pow(-x, rint(y)), pow(-x, rint(y)), 1e-14);
		check("fmod", x, y, k_fmod(x, y), fmod(x, y), 0);
		check("fmod", -y, x, k_fmod(-y, x), fmod(-y, x), 0);
	}
	for (int i = 0; i < EDGES; i++) {
		for (int j = 0; j < EDGES; j++) {
			double x = edges[i], y = edges[j];

			check("pow", x, y, k_pow(x, y), pow(x, y), 1e-14);
			check("fmod", x, y, k_fmod(x, y), fmod(x, y), 0);
		}
		for (size_t j = 0; j < sizeof exponents / sizeof *exponents; j++)
			check("pow", edges[i], exponents[j], k_pow(edges[i], exponents[j]),
			      pow(edges[i], exponents[j]), 1e-14);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elementary_functions_agree_with_libm),
		cmocka_unit_test(every_binade_is_good),
		cmocka_unit_test(sine_and_cosine_keep_their_absolute_error),
		cmocka_unit_test(powers_agree_with_libm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
