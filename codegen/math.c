/* exp, log, erf, tanh, pow and rounding out of plain single-precision operations.
 *
 * Coefficients are our own weighted least-squares (Lawson) fits; the error stated beside each is of
 * the polynomial alone, relative, before rounding. Nothing here may turn into a library call: a
 * kernel image imports nothing, so rounding is done by adding 1.5 * 2^23 where a machine has no
 * instruction for it.
 */
#include <math.h>

#include "codegen/build.h"

static const double ROUND_MAGIC = 12582912.0; /* 1.5 * 2^23 */

static int
f32(Build *b, double v)
{
	return build_const(b, DT_F32, v);
}

static int
i32(Build *b, double v)
{
	return build_const(b, DT_I32, v);
}

static bool
want_f32(Build *b, int x, const char *what)
{
	if (build_at(b, x)->type == DT_F32)
		return true;
	build_refuse(b, "%s of %s", what, dtype_name((DType)build_at(b, x)->type));
	return false;
}

/* c[0] x^(n-1) + ... + c[n-1] */
static int
horner(Build *b, int x, const double *c, int n)
{
	int r = f32(b, c[0]);

	for (int i = 1; i < n; i++)
		r = build_fma(b, r, x, f32(b, c[i]));
	return r;
}

/* max and min keep NaN in x: the comparison of a NaN chooses the second operand. */
static int
clamp(Build *b, int x, double lo, double hi)
{
	return build_bin(b, LOOP_MIN, f32(b, hi), build_bin(b, LOOP_MAX, f32(b, lo), x));
}

/* e^x = 2^n (1 + r + r^2 P(r)), |r| <= ln2 / 2, n added to the exponent in two halves so that
 * results down to the smallest normal and up to the largest float come out right. 3e-9. */
int
build_exp(Build *b, int x)
{
	static const double c[] = {0.001395060235, 0.008368953506, 0.041666204138, 0.166665183061,
				   0.50000000957};
	int y, t, n, r, p, half, rest;

	if (!want_f32(b, x, "exp"))
		return x;
	y = clamp(b, x, -104, 89);
	t = build_fma(b, y, f32(b, 1.44269504088896341), f32(b, ROUND_MAGIC));
	n = build_bin(b, LOOP_SUB, t, f32(b, ROUND_MAGIC));
	r = build_fma(b, n, f32(b, -0.693359375), y);
	r = build_fma(b, n, f32(b, 2.12194440e-4), r);
	p = build_fma(b, horner(b, r, c, 5), build_bin(b, LOOP_MUL, r, r), r);
	p = build_bin(b, LOOP_ADD, p, f32(b, 1));
	t = build_bin(b, LOOP_SUB, build_bitcast(b, DT_I32, t), i32(b, 0x4b400000));
	half = build_shift(b, LOOP_SHR, t, 1);
	rest = build_bin(b, LOOP_SUB, t, half);
	half = build_shift(b, LOOP_SHL, build_bin(b, LOOP_ADD, half, i32(b, 127)), 23);
	rest = build_shift(b, LOOP_SHL, build_bin(b, LOOP_ADD, rest, i32(b, 127)), 23);
	p = build_bin(b, LOOP_MUL, p, build_bitcast(b, DT_F32, half));
	return build_bin(b, LOOP_MUL, p, build_bitcast(b, DT_F32, rest));
}

/* x = 2^e m, m in [sqrt(1/2), sqrt(2)); log m = f - f^2/2 + f^3 P(f), f = m - 1. 6e-9. */
int
build_log(Build *b, int x)
{
	static const double c[] = {-0.078596156901, 0.12881649089,   -0.131287539824,
				   0.141811916727,  -0.166245541011, 0.200022862871,
				   -0.250008104037, 0.333333167257};
	int bits, e, m, f, f2, r;

	if (!want_f32(b, x, "log"))
		return x;
	bits = build_bitcast(b, DT_I32, x);
	/* subtract the bits of sqrt(1/2): the exponent field then counts from there */
	e = build_shift(b, LOOP_SHR, build_bin(b, LOOP_SUB, bits, i32(b, 0x3f3504f3)), 23);
	m = build_bitcast(b, DT_F32, build_bin(b, LOOP_SUB, bits, build_shift(b, LOOP_SHL, e, 23)));
	e = build_cast(b, DT_F32, e, false);
	f = build_bin(b, LOOP_SUB, m, f32(b, 1));
	f2 = build_bin(b, LOOP_MUL, f, f);
	r = build_bin(b, LOOP_MUL, horner(b, f, c, 8), build_bin(b, LOOP_MUL, f2, f));
	r = build_fma(b, e, f32(b, -2.12194440e-4), r);
	r = build_fma(b, f2, f32(b, -0.5), r);
	r = build_fma(b, e, f32(b, 0.693359375), build_bin(b, LOOP_ADD, r, f));
	r = build_select(b, build_bin(b, LOOP_EQ, x, f32(b, INFINITY)), x, r);
	/* 0 and subnormals (flushed) give -inf; below 0 and NaN give NaN */
	r = build_select(b, build_bin(b, LOOP_LT, x, f32(b, 1.17549435e-38)), f32(b, -INFINITY), r);
	m = build_bin(b, LOOP_LE, f32(b, 0), x);
	return build_select(b, m, r, f32(b, NAN));
}

/* x P(x^2) / Q(x^2) on [-limit, limit], saturated to +-1 beyond. */
static int
odd_rational(Build *b, int x, double limit, const double *p, int np, const double *q, int nq)
{
	int y = clamp(b, x, -limit, limit), t = build_bin(b, LOOP_MUL, y, y), r;

	r = build_bin(b, LOOP_MUL, y, horner(b, t, p, np));
	return clamp(b, build_bin(b, LOOP_DIV, r, horner(b, t, q, nq)), -1, 1);
}

/* 2e-9 */
int
build_erf(Build *b, int x)
{
	static const double p[] = {-1.320218510609e-08, 4.684769479171e-06, 3.796085225352e-04,
				   3.849608482891e-03,  5.431689769321e-02, 1.852031635373e-01,
				   1.128379169376e+00};
	static const double q[] = {6.311050331483e-05, 1.307568800930e-03, 1.546208232745e-02,
				   1.139583868406e-01, 4.974654440404e-01, 1.0};

	return want_f32(b, x, "erf") ? odd_rational(b, x, 4, p, 7, q, 6) : x;
}

/* 1e-10 */
int
build_tanh(Build *b, int x)
{
	static const double p[] = {2.579155101174e-14, -3.174866435474e-11, 4.573719621621e-08,
				   3.300384703217e-05, 4.094274480980e-03,  1.385591378523e-01,
				   9.999999999129e-01};
	static const double q[] = {1.670002846906e-06, 4.350714044046e-04, 2.805843293168e-02,
				   4.718924702401e-01, 1.0};

	return want_f32(b, x, "tanh") ? odd_rational(b, x, 9, p, 7, q, 5) : x;
}

/* r rounds x when |x| < 2^22; beyond, x is an integer already (or NaN). */
static int
round_by_magic(Build *b, int x)
{
	int r = build_bin(b, LOOP_SUB, build_bin(b, LOOP_ADD, x, f32(b, ROUND_MAGIC)),
			  f32(b, ROUND_MAGIC));
	int small = build_bin(b, LOOP_LT, build_un(b, LOOP_ABS, x), f32(b, 4194304));

	return build_select(b, small, r, x);
}

int
build_round(Build *b, LoopOp op, int x)
{
	int r;

	if (b->target->has_round)
		return build_un(b, op, x);
	if (!want_f32(b, x, "rounding"))
		return x;
	r = round_by_magic(b, x);
	if (op == LOOP_FLOOR)
		return build_select(b, build_bin(b, LOOP_LT, x, r),
				    build_bin(b, LOOP_SUB, r, f32(b, 1)), r);
	if (op == LOOP_CEIL)
		return build_select(b, build_bin(b, LOOP_LT, r, x),
				    build_bin(b, LOOP_ADD, r, f32(b, 1)), r);
	return r;
}

/* |x|^y = e^(y log|x|). A negative x gives the sign of y's parity when y is an integer, else NaN;
 * 0^0 and x^0 are 1; 0^y is 0, or inf for y < 0. Relative error grows as y log x: 5e-6 at most. */
int
build_pow(Build *b, int x, int y)
{
	int zero = f32(b, 0), one = f32(b, 1), r, whole, half, odd, sign;
	double v;

	if (!want_f32(b, x, "pow"))
		return x;
	if (build_is_const(b, y, &v) && v == 2)
		return build_bin(b, LOOP_MUL, x, x);
	if (build_is_const(b, y, &v) && v == 0.5)
		return build_un(b, LOOP_SQRT, x);
	r = build_exp(b, build_bin(b, LOOP_MUL, y, build_log(b, build_un(b, LOOP_ABS, x))));
	whole = build_bin(b, LOOP_EQ, build_round(b, LOOP_RINT, y), y);
	half = build_bin(b, LOOP_MUL, y, f32(b, 0.5));
	odd = build_un(b, LOOP_NOT, build_bin(b, LOOP_EQ, build_round(b, LOOP_RINT, half), half));
	sign = build_select(b, odd, build_un(b, LOOP_NEG, r), r);
	sign = build_select(b, whole, sign, f32(b, NAN));
	r = build_select(b, build_bin(b, LOOP_LT, x, zero), sign, r);
	return build_select(b, build_bin(b, LOOP_EQ, y, zero), one, r);
}
