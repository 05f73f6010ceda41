/* Elementwise operators of two operands with NumPy broadcasting. Each is one line: its name, its
 * value for floats, its value for integers. NaN goes through.
 *
 * Integers are computed modulo 2^64 and keep the low bits of their type, so overflow is defined.
 * Division truncates; dividing by zero gives 0.
 */
#include "kernels/kmath.h"
#include "kernels/walk.h"

typedef void FloatRun(int n, const double *x, const double *y, double *z);
typedef void IntRun(int n, const int64_t *x, const int64_t *y, int64_t *z, bool is_signed);

static int
binary(const KCall *k, FloatRun *run, IntRun *int_run)
{
	const KTensor *x = &k->in[0], *y = &k->in[1], *z = k->out;
	bool is_signed = dtype_is_signed((DType)z->type);
	int64_t at = 0, i[K_RUN], j[K_RUN];
	double v[K_RUN], w[K_RUN];
	Walk walk;

	if (!k_is_float(z) && !k_is_int(z))
		return -1;
	walk_init(&walk, z->rank, z->dim);
	walk_broadcast(&walk, 0, x);
	walk_broadcast(&walk, 1, y);
	walk_merge(&walk);
	walk_start(&walk);
	for (; walk_next(&walk); at += walk.n) {
		if (k_is_float(z)) {
			k_load(x, walk.at[0], walk.run[0], walk.n, v);
			k_load(y, walk.at[1], walk.run[1], walk.n, w);
			run(walk.n, v, w, v);
			k_store(z, at, 1, walk.n, v);
		} else {
			k_load_int(x, walk.at[0], walk.run[0], walk.n, i);
			k_load_int(y, walk.at[1], walk.run[1], walk.n, j);
			int_run(walk.n, i, j, i, is_signed);
			k_store_int(z, at, 1, walk.n, i);
		}
	}
	return 0;
}

static uint64_t
quotient(uint64_t a, uint64_t b, bool is_signed)
{
	if (!b)
		return 0;
	if (!is_signed)
		return a / b;
	return b == UINT64_MAX ? 0 - a : (uint64_t)((int64_t)a / (int64_t)b);
}

static uint64_t
remainder_of(uint64_t a, uint64_t b, bool is_signed) /* the sign is a's */
{
	return b ? a - b * quotient(a, b, is_signed) : 0;
}

static uint64_t
modulus(uint64_t a, uint64_t b, bool is_signed) /* the sign is b's */
{
	uint64_t r = remainder_of(a, b, is_signed);

	return is_signed && r && (int64_t)(r ^ b) < 0 ? r + b : r;
}

static double
float_modulus(double a, double b)
{
	double r = k_fmod(a, b);

	return r == 0 ? k_copysign(0, b) : (r < 0) != (b < 0) ? r + b : r;
}

static inline bool
less(uint64_t a, uint64_t b, bool is_signed)
{
	return is_signed ? (int64_t)a < (int64_t)b : a < b;
}

/* Name, value for floats a and b, value modulo 2^64 for integers; s: the type is signed. */
#define BINARY_LIST(X)                                         \
	X(add, a + b, a + b)                                   \
	X(sub, a - b, a - b)                                   \
	X(mul, a *b, a *b)                                     \
	X(div, a / b, quotient(a, b, s))                       \
	X(min, a < b || a != a ? a : b, less(a, b, s) ? a : b) \
	X(max, a > b || a != a ? a : b, less(a, b, s) ? b : a) \
	X(prelu, a < 0 ? a * b : a, less(a, 0, s) ? a * b : a) \
	X(modulus, float_modulus(a, b), modulus(a, b, s))      \
	X(remainder, k_fmod(a, b), remainder_of(a, b, s))

#define X(name, value, int_value)                                                                 \
	static void name##_run(int n, const double *x, const double *y, double *z)                \
	{                                                                                         \
		for (int i = 0; i < n; i++) {                                                     \
			double a = x[i], b = y[i];                                                \
                                                                                                  \
			z[i] = value;                                                             \
		}                                                                                 \
	}                                                                                         \
	static void name##_int_run(int n, const int64_t *x, const int64_t *y, int64_t *z, bool s) \
	{                                                                                         \
		(void)s;                                                                          \
		for (int i = 0; i < n; i++) {                                                     \
			uint64_t a = (uint64_t)x[i], b = (uint64_t)y[i];                          \
                                                                                                  \
			z[i] = (int64_t)(int_value);                                              \
		}                                                                                 \
	}
BINARY_LIST(X)
#undef X

#define X(name)                                               \
	int ref_##name(const KCall *k)                        \
	{                                                     \
		return binary(k, name##_run, name##_int_run); \
	}
X(add)
X(sub)
X(mul)
X(div)
X(min)
X(max)
X(prelu)
#undef X

int
ref_mod(const KCall *k)
{
	return k_int(k, ATTR_fmod) ? binary(k, remainder_run, remainder_int_run)
				   : binary(k, modulus_run, modulus_int_run);
}
