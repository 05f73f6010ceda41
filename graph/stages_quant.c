/* QuantizeLinear and DequantizeLinear: one stage, an expression of the element and of the scale and
 * zero point of its place along one axis. */
#include <math.h>

#include "graph/stages.h"

/* Scale or zero point of the element: one number, or one for each place along the axis. */
static int
of_axis(Stager *s, const Node *n, const Over *o, int i)
{
	int tensor = stager_read(s, n->in[i]);
	Index ix[TASK_RANK_MAX];

	for (int d = 0; d < s->t->tensor.v[tensor].rank; d++)
		ix[d] = s->t->tensor.v[tensor].dim[d] == 1 ? index_const(0)
							   : o->at[node_int(n, ATTR_axis)];
	return expr_load(s->t, tensor, ix);
}

/* Scales of half precision would have quotients rounded to it. */
static bool
is_single(const Stager *s, const Node *n)
{
	const Value *scale = node_in(s, n, 1);

	return scale->type == DT_F32 && scale->rank <= 1;
}

static int
clamped(Stager *s, int x, double lo, double hi)
{
	x = expr_bin(s->t, EXPR_MAX, x, expr_lit(s->t, s->t->expr.v[x].type, lo));
	return expr_bin(s->t, EXPR_MIN, x, expr_lit(s->t, s->t->expr.v[x].type, hi));
}

/* The nearest even integer, moved and cut to the type; floats hold integers of 24 bits. */
int
stages_quantize(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	double half;
	int v;
	Over o;

	if (!y || !is_single(s, n) || x->type != DT_F32)
		return NOT_APPLICABLE;
	stager_read(s, n->in[0]);
	o = stage_over(s, stager_write(s, n->out[0]), y->rank, y->dim);
	v = over_load(s, &o, n->in[0]);
	v = expr_un(s->t, EXPR_RINT, expr_bin(s->t, EXPR_DIV, v, of_axis(s, n, &o, 1)));
	if (node_in(s, n, 2))
		v = expr_bin(s->t, EXPR_ADD, v, expr_cast(s->t, DT_F32, of_axis(s, n, &o, 2)));
	v = expr_cast(s->t, DT_I32, v);
	half = ldexp(1, (int)dtype_size(y->type) * 8 - 1);
	v = dtype_is_signed(y->type) ? clamped(s, v, -half, half - 1)
				     : clamped(s, v, 0, 2 * half - 1);
	stage_value(s, o.stage, v);
	return OK;
}

int
stages_dequantize(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	int v;
	Over o;

	/* Sums of 32 bits are computed without rounding first, as no float holds them. */
	if (!y || !is_single(s, n) || y->type != DT_F32 || dtype_size(x->type) > 2)
		return NOT_APPLICABLE;
	stager_read(s, n->in[0]);
	o = stage_over(s, stager_write(s, n->out[0]), y->rank, y->dim);
	v = over_load(s, &o, n->in[0]);
	if (node_in(s, n, 2))
		v = expr_bin(s->t, EXPR_SUB, v, of_axis(s, n, &o, 2));
	v = expr_bin(s->t, EXPR_MUL, expr_cast(s->t, DT_F32, v), of_axis(s, n, &o, 1));
	stage_value(s, o.stage, v);
	return OK;
}
