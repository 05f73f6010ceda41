/* Results of many days -> series. Everything of an added result is kept raw until history_changes
 * knows what the canaries of all days say. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/median.h"
#include "regress/history.h"
#include "regress/out_json.h"
#include "regress/stats.h"

/* A time of one day. */
typedef struct Sample {
	const char *board_key, *board, *suite, *name;
	int result;
	double ns;
	RegressVerdict verdict;
} Sample;

typedef struct Day {
	int64_t time;
	const char *label;
	double factor; /* how much slower than usual the board was, by its canaries */
} Day;

struct History {
	Arena *arena;
	VEC(Day) day;
	VEC(Sample) sample, canary;
	VEC(HistorySeries) series;
};

History *
history_new(void)
{
	Arena *a = arena_new();
	History *h = ARENA_NEW(a, History);

	h->arena = a;
	return h;
}

void
history_free(History *h)
{
	if (h)
		arena_free(h->arena);
}

int
history_results(const History *h)
{
	return h->day.n;
}

/* --- reading --- */

static bool
time_of(const char *text, int64_t *out)
{
	struct tm tm = {0};
	int n = 0;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 6 ||
	    !n || text[n])
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*out = (int64_t)timegm(&tm);
	return true;
}

static int
check(const Json *in, Day *day, Err *e)
{
	const char *format = json_get_text(in, "format", "");

	if (strcmp(format, REGRESS_JSON_FORMAT))
		return err_set(e, ERR_INPUT, "no result of hone regress --format json");
	if (json_get_number(in, "version", 0) != REGRESS_JSON_VERSION)
		return err_set(e, ERR_INPUT, "version: only %d is known", REGRESS_JSON_VERSION);
	if (!time_of(json_get_text(in, "started", ""), &day->time))
		return err_set(e, ERR_INPUT, "started: no time");
	if (json_count(json_get(in, "kernel")) > HISTORY_KERNELS_MAX ||
	    json_count(json_get(in, "canary")) > REGRESS_CANARIES)
		return err_set(e, ERR_INPUT, "too many kernels or canaries");
	return OK;
}

static bool
is_time(double ns)
{
	return ns > 0 && ns < 1e18;
}

/* Of the times that a canary has. */
static double
canary_ns(const Json *j)
{
	double v[3] = {json_get_number(j, "start_ns", 0), json_get_number(j, "middle_ns", 0),
		       json_get_number(j, "end_ns", 0)};
	int n = 0;

	for (int i = 0; i < 3; i++)
		if (is_time(v[i]))
			v[n++] = v[i];
	return median_sorting(v, n);
}

static void
add_samples(History *h, const Json *in)
{
	const Json *kernels = json_get(in, "kernel"), *canaries = json_get(in, "canary");
	const char *board = json_get_text(in, "board", "");
	Sample s = {.board_key = arena_strdup(h->arena, json_get_text(in, "board_key", board)),
		    .board = arena_strdup(h->arena, board),
		    .suite = arena_strdup(h->arena, json_get_text(in, "suite", "")),
		    .result = h->day.n - 1};

	for (int i = 0, n = json_count(canaries); i < n; i++) {
		const Json *j = json_at(canaries, i);

		s.name = arena_strdup(h->arena, json_get_text(j, "name", ""));
		s.ns = canary_ns(j);
		if (s.ns > 0)
			vec_push(h->arena, &h->canary, s);
	}
	for (int i = 0, n = json_count(kernels); i < n; i++) {
		const Json *j = json_at(kernels, i);

		s.ns = json_get_number(j, "new_ns", 0);
		if (!is_time(s.ns) ||
		    !regress_verdict_of(json_get_text(j, "verdict", ""), &s.verdict))
			continue;
		s.name = arena_strdup(h->arena, json_get_text(j, "name", ""));
		vec_push(h->arena, &h->sample, s);
	}
}

int
history_add(History *h, const char *text, Err *e)
{
	Day day = {.factor = 1};
	Json *in;
	int rc;

	if (h->day.n >= HISTORY_RESULTS_MAX)
		return err_set(e, ERR_INPUT, "more than %d results", HISTORY_RESULTS_MAX);
	rc = json_parse(text, &in, e);
	if (rc)
		return rc;
	rc = check(in, &day, e);
	if (rc == OK && !*json_get_text(in, "void", "")) {
		day.label = arena_strdup(h->arena, json_get_text(in, "hone", ""));
		vec_push(h->arena, &h->day, day);
		add_samples(h, in);
	}
	json_free(in);
	return rc;
}

int
history_add_file(History *h, const char *path, Err *e)
{
	char *text;
	int rc = text_read(path, HISTORY_BYTES, &text, e);

	if (rc)
		return rc;
	rc = history_add(h, text, e);
	free(text);
	if (rc)
		err_prefix(e, "%s: ", path);
	return rc;
}

/* --- series --- */

static int
by_name(const Sample *a, const Sample *b)
{
	int by = strcmp(a->board_key, b->board_key);

	by = by ? by : strcmp(a->suite, b->suite);
	return by ? by : strcmp(a->name, b->name);
}

static int
by_series(const void *x, const void *y, void *days)
{
	const Sample *a = x, *b = y;
	const Day *day = days;
	int by = by_name(a, b);
	int64_t s = day[a->result].time, t = day[b->result].time;

	if (!by)
		by = (s > t) - (s < t);
	return by ? by : a->result - b->result;
}

/* How much slower than usual each day was: the mean over its canaries, of logarithms. */
static void
normalise(History *h)
{
	double *sum = ARENA_ARRAY(h->arena, double, h->day.n + 1);
	double *v = ARENA_ARRAY(h->arena, double, h->canary.n + 1), usual;
	int *count = ARENA_ARRAY(h->arena, int, h->day.n + 1);

	for (int from = 0, to; from < h->canary.n; from = to) {
		for (to = from; to < h->canary.n && !by_name(&h->canary.v[from], &h->canary.v[to]);
		     to++)
			v[to - from] = log(h->canary.v[to].ns);
		usual = stats_median(v, to - from, h->arena);
		for (int i = from; i < to; i++) {
			sum[h->canary.v[i].result] += v[i - from] - usual;
			count[h->canary.v[i].result]++;
		}
	}
	for (int i = 0; i < h->day.n; i++)
		h->day.v[i].factor = count[i] ? exp(sum[i] / count[i]) : 1;
}

static HistoryChange
change_of(const double *v, int from, int at, int to, double p, Arena *scratch)
{
	return (HistoryChange){
		.at = at,
		.before = exp(stats_median(v + from, at - from, scratch)),
		.after = exp(stats_median(v + at, to - at, scratch)),
		.p = p,
		.confirmed =
			history_rank_sum(v + from, at - from, v + at, to - at, scratch) < HISTORY_P,
	};
}

static void
find_changes(HistorySeries *s, Arena *a)
{
	Arena *scratch = arena_new();
	int n = s->point.n, *at = ARENA_ARRAY(scratch, int, n + 1), cuts;
	double *v = ARENA_ARRAY(scratch, double, n), *p = ARENA_ARRAY(scratch, double, n);

	for (int i = 0; i < n; i++)
		v[i] = log(s->point.v[i].ns);
	cuts = history_cuts(v, n, at, p, scratch);
	for (int i = 0; i < cuts; i++) {
		HistoryChange c = change_of(v, i ? at[i - 1] : 0, at[i],
					    i + 1 < cuts ? at[i + 1] : n, p[i], scratch);

		if (fabs(log(c.after / c.before)) >= log(1 + HISTORY_EFFECT))
			vec_push(a, &s->change, c);
	}
	arena_free(scratch);
}

static void
sort(Sample *v, int n, Day *day)
{
	if (n)
		qsort_r(v, (size_t)n, sizeof *v, by_series, day);
}

const HistorySeries *
history_changes(History *h, int *n)
{
	sort(h->canary.v, h->canary.n, h->day.v);
	sort(h->sample.v, h->sample.n, h->day.v);
	normalise(h);
	h->series.n = 0;
	for (int from = 0, to; from < h->sample.n; from = to) {
		const Sample *first = &h->sample.v[from];
		HistorySeries s = {.board_key = first->board_key,
				   .board = first->board,
				   .suite = first->suite,
				   .name = first->name};

		for (to = from; to < h->sample.n && !by_name(first, &h->sample.v[to]); to++) {
			const Sample *x = &h->sample.v[to];
			const Day *d = &h->day.v[x->result];
			RegressPast past = {d->time, x->ns / d->factor, x->verdict, d->label};

			vec_push(h->arena, &s.point, past);
		}
		find_changes(&s, h->arena);
		vec_push(h->arena, &h->series, s);
	}
	*n = h->series.n;
	return h->series.v;
}

void
history_past(const History *h, RegressResult *r, int most)
{
	const char *key = *r->board_key ? r->board_key : r->board;

	for (int i = 0; i < r->nkernel; i++) {
		RegressKernel *k = &r->kernel[i];

		for (int s = 0; s < h->series.n; s++) {
			const HistorySeries *x = &h->series.v[s];

			if (strcmp(x->board_key, key) || strcmp(x->suite, r->suite) ||
			    strcmp(x->name, k->name))
				continue;
			k->npast = x->point.n < most ? x->point.n : most;
			k->past = x->point.v + x->point.n - k->npast;
		}
	}
}
