/* Forms of the values that Tasks write.
 *
 * Values of convolutions and of whatever reads them are stored channels last: output channels are
 * the lanes, so they lie side by side, and any channel count and any concatenation work. What the
 * caller gives and gets is plain. A value whose readers pad it alike gets a border that its
 * producer writes.
 */
#include "graph/plan.h"

typedef struct Forms {
	const Graph *g;
	const GroupTask *group;
	int n;
	Form *form;  /* per value */
	bool *fixed; /* plain, without border: the caller's, or an extern node's */
} Forms;

/* Whether axis a indexes tensor dimension d of the stage's output. */
static bool
writes_along(const Stage *s, int d, int a)
{
	return s->out_ix[d].coef[a] != 0;
}

static bool
load_uses(const Task *t, int e, int axis, TensorKind kind)
{
	const Expr *x;

	if (e == TASK_NONE)
		return false;
	x = &t->expr.v[e];
	if (x->op == EXPR_LOAD && t->tensor.v[x->tensor].kind == kind)
		for (int d = 0; d < t->tensor.v[x->tensor].rank; d++)
			if (x->ix[d].coef[axis])
				return true;
	return load_uses(t, x->a, axis, kind) || load_uses(t, x->b, axis, kind) ||
	       load_uses(t, x->c, axis, kind);
}

/* A contraction with constants whose output channels are dimension 1. */
static bool
makes_channels(const Task *t, int tensor)
{
	if (t->tensor.v[tensor].rank < 3)
		return false;
	for (int i = 0; i < t->stage.n; i++) {
		const Stage *s = &t->stage.v[i];

		if (s->out != tensor || s->comb != COMB_SUM)
			continue;
		for (int a = 0; a < s->nspatial; a++)
			if (writes_along(s, 1, a) && load_uses(t, s->body, a, TENSOR_CONST) &&
			    !load_uses(t, s->body, a, TENSOR_IN))
				return true;
	}
	return false;
}

static bool
is_channels_last(const Form *f)
{
	return f->rank >= 3 && f->order[f->rank - 1] == 1;
}

/* Reads a channels-last value of the rank of its output. */
static bool
follows_channels(const Forms *f, const GroupTask *q, int tensor)
{
	for (int i = 0; i < q->task->tensor.n; i++) {
		const TaskTensor *x = &q->task->tensor.v[i];

		if (x->kind == TENSOR_IN && x->rank == q->task->tensor.v[tensor].rank &&
		    is_channels_last(&f->form[q->value[i]]))
			return true;
	}
	return false;
}

static void
choose_layouts(Forms *f)
{
	for (int i = 0; i < f->n; i++) {
		const GroupTask *q = &f->group[i];

		for (int t = 0; q->task && t < q->task->tensor.n; t++) {
			int v = q->value[t];

			if (q->task->tensor.v[t].kind != TENSOR_OUT || f->fixed[v])
				continue;
			if (makes_channels(q->task, t) || follows_channels(f, q, t))
				f->form[v] = form_channels_last(f->form[v].rank);
		}
	}
}

/* What one load wants around its tensor. */
static void
want_border(Form *f, const Stage *s, const Expr *x, const TaskTensor *src)
{
	Form want = *f;
	bool any = false;

	for (int d = 0; d < src->rank; d++) {
		int64_t lo, hi;

		index_range(s, &x->ix[d], &lo, &hi);
		if (x->ix[d].via != TASK_NONE || (lo >= 0 && hi < src->dim[d]))
			continue;
		/* a border inside the innermost dimension would break up its vectors, and one wider
		 * than the tensor is no border */
		if (f->order[f->rank - 1] == d || -lo > src->dim[d] ||
		    hi - src->dim[d] + 1 > src->dim[d])
			return;
		if (-lo > want.lo[d])
			want.lo[d] = (int)-lo;
		if (hi - src->dim[d] + 1 > want.hi[d])
			want.hi[d] = (int)(hi - src->dim[d] + 1);
		any = true;
	}
	if (!any || (form_has_border(f) && f->border != x->otherwise))
		return;
	want.border = x->otherwise;
	if (form_check(&want, src->rank, src->dim, NULL) == OK) /* else it grows out of bounds */
		*f = want;
}

static void
collect_borders(Forms *f, const GroupTask *q, const Stage *s, int e)
{
	const Expr *x;

	if (e == TASK_NONE)
		return;
	x = &q->task->expr.v[e];
	if (x->op == EXPR_LOAD && x->has_else && q->value[x->tensor] != NO_VALUE &&
	    q->task->tensor.v[x->tensor].kind == TENSOR_IN && !f->fixed[q->value[x->tensor]])
		want_border(&f->form[q->value[x->tensor]], s, x, &q->task->tensor.v[x->tensor]);
	collect_borders(f, q, s, x->a);
	collect_borders(f, q, s, x->b);
	collect_borders(f, q, s, x->c);
}

static bool
is_reshape(const Graph *g, const GroupTask *q)
{
	return q->nnode == 1 && g->node.v[q->node[0]].op == OP_Reshape;
}

/* Values that somebody outside the Tasks touches, and both ends of a reshape that may be a view. */
static void
fix_values(Forms *f)
{
	for (int i = 0; i < f->g->input.n; i++)
		f->fixed[f->g->input.v[i]] = true;
	for (int i = 0; i < f->g->output.n; i++)
		f->fixed[f->g->output.v[i]] = true;
	for (int i = 0; i < f->n; i++) {
		const GroupTask *q = &f->group[i];

		for (int k = 0; k < q->nnode; k++) {
			const Node *n = &f->g->node.v[q->node[k]];

			for (int o = 0; o < n->nout; o++)
				if (n->out[o] != NO_VALUE && (!q->task || is_reshape(f->g, q)))
					f->fixed[n->out[o]] = true;
		}
	}
}

Form *
assign_forms(const Graph *g, Arena *a, const GroupTask *group, int n)
{
	Forms f = {.g = g,
		   .group = group,
		   .n = n,
		   .form = ARENA_ARRAY(a, Form, g->value.n + 1),
		   .fixed = ARENA_ARRAY(a, bool, g->value.n + 1)};

	for (int v = 0; v < g->value.n; v++)
		f.form[v] = form_plain(g->value.v[v].rank);
	fix_values(&f);
	choose_layouts(&f);
	for (int i = 0; i < n; i++)
		for (int s = 0; group[i].task && s < group[i].task->stage.n; s++) {
			const Stage *st = &group[i].task->stage.v[s];

			collect_borders(&f, &group[i], st, st->body);
			collect_borders(&f, &group[i], st, st->value);
		}
	return f.form;
}
