/* Cycles of the innermost body, times how often it runs, plus what surrounds it; bounded below by
 * the traffic between the caches that hold what the loops reuse. */
#include "search_space/cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOOP_CYCLES = 1,
	END_CYCLES = 4,
	TILE_CYCLES = 12,
	GUARD_CYCLES = 6,
	STREAMS = 12,
	LINE = 1024
};

/* What of the traffic prefetchers do not hide behind arithmetic. */
static const double MEMORY_SHOWS = .6;

/* Of a window in straight code the register allocator loads some elements anew. */
static const double UNROLLED_EASE = .8;

/* The register tile: extents per axis, in elements and in vectors. */
typedef struct Tile {
	int64_t size[STAGE_AXES_MAX], vectors[STAGE_AXES_MAX];
	double runs[STAGE_AXES_MAX]; /* tiles along the axis, a partial one counted by its work */
	int lanes;
	double accumulators, steps; /* vectors; reduction steps in the body */
} Tile;

static int
lanes_of(const StageInfo *s, const StageSched *q, const Target *t)
{
	int lanes = q->vec == TASK_NONE ? 1 : q->lanes ? q->lanes : target_lanes(t);

	(void)s;
	return lanes;
}

static Tile
tile_of(const StageInfo *s, const StageSched *q, const Target *t)
{
	Tile r = {.lanes = lanes_of(s, q, t), .accumulators = q->par, .steps = 1};

	for (int a = 0; a < s->stage->naxes; a++) {
		int64_t n = s->extent[a], size = n, rest;

		for (int i = 0; i < q->n; i++)
			if (q->split[i].axis == a)
				size = q->split[i].step;
		r.size[a] = size = size < n ? size : n;
		r.vectors[a] = a == q->vec ? (size + r.lanes - 1) / r.lanes : size;
		rest = n % size;
		r.runs[a] = (double)(n / size) + (rest ? fmax((double)rest / (double)size, .3) : 0);
		*(a < s->stage->nspatial ? &r.accumulators : &r.steps) *= (double)r.vectors[a];
	}
	return r;
}

/* Different elements that a tile of x has, lanes of `vec` counted as one. Along a dimension in
 * which several axes move, a window, neighbours overlap. */
static double
distinct(const Access *x, const Tile *r, const StageInfo *s, int vec)
{
	double all = 1, span = 1, product = 1;

	for (int i = 0; i < x->nterm; i++) {
		const AccessTerm *k = &x->term[i];
		double n = (double)(k->axis == vec ? r->vectors : r->size)[k->axis];

		if (!x->final || k->axis < s->stage->nspatial) {
			product *= n;
			span += k->coef * (n - 1) * (k->axis == vec ? r->lanes : 1);
		}
		if (i + 1 == x->nterm || x->term[i + 1].dim != k->dim) {
			all *= span < product ? span : product;
			span = product = 1;
		}
	}
	return all;
}

/* Load operations of one body: vectors, scalars that are spread, or one per lane. */
static double
loads_of(const Access *x, const Tile *r, const StageInfo *s, int vec)
{
	double each = 1;

	if (vec != TASK_NONE && x->varies[vec] && !x->is_const && x->stride[vec] != 1)
		each = 1.6 * r->lanes;
	if (x->by_value)
		each = 2.5 * r->lanes;
	if (x->guarded)
		each = each * 2 + GUARD_CYCLES;
	return distinct(x, r, s, vec) * each;
}

/* How often the innermost body runs for one tile. */
static double
bodies_of(const StageInfo *s, const Tile *r)
{
	double n = 1;

	for (int a = s->stage->nspatial; a < s->stage->naxes; a++)
		n *= r->runs[a];
	return n;
}

/* The loop right around the tile: an axis, or TASK_NONE when there is none. */
static int
innermost_loop(const StageInfo *s, const StageSched *q, const Tile *r)
{
	for (int i = q->n - 1; i >= 0; i--)
		if (r->size[q->split[i].axis] < s->extent[q->split[i].axis])
			return q->split[i].axis;
	return TASK_NONE;
}

/* Vectors of windows: elements that several taps of the tile read live from one to the next. */
static double
window(const StageInfo *s, const StageSched *q, const Tile *r)
{
	double sum = 0;

	for (int i = 0; i < s->n; i++) {
		const Access *x = &s->access[i];
		double n = distinct(x, r, s, q->vec), product = 1;

		for (int a = 0; a < s->stage->naxes; a++)
			if (x->varies[a])
				product *= (double)(a == q->vec ? r->vectors : r->size)[a];
		if (!x->final && !x->is_const && n < product)
			sum += n;
	}
	return sum;
}

/* With a reduction loop around the tile: the accumulators, and of its two operands the one with
 * fewer vectors, while the other's stream by (the lowering orders the tile so). */
static double
registers_in_loop(const StageInfo *s, const StageSched *q, const Tile *r)
{
	double lanes = q->vec == TASK_NONE || q->vec >= s->stage->nspatial
			       ? 1
			       : (double)r->vectors[q->vec];

	return r->accumulators + fmin(lanes, r->accumulators / q->par / lanes) + 1 +
	       window(s, q, r) / 3;
}

/* Without one, what does not vary with the loop outside is loaded before it and stays; few
 * constants do, many are loaded anew. */
static double
registers_unrolled(const StageInfo *s, const StageSched *q, const Tile *r)
{
	double held = 0, constants = 0;
	int loop = innermost_loop(s, q, r);

	for (int i = 0; i < s->n; i++) {
		const Access *x = &s->access[i];
		double n = distinct(x, r, s, q->vec);

		if (x->final)
			continue;
		if (x->is_const)
			constants += n;
		else if (loop != TASK_NONE && !x->varies[loop])
			held += n;
	}
	held += constants <= SCHED_CONSTANTS_HELD ? constants : 1;
	held += r->accumulators + 1;
	return fmax(held, (held + window(s, q, r) / 3) * UNROLLED_EASE);
}

static double
registers(const StageInfo *s, const StageSched *q, const Tile *r)
{
	if (s->stage->comb == COMB_NONE)
		return 4;
	return bodies_of(s, r) > 1 ? registers_in_loop(s, q, r) : registers_unrolled(s, q, r);
}

static double
nodes(const StageInfo *s, const StageSched *q, const Tile *r)
{
	double n = r->accumulators * (r->steps * (s->body_ops + 1) + s->final_ops + 2);

	for (int i = 0; i < s->n; i++)
		n += loads_of(&s->access[i], r, s, q->vec);
	for (int a = 0; a < s->stage->nspatial; a++)
		if (s->extent[a] % r->size[a])
			n *= 2;
	return q->peel ? n * 4 : n;
}

/* Lines of memory that the body walks side by side: prefetchers follow only so many. */
static double
streams_of(const StageInfo *s, const StageSched *q, const Tile *r)
{
	double sum = 0;

	for (int i = 0; i <= s->n; i++) {
		const Access *x = i < s->n ? &s->access[i] : &s->store;
		double n = 1;

		for (int a = 0; a < s->stage->naxes && !x->is_const; a++)
			if (x->varies[a] && a != q->vec && llabs(x->stride[a]) * x->bytes >= LINE)
				n *= (double)r->size[a];
		sum += x->is_const ? 1 : n;
	}
	return sum;
}

/* Cycles of one innermost body without memory. */
static double
body_cycles(const StageInfo *s, const StageSched *q, const Target *t, const Tile *r)
{
	double wide = fmax(1, r->lanes / (double)target_lanes(t)) * (s->narrow ? 2 : 1);
	double ops = r->accumulators / q->par * r->steps * s->body_ops * wide;
	int loop = bodies_of(s, r) > 1 ? TASK_NONE : innermost_loop(s, q, r);
	double loads = 0, over, chain, cycles;

	for (int i = 0; i < s->n; i++) {
		Access x = s->access[i];

		x.guarded &= !q->peel;
		if (!x.final && (loop == TASK_NONE || x.varies[loop]))
			loads += loads_of(&x, r, s, q->vec) * (x.is_const ? wide : 1);
	}
	over = registers(s, q, r) * wide - (double)t->vector_regs;
	if (over > 0)
		loads += 2 * over * fmax(1, r->steps);
	chain = (double)t->fma_latency * r->steps / q->par * fmax(1, s->body_ops * .5);
	cycles = fmax(ops / t->fma_per_cycle, loads / t->load_per_cycle);
	cycles = fmax(cycles, (ops + loads * (t->lane_splat ? 1 : .6)) / t->issue_per_cycle);
	cycles = fmax(cycles, chain);
	/* What hides behind the bottleneck hides imperfectly. */
	cycles += .04 * (ops / t->fma_per_cycle + loads / t->load_per_cycle + chain);
	return cycles * (1 + .01 * fmax(0, streams_of(s, q, r) - STREAMS));
}

static double
final_cycles(const StageInfo *s, const StageSched *q, const Target *t, const Tile *r)
{
	double wide = fmax(1, r->lanes / (double)target_lanes(t)) * (s->narrow ? 2 : 1);
	double outputs = r->accumulators / q->par, loads = 0, each = 1, cycles;
	bool across = q->vec >= s->stage->nspatial;

	for (int i = 0; i < s->n; i++)
		if (s->access[i].final) {
			Access x = s->access[i];

			x.guarded &= !q->peel;
			loads += loads_of(&x, r, s, across ? TASK_NONE : q->vec);
		}
	if (q->vec != TASK_NONE && !across && s->store.stride[q->vec] != 1)
		each = 1.6 * r->lanes;
	cycles = fmax(outputs * s->final_ops * wide / t->fma_per_cycle, loads / t->load_per_cycle);
	cycles += outputs * each * wide;
	if (s->stage->comb != COMB_NONE)
		cycles += TILE_CYCLES + (across ? outputs * 12 : 0) + outputs * (q->par - 1);
	return cycles;
}

/* Bytes of x that a box of the given extents touches. */
static double
footprint(const Access *x, const int64_t *box)
{
	double all = x->bytes, span = 1, product = 1;

	for (int i = 0; i < x->nterm; i++) {
		const AccessTerm *k = &x->term[i];

		span += k->coef * (double)(box[k->axis] - 1);
		product *= (double)box[k->axis];
		if (i + 1 == x->nterm || x->term[i + 1].dim != k->dim) {
			all *= span < product ? span : product;
			span = product = 1;
		}
	}
	return all;
}

/* Bytes that must come from beyond a cache of the given size: the outermost loops whose bodies do
 * not fit run their operands through it anew, unless the operand does not vary with them. */
static double
traffic(const StageInfo *s, const StageSched *q, double cache)
{
	int64_t box[STAGE_AXES_MAX];
	double bytes[ACCESS_MAX + 1], total = 0;
	bool fits = true;

	for (int a = 0; a < s->stage->naxes; a++) {
		box[a] = s->extent[a];
		for (int i = 0; i < q->n; i++)
			if (q->split[i].axis == a && q->split[i].step < box[a])
				box[a] = q->split[i].step;
	}
	for (int i = 0; i <= s->n; i++)
		bytes[i] = footprint(i < s->n ? &s->access[i] : &s->store, box);
	for (int l = q->n - 1; l >= 0; l--) {
		int a = q->split[l].axis;
		int64_t outer = s->extent[a];
		double times, sum = 0;

		for (int k = 0; k < l; k++)
			if (q->split[k].axis == a && q->split[k].step < outer)
				outer = q->split[k].step;
		times = (double)outer / (double)box[a];
		if (times <= 1)
			continue;
		box[a] = outer;
		for (int i = 0; i <= s->n; i++) {
			const Access *x = i < s->n ? &s->access[i] : &s->store;
			double whole = footprint(x, box);

			bytes[i] = fits || x->varies[a] ? fmax(whole, fits ? 0 : bytes[i] * times)
							: bytes[i] * times;
			sum += whole;
		}
		fits = fits && sum <= cache;
	}
	for (int i = 0; i <= s->n; i++)
		total += bytes[i];
	return total;
}

static double
memory_ns(const StageInfo *s, const StageSched *q, const Target *t)
{
	double ns = traffic(s, q, .7 * (double)t->l1_bytes) / t->l2_gbs;
	double cold = 0;

	if (t->l3_bytes)
		ns = fmax(ns, traffic(s, q, .7 * (double)t->l2_bytes) / t->l3_gbs);
	else
		ns = fmax(ns, traffic(s, q, .7 * (double)t->l2_bytes) / t->dram_gbs);
	for (int i = 0; i < s->n; i++)
		if (s->access[i].is_const)
			cold += footprint(&s->access[i], s->extent);
	return fmax(ns, cold / t->dram_gbs); /* the rest of the model has pushed them out */
}

/* Ends of reduction loops in one tile: each may surprise the branch predictor. */
static double
loop_ends(const StageInfo *s, const StageSched *q)
{
	double ends = 0, outer = 1;
	int64_t span[STAGE_AXES_MAX];

	memcpy(span, s->extent, sizeof span);
	for (int i = 0; i < q->n; i++) {
		int a = q->split[i].axis;
		double trips = ceil((double)span[a] / (double)q->split[i].step);

		if (a < s->stage->nspatial || trips <= 1)
			continue;
		ends += outer;
		outer *= trips;
		span[a] = q->split[i].step;
	}
	return ends;
}

static double
compute_ns(const StageInfo *s, const StageSched *q, const Target *t, const Tile *r)
{
	double tiles = 1, body = 0;

	for (int a = 0; a < s->stage->nspatial; a++)
		tiles *= r->runs[a];
	if (s->stage->comb != COMB_NONE)
		body = bodies_of(s, r) * (body_cycles(s, q, t, r) + LOOP_CYCLES) +
		       END_CYCLES * loop_ends(s, q);
	return tiles * (body + final_cycles(s, q, t, r) + LOOP_CYCLES) / t->ghz;
}

Cost
cost_rough(const StageInfo *s, const StageSched *q, const Target *t)
{
	Tile r = tile_of(s, q, t);
	double wide = fmax(1, r.lanes / (double)target_lanes(t)) * (s->narrow ? 2 : 1);

	return (Cost){compute_ns(s, q, t, &r), registers(s, q, &r) * wide, nodes(s, q, &r)};
}

Cost
cost_stage(const StageInfo *s, const StageSched *q, const Target *t)
{
	Tile r = tile_of(s, q, t);
	Cost c = cost_rough(s, q, t);
	double memory = memory_ns(s, q, t);

	memory *= 1 + .02 * fmax(0, streams_of(s, q, &r) - STREAMS);
	c.ns = hypot(c.ns, MEMORY_SHOWS * memory);
	return c;
}
