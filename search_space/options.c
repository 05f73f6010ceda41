/* Two passes: tiles under the plainest loop order first, then orders and unrolls of the best
 * tiles. Register pressure and size of the body prune before anything is scored. */
#include "search_space/options.h"

#include <stdlib.h>
#include <string.h>

enum {
	TILES_KEPT = 120,
	TILES_SPREAD = 20, /* of these every order is offered */
	OPTIONS_KEPT = 1024,
	NODES_MAX = 1800, /* of a body; the lowering refuses what is several times this */
	OTHERS = 3,       /* axes that may be tiled besides the lane axis */
};

typedef struct Maker {
	Arena *arena;
	const StageInfo *s;
	const Target *t;
	int vec;
	int other[OTHERS], nother; /* spatial axes besides vec, innermost first */
	bool rough;                /* first pass: by arithmetic alone */
	StageOptions list;
} Maker;

/* The tile and the orders that make one nest. */
typedef struct Shape {
	int64_t tile[STAGE_AXES_MAX]; /* spatial axes */
	int lanes, partial, order, reduction;
	bool peel;
} Shape;

static const int tile_sizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 16, 20, 28};

/* Orders of the spatial loops. */
enum { LANE_OUTER, LANE_INNER, BLOCKED, ORDERS };

/* Loops over the spatial axes from the outside in; the last step of each is its tile. */
static void
spatial_loops(const Maker *m, const Shape *p, StageSched *q)
{
	const Stage *s = m->s->stage;
	bool lane = m->vec != TASK_NONE && m->vec < s->nspatial;

	if (lane && p->order == LANE_OUTER)
		stage_sched_add(q, m->vec, p->tile[m->vec]);
	for (int a = 0; a < s->nspatial; a++) {
		bool last = m->nother && a == m->other[0];

		if (a == m->vec)
			continue;
		if (p->order == BLOCKED && lane && m->nother > 1 && a == m->other[1] &&
		    p->tile[a] * 4 < m->s->extent[a]) {
			stage_sched_add(q, a, p->tile[a] * 4);
			continue;
		}
		if (lane && p->order == BLOCKED && last)
			stage_sched_add(q, m->vec, p->tile[m->vec]);
		if (lane && p->order == BLOCKED && last && m->nother > 1)
			stage_sched_add(q, m->other[1], p->tile[m->other[1]]);
		if (p->tile[a] < m->s->extent[a])
			stage_sched_add(q, a, p->tile[a]);
	}
	if (lane && p->order == LANE_INNER)
		stage_sched_add(q, m->vec, p->tile[m->vec]);
}

/* Reduction styles: which loops, and how far the innermost is unrolled. */
enum { REDUCTION_UNROLLS = 4, REDUCTION_STYLES = 4, REDUCTIONS = 16 };

static int
longest_reduction(const Maker *m)
{
	const Stage *s = m->s->stage;
	int best = s->nspatial;

	for (int a = s->nspatial; a < s->naxes; a++)
		if (m->s->extent[a] > m->s->extent[best])
			best = a;
	return m->vec >= s->nspatial ? m->vec : best;
}

/* Style 0: all loops in the Task's order, the longest axis last. 1: the longest axis in blocks
 * around the others. 2: the longest outside, the others unrolled whole. 3: everything unrolled. */
static bool
reduction_loops(const Maker *m, const Shape *p, StageSched *q)
{
	const Stage *s = m->s->stage;
	int style = p->reduction / REDUCTION_UNROLLS, main = longest_reduction(m);
	int64_t unroll = (int64_t)1 << p->reduction % REDUCTION_UNROLLS, whole = 1;
	bool lane = m->vec == main;
	int64_t step = unroll * (lane ? p->lanes : 1), block = lane ? p->lanes * 4 : 16;

	for (int a = s->nspatial; a < s->naxes; a++)
		whole *= a == main ? 1 : m->s->extent[a];
	if (step > m->s->extent[main] && unroll > 1)
		return false;
	if (style == 3)
		return unroll == 1 && whole * m->s->extent[main] <= 16 && !lane;
	if (style == 2 && (whole == 1 || whole > 25))
		return false;
	if (style == 1 && (whole == 1 || m->s->extent[main] <= block || step > block))
		return false;
	if (style == 1 || style == 2)
		stage_sched_add(q, main, style == 1 ? block : step);
	for (int a = s->nspatial; a < s->naxes && style != 2; a++)
		if (a != main && m->s->extent[a] > 1)
			stage_sched_add(q, a, 1);
	if (style != 2)
		stage_sched_add(q, main, step);
	return true;
}

static bool
make(const Maker *m, const Shape *p, Option *o)
{
	const Stage *s = m->s->stage;

	memset(o, 0, sizeof *o);
	o->sched = stage_sched_init();
	o->sched.vec = m->vec;
	o->sched.lanes = m->vec == TASK_NONE ? 1 : p->lanes == target_lanes(m->t) ? 0 : p->lanes;
	o->sched.par = p->partial;
	o->sched.peel = p->peel;
	spatial_loops(m, p, &o->sched);
	if (s->comb != COMB_NONE && !reduction_loops(m, p, &o->sched))
		return false;
	o->knob[KNOB_VEC] = (int16_t)m->vec;
	o->knob[KNOB_LANES] = (int16_t)p->lanes;
	if (m->vec != TASK_NONE && m->vec < s->nspatial)
		o->knob[KNOB_VECTORS] = (int16_t)((p->tile[m->vec] + p->lanes - 1) / p->lanes);
	for (int i = 0; i < m->nother; i++)
		o->knob[KNOB_TILE_A + i] = (int16_t)p->tile[m->other[i]];
	o->knob[KNOB_ORDER] = (int16_t)p->order;
	o->knob[KNOB_REDUCTION] = (int16_t)p->reduction;
	o->knob[KNOB_PARTIAL] = (int16_t)p->partial;
	o->knob[KNOB_PEEL] = p->peel;
	return true;
}

static int
by_cost(const void *a, const void *b)
{
	const Option *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return memcmp(x->knob, y->knob, sizeof x->knob);
}

static void
keep_best(StageOptions *list, int n)
{
	if (list->option.n)
		qsort(list->option.v, (size_t)list->option.n, sizeof *list->option.v, by_cost);
	if (list->option.n > n)
		list->option.n = n;
}

static void
offer(Maker *m, const Shape *p)
{
	Option o;
	Cost c;

	if (!make(m, p, &o))
		return;
	c = (m->rough ? cost_rough : cost_stage)(m->s, &o.sched, m->t);
	o.ns = c.ns;
	if (c.registers > (double)m->t->vector_regs - 1 || c.nodes > NODES_MAX)
		return;
	vec_push(m->arena, &m->list.option, o);
	if (m->rough && m->list.option.n >= 8 * TILES_KEPT)
		keep_best(&m->list, TILES_KEPT);
}

static bool
is_guarded(const StageInfo *s)
{
	for (int i = 0; i < s->n; i++)
		if (s->access[i].guarded)
			return true;
	return false;
}

/* The first reduction style that exists for this stage under a tile. */
static void
offer_tile(Maker *m, Shape *p)
{
	static const int first[] = {3 * REDUCTION_UNROLLS, 0};
	size_t n = m->list.option.n;

	for (int i = 0; i < 2 && (size_t)m->list.option.n == n; i++) {
		p->reduction = first[i];
		offer(m, p);
	}
}

/* Tiles of the other axes, for a given lane tile. */
static void
offer_tiles(Maker *m, Shape *p, int i, double room)
{
	int a;

	if (i == m->nother) {
		offer_tile(m, p);
		return;
	}
	a = m->other[i];
	for (size_t k = 0; k < sizeof tile_sizes / sizeof *tile_sizes; k++) {
		int n = tile_sizes[k];

		if (n > room || n > m->s->extent[a])
			break;
		/* The third axis joins only where the tile needs it. */
		if (i == 2 && n > 4)
			break;
		p->tile[a] = n;
		offer_tiles(m, p, i + 1, room / n);
	}
	p->tile[a] = 1;
}

static void
offer_lanes(Maker *m, int lanes)
{
	const Stage *s = m->s->stage;
	int64_t extent = m->vec == TASK_NONE ? 1 : m->s->extent[m->vec];
	bool across = m->vec != TASK_NONE && m->vec >= s->nspatial;
	int64_t most = across || m->vec == TASK_NONE ? 1 : (extent + lanes - 1) / lanes;
	Shape p = {.lanes = lanes, .partial = 1, .peel = is_guarded(m->s)};

	for (int a = 0; a < s->nspatial; a++)
		p.tile[a] = 1;
	for (int64_t v = 1; v <= most && v <= 6; v++) {
		if (m->vec != TASK_NONE && !across)
			p.tile[m->vec] = v * lanes;
		offer_tiles(m, &p, 0, (double)m->t->vector_regs / (double)v);
	}
}

static void
find_others(Maker *m)
{
	m->nother = 0;
	for (int a = m->s->stage->nspatial - 1; a >= 0 && m->nother < OTHERS; a--)
		if (a != m->vec && m->s->extent[a] > 1)
			m->other[m->nother++] = a;
}

static bool
is_contiguous(const StageInfo *s, int axis)
{
	if (axis < s->stage->nspatial)
		return s->store.stride[axis] == 1;
	for (int i = 0; i < s->n; i++)
		if (s->access[i].varies[axis] && !s->access[i].is_const &&
		    s->access[i].stride[axis] != 1)
			return false;
	return true;
}

/* Lanes: the Target's, and fewer where the axis is short. */
static void
offer_axis(Maker *m, int axis)
{
	int full = target_lanes(m->t) / (m->s->narrow ? 2 : 1);

	m->vec = axis;
	find_others(m);
	if (axis == TASK_NONE) {
		offer_lanes(m, 1);
		return;
	}
	for (int lanes = full; lanes >= 4 && lanes >= full / 4; lanes /= 2)
		if (lanes == full || m->s->extent[axis] % (2 * lanes) != 0)
			offer_lanes(m, lanes);
}

/* Orders, unrolls and numbers of partial sums of one tile: all of them, or only those of the
 * spatial loops. */
static void
offer_orders(Maker *m, const Option *tile, bool all)
{
	const Stage *s = m->s->stage;
	Shape p = {.lanes = tile->knob[KNOB_LANES], .peel = tile->knob[KNOB_PEEL]};
	int partials = s->comb == COMB_SUM || s->comb == COMB_MAX || s->comb == COMB_MIN ? 3 : 1;

	m->vec = tile->knob[KNOB_VEC];
	find_others(m);
	for (int a = 0; a < s->nspatial; a++)
		p.tile[a] = 1;
	if (m->vec != TASK_NONE && m->vec < s->nspatial)
		p.tile[m->vec] = (int64_t)tile->knob[KNOB_VECTORS] * p.lanes;
	for (int i = 0; i < m->nother; i++)
		p.tile[m->other[i]] = tile->knob[KNOB_TILE_A + i];
	for (p.order = 0; p.order < ORDERS && !all; p.order++) {
		p.reduction = tile->knob[KNOB_REDUCTION];
		p.partial = 1;
		offer(m, &p);
	}
	for (p.order = 0; p.order < ORDERS && all; p.order++)
		for (p.reduction = 0; p.reduction < REDUCTIONS; p.reduction++)
			for (int k = 0; k < partials; k++) {
				p.partial = 1 << k;
				if (s->comb != COMB_NONE || (p.reduction == 0 && k == 0))
					offer(m, &p);
				if (m->s->n && is_guarded(m->s) && p.partial == 1) {
					p.peel = !p.peel;
					offer(m, &p);
					p.peel = !p.peel;
				}
			}
}

/* Two nests with the same text are one option. */
static void
drop_equal(StageOptions *list)
{
	int n = 0;

	for (int i = 0; i < list->option.n; i++) {
		bool known = false;

		for (int k = n - 1; k >= 0 && list->option.v[k].ns == list->option.v[i].ns; k--)
			known |= !memcmp(&list->option.v[k].sched, &list->option.v[i].sched,
					 sizeof list->option.v[i].sched);
		if (!known)
			list->option.v[n++] = list->option.v[i];
	}
	list->option.n = n;
}

void
options_of_stage(Arena *a, const StageInfo *s, const Target *t, StageOptions *out)
{
	Maker m = {.arena = a, .s = s, .t = t, .rough = true};
	StageOptions tiles;
	bool any = false;

	for (int x = 0; x < s->stage->naxes; x++)
		if (s->extent[x] > 1 && is_contiguous(s, x)) {
			offer_axis(&m, x);
			any |= m.list.option.n > 0;
		}
	for (int x = 0; x < s->stage->nspatial; x++)
		if (s->extent[x] > 1 && !is_contiguous(s, x))
			offer_axis(&m, x);
	if (!any)
		offer_axis(&m, TASK_NONE);
	keep_best(&m.list, TILES_KEPT);
	tiles = m.list;
	m.list = (StageOptions){0};
	m.rough = false;
	for (int i = 0; i < tiles.option.n; i++)
		offer_orders(&m, &tiles.option.v[i], i < TILES_SPREAD);
	keep_best(&m.list, SPACE_OPTIONS_MAX);
	drop_equal(&m.list);
	keep_best(&m.list, OPTIONS_KEPT);
	*out = m.list;
}
