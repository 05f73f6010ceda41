/* Elementwise operators of one operand. Each is one line: its name and its value at v; the loops
 * around it are the same. NaN goes through. */
#include "kernels/element.h"
#include "kernels/kmath.h"

typedef struct Param {
	double alpha, beta, gamma;
} Param;

typedef void FloatRun(int n, const double *x, double *y, Param p);
typedef void IntRun(int n, const int64_t *x, int64_t *y, bool is_signed);

static int
unary(const KCall *k, FloatRun *run)
{
	const KTensor *x = k->in, *y = k->out;
	Param p = {k_float(k, ATTR_alpha), k_float(k, ATTR_beta), k_float(k, ATTR_gamma)};
	int64_t count = k_count(y);
	double v[K_RUN];

	if (!k_is_float(x))
		return -1;
	for (int64_t at = 0; at < count; at += K_RUN) {
		int n = (int)k_min(K_RUN, count - at);

		k_load(x, at, 1, n, v);
		run(n, v, v, p);
		k_store(y, at, 1, n, v);
	}
	return 0;
}

static int
unary_or_int(const KCall *k, FloatRun *run, IntRun *int_run)
{
	const KTensor *x = k->in, *y = k->out;
	int64_t count = k_count(y), v[K_RUN];

	if (!k_is_int(x))
		return unary(k, run);
	for (int64_t at = 0; at < count; at += K_RUN) {
		int n = (int)k_min(K_RUN, count - at);

		k_load_int(x, at, 1, n, v);
		int_run(n, v, v, dtype_is_signed((DType)x->type));
		k_store_int(y, at, 1, n, v);
	}
	return 0;
}

static double
into_unit(double v)
{
	return v < 0 ? 0 : v > 1 ? 1 : v;
}

static double
gelu(double v)
{
	return 0.5 * v * (1 + k_erf(v * 0.7071067811865476));
}

static double
gelu_tanh(double v)
{
	return 0.5 * v * (1 + k_tanh(0.7978845608028654 * (v + 0.044715 * v * v * v)));
}

/* Name and value at v. */
#define FLOAT_LIST(X)                                       \
	X(exp, k_exp(v))                                    \
	X(log, k_log(v))                                    \
	X(sqrt, k_sqrt(v))                                  \
	X(reciprocal, 1 / v)                                \
	X(erf, k_erf(v))                                    \
	X(tanh, k_tanh(v))                                  \
	X(sin, k_sin(v))                                    \
	X(cos, k_cos(v))                                    \
	X(sigmoid, k_sigmoid(v))                            \
	X(hardswish, into_unit(v / 6 + 0.5) * v)            \
	X(floor, k_floor(v))                                \
	X(ceil, k_ceil(v))                                  \
	X(round, k_rint(v))                                 \
	X(softplus, k_softplus(v))                          \
	X(softsign, v / (1 + k_abs(v)))                     \
	X(hardsigmoid, into_unit(v *p.alpha + p.beta))      \
	X(leakyrelu, v < 0 ? p.alpha * v : v)               \
	X(thresholdedrelu, v > p.alpha ? v : 0)             \
	X(elu, v < 0 ? p.alpha * k_expm1(v) : v)            \
	X(celu, v < 0 ? p.alpha * k_expm1(v / p.alpha) : v) \
	X(selu, (v > 0 ? v : p.alpha * k_expm1(v)) * p.gamma)

/* Name, value at v, value at the integer v: v is negative only if `negative` says so, u is v
 * without sign. */
#define NUMBER_LIST(X)                                                        \
	X(neg, -v, 0 - u)                                                     \
	X(abs, k_abs(v), negative ? 0 - u : u)                                \
	X(sign, v > 0 ? 1 : v < 0 ? -1 : v, negative ? ~UINT64_C(0) : u != 0) \
	X(relu, v < 0 ? 0 : v, negative ? 0 : u)

#define FLOAT_RUN(name, value)                                             \
	static void name##_run(int n, const double *x, double *y, Param p) \
	{                                                                  \
		(void)p;                                                   \
		for (int i = 0; i < n; i++) {                              \
			double v = x[i];                                   \
                                                                           \
			y[i] = value;                                      \
		}                                                          \
	}

#define INT_RUN(name, value)                                                            \
	static void name##_int_run(int n, const int64_t *x, int64_t *y, bool is_signed) \
	{                                                                               \
		for (int i = 0; i < n; i++) {                                           \
			uint64_t u = (uint64_t)x[i];                                    \
			bool negative = is_signed && x[i] < 0;                          \
                                                                                        \
			(void)negative;                                                 \
			y[i] = (int64_t)(value);                                        \
		}                                                                       \
	}

#define X(name, value)                       \
	FLOAT_RUN(name, value)               \
	int ref_##name(const KCall *k)       \
	{                                    \
		return unary(k, name##_run); \
	}
FLOAT_LIST(X)
#undef X

#define X(name, value, int_value)                                   \
	FLOAT_RUN(name, value)                                      \
	INT_RUN(name, int_value)                                    \
	int ref_##name(const KCall *k)                              \
	{                                                           \
		return unary_or_int(k, name##_run, name##_int_run); \
	}
NUMBER_LIST(X)
#undef X

FLOAT_RUN(gelu, gelu(v))
FLOAT_RUN(gelu_tanh, gelu_tanh(v))

int
ref_gelu(const KCall *k)
{
	return unary(k, k_int(k, ATTR_approximate) ? gelu_tanh_run : gelu_run);
}
