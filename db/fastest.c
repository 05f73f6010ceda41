/* The first rows of a key, by the indexes that log_best uses. */
#include "db/fastest.h"

#include <string.h>

#include "base/hardware.h"
#include "db/log_file.h"

/* A race has few rows, and the newest comes first. */
enum { RACED_MOST = 16 };

typedef VEC(LogRow) Rows;

static bool
has_sched(const Rows *rows, const char *sched)
{
	for (int i = 0; i < rows->n; i++)
		if (!strcmp(rows->v[i].sched, sched))
			return true;
	return false;
}

static int
add_row(Log *l, Arena *a, int64_t id, Rows *rows, Err *e)
{
	sqlite3_stmt *s = log_statement(l, LOG_SELECT_ONE);
	LogRow r;
	int rc;

	sqlite3_bind_int64(s, 1, id);
	rc = log_step_row(l, s, a, &r, e);
	sqlite3_reset(s);
	if (!rc && !has_sched(rows, r.sched))
		vec_push(a, rows, r);
	return rc < 0 ? rc : OK;
}

/* Sessions of a run on several boards have its name, a dot and a number. */
static bool
same_run(const char *session, const char *run)
{
	size_t n = strlen(run);

	return n && !strncmp(session, run, n) && (!session[n] || session[n] == '.');
}

/* Steps through one of the statements over LOG_SIGHT until `rows` has `most`. winners: only the
 * winner of the newest race. */
static int
add_rows(Log *l, Arena *a, LogStatement which, int64_t key, const char *session, int most,
	 bool winners, Rows *rows, Err *e)
{
	sqlite3_stmt *s = log_statement(l, which);
	int step = SQLITE_DONE, rc = OK;

	sqlite3_bind_int64(s, 1, key);
	for (int i = 0; !rc && rows->n < most && (!winners || i < RACED_MOST); i++) {
		if ((step = sqlite3_step(s)) != SQLITE_ROW)
			break;
		if (same_run(log_column_or_empty(s, 7), session) ||
		    (winners && strcmp(log_column_or_empty(s, 6), LOG_STAGE_WINNER) != 0))
			continue;
		rc = add_row(l, a, sqlite3_column_int64(s, 0), rows, e);
	}
	sqlite3_reset(s);
	if (!rc && step != SQLITE_ROW && step != SQLITE_DONE)
		rc = log_fail(l, e);
	return rc;
}

typedef struct KeyId {
	int64_t id;
	LogKey key;
} KeyId;

typedef VEC(KeyId) Keys;

static int
read_keys(Log *l, Arena *a, const char *task, const char *device, Keys *out, Err *e)
{
	sqlite3_stmt *s = log_statement(l, LOG_KEYS_TASK);
	int step;

	sqlite3_bind_text(s, 1, task, -1, SQLITE_STATIC);
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		KeyId k = {.id = sqlite3_column_int64(s, 0)};
		LogRow r = {0};

		for (int i = 0; i < log_key_columns; i++)
			*column_text(&r, &log_column[i]) =
				arena_strdup(a, log_column_or_empty(s, i + 1));
		k.key = r.key;
		if (!strncmp(k.key.device, DEVICE_EMULATED, sizeof DEVICE_EMULATED - 1) &&
		    strcmp(k.key.device, device) != 0)
			continue;
		vec_push(a, out, k);
	}
	sqlite3_reset(s);
	return step == SQLITE_DONE ? OK : log_fail(l, e);
}

int
log_fastest(Log *l, Arena *a, const char *task, const char *session, const char *device, int most,
	    LogFastest **out, int *n, Err *e)
{
	VEC(LogFastest) all = {0};
	Keys keys = {0};
	int rc = read_keys(l, a, task, device, &keys, e);

	for (int i = 0; i < keys.n && !rc; i++) {
		int64_t id = keys.v[i].id;
		Rows rows = {0};

		if (!(rc = add_rows(l, a, LOG_RACED, id, session, 1, true, &rows, e)))
			rc = add_rows(l, a, LOG_FASTEST, id, session, most, false, &rows, e);
		if (!rc && rows.n)
			vec_push(a, &all, ((LogFastest){keys.v[i].key, rows.v, rows.n}));
	}
	*out = all.v;
	*n = all.n;
	return rc;
}

int
log_texts(Log *l, Arena *a, const char *kind, LogText **out, int *n, Err *e)
{
	VEC(LogText) all = {0};
	sqlite3_stmt *s;
	int step = SQLITE_DONE,
	    rc = log_query(l, "SELECT digest, body FROM text WHERE kind = ?1 ORDER BY digest", &s,
			   e);

	if (!rc)
		sqlite3_bind_text(s, 1, kind, -1, SQLITE_STATIC);
	while (!rc && (step = sqlite3_step(s)) == SQLITE_ROW) {
		LogText t = {arena_strdup(a, log_column_or_empty(s, 0)),
			     arena_strdup(a, log_column_or_empty(s, 1))};

		vec_push(a, &all, t);
	}
	if (!rc && step != SQLITE_DONE)
		rc = log_fail(l, e);
	sqlite3_finalize(s);
	*out = all.v;
	*n = all.n;
	return rc;
}
