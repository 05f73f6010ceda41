/* Cycles of the innermost body, times how often it runs, plus what surrounds it; bounded below by
 * the traffic between the caches that hold what the loops reuse.
 *
 * Units: registers and operations count in vectors of the schedule's lanes until they are weighed
 * with Nest.width, cycles are of one core, bytes are as in memory. */
#include "search_space/cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search_space/nest.h"

/* Cycles. */
enum {
	LOOP_CYCLES = 2,  /* counter and branch of an iteration of a tile */
	END_CYCLES = 7,   /* the last branch of a loop, which predictors may miss */
	TILE_CYCLES = 2,  /* accumulators set and got around a reduction */
	FOLD_CYCLES = 4,  /* the lanes of an accumulator become one number */
	GUARD_CYCLES = 6, /* the condition of a load that may leave its tensor */
};

/* The same of a body: it runs ahead of the arithmetic, so that little shows. */
static const double BODY_LOOP_CYCLES = .4;

/* Prefetchers follow so many streams; accesses this many bytes apart are streams of their own. */
enum { STREAMS = 24, STREAM_BYTES = 1024 };

/* Loops of a body that peeling makes of one. */
enum { PEELED_COPIES = 4 };

/* Operations per lane where lanes do not lie side by side, or where a table says where they lie. */
static const double APART = .8, BY_VALUE = 2.5;

/* The remainder of a reduction takes at least this part of a whole step's time. */
static const double REMAINDER_LEAST = .3;

/* Of a load's issue slots on machines that read memory as an operand of arithmetic. */
static const double FOLDED_LOAD = .6;

/* What hides behind the bottleneck hides imperfectly. */
static const double SHOWS_THROUGH = .04;

/* Of a body's cycles, for every operation beyond what decoders and schedulers take in their stride.
 */
static const double LONG_BODY = .002;
enum { BODY_OPERATIONS = 100 };

/* Of a body's cycles, and of memory's time, for every stream too many. */
static const double STREAM_CYCLES = .01, STREAM_MEMORY = .02;

/* Of the time that constants take from memory, what shows: read when needed, and prefetched. */
static const double COLD_SHOWS = 1, PREFETCHED_SHOWS = .05;

/* Straight code of windows: what shows of its loads and of the final expressions, and the
 * operations that wait in schedulers for each that issues. */
static const double STRAIGHT_LOADS = .15, STRAIGHT_FINAL = .25, WAITING_OPERATIONS = 45;

/* What lies in few of a cache's sets has these for itself. */
static const double SETS_FULL = 1.7;

/* The part of a cache that holds what loops reuse, and what of the traffic shows behind
 * arithmetic. */
static const double CACHE_USED = .6, MEMORY_SHOWS = .75;

/* Of a temporary's bytes: a line comes before it is written and goes again before it is read. */
static const double WRITTEN = 2;

/* How much quicker threads read memory together, at most. */
static const double MEMORY_GAIN = 1.6;

/* The innermost step of the axis. */
static int64_t
tile_size(const Nest *n, int axis)
{
	int64_t size = n->s->extent[axis];

	for (int i = 0; i < n->q->n; i++)
		if (n->q->split[i].axis == axis)
			size = n->q->split[i].step;
	return size < n->s->extent[axis] ? size : n->s->extent[axis];
}

/* Elements of the axis in a vector. */
static int
width_along(const Nest *n, int axis)
{
	return axis == n->q->vec ? n->lanes : axis == n->q->dot ? n->terms : 1;
}

/* The tile has `size` elements along the axis. */
static void
resize(Nest *n, int axis, int64_t size)
{
	int wide = width_along(n, axis);

	n->size[axis] = size;
	n->units[axis] = (size + wide - 1) / wide;
	n->reach[axis] = (n->units[axis] - 1) * wide;
}

static void
place_axis(Nest *n, int axis)
{
	int64_t extent = n->s->extent[axis], size = tile_size(n, axis), rest = extent % size;
	double runs = (double)(extent / size);
	int wide = width_along(n, axis);

	resize(n, axis, size);
	if (axis < n->s->stage->nspatial) {
		n->accumulators *= (double)n->units[axis];
		n->tiles *= runs;
		n->all_tiles *= runs + (rest > 0);
		return;
	}
	if (rest) /* in whole vectors, too */
		runs += fmax((double)((rest + wide - 1) / wide) / (double)n->units[axis],
			     REMAINDER_LEAST);
	n->steps *= (double)n->units[axis];
	n->bodies *= runs;
}

Nest
nest_of(const StageInfo *s, const StageSched *q, const Target *t)
{
	Nest n = {.s = s,
		  .q = q,
		  .t = t,
		  .steps = 1,
		  .bodies = 1,
		  .tiles = 1,
		  .all_tiles = 1,
		  .gain = 1,
		  .dealt = TASK_NONE,
		  .loop = TASK_NONE};

	n.lanes = q->vec == TASK_NONE ? 1 : q->lanes ? q->lanes : target_lanes(t);
	n.terms = q->dot == TASK_NONE ? 1 : target_terms(t, n.lanes);
	n.bytes = n.terms > 1 && n.lanes == target_lanes(t);
	n.width = fmax(1, n.lanes / (double)target_lanes(t)) * (s->narrow ? 2 : 1);
	n.across = q->vec >= s->stage->nspatial;
	n.window = nest_is_window(s, q->vec);
	n.accumulators = q->par;
	for (int a = 0; a < s->stage->naxes; a++)
		place_axis(&n, a);
	n.folded = true;
	for (int a = 0; a < s->naxes; a++) {
		if (a >= s->stage->naxes) {
			n.size[a] = n.units[a] = s->extent[a];
			n.reach[a] = s->extent[a] - 1;
		}
		n.folded &= !s->factor[a] || n.size[a] == s->extent[a];
	}
	for (int i = 0; i < q->n; i++)
		if (n.size[q->split[i].axis] < s->extent[q->split[i].axis])
			n.loop = q->split[i].axis;
	return n;
}

/* Different elements that x touches at count[a] places along each axis, the last one reach[a] from
 * the first. Along a dimension in which several axes move, a window, neighbours overlap. */
static double
distinct(const Access *x, const int64_t *count, const int64_t *reach)
{
	double all = 1, span = 1, product = 1;

	for (int i = 0; i < x->nterm; i++) {
		const AccessTerm *k = &x->term[i];

		product *= (double)count[k->axis];
		span += k->coef * (double)reach[k->axis];
		if (i + 1 == x->nterm || x->term[i + 1].dim != k->dim) {
			all *= span < product ? span : product;
			span = product = 1;
		}
	}
	return all;
}

double
nest_elements(const Nest *n, const Access *x)
{
	return distinct(x, n->units, n->reach);
}

double
nest_apart(const Nest *n, const Access *x, int64_t bytes)
{
	Nest far = *n;

	for (int a = 0; a < n->s->naxes; a++)
		if (llabs(x->stride[a]) * x->bytes < bytes) {
			far.units[a] = 1;
			far.reach[a] = 0;
		}
	return nest_elements(&far, x);
}

/* Load operations of one body: vectors, scalars that are spread, or one per lane. */
static double
load_operations(const Nest *n, const Access *x, bool guarded)
{
	int vec = n->q->vec;
	double each = 1;

	if (x->is_literal && n->folded)
		return 0;
	if (vec != TASK_NONE && x->varies[vec] && !x->is_const &&
	    x->stride[vec] != (n->bytes && !x->final ? n->terms : 1))
		each = APART * n->lanes;
	if (x->by_value)
		each = BY_VALUE * n->lanes;
	if (guarded)
		each = each * 2 + GUARD_CYCLES;
	return nest_elements(n, x) * each;
}

static bool
is_guarded(const Nest *n, const Access *x)
{
	return x->guarded && !n->q->peel;
}

/* Operations of one step of the body: a dot product is one, whatever surrounds its operands. */
static double
step_ops(const Nest *n)
{
	return n->bytes ? 1 : n->s->body_ops;
}

/* What the elements of inline stages take, in operations. */
static double
inner_ops(const Nest *n, bool final)
{
	double sum = 0;

	for (int i = 0; i < n->s->ninner; i++)
		if (n->s->inner[i].at.final == final)
			sum += nest_elements(n, &n->s->inner[i].at) * n->s->inner[i].ops;
	return sum;
}

/* The part of the body's terms that are computed. */
static double
density(const Nest *n)
{
	return n->folded ? n->s->density : 1;
}

static double
nodes(const Nest *n)
{
	const StageInfo *s = n->s;
	double body = n->steps * (step_ops(n) * density(n) + 1);
	double sum = n->accumulators * (body + s->final_ops + 2);

	sum += inner_ops(n, false) + inner_ops(n, true);

	for (int i = 0; i < s->n; i++)
		sum += load_operations(n, &s->access[i], s->access[i].guarded);
	for (int a = 0; a < s->stage->nspatial; a++)
		if (s->extent[a] % n->size[a])
			sum *= 2;
	return n->q->peel ? sum * PEELED_COPIES : sum;
}

/* Lines of memory that the body walks side by side, beyond those that prefetchers follow. */
static double
streams_too_many(const Nest *n)
{
	double sum = 0;

	for (int i = 0; i <= n->s->n && !n->window; i++) {
		const Access *x = i < n->s->n ? &n->s->access[i] : &n->s->store;
		double streams = 1;

		if (n->bodies > 1 && (x->final || i == n->s->n))
			continue;
		for (int a = 0; a < n->s->stage->naxes && !x->is_const; a++)
			if (x->varies[a] && a != n->q->vec &&
			    llabs(x->stride[a]) * x->bytes >= STREAM_BYTES)
				streams *= (double)n->size[a];
		sum += streams;
	}
	return fmax(0, sum - STREAMS);
}

/* Whether the tile keeps what it reads of x from one iteration of the loop around it to the next:
 * without a reduction loop, what does not vary with that loop, but of constants only few. */
static bool
stays_loaded(const Nest *n, const Access *x)
{
	if (n->bodies > 1 || n->loop == TASK_NONE || x->varies[n->loop])
		return false;
	return !x->is_const || nest_elements(n, x) <= SCHED_CONSTANTS_HELD;
}

static double
body_loads(const Nest *n)
{
	double loads = 0, spilled = nest_registers(n) * n->width - (double)n->t->vector_regs;

	for (int i = 0; i < n->s->n; i++) {
		const Access *x = &n->s->access[i];

		if (!x->final && !stays_loaded(n, x))
			loads += load_operations(n, x, is_guarded(n, x)) *
				 (x->is_const ? n->width : 1);
	}
	if (spilled <= 0)
		return loads;
	return loads + spilled * (n->bodies <= 1 && n->s->density < 1 ? 1 : 2 * fmax(1, n->steps));
}

/* Prefetches in one body: the lines of all constants spread over all bodies. */
static double
prefetches(const Nest *n)
{
	double lines = 0;

	for (int i = 0; i < n->s->n && n->q->prefetch; i++)
		if (n->s->access[i].is_const && !n->s->access[i].final)
			lines += ceil(n->s->access[i].footprint / LINE_BYTES / n->all_tiles /
				      n->bodies);
	return lines;
}

/* Cycles of one innermost body without memory: arithmetic, loads, all of them together, or the
 * chain through one accumulator, whichever takes longest. Of straight code the chains of as many
 * tiles as schedulers hold go on at a time. */
static double
body_cycles(const Nest *n)
{
	const Target *t = n->t;
	double terms = n->accumulators / n->q->par * n->steps * density(n);
	double ops = (terms * step_ops(n) + inner_ops(n, false)) * n->width;
	double loads = body_loads(n), slots = loads * (t->lane_splat ? 1 : FOLDED_LOAD);
	double chain = (double)t->fma_latency * n->steps / n->q->par * fmax(1, step_ops(n) * .5);
	double arithmetic = ops / t->fma_per_cycle, loading = loads / t->load_per_cycle, cycles;

	if (!n->window)
		loading += nest_collisions(n) * LINE_BYTES / t->l2_gbs * t->ghz;
	if (nest_is_straight(n))
		chain *= fmin(1, (terms + loads) / (WAITING_OPERATIONS * t->issue_per_cycle));
	cycles = fmax(fmax(arithmetic, loading), fmax((ops + slots) / t->issue_per_cycle, chain));
	cycles += SHOWS_THROUGH * (arithmetic + loading + chain);
	cycles += prefetches(n) / t->load_per_cycle;
	if (nest_is_straight(n))
		return cycles + STRAIGHT_LOADS * loading;
	cycles *= 1 + LONG_BODY * fmax(0, ops - BODY_OPERATIONS);
	return cycles * (1 + STREAM_CYCLES * streams_too_many(n));
}

/* Shuffles that add up the terms of a vector: one for each halving, one to bring the lanes
 * together. */
static double
terms_folded(const Nest *n)
{
	return n->terms > 1 && !n->bytes ? log2(n->terms) + 1 : 0;
}

/* Cycles of the final expressions and stores of one tile, and of what surrounds its reduction. */
static double
final_cycles(const Nest *n)
{
	const StageInfo *s = n->s;
	int vec = n->q->vec;
	double outputs = n->accumulators / n->q->par, loads = 0, store = 1, cycles;

	for (int i = 0; i < s->n; i++)
		if (s->access[i].final)
			loads += load_operations(n, &s->access[i], is_guarded(n, &s->access[i]));
	if (vec != TASK_NONE && !n->across && s->store.stride[vec] != 1)
		store = APART * n->lanes;
	cycles =
		fmax((outputs * s->final_ops + inner_ops(n, true)) * n->width / n->t->fma_per_cycle,
		     loads / n->t->load_per_cycle);
	cycles += outputs * store * n->width;
	if (nest_reduces(n))
		cycles += TILE_CYCLES + (n->across ? outputs * FOLD_CYCLES : 0) +
			  outputs * (n->q->par - 1) + terms_folded(n) * outputs;
	return cycles;
}

/* Ends of reduction loops in one tile. */
static double
loop_ends(const Nest *n)
{
	double ends = 0, outer = 1;
	int64_t span[STAGE_AXES_MAX];

	memcpy(span, n->s->extent, sizeof span);
	for (int i = 0; i < n->q->n; i++) {
		const Split *sp = &n->q->split[i];
		double trips = ceil((double)span[sp->axis] / (double)sp->step);

		if (sp->axis < n->s->stage->nspatial || trips <= 1)
			continue;
		ends += outer;
		outer *= trips;
		span[sp->axis] = sp->step;
	}
	return ends;
}

/* Cycles of tiles of the size that n has. */
static double
whole_tiles(const Nest *n)
{
	double body = 0;

	if (nest_is_straight(n))
		return n->tiles * (body_cycles(n) + STRAIGHT_FINAL * final_cycles(n) + LOOP_CYCLES);
	if (nest_reduces(n))
		body = n->bodies * (body_cycles(n) + BODY_LOOP_CYCLES) + END_CYCLES * loop_ends(n);
	return n->tiles * (body + final_cycles(n) + LOOP_CYCLES);
}

/* Cycles of all tiles from the given axis on: the whole ones, and with each axis that does not
 * divide, its remainder, which is a smaller tile. */
static double
tile_cycles(const Nest *n, int axis)
{
	int64_t left = 0;
	Nest rest;

	while (axis < n->s->stage->nspatial && !(left = n->s->extent[axis] % n->size[axis]))
		axis++;
	if (!left)
		return whole_tiles(n);
	rest = *n;
	rest.tiles /= (double)(n->s->extent[axis] / n->size[axis]);
	rest.accumulators /= (double)n->units[axis];
	resize(&rest, axis, left);
	rest.accumulators *= (double)rest.units[axis];
	return tile_cycles(n, axis + 1) + tile_cycles(&rest, axis + 1);
}

static double
compute_ns(const Nest *n)
{
	return tile_cycles(n, 0) / n->t->ghz;
}

/* How many times the bytes that a box takes come to it, as whole lines do: more than once where
 * the box has a part of each. */
static double
parts_of_lines(const StageInfo *s, const Access *x, const int64_t *box)
{
	for (int a = 0; a < s->naxes && !x->is_const; a++)
		if (x->varies[a] && x->stride[a] == 1 && box[a] * x->bytes < LINE_BYTES)
			return fmin(LINE_BYTES, (double)(s->extent[a] * x->bytes)) /
			       (double)(box[a] * x->bytes);
	return 1;
}

double
nest_footprint(const StageInfo *s, const Access *x, const int64_t *box)
{
	int64_t reach[STAGE_AXES_MAX];

	for (int i = 0; i < x->nterm; i++)
		reach[x->term[i].axis] = box[x->term[i].axis] - 1;
	return distinct(x, box, reach) * x->bytes * parts_of_lines(s, x, box);
}

/* Extent of the axis inside the loops before the last-th: what its next step divides. */
static int64_t
extent_before(const Nest *n, int axis, int last)
{
	int64_t extent = n->s->extent[axis];

	for (int i = 0; i < last; i++)
		if (n->q->split[i].axis == axis && n->q->split[i].step < extent)
			extent = n->q->split[i].step;
	return extent;
}

/* Bytes that must come, to each thread, from beyond a cache of the given size, loop by loop from
 * the inside: as long as all that the loops touch fits, it comes once; a loop around what does not
 * fit brings anew what varies with it, and repeats what does not. Under shared loops what
 * earlier stages touched and fits stays there. */
static double
traffic(const Nest *n, double cache)
{
	int64_t box[STAGE_AXES_MAX];
	double bytes[ACCESS_MAX + 1], total = 0;
	bool fits = true;

	for (int a = 0; a < n->s->naxes; a++)
		box[a] = extent_before(n, a, n->q->n);
	for (int i = 0; i <= n->s->n; i++)
		bytes[i] = nest_footprint(n->s, i < n->s->n ? &n->s->access[i] : &n->s->store, box);
	for (int l = n->q->n - 1; l >= 0; l--) {
		int a = n->q->split[l].axis;
		int64_t outer = extent_before(n, a, l);
		double times = (double)outer / (double)box[a], sum = 0, sets = 0;

		if (times <= 1)
			continue;
		box[a] = outer;
		for (int i = 0; i <= n->s->n; i++) {
			const Access *x = i < n->s->n ? &n->s->access[i] : &n->s->store;
			double whole = nest_footprint(n->s, x, box), repeated = bytes[i] * times;

			if (fits)
				bytes[i] = whole;
			else
				bytes[i] = x->varies[a] ? fmax(whole, repeated) : repeated;
			sum += whole;
			sets += whole / nest_sets_used(n, x, box);
		}
		fits = fits && sum <= cache && sets <= SETS_FULL * cache;
	}
	for (int i = 0; i <= n->s->n; i++) {
		const Access *x = i < n->s->n ? &n->s->access[i] : &n->s->store;

		if (!fits || n->s->rounds <= 1 || !x->is_shared)
			total += bytes[i] * (i == n->s->n && x->is_shared ? WRITTEN : 1) /
				 (n->dealt != TASK_NONE && x->varies[n->dealt] ? n->gain : 1);
	}
	return total;
}

/* The slower of the caches' borders. */
static double
traffic_ns(const Nest *n)
{
	const Target *t = n->t;
	double beyond_l2 = t->l3_bytes ? t->l3_gbs : t->dram_gbs;
	double near = traffic(n, CACHE_USED * (double)t->l1_bytes);
	double far = traffic(n, CACHE_USED * (double)t->l2_bytes);

	return n->window ? nest_window_ns(n, near, far) : fmax(near / t->l2_gbs, far / beyond_l2);
}

/* Time that memory takes to deliver the constants: the rest of the model has pushed them out. */
static double
constants_ns(const Nest *n)
{
	double bytes = 0;

	for (int i = 0; i < n->s->n; i++) {
		const Access *x = &n->s->access[i];
		bool apart = n->dealt != TASK_NONE && x->varies[n->dealt];

		if (x->is_const && !x->is_literal)
			bytes += x->footprint / (apart ? fmin(n->gain, MEMORY_GAIN) : 1);
	}
	return bytes / n->t->dram_gbs;
}

static Cost
cost_without_memory(const Nest *n)
{
	return (Cost){
		.ns = compute_ns(n), .registers = nest_registers(n) * n->width, .nodes = nodes(n)};
}

Cost
cost_rough(const StageInfo *s, const StageSched *q, const Target *t)
{
	Nest n = nest_of(s, q, t);
	Cost c = cost_without_memory(&n);

	n.gain = cost_split(s, q, t, &n.dealt);
	c.ns = fmin(c.ns, c.ns / n.gain + t->fork_ns);
	return c;
}

static double
with_memory(const Nest *n, double compute)
{
	double constants = constants_ns(n), ns;
	double memory = traffic_ns(n) * (1 + STREAM_MEMORY * streams_too_many(n));

	compute /= n->gain;
	ns = n->window ? sqrt(hypot(compute * compute, memory * memory))
		       : hypot(compute, MEMORY_SHOWS * memory);
	ns *= n->s->rounds;
	return n->q->prefetch ? fmax(ns, constants) + PREFETCHED_SHOWS * constants
			      : ns + COLD_SHOWS * constants;
}

Cost
cost_stage(const StageInfo *s, const StageSched *q, const Target *t)
{
	Nest n = nest_of(s, q, t);
	Cost c = cost_without_memory(&n);
	double compute = c.ns;

	c.ns = with_memory(&n, compute);
	n.gain = cost_split(s, q, t, &n.dealt);
	if (n.gain > 1)
		c.ns = fmin(c.ns, with_memory(&n, compute) + t->fork_ns);
	return c;
}
