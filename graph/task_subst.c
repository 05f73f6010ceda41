/* Expressions copied with other axes, other tensors, other loads. */
#include <assert.h>

#include "graph/task.h"

Subst
subst_init(const Task *from, Task *to, const Index *axis)
{
	return (Subst){.from = from,
		       .to = to,
		       .axis = axis,
		       .acc = TASK_NONE,
		       .replaced = TASK_NONE,
		       .with = TASK_NONE,
		       .by_value = TASK_NONE};
}

Index
subst_index(const Subst *s, const Index *ix)
{
	Index r = index_const(ix->k);

	for (int a = 0; a < STAGE_AXES_MAX; a++)
		if (ix->coef[a])
			r = index_add(r, &s->axis[a], ix->coef[a]);
	if (ix->via != TASK_NONE) {
		assert(r.via == TASK_NONE);
		r.via = subst_expr(s, ix->via);
	}
	return r;
}

/* The producer's value at the indices of this load. */
static int
replaced_load(const Subst *s, const Expr *x)
{
	Index axis[STAGE_AXES_MAX] = {{0}};
	Subst inner;

	if (s->with != TASK_NONE)
		return s->with;
	inner = *s->by;
	for (int a = 0; a < STAGE_AXES_MAX; a++)
		axis[a] = index_const(0);
	for (int d = 0; d < s->from->tensor.v[x->tensor].rank; d++)
		if (s->by_axis[d] != TASK_NONE)
			axis[s->by_axis[d]] = subst_index(s, &x->ix[d]);
	inner.axis = axis;
	return subst_expr(&inner, s->by_value);
}

int
subst_expr(const Subst *s, int expr)
{
	Expr x;
	int n;

	if (expr == TASK_NONE)
		return TASK_NONE;
	x = s->from->expr.v[expr];
	if (x.op == EXPR_ACC && s->acc != TASK_NONE)
		return s->acc;
	if (x.op == EXPR_LOAD && x.tensor == s->replaced)
		return replaced_load(s, &x);
	x.a = subst_expr(s, x.a);
	x.b = subst_expr(s, x.b);
	x.c = subst_expr(s, x.c);
	n = x.op == EXPR_LOAD ? s->from->tensor.v[x.tensor].rank : 1;
	if (x.ix) {
		Index *ix = ARENA_ARRAY(s->to->arena, Index, n + 1);

		for (int d = 0; d < n; d++)
			ix[d] = subst_index(s, &x.ix[d]);
		x.ix = ix;
	}
	if (x.op == EXPR_LOAD && s->tensor)
		x.tensor = s->tensor[x.tensor];
	vec_push(s->to->arena, &s->to->expr, x);
	return s->to->expr.n - 1;
}

int
expr_size(const Task *t, int expr)
{
	const Expr *x;
	int n = 1;

	if (expr == TASK_NONE)
		return 0;
	x = &t->expr.v[expr];
	if (x->op == EXPR_LOAD)
		for (int d = 0; d < t->tensor.v[x->tensor].rank; d++)
			n += expr_size(t, x->ix[d].via);
	n += expr_size(t, x->a);
	if (n < 10000)
		n += expr_size(t, x->b);
	return n < 10000 ? n + expr_size(t, x->c) : n;
}
