/* Groups and Forms -> steps over buffers. */
#include <string.h>

#include "graph/parts.h"
#include "graph/stages.h"

typedef struct Planner {
	const Graph *g;
	Plan *p;
	GroupTask *group;
	int ngroup;
	const Form *form; /* per value */
	Part *part;       /* per value: what its Form makes it a part of */
	int *buffer;      /* per value: its buffer, or -1 */
	int *plain;       /* per value: a plain copy or view of it, or -1 */
	Err *e;
} Planner;

/* Bytes a value takes in a Form. */
static size_t
form_bytes(const Form *f, const Value *v)
{
	return (size_t)form_layout(f, v->dim, v->type, 0).count * dtype_size(v->type);
}

/* Whether two Forms put every element of a tensor of these extents at the same place. */
static bool
form_same_memory(const Form *a, const Form *b, const int64_t *dim, DType type)
{
	Layout x = form_layout(a, dim, type, 0), y = form_layout(b, dim, type, 0);

	if (x.count != y.count || x.base != y.base || x.block_dim != y.block_dim ||
	    x.block != y.block || form_has_border(a) || form_has_border(b))
		return false;
	for (int d = 0; d < a->rank; d++)
		if (dim[d] > 1 && x.stride[d] != y.stride[d])
			return false;
	return true;
}

static int
add_buffer(Planner *b, BufferKind kind, int value, const Form *f, int view_of)
{
	const Value *v = &b->g->value.v[value];
	Buffer x = {.kind = kind,
		    .value = value,
		    .form = *f,
		    .view_of = view_of,
		    .bytes = form_bytes(f, v)};

	vec_push(b->p->arena, &b->p->buffer, x);
	return b->p->buffer.n - 1;
}

static int
output_buffer(Planner *b, int value)
{
	BufferKind kind = graph_is_output(b->g, value) ? BUFFER_OUTPUT : BUFFER_TEMPORARY;
	int whole = b->part[value].whole;

	if (b->buffer[value] < 0)
		b->buffer[value] = add_buffer(b, kind, value, &b->form[value],
					      whole == NO_VALUE ? -1 : output_buffer(b, whole));
	return b->buffer[value];
}

/* The PlanTask of these contents: an equal one that is there, or a new one. */
static int
intern_task(Planner *b, Task *t, const TaskForm *f)
{
	PlanTask x = {.task = t,
		      .form = *f,
		      .task_key = task_digest(t),
		      .form_key = task_form_digest(t, f)};

	for (int i = 0; i < b->p->task.n; i++)
		if (digest_equal(&b->p->task.v[i].task_key, &x.task_key) &&
		    digest_equal(&b->p->task.v[i].form_key, &x.form_key)) {
			b->p->task.v[i].uses++;
			return i;
		}
	x.uses = 1;
	vec_push(b->p->arena, &b->p->task, x);
	return b->p->task.n - 1;
}

static int
add_task_step(Planner *b, const GroupTask *q)
{
	TaskForm f = task_form_plain(b->p->arena, q->task);
	Step s = {.kind = STEP_TASK};

	for (int i = 0; i < q->nnode; i++)
		vec_push(b->p->arena, &s.node, q->node[i]);
	f.room = q->room;
	for (int t = 0; t < q->task->tensor.n; t++) {
		int v = q->value[t], buf;

		switch (q->task->tensor.v[t].kind) {
		case TENSOR_IN:
			buf = b->buffer[v];
			vec_push(b->p->arena, &s.in, buf);
			f.v[t] = b->p->buffer.v[buf].form;
			break;
		case TENSOR_OUT:
			buf = output_buffer(b, v);
			vec_push(b->p->arena, &s.out, buf);
			f.v[t] = b->p->buffer.v[buf].form;
			break;
		case TENSOR_CONST:
			if (v != NO_VALUE)
				vec_push(b->p->arena, &s.constant, v);
			break;
		default: break;
		}
	}
	if (task_check(q->task, b->e) || task_form_check(q->task, &f, b->e)) {
		err_prefix(b->e, "node '%s': ", b->g->node.v[q->node[0]].name);
		b->e->code = ERR_INTERNAL;
		return ERR_INTERNAL;
	}
	s.task = intern_task(b, q->task, &f);
	vec_push(b->p->arena, &b->p->step, s);
	return OK;
}

/* A Task that copies value v from one Form to another. */
static void
add_copy_step(Planner *b, int from, int to)
{
	const Value *v = &b->g->value.v[b->p->buffer.v[from].value];
	Stager s = {.g = b->g, .t = task_new(b->p->arena)};
	int x = task_tensor(s.t, TENSOR_IN, "x0", v->type, v->rank, v->dim);
	int y = task_tensor(s.t, TENSOR_OUT, "y0", v->type, v->rank, v->dim);
	Over o = stage_over(&s, y, v->rank, v->dim);
	TaskForm f;
	Step step = {.kind = STEP_TASK};

	stage_value(&s, o.stage, expr_load(s.t, x, o.at));
	task_simplify(s.t, NULL);
	f = task_form_plain(b->p->arena, s.t);
	f.v[0] = b->p->buffer.v[from].form;
	f.v[1] = b->p->buffer.v[to].form;
	vec_push(b->p->arena, &step.in, from);
	vec_push(b->p->arena, &step.out, to);
	step.task = intern_task(b, s.t, &f);
	vec_push(b->p->arena, &b->p->step, step);
}

/* A buffer with the value's elements in row-major order: its own, or a copy made here. */
static int
plain_buffer(Planner *b, int value)
{
	const Value *v = &b->g->value.v[value];
	Form plain = form_plain(v->rank);
	int own = b->buffer[value];

	if (form_same_memory(&b->p->buffer.v[own].form, &plain, v->dim, v->type))
		return own;
	if (b->plain[value] < 0) {
		b->plain[value] = add_buffer(b, BUFFER_TEMPORARY, value, &plain, -1);
		add_copy_step(b, own, b->plain[value]);
	}
	return b->plain[value];
}

/* A reshape of row-major memory is a view, copied where an output of the graph needs memory of its
 * own. One copy that reshapes beats a copy and a view. */
static bool
as_view(Planner *b, const GroupTask *q)
{
	const Node *n = &b->g->node.v[q->node[0]];
	const Value *x = &b->g->value.v[n->in[0]];
	int out = n->out[0], view;
	Form plain = form_plain(x->rank);

	if (q->nnode != 1 || n->op != OP_Reshape || b->buffer[n->in[0]] < 0 || !value_count(x))
		return false;
	if (q->task &&
	    (graph_is_output(b->g, out) ||
	     !form_same_memory(&b->p->buffer.v[b->buffer[n->in[0]]].form, &plain, x->dim, x->type)))
		return false;
	plain = form_plain(b->g->value.v[out].rank);
	view = add_buffer(b, BUFFER_TEMPORARY, out, &plain, plain_buffer(b, n->in[0]));
	if (graph_is_output(b->g, out))
		add_copy_step(b, view, output_buffer(b, out));
	else
		b->buffer[out] = view;
	return true;
}

/* A concatenation with parts made in place: what is not yet there is copied to its place. */
static bool
as_joined(Planner *b, const GroupTask *q)
{
	const Node *n = &b->g->node.v[q->node[0]];
	int w = n->out[0];
	Part at = {.whole = w};
	bool any = false;

	for (int i = 0; i < n->nin && n->op == OP_Concat; i++)
		any |= n->in[i] != NO_VALUE && b->part[n->in[i]].whole == w;
	if (!any || q->nnode != 1)
		return false;
	at.dim = (int)node_int(n, ATTR_axis);
	for (int i = 0; i < n->nin; i++) {
		const Value *v = &b->g->value.v[n->in[i]];
		const Part *own = &b->part[n->in[i]];
		Form f;

		part_form(&at, v, &b->form[w], &b->g->value.v[w], &f);
		if (own->whole != w || own->start != at.start)
			add_copy_step(
				b, b->buffer[n->in[i]],
				add_buffer(b, BUFFER_TEMPORARY, n->in[i], &f, output_buffer(b, w)));
		at.start += v->dim[at.dim];
	}
	return true;
}

static void
add_extern_step(Planner *b, const GroupTask *q)
{
	const Node *n = &b->g->node.v[q->node[0]];
	Step s = {.kind = STEP_EXTERN, .task = -1};

	vec_push(b->p->arena, &s.node, q->node[0]);
	for (int i = 0; i < n->nin; i++) {
		bool absent = n->in[i] == NO_VALUE || b->g->value.v[n->in[i]].is_const;

		vec_push(b->p->arena, &s.in, absent ? -1 : plain_buffer(b, n->in[i]));
	}
	for (int i = 0; i < n->nout; i++)
		vec_push(b->p->arena, &s.out,
			 n->out[i] == NO_VALUE ? -1 : output_buffer(b, n->out[i]));
	vec_push(b->p->arena, &b->p->step, s);
}

/* The nodes of every group; together they take as much room as the graph has nodes. */
static void
collect_nodes(Planner *b, const Groups *groups)
{
	b->group = ARENA_ARRAY(b->p->arena, GroupTask, groups->n + 1);
	for (int k = 0; k < b->g->node.n; k++)
		b->group[groups->of[k]].nnode++;
	for (int i = 0; i < groups->n; i++) {
		GroupTask *q = &b->group[i];

		q->node = ARENA_ARRAY(b->p->arena, int, q->nnode + 1);
		q->nnode = 0;
	}
	for (int k = 0; k < b->g->node.n; k++) {
		GroupTask *q = &b->group[groups->of[k]];

		q->node[q->nnode++] = k;
	}
}

static int
collect_groups(Planner *b, const Groups *groups)
{
	Arena *a = b->p->arena;

	b->ngroup = groups->n;
	collect_nodes(b, groups);
	for (int i = 0; i < groups->n; i++) {
		GroupTask *q = &b->group[i];

		if (!q->nnode || group_task(b->g, a, q->node, q->nnode, &q->task, &q->value))
			q->task = NULL;
		if (!q->task && q->nnode != 1)
			return err_set(b->e, ERR_INPUT, "group %d of %d nodes makes no task", i,
				       q->nnode);
		if (groups->rows && groups->rows[i] &&
		    (!q->task || task_cut(q->task, groups->rows[i], &q->room)))
			return err_set(b->e, ERR_INPUT, "group %d: no strips of %d rows", i,
				       groups->rows[i]);
		if (groups->room && !q->room)
			q->room = (size_t)groups->room[i];
	}
	return OK;
}

static void
add_inputs(Planner *b)
{
	b->p->input = ARENA_ARRAY(b->p->arena, int, b->g->input.n + 1);
	for (int i = 0; i < b->g->input.n; i++) {
		int v = b->g->input.v[i];

		b->buffer[v] = b->p->input[i] = add_buffer(b, BUFFER_INPUT, v, &b->form[v], -1);
	}
}

static int
add_steps(Planner *b)
{
	int rc = OK;

	for (int i = 0; i < b->ngroup && !rc; i++) {
		const GroupTask *q = &b->group[i];

		if (as_view(b, q) || as_joined(b, q))
			continue;
		if (q->task)
			rc = add_task_step(b, q);
		else
			add_extern_step(b, q);
	}
	b->p->output = ARENA_ARRAY(b->p->arena, int, b->g->output.n + 1);
	for (int i = 0; i < b->g->output.n && !rc; i++)
		b->p->output[i] = b->buffer[b->g->output.v[i]];
	return rc;
}

/* A node reads only what its own or an earlier group computes. */
static int
check_groups(const Planner *b, const Groups *groups)
{
	for (int k = 0; k < b->g->node.n; k++) {
		const Node *n = &b->g->node.v[k];

		if (groups->of[k] < 0 || groups->of[k] >= groups->n)
			return err_set(b->e, ERR_INPUT, "node %d is in no group", k);
		for (int i = 0; i < n->nin; i++) {
			int from =
				n->in[i] == NO_VALUE ? NO_NODE : b->g->value.v[n->in[i]].producer;

			if (from != NO_NODE && groups->of[from] > groups->of[k])
				return err_set(b->e, ERR_INPUT,
					       "node %d, in group %d, reads node %d, in group %d",
					       k, groups->of[k], from, groups->of[from]);
		}
	}
	return OK;
}

static int
check_form(const Planner *b, int value, bool fixed)
{
	const Value *v = &b->g->value.v[value];

	if (form_check(&b->form[value], v->rank, v->dim, b->e)) {
		err_prefix(b->e, "form of '%s': ", v->name);
		return ERR_INPUT;
	}
	if (fixed && !form_is_plain(&b->form[value]))
		return err_set(b->e, ERR_INPUT, "form of '%s': must be plain", v->name);
	return OK;
}

/* Keeps the parts whose Forms make them parts, and refuses a Form that says so of others. */
static int
check_part(const Planner *b, int value)
{
	Part *p = &b->part[value];
	const Value *v = &b->g->value.v[value], *w = &b->g->value.v[p->whole];
	Form f;

	if (p->whole != NO_VALUE &&
	    (!part_form(p, v, &b->form[p->whole], w, &f) || !form_equal(&f, &b->form[value])))
		p->whole = NO_VALUE;
	if (p->whole == NO_VALUE && b->form[value].foreign)
		return err_set(b->e, ERR_INPUT, "form of '%s': is a part of nothing", v->name);
	return OK;
}

/* Forms that a caller gives. Inner values of groups have none. */
static int
check_forms(const Planner *b)
{
	int rc = OK;

	for (int v = 0; v < b->g->value.n && !rc; v++)
		rc = check_form(b, v,
				b->g->value.v[v].producer == NO_NODE || graph_is_output(b->g, v));
	for (int v = 0; v < b->g->value.n && !rc; v++)
		rc = check_part(b, v);
	for (int i = 0; i < b->ngroup && !rc; i++) {
		const Node *n = &b->g->node.v[b->group[i].node[0]];

		for (int o = 0; o < n->nout && !b->group[i].task && !rc; o++)
			rc = n->out[o] == NO_VALUE ? OK : check_form(b, n->out[o], true);
	}
	return rc;
}

/* form: NULL: preferred ones. */
static int
build(const Graph *g, Arena *a, const Groups *groups, const Form *form, const FormCost *cost,
      Plan **out, Err *e)
{
	Planner b = {.g = g, .p = ARENA_NEW(a, Plan), .e = e};
	int rc;

	b.p->arena = a;
	b.p->g = g;
	b.buffer = ARENA_ARRAY(a, int, g->value.n + 1);
	b.plain = ARENA_ARRAY(a, int, g->value.n + 1);
	memset(b.buffer, 0xff, (size_t)g->value.n * sizeof *b.buffer);
	memset(b.plain, 0xff, (size_t)g->value.n * sizeof *b.plain);
	if ((rc = check_groups(&b, groups)) || (rc = collect_groups(&b, groups)))
		return rc;
	b.form = form ? form : assign_forms(g, a, b.group, b.ngroup, cost);
	b.part = parts_find(g, a, b.group, b.ngroup);
	if ((rc = check_forms(&b)))
		return rc;
	b.p->groups = *groups;
	b.p->form = b.form;
	add_inputs(&b);
	rc = add_steps(&b);
	*out = b.p;
	return rc;
}

int
plan_build_with(const Graph *g, Arena *a, const Groups *groups, const Form *form, Plan **out,
		Err *e)
{
	return build(g, a, groups, form, NULL, out, e);
}

int
plan_build_groups(const Graph *g, Arena *a, const Groups *groups, const FormCost *cost, Plan **out,
		  Err *e)
{
	return build(g, a, groups, NULL, cost, out, e);
}

int
plan_build(const Graph *g, Arena *a, const FormCost *cost, Plan **out, Err *e)
{
	return plan_build_within(g, a, cost, (PlanMemory){0}, out, e);
}

int
plan_build_within(const Graph *g, Arena *a, const FormCost *cost, PlanMemory memory, Plan **out,
		  Err *e)
{
	Groups groups = partition(g, a);
	int rc = memory.bytes ? share_strips(g, a, memory, &groups, e) : OK;

	return rc ? rc : build(g, a, &groups, NULL, cost, out, e);
}
