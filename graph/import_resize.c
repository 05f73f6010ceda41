/* Import of Resize and of Upsample, which is an older name for it.
 *
 * Extents: given, or floor(extent * scale) in single precision, as ONNX and its runtimes compute
 * them. Before opset 11 there was one meaning: asymmetric coordinates, and floor for the nearest
 * element.
 */
#include <math.h>
#include <string.h>

#include "graph/import_ops.h"

typedef struct Resize {
	int rank, naxes,
		axes[KERNEL_RANK_MAX]; /* axes that scales, sizes and roi speak of, in order */
	int mode, transform, nearest;
	double scale[KERNEL_RANK_MAX], roi[2 * KERNEL_RANK_MAX];
	Value want; /* rank and extents of the result */
} Resize;

enum { HALF_PIXEL, PYTORCH_HALF_PIXEL, ALIGN_CORNERS, ASYMMETRIC, TF_CROP_AND_RESIZE };
enum { ROUND_PREFER_FLOOR, ROUND_PREFER_CEIL, FLOOR, CEIL };

static const char *const transforms[] = {
	"half_pixel",         "pytorch_half_pixel",   "align_corners",        "asymmetric",
	"tf_crop_and_resize", "half_pixel_symmetric", "tf_half_pixel_for_nn", NULL};
static const char *const nearests[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil",
				       NULL};
static const char *const modes[] = {"nearest", "linear", "cubic", NULL};

static void
resize_init(OnnxNode *n, Resize *r)
{
	*r = (Resize){.want = *in_value(n, 0), .transform = ASYMMETRIC, .nearest = FLOOR};
	r->rank = r->naxes = r->want.rank;
	for (int i = 0; i < r->rank; i++) {
		r->axes[i] = i;
		r->scale[i] = 1;
		r->roi[i + r->rank] = 1;
	}
}

/* Attribute axes, in the order that is written. */
static int
read_axes(OnnxNode *n, Resize *r)
{
	const int64_t *v;

	if (!get_ints(n, "axes", &v, &r->naxes)) {
		r->naxes = r->rank;
		return n->err.code;
	}
	if (r->naxes > r->rank)
		return invalid(n, "%d axes, '%s' has rank %d", r->naxes, in_value(n, 0)->name,
			       r->rank);
	for (int i = 0; i < r->naxes; i++) {
		if (v[i] < -r->rank || v[i] >= r->rank)
			return invalid(n, "axis %lld is none of the %d there are", (long long)v[i],
				       r->rank);
		r->axes[i] = (int)(v[i] < 0 ? v[i] + r->rank : v[i]);
	}
	return OK;
}

static int
set_scales(OnnxNode *n, Resize *r, const double *v, int count)
{
	if (count != r->naxes)
		return invalid(n, "%d scales for %d axes", count, r->naxes);
	for (int i = 0; i < count; i++) {
		int axis = r->axes[i];
		float extent = floorf((float)r->want.dim[axis] * (float)v[i]);

		if (!(v[i] > 0) || !(extent <= (float)DIM_MAX))
			return invalid(n, "scale %g of axis %d", v[i], axis);
		r->scale[axis] = v[i];
		r->want.dim[axis] = (int64_t)extent;
	}
	return OK;
}

/* keep_aspect_ratio_policy: one scale for all axes, the least or the largest of them. */
static void
keep_aspect(Resize *r, const Value *x, bool least)
{
	double scale = least ? HUGE_VAL : 0;

	for (int i = 0; i < r->naxes; i++) {
		double s = r->scale[r->axes[i]];

		scale = least ? fmin(scale, s) : fmax(scale, s);
	}
	for (int i = 0; i < r->naxes; i++) {
		int axis = r->axes[i];

		r->scale[axis] = scale;
		r->want.dim[axis] = (int64_t)floor((double)x->dim[axis] * scale + 0.5);
	}
}

static int
set_sizes(OnnxNode *n, Resize *r, const int64_t *v, int count)
{
	static const char *const policies[] = {"stretch", "not_larger", "not_smaller", NULL};
	const Value *x = in_value(n, 0);
	int policy;

	if (get_choice(n, "keep_aspect_ratio_policy", "stretch", policies, &policy))
		return n->err.code;
	if (count != r->naxes)
		return invalid(n, "%d sizes for %d axes", count, r->naxes);
	for (int i = 0; i < count; i++) {
		int axis = r->axes[i];

		if (v[i] < 1 || v[i] > DIM_MAX || x->dim[axis] < 1)
			return invalid(n, "size %lld of axis %d, whose extent is %lld",
				       (long long)v[i], axis, (long long)x->dim[axis]);
		r->want.dim[axis] = v[i];
		r->scale[axis] = (double)v[i] / (double)x->dim[axis];
	}
	if (policy)
		keep_aspect(r, x, policy == 1);
	return OK;
}

static bool
is_empty(const OnnxNode *n, int i)
{
	return !has_in(n, i) || value_count(in_value(n, i)) == 0;
}

static int
read_extents(OnnxNode *n, Resize *r)
{
	int at = n->im->opset < 11 ? 1 : 2, count, rc;
	const int64_t *sizes;
	const double *scales;

	if (!is_empty(n, at)) {
		rc = static_floats(n, at, &scales, &count);
		return rc ? rc : set_scales(n, r, scales, count);
	}
	if (at == 1 || is_empty(n, 3))
		return invalid(n, "neither scales nor sizes are given");
	rc = static_ints(n, 3, &sizes, &count);
	return rc ? rc : set_sizes(n, r, sizes, count);
}

static int
read_roi(OnnxNode *n, Resize *r)
{
	const double *v;
	int count, rc;

	if (is_empty(n, 1))
		return invalid(n, "tf_crop_and_resize without roi");
	rc = static_floats(n, 1, &v, &count);
	if (rc)
		return rc;
	if (count != 2 * r->naxes)
		return invalid(n, "%d numbers of roi for %d axes", count, r->naxes);
	for (int i = 0; i < r->naxes; i++) {
		r->roi[r->axes[i]] = v[i];
		r->roi[r->axes[i] + r->rank] = v[i + r->naxes];
	}
	return OK;
}

static int
finish_resize(OnnxNode *n, const Resize *r)
{
	with_int(n, ATTR_resize_mode, r->mode);
	with_int(n, ATTR_transform, r->transform);
	with_int(n, ATTR_nearest, r->nearest);
	with_floats(n, ATTR_scales, r->scale, r->rank);
	with_floats(n, ATTR_roi, r->roi, r->transform == TF_CROP_AND_RESIZE ? 2 * r->rank : 0);
	with_float(n, ATTR_cubic_a, get_float(n, "cubic_coeff_a", -0.75));
	with_int(n, ATTR_exclude_outside, get_int(n, "exclude_outside", 0) != 0);
	with_float(n, ATTR_extrapolation, get_float(n, "extrapolation_value", 0));
	with_int(n, ATTR_antialias, get_int(n, "antialias", 0) != 0);
	return finish(n, OP_Resize, 1, n->in, &r->want);
}

int
import_resize(OnnxNode *n)
{
	Resize r;
	int rc;

	resize_init(n, &r);
	if (get_choice(n, "mode", "nearest", modes, &r.mode))
		return n->err.code;
	if (n->im->opset >= 11 &&
	    (get_choice(n, "coordinate_transformation_mode", "half_pixel", transforms,
			&r.transform) ||
	     get_choice(n, "nearest_mode", "round_prefer_floor", nearests, &r.nearest) ||
	     read_axes(n, &r)))
		return n->err.code;
	rc = read_extents(n, &r);
	if (rc == OK && r.transform == TF_CROP_AND_RESIZE)
		rc = read_roi(n, &r);
	return rc ? rc : finish_resize(n, &r);
}

/* Scales were an attribute in opset 7 and 8, input 1 in opset 9; "linear" was also "bilinear". */
int
import_upsample(OnnxNode *n)
{
	static const char *const old_modes[] = {"nearest", "linear", "cubic", "bilinear", NULL};
	const double *scales;
	Resize r;
	int count, rc = OK;

	resize_init(n, &r);
	if (get_choice(n, "mode", "nearest", old_modes, &r.mode))
		return n->err.code;
	r.mode = r.mode == 3 ? 1 : r.mode;
	if (n->im->opset < 9)
		get_floats(n, "scales", &scales, &count);
	else
		rc = static_floats(n, 1, &scales, &count);
	if (rc == OK)
		rc = set_scales(n, &r, scales, count);
	return rc ? rc : finish_resize(n, &r);
}
