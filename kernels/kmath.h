/* Mathematical functions in double precision for freestanding code: no libm, no errno, no tables.
 *
 * Relative error at most 1e-14 (measured: below 1e-15 but for k_pow at large exponents);
 * infinities, NaN, signed zeros, overflow and subnormal results as in C's Annex F. The rounding
 * mode is taken to be to nearest. k_sin and k_cos: absolute error 1e-12 up to |x| = 1e5; beyond
 * 1e6 the argument is reduced by 2 pi rounded to double.
 */
#ifndef KERNELS_KMATH_H
#define KERNELS_KMATH_H

#include <stdint.h>

#define K_INFINITY (k_from_bits(UINT64_C(0x7ff) << 52))
#define K_NAN      (k_from_bits(UINT64_C(0x7ff8) << 48))

static inline uint64_t
k_bits(double x)
{
	union {
		double v;
		uint64_t u;
	} b = {x};

	return b.u;
}

static inline double
k_from_bits(uint64_t u)
{
	union {
		uint64_t u;
		double v;
	} b = {u};

	return b.v;
}

static inline double
k_abs(double x)
{
	return k_from_bits(k_bits(x) & INT64_MAX);
}

static inline double
k_copysign(double x, double sign)
{
	return k_from_bits((k_bits(x) & INT64_MAX) | (k_bits(sign) & ~(uint64_t)INT64_MAX));
}

double k_trunc(double x);
double k_floor(double x);
double k_ceil(double x);
double k_rint(double x); /* half to even */
double k_fmod(double x, double y);
double k_sqrt(double x);
double k_exp(double x);
double k_expm1(double x);
double k_log(double x);
double k_log1p(double x);
double k_pow(double x, double y);
double k_tanh(double x);
double k_erf(double x);
double k_sigmoid(double x);  /* 1 / (1 + exp(-x)) */
double k_softplus(double x); /* log(1 + exp(x)) */
double k_sin(double x);
double k_cos(double x);

#endif
