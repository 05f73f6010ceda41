/* Greedy placement of blocks with lifetimes: in the order of their sizes, each in the tightest gap
 * among the blocks already placed that are live at a common step. While that is above the bound, a
 * block that reaches the top is moved forward in the order and all is placed again: a seeded climb
 * of bounded work, so that equal items give equal plans. */
#include "graph/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

enum { CLIMB_MAX = 2000, CLIMB_WORK = 40000000 };

static size_t
rounded(size_t bytes)
{
	return (bytes + MEMORY_ALIGN - 1) / MEMORY_ALIGN * MEMORY_ALIGN;
}

static int
by_size(const void *a, const void *b)
{
	const MemoryItem *x = *(MemoryItem *const *)a, *y = *(MemoryItem *const *)b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return x < y ? -1 : x > y;
}

static int
by_offset(const void *a, const void *b)
{
	const MemoryItem *x = *(MemoryItem *const *)a, *y = *(MemoryItem *const *)b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* placed: in ascending order of offset. */
static size_t
tightest_gap(MemoryItem *const *placed, int n, const MemoryItem *x)
{
	size_t end = 0, need = rounded(x->bytes), best = SIZE_MAX, best_gap = SIZE_MAX;

	for (int i = 0; i < n; i++) {
		const MemoryItem *p = placed[i];

		if (p->last < x->first || p->first > x->last)
			continue;
		if (p->offset >= end + need && p->offset - end < best_gap) {
			best = end;
			best_gap = p->offset - end;
		}
		if (p->offset + rounded(p->bytes) > end)
			end = p->offset + rounded(p->bytes);
	}
	return best == SIZE_MAX ? end : best;
}

static void
insert(MemoryItem **placed, int n, MemoryItem *x)
{
	int i = n;

	for (; i > 0 && by_offset(&placed[i - 1], &x) > 0; i--)
		placed[i] = placed[i - 1];
	placed[i] = x;
}

static size_t
lower_bound(const MemoryItem *item, int n, Arena *tmp)
{
	size_t *live, most = 0;
	int steps = 0;

	for (int i = 0; i < n; i++)
		if (item[i].last >= steps)
			steps = item[i].last + 1;
	live = ARENA_ARRAY(tmp, size_t, steps + 1);
	for (int i = 0; i < n; i++)
		for (int s = item[i].first; s <= item[i].last; s++)
			live[s] += rounded(item[i].bytes);
	for (int s = 0; s < steps; s++)
		if (live[s] > most)
			most = live[s];
	return most;
}

/* Places the items in this order; returns the size of the region. */
static size_t
place_all(MemoryItem *const *order, int n, MemoryItem **placed)
{
	size_t bytes = 0;

	for (int i = 0; i < n; i++) {
		MemoryItem *x = order[i];

		x->offset = tightest_gap(placed, i, x);
		insert(placed, i, x);
		if (x->offset + rounded(x->bytes) > bytes)
			bytes = x->offset + rounded(x->bytes);
	}
	return bytes;
}

/* Moves an item that ends at the top of the region to some place before its own. */
static void
promote(MemoryItem **order, int n, size_t bytes, Rng *rng)
{
	int top = 0, to;
	MemoryItem *x;

	for (int i = 0; i < n; i++)
		if (order[i]->offset + rounded(order[i]->bytes) == bytes)
			top = i;
	if (!top)
		return;
	to = (int)rng_below(rng, (uint64_t)top);
	x = order[top];
	memmove(&order[to + 1], &order[to], (size_t)(top - to) * sizeof(MemoryItem *));
	order[to] = x;
}

/* From the offsets of order[] to fewer bytes, as far as the work allowed takes it. */
static size_t
climb(MemoryItem **order, int n, size_t bytes, size_t bound, Arena *tmp)
{
	MemoryItem **placed = ARENA_ARRAY(tmp, MemoryItem *, n + 1);
	MemoryItem **best = ARENA_ARRAY(tmp, MemoryItem *, n + 1);
	int64_t rounds = CLIMB_WORK / ((int64_t)n * n + 1);
	size_t now = bytes;
	Rng rng;

	rng_init(&rng, 1);
	memcpy(best, order, (size_t)n * sizeof(MemoryItem *));
	for (int64_t i = 0; i < rounds && i < CLIMB_MAX && bytes > bound; i++) {
		promote(order, n, now, &rng);
		now = place_all(order, n, placed);
		if (now <= bytes) {
			bytes = now;
			memcpy(best, order, (size_t)n * sizeof(MemoryItem *));
		} else {
			memcpy(order, best, (size_t)n * sizeof(MemoryItem *));
			now = place_all(order, n, placed);
		}
	}
	return place_all(best, n, placed);
}

MemoryPlan
memory_plan(MemoryItem *item, int n, Arena *tmp)
{
	MemoryItem **order = ARENA_ARRAY(tmp, MemoryItem *, n + 1);
	MemoryItem **placed = ARENA_ARRAY(tmp, MemoryItem *, n + 1);
	MemoryPlan p = {.bound = lower_bound(item, n, tmp)};
	int used = 0;

	for (int i = 0; i < n; i++) {
		item[i].offset = 0;
		if (item[i].bytes)
			order[used++] = &item[i];
	}
	qsort(order, (size_t)used, sizeof(MemoryItem *), by_size);
	p.bytes = place_all(order, used, placed);
	if (p.bytes > p.bound)
		p.bytes = climb(order, used, p.bytes, p.bound, tmp);
	return p;
}

double
memory_efficiency(const MemoryPlan *p)
{
	return p->bytes ? (double)p->bound / (double)p->bytes : 1;
}

void
memory_print(const MemoryItem *item, int n, const MemoryPlan *p, Str *out)
{
	str_printf(out, "%zu bytes, at least %zu, efficiency %.3f\n", p->bytes, p->bound,
		   memory_efficiency(p));
	for (int i = 0; i < n; i++)
		if (item[i].bytes)
			str_printf(out, "%10zu %10zu  steps %d..%d\n", item[i].offset,
				   item[i].bytes, item[i].first, item[i].last);
}
