/* Elementwise reference kernels against values worked out by hand or with another program. */
#include "kernel_case.h"

static void
unary_operators(void **state)
{
	static const char *const cases[] = {
		"Neg : f32[3] 1 -2 inf -> f32[3] -1 2 -inf",
		"Neg : i8[3] 1 -128 127 -> i8[3] -1 -128 -127",
		"Abs : f64[3] -1.5 0 -inf -> f64[3] 1.5 0 inf",
		"Abs : i16[2] -32768 -3 -> i16[2] -32768 3",
		"Abs : u64[1] 18446744073709551615 -> u64[1] 18446744073709551615",
		"Exp : f32[4] 0 1 -inf nan -> f32[4] 1 2.71828183 0 nan",
		"Exp : f16[2] 1 12 -> f16[2] 2.718 inf",
		"Log : f32[4] 1 10 0 -1 -> f32[4] 0 2.30258509 -inf nan",
		"Sqrt : bf16[3] 4 2 -1 -> bf16[3] 2 1.4140625 nan",
		"Reciprocal : f32[3] 4 -0.5 0 -> f32[3] 0.25 -2 inf",
		"Erf : f64[4] 0 0.5 -2 9 -> f64[4] 0 0.5204998778130465 -0.9953222650189527 1",
		"Tanh : f32[3] 0.5 -30 nan -> f32[3] 0.46211716 -1 nan",
		"Sin : f64[2] 1 -100000 -> f64[2] 0.8414709848078965 -0.0357487979720165",
		"Cos : f32[2] 0 3.14159265 -> f32[2] 1 -1",
		"Sigmoid : f32[3] 0 2 -200 -> f32[3] 0.5 0.880797078 0",
		"Relu : f32[3] -1 2 nan -> f32[3] 0 2 nan",
		"Relu : i64[2] -9223372036854775808 9223372036854775807 "
		"-> i64[2] 0 9223372036854775807",
		"HardSwish : f32[4] -4 -1 1 5 -> f32[4] 0 -0.333333333 0.666666667 5",
		"Floor : f32[3] -1.5 1.5 -0.2 -> f32[3] -2 1 -1",
		"Ceil : f32[3] -1.5 1.5 0.2 -> f32[3] -1 2 1",
		"Round : f32[5] 0.5 1.5 2.5 -0.5 -1.6 -> f32[5] 0 2 2 0 -2",
		"Sign : f32[4] -3 0 5 nan -> f32[4] -1 0 1 nan",
		"Sign : u64[2] 18446744073709551615 0 -> u64[2] 1 0",
		"Sign : i32[3] -7 0 7 -> i32[3] -1 0 1",
		"Softplus : f32[3] 0 100 -100 -> f32[3] 0.693147181 100 0",
		"Softsign : f32[2] 1 -3 -> f32[2] 0.5 -0.75",
		"Not : bool[2] 1 0 -> bool[2] 0 1",
		"HardSigmoid alpha=0.5 beta=0.25 : f32[3] 1 -1 9 -> f32[3] 0.75 0 1",
		"LeakyRelu alpha=0.5 : f32[2] -3 3 -> f32[2] -1.5 3",
		"ThresholdedRelu alpha=1 : f32[3] 1 1.5 -2 -> f32[3] 0 1.5 0",
		"Elu alpha=2 : f32[2] -1 3 -> f32[2] -1.26424112 3",
		"Celu alpha=2 : f32[2] -1 3 -> f32[2] -0.786938681 3",
		"Selu alpha=2 gamma=3 : f32[2] -1 3 -> f32[2] -3.79272335 9",
		"Gelu approximate=0 : f32[2] 1 -1 -> f32[2] 0.841344746 -0.158655254",
		"Gelu approximate=1 : f32[2] 1 -1 -> f32[2] 0.841191991 -0.158808009",
		"Neg : f32[0,3] -> f32[0,3]",
		"Neg : f32[] 2 -> f32[] -2",
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
casts(void **state)
{
	static const char *const cases[] = {
		/* float to integer truncates, saturates, NaN is 0 */
		"Cast to=4 : f32[5] 1.9 -1.9 300 -300 nan -> i8[5] 1 -1 127 -128 0",
		"Cast to=5 : f64[3] -0.9 255.9 1e9 -> u8[3] 0 255 255",
		"Cast to=10 : f32[2] 1e30 -1e30 -> i64[2] 9223372036854775807 -9223372036854775808",
		"Cast to=11 : f32[2] 1e30 -1e30 -> u64[2] 18446744073709551615 0",
		/* integer to integer keeps the low bits */
		"Cast to=4 : i32[3] 128 -129 511 -> i8[3] -128 127 -1",
		"Cast to=11 : i8[1] -1 -> u64[1] 18446744073709551615",
		"Cast to=9 : u64[1] 18446744073709551615 -> u32[1] 4294967295",
		/* BOOL is v != 0 */
		"Cast to=12 : f32[4] 0 0.1 nan -0 -> bool[4] 0 1 1 0",
		"Cast to=12 : i64[2] 4294967296 0 -> bool[2] 1 0",
		"Cast to=0 : bool[2] 1 0 -> f32[2] 1 0",
		/* one rounding to nearest even; 2^24 + 1 lies half way, the lowest bit decides */
		"Cast to=0 : i64[2] 16777217 -16777219 -> f32[2] 16777216 -16777220",
		"Cast to=0 : i64[1] 9007199791611905 -> f32[1] 9007200328482816",
		"Cast to=0 : u64[1] 18446744073709551615 -> f32[1] 18446744073709551616",
		"Cast to=1 : i64[1] 9007199254740993 -> f64[1] 9007199254740992",
		"Cast to=2 : f64[4] 2049 2051 65520 1e-8 -> f16[4] 2048 2052 inf 0",
		/* just above the middle of two halves: rounding to float first would lose that */
		"Cast to=2 : f64[1] 1.00048828125000000023 -> f16[1] 1",
		"Cast to=2 : f64[1] 1.0004882812500003 -> f16[1] 1.0009765625",
		"Cast to=3 : f64[2] 1.00390625 1.0039062500000003 -> bf16[2] 1 1.0078125",
		"Cast to=3 : f32[2] 3.4e38 -inf -> bf16[2] inf -inf",
		"Cast to=0 : f16[2] 65504 6e-8 -> f32[2] 65504 5.96046448e-8",
	};

	(void)state;
	CHECK_CASES(cases);
}

/* The tolerance of a comparison is wider than the rounding that is at stake. */
static void
casts_round_once(void **state)
{
	Case c;

	(void)state;
	case_parse(&c, "Cast to=2 : f64[3] 1.0004882812500003 -1.0004882812500003 "
		       "1.00048828125 -> f16[3] _ _ _");
	assert_int_equal(case_run(&c), 0);
	assert_int_equal(((uint16_t *)c.out[0].data)[0], 0x3c01);
	assert_int_equal(((uint16_t *)c.out[0].data)[1], 0xbc01);
	assert_int_equal(((uint16_t *)c.out[0].data)[2], 0x3c00);
	case_fini(&c);
	case_parse(&c, "Cast to=3 : i64[2] 72339069014638593 72339069014638592 -> bf16[2] _ _");
	assert_int_equal(case_run(&c), 0); /* 2^56 + 2^48 + 1 and the tie below it */
	assert_int_equal(((uint16_t *)c.out[0].data)[0], 0x5b81);
	assert_int_equal(((uint16_t *)c.out[0].data)[1], 0x5b80);
	case_fini(&c);
}

static void
clip(void **state)
{
	static const char *const cases[] = {
		"Clip : f32[4] -5 0 5 nan | f32[] -1 | f32[] 2 -> f32[4] -1 0 2 nan",
		"Clip : f32[2] -5 5 | - | f32[] 2 -> f32[2] -5 2",
		"Clip : f32[2] -5 5 | f32[] 2 -> f32[2] 2 5",
		"Clip : f32[2] -5 5 -> f32[2] -5 5",
		"Clip : f32[2] -5 5 | f32[] 3 | f32[] 1 -> f32[2] 1 1", /* low above high */
		"Clip : u64[3] 0 18446744073709551615 5 | u64[] 1 | u64[] 9223372036854775809 "
		"-> u64[3] 1 9223372036854775809 5",
		"Clip : i8[3] -128 127 0 | i8[] -3 | - -> i8[3] -3 127 0",
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
binary_operators(void **state)
{
	static const char *const cases[] = {
		"Add : f32[2,1] 1 2 | f32[3] 10 20 30 -> f32[2,3] 11 21 31 12 22 32",
		"Add : u8[1] 200 | u8[1] 100 -> u8[1] 44",
		"Sub : i64[1] -9223372036854775808 | i64[1] 1 -> i64[1] 9223372036854775807",
		"Mul : i64[1] 3037000500 | i64[1] 3037000501 -> i64[1] -9223372033672301116",
		"Mul : f32[2,2] 1 2 3 4 | f32[] 2 -> f32[2,2] 2 4 6 8",
		"Div : f32[3] 1 -1 0 | f32[3] 0 4 0 -> f32[3] inf -0.25 nan",
		"Div : i32[4] -7 7 5 -2147483648 | i32[4] 2 -2 0 -1 "
		"-> i32[4] -3 -3 0 -2147483648",
		"Div : i64[2] -9223372036854775808 -9223372036854775808 | i64[2] -1 3 "
		"-> i64[2] -9223372036854775808 -3074457345618258602",
		"Div : u64[1] 18446744073709551615 | u64[1] 2 -> u64[1] 9223372036854775807",
		"Min : f32[3] 1 nan 2 | f32[3] 2 1 nan -> f32[3] 1 nan nan",
		"Max : f32[3] 1 nan 2 | f32[3] 2 1 nan -> f32[3] 2 nan nan",
		"Min : u64[1] 18446744073709551615 | u64[1] 1 -> u64[1] 1",
		"Max : i8[2] -1 5 | i8[1] 2 -> i8[2] 2 5",
		"PRelu : f32[2,2] -1 2 -3 4 | f32[2] 0.5 10 -> f32[2,2] -0.5 2 -1.5 4",
		"PRelu : i32[2] -3 3 | i32[1] 4 -> i32[2] -12 3",
		"PRelu : u32[1] 4294967295 | u32[1] 4 -> u32[1] 4294967295",
		"Mod fmod=0 : i32[5] -7 7 -7 7 7 | i32[5] 3 -3 -3 3 0 -> i32[5] 2 -2 -1 1 0",
		"Mod fmod=1 : i32[4] -7 7 -7 7 | i32[4] 3 -3 -3 3 -> i32[4] -1 1 -1 1",
		"Mod fmod=0 : i64[1] -9223372036854775808 | i64[1] -1 -> i64[1] 0",
		"Mod fmod=0 : u64[1] 18446744073709551615 | u64[1] 10 -> u64[1] 5",
		"Mod fmod=1 : f32[4] -7.5 7.5 1 inf | f32[4] 2 -2 0 1 -> f32[4] -1.5 1.5 nan nan",
		"Mod fmod=0 : f32[2] -7.5 7.5 | f32[2] 2 -2 -> f32[2] 0.5 -0.5",
		"Pow : f32[5] 2 4 -2 -8 0 | f32[5] 10 0.5 3 0.5 -1 -> f32[5] 1024 2 -8 nan inf",
		"Pow : f32[2] 2 3 | i64[2] -2 3 -> f32[2] 0.25 27",
		"Pow : i64[6] 3 2 1 -1 0 -3 | i32[6] 39 -1 -5 -5 -1 3 "
		"-> i64[6] 4052555153018976267 0 1 -1 0 -27",
		"Pow : i32[2] 2 10 | f32[2] 0.5 20 -> i32[2] 1 2147483647",
		"Pow : i8[1] 2 | u64[1] 18446744073709551615 -> i8[1] 0",
		"Add : f32[0,2] | f32[2] 1 2 -> f32[0,2]",
		"Add : f32[2,0,3] | f32[2,1,1] 1 2 -> f32[2,0,3]",
		"Add : f32[1,2,1,2] 1 2 3 4 | f32[2,1,2,1] 10 20 30 40 -> f32[2,2,2,2] "
		"11 12 21 22 13 14 23 24 31 32 41 42 33 34 43 44",
		"Add : f16[1] 2048 | f16[1] 1 -> f16[1] 2048",
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
comparisons_and_logic(void **state)
{
	static const char *const cases[] = {
		"Equal : f32[4] 1 nan 0 2 | f32[4] 1 nan -0 3 -> bool[4] 1 0 1 0",
		"Equal : i64[1] 9007199254740993 | i64[1] 9007199254740992 -> bool[1] 0",
		"Equal : bool[4] 1 1 0 0 | bool[4] 1 0 1 0 -> bool[4] 1 0 0 1",
		"Greater : f32[3] 1 2 nan | f32[3] 2 1 1 -> bool[3] 0 1 0",
		"Greater : u64[1] 18446744073709551615 | u64[1] 1 -> bool[1] 1",
		"Less : i64[1] -1 | i64[2] 0 -1 -> bool[2] 1 0",
		"GreaterOrEqual : f32[3] 1 2 nan | f32[3] 1 3 nan -> bool[3] 1 0 0",
		"LessOrEqual : u8[2] 200 3 | u8[1] 100 -> bool[2] 0 1",
		"And : bool[2,1] 1 0 | bool[2] 1 0 -> bool[2,2] 1 0 0 0",
		"Or : bool[2,1] 1 0 | bool[2] 1 0 -> bool[2,2] 1 1 1 0",
		"Xor : bool[2,1] 1 0 | bool[2] 1 0 -> bool[2,2] 0 1 1 0",
		"Where : bool[2,1] 1 0 | f32[3] 1 2 3 | f32[] 9 -> f32[2,3] 1 2 3 9 9 9",
		"Where : bool[2] 1 0 | i64[2] 9007199254740993 1 | i64[2] 0 -5 "
		"-> i64[2] 9007199254740993 -5",
	};

	(void)state;
	CHECK_CASES(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unary_operators),  cmocka_unit_test(casts),
		cmocka_unit_test(casts_round_once), cmocka_unit_test(clip),
		cmocka_unit_test(binary_operators), cmocka_unit_test(comparisons_and_logic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
