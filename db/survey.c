/* What a log holds, in numbers. */
#include <string.h>

#include "base/median.h"
#include "db/log_file.h"
#include "db/upkeep.h"

int
log_tally(Log *l, Arena *a, const char *column, LogCount **out, int *n, Err *e)
{
	VEC(LogCount) all = {0};
	sqlite3_stmt *s;
	Str sql = {0};
	int step = SQLITE_DONE, rc;

	str_printf(&sql,
		   "SELECT %s, count(*) FROM trial JOIN keys ON keys.id = trial.key GROUP BY 1 "
		   "ORDER BY 2 DESC, 1",
		   column);
	rc = log_query(l, str_get(&sql), &s, e);
	str_fini(&sql);
	while (!rc && (step = sqlite3_step(s)) == SQLITE_ROW) {
		LogCount c = {arena_strdup(a, log_column_or_empty(s, 0)),
			      sqlite3_column_int64(s, 1)};

		vec_push(a, &all, c);
	}
	if (!rc && step != SQLITE_DONE)
		rc = log_fail(l, e);
	sqlite3_finalize(s);
	*out = all.v;
	*n = all.n;
	return rc;
}

/* Rows of one session on one device, while they come in order. */
typedef VEC(double) Peaks;

typedef struct Session {
	char *device, *name;
	Peaks peak;
} Session;

typedef VEC(LogDrift) Drifts;

/* Ends a session: its median is one more of its device. */
static void
end_session(Arena *a, const Session *s, Drifts *out)
{
	LogDrift *d = out->n ? &out->v[out->n - 1] : NULL;
	double median;

	if (!s->peak.n)
		return;
	median = median_sorting(s->peak.v, s->peak.n);
	if (!d || strcmp(d->device, s->device) != 0) {
		vec_push(a, out,
			 ((LogDrift){.device = s->device, .lowest = median, .highest = median}));
		d = &out->v[out->n - 1];
		d->lowest_session = s->name;
	}
	d->sessions++;
	if (median < d->lowest)
		d->lowest_session = s->name;
	d->lowest = median < d->lowest ? median : d->lowest;
	d->highest = median > d->highest ? median : d->highest;
}

int
log_drifts(Log *l, Arena *a, LogDrift **out, int *n, Err *e)
{
	Session now = {.device = arena_strdup(a, ""), .name = arena_strdup(a, "")};
	Drifts all = {0};
	sqlite3_stmt *s;
	int step = SQLITE_DONE,
	    rc = log_query(
		    l,
		    "SELECT device || iif(threads = '1', '', ', ' || threads || ' threads'), "
		    "session, max(calibration_before, calibration_after) "
		    "FROM trial JOIN keys ON keys.id = trial.key "
		    "WHERE calibration_before > 0 ORDER BY device, threads, session",
		    &s, e);

	while (!rc && (step = sqlite3_step(s)) == SQLITE_ROW) {
		const char *device = log_column_or_empty(s, 0),
			   *session = log_column_or_empty(s, 1);

		if (strcmp(device, now.device) != 0 || strcmp(session, now.name) != 0) {
			end_session(a, &now, &all);
			now.device = arena_strdup(a, device);
			now.name = arena_strdup(a, session);
			now.peak.n = 0;
		}
		vec_push(a, &now.peak, sqlite3_column_double(s, 2));
	}
	end_session(a, &now, &all);
	if (!rc && step != SQLITE_DONE)
		rc = log_fail(l, e);
	sqlite3_finalize(s);
	*out = all.v;
	*n = all.n;
	return rc;
}

int
log_sizes(Log *l, LogSizes *x, Err *e)
{
	int64_t page = 0, pages = 0, unused = 0, bodies = 0, plans = 0;
	const struct {
		const char *sql;
		int64_t *v[2];
		int n;
	} ask[] = {
		{"PRAGMA page_size", {&page}, 1},
		{"PRAGMA page_count", {&pages}, 1},
		{"PRAGMA freelist_count", {&unused}, 1},
		{"SELECT count(*), sum(length(samples)) FROM trial", {&x->rows, &x->samples}, 2},
		{"SELECT sum(length(body)) FROM text", {&bodies}, 1},
		{"SELECT sum(length(body)) FROM plan", {&plans}, 1},
		{"SELECT count(*) FROM keys", {&x->keys}, 1},
		{"SELECT count(DISTINCT key) FROM trial WHERE status = 'OK'", {&x->keys_right}, 1},
		{"SELECT count(DISTINCT key) FROM trial WHERE status = 'OK' AND race > 0 AND "
		 "stage = '" LOG_STAGE_WINNER "'",
		 {&x->keys_won},
		 1},
		{"SELECT count(*) FROM trial WHERE status <> 'OK' AND key IN (SELECT key FROM "
		 "trial WHERE status = 'OK' AND race > 0 AND stage = '" LOG_STAGE_WINNER "')",
		 {&x->failed},
		 1},
		{"SELECT count(*) FROM keys WHERE task NOT IN (SELECT digest FROM text WHERE "
		 "kind = 'task') OR form NOT IN (SELECT digest FROM text WHERE kind = 'form')",
		 {&x->lacking},
		 1},
	};
	int rc = OK;

	*x = (LogSizes){0};
	for (size_t i = 0; i < sizeof ask / sizeof *ask && !rc; i++)
		rc = log_query_numbers(l, ask[i].sql, ask[i].v, ask[i].n, e);
	x->file = page * pages;
	x->free = page * unused;
	x->texts = bodies + plans;
	return rc;
}
