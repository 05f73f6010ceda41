/* The canonical form of a Task. */
#include <stdio.h>
#include <string.h>

#include "graph/task.h"

typedef struct Simplify {
	Task *old, *t;
	bool *needed; /* per old stage */
	int *map;     /* per old tensor */
} Simplify;

static bool
reads(const Task *t, int expr, int tensor)
{
	const Expr *x;

	if (expr == TASK_NONE)
		return false;
	x = &t->expr.v[expr];
	if (x->op == EXPR_LOAD) {
		if (x->tensor == tensor)
			return true;
		for (int d = 0; d < t->tensor.v[x->tensor].rank; d++)
			if (reads(t, x->ix[d].via, tensor))
				return true;
	}
	return reads(t, x->a, tensor) || reads(t, x->b, tensor) || reads(t, x->c, tensor);
}

bool
stage_reads(const Task *t, int stage, int tensor)
{
	const Stage *s = &t->stage.v[stage];

	return reads(t, s->body, tensor) || reads(t, s->value, tensor);
}

/* A stage is needed when it writes an output, or something that a needed stage reads. */
static void
find_needed(Simplify *m)
{
	const Task *t = m->old;

	for (int i = t->stage.n - 1; i >= 0; i--) {
		int out = t->stage.v[i].out;

		m->needed[i] = t->tensor.v[out].kind == TENSOR_OUT;
		for (int k = i + 1; k < t->stage.n; k++)
			if (m->needed[k] && stage_reads(t, k, out))
				m->needed[i] = true;
	}
}

static bool
stage_touches(const Simplify *m, int stage, int tensor)
{
	return m->needed[stage] &&
	       (m->old->stage.v[stage].out == tensor || stage_reads(m->old, stage, tensor));
}

/* Appends tensors of one kind in order of the first stage that touches them. */
static void
add_kind(Simplify *m, TensorKind kind)
{
	static const char prefix[] = {'x', 'w', 'l', 't', 'y'};
	int count = 0;

	for (int s = 0; s < m->old->stage.n; s++)
		for (int i = 0; i < m->old->tensor.n; i++) {
			TaskTensor x = m->old->tensor.v[i];

			if (x.kind != kind || m->map[i] != TASK_NONE || !stage_touches(m, s, i))
				continue;
			snprintf(x.name, sizeof x.name, "%c%d", prefix[kind], count++);
			vec_push(m->t->arena, &m->t->tensor, x);
			m->map[i] = m->t->tensor.n - 1;
		}
}

/* Sums and products begin with the side that holds the reduction. */
static bool
acc_first(Task *t, int e)
{
	Expr *x;
	bool a, b, c;

	if (e == TASK_NONE)
		return false;
	x = &t->expr.v[e];
	a = acc_first(t, x->a);
	b = acc_first(t, x->b);
	c = acc_first(t, x->c);
	if (b && !a && (x->op == EXPR_ADD || x->op == EXPR_MUL)) {
		int first = x->b;

		x->b = x->a;
		x->a = first;
	}
	return x->op == EXPR_ACC || a || b || c;
}

/* Axes longer than 1 stay; a reduction over nothing but extents of 1 becomes its body. */
static void
copy_stage(Simplify *m, const Stage *s)
{
	Index axis[STAGE_AXES_MAX] = {{0}}, *out;
	Subst sub = subst_init(m->old, m->t, axis);
	Stage r = {.out = m->map[s->out], .body = TASK_NONE, .acc_type = DT_F32};
	int rank = m->old->tensor.v[s->out].rank;

	for (int a = 0; a < s->naxes; a++) {
		axis[a] = index_const(0);
		if (s->axis[a].extent == 1)
			continue;
		axis[a] = index_axis(r.naxes);
		r.nspatial += a < s->nspatial;
		r.axis[r.naxes++] = s->axis[a];
	}
	sub.tensor = m->map;
	if (r.naxes > r.nspatial) {
		r.comb = s->comb;
		r.acc_type = s->acc_type;
		r.body = subst_expr(&sub, s->body);
	} else if (s->comb >= COMB_ARGMAX) {
		sub.acc = expr_lit(m->t, DT_I32, 0);
	} else if (s->comb != COMB_NONE) {
		sub.acc = subst_expr(&sub, s->body);
	}
	r.value = subst_expr(&sub, s->value);
	acc_first(m->t, r.value);
	out = ARENA_ARRAY(m->t->arena, Index, rank + 1);
	for (int d = 0; d < rank; d++)
		out[d] = subst_index(&sub, &s->out_ix[d]);
	r.out_ix = out;
	vec_push(m->t->arena, &m->t->stage, r);
}

void
task_simplify(Task *t, int *map)
{
	Task old = *t;
	Simplify m = {.old = &old, .t = t};

	m.needed = ARENA_ARRAY(t->arena, bool, t->stage.n + 1);
	m.map = ARENA_ARRAY(t->arena, int, t->tensor.n + 1);
	for (int i = 0; i < old.tensor.n; i++)
		m.map[i] = TASK_NONE;
	find_needed(&m);
	*t = (Task){.arena = old.arena};
	for (int k = 0; k < TENSOR_KIND_COUNT; k++)
		add_kind(&m, (TensorKind)k);
	for (int i = 0; i < old.stage.n; i++)
		if (m.needed[i])
			copy_stage(&m, &old.stage.v[i]);
	for (int i = 0; map && i < old.tensor.n; i++)
		map[i] = m.map[i];
}
