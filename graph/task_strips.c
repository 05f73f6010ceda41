/* Cuts a Task into strips: rows of its output that are computed together, and with them just the
 * rows of every temporary that they need. A temporary then has a dimension of strips, and what lies
 * under one index of it overlaps with what lies under the next: rows that two strips need are
 * computed twice. Stages that share a loop over the strips keep one strip of each temporary.
 *
 *   e[c,p,q] = ..., y[k,p,q] = ... e[c,p+i-1,q]   with two rows a strip, i:3
 *   ->  e[strip,p:4,q,c] at row 2*strip+p-1, y[k,2*strip+p,q] = ... e[strip,p+i,q,c]
 *
 * Every index along the cut dimension is affine, so the rows of strip s of a tensor are
 * step * s + first + [0, count). They are followed from the output back to the first stage.
 */
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "graph/task.h"

static const char strip_name[] = "strip";

/* The rows that one strip needs of a tensor. */
typedef struct Rows {
	int dim; /* TASK_NONE: not known yet */
	int64_t step, first, count;
	bool padded; /* readers see `outside` where there is no row */
	double outside;
} Rows;

typedef struct Cut {
	Task *t;
	Rows *rows; /* per tensor */
	int *axis;  /* per stage: the one that walks the rows */
	int64_t strips;
} Cut;

/* The axis that alone walks dimension d of the stage's output, and no other. */
static int
walking_axis(const Task *t, const Stage *s, int d)
{
	int found = TASK_NONE;

	for (int a = 0; a < s->nspatial; a++)
		if (index_is_axis(&s->out_ix[d], a) &&
		    s->axis[a].extent == t->tensor.v[s->out].dim[d])
			found = a;
	for (int o = 0; found != TASK_NONE && o < t->tensor.v[s->out].rank; o++)
		if (o != d && s->out_ix[o].coef[found])
			return TASK_NONE;
	return found;
}

/* Adds rows step * s + [first, last] of a strip to those known to be needed. */
static bool
need_rows(Rows *r, int dim, int64_t step, int64_t first, int64_t last)
{
	int64_t end = r->first + r->count;

	if (r->dim == TASK_NONE) {
		*r = (Rows){.dim = dim, .step = step, .first = first, .count = last - first + 1};
		return true;
	}
	if (r->dim != dim || r->step != step)
		return false;
	r->first = first < r->first ? first : r->first;
	r->count = (last + 1 > end ? last + 1 : end) - r->first;
	return true;
}

/* What one load of a temporary needs of it; `mine` are the rows of the stage that loads. */
static bool
follow_load(Cut *c, const Stage *s, const Rows *mine, int axis, const Expr *x)
{
	Rows *r = &c->rows[x->tensor], before = *r;
	int dim = TASK_NONE;
	int64_t by, lo, hi;
	Index rest;

	for (int d = 0; d < c->t->tensor.v[x->tensor].rank; d++) {
		if (x->ix[d].via != TASK_NONE || (x->ix[d].coef[axis] && dim != TASK_NONE))
			return false;
		if (x->ix[d].coef[axis])
			dim = d;
	}
	if (dim == TASK_NONE || x->ix[dim].coef[axis] < 0)
		return false;
	by = x->ix[dim].coef[axis];
	rest = x->ix[dim];
	rest.coef[axis] = 0;
	index_range(s, &rest, &lo, &hi);
	if (!need_rows(r, dim, by * mine->step, by * mine->first + lo,
		       by * (mine->first + mine->count - 1) + hi))
		return false;
	r->padded = before.dim != TASK_NONE && before.padded;
	r->outside = r->padded ? before.outside : 0;
	if (x->has_else && r->padded && r->outside != x->otherwise)
		return false;
	if (x->has_else) {
		r->padded = true;
		r->outside = x->otherwise;
	}
	return true;
}

static bool
follow_loads(Cut *c, const Stage *s, const Rows *mine, int axis, int e)
{
	const Expr *x;

	if (e == TASK_NONE)
		return true;
	x = &c->t->expr.v[e];
	if (x->op == EXPR_LOAD && c->t->tensor.v[x->tensor].kind == TENSOR_TMP &&
	    !follow_load(c, s, mine, axis, x))
		return false;
	return follow_loads(c, s, mine, axis, x->a) && follow_loads(c, s, mine, axis, x->b) &&
	       follow_loads(c, s, mine, axis, x->c);
}

/* Whether the axis walks a tensor that is no constant. The others are those of output channels,
 * side by side in memory: strips of few would leave no vectors. */
static bool
walks_data(const Task *t, int e, int axis)
{
	const Expr *x;

	if (e == TASK_NONE)
		return false;
	x = &t->expr.v[e];
	if (x->op == EXPR_LOAD &&
	    (t->tensor.v[x->tensor].kind == TENSOR_IN || t->tensor.v[x->tensor].kind == TENSOR_TMP))
		for (int d = 0; d < t->tensor.v[x->tensor].rank; d++)
			if (x->ix[d].coef[axis])
				return true;
	return walks_data(t, x->a, axis) || walks_data(t, x->b, axis) || walks_data(t, x->c, axis);
}

/* Whether all numbers stay far from what indices and extents may be. */
static bool
is_small(const Cut *c)
{
	for (int i = 0; i < c->t->tensor.n; i++) {
		const TaskTensor *x = &c->t->tensor.v[i];
		const Rows *r = &c->rows[i];
		double others;

		if (r->dim == TASK_NONE)
			continue;
		others = (double)tensor_count(x) / (double)x->dim[r->dim];
		if ((double)r->step * (double)c->strips > INT32_MAX ||
		    others * (double)r->count * (double)c->strips > INT32_MAX)
			return false;
	}
	return true;
}

/* Which rows of everything a strip of `rows` rows along dimension d of the output needs. */
static bool
follow(Cut *c, int out, int d, int64_t rows)
{
	const Task *t = c->t;

	for (int i = 0; i < t->tensor.n; i++)
		c->rows[i] = (Rows){.dim = TASK_NONE};
	c->rows[out] = (Rows){.dim = d, .step = rows, .count = rows};
	c->strips = (t->tensor.v[out].dim[d] + rows - 1) / rows;
	for (int i = t->stage.n - 1; i >= 0; i--) {
		const Stage *s = &t->stage.v[i];
		const Rows *mine = &c->rows[s->out];

		if (mine->dim == TASK_NONE || s->naxes == STAGE_AXES_MAX || stage_is_const(t, i) ||
		    t->tensor.v[s->out].rank == TASK_RANK_MAX || tensor_writer(t, s->out) != i ||
		    stage_axis_named(s, strip_name) != TASK_NONE)
			return false;
		c->axis[i] = walking_axis(t, s, mine->dim);
		if (c->axis[i] == TASK_NONE ||
		    !walks_data(t, s->comb == COMB_NONE ? s->value : s->body, c->axis[i]) ||
		    !follow_loads(c, s, mine, c->axis[i], s->body) ||
		    !follow_loads(c, s, mine, c->axis[i], s->value))
			return false;
	}
	return c->strips > 1 && is_small(c);
}

/* Storage order of a temporary of one strip: its rows, then channels last. */
static int
strip_order(const TaskTensor *x, int cut, int order[TASK_RANK_MAX])
{
	int n = 0, channels = x->rank > 2 && cut != 1 ? 1 : TASK_NONE;

	order[n++] = cut;
	for (int d = 0; d < x->rank; d++)
		if (d != cut && d != channels)
			order[n++] = d;
	if (channels != TASK_NONE)
		order[n++] = channels;
	return n;
}

static size_t
strip_bytes(const TaskTensor *x, const Rows *r)
{
	int64_t n = tensor_count(x) / x->dim[r->dim] * r->count;

	return whole_lines((size_t)n * dtype_size(x->type));
}

static size_t
temporaries_bytes(const Cut *c)
{
	size_t bytes = 0;

	for (int i = 0; i < c->t->tensor.n; i++)
		if (c->t->tensor.v[i].kind == TENSOR_TMP)
			bytes += strip_bytes(&c->t->tensor.v[i], &c->rows[i]);
	return bytes;
}

/* A load of a temporary as it lies after the cut. */
static void
move_load(Cut *c, const Stage *s, Expr *x)
{
	const Rows *r = &c->rows[x->tensor];
	const TaskTensor *y = &c->t->tensor.v[x->tensor];
	int strip = stage_axis_named(s, strip_name), order[TASK_RANK_MAX];
	int n = strip_order(y, r->dim, order);
	Index *ix = ARENA_ARRAY(c->t->arena, Index, TASK_RANK_MAX + 1);

	ix[0] = index_axis(strip);
	for (int d = 0; d < n; d++)
		ix[d + 1] = x->ix[order[d]];
	ix[1].coef[strip] = 0;
	ix[1].k -= r->first;
	x->ix = ix;
}

/* Loads of given tensors that leave them now, in rows that nobody uses, must not be read. */
static void
settle_loads(Cut *c, const Stage *s, int e)
{
	Expr *x;

	if (e == TASK_NONE)
		return;
	x = &c->t->expr.v[e];
	if (x->op == EXPR_LOAD && c->t->tensor.v[x->tensor].kind == TENSOR_TMP)
		move_load(c, s, x);
	else if (x->op == EXPR_LOAD)
		task_guard_load(c->t, s, x);
	settle_loads(c, s, x->a);
	settle_loads(c, s, x->b);
	settle_loads(c, s, x->c);
}

/* The value where the row exists, else what readers see outside. */
static int
value_inside(Cut *c, const Stage *s, const Rows *r, int value)
{
	const TaskTensor *x = &c->t->tensor.v[s->out];
	Index row = index_axis(stage_axis_named(s, strip_name) + 1);
	int64_t last = r->step * (c->strips - 1) + r->first + r->count - 1;
	DType type = c->t->expr.v[value].type;

	row.coef[stage_axis_named(s, strip_name)] = (int32_t)r->step;
	row.k = r->first;
	if (x->kind == TENSOR_OUT || (r->first >= 0 && last < x->dim[r->dim]))
		return value;
	return expr_select(c->t, expr_in(c->t, DT_BOOL, &row, 0, x->dim[r->dim]), value,
			   expr_lit(c->t, type, r->outside));
}

/* Axis `cut` of the stage becomes strips and the rows of one. */
static Stage
split_axis(const Cut *c, const Stage *s, const Rows *r, int cut, Index to[STAGE_AXES_MAX])
{
	Stage n = *s;

	for (int a = s->naxes; a > cut; a--)
		n.axis[a] = s->axis[a - 1];
	n.axis[cut] = (Axis){.extent = c->strips};
	snprintf(n.axis[cut].name, TASK_NAME_MAX, "%s", strip_name);
	n.axis[cut + 1].extent = r->count;
	n.naxes++;
	n.nspatial++;
	for (int a = 0; a < STAGE_AXES_MAX; a++)
		to[a] = a < s->naxes ? index_axis(a + (a > cut)) : index_const(0);
	to[cut] = index_axis(cut + 1);
	to[cut].coef[cut] = (int32_t)r->step;
	to[cut].k = r->first;
	return n;
}

static void
cut_stage(Cut *c, int i)
{
	Stage *s = &c->t->stage.v[i];
	const TaskTensor *x = &c->t->tensor.v[s->out];
	const Rows *r = &c->rows[s->out];
	Index to[STAGE_AXES_MAX], *out = ARENA_ARRAY(c->t->arena, Index, TASK_RANK_MAX + 1);
	Stage n = split_axis(c, s, r, c->axis[i], to);
	Subst sub = subst_init(c->t, c->t, to);
	int order[TASK_RANK_MAX];

	n.body = subst_expr(&sub, s->body);
	n.value = subst_expr(&sub, s->value);
	for (int d = 0; d < x->rank; d++)
		out[d] = subst_index(&sub, &s->out_ix[d]);
	if (x->kind == TENSOR_TMP) {
		int rank = strip_order(x, r->dim, order);
		Index *own = ARENA_ARRAY(c->t->arena, Index, TASK_RANK_MAX + 1);

		own[0] = index_axis(c->axis[i]);
		for (int d = 0; d < rank; d++)
			own[d + 1] = out[order[d]];
		own[1] = index_axis(c->axis[i] + 1);
		out = own;
	}
	n.out_ix = out;
	settle_loads(c, &n, n.body);
	settle_loads(c, &n, n.value);
	n.value = value_inside(c, &n, r, n.value);
	c->t->stage.v[i] = n;
}

static void
cut_tensor(const Cut *c, int i)
{
	TaskTensor *x = &c->t->tensor.v[i], old = *x;
	int order[TASK_RANK_MAX], n = strip_order(&old, c->rows[i].dim, order);

	x->rank = n + 1;
	x->dim[0] = c->strips;
	for (int d = 0; d < n; d++)
		x->dim[d + 1] = old.dim[order[d]];
	x->dim[1] = c->rows[i].count;
}

static int
only_output(const Task *t)
{
	int found = TASK_NONE;

	for (int i = 0; i < t->tensor.n; i++)
		if (t->tensor.v[i].kind == TENSOR_OUT) {
			if (found != TASK_NONE)
				return TASK_NONE;
			found = i;
		}
	return found;
}

int
task_cut(Task *t, int64_t rows, size_t *room)
{
	Cut c = {.t = t,
		 .rows = ARENA_ARRAY(t->arena, Rows, t->tensor.n + 1),
		 .axis = ARENA_ARRAY(t->arena, int, t->stage.n + 1)};
	int out = only_output(t), best = TASK_NONE;

	*room = 0;
	for (int d = 0; out != TASK_NONE && t->stage.n > 1 && d < t->tensor.v[out].rank; d++) {
		size_t bytes;
		bool channels = d == 1 && t->tensor.v[out].rank > 3;

		if (channels || !follow(&c, out, d, rows))
			continue;
		bytes = temporaries_bytes(&c);
		if (best == TASK_NONE || bytes < *room) {
			best = d;
			*room = bytes;
		}
	}
	if (best == TASK_NONE || !follow(&c, out, best, rows))
		return NOT_APPLICABLE;
	for (int i = 0; i < t->stage.n; i++)
		cut_stage(&c, i);
	for (int i = 0; i < t->tensor.n; i++)
		if (t->tensor.v[i].kind == TENSOR_TMP)
			cut_tensor(&c, i);
	return OK;
}
