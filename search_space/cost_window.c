/* Windows that reduce over nothing but their taps, with lanes beside each other in what they slide
 * over: depthwise convolutions. They do so little with what they load that caches decide:
 * how lines spread over a cache's sets and banks, which loops a cache carries from one row of tiles
 * to the next, and how many rows a tile walks.
 *
 * Fitted to 80 tiles of 18 depthwise layers on an AVX-512 machine. */
#include <math.h>
#include <stdlib.h>

#include "base/number.h"
#include "search_space/nest.h"

/* Addresses so far apart share the sets of a first cache, or the banks of a second. */
enum { SETS_BYTES = 4096, BANKS_BYTES = 512, PAGE_BYTES = 4096 };

/* The part of the banks that gives the whole rate, and what a smaller one costs far accesses. */
static const double BANKS_ENOUGH = .25, BANKS_FAR = .3;

/* For every row that a tile walks in pages of its own; for every one too many. */
static const double ROW_MEMORY = .005, ROW_TOO_MANY = .03;
enum { ROWS_MANY = 12 };

/* The part of the second cache in which operands stay from one layer to the next. */
static const double STAYS = .7;

/* Whether x moves along one dimension with both axes. */
bool
nest_slides(const Access *x, int a, int b)
{
	for (int i = 0; i < x->nterm; i++)
		for (int k = 0; k < x->nterm; k++)
			if (x->term[i].axis == a && x->term[k].axis == b &&
			    x->term[i].dim == x->term[k].dim)
				return true;
	return false;
}

/* Whether the reduction axis moves with a spatial one in something whose elements are lanes. */
static bool
is_tap(const StageInfo *s, int axis, int vec)
{
	for (int i = 0; i < s->n; i++)
		for (int a = 0; a < s->stage->nspatial; a++)
			if (!s->access[i].is_const && s->access[i].varies[vec] && a != vec &&
			    nest_slides(&s->access[i], axis, a))
				return true;
	return false;
}

bool
nest_is_window(const StageInfo *s, int vec)
{
	const Stage *st = s->stage;
	bool weighted = false;

	if (vec == TASK_NONE || vec >= st->nspatial || st->naxes == st->nspatial || s->ninner)
		return false;
	for (int i = 0; i < s->n; i++) {
		if (s->access[i].is_literal)
			return false;
		weighted |= s->access[i].is_const && !s->access[i].final;
	}
	if (!weighted)
		return false;
	for (int r = st->nspatial; r < st->naxes; r++)
		if (!is_tap(s, r, vec))
			return false;
	return true;
}

/* The part of the places in a period of addresses on which a box of x lies. */
static double
part_used(const Nest *n, const Access *x, const int64_t *box, int64_t period)
{
	int64_t run = LINE_BYTES, apart = period;
	double places = 1;

	for (int a = 0; a < n->s->naxes; a++) {
		int64_t step = llabs(x->stride[a]) * x->bytes;

		if (!x->varies[a] || box[a] <= 1)
			continue;
		if (step > x->bytes) {
			places *= fmin((double)box[a], (double)(period / gcd64(step, period)));
			apart = gcd64(step, apart);
		} else if (box[a] * x->bytes > run)
			run = box[a] * x->bytes;
	}
	return fmin(1, (double)run * fmin(1 / (double)apart, places / (double)period));
}

double
nest_sets_used(const Nest *n, const Access *x, const int64_t *box)
{
	return x->is_const || !n->window ? 1 : part_used(n, x, box, SETS_BYTES);
}

static const Access *
access_or_store(const StageInfo *s, int i)
{
	return i < s->n ? &s->access[i] : &s->store;
}

/* The least part of the banks that consecutive tiles of an operand use. */
static double
banks_used(const Nest *n)
{
	int64_t box[STAGE_AXES_MAX];
	double least = 1;

	for (int a = 0; a < n->s->naxes; a++)
		box[a] = a == n->loop ? n->s->extent[a] : n->size[a];
	for (int i = 0; i <= n->s->n; i++) {
		const Access *x = access_or_store(n->s, i);

		if (!x->is_const)
			least = fmin(least, part_used(n, x, box, BANKS_BYTES));
	}
	return least;
}

/* Rows of operands, a page or more from each other, in a tile. */
static double
rows_walked(const Nest *n)
{
	double rows = 0;

	for (int i = 0; i <= n->s->n; i++) {
		const Access *x = access_or_store(n->s, i);

		rows += x->is_const ? 0 : nest_apart(n, x, PAGE_BYTES);
	}
	return rows;
}

double
nest_window_ns(const Nest *n, double near_bytes, double far_bytes)
{
	const Target *t = n->t;
	double beyond = t->l3_bytes ? t->l3_gbs : t->dram_gbs, banks = banks_used(n), all = 0;
	double rows = rows_walked(n), near, far;

	for (int i = 0; i <= n->s->n; i++)
		all += access_or_store(n->s, i)->footprint;
	if (all <= STAYS * (double)t->l2_bytes)
		far_bytes = 0;
	near = near_bytes / t->l2_gbs / fmin(1, banks / BANKS_ENOUGH);
	far = far_bytes / beyond + fmax(0, near_bytes - far_bytes) / t->l2_gbs;
	far *= 1 + BANKS_FAR * fmax(0, 1 - banks / BANKS_ENOUGH) * 2;
	return fmax(near, far) * (1 + ROW_MEMORY * rows + ROW_TOO_MANY * fmax(0, rows - ROWS_MANY));
}
