/* Import of convolutions, pools and Gemm: auto_pad and defaults become explicit pads. */
#include "graph/import_ops.h"

enum { SPATIAL_MAX = KERNEL_RANK_MAX - 2 };

typedef enum AutoPad { NOTSET, SAME_UPPER, SAME_LOWER, VALID } AutoPad;

typedef struct Window {
	int axes; /* spatial */
	int auto_pad;
	int64_t kernel[SPATIAL_MAX], strides[SPATIAL_MAX], dilations[SPATIAL_MAX];
	int64_t pads[2 * SPATIAL_MAX];
} Window;

/* List attribute of `count` values, `absent` each when it is not there. */
static int
window_list(OnnxNode *n, const char *name, int count, int64_t absent, int64_t *out)
{
	const int64_t *v;
	int nv;

	if (!get_ints(n, name, &v, &nv)) {
		for (int i = 0; i < count; i++)
			out[i] = absent;
		return n->err.code;
	}
	if (nv != count)
		return invalid(n, "attribute %s has %d values, expected %d", name, nv, count);
	for (int i = 0; i < count; i++) {
		if (v[i] < 0 || v[i] > ATTR_INT_MAX)
			return invalid(n, "attribute %s holds %lld", name, (long long)v[i]);
		out[i] = v[i];
	}
	return OK;
}

/* weight: its extents after the first two are the default kernel; NULL: there is none. */
static int
window_init(OnnxNode *n, const Value *weight, Window *w)
{
	static const char *const how[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", NULL};
	const Value *x = in_value(n, 0);

	w->axes = x->rank - 2;
	if (w->axes < 1 || (weight && weight->rank != x->rank))
		return invalid(n, "'%s' has rank %d", x->name, x->rank);
	if (!weight && !has_attr(n, "kernel_shape"))
		return invalid(n, "attribute kernel_shape is missing");
	if (window_list(n, "kernel_shape", w->axes, 0, w->kernel) ||
	    window_list(n, "strides", w->axes, 1, w->strides) ||
	    window_list(n, "dilations", w->axes, 1, w->dilations) ||
	    window_list(n, "pads", 2 * w->axes, 0, w->pads) ||
	    get_choice(n, "auto_pad", "NOTSET", how, &w->auto_pad))
		return n->err.code;
	for (int i = 0; i < w->axes; i++) {
		if (weight && !has_attr(n, "kernel_shape"))
			w->kernel[i] = weight->dim[i + 2];
		if (w->kernel[i] < 1 || w->strides[i] < 1 || w->dilations[i] < 1)
			return invalid(
				n,
				"kernel, stride and dilation of spatial axis %d: %lld, %lld, "
				"%lld",
				i, (long long)w->kernel[i], (long long)w->strides[i],
				(long long)w->dilations[i]);
	}
	return OK;
}

/* total elements of padding on axis i, the odd one at the end or, with lower, at the beginning. */
static void
split_pads(Window *w, int i, int64_t total, bool lower)
{
	total = total > 0 ? total : 0;
	w->pads[i] = lower ? total - total / 2 : total / 2;
	w->pads[i + w->axes] = total - w->pads[i];
}

/* SAME: ceil(input / stride) positions. VALID: no padding. */
static void
resolve_auto_pad(Window *w, const Value *x)
{
	for (int i = 0; w->auto_pad != NOTSET && i < w->axes; i++) {
		int64_t in = x->dim[i + 2], out = (in + w->strides[i] - 1) / w->strides[i];
		int64_t total =
			(out - 1) * w->strides[i] + (w->kernel[i] - 1) * w->dilations[i] + 1 - in;

		split_pads(w, i, w->auto_pad == VALID ? 0 : total, w->auto_pad == SAME_LOWER);
	}
}

static void
with_window(OnnxNode *n, const Window *w)
{
	with_ints(n, ATTR_kernel, w->kernel, w->axes);
	with_ints(n, ATTR_strides, w->strides, w->axes);
	with_ints(n, ATTR_pads, w->pads, 2 * w->axes);
	with_ints(n, ATTR_dilations, w->dilations, w->axes);
}

int
with_conv(OnnxNode *n, int i)
{
	Window w;

	if (window_init(n, in_value(n, i), &w))
		return n->err.code;
	resolve_auto_pad(&w, in_value(n, 0));
	with_window(n, &w);
	with_int(n, ATTR_group, get_int(n, "group", 1));
	return OK;
}

int
import_conv(OnnxNode *n)
{
	int rc = with_conv(n, 1);

	return rc ? rc : finish(n, OP_Conv, n->nin, n->in, NULL);
}

/* A wanted extent fixes the pads of axis i; one beyond the full extent is padded at the end. */
static void
fit_output(Window *w, int i, int64_t full, int64_t want, int64_t *output_padding)
{
	if (want > full)
		*output_padding += want - full;
	split_pads(w, i, full - want, w->auto_pad != SAME_UPPER);
}

int
import_convtranspose(OnnxNode *n)
{
	const Value *x = in_value(n, 0);
	int64_t more[SPATIAL_MAX], want[SPATIAL_MAX];
	Window w;

	if (window_init(n, in_value(n, 1), &w) ||
	    window_list(n, "output_padding", w.axes, 0, more) ||
	    window_list(n, "output_shape", w.axes, 0, want))
		return n->err.code;
	for (int i = 0; i < w.axes; i++) {
		int64_t in = x->dim[i + 2];
		int64_t full =
			(in - 1) * w.strides[i] + (w.kernel[i] - 1) * w.dilations[i] + 1 + more[i];

		if (has_attr(n, "output_shape"))
			fit_output(&w, i, full, want[i], &more[i]);
		else if (w.auto_pad == VALID)
			split_pads(&w, i, 0, false);
		else if (w.auto_pad != NOTSET)
			fit_output(&w, i, full, in * w.strides[i], &more[i]);
	}
	with_window(n, &w);
	with_ints(n, ATTR_output_padding, more, w.axes);
	with_int(n, ATTR_group, get_int(n, "group", 1));
	return finish(n, OP_ConvTranspose, n->nin, n->in, NULL);
}

int
import_pool(OnnxNode *n)
{
	bool ceil = get_int(n, "ceil_mode", 0) != 0;
	Window w;

	if (window_init(n, NULL, &w))
		return n->err.code;
	resolve_auto_pad(&w, in_value(n, 0));
	with_window(n, &w);
	with_int(n, ATTR_ceil_mode, ceil && w.auto_pad == NOTSET);
	if (n->row->op == OP_AveragePool)
		with_int(n, ATTR_count_include_pad, get_int(n, "count_include_pad", 0));
	else
		with_int(n, ATTR_storage_order, get_int(n, "storage_order", 0));
	return finish(n, n->row->op, 1, n->in, NULL);
}

/* A reduction over the spatial axes. */
int
import_globalpool(OnnxNode *n)
{
	int rank = in_value(n, 0)->rank;
	int64_t axes[KERNEL_RANK_MAX];

	if (rank < 3)
		return invalid(n, "'%s' has rank %d, expected at least 3", in_value(n, 0)->name,
			       rank);
	for (int i = 2; i < rank; i++)
		axes[i - 2] = i;
	with_ints(n, ATTR_axes, axes, rank - 2);
	with_int(n, ATTR_keepdims, 1);
	return finish(n, n->row->op, 1, n->in, NULL);
}

int
import_gemm(OnnxNode *n)
{
	with_float(n, ATTR_alpha, get_float(n, "alpha", 1));
	with_float(n, ATTR_beta, get_float(n, "beta", 1));
	with_int(n, ATTR_transA, get_int(n, "transA", 0) != 0);
	with_int(n, ATTR_transB, get_int(n, "transB", 0) != 0);
	return finish(n, OP_Gemm, n->nin, n->in, NULL);
}
