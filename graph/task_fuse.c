/* Merging stages of a Task. Two moves, tried until none applies:
 *
 * absorb   an elementwise stage C that alone reads temporary T, always at one place per point,
 *          joins the stage P that makes T: C's value over P's axes, or, when C indexes T in a
 *          composite way (reshapes, slices), P over C's axes.
 * inline   an elementwise or moving stage P disappears into the loads of its readers.
 */
#include <stdio.h>
#include <string.h>

#include "graph/task.h"

enum { SIZE_MAX_EXPR = 240, INLINE_SIZE_MAX = 12 };

/* All loads of one tensor in one stage. */
typedef struct Loads {
	int count;
	const Expr *first;
	bool same; /* every load has the indices of the first */
	bool any_else;
	unsigned via; /* dimensions that some load indexes through a table */
} Loads;

static void
find_loads(const Task *t, int expr, int tensor, Loads *l)
{
	const Expr *x;

	if (expr == TASK_NONE)
		return;
	x = &t->expr.v[expr];
	if (x->op == EXPR_LOAD) {
		int rank = t->tensor.v[x->tensor].rank;

		for (int d = 0; d < rank; d++)
			find_loads(t, x->ix[d].via, tensor, l);
		if (x->tensor == tensor) {
			l->any_else |= x->has_else;
			for (int d = 0; d < rank; d++)
				l->via |= x->ix[d].via == TASK_NONE ? 0 : 1u << d;
			for (int d = 0; l->count && d < rank; d++)
				l->same &= index_equal(&x->ix[d], &l->first->ix[d]);
			if (!l->count++)
				l->first = x;
		}
	}
	find_loads(t, x->a, tensor, l);
	find_loads(t, x->b, tensor, l);
	find_loads(t, x->c, tensor, l);
}

static Loads
loads_of(const Task *t, const Stage *s, int tensor)
{
	Loads l = {.same = true};

	find_loads(t, s->body, tensor, &l);
	find_loads(t, s->value, tensor, &l);
	return l;
}

/* The axis that ix is, alone and unshifted; TASK_NONE for anything else. */
static int
plain_axis(const Index *ix)
{
	int found = TASK_NONE;

	if (ix->k || ix->via != TASK_NONE)
		return TASK_NONE;
	for (int a = 0; a < STAGE_AXES_MAX; a++) {
		if (!ix->coef[a])
			continue;
		if (ix->coef[a] != 1 || found != TASK_NONE)
			return TASK_NONE;
		found = a;
	}
	return found;
}

static bool
is_zero(const Index *ix)
{
	for (int a = 0; a < STAGE_AXES_MAX; a++)
		if (ix->coef[a])
			return false;
	return ix->k == 0 && ix->via == TASK_NONE;
}

/* Each dimension is one axis of its own at full extent, or 0 where the extent is 1; axis[d] gets
 * the axis. So index and point determine each other. */
static bool
is_identity(const Stage *s, const Index *ix, const TaskTensor *x, int axis[TASK_RANK_MAX])
{
	unsigned seen = 0;

	for (int d = 0; d < x->rank; d++) {
		axis[d] = TASK_NONE;
		if (x->dim[d] == 1 && is_zero(&ix[d]))
			continue;
		axis[d] = plain_axis(&ix[d]);
		if (axis[d] == TASK_NONE || seen >> axis[d] & 1 ||
		    s->axis[axis[d]].extent != x->dim[d])
			return false;
		seen |= 1u << axis[d];
	}
	return true;
}

static int
sole_producer(const Task *t, int tensor)
{
	int found = TASK_NONE;

	for (int i = 0; i < t->stage.n; i++)
		if (t->stage.v[i].out == tensor) {
			if (found != TASK_NONE)
				return TASK_NONE;
			found = i;
		}
	return found;
}

static int
count_readers(const Task *t, int tensor, int *last)
{
	int n = 0;

	for (int i = 0; i < t->stage.n; i++)
		if (stage_reads(t, i, tensor)) {
			n++;
			*last = i;
		}
	return n;
}

static void
remove_stage(Task *t, int i)
{
	memmove(&t->stage.v[i], &t->stage.v[i + 1],
		(size_t)(t->stage.n - i - 1) * sizeof *t->stage.v);
	t->stage.n--;
}

static const Index *
subst_indices(const Subst *s, const Index *ix, int rank)
{
	Index *out = ARENA_ARRAY(s->to->arena, Index, rank + 1);

	for (int d = 0; d < rank; d++)
		out[d] = subst_index(s, &ix[d]);
	return out;
}

void
task_guard_load(const Task *t, const Stage *s, Expr *x)
{
	for (int d = 0; d < t->tensor.v[x->tensor].rank; d++) {
		int64_t lo, hi;

		index_range(s, &x->ix[d], &lo, &hi);
		if (x->ix[d].via == TASK_NONE && (lo < 0 || hi >= t->tensor.v[x->tensor].dim[d]))
			x->has_else = true;
	}
}

/* Points of s that fall outside its output are dropped at the store; loads of the final expression
 * there must not be read. */
static void
guard_loads(Task *t, const Stage *s, int expr)
{
	Expr *x;

	if (expr == TASK_NONE)
		return;
	x = &t->expr.v[expr];
	if (x->op == EXPR_LOAD && !x->has_else)
		task_guard_load(t, s, x);
	guard_loads(t, s, x->a);
	guard_loads(t, s, x->b);
	guard_loads(t, s, x->c);
}

/* Whether every point that P drops, because it falls outside T, is dropped by C over P's axes too:
 * where P's index leaves dimension d of T, C must store along an equal dimension. */
static bool
drops_the_same(const Task *t, const Stage *ps, const Stage *cs, const int *axis)
{
	const TaskTensor *x = &t->tensor.v[ps->out], *y = &t->tensor.v[cs->out];

	for (int d = 0; d < x->rank; d++) {
		int64_t lo, hi;
		bool same = false;

		index_range(ps, &ps->out_ix[d], &lo, &hi);
		if (lo >= 0 && hi < x->dim[d])
			continue;
		for (int o = 0; o < y->rank && axis[d] != TASK_NONE; o++)
			same |= plain_axis(&cs->out_ix[o]) == axis[d] && y->dim[o] == x->dim[d];
		if (!same)
			return false;
	}
	return true;
}

/* C over P's axes: C's axis of dimension d becomes P's output index there. */
static bool
absorb_into_producer(Task *t, int p, int c, const Loads *l)
{
	Stage *ps = &t->stage.v[p], *cs = &t->stage.v[c], merged = *ps;
	const TaskTensor *x = &t->tensor.v[ps->out];
	int axis[TASK_RANK_MAX], covered = 0;
	Index to[STAGE_AXES_MAX] = {{0}};
	Subst sub = subst_init(t, t, to);

	if (!is_identity(cs, l->first->ix, x, axis) || !drops_the_same(t, ps, cs, axis))
		return false;
	for (int a = 0; a < STAGE_AXES_MAX; a++)
		to[a] = index_const(0);
	for (int d = 0; d < x->rank; d++)
		if (axis[d] != TASK_NONE) {
			to[axis[d]] = ps->out_ix[d];
			covered++;
		}
	if (covered != cs->naxes) /* C repeats T along an axis of its own */
		return false;
	sub.replaced = ps->out;
	sub.with = ps->value;
	merged.value = subst_expr(&sub, cs->value);
	sub.replaced = TASK_NONE;
	merged.out_ix = subst_indices(&sub, cs->out_ix, t->tensor.v[cs->out].rank);
	merged.out = cs->out;
	guard_loads(t, &merged, merged.value);
	t->stage.v[c] = merged;
	remove_stage(t, p);
	return true;
}

/* Every point of s hits another element: the coefficients of each dimension, from the largest down,
 * are positional, and every axis occurs. */
static bool
is_injective(const Stage *s, const Index *ix, int rank)
{
	unsigned seen = 0;

	for (int d = 0; d < rank; d++) {
		int64_t span = 0;
		unsigned left = 0;

		if (ix[d].via != TASK_NONE)
			return false;
		for (int a = 0; a < s->naxes; a++)
			if (ix[d].coef[a])
				left |= 1u << a;
		while (left) { /* smallest first */
			int best = -1;

			for (int a = 0; a < s->naxes; a++)
				if (left >> a & 1 && (best < 0 || ix[d].coef[a] < ix[d].coef[best]))
					best = a;
			if (ix[d].coef[best] <= span || seen >> best & 1)
				return false;
			span += ix[d].coef[best] * (s->axis[best].extent - 1);
			seen |= 1u << best;
			left &= ~(1u << best);
		}
	}
	return seen == (1u << s->nspatial) - 1;
}

static bool
name_taken(const Stage *s, const char *name)
{
	for (int a = 0; a < s->naxes; a++)
		if (!strcmp(s->axis[a].name, name))
			return true;
	return false;
}

static void
fresh_name(const Stage *s, char name[TASK_NAME_MAX])
{
	char base[TASK_NAME_MAX - 3];

	snprintf(base, sizeof base, "%.*s", (int)sizeof base - 1, name);
	for (unsigned char i = 2; name_taken(s, name); i++)
		snprintf(name, TASK_NAME_MAX, "%s%d", base, i % 100);
}

/* P over C's axes: P's axis of dimension d becomes C's load index there. */
static bool
absorb_into_consumer(Task *t, int p, int c, const Loads *l)
{
	Stage *ps = &t->stage.v[p], *cs = &t->stage.v[c], merged = *cs;
	const TaskTensor *x = &t->tensor.v[ps->out];
	int axis[TASK_RANK_MAX];
	Index to[STAGE_AXES_MAX] = {{0}}, same[STAGE_AXES_MAX] = {{0}};
	Subst from_p = subst_init(t, t, to), from_c = subst_init(t, t, same);

	if (!is_identity(ps, ps->out_ix, x, axis) || !is_injective(cs, l->first->ix, x->rank) ||
	    cs->naxes + ps->naxes - ps->nspatial > STAGE_AXES_MAX)
		return false;
	for (int a = 0; a < STAGE_AXES_MAX; a++) {
		to[a] = index_const(0);
		same[a] = index_axis(a);
	}
	for (int d = 0; d < x->rank; d++)
		if (axis[d] != TASK_NONE)
			to[axis[d]] = l->first->ix[d];
	for (int a = ps->nspatial; a < ps->naxes; a++) {
		to[a] = index_axis(merged.naxes);
		merged.axis[merged.naxes] = ps->axis[a];
		fresh_name(&merged, merged.axis[merged.naxes].name);
		merged.naxes++;
	}
	merged.comb = ps->comb;
	merged.acc_type = ps->acc_type;
	merged.body = subst_expr(&from_p, ps->body);
	from_c.replaced = ps->out;
	from_c.with = subst_expr(&from_p, ps->value);
	merged.value = subst_expr(&from_c, cs->value);
	t->stage.v[c] = merged;
	remove_stage(t, p);
	return true;
}

static bool
absorb(Task *t, int c)
{
	const Stage *cs = &t->stage.v[c];

	if (cs->comb != COMB_NONE)
		return false;
	for (int i = 0; i < t->tensor.n; i++) {
		int p = sole_producer(t, i), reader = TASK_NONE;
		Loads l;

		if (t->tensor.v[i].kind != TENSOR_TMP || p == TASK_NONE || p >= c ||
		    count_readers(t, i, &reader) != 1 || reader != c)
			continue;
		l = loads_of(t, cs, i);
		if (!l.same || l.any_else ||
		    !expr_fits(t, t->stage.v[p].value, t->tensor.v[i].type) ||
		    expr_size(t, cs->value) + l.count * expr_size(t, t->stage.v[p].value) >
			    SIZE_MAX_EXPR)
			continue;
		if (absorb_into_producer(t, p, c, &l) || absorb_into_consumer(t, p, c, &l))
			return true;
	}
	return false;
}

/* Whether expression e costs next to nothing: a load, perhaps converted. */
static bool
is_movement(const Task *t, int e)
{
	while (t->expr.v[e].op == EXPR_CAST)
		e = t->expr.v[e].a;
	return t->expr.v[e].op == EXPR_LOAD || t->expr.v[e].op == EXPR_LIT;
}

static bool
has_transcendental(const Task *t, int e)
{
	const Expr *x;

	if (e == TASK_NONE)
		return false;
	x = &t->expr.v[e];
	return (x->op >= EXPR_EXP && x->op <= EXPR_TANH) || x->op == EXPR_POW ||
	       x->op == EXPR_DIV || x->op == EXPR_SQRT || has_transcendental(t, x->a) ||
	       has_transcendental(t, x->b) || has_transcendental(t, x->c);
}

static bool
loads_indirectly(const Task *t, int e)
{
	const Expr *x;

	if (e == TASK_NONE)
		return false;
	x = &t->expr.v[e];
	if (x->op == EXPR_LOAD)
		for (int d = 0; d < t->tensor.v[x->tensor].rank; d++)
			if (x->ix[d].via != TASK_NONE)
				return true;
	return loads_indirectly(t, x->a) || loads_indirectly(t, x->b) || loads_indirectly(t, x->c);
}

/* Whether e uses the axis only as what it is: the whole index of a dimension of this extent. Then a
 * table's value, wrapped and clamped into that extent, may take its place. */
static bool
takes_table(const Task *t, int e, int axis, int64_t extent)
{
	const Expr *x;
	int n;

	if (e == TASK_NONE)
		return true;
	x = &t->expr.v[e];
	n = x->op == EXPR_LOAD ? t->tensor.v[x->tensor].rank : x->ix ? 1 : 0;
	for (int d = 0; d < n; d++) {
		if (x->ix[d].via != TASK_NONE && !takes_table(t, x->ix[d].via, axis, -1))
			return false;
		if (x->ix[d].coef[axis] && (x->op != EXPR_LOAD || plain_axis(&x->ix[d]) != axis ||
					    t->tensor.v[x->tensor].dim[d] != extent))
			return false;
	}
	return takes_table(t, x->a, axis, extent) && takes_table(t, x->b, axis, extent) &&
	       takes_table(t, x->c, axis, extent);
}

/* Evaluations of the producer per element when it moves into this reader. */
static double
reuse(const Task *t, const Stage *c, int tensor, const Loads *l)
{
	return (double)stage_macs(c) * l->count / (double)tensor_count(&t->tensor.v[tensor]);
}

/* Whether stage p is worth moving into all readers of its output; axis: its axes by dimension. */
static bool
worth_inlining(const Task *t, int p, const int *axis)
{
	const Stage *ps = &t->stage.v[p];
	int size = expr_size(t, ps->value), readers = 0;
	bool movement = is_movement(t, ps->value);

	if (!expr_fits(t, ps->value, t->tensor.v[ps->out].type))
		return false;
	for (int i = 0; i < t->stage.n; i++) {
		const Stage *c = &t->stage.v[i];
		Loads l = loads_of(t, c, ps->out);

		if (!l.count)
			continue;
		readers++;
		for (int d = 0; d < t->tensor.v[ps->out].rank; d++)
			if (l.via >> d & 1 && axis[d] != TASK_NONE &&
			    !takes_table(t, ps->value, axis[d], t->tensor.v[ps->out].dim[d]))
				return false;
		if (l.any_else || i < p || expr_size(t, c->value) + l.count * size > SIZE_MAX_EXPR)
			return false;
		if (c->comb != COMB_NONE && loads_indirectly(t, ps->value))
			return false;
		if (!movement && (reuse(t, c, ps->out, &l) > 1 + 1e-9 ||
				  (l.count > 1 && size > INLINE_SIZE_MAX)))
			return false;
	}
	if (readers > 1 && !movement &&
	    (size > INLINE_SIZE_MAX || has_transcendental(t, ps->value)))
		return false;
	return readers > 0;
}

static void
inline_into(Task *t, const Stage *ps, const int *axis, int c)
{
	Stage *cs = &t->stage.v[c];
	Index same[STAGE_AXES_MAX] = {{0}};
	Subst by = subst_init(t, t, NULL), sub = subst_init(t, t, same);

	for (int a = 0; a < STAGE_AXES_MAX; a++)
		same[a] = index_axis(a);
	sub.replaced = ps->out;
	sub.by = &by;
	sub.by_value = ps->value;
	sub.by_axis = axis;
	cs->body = subst_expr(&sub, cs->body);
	cs->value = subst_expr(&sub, cs->value);
}

static bool
inline_stage(Task *t, int p)
{
	const Stage ps = t->stage.v[p];
	int axis[TASK_RANK_MAX];

	if (ps.comb != COMB_NONE || t->tensor.v[ps.out].kind != TENSOR_TMP ||
	    sole_producer(t, ps.out) != p ||
	    !is_identity(&ps, ps.out_ix, &t->tensor.v[ps.out], axis) || !worth_inlining(t, p, axis))
		return false;
	for (int i = p + 1; i < t->stage.n; i++)
		if (stage_reads(t, i, ps.out))
			inline_into(t, &ps, axis, i);
	remove_stage(t, p);
	return true;
}

void
task_fuse(Task *t)
{
	for (bool changed = true; changed;) {
		changed = false;
		for (int i = 0; i < t->stage.n && !changed; i++)
			changed = absorb(t, i) || inline_stage(t, i);
	}
}
