/* Convolution, transposed convolution, products of matrices: one contraction each. */

#include "graph/stages.h"

enum { SPATIAL_MAX = 3 };

static const char *const out_axis[] = {"p", "q", "r"};
static const char *const tap_axis[] = {"i", "j", "l"};
static const char *const phase_axis[] = {"s", "t", "u"};

static int64_t
attr_at(const Node *n, AttrKey key, int i, int64_t otherwise)
{
	const KAttr *a = node_attr(n, key);

	return a && i < a->n ? a->i[i] : otherwise;
}

/* Axes of the batch, group and output channels, and the channel index of the output. */
typedef struct Channels {
	Index n, g, k, out;
} Channels;

static Channels
channel_axes(Stager *s, int stage, int64_t batch, int64_t groups, int64_t per_group)
{
	Channels c;

	c.n = over_axis(s, stage, "n", batch, false);
	c.g = over_axis(s, stage, "g", groups, false);
	c.k = over_axis(s, stage, "k", per_group, false);
	c.out = index_add(c.k, &c.g, per_group);
	return c;
}

/* Index of an input along one spatial dimension, and whether some of it lies outside. */
static bool
may_leave(Stager *s, int stage, const Index *ix, int64_t extent)
{
	int64_t lo, hi;

	index_range(&s->t->stage.v[stage], ix, &lo, &hi);
	return lo < 0 || hi >= extent;
}

static int
load_padded(Stager *s, int stage, int tensor, const Index *ix, double outside)
{
	const TaskTensor *x = &s->t->tensor.v[tensor];

	for (int d = 0; d < x->rank; d++)
		if (may_leave(s, stage, &ix[d], x->dim[d]))
			return expr_load_else(s->t, tensor, ix, outside);
	return expr_load(s->t, tensor, ix);
}

static void
store_at(Stager *s, int stage, const Index *ix)
{
	s->t->stage.v[stage].out_ix = arena_copy(s->t->arena, ix, TASK_RANK_MAX * sizeof *ix);
}

/* acc, plus the bias of the output channel when there is one */
static int
with_bias(Stager *s, const Node *n, int stage, const Index *channel)
{
	int acc = stage_acc(s, stage), bias;

	if (!node_in(s, n, 2))
		return acc;
	bias = expr_load(s->t, stager_read(s, n->in[2]), channel);
	return expr_bin(s->t, EXPR_ADD, acc, bias);
}

int
stages_conv(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *w = node_in(s, n, 1), *y = node_out(s, n, 0);
	int64_t groups = node_int(n, ATTR_group);
	double outside = n->op == OP_ConvInteger ? node_float(n, ATTR_value) : 0;
	int tx, tw, stage, spatial = x->rank - 2, body;
	Index xi[TASK_RANK_MAX] = {{0}}, wi[TASK_RANK_MAX] = {{0}}, yi[TASK_RANK_MAX] = {{0}}, c;
	Channels ch;

	if (!y || spatial < 1 || spatial > SPATIAL_MAX)
		return NOT_APPLICABLE;
	tx = stager_read(s, n->in[0]);
	tw = stager_read(s, n->in[1]);
	if (node_in(s, n, 2))
		stager_read(s, n->in[2]);
	stage = task_stage(s->t, stager_write(s, n->out[0]));
	ch = channel_axes(s, stage, x->dim[0], groups, w->dim[0] / groups);
	for (int d = 0; d < spatial; d++)
		yi[d + 2] = over_axis(s, stage, out_axis[d], y->dim[d + 2], false);
	c = over_axis(s, stage, "c", w->dim[1], true);
	xi[0] = yi[0] = ch.n;
	xi[1] = index_add(c, &ch.g, w->dim[1]);
	wi[0] = yi[1] = ch.out;
	wi[1] = c;
	for (int d = 0; d < spatial; d++) {
		wi[d + 2] = over_axis(s, stage, tap_axis[d], w->dim[d + 2], true);
		xi[d + 2] = index_const(-attr_at(n, ATTR_pads, d, 0));
		xi[d + 2] = index_add(xi[d + 2], &yi[d + 2], attr_at(n, ATTR_strides, d, 1));
		xi[d + 2] = index_add(xi[d + 2], &wi[d + 2], attr_at(n, ATTR_dilations, d, 1));
	}
	store_at(s, stage, yi);
	body = load_padded(s, stage, tx, xi, outside);
	body = expr_bin(s->t, EXPR_MUL, body, expr_load(s->t, tw, wi));
	stage_reduce(s, stage, COMB_SUM, node_type(s, n), body);
	stage_value(s, stage, with_bias(s, n, stage, &ch.out));
	return OK;
}

/* One spatial dimension of a transposed convolution. Output o with o + pad = stride * p + s gets
 * tap r = stride * i + s from input p - i: the phase s is an axis of its own. With stride 1 the
 * phase is gone and the taps may be dilated. */
typedef struct Transposed {
	int64_t stride, dilation, pad, taps, in, out;
	int64_t tiles, steps; /* extents of p and i */
} Transposed;

static bool
transposed_dim(const Node *n, const Value *x, const Value *w, const Value *y, int d, Transposed *t)
{
	*t = (Transposed){.stride = attr_at(n, ATTR_strides, d, 1),
			  .dilation = attr_at(n, ATTR_dilations, d, 1),
			  .pad = attr_at(n, ATTR_pads, d, 0),
			  .taps = w->dim[d + 2],
			  .in = x->dim[d + 2],
			  .out = y->dim[d + 2]};
	if (t->stride > 1 && t->dilation > 1)
		return false;
	t->tiles = t->stride == 1 ? t->out : (t->out - 1 + t->pad) / t->stride + 1;
	t->steps = (t->taps + t->stride - 1) / t->stride;
	return t->pad >= 0;
}

static void
transposed_index(Stager *s, int stage, int d, const Transposed *t, const Index *p, const Index *ph,
		 Index *x, Index *w, Index *y)
{
	Index i = over_axis(s, stage, tap_axis[d], t->steps, true);

	if (t->stride == 1) {
		*w = i;
		*y = *p;
		*x = index_add(index_add(index_const(t->pad), p, 1), &i, -t->dilation);
		return;
	}
	*w = index_add(index_add(index_const(0), &i, t->stride), ph, 1);
	*y = index_add(index_add(index_const(-t->pad), p, t->stride), ph, 1);
	*x = index_add(*p, &i, -1);
}

int
stages_convtranspose(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *w = node_in(s, n, 1), *y = node_out(s, n, 0);
	int64_t groups = node_int(n, ATTR_group);
	int tx, tw, stage, spatial = x->rank - 2, body;
	Index xi[TASK_RANK_MAX] = {{0}}, wi[TASK_RANK_MAX] = {{0}}, yi[TASK_RANK_MAX] = {{0}}, c;
	Index p[SPATIAL_MAX], phase[SPATIAL_MAX];
	Transposed t[SPATIAL_MAX];
	Channels ch;

	if (!y || spatial < 1 || spatial > SPATIAL_MAX || !dtype_is_float(x->type))
		return NOT_APPLICABLE;
	for (int d = 0; d < spatial; d++)
		if (!transposed_dim(n, x, w, y, d, &t[d]))
			return NOT_APPLICABLE;
	tx = stager_read(s, n->in[0]);
	tw = stager_read(s, n->in[1]);
	if (node_in(s, n, 2))
		stager_read(s, n->in[2]);
	stage = task_stage(s->t, stager_write(s, n->out[0]));
	ch = channel_axes(s, stage, x->dim[0], groups, w->dim[1]);
	for (int d = 0; d < spatial; d++) {
		p[d] = over_axis(s, stage, out_axis[d], t[d].tiles, false);
		phase[d] = over_axis(s, stage, phase_axis[d], t[d].stride, false);
	}
	c = over_axis(s, stage, "c", x->dim[1] / groups, true);
	xi[0] = yi[0] = ch.n;
	xi[1] = wi[0] = index_add(c, &ch.g, x->dim[1] / groups);
	wi[1] = ch.k;
	yi[1] = ch.out;
	for (int d = 0; d < spatial; d++)
		transposed_index(s, stage, d, &t[d], &p[d], &phase[d], &xi[d + 2], &wi[d + 2],
				 &yi[d + 2]);
	store_at(s, stage, yi);
	body = load_padded(s, stage, tx, xi, 0);
	body = expr_bin(s->t, EXPR_MUL, body, load_padded(s, stage, tw, wi, 0));
	stage_reduce(s, stage, COMB_SUM, node_type(s, n), body);
	stage_value(s, stage, with_bias(s, n, stage, &ch.out));
	return OK;
}

static int
scaled(Stager *s, int x, double by)
{
	DType type = s->t->expr.v[x].type;

	return by == 1 ? x : expr_bin(s->t, EXPR_MUL, x, expr_lit(s->t, type, by));
}

int
stages_gemm(Stager *s, const Node *n)
{
	const Value *a = node_in(s, n, 0), *y = node_out(s, n, 0);
	bool ta = node_int(n, ATTR_transA) != 0, tb = node_int(n, ATTR_transB) != 0;
	int x, w, stage, value;
	Index m, c, k;
	Over o;

	if (!y || !dtype_is_float(a->type))
		return NOT_APPLICABLE;
	x = stager_read(s, n->in[0]);
	w = stager_read(s, n->in[1]);
	if (node_in(s, n, 2))
		stager_read(s, n->in[2]);
	stage = task_stage(s->t, stager_write(s, n->out[0]));
	m = over_axis(s, stage, "m", y->dim[0], false);
	c = over_axis(s, stage, "n", y->dim[1], false);
	k = over_axis(s, stage, "k", a->dim[ta ? 0 : 1], true);
	o = (Over){.stage = stage, .rank = 2, .at = {m, c}};
	store_at(s, stage, o.at);
	value = expr_bin(s->t, EXPR_MUL,
			 expr_load(s->t, x, (const Index[]){ta ? k : m, ta ? m : k}),
			 expr_load(s->t, w, (const Index[]){tb ? c : k, tb ? k : c}));
	stage_reduce(s, stage, COMB_SUM, node_type(s, n), value);
	value = scaled(s, stage_acc(s, stage), node_float(n, ATTR_alpha));
	if (node_in(s, n, 2))
		value = expr_bin(s->t, EXPR_ADD, value,
				 scaled(s, over_load(s, &o, n->in[2]), node_float(n, ATTR_beta)));
	stage_value(s, stage, value);
	return OK;
}

/* Batch indices of an operand: the output's batch axes, broadcast, then its two matrix indices. A
 * vector has only k. */
static int
operand(Stager *s, int value, const Index *batch, int nbatch, Index first, Index second)
{
	const Value *v = &s->g->value.v[value];
	Index ix[TASK_RANK_MAX];
	int d = 0;

	for (; d < v->rank - 2; d++)
		ix[d] = v->dim[d] == 1 ? index_const(0) : batch[nbatch - (v->rank - 2) + d];
	if (v->rank >= 2)
		ix[d++] = first;
	ix[d] = second;
	return expr_load(s->t, stager_read(s, value), ix);
}

int
stages_matmul(Stager *s, const Node *n)
{
	const Value *a = node_in(s, n, 0), *b = node_in(s, n, 1), *y = node_out(s, n, 0);
	bool rows = a->rank > 1, cols = b->rank > 1;
	int nbatch = y ? y->rank - rows - cols : 0, stage, left, right;
	Index ix[TASK_RANK_MAX] = {{0}}, m = index_const(0), c = index_const(0), k;

	if (!y || node_type(s, n) == DT_BOOL)
		return NOT_APPLICABLE;
	stager_read(s, n->in[0]);
	stager_read(s, n->in[1]);
	stage = task_stage(s->t, stager_write(s, n->out[0]));
	for (int d = 0; d < nbatch; d++) {
		const char name[] = {'b', (char)('0' + d), 0};

		ix[d] = over_axis(s, stage, name, y->dim[d], false);
	}
	if (rows)
		ix[nbatch] = m = over_axis(s, stage, "m", y->dim[nbatch], false);
	if (cols)
		ix[nbatch + rows] = c = over_axis(s, stage, "n", y->dim[nbatch + rows], false);
	k = over_axis(s, stage, "k", a->dim[a->rank - 1], true);
	store_at(s, stage, ix);
	left = operand(s, n->in[0], ix, nbatch, m, k);
	right = cols ? operand(s, n->in[1], ix, nbatch, k, c)
		     : operand(s, n->in[1], ix, nbatch, c, k);
	stage_reduce(s, stage, COMB_SUM, node_type(s, n), expr_bin(s->t, EXPR_MUL, left, right));
	stage_value(s, stage, stage_acc(s, stage));
	return OK;
}
