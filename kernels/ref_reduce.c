/* Reductions over any set of axes.
 *
 * Floats are folded in double. Integers are folded modulo 2^64; a mean truncates; roots and
 * logarithms are taken in double, truncate and saturate. Over no element at all a sum is 0, a
 * product 1, a mean NaN (0 for integers), the logarithm of a sum -inf, a maximum the least value.
 */
#include "kernels/kmath.h"
#include "kernels/walk.h"

typedef enum Fold { SUM, PRODUCT, MAGNITUDES, SQUARES } Fold;
typedef enum Result { PLAIN, MEAN, ROOT, LOGARITHM } Result;

typedef struct Reduction {
	const KTensor *x, *y;
	Walk inner;     /* over the reduced axes of x (operand 0) */
	int64_t length; /* elements that make one output */
	Fold fold;
	Result result;
	bool least; /* minimum instead of maximum */
} Reduction;

/* Computes output number out from the elements whose first is at. */
typedef void One(Reduction *r, int64_t at, int64_t out);

static bool
is_reduced(const KCall *k, int axis)
{
	const KAttr *axes = k_attr(k, ATTR_axes);
	bool found = !axes || axes->n == 0;

	for (int i = 0; axes && i < axes->n; i++)
		found = found || axes->i[i] == axis;
	return found;
}

static int
reduce(const KCall *k, Reduction *r, One *one)
{
	int64_t kept[KERNEL_RANK_MAX], reduced[KERNEL_RANK_MAX], out = 0;
	const KTensor *x = r->x = k->in;
	Walk outer;

	r->y = k->out;
	r->length = 1;
	for (int a = 0; a < x->rank; a++) {
		kept[a] = is_reduced(k, a) ? 1 : x->dim[a];
		reduced[a] = is_reduced(k, a) ? x->dim[a] : 1;
		r->length *= reduced[a];
	}
	walk_init(&r->inner, x->rank, reduced);
	walk_broadcast(&r->inner, 0, x);
	walk_merge(&r->inner);
	walk_init(&outer, x->rank, kept);
	walk_broadcast(&outer, 0, x);
	walk_merge(&outer);
	walk_start(&outer);
	while (walk_next(&outer))
		for (int i = 0; i < outer.n; i++)
			one(r, outer.at[0] + i * outer.run[0], out++);
	return 0;
}

static void
start(Reduction *r, int64_t at)
{
	walk_start(&r->inner);
	r->inner.at[0] += at;
}

static double
fold_run(Fold fold, double acc, int n, const double *v)
{
	for (int i = 0; i < n; i++)
		switch (fold) {
		case SUM: acc += v[i]; break;
		case PRODUCT: acc *= v[i]; break;
		case MAGNITUDES: acc += k_abs(v[i]); break;
		case SQUARES: acc += v[i] * v[i]; break;
		}
	return acc;
}

static double
finish(Result result, double acc, int64_t length)
{
	switch (result) {
	case MEAN: return acc / (double)length;
	case ROOT: return k_sqrt(acc);
	case LOGARITHM: return k_log(acc);
	default: return acc;
	}
}

static void
reduce_floats(Reduction *r, int64_t at, int64_t out)
{
	double acc = r->fold == PRODUCT, v[K_RUN];
	Walk *w = &r->inner;

	start(r, at);
	while (walk_next(w)) {
		k_load(r->x, w->at[0], w->run[0], w->n, v);
		acc = fold_run(r->fold, acc, w->n, v);
	}
	k_put(r->y, out, finish(r->result, acc, r->length));
}

static uint64_t
fold_int_run(Fold fold, uint64_t acc, int n, const int64_t *v, bool is_signed)
{
	for (int i = 0; i < n; i++) {
		uint64_t u = (uint64_t)v[i];

		switch (fold) {
		case SUM: acc += u; break;
		case PRODUCT: acc *= u; break;
		case MAGNITUDES: acc += is_signed && v[i] < 0 ? 0 - u : u; break;
		case SQUARES: acc += u * u; break;
		}
	}
	return acc;
}

static void
reduce_ints(Reduction *r, int64_t at, int64_t out)
{
	bool is_signed = dtype_is_signed((DType)r->x->type);
	uint64_t acc = r->fold == PRODUCT, length = (uint64_t)r->length;
	int64_t v[K_RUN];
	Walk *w = &r->inner;

	start(r, at);
	while (walk_next(w)) {
		k_load_int(r->x, w->at[0], w->run[0], w->n, v);
		acc = fold_int_run(r->fold, acc, w->n, v, is_signed);
	}
	is_signed = is_signed && r->fold != SQUARES;
	if (r->result == MEAN)
		acc = !length     ? 0
		      : is_signed ? (uint64_t)((int64_t)acc / (int64_t)length)
				  : acc / length;
	v[0] = (int64_t)acc;
	if (r->result == PLAIN || r->result == MEAN)
		k_store_int(r->y, out, 0, 1, v);
	else
		k_put(r->y, out,
		      finish(r->result, is_signed ? (double)v[0] : (double)acc, r->length));
}

static void
reduce_log_sum_exp(Reduction *r, int64_t at, int64_t out)
{
	double v[K_RUN], max = -K_INFINITY, sum = 0;
	Walk *w = &r->inner;

	start(r, at);
	while (walk_next(w)) {
		k_load(r->x, w->at[0], w->run[0], w->n, v);
		for (int i = 0; i < w->n; i++)
			max = v[i] > max ? v[i] : max;
	}
	if (k_abs(max) == K_INFINITY) /* nothing to shift by */
		max = 0;
	start(r, at);
	while (walk_next(w)) {
		k_load(r->x, w->at[0], w->run[0], w->n, v);
		for (int i = 0; i < w->n; i++)
			sum += k_exp(v[i] - max);
	}
	k_put(r->y, out, k_log(sum) + max);
}

static void
reduce_extreme(Reduction *r, int64_t at, int64_t out)
{
	int64_t best = INT64_MIN, key[K_RUN];
	Walk *w = &r->inner;

	start(r, at);
	while (walk_next(w)) {
		k_load_key(r->x, w->at[0], w->run[0], w->n, r->least, key);
		for (int i = 0; i < w->n; i++)
			best = k_max(best, key[i]);
	}
	k_store_key(r->y, out, 0, 1, r->least, &best);
}

/* Name, what is folded, what becomes of it. */
#define FOLD_LIST(X)                 \
	X(sum, SUM, PLAIN)           \
	X(mean, SUM, MEAN)           \
	X(prod, PRODUCT, PLAIN)      \
	X(l1, MAGNITUDES, PLAIN)     \
	X(l2, SQUARES, ROOT)         \
	X(sumsquare, SQUARES, PLAIN) \
	X(logsum, SUM, LOGARITHM)

#define X(name, what, then)                                                            \
	int ref_reduce##name(const KCall *k)                                           \
	{                                                                              \
		Reduction r;                                                           \
                                                                                       \
		r.fold = what;                                                         \
		r.result = then;                                                       \
		if (k->in->type == DT_BOOL)                                            \
			return -1;                                                     \
		return reduce(k, &r, k_is_float(k->in) ? reduce_floats : reduce_ints); \
	}
FOLD_LIST(X)
#undef X

int
ref_reducelogsumexp(const KCall *k)
{
	Reduction r;

	if (k->in->type == DT_BOOL)
		return -1;
	return reduce(k, &r, reduce_log_sum_exp);
}

int
ref_reducemax(const KCall *k)
{
	Reduction r;

	r.least = false;
	return reduce(k, &r, reduce_extreme);
}

int
ref_reducemin(const KCall *k)
{
	Reduction r;

	r.least = true;
	return reduce(k, &r, reduce_extreme);
}
