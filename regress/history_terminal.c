/* Series -> text: those that changed, the one that got slowest first. */
#include <stdlib.h>
#include <string.h>

#include "regress/history.h"
#include "regress/words.h"

/* How much slower the last part is than the first. */
static double
creep(const HistorySeries *s)
{
	return s->change.n ? s->change.v[s->change.n - 1].after / s->change.v[0].before : 1;
}

static int
by_creep(const void *x, const void *y)
{
	const HistorySeries *a = *(const HistorySeries *const *)x;
	const HistorySeries *b = *(const HistorySeries *const *)y;

	if (creep(a) != creep(b))
		return creep(a) < creep(b) ? 1 : -1;
	return strcmp(a->name, b->name);
}

static void
change(const HistorySeries *s, const HistoryChange *c, Arena *a, Str *out)
{
	const RegressPast *past = &s->point.v[c->at];

	str_printf(out, "    %s  %+.1f %%  %s -> %s%s%s%s\n", words_time(a, past->time),
		   100 * (c->after / c->before - 1), words_ns(a, c->before), words_ns(a, c->after),
		   *past->label ? ", hone " : "", words_clean(a, past->label),
		   c->confirmed ? "" : " (one of two tests says so)");
}

static void
series(const HistorySeries *s, const RegressView *v, Arena *a, Str *out)
{
	if (v->color)
		str_add(out, creep(s) > 1 ? "\033[31m" : "\033[32m");
	str_printf(out, "%s: %+.1f %% over %d results", words_clean(a, s->name),
		   100 * (creep(s) - 1), s->point.n);
	if (v->color)
		str_add(out, "\033[0m");
	str_printf(out, ", %s on %s\n", words_clean(a, s->suite), words_clean(a, s->board));
	for (int i = 0; i < s->change.n; i++)
		change(s, &s->change.v[i], a, out);
}

void
history_terminal(History *h, const RegressView *v, Arena *a, Str *out)
{
	int n, count = 0, few = 0, results = history_results(h);
	const HistorySeries *all = history_changes(h, &n), **changed;

	changed = ARENA_ARRAY(a, const HistorySeries *, n + 1);
	for (int i = 0; i < n; i++) {
		if (all[i].change.n)
			changed[count++] = &all[i];
		few += all[i].point.n < 2 * HISTORY_SEGMENT;
	}
	qsort(changed, (size_t)count, sizeof *changed, by_creep);
	for (int i = 0; i < count; i++)
		series(changed[i], v, a, out);
	str_printf(out,
		   "%d result%s, %d kernels: %d changed, %d did not, %d have too few results\n",
		   results, results == 1 ? "" : "s", n, count, n - count - few, few);
}
