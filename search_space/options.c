/* Two passes: tiles under the plainest loop order first, then orders and unrolls of the best
 * tiles. Register pressure and size of the body prune before anything is scored. */
#include "search_space/options.h"

#include <stdlib.h>
#include <string.h>

#include "search_space/nest.h"

enum {
	TILES_KEPT = 120,
	TILES_SPREAD = 20, /* of these every order is offered */
	OPTIONS_KEPT = 1024,
	SHARED_KEPT = 256,   /* and of those with terms of a reduction in the vector */
	LANES_SAVED = 16,    /* one lane in so many must be saved by sharing them with terms */
	NODES_MAX = 1800,    /* of a body; the lowering refuses what is several times this */
	LANES_LEAST = 4,     /* shorter vectors are not worth their spreading and folding */
	VECTORS_MOST = 6,    /* of the lane axis in a tile */
	OTHERS = 3,          /* axes that may be tiled besides the lane axis */
	THIRD_MOST = 4,      /* the third of them joins only where the tile needs it */
	BLOCK_TILES = 4,     /* tiles in a block of the order BLOCKED */
	PARTIALS = 3,        /* numbers of partial accumulators: 1, 2, 4 */
	UNROLLED_MOST = 16,  /* terms of a reduction that is unrolled whole */
	WINDOW_MOST = 25,    /* the same of a window, and of one inside the longest axis */
	FACTORS_MOST = 64,   /* elements of the axes of literals in a tile */
	STRAIGHT_SPILLS = 4, /* times the registers that straight code may ask for */
};

_Static_assert((int)KNOB_COUNT == (int)SPACE_KNOBS_MAX, "an Option has room for every knob");

static const int tile_sizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 16, 20, 28};

/* Orders of the spatial loops: the axis of the lanes outside all others or inside, or around the
 * two innermost others, of which the outer one goes in blocks. */
enum { LANE_OUTER, LANE_INNER, BLOCKED, ORDERS };

/* Which loops a reduction has. "The longest" is its longest axis, or that of the lanes. */
typedef enum ReductionStyle {
	STYLE_LAST,     /* all, in the Task's order, the longest innermost */
	STYLE_BLOCKS,   /* the longest in blocks around the others, and inside them */
	STYLE_OUTER,    /* the longest outside, the others unrolled whole */
	STYLE_UNROLLED, /* none */
	STYLES,
} ReductionStyle;

/* A value of KNOB_REDUCTION is a style and the logarithm of the unrolling. */
enum { UNROLLS = 4, REDUCTIONS = STYLES * UNROLLS };

typedef struct Maker {
	Arena *arena;
	const StageInfo *s;
	const Target *t;
	int vec;
	int other[OTHERS], nother;   /* spatial axes besides vec, innermost first */
	bool factor[STAGE_AXES_MAX]; /* index literals, which fold when the tile holds them whole */
	double factors;              /* elements of these spatial axes together; 1: none */
	bool rough;                  /* first pass: by arithmetic alone */
	StageOptions list;
} Maker;

/* The tile and the orders that make one nest. */
typedef struct Shape {
	int64_t tile[STAGE_AXES_MAX]; /* spatial axes */
	int lanes, partial, order, reduction;
	int dot; /* reduction axis that shares the vector with the lanes, or TASK_NONE */
	bool peel;
} Shape;

static bool
has_spatial_lanes(const Maker *m)
{
	return m->vec != TASK_NONE && m->vec < m->s->stage->nspatial;
}

/* Lanes go along this axis from now on. */
static void
set_lane_axis(Maker *m, int axis)
{
	m->vec = axis;
	m->nother = 0;
	for (int a = m->s->stage->nspatial - 1; a >= 0 && m->nother < OTHERS; a--)
		if (a != axis && m->s->extent[a] > 1 && !m->factor[a])
			m->other[m->nother++] = a;
}

static void
add_tile_loop(const Maker *m, const Shape *p, int axis, StageSched *q)
{
	if (axis == m->vec || p->tile[axis] < m->s->extent[axis])
		stage_sched_add(q, axis, p->tile[axis]);
}

static void
blocked_loops(const Maker *m, const Shape *p, StageSched *q)
{
	int inner = m->nother ? m->other[0] : TASK_NONE;
	int blocked = m->nother > 1 ? m->other[1] : TASK_NONE;

	for (int a = 0; a < m->s->stage->nspatial; a++) {
		if (a == m->vec)
			continue;
		if (a == blocked && p->tile[a] * BLOCK_TILES < m->s->extent[a]) {
			stage_sched_add(q, a, p->tile[a] * BLOCK_TILES);
			continue;
		}
		if (a == inner)
			add_tile_loop(m, p, m->vec, q);
		if (a == inner && blocked != TASK_NONE)
			stage_sched_add(q, blocked, p->tile[blocked]);
		add_tile_loop(m, p, a, q);
	}
}

/* Loops over the spatial axes from the outside in; the last step of each is its tile. */
static void
spatial_loops(const Maker *m, const Shape *p, StageSched *q)
{
	bool lane = has_spatial_lanes(m);

	if (lane && p->order == BLOCKED) {
		blocked_loops(m, p, q);
		return;
	}
	if (lane && p->order == LANE_OUTER)
		add_tile_loop(m, p, m->vec, q);
	for (int a = 0; a < m->s->stage->nspatial; a++)
		if (a != m->vec)
			add_tile_loop(m, p, a, q);
	if (lane && p->order == LANE_INNER)
		add_tile_loop(m, p, m->vec, q);
}

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

/* Terms of the reduction axis p->dot in a vector, for each of its lanes. */
static int
terms_of(const Maker *m, const Shape *p)
{
	return p->dot == TASK_NONE ? 1 : target_terms(m->t, p->lanes);
}

/* The reduction's axes as a style sees them. */
typedef struct Reduction {
	ReductionStyle style;
	int longest;
	bool lane;   /* lanes run along it */
	bool window; /* nest_is_window */
	bool folds;  /* literals fold when it is unrolled */
	int64_t extent, unroll, step, block;
	int64_t others; /* terms of the other axes */
} Reduction;

static Reduction
reduction_of(const Maker *m, const Shape *p)
{
	const Stage *s = m->s->stage;
	Reduction r = {.style = (ReductionStyle)(p->reduction / UNROLLS),
		       .longest = p->dot == TASK_NONE ? longest_reduction(m) : p->dot,
		       .unroll = (int64_t)1 << p->reduction % UNROLLS,
		       .others = 1};

	r.lane = m->vec == r.longest;
	r.window = nest_is_window(m->s, m->vec);
	r.extent = m->s->extent[r.longest];
	r.step = r.unroll * (r.lane ? p->lanes : terms_of(m, p));
	r.block = r.lane ? p->lanes * 4 : 16;
	for (int a = s->nspatial; a < s->naxes; a++)
		r.folds |= m->factor[a];
	for (int a = s->nspatial; a < s->naxes; a++)
		r.others *= a == r.longest ? 1 : m->s->extent[a];
	return r;
}

/* Tiles begin with one element, and with all of the axes of literals. */
static void
smallest_tile(const Maker *m, int64_t tile[STAGE_AXES_MAX])
{
	for (int a = 0; a < m->s->stage->nspatial; a++)
		tile[a] = m->factor[a] ? m->s->extent[a] : 1;
}

/* Whether the style says something of its own here. */
static bool
style_applies(const Reduction *r)
{
	if (r->folds)
		return r->style == STYLE_UNROLLED && r->unroll == 1;
	if (r->step > r->extent && r->unroll > 1)
		return false;
	switch (r->style) {
	case STYLE_BLOCKS: return r->others > 1 && r->extent > r->block && r->step <= r->block;
	case STYLE_OUTER: return r->others > 1 && r->others <= WINDOW_MOST;
	case STYLE_UNROLLED:
		return r->unroll == 1 && !r->lane &&
		       r->others * r->extent <= (r->window ? WINDOW_MOST : UNROLLED_MOST);
	default: return true;
	}
}

static void
reduction_loops(const Maker *m, const Reduction *r, StageSched *q)
{
	const Stage *s = m->s->stage;

	if (r->style == STYLE_UNROLLED)
		return;
	if (r->style == STYLE_OUTER) {
		stage_sched_add(q, r->longest, r->step);
		return;
	}
	if (r->style == STYLE_BLOCKS)
		stage_sched_add(q, r->longest, r->block);
	for (int a = s->nspatial; a < s->naxes; a++)
		if (a != r->longest && m->s->extent[a] > 1)
			stage_sched_add(q, a, 1);
	stage_sched_add(q, r->longest, r->step);
}

static void
set_knobs(const Maker *m, const Shape *p, int16_t knob[SPACE_KNOBS_MAX])
{
	knob[KNOB_VEC] = (int16_t)m->vec;
	knob[KNOB_LANES] = (int16_t)p->lanes;
	knob[KNOB_DOT] = (int16_t)(p->dot + 1);
	if (has_spatial_lanes(m))
		knob[KNOB_VECTORS] = (int16_t)((p->tile[m->vec] + p->lanes - 1) / p->lanes);
	for (int i = 0; i < m->nother; i++)
		knob[KNOB_TILE_A + i] = (int16_t)p->tile[m->other[i]];
	knob[KNOB_ORDER] = (int16_t)p->order;
	knob[KNOB_REDUCTION] = (int16_t)p->reduction;
	knob[KNOB_PARTIAL] = (int16_t)p->partial;
	knob[KNOB_PEEL] = p->peel;
}

/* The tile that an option of the first pass has; the rest is the plainest. */
static Shape
shape_of(const Maker *m, const int16_t knob[SPACE_KNOBS_MAX])
{
	Shape p = {.lanes = knob[KNOB_LANES],
		   .dot = knob[KNOB_DOT] - 1,
		   .partial = 1,
		   .reduction = knob[KNOB_REDUCTION],
		   .peel = knob[KNOB_PEEL]};

	smallest_tile(m, p.tile);
	if (has_spatial_lanes(m))
		p.tile[m->vec] = (int64_t)knob[KNOB_VECTORS] * p.lanes;
	for (int i = 0; i < m->nother; i++)
		p.tile[m->other[i]] = knob[KNOB_TILE_A + i];
	return p;
}

static bool
make(const Maker *m, const Shape *p, Option *o)
{
	*o = (Option){.sched = stage_sched_init()};
	o->sched.vec = m->vec;
	o->sched.lanes = m->vec == TASK_NONE ? 1 : p->lanes == target_lanes(m->t) ? 0 : p->lanes;
	o->sched.dot = p->dot;
	o->sched.par = p->partial;
	o->sched.peel = p->peel;
	spatial_loops(m, p, &o->sched);
	if (m->s->stage->comb != COMB_NONE) {
		Reduction r = reduction_of(m, p);

		if (!style_applies(&r))
			return false;
		reduction_loops(m, &r, &o->sched);
	}
	set_knobs(m, p, o->knob);
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

/* Straight code between loads and stores may spill some of what it computes: its cost counts that.
 */
static double
registers_at_most(const Maker *m)
{
	if (m->factors > 1)
		return (double)m->t->vector_regs * STRAIGHT_SPILLS;
	return (double)(m->t->vector_regs - m->t->spare_regs);
}

static void
add_option(Maker *m, Option o)
{
	Cost c = (m->rough ? cost_rough : cost_stage)(m->s, &o.sched, m->t);

	o.ns = c.ns;
	if (c.registers > registers_at_most(m) || c.nodes > NODES_MAX)
		return;
	vec_push(m->arena, &m->list.option, o);
	if (m->rough && m->list.option.n >= 8 * TILES_KEPT)
		keep_best(&m->list, TILES_KEPT);
}

static void
offer(Maker *m, const Shape *p)
{
	Option o;

	if (!make(m, p, &o))
		return;
	add_option(m, o);
	if (m->rough || m->s->stage->comb == COMB_NONE || !stage_has_slabs(m->s, &o.sched))
		return;
	o.sched.prefetch = true;
	o.knob[KNOB_PREFETCH] = 1;
	add_option(m, o);
}

static bool
is_guarded(const StageInfo *s)
{
	for (int i = 0; i < s->n; i++)
		if (s->access[i].guarded)
			return true;
	return false;
}

/* The tile with its reduction unrolled, or, where that is too long, in loops. */
static void
offer_tile(Maker *m, Shape *p)
{
	int before = m->list.option.n;

	p->reduction = STYLE_UNROLLED * UNROLLS;
	offer(m, p);
	if (m->list.option.n != before)
		return;
	p->reduction = STYLE_LAST * UNROLLS;
	offer(m, p);
}

/* Tiles of the other axes from the i-th on, for a given lane tile. room: accumulators left. */
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

		if (n > room || n > m->s->extent[a] || (i == 2 && n > THIRD_MOST))
			break;
		p->tile[a] = n;
		offer_tiles(m, p, i + 1, room / n);
	}
	p->tile[a] = 1;
}

static void
offer_lanes(Maker *m, int lanes, int dot)
{
	bool spatial = has_spatial_lanes(m);
	int64_t vectors = spatial ? (m->s->extent[m->vec] + lanes - 1) / lanes : 1;
	Shape p = {.lanes = lanes, .dot = dot, .partial = 1, .peel = is_guarded(m->s)};

	smallest_tile(m, p.tile);
	for (int64_t v = 1; v <= vectors && v <= VECTORS_MOST; v++) {
		if (spatial)
			p.tile[m->vec] = v * lanes;
		offer_tiles(m, &p, 0, registers_at_most(m) / (m->factors * (double)v));
	}
}

/* Whether lanes along the axis lie side by side in memory. */
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

/* Whether shorter vectors leave clearly fewer lanes without an element. */
static bool
fills_better(int64_t extent, int lanes, int full)
{
	int64_t now = (extent + full - 1) / full * full;

	return (now - (extent + lanes - 1) / lanes * lanes) * LANES_SAVED >= now;
}

/* Lanes: the Target's, and fewer where the axis is short. */
static void
offer_axis(Maker *m, int axis)
{
	int full = target_lanes(m->t) / (m->s->narrow ? 2 : 1);

	set_lane_axis(m, axis);
	if (axis == TASK_NONE) {
		offer_lanes(m, 1, TASK_NONE);
		return;
	}
	for (int lanes = full; lanes >= LANES_LEAST && lanes >= full / 4; lanes /= 2)
		if (lanes == full || m->s->extent[axis] % (2 * lanes) != 0)
			offer_lanes(m, lanes, TASK_NONE);
}

/* The same with lanes that share the vector with terms of a reduction. */
static void
offer_shared(Maker *m, int axis)
{
	int full = target_lanes(m->t);

	set_lane_axis(m, axis);
	for (int lanes = full / 2; lanes >= LANES_LEAST && !m->s->narrow; lanes /= 2) {
		int dot = stage_shared_axis(m->s, axis, full / lanes);

		if (dot != TASK_NONE && fills_better(m->s->extent[axis], lanes, full))
			offer_lanes(m, lanes, dot);
	}
}

/* The same with lanes whose bytes are terms. */
static void
offer_bytes(Maker *m, int axis)
{
	int dot = stage_shared_axis(m->s, axis, TARGET_DOT_BYTES);

	set_lane_axis(m, axis);
	if (dot != TASK_NONE && m->s->bytes && target_multiplies(m->t, m->s->byte))
		offer_lanes(m, target_lanes(m->t), dot);
}

/* Every unrolling of a tile's reduction, with several partial accumulators or with the other answer
 * to guards: edges peeled or not. */
static void
offer_reductions(Maker *m, Shape p)
{
	Combiner comb = m->s->stage->comb;
	bool splits = comb == COMB_SUM || comb == COMB_MAX || comb == COMB_MIN;
	int reductions = comb == COMB_NONE ? 1 : REDUCTIONS;

	for (p.reduction = 0; p.reduction < reductions; p.reduction++) {
		Shape other = p;

		for (int k = 0; k < (splits ? PARTIALS : 1); k++) {
			p.partial = 1 << k;
			offer(m, &p);
		}
		other.partial = 1;
		other.peel = !p.peel;
		if (is_guarded(m->s))
			offer(m, &other);
	}
}

/* One tile under every order of the spatial loops, alone or with everything else varied. */
static void
offer_orders(Maker *m, const Option *tile, bool all)
{
	Shape p;

	set_lane_axis(m, tile->knob[KNOB_VEC]);
	p = shape_of(m, tile->knob);
	for (p.order = 0; p.order < ORDERS; p.order++)
		if (all)
			offer_reductions(m, p);
		else
			offer(m, &p);
}

/* Two nests with the same text are one option. They cost the same, so they stand together. */
static void
drop_equal(StageOptions *list)
{
	int n = 0;

	for (int i = 0; i < list->option.n; i++) {
		bool known = false;

		for (int k = n - 1; k >= 0 && list->option.v[k].ns == list->option.v[i].ns; k--)
			known |= stage_sched_equal(&list->option.v[k].sched,
						   &list->option.v[i].sched);
		if (!known)
			list->option.v[n++] = list->option.v[i];
	}
	list->option.n = n;
}

/* Tiles with lanes along every axis that may have them; scalar ones where none can. */
static void
offer_all_tiles(Maker *m)
{
	const StageInfo *s = m->s;
	bool any = false;

	for (int a = 0; a < s->stage->naxes; a++)
		if (s->extent[a] > 1 && !m->factor[a] && is_contiguous(s, a)) {
			offer_axis(m, a);
			any |= m->list.option.n > 0;
		}
	for (int a = 0; a < s->stage->nspatial; a++)
		if (s->extent[a] > 1 && !m->factor[a] && !is_contiguous(s, a))
			offer_axis(m, a);
	if (!any)
		offer_axis(m, TASK_NONE);
}

static void
offer_shared_tiles(Maker *m)
{
	for (int a = 0; a < m->s->stage->nspatial; a++) {
		if (m->s->extent[a] > 1 && is_contiguous(m->s, a))
			offer_shared(m, a);
		if (m->s->extent[a] >
		    1) /* what is stored apart is stored once, after many products */
			offer_bytes(m, a);
	}
}

/* Axes of literals are in every tile whole, unless there are too many. */
static void
find_factors(Maker *m)
{
	double all = 1;

	for (int a = 0; a < m->s->stage->nspatial; a++)
		all *= m->s->factor[a] ? (double)m->s->extent[a] : 1;
	if (all > FACTORS_MOST)
		return;
	m->factors = all;
	memcpy(m->factor, m->s->factor, sizeof m->factor);
}

/* The best n nests over the tiles that `tiles` offers join the list. */
static void
offer_nests(Arena *a, const StageInfo *s, const Target *t, void (*tiles)(Maker *), int n,
	    StageOptions *out)
{
	Maker m = {.arena = a, .s = s, .t = t, .factors = 1, .rough = true};
	StageOptions list;

	find_factors(&m);
	tiles(&m);
	keep_best(&m.list, TILES_KEPT);
	list = m.list;
	m.list = (StageOptions){0};
	m.rough = false;
	for (int i = 0; i < list.option.n; i++)
		offer_orders(&m, &list.option.v[i], i < TILES_SPREAD);
	keep_best(&m.list, SPACE_OPTIONS_MAX);
	drop_equal(&m.list);
	keep_best(&m.list, n);
	for (int i = 0; i < m.list.option.n; i++)
		vec_push(a, &out->option, m.list.option.v[i]);
}

void
options_of_stage(Arena *a, const StageInfo *s, const Target *t, StageOptions *out)
{
	*out = (StageOptions){0};
	offer_nests(a, s, t, offer_all_tiles, OPTIONS_KEPT, out);
	offer_nests(a, s, t, offer_shared_tiles, SHARED_KEPT, out);
	keep_best(out, SPACE_OPTIONS_MAX);
}
