/* Conv, ConvTranspose and ConvInteger: the same sums over input channels and taps; only the
 * geometry of a run and the order of the weights' axes differ.
 *
 * A tile is a run of outputs in up to TILE output channels: an input run is converted to double
 * once and serves all of them. Where x goes on beyond its extents with a value other than 0, that
 * is taken from x, and the sums begin with what it alone would give.
 */
#include "kernels/window.h"

enum { TILE = 4 };

typedef struct Conv {
	const KTensor *x, *weight, *bias, *y; /* bias may be NULL */
	bool transposed;
	Window window;
	int64_t *out;                      /* the window's extents on the output's side */
	int64_t in_plane, out_plane;       /* elements */
	int64_t in_channels, out_channels; /* of one group */
	int64_t weight_in, weight_out;     /* steps per input and per output channel */
	double outside;                    /* what x is beyond its extents */
} Conv;

typedef struct Tile {
	int64_t start;            /* first output in its row */
	int n;                    /* outputs */
	int channels;             /* at most TILE */
	int64_t pos[WINDOW_AXES]; /* outer coordinates of the row */
	double sum[TILE][K_RUN];
} Tile;

static void
add_scaled_apart(int n, double *y, int step, double a, const double *x)
{
	for (int i = 0; i < n; i++)
		y[i * step] += a * x[i];
}

/* Adds one input channel: its plane in x, its weights for the tile's first output channel. */
static void
add_channel(const Conv *c, Tile *t, int64_t plane, int64_t weight_at)
{
	int64_t tap[WINDOW_AXES] = {0}, number = 0;
	double weight[TILE][K_RUN], x[K_RUN];
	WindowRun run;

	do {
		int slot = (int)(number % K_RUN);

		for (int r = 0; r < t->channels && !slot; r++)
			k_load(c->weight, weight_at + r * c->weight_out + number, 1,
			       (int)k_min(K_RUN, c->window.taps - number), weight[r]);
		number++;
		if (!(c->transposed ? window_run_transposed : window_run)(&c->window, t->pos, tap,
									  t->start, t->n, &run))
			continue;
		k_load(c->x, plane + run.from, run.from_step, run.n, x);
		for (int i = 0; i < run.n; i++)
			x[i] -= c->outside;
		for (int r = 0; r < t->channels; r++)
			if (run.to_step == 1)
				k_add_scaled(run.n, t->sum[r] + run.to, weight[r][slot], x);
			else
				add_scaled_apart(run.n, t->sum[r] + run.to, run.to_step,
						 weight[r][slot], x);
	} while (k_next(c->window.axes, c->window.kernel, tap));
}

/* The sums over nothing but what x is outside. */
static double
sum_outside(const Conv *c, int64_t weight_at)
{
	int64_t terms = c->outside != 0 ? c->in_channels * c->window.taps : 0;
	double weight[K_RUN], sum = 0;

	for (int64_t i = 0; i < terms; i += K_RUN) {
		int n = (int)k_min(K_RUN, terms - i);

		k_load(c->weight, weight_at + i, 1, n, weight);
		for (int k = 0; k < n; k++)
			sum += c->outside * weight[k];
	}
	return sum;
}

/* A tile of image n and group g, its first output channel m counted in the group. */
static void
compute_tile(const Conv *c, Tile *t, int64_t n, int64_t g, int64_t groups, int64_t m, int64_t row)
{
	int64_t in = (n * groups + g) * c->in_channels, out = g * c->out_channels + m;
	int64_t weight_at = c->transposed ? g * c->in_channels * c->weight_in + m * c->weight_out
					  : out * c->weight_out;

	for (int r = 0; r < t->channels; r++) {
		double start = c->bias ? k_get(c->bias, out + r) : 0;

		start += sum_outside(c, weight_at + r * c->weight_out);

		for (int i = 0; i < t->n; i++)
			t->sum[r][i] = start;
	}
	for (int64_t d = 0; d < c->in_channels; d++)
		add_channel(c, t, (in + d) * c->in_plane, weight_at + d * c->weight_in);
	out += n * groups * c->out_channels;
	for (int r = 0; r < t->channels; r++)
		k_store(c->y, (out + r) * c->out_plane + row + t->start, 1, t->n, t->sum[r]);
}

/* All tiles of the output channels from m on, at most TILE of them. */
static void
compute_planes(const Conv *c, int64_t n, int64_t g, int64_t groups, int64_t m)
{
	int last = c->window.axes - 1;
	int64_t width = c->out[last], row = 0;
	Tile t;

	t.channels = (int)k_min(TILE, c->out_channels - m);
	for (int a = 0; a < WINDOW_AXES; a++)
		t.pos[a] = 0;
	do {
		for (t.start = 0; t.start < width; t.start += K_RUN) {
			t.n = (int)k_min(K_RUN, width - t.start);
			compute_tile(c, &t, n, g, groups, m, row);
		}
		row += width;
	} while (k_next(last, c->out, t.pos));
}

static int
convolve(const KCall *k, bool transposed, double outside)
{
	int64_t groups = k_max(1, k_int(k, ATTR_group));
	Conv c;

	c.outside = outside;
	c.transposed = transposed;
	c.x = &k->in[0];
	c.weight = &k->in[1];
	c.bias = k_input(k, 2);
	c.y = k->out;
	if (!k_count(c.y))
		return 0;
	window_init(&c.window, k, transposed ? c.y : c.x, transposed ? c.x : c.y,
		    c.weight->dim + 2);
	c.out = transposed ? c.window.fine : c.window.coarse;
	c.out_plane = window_plane(&c.window, c.out);
	c.in_plane = window_plane(&c.window, transposed ? c.window.coarse : c.window.fine);
	c.in_channels = c.x->dim[1] / groups;
	c.out_channels = c.y->dim[1] / groups;
	c.weight_in = transposed ? c.out_channels * c.window.taps : c.window.taps;
	c.weight_out = transposed ? c.window.taps : c.in_channels * c.window.taps;
	for (int64_t n = 0; n < c.y->dim[0]; n++)
		for (int64_t g = 0; g < groups; g++)
			for (int64_t m = 0; m < c.out_channels; m += TILE)
				compute_planes(&c, n, g, groups, m);
	return 0;
}

int
ref_conv(const KCall *k)
{
	return k_is_float(k->out) ? convolve(k, false, 0) : -1;
}

int
ref_convtranspose(const KCall *k)
{
	return k_is_float(k->out) ? convolve(k, true, 0) : -1;
}

int
ref_convinteger(const KCall *k)
{
	if (!k_is_summed_in_i32(&k->in[0]) || !k_is_summed_in_i32(&k->in[1]) ||
	    k->out->type != DT_I32)
		return -1;
	return convolve(k, false, k_float(k, ATTR_value));
}
