/* The pick nearest to a Sched that was found elsewhere. Nests are compared by what they say: axis
 * of the lanes, tiles, order of the loops, how the reduction runs, flags. A distance is about how
 * many knobs are how many doublings apart. */
#include "search_space/space_near.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What one difference counts, in doublings of a tile. */
static const double OTHER_LANE_AXIS = 6, OTHER_TILE = .5, OTHER_DOT = 2, OTHER_ORDER = .5,
		    OTHER_FLAG = .5, OTHER_PREFETCH = 1, PARTIAL_DOUBLED = .25,
		    UNROLL_DOUBLED = .25, SHARED_DOUBLED = .5;

/* A nest's last steps, with the extent of the stage's axis where it has none or reaches beyond. */
typedef struct Shape {
	int64_t step[STAGE_AXES_MAX];
	int loops[STAGE_AXES_MAX]; /* of the axis */
	int first[STAGE_AXES_MAX]; /* place of its first loop; -1: none */
	int lanes;
} Shape;

static Shape
shape_of(const StageSched *q, const Stage *s, int full)
{
	Shape p = {.lanes = q->vec == TASK_NONE ? 1 : q->lanes ? q->lanes : full};

	for (int a = 0; a < s->naxes; a++) {
		p.step[a] = s->axis[a].extent;
		p.first[a] = -1;
	}
	for (int i = 0; i < q->n; i++) {
		int a = q->split[i].axis;

		p.first[a] = p.first[a] < 0 ? i : p.first[a];
		p.loops[a]++;
		p.step[a] =
			q->split[i].step < s->axis[a].extent ? q->split[i].step : s->axis[a].extent;
	}
	return p;
}

static double
doublings(double a, double b)
{
	return fabs(log2(a / b));
}

/* grown: times the registers that there were. */
static double
tiles_apart(const StageSched *q, const Shape *x, const Shape *y, const Stage *s, NearTile how,
	    double grown)
{
	double sum = 0, size = log2(grown);

	if (how == NEAR_CHEAPEST)
		return 0;
	for (int a = 0; a < s->nspatial; a++) {
		double m = (double)x->step[a], n = (double)y->step[a];

		if (a == q->vec) {
			m = ceil(m / x->lanes);
			n = ceil(n / y->lanes);
		}
		sum += OTHER_TILE * doublings(m, n);
		size += log2(m / n);
	}
	return sum + fabs(size);
}

static double
loops_apart(const Shape *x, const Shape *y, const Stage *s)
{
	double sum = 0;

	for (int a = 0; a < s->naxes; a++) {
		if (!x->loops[a] != !y->loops[a] && a < s->nspatial)
			continue; /* one tile has the axis whole: told by the tile */
		sum += OTHER_ORDER * abs(x->loops[a] - y->loops[a]);
		for (int b = 0; b < a; b++) {
			bool both = x->first[a] >= 0 && x->first[b] >= 0 && y->first[a] >= 0 &&
				    y->first[b] >= 0;

			if (both && (x->first[a] < x->first[b]) != (y->first[a] < y->first[b]))
				sum += OTHER_ORDER;
		}
		if (a >= s->nspatial)
			sum += UNROLL_DOUBLED * doublings((double)x->step[a] / x->lanes,
							  (double)y->step[a] / y->lanes);
	}
	return sum;
}

static double
stage_apart(const StageSched *x, NearFrom from, const StageSched *y, NearFrom own, const Stage *s,
	    NearTile how)
{
	Shape p = shape_of(x, s, from.lanes), q = shape_of(y, s, own.lanes);
	double grown = (double)own.registers / from.registers;
	double sum = 0;

	if (x->inlined || y->inlined)
		return x->inlined == y->inlined ? 0 : INFINITY;
	sum += x->vec == y->vec ? 0 : OTHER_LANE_AXIS;
	sum += x->dot == y->dot ? 0 : OTHER_DOT;
	sum += x->peel == y->peel ? 0 : OTHER_FLAG;
	sum += x->prefetch == y->prefetch ? 0 : OTHER_PREFETCH;
	sum += PARTIAL_DOUBLED * doublings(x->par, y->par);
	if (x->vec == y->vec && x->vec != TASK_NONE)
		sum += doublings((double)p.lanes / from.lanes, (double)q.lanes / own.lanes);
	return sum + tiles_apart(x, &p, &q, s, how, grown) + loops_apart(&p, &q, s);
}

static double
shared_apart(const Sched *a, const Sched *b)
{
	double sum = 0;

	if (a->nfuse != b->nfuse)
		return INFINITY;
	for (int i = 0; i < a->nfuse; i++) {
		if (strcmp(a->fuse[i].axis, b->fuse[i].axis) != 0)
			return INFINITY;
		sum += SHARED_DOUBLED * doublings((double)a->fuse[i].step, (double)b->fuse[i].step);
	}
	return sum;
}

/* The nearest options of a variant. Options of equal distance: the cheapest, which comes first. */
static double
nearest_in(const Space *s, const Variant *v, const Sched *q, NearFrom from, NearTile how, Pick *p)
{
	NearFrom own = {1, 1};
	double sum = shared_apart(q, &v->base);

	if (s->target)
		own = (NearFrom){target_lanes(s->target), (int)s->target->vector_regs};
	from.lanes = from.lanes > 0 ? from.lanes : own.lanes;
	from.registers = from.registers > 0 ? from.registers : own.registers;
	for (int i = 0; i < v->task->stage.n && isfinite(sum); i++) {
		double least = INFINITY;

		if (stage_is_const(v->task, i))
			continue;
		for (int k = 0; k < v->stage[i].option.n && least > 0; k++) {
			double d = stage_apart(&q->stage[i], from, &v->stage[i].option.v[k].sched,
					       own, &v->task->stage.v[i], how);

			if (d < least) {
				least = d;
				p->option[i] = k;
			}
		}
		sum += least;
	}
	return sum;
}

int
space_near(const Space *s, const char *text, NearFrom from, NearTile how, Pick *out)
{
	char rewrite[SCHED_REWRITE_MAX];
	double least = INFINITY;
	Err ignored = {0};
	Arena *work;

	if (sched_parse_rewrite(text, rewrite, &ignored))
		return NOT_APPLICABLE;
	work = arena_new();
	for (int i = 0; i < s->variant.n; i++) {
		const Variant *v = &s->variant.v[i];
		Pick p = {.variant = i};
		double d;
		Sched q;

		if (strcmp(v->rewrite, rewrite) != 0 ||
		    sched_parse(text, v->task, work, &q, &ignored))
			continue;
		d = nearest_in(s, v, &q, from, how, &p);
		if (d < least) {
			least = d;
			*out = p;
		}
	}
	arena_free(work);
	return isfinite(least) ? OK : NOT_APPLICABLE;
}
