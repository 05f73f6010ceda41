/* Windows over spatial dimensions: pooling, and local response normalisation over channels. */
#include <math.h>

#include "graph/stages.h"

enum { SPATIAL_MAX = 3 };

static const char *const out_axis[] = {"p", "q", "r"};
static const char *const tap_axis[] = {"i", "j", "l"};

typedef struct Window {
	int stage, spatial;
	Index x[TASK_RANK_MAX]; /* of the input */
	Index tap[SPATIAL_MAX];
	bool leaves; /* some window reaches outside */
} Window;

static int64_t
attr_at(const Node *n, AttrKey key, int i, int64_t otherwise)
{
	const KAttr *a = node_attr(n, key);

	return a && i < a->n ? a->i[i] : otherwise;
}

/* A stage over the pooled output, reduction axes over the window. */
static Window
window_over(Stager *s, const Node *n, const Value *x, const Value *y)
{
	Window w = {.spatial = x->rank - 2};
	Index out[TASK_RANK_MAX] = {{0}};

	w.stage = task_stage(s->t, stager_write(s, n->out[0]));
	w.x[0] = out[0] = over_axis(s, w.stage, "n", y->dim[0], false);
	w.x[1] = out[1] = over_axis(s, w.stage, "k", y->dim[1], false);
	for (int d = 0; d < w.spatial; d++)
		out[d + 2] = over_axis(s, w.stage, out_axis[d], y->dim[d + 2], false);
	for (int d = 0; d < w.spatial; d++) {
		int64_t lo, hi;

		w.tap[d] = over_axis(s, w.stage, tap_axis[d], attr_at(n, ATTR_kernel, d, 1), true);
		w.x[d + 2] = index_const(-attr_at(n, ATTR_pads, d, 0));
		w.x[d + 2] = index_add(w.x[d + 2], &out[d + 2], attr_at(n, ATTR_strides, d, 1));
		w.x[d + 2] = index_add(w.x[d + 2], &w.tap[d], attr_at(n, ATTR_dilations, d, 1));
		index_range(&s->t->stage.v[w.stage], &w.x[d + 2], &lo, &hi);
		w.leaves |= lo < 0 || hi >= x->dim[d + 2];
	}
	s->t->stage.v[w.stage].out_ix = arena_copy(s->t->arena, out, sizeof out);
	return w;
}

static int
load_or(Stager *s, const Window *w, int tensor, double otherwise)
{
	return w->leaves ? expr_load_else(s->t, tensor, w->x, otherwise)
			 : expr_load(s->t, tensor, w->x);
}

static double
lowest(DType t)
{
	if (dtype_is_float(t))
		return -INFINITY;
	return dtype_is_signed(t) ? -ldexp(1, (int)dtype_size(t) * 8 - 1) : 0;
}

int
stages_maxpool(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	int tx, body;
	Window w;

	if (!y || node_out(s, n, 1) || x->rank < 3 || x->rank > 2 + SPATIAL_MAX ||
	    x->type == DT_BOOL)
		return NOT_APPLICABLE;
	tx = stager_read(s, n->in[0]);
	w = window_over(s, n, x, y);
	body = load_or(s, &w, tx, lowest(x->type));
	stage_reduce(s, w.stage, COMB_MAX, node_type(s, n), body);
	stage_value(s, w.stage, stage_acc(s, w.stage));
	return OK;
}

/* How many taps of one dimension count: a sum of predicates, or the literal when all always do. */
static int
taps_counted(Stager *s, const Window *w, int d, int64_t taps, int64_t dilation, int64_t lo,
	     int64_t hi, DType type)
{
	Index at = w->x[d + 2];
	int64_t first, last;
	int sum = TASK_NONE;

	index_range(&s->t->stage.v[w->stage], &at, &first, &last);
	if (first >= lo && last < hi)
		return expr_lit(s->t, type, (double)taps);
	at = index_add(at, &w->tap[d], -dilation); /* the window's start */
	for (int64_t i = 0; i < taps; i++) {
		int in = expr_in(s->t, type, &at, lo, hi);

		sum = sum == TASK_NONE ? in : expr_bin(s->t, EXPR_ADD, sum, in);
		at.k += dilation;
	}
	return sum;
}

int
stages_averagepool(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	bool padded = node_int(n, ATTR_count_include_pad) != 0;
	DType type = node_type(s, n);
	int tx, count = TASK_NONE;
	double all = 1;
	Window w;

	if (!y || x->rank < 3 || x->rank > 2 + SPATIAL_MAX || !dtype_is_float(x->type))
		return NOT_APPLICABLE;
	tx = stager_read(s, n->in[0]);
	w = window_over(s, n, x, y);
	stage_reduce(s, w.stage, COMB_SUM, type, load_or(s, &w, tx, 0));
	for (int d = 0; d < w.spatial; d++) {
		int64_t before = padded ? attr_at(n, ATTR_pads, d, 0) : 0;
		int64_t after = padded ? attr_at(n, ATTR_pads, d + w.spatial, 0) : 0;
		int c = taps_counted(s, &w, d, attr_at(n, ATTR_kernel, d, 1),
				     attr_at(n, ATTR_dilations, d, 1), -before,
				     x->dim[d + 2] + after, type);

		if (s->t->expr.v[c].op == EXPR_LIT)
			all *= s->t->expr.v[c].lit;
		else
			count = count == TASK_NONE ? c : expr_bin(s->t, EXPR_MUL, count, c);
	}
	if (count == TASK_NONE)
		count = expr_lit(s->t, type, all);
	else if (all != 1)
		count = expr_bin(s->t, EXPR_MUL, count, expr_lit(s->t, type, all));
	stage_value(s, w.stage, expr_bin(s->t, EXPR_DIV, stage_acc(s, w.stage), count));
	return OK;
}

/* y = x / (bias + alpha / size * sum of squares of the channels around)^beta */
int
stages_lrn(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	int64_t size = node_int(n, ATTR_size);
	double beta = node_float(n, ATTR_beta);
	int tx, square, sum;
	Index at[TASK_RANK_MAX], tap;
	Over o;

	if (!y || x->rank < 2 || node_type(s, n) != DT_F32)
		return NOT_APPLICABLE;
	tx = stager_read(s, n->in[0]);
	o = stage_over(s, stager_write(s, n->out[0]), y->rank, y->dim);
	tap = over_axis(s, o.stage, "i", size, true);
	for (int d = 0; d < x->rank; d++)
		at[d] = o.at[d];
	at[1] = index_add(index_add(at[1], &tap, 1), &(Index){.k = 1, .via = TASK_NONE},
			  -((size - 1) / 2));
	square = expr_load_else(s->t, tx, at, 0);
	stage_reduce(s, o.stage, COMB_SUM, DT_F32, expr_bin(s->t, EXPR_MUL, square, square));
	sum = expr_bin(s->t, EXPR_MUL, stage_acc(s, o.stage),
		       expr_lit(s->t, DT_F32, node_float(n, ATTR_alpha) / (double)size));
	sum = expr_bin(s->t, EXPR_ADD, sum, expr_lit(s->t, DT_F32, node_float(n, ATTR_bias)));
	sum = expr_bin(s->t, EXPR_POW, sum, expr_lit(s->t, DT_F32, -beta));
	stage_value(s, o.stage, expr_bin(s->t, EXPR_MUL, expr_load(s->t, tx, o.at), sum));
	return OK;
}
