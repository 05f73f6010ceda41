/* Elements in runs: how reference kernels read and write tensors.
 *
 * A kernel works on runs of at most K_RUN elements, held as double (float types) or as int64_t
 * (integer types and BOOL; u64 keeps its 64 bits), so that one readable expression serves all
 * types and the conversions are tight loops. Offsets and steps count elements. Freestanding.
 */
#ifndef KERNELS_ELEMENT_H
#define KERNELS_ELEMENT_H

#include "kernels/kernel.h"

enum { K_RUN = 64 };

static inline bool
k_is_float(const KTensor *t)
{
	return t->type <= DT_BF16;
}

static inline bool
k_is_int(const KTensor *t) /* BOOL is not an integer */
{
	return t->type > DT_BF16 && t->type < DT_BOOL;
}

/* What ConvInteger and MatMulInteger take: types that are computed with as i32. */
static inline bool
k_is_summed_in_i32(const KTensor *t)
{
	return k_is_int(t) && t->type <= DT_I32;
}

static inline int64_t
k_min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t
k_max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Any type as double: exact but for 64-bit integers beyond 2^53. */
void k_load(const KTensor *t, int64_t at, int64_t step, int n, double *to);

/* Rounds once, to nearest even. Integer types truncate toward zero and saturate, NaN gives 0;
 * BOOL stores v != 0. */
void k_store(const KTensor *t, int64_t at, int64_t step, int n, const double *from);

/* Integer types and BOOL (0 or 1). The store keeps the low bits; BOOL stores v != 0. */
void k_load_int(const KTensor *t, int64_t at, int64_t step, int n, int64_t *to);
void k_store_int(const KTensor *t, int64_t at, int64_t step, int n, const int64_t *from);

/* Keys: 64-bit integers in the order of the elements, for every type, so that maxima need one
 * kernel. NaN is above all; -0 counts as 0. `least` reverses the order (NaN stays above all): the
 * maximum of such keys belongs to the least element. The store undoes it; keys that no element
 * has, like INT64_MIN for "nothing seen", become the type's first value in that order. */
void k_load_key(const KTensor *t, int64_t at, int64_t step, int n, bool least, int64_t *key);
void k_store_key(const KTensor *t, int64_t at, int64_t step, int n, bool least, const int64_t *key);

/* Moves elements as bits; both tensors have the same element size. */
void k_copy(const KTensor *to, int64_t to_at, int64_t to_step, const KTensor *from, int64_t from_at,
	    int64_t from_step, int64_t n);
void k_zero(const KTensor *to, int64_t at, int64_t n);

/* y += a * x: the inner loop of products and convolutions. */
static inline void
k_add_scaled(int n, double *y, double a, const double *x)
{
	for (int i = 0; i < n; i++)
		y[i] += a * x[i];
}

static inline double
k_get(const KTensor *t, int64_t at)
{
	double v;

	k_load(t, at, 0, 1, &v);
	return v;
}

static inline int64_t
k_get_int(const KTensor *t, int64_t at)
{
	int64_t v;

	k_load_int(t, at, 0, 1, &v);
	return v;
}

static inline void
k_put(const KTensor *t, int64_t at, double v)
{
	k_store(t, at, 0, 1, &v);
}

#endif
