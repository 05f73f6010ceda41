/* Elements in runs: conversions between storage types and double or int64_t.
 *
 * Each conversion is one loop per type, chosen once per run; the pointers of movement may alias
 * anything, since they carry bits and not values.
 */
#include "kernels/element.h"

typedef uint16_t __attribute__((may_alias)) Word16;
typedef uint32_t __attribute__((may_alias)) Word32;
typedef uint64_t __attribute__((may_alias)) Word64;

/* One loop over a run of a tensor that is stored as T: p is the element, i its number. The loop
 * over neighbours stands by itself because compilers vectorise it. */
#define EACH(T, statement)                                     \
	{                                                      \
		T *p = (T *)t->data + at;                      \
                                                               \
		if (step == 1)                                 \
			for (int i = 0; i < n; i++, p++)       \
				statement;                     \
		else                                           \
			for (int i = 0; i < n; i++, p += step) \
				statement;                     \
		break;                                         \
	}

void
k_load(const KTensor *t, int64_t at, int64_t step, int n, double *to)
{
	switch (t->type) {
	case DT_F32: EACH(const float, to[i] = *p)
	case DT_F64: EACH(const double, to[i] = *p)
	case DT_F16: EACH(const uint16_t, to[i] = half_to_float(*p))
	case DT_BF16: EACH(const uint16_t, to[i] = bf16_to_float(*p))
	case DT_I8: EACH(const int8_t, to[i] = *p)
	case DT_U8: EACH(const uint8_t, to[i] = *p)
	case DT_I16: EACH(const int16_t, to[i] = *p)
	case DT_U16: EACH(const uint16_t, to[i] = *p)
	case DT_I32: EACH(const int32_t, to[i] = *p)
	case DT_U32: EACH(const uint32_t, to[i] = *p)
	case DT_I64: EACH(const int64_t, to[i] = (double)*p)
	case DT_U64: EACH(const uint64_t, to[i] = (double)*p)
	case DT_BOOL: EACH(const uint8_t, to[i] = *p != 0)
	default: break;
	}
}

/* v as a float whose last bit is odd where v lies between two floats: rounding that to a half
 * gives what rounding v itself would. */
static float
odd_float(double v)
{
	union {
		float f;
		uint32_t u;
	} x = {(float)v};

	if (v != v || x.f == v || (x.u & 1))
		return x.f;
	x.u += (x.f < v) == (v > 0) ? 1u : -1u;
	return x.f;
}

/* v cut into [lo, hi]; NaN becomes 0. */
static inline double
cut(double v, double lo, double hi)
{
	return v != v ? 0 : v < lo ? lo : v > hi ? hi : v;
}

static inline int64_t
to_i64(double v)
{
	return v >= 0x1p63 ? INT64_MAX : (int64_t)cut(v, -0x1p63, 0x1p63);
}

static inline uint64_t
to_u64(double v)
{
	return v >= 0x1p64 ? UINT64_MAX : (uint64_t)cut(v, 0, 0x1p64);
}

void
k_store(const KTensor *t, int64_t at, int64_t step, int n, const double *from)
{
	switch (t->type) {
	case DT_F32: EACH(float, *p = (float)from[i])
	case DT_F64: EACH(double, *p = from[i])
	case DT_F16: EACH(uint16_t, *p = float_to_half(odd_float(from[i])))
	case DT_BF16: EACH(uint16_t, *p = float_to_bf16(odd_float(from[i])))
	case DT_I8: EACH(int8_t, *p = (int8_t)cut(from[i], INT8_MIN, INT8_MAX))
	case DT_U8: EACH(uint8_t, *p = (uint8_t)cut(from[i], 0, UINT8_MAX))
	case DT_I16: EACH(int16_t, *p = (int16_t)cut(from[i], INT16_MIN, INT16_MAX))
	case DT_U16: EACH(uint16_t, *p = (uint16_t)cut(from[i], 0, UINT16_MAX))
	case DT_I32: EACH(int32_t, *p = (int32_t)cut(from[i], INT32_MIN, INT32_MAX))
	case DT_U32: EACH(uint32_t, *p = (uint32_t)cut(from[i], 0, UINT32_MAX))
	case DT_I64: EACH(int64_t, *p = to_i64(from[i]))
	case DT_U64: EACH(uint64_t, *p = to_u64(from[i]))
	case DT_BOOL: EACH(uint8_t, *p = from[i] != 0)
	default: break;
	}
}

void
k_load_int(const KTensor *t, int64_t at, int64_t step, int n, int64_t *to)
{
	switch (t->type) {
	case DT_I8: EACH(const int8_t, to[i] = *p)
	case DT_U8: EACH(const uint8_t, to[i] = *p)
	case DT_I16: EACH(const int16_t, to[i] = *p)
	case DT_U16: EACH(const uint16_t, to[i] = *p)
	case DT_I32: EACH(const int32_t, to[i] = *p)
	case DT_U32: EACH(const uint32_t, to[i] = *p)
	case DT_I64: EACH(const int64_t, to[i] = *p)
	case DT_U64: EACH(const uint64_t, to[i] = (int64_t)*p)
	case DT_BOOL: EACH(const uint8_t, to[i] = *p != 0)
	default: break;
	}
}

void
k_store_int(const KTensor *t, int64_t at, int64_t step, int n, const int64_t *from)
{
	switch (t->type) {
	case DT_I8: EACH(int8_t, *p = (int8_t)from[i])
	case DT_U8: EACH(uint8_t, *p = (uint8_t)from[i])
	case DT_I16: EACH(int16_t, *p = (int16_t)from[i])
	case DT_U16: EACH(uint16_t, *p = (uint16_t)from[i])
	case DT_I32: EACH(int32_t, *p = (int32_t)from[i])
	case DT_U32: EACH(uint32_t, *p = (uint32_t)from[i])
	case DT_I64: EACH(int64_t, *p = from[i])
	case DT_U64: EACH(uint64_t, *p = (uint64_t)from[i])
	case DT_BOOL: EACH(uint8_t, *p = from[i] != 0)
	default: break;
	}
}

typedef union DoubleBits {
	double v;
	int64_t i;
} DoubleBits;

/* A double's bits as an integer in the same order; its own inverse on the integers. */
static inline int64_t
ordered(int64_t bits)
{
	return bits < 0 ? bits ^ INT64_MAX : bits;
}

static int64_t
key_of_double(double v, bool least)
{
	DoubleBits x = {.v = v + 0.0}; /* -0 + 0 is 0 */

	return v != v ? INT64_MAX : least ? ~ordered(x.i) : ordered(x.i);
}

static double
double_of_key(int64_t key, bool least)
{
	const int64_t inf = INT64_C(0x7ff) << 52;
	DoubleBits x;

	if (key == INT64_MAX)
		x.i = inf | inf >> 1; /* NaN */
	else
		x.i = ordered(k_max(~inf, k_min(inf, least ? ~key : key)));
	return x.v;
}

void
k_load_key(const KTensor *t, int64_t at, int64_t step, int n, bool least, int64_t *key)
{
	double v[K_RUN];
	int64_t flip = (t->type == DT_U64 ? INT64_MIN : 0) ^ (least ? -1 : 0);

	if (k_is_float(t)) {
		k_load(t, at, step, n, v);
		for (int i = 0; i < n; i++)
			key[i] = key_of_double(v[i], least);
		return;
	}
	k_load_int(t, at, step, n, key);
	for (int i = 0; i < n; i++)
		key[i] ^= flip;
}

/* The smallest and the largest integer key of a type. */
static void
int_range(DType type, int64_t *lo, int64_t *hi)
{
	int bits = 8 * (int)dtype_size(type);
	bool wide = bits == 64, is_signed = dtype_is_signed(type) || wide;

	if (type == DT_BOOL)
		bits = 1;
	*hi = (int64_t)(UINT64_MAX >> (64 - bits + is_signed));
	*lo = is_signed ? -*hi - 1 : 0;
}

void
k_store_key(const KTensor *t, int64_t at, int64_t step, int n, bool least, const int64_t *key)
{
	double v[K_RUN];
	int64_t u[K_RUN], lo, hi, flip = t->type == DT_U64 ? INT64_MIN : 0;

	if (k_is_float(t)) {
		for (int i = 0; i < n; i++)
			v[i] = double_of_key(key[i], least);
		k_store(t, at, step, n, v);
		return;
	}
	int_range((DType)t->type, &lo, &hi);
	for (int i = 0; i < n; i++)
		u[i] = k_max(lo, k_min(hi, least ? ~key[i] : key[i])) ^ flip;
	k_store_int(t, at, step, n, u);
}

#define COPY(T)                                                               \
	{                                                                     \
		T *p = (T *)to->data + to_at;                                 \
		const T *q = (const T *)from->data + from_at;                 \
                                                                              \
		for (int64_t i = 0; i < n; i++, p += to_step, q += from_step) \
			*p = *q;                                              \
		break;                                                        \
	}

void
k_copy(const KTensor *to, int64_t to_at, int64_t to_step, const KTensor *from, int64_t from_at,
       int64_t from_step, int64_t n)
{
	switch (dtype_size((DType)to->type)) {
	case 1: COPY(uint8_t)
	case 2: COPY(Word16)
	case 4: COPY(Word32)
	case 8: COPY(Word64)
	default: break;
	}
}

void
k_zero(const KTensor *to, int64_t at, int64_t n)
{
	int64_t size = (int64_t)dtype_size((DType)to->type);
	uint8_t *p = (uint8_t *)to->data + at * size;

	for (int64_t i = 0; i < n * size; i++)
		p[i] = 0;
}
