/* The nearest source goes first. A Sched from another Target stands for two picks, for the tile
 * that was best there says least of what is best here. */
#include "tuner/warm.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tuner/candidates.h"
#include "tuner/warm_learn.h"

const char *
warm_stage(WarmFrom from)
{
	static const char *const text[] = {
#define X(name, text) text,
		WARM_LIST(X)
#undef X
	};

	return text[from];
}

static bool
nearer(const WarmSource *a, const WarmSource *b)
{
	return a->from != b->from ? a->from < b->from : a->apart < b->apart;
}

void
warm_add(Warm *w, Arena *a, const WarmSource *s)
{
	int at = w->source.n, alike = 0, n = 0;

	vec_push(a, &w->source, *s);
	for (; at > 0 && nearer(s, &w->source.v[at - 1]); at--)
		w->source.v[at] = w->source.v[at - 1];
	w->source.v[at] = *s;
	for (int i = 0; i < w->source.n; i++) {
		alike += w->source.v[i].from == s->from;
		if (w->source.v[i].from != s->from || alike <= WARM_EACH)
			w->source.v[n++] = w->source.v[i];
	}
	w->source.n = n;
}

static void
offer(const Space *s, const Pick *p, const char *stage, int max, Proposal *out, int *n)
{
	for (int i = 0; i < *n; i++)
		if (pick_equal(s, &out[i].pick, p))
			return;
	if (*n < max)
		out[(*n)++] = (Proposal){*p, stage};
}

/* --- rows that stand for picks --- */

enum { NEAR_MOST = 4 };

/* How much is taken of a kind: rows of a source, ways to read each, and how many proposals there
 * may be before it adds none. More of them only delay what the search would find by itself. */
static const struct {
	int rows, ways, most;
} taken[WARM_COUNT] = {
	[WARM_DEVICE] = {3, 1, NEAR_MOST},
	[WARM_FORM] = {3, 1, NEAR_MOST},
	[WARM_TARGET] = {1, 2, NEAR_MOST / 2},
	[WARM_SHAPE] = {1, 1, NEAR_MOST / 2},
};

/* Picks that are nearest to the fastest rows. */
static int
near_picks(const Warm *w, const Space *s, Proposal out[NEAR_MOST])
{
	static const NearTile how[] = {NEAR_FILLED, NEAR_CHEAPEST};
	int n = 0;

	for (int i = 0; i < w->source.n; i++) {
		const WarmSource *x = &w->source.v[i];

		for (int k = 0; k < taken[x->from].rows * taken[x->from].ways; k++) {
			int row = k / taken[x->from].ways, way = k % taken[x->from].ways;
			Pick p;

			if (row < x->n &&
			    !space_near(s, x->row[row].sched, x->target, how[way], &p))
				offer(s, &p, warm_stage(x->from), taken[x->from].most, out, &n);
		}
	}
	return n;
}

/* --- what rows teach --- */

/* All candidates, in the order that the nearest source which teaches gives them; neighbours of
 * `near` are among them. *from: that source; NULL: none does, and the list is empty. */
static Candidates
learnt(const Warm *w, const Space *s, const Proposal *near, int nnear, Arena *a,
       const WarmSource **from)
{
	const WarmModel *m = NULL;
	Candidates list = {0};
	Proposal ignored;
	Tried t;

	for (int i = 0; i < w->source.n && !m; i++) {
		*from = &w->source.v[i];
		m = warm_learn(*from, s, a);
	}
	if (!m)
		return list;
	tried_init(&t, a, s, &(SearchOptions){0});
	for (int i = 0; i < nnear; i++) {
		int n = 0;

		if (tried_offer(&t, &near[i].pick, near[i].stage, &ignored, &n))
			tried_report(&t, &near[i].pick, 1);
	}
	candidates_add(&t, a, &list);
	for (int i = 0; i < list.n; i++)
		list.v[i].score = warm_score(m, &list.v[i].pick);
	candidates_sort(&list);
	return list;
}

/* Those nearest to the fastest rows in turns with those that all rows speak for. */
int
warm_proposals(const Warm *w, const Space *s, int max, Proposal *out)
{
	Arena *work = arena_new();
	const WarmSource *from = NULL;
	Proposal near[NEAR_MOST];
	int nnear = near_picks(w, s, near), n = 0;
	Candidates list = learnt(w, s, near, nnear, work, &from);

	for (int i = 0, at = 0; n < max && (i < nnear || at < list.n); i++) {
		if (i < nnear)
			offer(s, &near[i].pick, near[i].stage, max, out, &n);
		for (int before = n; at < list.n && n == before && n < max; at++)
			offer(s, &list.v[at].pick, warm_stage(from->from), max, out, &n);
	}
	arena_free(work);
	return n;
}

/* --- kinds --- */

static bool
begins(const char *line, const char *word)
{
	return !strncmp(line, word, strlen(word));
}

/* The line without its numbers; those that are extents join the list. A number that is part of a
 * name stays, a factor goes. */
static void
add_line(Kind *k, Arena *a, const char *line, size_t n, bool extents, Str *out)
{
	for (size_t i = 0; i < n; i++) {
		char *end;
		double v;

		if (!isdigit((unsigned char)line[i]) ||
		    (i && isalnum((unsigned char)line[i - 1]))) {
			str_addn(out, line + i, 1);
			continue;
		}
		v = strtod(line + i, &end);
		i = (size_t)(end - line) - 1;
		if (extents && v > 0)
			vec_push(a, &k->extent, v);
		if (line[i + 1] == '*')
			i++;
		else
			str_add(out, "#");
	}
	str_add(out, "\n");
}

Kind
kind_of(const char *text, Arena *a)
{
	bool inside = false, reduces = false;
	Str kept = {0};
	Kind k = {0};

	while (*text) {
		size_t n;

		text += strspn(text, " ");
		n = strcspn(text, "\n");
		if (begins(text, "stage ")) {
			add_line(&k, a, text, n, true, &kept);
			inside = true;
			reduces = false;
		} else if (inside && !reduces) {
			add_line(&k, a, text, n, false, &kept);
			reduces = begins(text, "acc ");
		}
		text += n + (text[n] == '\n');
	}
	k.text = arena_strdup(a, str_get(&kept));
	str_fini(&kept);
	return k;
}

double
kind_apart(const Kind *a, const Kind *b)
{
	double sum = 0;

	if (a->extent.n != b->extent.n || strcmp(a->text, b->text) != 0)
		return INFINITY;
	for (int i = 0; i < a->extent.n; i++)
		sum += fabs(log2(a->extent.v[i] / b->extent.v[i]));
	return sum;
}
