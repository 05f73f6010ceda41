/* When the memory of an input may become that of an output: every element of the input is read only
 * where the same element of the output is computed, and nowhere else. Whatever order a kernel
 * computes its elements in, it then reads each before it writes it. */
#include <string.h>

#include "graph/form.h"

/* Different points write different elements: each axis moves one index and each index has at most
 * one axis. */
static bool
writes_once(const Stage *s, int rank)
{
	int dims[STAGE_AXES_MAX] = {0};

	for (int d = 0; d < rank; d++) {
		int axes = 0;

		for (int a = 0; a < s->nspatial; a++) {
			axes += s->out_ix[d].coef[a] != 0;
			dims[a] += s->out_ix[d].coef[a] != 0;
		}
		if (axes > 1 || s->out_ix[d].via != TASK_NONE)
			return false;
	}
	for (int a = 0; a < s->nspatial; a++)
		if (dims[a] != 1)
			return false;
	return true;
}

/* Whether the expression reads `in`, if at all, at the element that the stage writes; at NULL: not
 * at all. */
static bool
reads_only_at(const Task *t, int e, int in, const Index *at)
{
	const Expr *x;

	if (e == TASK_NONE)
		return true;
	x = &t->expr.v[e];
	if (x->op == EXPR_LOAD && x->tensor == in && !at)
		return false;
	for (int d = 0; x->op == EXPR_LOAD && d < t->tensor.v[x->tensor].rank; d++)
		if ((x->tensor == in && !index_equal(&x->ix[d], &at[d])) ||
		    !reads_only_at(t, x->ix[d].via, in, NULL))
			return false;
	if ((x->op == EXPR_INDEX || x->op == EXPR_IN) && !reads_only_at(t, x->ix->via, in, NULL))
		return false;
	return reads_only_at(t, x->a, in, at) && reads_only_at(t, x->b, in, at) &&
	       reads_only_at(t, x->c, in, at);
}

static bool
same_memory(const Task *t, const TaskForm *f, int in, int out)
{
	const TaskTensor *x = &t->tensor.v[in], *y = &t->tensor.v[out];

	return x->kind == TENSOR_IN && y->kind == TENSOR_OUT && x->type == y->type &&
	       x->rank == y->rank && !memcmp(x->dim, y->dim, (size_t)x->rank * sizeof *x->dim) &&
	       !f->v[in].foreign && form_equal(&f->v[in], &f->v[out]);
}

bool
task_may_overwrite(const Task *t, const TaskForm *f, int in, int out)
{
	int writers = 0;

	if (!same_memory(t, f, in, out))
		return false;
	for (int i = 0; i < t->stage.n; i++) {
		const Stage *s = &t->stage.v[i];
		bool writes = s->out == out;

		writers += writes;
		if ((writes && !writes_once(s, t->tensor.v[out].rank)) ||
		    !reads_only_at(t, s->body, in, NULL) ||
		    !reads_only_at(t, s->value, in, writes ? s->out_ix : NULL))
			return false;
	}
	return writers == 1;
}
