/* Registers that a tile wants, in vectors of the schedule's lanes. */
#include <math.h>

#include "search_space/nest.h"

/* Of a stage without accumulators. */
enum { PLAIN_REGISTERS = 4 };

/* Windows: the part of their elements, or of those of a row of taps, that is alive at once, and
 * what the register allocator needs of it in straight code, where it loads some elements anew as
 * operands of arithmetic. */
static const double WINDOW_ALIVE = 1. / 3, ROW_ALIVE = .73, UNROLLED_EASE = .8;

/* The same of windows with lanes beside each other, whose elements are counted exactly. */
static const double STRAIGHT_EASE = .93;

/* Elements alive at once of those that a window touches. In straight code that may not read memory
 * as an operand they are loaded for all taps along the inner axes of the window. */
static double
window_alive(const Nest *n, const Access *x)
{
	int outer = n->s->stage->nspatial;
	Nest row = *n;

	if (!n->t->lane_splat || outer == n->s->stage->naxes)
		return nest_elements(n, x) * WINDOW_ALIVE;
	row.units[outer] = 1;
	row.reach[outer] = 0;
	return nest_elements(&row, x) * ROW_ALIVE;
}

/* The nest with one element along the axis. */
static Nest
with_one(const Nest *n, int axis)
{
	Nest one = *n;

	one.units[axis] = 1;
	one.reach[axis] = 0;
	return one;
}

/* Elements of x that, from one step along the axis of taps to the next, wait to be read again. */
static double
waiting(const Nest *n, const Access *x, int axis)
{
	double steps = (double)n->units[axis];
	Nest one = with_one(n, axis);

	if (steps <= 1)
		return 0;
	return fmax(0, (steps * nest_elements(&one, x) - nest_elements(n, x)) / (steps - 1));
}

/* Vectors of windows in straight code: what the next row of taps reads again, and of the row at
 * hand what its next tap does. */
static double
straight_window(const Nest *n)
{
	const Stage *st = n->s->stage;
	double sum = 0;

	for (int i = 0; i < n->s->n; i++) {
		const Access *x = &n->s->access[i];
		Nest at = *n;

		for (int r = st->nspatial; r < st->naxes && !x->is_const && !x->final; r++) {
			sum += waiting(&at, x, r);
			at = with_one(&at, r);
			for (int a = 0; a < st->nspatial; a++)
				if (nest_slides(x, a, r))
					at = with_one(&at, a);
		}
	}
	return sum;
}

/* Vectors of windows: elements that several taps of the tile read live from one to the next. */
static double
window_registers(const Nest *n)
{
	double sum = 0;

	for (int i = 0; i < n->s->n; i++) {
		const Access *x = &n->s->access[i];
		double elements = nest_elements(n, x), reads = 1;

		for (int a = 0; a < n->s->naxes; a++)
			if (x->varies[a])
				reads *= (double)n->units[a];
		if (!x->final && !x->is_const && elements < reads)
			sum += window_alive(n, x);
	}
	return sum;
}

/* Vectors of the operands where arithmetic takes none from memory and loads are brought forward: of
 * what differs between lanes those of one term; of what is multiplied by lanes four terms of each
 * row, or four rows of each term where rows lie side by side. */
static double
operands_loaded(const Nest *n, double rows)
{
	int vec = n->q->vec;
	double sum = 0;

	for (int i = 0; i < n->s->n; i++) {
		const Access *x = &n->s->access[i];
		double vectors = rows;

		if (x->final || (x->is_literal && n->folded))
			continue;
		for (int a = 0; a < n->s->stage->nspatial; a++)
			if (a != vec && x->stride[a] == 1 && n->size[a] % 4 == 0)
				vectors = rows / 4;
		if (x->is_const || (vec != TASK_NONE && x->varies[vec]))
			vectors = nest_elements(n, x) / n->steps;
		sum += vectors;
	}
	return sum;
}

/* With a reduction loop around the tile: the accumulators, and of its two operands the one with
 * fewer vectors, while the other's stream by (the lowering orders the tile so). Shared lanes are
 * brought together by a constant, which stays too. */
static double
registers_in_loop(const Nest *n)
{
	int vec = n->q->vec;
	double along = vec == TASK_NONE || n->across ? 1 : (double)n->units[vec];
	double others = n->accumulators / n->q->par / along, operands = fmin(along, others) + 1;

	if (n->t->lane_splat)
		operands = operands_loaded(n, others);
	return n->accumulators + operands + (n->terms > 1 && !n->bytes) + window_registers(n);
}

/* Elements of inline stages that one body computes. */
static double
inner_elements(const Nest *n)
{
	double sum = 0;

	for (int i = 0; i < n->s->ninner; i++)
		sum += n->s->inner[i].at.final ? 0 : nest_elements(n, &n->s->inner[i].at);
	return sum;
}

/* Without one, what does not vary with the loop outside is loaded before it and stays; few
 * constants do, many are loaded anew. Where arithmetic takes no operand from memory, code
 * generation brings the loads forward and many constants are alive after all. */
static double
registers_unrolled(const Nest *n)
{
	bool load_store = n->t->lane_splat;
	double held = 0, constants = 0;

	for (int i = 0; i < n->s->n; i++) {
		const Access *x = &n->s->access[i];

		if (x->final || (x->is_literal && n->folded))
			continue;
		if (x->is_const)
			constants += nest_elements(n, x);
		else if (n->loop != TASK_NONE && !x->varies[n->loop])
			held += nest_elements(n, x);
	}
	if (nest_is_straight(n) && !load_store)
		return fmax(n->accumulators + fmin(constants, SCHED_CONSTANTS_HELD) + 1,
			    (held + n->accumulators + straight_window(n) + 2) * STRAIGHT_EASE);
	held += load_store || constants <= SCHED_CONSTANTS_HELD ? constants : 1;
	held += n->accumulators + inner_elements(n) + 1;
	return fmax(held, (held + window_registers(n)) * (load_store ? 1 : UNROLLED_EASE));
}

double
nest_registers(const Nest *n)
{
	if (!nest_reduces(n))
		return PLAIN_REGISTERS;
	return n->bodies > 1 ? registers_in_loop(n) : registers_unrolled(n);
}
