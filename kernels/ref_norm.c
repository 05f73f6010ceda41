/* Normalisations: batch, instance, layer. Mean and variance in double, in two passes. */
#include "kernels/kmath.h"
#include "kernels/walk.h"

/* Mean and 1 / sqrt(variance + epsilon) of count contiguous elements. */
static void
moments(const KTensor *x, int64_t at, int64_t count, double epsilon, double *mean, double *inv)
{
	double v[K_RUN], sum = 0, squares = 0;

	for (int64_t i = 0; i < count; i += K_RUN) {
		int n = (int)k_min(K_RUN, count - i);

		k_load(x, at + i, 1, n, v);
		for (int j = 0; j < n; j++)
			sum += v[j];
	}
	*mean = sum / (double)count;
	for (int64_t i = 0; i < count; i += K_RUN) {
		int n = (int)k_min(K_RUN, count - i);

		k_load(x, at + i, 1, n, v);
		for (int j = 0; j < n; j++)
			squares += (v[j] - *mean) * (v[j] - *mean);
	}
	*inv = 1 / k_sqrt(squares / (double)count + epsilon);
}

/* y = (x - mean) * scale + bias for count contiguous elements. */
static void
shift_and_scale(const KCall *k, int64_t at, int64_t count, double mean, double scale, double bias)
{
	double v[K_RUN];

	for (int64_t i = 0; i < count; i += K_RUN) {
		int n = (int)k_min(K_RUN, count - i);

		k_load(k->in, at + i, 1, n, v);
		for (int j = 0; j < n; j++)
			v[j] = (v[j] - mean) * scale + bias;
		k_store(k->out, at + i, 1, n, v);
	}
}

/* Elements of one channel of one image. */
static int64_t
plane_of(const KTensor *x)
{
	int64_t n = 1;

	for (int a = 2; a < x->rank; a++)
		n *= x->dim[a];
	return n;
}

int
ref_batchnormalization(const KCall *k)
{
	const KTensor *x = k->in, *scale = &k->in[1], *bias = &k->in[2];
	int64_t plane = plane_of(x), channels = x->rank > 1 ? x->dim[1] : 1;
	double epsilon = k_float(k, ATTR_epsilon);

	if (!k_is_float(x))
		return -1;
	for (int64_t i = 0; i < x->dim[0] * channels; i++) {
		int64_t c = i % channels;
		double inv = 1 / k_sqrt(k_get(&k->in[4], c) + epsilon);

		shift_and_scale(k, i * plane, plane, k_get(&k->in[3], c), k_get(scale, c) * inv,
				k_get(bias, c));
	}
	return 0;
}

int
ref_instancenormalization(const KCall *k)
{
	const KTensor *x = k->in, *scale = &k->in[1], *bias = &k->in[2];
	int64_t plane = plane_of(x);
	double mean, inv;

	if (!k_is_float(x))
		return -1;
	for (int64_t i = 0; i < x->dim[0] * x->dim[1]; i++) {
		int64_t c = i % x->dim[1];

		moments(x, i * plane, plane, k_float(k, ATTR_epsilon), &mean, &inv);
		shift_and_scale(k, i * plane, plane, mean, k_get(scale, c) * inv, k_get(bias, c));
	}
	return 0;
}

/* One row of a layer normalisation; inner walks the row's scale (operand 0) and bias (1), which
 * begin at the offsets given. */
static void
normalize_row(const KCall *k, Walk *inner, int64_t at, int64_t scale_at, int64_t bias_at,
	      double mean, double inv)
{
	const KTensor *scale = &k->in[1], *bias = k_input(k, 2);
	double v[K_RUN], s[K_RUN], b[K_RUN];

	walk_start(inner);
	inner->at[0] += scale_at;
	inner->at[1] += bias_at;
	for (; walk_next(inner); at += inner->n) {
		k_load(k->in, at, 1, inner->n, v);
		k_load(scale, inner->at[0], inner->run[0], inner->n, s);
		if (bias)
			k_load(bias, inner->at[1], inner->run[1], inner->n, b);
		for (int i = 0; i < inner->n; i++)
			v[i] = (v[i] - mean) * inv * s[i] + (bias ? b[i] : 0);
		k_store(k->out, at, 1, inner->n, v);
	}
}

/* Walks x's axes [from, to) with scale and bias as operands; its other axes count as 1. */
static void
walk_axes(Walk *w, const KCall *k, int from, int to)
{
	int64_t dim[KERNEL_RANK_MAX];

	for (int a = 0; a < k->in->rank; a++)
		dim[a] = a >= from && a < to ? k->in->dim[a] : 1;
	walk_init(w, k->in->rank, dim);
	walk_broadcast(w, 0, &k->in[1]);
	if (k_input(k, 2))
		walk_broadcast(w, 1, &k->in[2]);
	walk_merge(w);
	walk_start(w);
}

int
ref_layernormalization(const KCall *k)
{
	const KTensor *x = k->in, *mean_out = k_output(k, 1), *inv_out = k_output(k, 2);
	int axis = (int)k_int(k, ATTR_axis);
	int64_t row = 0, length = 1;
	double mean, inv;
	Walk outer, inner;

	if (!k_is_float(x))
		return -1;
	for (int a = axis; a < x->rank; a++)
		length *= x->dim[a];
	walk_axes(&outer, k, 0, axis);
	walk_axes(&inner, k, axis, x->rank);
	while (walk_next(&outer))
		for (int i = 0; i < outer.n; i++, row++) {
			moments(x, row * length, length, k_float(k, ATTR_epsilon), &mean, &inv);
			normalize_row(k, &inner, row * length, outer.at[0] + i * outer.run[0],
				      outer.at[1] + i * outer.run[1], mean, inv);
			if (mean_out)
				k_put(mean_out, row, mean);
			if (inv_out)
				k_put(inv_out, row, inv);
		}
	return 0;
}
