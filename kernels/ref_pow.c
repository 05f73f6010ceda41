/* Pow: base and exponent have types of their own; the result has the base's.
 *
 * Integer bases with integer exponents are exact modulo 2^64. A negative exponent then gives the
 * truncated quotient: 0, or +-1 for the bases 1 and -1; 0 to a negative power is 0, as any integer
 * division by zero. Integer bases with float exponents go through double and saturate.
 */
#include "kernels/kmath.h"
#include "kernels/walk.h"

static int64_t
int_pow(int64_t base, int64_t exponent, bool base_signed, bool exponent_signed)
{
	uint64_t b = (uint64_t)base, v = 1, e = (uint64_t)exponent;

	if (exponent_signed && exponent < 0)
		return base == 1 ? 1 : base_signed && base == -1 ? (e & 1 ? -1 : 1) : 0;
	for (; e; e >>= 1) {
		if (e & 1)
			v *= b;
		b *= b;
	}
	return (int64_t)v;
}

static void
int_run(const KCall *k, const Walk *w, int64_t at)
{
	const KTensor *x = &k->in[0], *y = &k->in[1];
	bool xs = dtype_is_signed((DType)x->type), ys = dtype_is_signed((DType)y->type);
	int64_t b[K_RUN], e[K_RUN];

	k_load_int(x, w->at[0], w->run[0], w->n, b);
	k_load_int(y, w->at[1], w->run[1], w->n, e);
	for (int i = 0; i < w->n; i++)
		b[i] = int_pow(b[i], e[i], xs, ys);
	k_store_int(k->out, at, 1, w->n, b);
}

static void
float_run(const KCall *k, const Walk *w, int64_t at)
{
	double b[K_RUN], e[K_RUN];

	k_load(&k->in[0], w->at[0], w->run[0], w->n, b);
	k_load(&k->in[1], w->at[1], w->run[1], w->n, e);
	for (int i = 0; i < w->n; i++)
		b[i] = k_pow(b[i], e[i]);
	k_store(k->out, at, 1, w->n, b);
}

int
ref_pow(const KCall *k)
{
	const KTensor *x = &k->in[0], *y = &k->in[1], *z = k->out;
	int64_t at = 0;
	Walk w;

	if (x->type == DT_BOOL || y->type == DT_BOOL)
		return -1;
	walk_init(&w, z->rank, z->dim);
	walk_broadcast(&w, 0, x);
	walk_broadcast(&w, 1, y);
	walk_merge(&w);
	walk_start(&w);
	for (; walk_next(&w); at += w.n)
		if (k_is_int(x) && k_is_int(y))
			int_run(k, &w, at);
		else
			float_run(k, &w, at);
	return 0;
}
