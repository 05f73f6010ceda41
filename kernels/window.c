/* Sliding windows: which inputs a tap adds to which outputs. */
#include "kernels/window.h"

static int64_t
attr_or(const KCall *k, AttrKey key, int i, int64_t otherwise)
{
	const KAttr *a = k_attr(k, key);

	return a && i < a->n ? a->i[i] : otherwise;
}

int64_t
window_plane(const Window *w, const int64_t *extent)
{
	int64_t n = 1;

	for (int a = 0; a < w->axes; a++)
		n *= extent[a];
	return n;
}

void
window_init(Window *w, const KCall *k, const KTensor *fine, const KTensor *coarse,
	    const int64_t *kernel)
{
	bool same = true; /* the identity, axis by axis */

	w->axes = fine->rank - 2;
	for (int a = 0; a < w->axes; a++) {
		w->fine[a] = fine->dim[2 + a];
		w->coarse[a] = coarse->dim[2 + a];
		w->kernel[a] = kernel[a];
		w->stride[a] = attr_or(k, ATTR_strides, a, 1);
		w->dilation[a] = attr_or(k, ATTR_dilations, a, 1);
		w->begin[a] = attr_or(k, ATTR_pads, a, 0);
		w->end[a] = attr_or(k, ATTR_pads, w->axes + a, 0);
		same = same && kernel[a] == 1 && w->stride[a] == 1 && !w->begin[a] && !w->end[a] &&
		       w->fine[a] == w->coarse[a];
	}
	w->taps = window_plane(w, w->kernel);
	if (same) {
		w->fine[0] = w->coarse[0] = window_plane(w, w->fine);
		w->axes = 1;
	}
}

static int64_t
ceil_div(int64_t a, int64_t b) /* b above 0 */
{
	return a / b + (a % b > 0);
}

bool
window_run(const Window *w, const int64_t *pos, const int64_t *tap, int64_t start, int n,
	   WindowRun *run)
{
	int last = w->axes - 1;
	int64_t at = 0, shift, lo, hi;

	for (int a = 0; a < last; a++) {
		int64_t fine = pos[a] * w->stride[a] + tap[a] * w->dilation[a] - w->begin[a];

		if (fine < 0 || fine >= w->fine[a])
			return false;
		at = (at + fine) * w->fine[a + 1];
	}
	shift = tap[last] * w->dilation[last] - w->begin[last];
	lo = k_max(start, ceil_div(-shift, w->stride[last]));
	hi = k_min(start + n, ceil_div(w->fine[last] - shift, w->stride[last]));
	run->from_step = w->stride[last];
	run->from = at + lo * run->from_step + shift;
	run->to_step = 1;
	run->to = (int)(lo - start);
	run->n = (int)(hi - lo);
	return lo < hi;
}

bool
window_run_transposed(const Window *w, const int64_t *pos, const int64_t *tap, int64_t start, int n,
		      WindowRun *run)
{
	int last = w->axes - 1;
	int64_t at = 0, shift, lo, hi;

	for (int a = 0; a < last; a++) {
		int64_t coarse = pos[a] + w->begin[a] - tap[a] * w->dilation[a];

		if (coarse < 0 || coarse % w->stride[a] || coarse / w->stride[a] >= w->coarse[a])
			return false;
		at = (at + coarse / w->stride[a]) * w->coarse[a + 1];
	}
	shift = tap[last] * w->dilation[last] - w->begin[last];
	lo = k_max(0, ceil_div(start - shift, w->stride[last]));
	hi = k_min(w->coarse[last], ceil_div(start + n - shift, w->stride[last]));
	run->from_step = 1;
	run->from = at + lo;
	run->to_step = (int)w->stride[last];
	run->to = (int)(lo * w->stride[last] + shift - start);
	run->n = (int)(hi - lo);
	return lo < hi;
}
