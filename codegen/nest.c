/* The nest of one stage: loops of whole steps, the same nest again on the remainder, loops split
 * where loads leave their tensors. */
#include "codegen/lowering.h"

static void nest(Lower *l, int i);

/* Iterations [first, first + count) of step i, as a loop or, for one, as a constant. */
static void
iterate(Lower *l, int i, int64_t first, int64_t count)
{
	const Split *sp = &l->ss->split[i];
	Aff saved = l->axis[sp->axis];

	if (count <= 0 || l->b.refused)
		return;
	l->axis[sp->axis].k += first * sp->step;
	if (count == 1) {
		nest(l, i + 1);
	} else {
		int level = build_loop(&l->b, count);

		l->axis[sp->axis].loop[level] = (int32_t)sp->step;
		if (sp->axis < l->st->nspatial && !l->nshared)
			build_apart(&l->b);
		nest(l, i + 1);
		build_end(&l->b);
	}
	l->axis[sp->axis] = saved;
}

/* Range of an index over everything but axis `skip`: open loops, and what remains of each axis. */
static void
remaining_range(const Lower *l, const Index *ix, int skip, int64_t *lo, int64_t *hi)
{
	const Env one = {.valid = 1};

	*lo = *hi = ix->k;
	for (int a = 0; a < l->st->naxes; a++) {
		int64_t first, last;

		if (!ix->coef[a])
			continue;
		aff_range(&l->b, &l->axis[a], &one, &first, &last);
		if (a != skip)
			last += l->span[a] - 1;
		*lo += ix->coef[a] * (ix->coef[a] > 0 ? first : last);
		*hi += ix->coef[a] * (ix->coef[a] > 0 ? last : first);
	}
}

/* Whether the loads of expression e stay inside their tensors during iteration t of step i. */
static bool
stays_inside(const Lower *l, int e, int i, int64_t t)
{
	const Split *sp = &l->ss->split[i];
	const Expr *x;

	if (e == TASK_NONE)
		return true;
	x = &l->t->expr.v[e];
	if (x->op == EXPR_LOAD && x->has_else) {
		const TaskTensor *src = &l->t->tensor.v[x->tensor];
		const Form *f = &l->f->v[x->tensor];

		for (int d = 0; d < src->rank; d++) {
			int64_t lo, hi, c = x->ix[d].coef[sp->axis];
			bool own = f->border == x->otherwise && !(f->foreign >> d & 1);

			if (!c)
				continue;
			remaining_range(l, &x->ix[d], sp->axis, &lo, &hi);
			lo += c * sp->step * t + (c < 0 ? c * (sp->step - 1) : 0);
			hi += c * sp->step * t + (c > 0 ? c * (sp->step - 1) : 0);
			if (lo < (own ? -f->lo[d] : 0) || hi >= src->dim[d] + (own ? f->hi[d] : 0))
				return false;
		}
	}
	return stays_inside(l, x->a, i, t) && stays_inside(l, x->b, i, t) &&
	       stays_inside(l, x->c, i, t);
}

/* Splits the count iterations of step i into an edge, an interior where no load needs a guard, and
 * an edge. Edges are unrolled: with constants instead of counters, loads in the border fold. */
static void
peel(Lower *l, int i, int64_t count)
{
	int body = l->st->body, value = l->reducing ? TASK_NONE : l->st->value;
	int64_t first = 0, last = count;

	while (first < count &&
	       !(stays_inside(l, body, i, first) && stays_inside(l, value, i, first)))
		first++;
	while (last > first &&
	       !(stays_inside(l, body, i, last - 1) && stays_inside(l, value, i, last - 1)))
		last--;
	if (first == count || first + count - last > 4) {
		iterate(l, i, 0, count); /* nowhere inside, or edges too wide to unroll */
		return;
	}
	for (int64_t t = 0; t < first; t++)
		iterate(l, i, t, 1);
	iterate(l, i, first, last - first);
	for (int64_t t = last; t < count; t++)
		iterate(l, i, t, 1);
}

static void
split(Lower *l, int i)
{
	int a = l->ss->split[i].axis;
	int64_t step = l->ss->split[i].step, span = l->span[a];
	int64_t count = span / step, rest = span % step;
	Aff saved = l->axis[a];

	l->span[a] = step;
	if (count && l->ss->peel)
		peel(l, i, count);
	else
		iterate(l, i, 0, count);
	if (rest) {
		l->span[a] = rest;
		l->axis[a].k += count * step;
		nest(l, i + 1);
		l->axis[a] = saved;
	}
	l->span[a] = span;
}

static void
nest(Lower *l, int i)
{
	if (l->b.refused)
		return;
	if (i == l->ss->n) {
		if (l->reducing)
			tile_reduce_leaf(l);
		else
			tile_leaf(l);
		return;
	}
	if (l->ss->split[i].axis >= l->st->nspatial && !l->reducing) {
		int saved = l->acc_first;

		tile_begin_reduction(l);
		if (!l->b.refused)
			nest(l, i);
		tile_end_reduction(l);
		l->acc_first = saved;
		return;
	}
	split(l, i);
}

/* Terms of the reduction that share a vector with each lane, or are its bytes. */
static int
terms_per_lane(Lower *l)
{
	int terms = target_terms(l->b.target, l->lanes);

	l->bytes = false;
	if (l->ss->dot == TASK_NONE)
		return 1;
	if (l->lanes == target_lanes(l->b.target))
		l->bytes = bytes_begin(l);
	else if (terms < 2)
		build_refuse(&l->b, "dot: %d lanes leave no room for a second term", l->lanes);
	return terms;
}

void
nest_stage(Lower *l, int stage)
{
	l->st = &l->t->stage.v[stage];
	l->ss = &l->s->stage[stage];
	l->lanes = l->ss->vec == TASK_NONE ? 1
		   : l->ss->lanes          ? l->ss->lanes
					   : target_lanes(l->b.target);
	l->terms = terms_per_lane(l);
	l->reducing = false;
	for (int a = 0; a < l->st->naxes; a++) {
		l->axis[a] = (Aff){0};
		l->span[a] = l->st->axis[a].extent;
	}
	for (int f = 0; f < l->nshared; f++) {
		int a = stage_axis_named(l->st, l->s->fuse[f].axis);

		if (a >= l->st->nspatial)
			build_refuse(&l->b, "shared axis %s is a reduction", l->s->fuse[f].axis);
		l->axis[a] = l->shared_base[f];
		l->span[a] = l->shared_span[f];
	}
	nest(l, 0);
}
