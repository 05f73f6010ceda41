/* Cast between all types.
 *
 * Float to integer truncates and saturates, NaN gives 0. Integer to integer keeps the low bits.
 * Anything to float rounds once to nearest even. Anything to BOOL is v != 0 (NaN is true).
 */
#include "kernels/element.h"

/* A 64-bit integer as a double that rounds to f32, f16 and bf16 as the integer itself would: bits
 * beyond a double's are gathered in the last one kept. */
static double
odd_double(int64_t v, bool is_signed)
{
	bool negative = is_signed && v < 0;
	uint64_t u = negative ? 0 - (uint64_t)v : (uint64_t)v;

	if (u >> 53)
		u = (u & ~UINT64_C(2047)) | (u & 2047 ? 2048 : 0);
	return negative ? -(double)u : (double)u;
}

static void
int_to_float(const KCall *k, int64_t at, int n)
{
	bool is_signed = dtype_is_signed((DType)k->in->type);
	int64_t i[K_RUN];
	double v[K_RUN];

	if (k->out->type == DT_F64) { /* rounds once in the load */
		k_load(k->in, at, 1, n, v);
	} else {
		k_load_int(k->in, at, 1, n, i);
		for (int j = 0; j < n; j++)
			v[j] = odd_double(i[j], is_signed);
	}
	k_store(k->out, at, 1, n, v);
}

int
ref_cast(const KCall *k)
{
	int64_t count = k_count(k->out), v[K_RUN];
	double f[K_RUN];

	for (int64_t at = 0; at < count; at += K_RUN) {
		int n = (int)k_min(K_RUN, count - at);

		if (k_is_float(k->in)) {
			k_load(k->in, at, 1, n, f);
			k_store(k->out, at, 1, n, f);
		} else if (k_is_float(k->out)) {
			int_to_float(k, at, n);
		} else {
			k_load_int(k->in, at, 1, n, v);
			k_store_int(k->out, at, 1, n, v);
		}
	}
	return 0;
}
