/* Picks in order of their cost. */
#include <stdlib.h>
#include <string.h>

#include "search_space/options.h"
#include "search_space/space.h"

/* Of a variant's cost: what a stage takes whose options are worth being tried among the first. */
static const double WEIGHS = .15;

/* How far off the model may be, as a part of a stage's cost: neighbours that change a stage which
 * takes long promise more than ties of one that takes little. */
static const double DOUBT = .1;

typedef struct Ranked {
	Pick pick;
	double ns;
} Ranked;

typedef struct Heap {
	Arena *arena;
	const Space *s;
	VEC(Ranked) item; /* a binary heap, cheapest on top */
} Heap;

static bool
before(const Ranked *a, const Ranked *b)
{
	return a->ns < b->ns;
}

static void
swap(Ranked *a, Ranked *b)
{
	Ranked t = *a;

	*a = *b;
	*b = t;
}

static void
heap_push(Heap *h, const Pick *p)
{
	int i = h->item.n;

	vec_push(h->arena, &h->item, ((Ranked){*p, space_cost(h->s, p)}));
	for (; i && before(&h->item.v[i], &h->item.v[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&h->item.v[i], &h->item.v[(i - 1) / 2]);
}

static Pick
heap_pop(Heap *h)
{
	Pick top = h->item.v[0].pick;
	int n = --h->item.n;

	h->item.v[0] = h->item.v[n];
	for (int i = 0, k; (k = 2 * i + 1) < n; i = k) {
		if (k + 1 < n && before(&h->item.v[k + 1], &h->item.v[k]))
			k++;
		if (!before(&h->item.v[k], &h->item.v[i]))
			break;
		swap(&h->item.v[k], &h->item.v[i]);
	}
	return top;
}

/* Whether the stage takes enough of the variant's time for its options to matter among the first.
 */
static bool
weighs(const Heap *h, int variant, int stage)
{
	const Pick first = {.variant = variant};

	return h->s->variant.v[variant].stage[stage].option.v[0].ns >=
	       WEIGHS * space_cost(h->s, &first);
}

/* The successors of a pick: one stage a step worse. A stage below the last one that was moved
 * stays, so that no pick is reached twice. */
static void
push_successors(Heap *h, const Pick *p)
{
	const Variant *v = &h->s->variant.v[p->variant];
	int last = 0;

	for (int i = 0; i < v->task->stage.n; i++)
		if (p->option[i])
			last = i;
	for (int i = last; i < v->task->stage.n; i++) {
		Pick next = *p;

		if (++next.option[i] < v->stage[i].option.n && weighs(h, p->variant, i))
			heap_push(h, &next);
	}
}

static bool
has_variant(const Pick *list, int n, int variant)
{
	for (int i = 0; i < n; i++)
		if (list[i].variant == variant)
			return true;
	return false;
}

static int
by_cost(const void *a, const void *b)
{
	const Ranked *x = a, *y = b;

	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

static void
sort_picks(const Space *s, Arena *a, Pick *list, int n)
{
	Ranked *r = ARENA_ARRAY(a, Ranked, n + 1);

	for (int i = 0; i < n; i++)
		r[i] = (Ranked){list[i], space_cost(s, &list[i])};
	qsort(r, (size_t)n, sizeof *r, by_cost);
	for (int i = 0; i < n; i++)
		list[i] = r[i].pick;
}

int
space_top(const Space *s, int max, Pick *out)
{
	Arena *a = arena_new();
	Heap h = {.arena = a, .s = s};
	int n = 0, at;

	for (int v = 0; v < s->variant.n; v++)
		heap_push(&h, &(Pick){.variant = v});
	while (n < max && h.item.n) {
		out[n] = heap_pop(&h);
		push_successors(&h, &out[n++]);
	}
	/* The dearest that are not alone of their variant make room for variants that are not
	 * among the cheapest. */
	at = n - 1;
	for (int v = 0; v < s->variant.n; v++) {
		if (has_variant(out, n, v))
			continue;
		while (at > 0 && !has_variant(out, at, out[at].variant))
			at--;
		if (at > 0)
			out[at--] = (Pick){.variant = v};
	}
	sort_picks(s, a, out, n);
	arena_free(a);
	return n;
}

int
options_apart(const Option *a, const Option *b)
{
	int n = 0;

	for (int k = 0; k < SPACE_KNOBS_MAX; k++)
		n += a->knob[k] != b->knob[k];
	return n;
}

int
space_neighbours(const Space *s, const Pick *p, int max, Pick *out)
{
	const Variant *v = &s->variant.v[p->variant];
	Arena *a = arena_new();
	VEC(Ranked) list = {0};
	int n;

	for (int i = 0; i < v->task->stage.n; i++)
		for (int k = 0; k < v->stage[i].option.n; k++) {
			Pick q = *p;

			if (k == p->option[i] ||
			    options_apart(&v->stage[i].option.v[k],
					  &v->stage[i].option.v[p->option[i]]) != 1)
				continue;
			q.option[i] = k;
			vec_push(a, &list,
				 ((Ranked){q, space_cost(s, &q) -
						      DOUBT * v->stage[i].option.v[k].ns}));
		}
	n = list.n < max ? list.n : max;
	if (list.n)
		qsort(list.v, (size_t)list.n, sizeof *list.v, by_cost);
	for (int i = 0; i < n; i++)
		out[i] = list.v[i].pick;
	arena_free(a);
	return n;
}

/* A value of a knob that a stage's first option does not have. */
typedef struct Novelty {
	Pick pick; /* the cheapest with it */
	int share; /* options that have it */
} Novelty;

static int
by_share(const void *a, const void *b)
{
	const Novelty *x = a, *y = b;

	return x->share != y->share ? y->share - x->share
				    : memcmp(&x->pick, &y->pick, sizeof x->pick);
}

/* The model is at its best where only tiles differ. */
static bool
is_varied(int knob)
{
	return knob != KNOB_TILE_A && knob != KNOB_TILE_B && knob != KNOB_TILE_C;
}

/* How many options have the value that option k has of a knob; 0 when a cheaper one has it. */
static int
share_of_new(const StageOptions *o, int k, int knob)
{
	int n = 0;

	for (int i = 0; i < o->option.n; i++) {
		bool same = o->option.v[i].knob[knob] == o->option.v[k].knob[knob];

		if (same && i < k)
			return 0;
		n += same;
	}
	return n;
}

/* The largest share of a value that only option k and dearer ones have; 0: there is none. */
static int
novelty(const StageOptions *o, int k)
{
	int most = 0;

	for (int knob = 0; knob < KNOB_COUNT; knob++) {
		int share = is_varied(knob) ? share_of_new(o, k, knob) : 0;

		most = share > most ? share : most;
	}
	return most;
}

int
space_varied(const Space *s, int variant, double most, int max, Pick *out)
{
	const Variant *v = &s->variant.v[variant];
	const Pick first = {.variant = variant};
	double all = space_cost(s, &first);
	Arena *a = arena_new();
	VEC(Novelty) list = {0};
	int n;

	for (int i = 0; i < v->task->stage.n; i++) {
		const StageOptions *o = &v->stage[i];

		for (int k = 1; k < o->option.n && o->option.v[0].ns >= WEIGHS * all; k++) {
			Novelty x = {first, novelty(o, k)};

			x.pick.option[i] = k;
			if (x.share && space_cost(s, &x.pick) <= most)
				vec_push(a, &list, x);
		}
	}
	n = list.n < max ? list.n : max;
	if (list.n)
		qsort(list.v, (size_t)list.n, sizeof *list.v, by_share);
	for (int i = 0; i < n; i++)
		out[i] = list.v[i].pick;
	arena_free(a);
	return n;
}
