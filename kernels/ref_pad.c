/* Pad in all modes. Negative pads crop; what is left is then padded, so that reflection and wrap
 * see the cropped tensor. Bits move, so all types are taken. */
#include "kernels/walk.h"

typedef enum PadMode { CONSTANT, REFLECT, EDGE, WRAP } PadMode;

/* Along one axis: outputs [begin, begin + n) are inputs from first on, the rest is padding. */
typedef struct PadAxis {
	int64_t begin, first, n, step;
} PadAxis;

/* The input coordinate that output o shows, -1 for the constant. */
static int64_t
source(const PadAxis *p, PadMode mode, int64_t o)
{
	int64_t i = o - p->begin, period;

	if (i >= 0 && i < p->n)
		return p->first + i;
	if (mode == CONSTANT || p->n == 0)
		return -1;
	if (mode == EDGE || p->n == 1)
		return p->first + (i < 0 ? 0 : p->n - 1);
	period = mode == WRAP ? p->n : 2 * (p->n - 1);
	i %= period;
	i += i < 0 ? period : 0;
	return p->first + (i < p->n ? i : period - i);
}

/* One row of the output; at is its first element in y, from the row it shows in x or -1. */
static void
pad_row(const KCall *k, const PadAxis *p, PadMode mode, int64_t at, int64_t from, int64_t width)
{
	int64_t inside = from < 0 ? 0 : p->n;

	for (int64_t o = 0; o < width; o++) {
		int64_t i = from < 0 ? -1 : source(p, mode, o);

		if (inside && o == p->begin) {
			k_copy(k->out, at + o, 1, k->in, from + p->first, 1, inside);
			o += inside - 1;
		} else if (i < 0) {
			k_put(k->out, at + o, k_float(k, ATTR_value));
		} else {
			k_copy(k->out, at + o, 1, k->in, from + i, 1, 1);
		}
	}
}

static void
pad_axes(const KCall *k, PadAxis *p)
{
	const int64_t *pads = k_attr(k, ATTR_pads)->i;
	int rank = k->in->rank;

	for (int a = rank - 1; a >= 0; a--) {
		p[a].begin = k_max(0, pads[a]);
		p[a].first = k_max(0, -pads[a]);
		p[a].n = k->in->dim[a] - p[a].first - k_max(0, -pads[rank + a]);
		p[a].step = a == rank - 1 ? 1 : p[a + 1].step * k->in->dim[a + 1];
	}
}

int
ref_pad(const KCall *k)
{
	const KTensor *y = k->out;
	PadMode mode = (PadMode)k_int(k, ATTR_pad_mode);
	int last = y->rank - 1;
	int64_t pos[KERNEL_RANK_MAX], at = 0;
	PadAxis p[KERNEL_RANK_MAX];

	if (y->rank == 0)
		return ref_reshape(k);
	if (!k_count(y))
		return 0;
	pad_axes(k, p);
	for (int a = 0; a < last; a++)
		pos[a] = 0;
	do {
		int64_t from = 0;

		for (int a = 0; a < last && from >= 0; a++) {
			int64_t i = source(&p[a], mode, pos[a]);

			from = i < 0 ? -1 : from + i * p[a].step;
		}
		pad_row(k, &p[last], mode, at, from, y->dim[last]);
		at += y->dim[last];
	} while (k_next(last, y->dim, pos));
	return 0;
}
