/* Runs of the tuner, and the time of tuning: that of all runs in a row, without the pauses between
 * them. What several boards did in a run, a session each, was at the same time. A row's time is in
 * whole seconds, and so is everything made from it. */
#include <stdlib.h>
#include <string.h>

#include "report/parts.h"

static const int64_t DAY = 86400;

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const ReportRun *)a)->name, ((const ReportRun *)b)->name);
}

static int
by_begin(const void *a, const void *b)
{
	const ReportRun *x = a, *y = b;

	return x->began != y->began ? (x->began > y->began) - (x->began < y->began) : by_name(a, b);
}

/* A session is named after the second it began in. What is not believable is not believed. */
static int64_t
began(const ReportRun *r)
{
	int64_t named = strtoll(r->name, NULL, 10);

	return named <= r->began && named > r->began - DAY ? named : r->began;
}

static ReportRun *
run_of(const ReportRuns *runs, const char *name)
{
	ReportRun wanted = {.name = name};

	return runs->n ? bsearch(&wanted, runs->named, (size_t)runs->n, sizeof wanted, by_name)
		       : NULL;
}

static const Session *
session_named(Log *l, Arena *a, const char *name)
{
	Session *s = ARENA_NEW(a, Session);
	const char *text;
	Err ignored = {0};

	if (log_get_text(l, a, LOG_TEXT_SESSION, name, &text, &ignored) ||
	    session_parse(text, a, s, &ignored))
		return NULL;
	return s;
}

/* One per name, with first and last time. */
static int
merge(ReportRun *v, int n)
{
	int kept = 0;

	qsort(v, (size_t)n, sizeof *v, by_name);
	for (int i = 0; i < n; i++) {
		ReportRun *last = kept ? &v[kept - 1] : NULL;

		if (!last || strcmp(last->name, v[i].name)) {
			v[kept++] = v[i];
			continue;
		}
		last->began = v[i].began < last->began ? v[i].began : last->began;
		last->ended = v[i].ended > last->ended ? v[i].ended : last->ended;
	}
	return kept;
}

/* Sessions of a run, which lie side by side by name, get the times of all of it. */
static void
join(ReportRun *v, int n)
{
	for (int i = 0, end; i < n; i = end) {
		ReportRun all = v[i];

		for (end = i + 1; end < n && !strcmp(v[end].run, all.run); end++) {
			all.began = v[end].began < all.began ? v[end].began : all.began;
			all.ended = v[end].ended > all.ended ? v[end].ended : all.ended;
		}
		for (int k = i; k < end; k++) {
			v[k].began = all.began;
			v[k].ended = all.ended;
		}
	}
}

static void
place(ReportRuns *runs)
{
	for (int i = 0; i < runs->n; i++) {
		ReportRun *r = &runs->v[i];

		r->again = i && !strcmp(r->run, r[-1].run);
		r->offset = r->again ? r[-1].offset : runs->seconds;
		runs->seconds += r->again ? 0 : (double)(r->ended - r->began);
	}
}

ReportRuns
report_runs(Log *l, Arena *a, const LogRow *const *row, int n)
{
	ReportRuns runs = {.v = ARENA_ARRAY(a, ReportRun, n + 1)};

	for (int i = 0; i < n; i++) {
		const ReportRun *last = runs.n ? &runs.v[runs.n - 1] : NULL;

		if (last && last->name == row[i]->session && last->ended == row[i]->time)
			continue;
		runs.v[runs.n++] = (ReportRun){
			.name = row[i]->session, .began = row[i]->time, .ended = row[i]->time};
	}
	runs.n = merge(runs.v, runs.n);
	for (int i = 0; i < runs.n; i++) {
		ReportRun *r = &runs.v[i];

		r->began = began(r);
		r->run = arena_printf(a, "%.*s", (int)strcspn(r->name, "."), r->name);
		r->session = session_named(l, a, r->name);
	}
	join(runs.v, runs.n);
	qsort(runs.v, (size_t)runs.n, sizeof *runs.v, by_begin);
	place(&runs);
	runs.named = arena_copy(a, runs.v, (size_t)runs.n * sizeof *runs.v);
	qsort(runs.named, (size_t)runs.n, sizeof *runs.named, by_name);
	return runs;
}

double
report_seconds(const ReportRuns *runs, const LogRow *r)
{
	const ReportRun *run = run_of(runs, r->session);

	return run ? run->offset + (double)(r->time - run->began) : 0;
}
