/* Layouts by what the Tasks are told to cost, conversions included.
 *
 * Values that one Task reads and writes element for element (the two ends of a residual step) are
 * one class and keep one layout, channels last at first. A class is tried with the layouts that
 * suit its channels while the others are as they are so far: blocked where they fill whole blocks,
 * plain where they do not fill a vector. The cheapest stays when the Tasks that touch the class get
 * cheaper by more than such numbers are usually wrong. One pass, largest classes first.
 *
 * Left alone: parts and wholes, what somebody outside the Tasks sees, what a reshape might view.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/forms.h"

enum { CLASSES_MAX = 64 };

/* What must be left of the cost of the Tasks that touch a class. */
static const double enough = 0.92;

typedef enum Kind { CHANNELS_LAST, BLOCKED, PLAIN, KINDS } Kind;

typedef struct Known {
	Digest task, form;
	double ns;
} Known;

typedef struct Choice {
	Forms *f;
	const FormCost *cost;
	int *class;   /* per value: the value whose class it is in */
	bool *barred; /* per value */
	Digest *task; /* per group */
	VEC(Known) known;
} Choice;

typedef struct Class {
	int value;
	int64_t count;  /* elements of its values */
	unsigned kinds; /* that suit all of them, a bit each */
} Class;

static int
class_of(const Choice *c, int v)
{
	while (c->class[v] != v)
		v = c->class[v];
	return v;
}

static bool
same_extents(const TaskTensor *x, const TaskTensor *y)
{
	return x->rank == y->rank && !memcmp(x->dim, y->dim, (size_t)x->rank * sizeof *x->dim);
}

/* Whether the expression loads the tensor at the indices `at`. */
static bool
loads_at(const Task *t, int e, int tensor, const Index *at)
{
	const Expr *x;
	bool same;

	if (e == TASK_NONE)
		return false;
	x = &t->expr.v[e];
	same = x->op == EXPR_LOAD && x->tensor == tensor;
	for (int d = 0; same && d < t->tensor.v[tensor].rank; d++)
		same = index_equal(&x->ix[d], &at[d]);
	return same || loads_at(t, x->a, tensor, at) || loads_at(t, x->b, tensor, at) ||
	       loads_at(t, x->c, tensor, at);
}

/* Values that the Task reads where it writes others join the class of these. */
static void
join_classes(Choice *c, const GroupTask *q)
{
	const Task *t = q->task;

	for (int i = 0; i < t->stage.n; i++) {
		const Stage *s = &t->stage.v[i];
		const TaskTensor *y = &t->tensor.v[s->out];

		for (int x = 0; x < t->tensor.n && y->kind == TENSOR_OUT; x++)
			if (t->tensor.v[x].kind == TENSOR_IN && same_extents(&t->tensor.v[x], y) &&
			    loads_at(t, s->value, x, s->out_ix))
				c->class[class_of(c, q->value[x])] = class_of(c, q->value[s->out]);
	}
}

/* What a node of its own reads that is no Task, or a view or a concatenation. */
static void
bar_inputs(Choice *c, const GroupTask *q)
{
	const Node *n = &c->f->g->node.v[q->node[0]];

	if (q->task && (q->nnode != 1 || (n->op != OP_Reshape && n->op != OP_Concat)))
		return;
	for (int i = 0; i < n->nin; i++)
		if (n->in[i] != NO_VALUE)
			c->barred[n->in[i]] = true;
}

static bool
may_change(const Choice *c, int v)
{
	const Value *x = &c->f->g->value.v[v];
	const Form *now = &c->f->layout[v];

	return !c->barred[v] && !c->f->fixed[v] && c->f->part[v].whole == NO_VALUE &&
	       !c->f->joined[v] && x->type == DT_F32 && now->rank >= 3 &&
	       now->order[now->rank - 1] == 1 && x->dim[0] * x->dim[1] < value_count(x);
}

/* The layouts that suit the value's channels: a bit for each kind. */
static unsigned
kinds_of(const Choice *c, int v)
{
	int64_t channels = c->f->g->value.v[v].dim[1];

	if (!may_change(c, v))
		return 0;
	if (c->cost->lanes > 1 && channels >= c->cost->channels && channels % c->cost->lanes == 0)
		return 1U << BLOCKED;
	return channels > 1 && channels < c->cost->lanes ? 1U << PLAIN : 0;
}

static bool
touches(const Choice *c, const GroupTask *q, int class)
{
	for (int t = 0; q->task && t < q->task->tensor.n; t++) {
		TensorKind kind = q->task->tensor.v[t].kind;

		if ((kind == TENSOR_IN || kind == TENSOR_OUT) && class_of(c, q->value[t]) == class)
			return true;
	}
	return false;
}

static double
group_ns(Choice *c, int group)
{
	const GroupTask *q = &c->f->group[group];
	TaskForm form = task_form_plain(c->f->arena, q->task);
	Known new = {.task = c->task[group]};

	form.room = q->room;
	for (int t = 0; t < form.n; t++) {
		TensorKind kind = q->task->tensor.v[t].kind;

		if (kind == TENSOR_IN || kind == TENSOR_OUT)
			form.v[t] = c->f->form[q->value[t]];
	}
	new.form = task_form_digest(q->task, &form);
	for (int i = 0; i < c->known.n; i++)
		if (digest_equal(&c->known.v[i].task, &new.task) &&
		    digest_equal(&c->known.v[i].form, &new.form))
			return c->known.v[i].ns;
	new.ns = c->cost->ns(c->cost->self, q->task, &form);
	vec_push(c->f->arena, &c->known, new);
	return new.ns;
}

/* All Tasks that touch the class. */
static double
class_ns(Choice *c, int class)
{
	double ns = 0;

	for (int i = 0; i < c->f->n; i++)
		if (touches(c, &c->f->group[i], class))
			ns += group_ns(c, i);
	return ns;
}

static Form
form_of_kind(const Choice *c, int rank, Kind kind)
{
	return kind == BLOCKED ? form_blocked(rank, 1, c->cost->lanes)
	       : kind == PLAIN ? form_plain(rank)
			       : form_channels_last(rank);
}

static void
set_layouts(Choice *c, int class, Kind kind)
{
	for (int v = 0; v < c->f->g->value.n; v++)
		if (class_of(c, v) == class)
			c->f->layout[v] = form_of_kind(c, c->f->g->value.v[v].rank, kind);
	forms_derive(c->f);
}

static void
try_kinds(Choice *c, const Class *class)
{
	double best = class_ns(c, class->value) * enough, ns;
	Kind now = CHANNELS_LAST;

	for (int k = 0; k < KINDS && isfinite(best); k++) {
		if (!(class->kinds >> k & 1))
			continue;
		set_layouts(c, class->value, (Kind)k);
		ns = class_ns(c, class->value);
		if (ns < best) {
			best = ns;
			now = (Kind)k;
		}
	}
	set_layouts(c, class->value, now);
}

static int
largest_first(const void *a, const void *b)
{
	const Class *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->value - y->value;
}

static void
init_choice(Choice *c)
{
	const Forms *f = c->f;
	int n = f->g->value.n;

	c->class = ARENA_ARRAY(f->arena, int, n + 1);
	c->barred = ARENA_ARRAY(f->arena, bool, n + 1);
	c->task = ARENA_ARRAY(f->arena, Digest, f->n + 1);
	for (int v = 0; v < n; v++)
		c->class[v] = v;
	for (int i = 0; i < f->n; i++) {
		bar_inputs(c, &f->group[i]);
		if (!f->group[i].task)
			continue;
		join_classes(c, &f->group[i]);
		c->task[i] = task_digest(f->group[i].task);
	}
}

void
forms_by_cost(Forms *f, const FormCost *cost)
{
	Choice c = {.f = f, .cost = cost};
	int n = f->g->value.n, nclass = 0;
	Class *list = ARENA_ARRAY(f->arena, Class, n + 1);

	init_choice(&c);
	for (int v = 0; v < n; v++)
		list[v] = (Class){.value = v, .kinds = ~0U};
	for (int v = 0; v < n; v++) {
		Class *k = &list[class_of(&c, v)];

		k->count += value_count(&f->g->value.v[v]);
		k->kinds &= kinds_of(&c, v);
	}
	for (int v = 0; v < n; v++)
		if (c.class[v] == v && list[v].kinds)
			list[nclass++] = list[v];
	qsort(list, (size_t)nclass, sizeof *list, largest_first);
	for (int i = 0; i < nclass && i < CLASSES_MAX; i++)
		try_kinds(&c, &list[i]);
}
