/* Resize: separable. Per axis a table says which inputs an output reads and with what weights;
 * a result is the weighted sum over the product of these lists.
 *
 * Inputs beyond the edges count as the edge: their weights are added to the edge's, so a list is
 * always a range inside the tensor. Nearest neighbours move bits; linear and cubic compute in
 * double, and integer types round half to even and saturate.
 */
#include "kernels/kmath.h"
#include "kernels/walk.h"

typedef enum Mode { NEAREST, LINEAR, CUBIC } Mode;
typedef enum Transform {
	HALF_PIXEL,
	PYTORCH_HALF_PIXEL,
	ALIGN_CORNERS,
	ASYMMETRIC,
	TF_CROP_AND_RESIZE,
	HALF_PIXEL_SYMMETRIC,
	TF_HALF_PIXEL_FOR_NN
} Transform;
typedef enum Nearest { ROUND_PREFER_FLOOR, ROUND_PREFER_CEIL, FLOOR, CEIL } Nearest;

/* Output o of an axis reads inputs first[o] .. first[o] + count[o] - 1 with the weights from
 * weight[o * reach] on; count 0 stands for the extrapolation value. */
typedef struct Taps {
	int64_t reach, *first, *count;
	double *weight;
} Taps;

/* How much wider than the input's grid the filter is spread: 1, or less when antialiasing. */
static double
shrink(const KCall *k, int axis)
{
	double scale = k_attr(k, ATTR_scales)->f[axis];

	return k_int(k, ATTR_antialias) && scale < 1 ? scale : 1;
}

/* Taps on either side of a coordinate. */
static int64_t
half_width(const KCall *k, int axis)
{
	double support = k_int(k, ATTR_resize_mode) == CUBIC ? 2 : 1;

	return (int64_t)k_ceil(support / shrink(k, axis));
}

static int64_t
reach(const KCall *k, int axis)
{
	if (k_int(k, ATTR_resize_mode) == NEAREST)
		return 1;
	return k_min(k->in->dim[axis], 2 * half_width(k, axis));
}

int64_t
resize_scratch(const KCall *k)
{
	int64_t words = k->in->rank ? k->in->dim[k->in->rank - 1] : 0; /* a row of sums */

	for (int a = 0; a < k->in->rank; a++)
		words += k->out->dim[a] * (2 + reach(k, a));
	return 8 * words;
}

/* The input coordinate of output o along an axis. */
static double
coordinate(const KCall *k, int axis, int64_t o)
{
	Transform transform = (Transform)k_int(k, ATTR_transform);
	double scale = k_attr(k, ATTR_scales)->f[axis], x = (double)o;
	double in = (double)k->in->dim[axis], out = (double)k->out->dim[axis], width = scale * in;
	double half_pixel = (x + 0.5) / scale - 0.5, start, end;

	switch (transform) {
	case PYTORCH_HALF_PIXEL: return out > 1 ? half_pixel : 0;
	case ALIGN_CORNERS: return width == 1 ? 0 : x * (in - 1) / (width - 1);
	case ASYMMETRIC: return x / scale;
	case HALF_PIXEL_SYMMETRIC: return in / 2 * (1 - out / width) + (x + 0.5) / scale - 0.5;
	case TF_HALF_PIXEL_FOR_NN: return (x + 0.5) / scale;
	case TF_CROP_AND_RESIZE:
		start = k_attr(k, ATTR_roi)->f[axis];
		end = k_attr(k, ATTR_roi)->f[k->in->rank + axis];
		return (width == 1 ? (end - start) * (in - 1) / 2
				   : x * (end - start) * (in - 1) / (width - 1)) +
		       start * (in - 1);
	default: return half_pixel;
	}
}

static double
nearest(const KCall *k, double x)
{
	double below = k_floor(x), rest = x - below;

	switch ((Nearest)k_int(k, ATTR_nearest)) {
	case ROUND_PREFER_CEIL: return rest < 0.5 ? below : below + 1;
	case FLOOR: return below;
	case CEIL: return k_ceil(x);
	default: return rest <= 0.5 ? below : below + 1;
	}
}

/* The filter at distance t; its support is 1 (linear) or 2 (cubic). */
static double
filter(const KCall *k, double t)
{
	double a = k_float(k, ATTR_cubic_a);

	t = k_abs(t);
	if (k_int(k, ATTR_resize_mode) == LINEAR)
		return t < 1 ? 1 - t : 0;
	if (t <= 1)
		return ((a + 2) * t - (a + 3)) * t * t + 1;
	return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

static int64_t
into(int64_t i, int64_t n) /* the nearest of 0 .. n - 1 */
{
	return k_max(0, k_min(n - 1, i));
}

/* Drops taps without weight at both ends: an axis that keeps its size then reads one input. */
static void
trim(Taps *t, int64_t o)
{
	double *weight = t->weight + o * t->reach;
	int64_t skip = 0;

	while (t->count[o] > 1 && weight[t->count[o] - 1] == 0)
		t->count[o]--;
	while (skip + 1 < t->count[o] && weight[skip] == 0)
		skip++;
	t->first[o] += skip;
	t->count[o] -= skip;
	for (int64_t i = 0; i < t->count[o]; i++)
		weight[i] = weight[skip + i];
}

/* Weights of output o, whose input coordinate is x. */
static void
weigh(const KCall *k, int axis, double x, Taps *t, int64_t o)
{
	int64_t in = k->in->dim[axis], half = half_width(k, axis);
	double *weight = t->weight + o * t->reach, below = k_ceil(x) - 1, sum = 0;
	double spread = shrink(k, axis);
	bool exclude = k_int(k, ATTR_exclude_outside);

	t->first[o] = into((int64_t)below + 1 - half, in);
	t->count[o] = into((int64_t)below + half, in) + 1 - t->first[o];
	for (int64_t i = 0; i < t->count[o]; i++)
		weight[i] = 0;
	for (int64_t j = 1 - half; j <= half; j++) {
		int64_t i = (int64_t)below + j;
		double w = filter(k, ((double)j - (x - below)) * spread);

		if (exclude && (i < 0 || i >= in))
			continue;
		weight[into(i, in) - t->first[o]] += w;
		sum += w;
	}
	if ((exclude || spread < 1) && sum != 0)
		for (int64_t i = 0; i < t->count[o]; i++)
			weight[i] /= sum;
	trim(t, o);
}

/* Makes the table of an axis at the head of free scratch; returns what is left. */
static double *
fill_taps(const KCall *k, int axis, Taps *t, double *scratch)
{
	int64_t in = k->in->dim[axis], out = k->out->dim[axis];
	bool crop = k_int(k, ATTR_transform) == TF_CROP_AND_RESIZE;
	bool is_nearest = k_int(k, ATTR_resize_mode) == NEAREST;
	double margin = is_nearest ? 1 : (double)half_width(k, axis) + 1;

	t->reach = reach(k, axis);
	t->first = (int64_t *)scratch;
	t->count = t->first + out;
	t->weight = scratch + 2 * out;
	for (int64_t o = 0; o < out; o++) {
		double x = coordinate(k, axis, o);

		t->count[o] = 0;
		if (crop && !(x >= 0 && x <= (double)(in - 1)))
			continue;
		/* beyond the margin all taps are the edge */
		x = x > -margin ? x : -margin;
		x = x < (double)in + margin ? x : (double)in + margin;
		if (is_nearest) {
			t->first[o] = into((int64_t)nearest(k, x), in);
			t->count[o] = 1;
		} else {
			weigh(k, axis, x, t, o);
		}
	}
	return t->weight + out * t->reach;
}

static void
fill(const KCall *k, int64_t at, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		k_put(k->out, at + i, k_float(k, ATTR_extrapolation));
}

/* One row of nearest neighbours; at is its place in the output, from the input row's. */
static void
copy_row(const KCall *k, const Taps *t, int64_t at, int64_t from, int64_t width)
{
	for (int64_t o = 0; o < width; o++)
		if (t->count[o])
			k_copy(k->out, at + o, 1, k->in, from + t->first[o], 1, 1);
		else
			fill(k, at + o, 1);
}

/* Adds weight times the input row from `from` on to the row of sums. */
static void
add_row(const KTensor *x, int64_t from, int64_t width, double weight, double *row)
{
	double v[K_RUN];

	for (int64_t i = 0; i < width; i += K_RUN) {
		int n = (int)k_min(K_RUN, width - i);

		k_load(x, from + i, 1, n, v);
		k_add_scaled(n, row + i, weight, v);
	}
}

/* Interpolates the row of sums into one output row. */
static void
finish_row(const KCall *k, const Taps *t, int64_t at, int64_t width, const double *row)
{
	for (int64_t o = 0; o < width; o++) {
		const double *weight = t->weight + o * t->reach;
		double v = 0;

		for (int64_t i = 0; i < t->count[o]; i++)
			v += weight[i] * row[t->first[o] + i];
		if (!t->count[o])
			v = k_float(k, ATTR_extrapolation);
		k_put(k->out, at + o, k_is_float(k->out) ? v : k_rint(v));
	}
}

/* Sums the input rows that the outer axes combine at pos, then interpolates along the row. */
static void
interpolate_row(const KCall *k, const Taps *t, const int64_t *pos, int64_t at, double *row)
{
	int last = k->in->rank - 1;
	int64_t width = k->in->dim[last], tap[KERNEL_RANK_MAX], count[KERNEL_RANK_MAX];

	for (int a = 0; a < last; a++) {
		tap[a] = 0;
		count[a] = t[a].count[pos[a]];
	}
	for (int64_t i = 0; i < width; i++)
		row[i] = 0;
	do {
		int64_t from = 0;
		double weight = 1;

		for (int a = 0; a < last; a++) {
			from = from * k->in->dim[a] + t[a].first[pos[a]] + tap[a];
			weight *= t[a].weight[pos[a] * t[a].reach + tap[a]];
		}
		add_row(k->in, from * width, width, weight, row);
	} while (k_next(last, count, tap));
	finish_row(k, &t[last], at, k->out->dim[last], row);
}

/* One output row: the outer coordinates are pos. */
static void
resize_row(const KCall *k, const Taps *t, const int64_t *pos, int64_t at, double *row)
{
	int last = k->in->rank - 1;
	int64_t from = 0, width = k->out->dim[last];
	bool outside = false;

	for (int a = 0; a < last; a++) {
		outside = outside || t[a].count[pos[a]] == 0;
		from = from * k->in->dim[a] + (outside ? 0 : t[a].first[pos[a]]);
	}
	if (outside)
		fill(k, at, width);
	else if (k_int(k, ATTR_resize_mode) == NEAREST)
		copy_row(k, &t[last], at, from * k->in->dim[last], width);
	else
		interpolate_row(k, t, pos, at, row);
}

int
ref_resize(const KCall *k)
{
	int last = k->in->rank - 1;
	int64_t pos[KERNEL_RANK_MAX], at = 0;
	double *scratch = (double *)k->scratch;
	Taps t[KERNEL_RANK_MAX];

	if (k->in->type == DT_BOOL && k_int(k, ATTR_resize_mode) != NEAREST)
		return -1;
	if (!k_count(k->out))
		return 0;
	if (k->in->rank == 0)
		return ref_reshape(k);
	for (int a = 0; a <= last; a++) {
		scratch = fill_taps(k, a, &t[a], scratch);
		pos[a] = 0;
	}
	do {
		resize_row(k, t, pos, at, scratch);
		at += k->out->dim[last];
	} while (k_next(last, k->out->dim, pos));
	return 0;
}
