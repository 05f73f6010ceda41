/* Cycles of the innermost body, times how often it runs, plus what surrounds it; bounded below by
 * the traffic between the caches that hold what the loops reuse.
 *
 * Units: registers and operations count in vectors of the schedule's lanes until they are weighed
 * with Nest.width, cycles are of one core, bytes are as in memory. */
#include "search_space/cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Cycles. */
enum {
	LOOP_CYCLES = 2,  /* counter and branch of an iteration */
	END_CYCLES = 7,   /* the last branch of a loop, which predictors may miss */
	TILE_CYCLES = 2,  /* accumulators set and got around a reduction */
	FOLD_CYCLES = 4,  /* the lanes of an accumulator become one number */
	GUARD_CYCLES = 6, /* the condition of a load that may leave its tensor */
};

/* Prefetchers follow so many streams; accesses this many bytes apart are streams of their own. */
enum { STREAMS = 24, STREAM_BYTES = 1024, LINE_BYTES = 64 };

/* Registers of a stage without accumulators, and loops of a body that peeling makes of one. */
enum { PLAIN_REGISTERS = 4, PEELED_COPIES = 4 };

/* Registers on their way to where they are used, on machines without memory operands. */
enum { LOADED_ANEW = 6 };

/* Operations per lane where lanes do not lie side by side, or where a table says where they lie. */
static const double APART = .8, BY_VALUE = 2.5;

/* The remainder of a reduction takes at least this part of a whole step's time. */
static const double REMAINDER_LEAST = .3;

/* Windows: the part of their elements that is alive at once, and what the register allocator needs
 * of it in straight code, where machines with memory operands load some elements anew. */
static const double WINDOW_ALIVE = .4, UNROLLED_EASE = .8;

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

/* The part of a cache that holds what loops reuse, and what of the traffic shows behind
 * arithmetic. */
static const double CACHE_USED = .6, MEMORY_SHOWS = .75;

/* How much quicker threads read memory together, at most. */
static const double MEMORY_GAIN = 1.6;

/* A stage under a StageSched, and its register tile. */
typedef struct Nest {
	const StageInfo *s;
	const StageSched *q;
	const Target *t;
	int lanes;
	int terms;           /* of the reduction axis q->dot, in the vector for each lane */
	double width;        /* registers that one vector takes */
	bool across;         /* lanes run along a reduction axis and are folded at the end */
	bool folded;         /* the tile holds all axes of literals, which fold away */
	double accumulators; /* vectors */
	double steps;        /* reduction steps in the innermost body */
	double bodies;       /* times that runs for one tile */
	double tiles;        /* of the size below */
	double all_tiles;    /* remainders included */
	double gain;         /* of the threads that share it; 1: one does all */
	int dealt;           /* axis of the loop they share, or TASK_NONE */
	int loop;            /* axis of the loop around the tile, or TASK_NONE */
	int64_t size[STAGE_AXES_MAX];  /* elements of the tile along each axis */
	int64_t units[STAGE_AXES_MAX]; /* the same, lanes counted as one */
	int64_t reach[STAGE_AXES_MAX]; /* from the first unit to the last, in elements */
} Nest;

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

/* The tile has `size` elements along the axis. */
static void
resize(Nest *n, int axis, int64_t size)
{
	int wide = axis == n->q->vec ? n->lanes : axis == n->q->dot ? n->terms : 1;

	n->size[axis] = size;
	n->units[axis] = (size + wide - 1) / wide;
	n->reach[axis] = (n->units[axis] - 1) * wide;
}

static void
place_axis(Nest *n, int axis)
{
	int64_t extent = n->s->extent[axis], size = tile_size(n, axis), rest = extent % size;
	int wide = axis == n->q->vec ? n->lanes : axis == n->q->dot ? n->terms : 1;
	double runs = (double)(extent / size);

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

static Nest
nest_of(const StageInfo *s, const StageSched *q, const Target *t)
{
	Nest n = {.s = s,
		  .q = q,
		  .t = t,
		  .steps = 1,
		  .bodies = 1,
		  .tiles = 1,
		  .all_tiles = 1,
		  .loop = TASK_NONE};

	n.gain = 1;
	n.dealt = TASK_NONE;

	n.lanes = q->vec == TASK_NONE ? 1 : q->lanes ? q->lanes : target_lanes(t);
	n.terms = q->dot == TASK_NONE ? 1 : target_lanes(t) / n.lanes;
	n.width = fmax(1, n.lanes / (double)target_lanes(t)) * (s->narrow ? 2 : 1);
	n.across = q->vec >= s->stage->nspatial;
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

static bool
reduces(const Nest *n)
{
	return n->s->stage->comb != COMB_NONE;
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

static double
tile_elements(const Nest *n, const Access *x)
{
	return distinct(x, n->units, n->reach);
}

/* Load operations of one body: vectors, scalars that are spread, or one per lane. */
static double
load_operations(const Nest *n, const Access *x, bool guarded)
{
	int vec = n->q->vec;
	double each = 1;

	if (x->is_literal && n->folded)
		return 0;
	if (vec != TASK_NONE && x->varies[vec] && !x->is_const && x->stride[vec] != 1)
		each = APART * n->lanes;
	if (x->by_value)
		each = BY_VALUE * n->lanes;
	if (guarded)
		each = each * 2 + GUARD_CYCLES;
	return tile_elements(n, x) * each;
}

static bool
is_guarded(const Nest *n, const Access *x)
{
	return x->guarded && !n->q->peel;
}

/* Vectors of windows: elements that several taps of the tile read live from one to the next. */
static double
window_registers(const Nest *n)
{
	double sum = 0;

	for (int i = 0; i < n->s->n; i++) {
		const Access *x = &n->s->access[i];
		double elements = tile_elements(n, x), reads = 1;

		for (int a = 0; a < n->s->naxes; a++)
			if (x->varies[a])
				reads *= (double)n->units[a];
		if (!x->final && !x->is_const && elements < reads)
			sum += elements;
	}
	return sum * WINDOW_ALIVE;
}

/* Vectors that hold what the tile multiplies by lanes: four terms of each row, or four rows of each
 * term where rows lie side by side. */
static double
lane_operands(const Nest *n, double rows)
{
	for (int i = 0; i < n->s->n; i++) {
		const Access *x = &n->s->access[i];

		for (int a = 0; a < n->s->stage->nspatial && !x->is_const && !x->final; a++)
			if (a != n->q->vec && x->stride[a] == 1 && n->size[a] % 4 == 0)
				return rows / 4;
	}
	return rows;
}

/* With a reduction loop around the tile: the accumulators, and of its two operands the one with
 * fewer vectors, while the other's stream by (the lowering orders the tile so). Vectors that serve
 * by lanes stay for all of their terms, however the tile is ordered. Shared lanes are brought
 * together by a constant, which stays too. */
static double
registers_in_loop(const Nest *n)
{
	int vec = n->q->vec;
	double along = vec == TASK_NONE || n->across ? 1 : (double)n->units[vec];
	double others = n->accumulators / n->q->par / along, operands = fmin(along, others) + 1;

	if (n->t->lane_splat)
		operands = lane_operands(n, others) + (along <= others ? along : 1);
	return n->accumulators + operands + (n->terms > 1) + window_registers(n);
}

/* Elements of inline stages that one body computes, and what they take, in operations. */
static double
inner_elements(const Nest *n)
{
	double sum = 0;

	for (int i = 0; i < n->s->ninner; i++)
		sum += n->s->inner[i].at.final ? 0 : tile_elements(n, &n->s->inner[i].at);
	return sum;
}

static double
inner_ops(const Nest *n, bool final)
{
	double sum = 0;

	for (int i = 0; i < n->s->ninner; i++)
		if (n->s->inner[i].at.final == final)
			sum += tile_elements(n, &n->s->inner[i].at) * n->s->inner[i].ops;
	return sum;
}

/* Without one, what does not vary with the loop outside is loaded before it and stays; few
 * constants do, many are loaded anew. */
static double
registers_unrolled(const Nest *n)
{
	double held = 0, constants = 0;

	for (int i = 0; i < n->s->n; i++) {
		const Access *x = &n->s->access[i];

		if (x->final || (x->is_literal && n->folded))
			continue;
		if (x->is_const)
			constants += tile_elements(n, x);
		else if (n->loop != TASK_NONE && !x->varies[n->loop])
			held += tile_elements(n, x);
	}
	held += constants <= SCHED_CONSTANTS_HELD ? constants : n->t->lane_splat ? LOADED_ANEW : 1;
	held += n->accumulators + inner_elements(n) + 1;
	return fmax(held, (held + window_registers(n)) * (n->t->lane_splat ? 1 : UNROLLED_EASE));
}

static double
registers(const Nest *n)
{
	if (!reduces(n))
		return PLAIN_REGISTERS;
	return n->bodies > 1 ? registers_in_loop(n) : registers_unrolled(n);
}

static double
nodes(const Nest *n)
{
	const StageInfo *s = n->s;
	double density = n->folded ? s->density : 1;
	double sum = n->accumulators * (n->steps * (s->body_ops * density + 1) + s->final_ops + 2);

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

	for (int i = 0; i <= n->s->n; i++) {
		const Access *x = i < n->s->n ? &n->s->access[i] : &n->s->store;
		double streams = 1;

		for (int a = 0; a < n->s->stage->naxes && !x->is_const; a++)
			if (x->varies[a] && a != n->q->vec &&
			    llabs(x->stride[a]) * x->bytes >= STREAM_BYTES)
				streams *= (double)n->size[a];
		sum += streams;
	}
	return fmax(0, sum - STREAMS);
}

/* Loads of one body; without a reduction loop, what does not vary with the loop outside stays. */
static double
body_loads(const Nest *n)
{
	int loop = n->bodies > 1 ? TASK_NONE : n->loop;
	double loads = 0, spilled = registers(n) * n->width - (double)n->t->vector_regs;

	for (int i = 0; i < n->s->n; i++) {
		const Access *x = &n->s->access[i];

		if (!x->final && (loop == TASK_NONE || x->varies[loop]))
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
 * chain through one accumulator, whichever takes longest. */
static double
body_cycles(const Nest *n)
{
	const Target *t = n->t;
	double density = n->folded ? n->s->density : 1;
	double terms = n->accumulators / n->q->par * n->steps * density;
	double ops = (terms * n->s->body_ops + inner_ops(n, false)) * n->width;
	double loads = body_loads(n), slots = loads * (t->lane_splat ? 1 : FOLDED_LOAD);
	double chain = (double)t->fma_latency * n->steps / n->q->par * fmax(1, n->s->body_ops * .5);
	double arithmetic = ops / t->fma_per_cycle, loading = loads / t->load_per_cycle, cycles;

	cycles = fmax(fmax(arithmetic, loading), fmax((ops + slots) / t->issue_per_cycle, chain));
	cycles += SHOWS_THROUGH * (arithmetic + loading + chain);
	cycles += prefetches(n) / t->load_per_cycle;
	cycles *= 1 + LONG_BODY * fmax(0, ops - BODY_OPERATIONS);
	return cycles * (1 + STREAM_CYCLES * streams_too_many(n));
}

/* Shuffles that add up the terms of a vector: one for each halving, one to bring the lanes
 * together. */
static double
terms_folded(const Nest *n)
{
	return n->terms > 1 ? log2(n->terms) + 1 : 0;
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
	if (reduces(n))
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

/* Cycles of all tiles from the given axis on: the whole ones, and with each axis that does not
 * divide, its remainder, which is a smaller tile. */
static double
tile_cycles(const Nest *n, int axis)
{
	Nest rest = *n;
	int64_t left = 0;
	double body = 0, cycles;

	for (; axis < n->s->stage->nspatial && !left; axis++)
		left = n->s->extent[axis] % n->size[axis];
	if (!left) {
		if (reduces(n))
			body = n->bodies * (body_cycles(n) + LOOP_CYCLES) +
			       END_CYCLES * loop_ends(n);
		return n->tiles * (body + final_cycles(n) + LOOP_CYCLES);
	}
	cycles = tile_cycles(n, axis);
	axis--;
	rest.tiles /= (double)(n->s->extent[axis] / n->size[axis]);
	rest.accumulators /= (double)n->units[axis];
	resize(&rest, axis, left);
	rest.accumulators *= (double)rest.units[axis];
	return cycles + tile_cycles(&rest, axis + 1);
}

static double
compute_ns(const Nest *n)
{
	return tile_cycles(n, 0) / n->t->ghz;
}

/* Bytes of x that a box of the given extents touches. */
static double
footprint(const Access *x, const int64_t *box)
{
	int64_t reach[STAGE_AXES_MAX];

	for (int i = 0; i < x->nterm; i++)
		reach[x->term[i].axis] = box[x->term[i].axis] - 1;
	return distinct(x, box, reach) * x->bytes;
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
 * fit brings anew what varies with it, and repeats what does not. Under shared loops a temporary
 * that fits stays there. */
static double
traffic(const Nest *n, double cache)
{
	int64_t box[STAGE_AXES_MAX];
	double bytes[ACCESS_MAX + 1], total = 0;
	bool fits = true;

	for (int a = 0; a < n->s->naxes; a++)
		box[a] = extent_before(n, a, n->q->n);
	for (int i = 0; i <= n->s->n; i++)
		bytes[i] = footprint(i < n->s->n ? &n->s->access[i] : &n->s->store, box);
	for (int l = n->q->n - 1; l >= 0; l--) {
		int a = n->q->split[l].axis;
		int64_t outer = extent_before(n, a, l);
		double times = (double)outer / (double)box[a], sum = 0;

		if (times <= 1)
			continue;
		box[a] = outer;
		for (int i = 0; i <= n->s->n; i++) {
			const Access *x = i < n->s->n ? &n->s->access[i] : &n->s->store;
			double whole = footprint(x, box), repeated = bytes[i] * times;

			if (fits)
				bytes[i] = whole;
			else
				bytes[i] = x->varies[a] ? fmax(whole, repeated) : repeated;
			sum += whole;
		}
		fits = fits && sum <= cache;
	}
	for (int i = 0; i <= n->s->n; i++) {
		const Access *x = i < n->s->n ? &n->s->access[i] : &n->s->store;

		if (!fits || n->s->rounds <= 1 || !x->is_tmp)
			total += bytes[i] /
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

	return fmax(traffic(n, CACHE_USED * (double)t->l1_bytes) / t->l2_gbs,
		    traffic(n, CACHE_USED * (double)t->l2_bytes) / beyond_l2);
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
	return (Cost){.ns = compute_ns(n), .registers = registers(n) * n->width, .nodes = nodes(n)};
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

	ns = hypot(compute / n->gain, MEMORY_SHOWS * memory) * n->s->rounds;
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
