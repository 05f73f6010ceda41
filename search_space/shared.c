/* Loops that stages may share, and what is left of their temporaries then: what rule 9 of the
 * lowering accepts, told before it is tried.
 */
#include "search_space/shared.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"

/* Whether some stage makes the tensor one index of dimension d per iteration of the axis. */
static bool
made_along(const Task *t, int tensor, int d, const char *axis)
{
	for (int s = 0; s < t->stage.n; s++) {
		const Stage *q = &t->stage.v[s];

		if (q->out == tensor && index_is_axis(&q->out_ix[d], stage_spatial_axis(q, axis)))
			return true;
	}
	return false;
}

static bool
reads_in_step(const Task *t, const Stage *s, int e, const char *axis)
{
	const Expr *x;

	if (e == TASK_NONE)
		return true;
	x = &t->expr.v[e];
	if (x->op == EXPR_LOAD && t->tensor.v[x->tensor].kind == TENSOR_TMP)
		for (int d = 0; d < t->tensor.v[x->tensor].rank; d++)
			if (made_along(t, x->tensor, d, axis) &&
			    !index_is_axis(&x->ix[d], stage_spatial_axis(s, axis)))
				return false;
	return reads_in_step(t, s, x->a, axis) && reads_in_step(t, s, x->b, axis) &&
	       reads_in_step(t, s, x->c, axis);
}

static bool
all_share(const Task *t, const bool *idle, const Axis *axis)
{
	for (int s = 0; s < t->stage.n; s++) {
		const Stage *q = &t->stage.v[s];
		int b = stage_spatial_axis(q, axis->name);

		if (idle[s] && b == TASK_NONE)
			continue;
		if (b == TASK_NONE || (!idle[s] && q->axis[b].extent != axis->extent) ||
		    !reads_in_step(t, q, q->body, axis->name) ||
		    !reads_in_step(t, q, q->value, axis->name))
			return false;
	}
	return true;
}

int
shared_axes(const Task *t, const bool *idle, Axis axis[STAGE_AXES_MAX])
{
	const Stage *first = NULL;
	int n = 0;

	for (int s = 0; s < t->stage.n && !first; s++)
		if (!idle[s])
			first = &t->stage.v[s];
	for (int a = 0; first && a < first->nspatial; a++)
		if (first->axis[a].extent > 1 && all_share(t, idle, &first->axis[a]))
			axis[n++] = first->axis[a];
	return n;
}

size_t
shared_bytes(const Task *t, const bool *idle, const SharedLoop *loop, int n)
{
	size_t bytes = 0;

	for (int s = 0; s < t->stage.n; s++) {
		const Stage *q = &t->stage.v[s];
		const TaskTensor *x = &t->tensor.v[q->out];
		int64_t count = 1;

		if (idle[s] || x->kind != TENSOR_TMP || tensor_writer(t, q->out) != s)
			continue;
		for (int d = 0; d < x->rank; d++) {
			int64_t kept = x->dim[d];

			for (int f = 0; f < n; f++)
				if (index_is_axis(&q->out_ix[d],
						  stage_spatial_axis(q, loop[f].axis)) &&
				    loop[f].step < kept)
					kept = loop[f].step;
			count *= kept;
		}
		bytes += whole_lines((size_t)count * dtype_size(x->type));
	}
	return bytes;
}
