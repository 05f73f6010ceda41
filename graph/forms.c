/* Forms of the values that Tasks write.
 *
 * Values of convolutions and of whatever reads them are stored channels last: output channels are
 * the lanes, so they lie side by side, and any channel count and any concatenation work. Where
 * channels come in groups with a dimension of their own, heads, those of one group do. Bytes that
 * an integer convolution reads are channels last as well. Where somebody tells what Tasks cost,
 * forms_cost.c then blocks the channels of some. What the caller gives and gets is plain. A value
 * whose readers pad it alike gets a border that its producer writes. A whole and its parts have one
 * layout and one border, decided together: the form of the outermost whole stands for all of them
 * until the end.
 */
#include "graph/forms.h"

/* The value whose form stands for v's. */
static int
outermost(const Forms *f, int v)
{
	while (f->part[v].whole != NO_VALUE)
		v = f->part[v].whole;
	return v;
}

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

/* Whether dimension d holds the stage's output channels: nothing but axes of constants goes along
 * it. Of channels in groups, dimension 1, it is enough that one does. */
static bool
holds_channels(const Task *t, const Stage *s, int d)
{
	bool any = false, all = true;

	for (int a = 0; a < s->nspatial; a++) {
		bool yes = load_uses(t, s->body, a, TENSOR_CONST) &&
			   !load_uses(t, s->body, a, TENSOR_IN);

		if (!writes_along(s, d, a))
			continue;
		any |= yes;
		all &= yes;
	}
	return any && (all || d == 1);
}

/* The last dimension, behind the batch, that holds the output channels of a contraction with
 * constants: heads come before the channels of each. TASK_NONE: there is none. */
static int
channel_dimension(const Task *t, int tensor)
{
	int rank = t->tensor.v[tensor].rank;

	for (int d = rank - 1; d > 0 && rank >= 3; d--)
		for (int i = 0; i < t->stage.n; i++)
			if (t->stage.v[i].out == tensor && t->stage.v[i].comb == COMB_SUM &&
			    holds_channels(t, &t->stage.v[i], d))
				return d;
	return TASK_NONE;
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
		    is_channels_last(&f->layout[outermost(f, q->value[i])]))
			return true;
	}
	return false;
}

/* Whether an expression loads the tensor at a place along dimension d that a reduction moves. */
static bool
reduces_along(const Stage *s, const Task *t, int e, int tensor, int d)
{
	const Expr *x;

	if (e == TASK_NONE)
		return false;
	x = &t->expr.v[e];
	for (int a = s->nspatial; a < s->naxes && x->op == EXPR_LOAD && x->tensor == tensor; a++)
		if (x->ix[d].coef[a])
			return true;
	return reduces_along(s, t, x->a, tensor, d) || reduces_along(s, t, x->b, tensor, d) ||
	       reduces_along(s, t, x->c, tensor, d);
}

/* Whether integers are summed over the channels of a value of bytes: four of them, side by side,
 * are what instructions for that take. */
static bool
sums_bytes_of_channels(const Forms *f, int v)
{
	const Value *x = &f->g->value.v[v];

	if (dtype_size(x->type) != 1 || x->rank < 3 || x->dim[1] % 4)
		return false;
	for (int i = 0; i < f->n; i++) {
		const Task *t = f->group[i].task;

		for (int k = 0; t && k < t->tensor.n; k++)
			for (int s = 0; f->group[i].value[k] == v && s < t->stage.n; s++)
				if (t->stage.v[s].comb == COMB_SUM &&
				    t->stage.v[s].acc_type == DT_I32 &&
				    reduces_along(&t->stage.v[s], t, t->stage.v[s].body, k, 1))
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
			int v = q->value[t], d;

			if (q->task->tensor.v[t].kind != TENSOR_OUT || f->fixed[v])
				continue;
			d = channel_dimension(q->task, t);
			if (d == TASK_NONE &&
			    (follows_channels(f, q, t) || sums_bytes_of_channels(f, v)))
				d = 1;
			if (d != TASK_NONE)
				f->layout[outermost(f, v)] = form_innermost(f->layout[v].rank, d);
		}
	}
}

/* The dimension whose elements lie side by side. */
static int
innermost(const Form *f)
{
	return f->block_dim == TASK_NONE ? f->order[f->rank - 1] : f->block_dim;
}

/* What one load wants around its tensor, which is value v or a part of it. */
static void
want_border(const Forms *forms, int v, const Stage *s, const Expr *x, const TaskTensor *src)
{
	Form *f = &forms->form[v], want = *f;
	bool any = false;

	for (int d = 0; d < src->rank; d++) {
		int64_t lo, hi;

		index_range(s, &x->ix[d], &lo, &hi);
		if (x->ix[d].via != TASK_NONE || (lo >= 0 && hi < src->dim[d]))
			continue;
		/* a border inside the innermost dimension would break up its vectors, one wider
		 * than the tensor is no border, and one between parts has no place */
		if (innermost(f) == d || -lo > src->dim[d] || hi - src->dim[d] + 1 > src->dim[d] ||
		    forms->joined[v] >> d & 1)
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
	if (form_check(&want, src->rank, forms->g->value.v[v].dim, NULL) == OK) /* else too big */
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
		want_border(f, outermost(f, q->value[x->tensor]), s, x,
			    &q->task->tensor.v[x->tensor]);
	collect_borders(f, q, s, x->a);
	collect_borders(f, q, s, x->b);
	collect_borders(f, q, s, x->c);
}

static void
place_part(Forms *f, int v)
{
	const Part *p = &f->part[v];

	if (p->whole == NO_VALUE)
		return;
	place_part(f, p->whole);
	part_form(p, &f->g->value.v[v], &f->form[p->whole], &f->g->value.v[p->whole], &f->form[v]);
}

void
forms_derive(Forms *f)
{
	for (int v = 0; v < f->g->value.n; v++)
		f->form[v] = f->layout[v];
	for (int i = 0; i < f->n; i++) {
		const GroupTask *q = &f->group[i];

		for (int s = 0; q->task && s < q->task->stage.n; s++) {
			const Stage *st = &q->task->stage.v[s];

			collect_borders(f, q, st, st->body);
			collect_borders(f, q, st, st->value);
		}
	}
	for (int v = 0; v < f->g->value.n; v++)
		place_part(f, v);
}

Form *
assign_forms(const Graph *g, Arena *a, const GroupTask *group, int n, const FormCost *cost)
{
	Forms f = {.g = g,
		   .arena = a,
		   .group = group,
		   .n = n,
		   .part = parts_find(g, a, group, n),
		   .layout = ARENA_ARRAY(a, Form, g->value.n + 1),
		   .form = ARENA_ARRAY(a, Form, g->value.n + 1),
		   .joined = ARENA_ARRAY(a, unsigned, g->value.n + 1),
		   .fixed = fixed_values(g, a, group, n)};

	for (int v = 0; v < g->value.n; v++) {
		f.layout[v] = form_plain(g->value.v[v].rank);
		if (f.part[v].whole != NO_VALUE)
			f.joined[outermost(&f, v)] |= 1u << f.part[v].dim;
	}
	choose_layouts(&f);
	forms_derive(&f);
	if (cost)
		forms_by_cost(&f, cost);
	return f.form;
}
