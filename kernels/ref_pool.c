/* AveragePool and MaxPool. Padding never takes part in a maximum; a maximum or average over no
 * element at all is -inf (the least integer) or NaN. Indices are flat over the whole input. */
#include "kernels/window.h"

/* A run of outputs: where it starts in its row, the row's outer coordinates, the plane. */
typedef struct Run {
	const KTensor *x, *y;
	Window window;
	int64_t plane; /* offset of the input plane */
	int64_t at;    /* offset of the run in y */
	int64_t pos[WINDOW_AXES], start;
	int n;
} Run;

typedef void PoolRun(const KCall *k, const Run *r);

static void
pool(const KCall *k, PoolRun *compute)
{
	int64_t planes = k->out->dim[0] * k->out->dim[1], width;
	int last;
	Run r;

	r.x = k->in;
	r.y = k->out;
	r.at = 0;
	window_init(&r.window, k, r.x, r.y, k_attr(k, ATTR_kernel)->i);
	last = r.window.axes - 1;
	width = r.window.coarse[last];
	if (!k_count(r.y))
		return;
	for (int a = 0; a < WINDOW_AXES; a++)
		r.pos[a] = 0;
	for (int64_t p = 0; p < planes; p++) {
		r.plane = p * window_plane(&r.window, r.window.fine);
		do {
			for (r.start = 0; r.start < width; r.start += K_RUN, r.at += r.n) {
				r.n = (int)k_min(K_RUN, width - r.start);
				compute(k, &r);
			}
		} while (k_next(last, r.window.coarse, r.pos));
	}
}

/* Taps that fall into the input, or into the padded input, along axis a at output o. */
static int64_t
taps_inside(const Window *w, int a, int64_t o, bool include_pad)
{
	int64_t lo = include_pad ? -w->begin[a] : 0;
	int64_t hi = w->fine[a] + (include_pad ? w->end[a] : 0), n = 0;

	for (int64_t t = 0; t < w->kernel[a]; t++) {
		int64_t fine = o * w->stride[a] + t * w->dilation[a] - w->begin[a];

		n += fine >= lo && fine < hi;
	}
	return n;
}

static void
average_run(const KCall *k, const Run *r)
{
	const Window *w = &r->window;
	bool include_pad = k_int(k, ATTR_count_include_pad);
	int64_t tap[WINDOW_AXES] = {0}, outer = 1;
	double sum[K_RUN], x[K_RUN];
	WindowRun run;

	for (int i = 0; i < r->n; i++)
		sum[i] = 0;
	do {
		if (!window_run(w, r->pos, tap, r->start, r->n, &run))
			continue;
		k_load(r->x, r->plane + run.from, run.from_step, run.n, x);
		k_add_scaled(run.n, sum + run.to, 1, x);
	} while (k_next(w->axes, w->kernel, tap));
	for (int a = 0; a < w->axes - 1; a++)
		outer *= taps_inside(w, a, r->pos[a], include_pad);
	for (int i = 0; i < r->n; i++)
		sum[i] /= (double)(outer * taps_inside(w, w->axes - 1, r->start + i, include_pad));
	k_store(r->y, r->at, 1, r->n, sum);
}

/* The number of an element in its plane when the first spatial axis runs fastest. */
static int64_t
column_major(const KTensor *x, int64_t row_major)
{
	int64_t v = 0, step = 1;

	for (int a = 2; a < x->rank; a++)
		step *= x->dim[a];
	for (int a = x->rank - 1; a >= 2; a--) {
		step /= x->dim[a];
		v += row_major % x->dim[a] * step;
		row_major /= x->dim[a];
	}
	return v;
}

static void
max_run(const KCall *k, const Run *r)
{
	const Window *w = &r->window;
	const KTensor *indices = k_output(k, 1);
	int64_t tap[WINDOW_AXES] = {0}, best[K_RUN], where[K_RUN], key[K_RUN];
	WindowRun run;

	for (int i = 0; i < r->n; i++) {
		best[i] = INT64_MIN;
		where[i] = -1;
	}
	do {
		if (!window_run(w, r->pos, tap, r->start, r->n, &run))
			continue;
		k_load_key(r->x, r->plane + run.from, run.from_step, run.n, false, key);
		for (int i = 0, o = run.to; i < run.n; i++, o++)
			if (key[i] > best[o] || where[o] < 0) {
				best[o] = key[i];
				where[o] = run.from + i * run.from_step;
			}
	} while (k_next(w->axes, w->kernel, tap));
	k_store_key(r->y, r->at, 1, r->n, false, best);
	if (!indices)
		return;
	for (int i = 0; i < r->n; i++)
		if (where[i] >= 0)
			where[i] = r->plane + (k_int(k, ATTR_storage_order)
						       ? column_major(r->x, where[i])
						       : where[i]);
	k_store_int(indices, r->at, 1, r->n, where);
}

int
ref_averagepool(const KCall *k)
{
	if (!k_is_float(k->in))
		return -1;
	pool(k, average_run);
	return 0;
}

int
ref_maxpool(const KCall *k)
{
	if (k->in->type == DT_BOOL)
		return -1;
	pool(k, max_run);
	return 0;
}
