/* A Space of several stages has more picks than can be looked at. */
#include "tuner/candidates.h"

#include <stdlib.h>
#include <string.h>

enum {
	TOP = 1500,    /* of a Space too large to be taken whole: its cheapest, */
	RANDOM = 1000, /* random ones, */
	CENTRES = 8,   /* and neighbours of its fastest, */
	NEAR = 256,    /* so many of each */
};

static void
add(const Tried *t, Arena *a, Candidates *list, const Pick *p)
{
	if (space_cost(t->space, p) <= t->cost_max)
		vec_push(a, list, ((Candidate){.pick = *p}));
}

/* The pick after p in its variant; false at the last. */
static bool
next_pick(const Variant *v, Pick *p)
{
	for (int i = 0; i < v->task->stage.n; i++) {
		if (++p->option[i] < v->stage[i].option.n)
			return true;
		p->option[i] = 0;
	}
	return false;
}

static void
add_all(const Tried *t, Arena *a, Candidates *list)
{
	for (int v = 0; v < t->space->variant.n; v++) {
		Pick p = {.variant = v};

		do
			add(t, a, list, &p);
		while (next_pick(&t->space->variant.v[v], &p));
	}
}

static void
add_sample(Tried *t, Arena *a, Candidates *list)
{
	Pick *pick = ARENA_ARRAY(a, Pick, TOP > NEAR ? TOP : NEAR);
	int at[CENTRES], best = tried_best(t, CENTRES, at), n = space_top(t->space, TOP, pick);

	for (int i = 0; i < n; i++)
		add(t, a, list, &pick[i]);
	for (int c = 0; c < best; c++) {
		n = space_neighbours(t->space, &t->list.v[at[c]].pick, NEAR, pick);
		for (int i = 0; i < n; i++)
			add(t, a, list, &pick[i]);
	}
	for (int i = 0; i < RANDOM; i++) {
		Pick p = space_random(t->space, &t->rng);

		add(t, a, list, &p);
	}
}

void
candidates_add(Tried *t, Arena *a, Candidates *out)
{
	if (space_rows(t->space) <= CANDIDATES_WHOLE)
		add_all(t, a, out);
	else
		add_sample(t, a, out);
}

static int
by_score(const void *a, const void *b)
{
	const Candidate *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return memcmp(&x->pick, &y->pick, sizeof x->pick);
}

void
candidates_sort(Candidates *list)
{
	if (list->n)
		qsort(list->v, (size_t)list->n, sizeof *list->v, by_score);
}
