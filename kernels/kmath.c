/* Double-precision functions from argument reduction and short polynomials.
 *
 * Bit patterns are taken apart with integers rather than with floor, ldexp or 128-bit arithmetic,
 * because those become library calls on some targets. Polynomials are Taylor series where the
 * reduced argument is small enough, and Chebyshev interpolants computed in 60 digits for erf.
 */
#include "kernels/kmath.h"

static const double LOG2E = 1.4426950408889634;
/* ln 2 = LN2_HI + LN2_LO; LN2_HI has 38 bits, so that its products with exponents are exact. */
static const double LN2_HI = 0x1.62e42fefa0000p-1, LN2_LO = 1.6465949582897082e-12;

double
k_trunc(double x)
{
	uint64_t b = k_bits(x);
	int e = (int)(b >> 52 & 0x7ff) - 1023;

	if (e >= 52)
		return x;
	return k_from_bits(b & (e < 0 ? ~(uint64_t)INT64_MAX : ~(UINT64_MAX >> 12 >> e)));
}

double
k_floor(double x)
{
	double t = k_trunc(x);

	return t > x ? t - 1 : t;
}

double
k_ceil(double x)
{
	double t = k_trunc(x);

	return t < x ? t + 1 : t;
}

static int
is_odd(double whole)
{
	return 2 * k_trunc(whole / 2) != whole;
}

double
k_rint(double x)
{
	double t = k_trunc(x), rest = k_abs(x - t);

	if (rest > 0.5 || (rest == 0.5 && is_odd(t)))
		return t + k_copysign(1, x);
	return t;
}

/* Mantissa with its leading bit; *e is the power of two of its last bit. x is finite, above 0. */
static uint64_t
mantissa(double x, int *e)
{
	uint64_t b = k_bits(x), m = b & UINT64_MAX >> 12;
	int biased = (int)(b >> 52);

	if (biased) {
		*e = biased - 1075;
		return m | UINT64_C(1) << 52;
	}
	*e = -1074;
	return m;
}

/* Long division of mantissas, one bit a step: exact. */
double
k_fmod(double x, double y)
{
	double ax = k_abs(x), ay = k_abs(y);
	uint64_t m, d;
	int em, ed;

	if (x != x || y != y || ax == K_INFINITY || ay == 0)
		return K_NAN;
	if (ax < ay)
		return x;
	m = mantissa(ax, &em);
	d = mantissa(ay, &ed);
	for (; em > ed; em--) {
		m %= d;
		if (!m)
			break;
		m <<= 1;
	}
	m %= d;
	if (!m)
		return k_copysign(0, x);
	while (m < UINT64_C(1) << 52 && ed > -1074) {
		m <<= 1;
		ed--;
	}
	/* the leading bit of a normal mantissa adds 1 to the exponent field */
	return k_copysign(k_from_bits(((uint64_t)(ed + 1074) << 52) + m), x);
}

/* Halving the exponent gives 2 digits, each Newton step doubles them. */
double
k_sqrt(double x)
{
	double y;

	if (!(x > 0) || x == K_INFINITY)
		return x < 0 ? K_NAN : x;
	if (x < 0x1p-1022)
		return k_sqrt(x * 0x1p106) * 0x1p-53;
	y = k_from_bits((k_bits(x) >> 1) + UINT64_C(0x1ff7a3bea91d9b1b));
	for (int i = 0; i < 4; i++)
		y = 0.5 * (y + x / y);
	return y;
}

/* v * 2^e with one rounding, for v near 1 and |e| < 1100. */
static double
scaled(double v, int e)
{
	if (e > 1023)
		return v * 0x1p1023 * k_from_bits((uint64_t)(e - 1023 + 1023) << 52);
	if (e < -1022)
		return v * 0x1p-969 * k_from_bits((uint64_t)(e + 969 + 1023) << 52);
	return v * k_from_bits((uint64_t)(e + 1023) << 52);
}

/* (e^r - 1 - r) / r^2 for |r| < 0.36 */
static double
exp_rest(double r)
{
	double p = 1.0 / 87178291200;

	p = p * r + 1.0 / 6227020800;
	p = p * r + 1.0 / 479001600;
	p = p * r + 1.0 / 39916800;
	p = p * r + 1.0 / 3628800;
	p = p * r + 1.0 / 362880;
	p = p * r + 1.0 / 40320;
	p = p * r + 1.0 / 5040;
	p = p * r + 1.0 / 720;
	p = p * r + 1.0 / 120;
	p = p * r + 1.0 / 24;
	p = p * r + 1.0 / 6;
	return p * r + 0.5;
}

/* e^(hi + lo), |lo| far below |hi|, hi in the range where the result is finite */
static double
exp_of_sum(double hi, double lo)
{
	int k = (int)(hi * LOG2E + (hi < 0 ? -0.5 : 0.5));
	double r = (hi - k * LN2_HI) - (k * LN2_LO - lo);

	return scaled(1 + (r + r * r * exp_rest(r)), k);
}

double
k_exp(double x)
{
	if (x != x)
		return x;
	if (x > 709.79)
		return K_INFINITY;
	if (x < -745.14)
		return 0;
	return exp_of_sum(x, 0);
}

double
k_expm1(double x)
{
	if (k_abs(x) < 0.35)
		return x * (1 + x * exp_rest(x));
	return k_exp(x) - 1;
}

/* Upper half of the bits of sqrt(1/2). */
static const uint64_t ROOT_HALF = 0x3fe6a09e;

/* x = m * 2^e with m in [sqrt(1/2), sqrt(2)); x is finite, above 0. Returns m. */
static double
reduced(double x, int *e)
{
	uint64_t b;

	*e = 0;
	if (x < 0x1p-1022) {
		x *= 0x1p54;
		*e = -54;
	}
	b = k_bits(x) + ((UINT64_C(0x3ff00000) - ROOT_HALF) << 32);
	*e += (int)(b >> 52) - 1023;
	return k_from_bits((b & UINT64_MAX >> 12) + (ROOT_HALF << 32));
}

/* log((1 + s) / (1 - s)) - 2 s for |s| < 0.1717 */
static double
log_rest(double s)
{
	double z = s * s, p = 2.0 / 25;

	p = p * z + 2.0 / 23;
	p = p * z + 2.0 / 21;
	p = p * z + 2.0 / 19;
	p = p * z + 2.0 / 17;
	p = p * z + 2.0 / 15;
	p = p * z + 2.0 / 13;
	p = p * z + 2.0 / 11;
	p = p * z + 2.0 / 9;
	p = p * z + 2.0 / 7;
	p = p * z + 2.0 / 5;
	p = p * z + 2.0 / 3;
	return p * z * s;
}

double
k_log(double x)
{
	double f, s;
	int e;

	if (!(x > 0) || x == K_INFINITY)
		return x == 0 ? -K_INFINITY : x < 0 ? K_NAN : x;
	f = reduced(x, &e) - 1;
	s = f / (2 + f);
	return e * LN2_HI + (2 * s + (log_rest(s) + e * LN2_LO));
}

/* log(1 + x) from log(u), where u is 1 + x rounded: both errors nearly cancel in the quotient. */
double
k_log1p(double x)
{
	double u = 1 + x;

	if (u == 1 || x == K_INFINITY || x != x)
		return x;
	if (x < -0.5 || x > 0x1p60)
		return k_log(u);
	return k_log(u) * (x / (u - 1));
}

/* a * b = returned + *rest, exactly unless it underflows. */
static double
exact_product(double a, double b, double *rest)
{
	double ah = k_from_bits(k_bits(a) & UINT64_MAX << 27), al = a - ah;
	double bh = k_from_bits(k_bits(b) & UINT64_MAX << 27), bl = b - bh;
	double p = a * b;

	*rest = ((ah * bh - p) + ah * bl + al * bh) + al * bl;
	return p;
}

/* log(x) = returned + *lo with about 60 good bits: k_pow multiplies their error by up to 1000. */
static double
log_in_two(double x, double *lo)
{
	double f, d, s, rest, top, low, hi;
	int e;

	f = reduced(x, &e) - 1;
	d = 2 + f;
	s = f / d;
	hi = exact_product(s, d, &rest);
	rest = ((f - hi) - rest - s * (f - (d - 2))) / d; /* f / (2 + f) is s + rest */
	top = e * LN2_HI + 2 * s;
	low = e ? (e * LN2_HI - top) + 2 * s : 0;
	low += log_rest(s) + 2 * rest + e * LN2_LO;
	hi = top + low;
	*lo = (top - hi) + low;
	return hi;
}

static double
pow_finite(double x, double y) /* x above 0 */
{
	double lo, rest, log = log_in_two(x, &lo), p = y * log;

	if (p > 710)
		return K_INFINITY;
	if (p < -746)
		return 0;
	p = exact_product(y, log, &rest);
	return exp_of_sum(p, rest + y * lo);
}

double
k_pow(double x, double y)
{
	double ax = k_abs(x), ay = k_abs(y), v;
	int whole = k_trunc(y) == y, odd = whole && ay < 0x1p53 && is_odd(y);

	if (y == 0 || x == 1)
		return 1;
	if (x != x || y != y)
		return K_NAN;
	if (y == 2)
		return x * x;
	if (ay == K_INFINITY)
		return ax == 1 ? 1 : (ax > 1) == (y > 0) ? K_INFINITY : 0;
	if (ax == 0 || ax == K_INFINITY)
		v = (ax == 0) == (y < 0) ? K_INFINITY : 0;
	else if (x < 0 && !whole)
		return K_NAN;
	else
		v = ax == 1 ? 1 : pow_finite(ax, y);
	return odd ? k_copysign(v, x) : v;
}

double
k_tanh(double x)
{
	double a = k_abs(x), t;

	if (a > 20)
		return k_copysign(1, x);
	t = k_expm1(2 * a);
	return k_copysign(t / (t + 2), x);
}

/* Both exponentials have arguments below 0: nothing overflows. */
double
k_sigmoid(double x)
{
	double e = k_exp(-k_abs(x));

	return (x < 0 ? e : 1) / (1 + e);
}

double
k_softplus(double x)
{
	return (x > 0 ? x : 0) + k_log1p(k_exp(-k_abs(x)));
}

/* erf(x) / x in z = x^2, for |x| <= 1 */
static const double erf_center[] = {
	1.1283791670955126,      -0.3761263890318375,     0.11283791670954879,
	-0.026866170645076792,   0.0052239776248180145,   -0.000854832698083379,
	0.0001205533111164271,   -1.4925595266831182e-05, 1.6461000484121368e-06,
	-1.6350312701054695e-07, 1.4659775274047436e-08,  -1.1372848856791674e-09,
	5.957176147748911e-11,
};
/* exp(x^2) * (1 - erf(x)) in t = (x - 3) / (x + 3), for 1 <= x <= 6 */
static const double erf_tail[] = {
	0.17900115118138996,     -0.3262335600430372,     0.24560380171233093,
	-0.15011593650077582,    0.07166583719797331,     -0.024392499318790735,
	0.004269136333077869,    0.0007077464435611972,   -0.0005970619531815352,
	4.525520140579536e-05,   6.405657794051666e-05,   -1.2859347351455289e-05,
	-7.977696579644072e-06,  2.1124428949403864e-06,  1.2459620847174093e-06,
	-2.6915157592850126e-07, -2.0355575642200858e-07,
};

static double
polynomial(const double *c, int n, double x)
{
	double v = c[n - 1];

	for (int i = n - 2; i >= 0; i--)
		v = v * x + c[i];
	return v;
}

double
k_erf(double x)
{
	double a = k_abs(x), v;

	if (x != x)
		return x;
	if (a <= 1)
		return x * polynomial(erf_center, sizeof erf_center / sizeof *erf_center, x * x);
	if (a >= 6)
		return k_copysign(1, x);
	v = polynomial(erf_tail, sizeof erf_tail / sizeof *erf_tail, (a - 3) / (a + 3));
	return k_copysign(1 - k_exp(-a * a) * v, x);
}

/* x = k * pi/2 + returned, |returned| <= pi/4 or barely more; *quadrant = k mod 4. pi/2 comes in
 * three parts, the first two of 33 bits: exact products up to k = 2^20. */
static double
quarter_turn(double x, int *quadrant)
{
	int k;

	if (k_abs(x) > 1e6)
		x = k_fmod(x, 6.283185307179586);
	k = (int)(x * 0.6366197723675814 + (x < 0 ? -0.5 : 0.5));
	*quadrant = k & 3;
	return ((x - k * 0x1.921fb54400000p+0) - k * 0x1.0b4611a600000p-34) -
	       k * 2.0222662487959506e-21;
}

static double
sin_near_0(double r)
{
	double z = r * r, p = -1.0 / 1307674368000;

	p = p * z + 1.0 / 6227020800;
	p = p * z - 1.0 / 39916800;
	p = p * z + 1.0 / 362880;
	p = p * z - 1.0 / 5040;
	p = p * z + 1.0 / 120;
	p = p * z - 1.0 / 6;
	return r * (1 + z * p);
}

static double
cos_near_0(double r)
{
	double z = r * r, p = 1.0 / 20922789888000;

	p = p * z - 1.0 / 87178291200;
	p = p * z + 1.0 / 479001600;
	p = p * z - 1.0 / 3628800;
	p = p * z + 1.0 / 40320;
	p = p * z - 1.0 / 720;
	p = p * z + 1.0 / 24;
	p = p * z - 0.5;
	return 1 + z * p;
}

/* sin(x + shift * pi/2) */
static double
sin_shifted(double x, int shift)
{
	int quadrant;
	double r, v;

	if (!(k_abs(x) < K_INFINITY))
		return K_NAN;
	r = quarter_turn(x, &quadrant);
	quadrant += shift;
	v = quadrant & 1 ? cos_near_0(r) : sin_near_0(r);
	return quadrant & 2 ? -v : v;
}

double
k_sin(double x)
{
	return sin_shifted(x, 0);
}

double
k_cos(double x)
{
	return sin_shifted(x, 1);
}
