/* Rows of the log: checking, storing, reading. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "db/log_file.h"

const char **
column_text(LogRow *r, const Column *c)
{
	return (const char **)(void *)((char *)r + c->offset);
}

double *
column_real(LogRow *r, const Column *c)
{
	return (double *)(void *)((char *)r + c->offset);
}

int64_t *
column_integer(LogRow *r, const Column *c)
{
	return (int64_t *)(void *)((char *)r + c->offset);
}

static int
check_samples(const LogRow *r, Err *e)
{
	if (r->nsample < 0 || r->nsample > LOG_SAMPLES_MAX)
		return err_set(e, ERR_INPUT, "samples: %d of them, expected at most %d", r->nsample,
			       LOG_SAMPLES_MAX);
	for (int i = 0; i < r->nsample; i++)
		if (!isfinite(r->samples[i]) || r->samples[i] < 0)
			return err_set(e, ERR_INPUT, "samples: %g, expected times of at least 0",
				       r->samples[i]);
	return OK;
}

static int
check_column(const LogRow *r, const Column *c, Err *e)
{
	LogRow copy = *r;
	const char *text;

	if (c->kind == COLUMN_REAL && !isfinite(*column_real(&copy, c)))
		return err_set(e, ERR_INPUT, "%s: %g, expected a finite number", c->name,
			       *column_real(&copy, c));
	if (c->kind != COLUMN_TEXT)
		return OK;
	text = *column_text(&copy, c);
	if (text && strlen(text) > LOG_TEXT_MAX)
		return err_set(e, ERR_INPUT, "%s: %zu bytes, expected at most %d", c->name,
			       strlen(text), LOG_TEXT_MAX);
	return OK;
}

static bool
empty(const char *text)
{
	return !text || !*text;
}

int
log_check_row(const LogRow *r, Err *e)
{
	const char *lack = empty(r->key.task)     ? "task"
			   : empty(r->key.form)   ? "form"
			   : empty(r->key.target) ? "target"
			   : empty(r->sched)      ? "sched"
			   : empty(r->status)     ? "status"
						  : NULL;
	int rc = OK;

	if (lack)
		return err_set(e, ERR_INPUT, "%s: nothing, expected a text", lack);
	for (int i = 0; i < log_columns && !rc; i++)
		rc = check_column(r, &log_column[i], e);
	if (rc)
		return rc;
	if (r->best_ns < 0 || r->median_ns < 0 || r->race < 0 || r->time < 0)
		return err_set(e, ERR_INPUT, "%s: below 0",
			       r->best_ns < 0     ? "best_ns"
			       : r->median_ns < 0 ? "median_ns"
			       : r->race < 0      ? "race"
						  : "time");
	if (r->insecure < 0 || r->insecure > 1 || r->sandbox < 0)
		return err_set(e, ERR_INPUT, "%s: %lld, expected %s",
			       r->sandbox < 0 ? "sandbox" : "insecure",
			       (long long)(r->sandbox < 0 ? r->sandbox : r->insecure),
			       r->sandbox < 0 ? "at least 0" : "0 or 1");
	if (!strcmp(r->status, "OK") && !(r->best_ns > 0 && r->median_ns > 0))
		return err_set(e, ERR_INPUT,
			       "best_ns %g, median_ns %g: expected times with status OK",
			       r->best_ns, r->median_ns);
	return check_samples(r, e);
}

int
log_bind_row(sqlite3_stmt *s, const LogRow *r, int64_t key)
{
	LogRow copy = *r;
	int rc = sqlite3_bind_int64(s, LOG_KEY_PARAMETER, key);

	for (int i = log_key_columns; i < log_columns && rc == SQLITE_OK; i++) {
		const Column *c = &log_column[i];
		const char *text = c->kind == COLUMN_TEXT ? *column_text(&copy, c) : NULL;

		switch (c->kind) {
		case COLUMN_TEXT:
			rc = sqlite3_bind_text(s, i + 1, text ? text : "", -1, SQLITE_TRANSIENT);
			break;
		case COLUMN_REAL: rc = sqlite3_bind_double(s, i + 1, *column_real(&copy, c)); break;
		case COLUMN_INTEGER:
			rc = sqlite3_bind_int64(s, i + 1, *column_integer(&copy, c));
			break;
		case COLUMN_SAMPLES: /* an empty blob is not NULL */
			rc = r->nsample ? sqlite3_bind_blob(s, i + 1, r->samples,
							    r->nsample * (int)sizeof(double),
							    SQLITE_TRANSIENT)
					: sqlite3_bind_zeroblob(s, i + 1, 0);
			break;
		}
	}
	return rc;
}

static void
read_row(sqlite3_stmt *s, Arena *a, LogRow *out)
{
	*out = (LogRow){.id = sqlite3_column_int64(s, 0)};
	for (int i = 0; i < log_columns; i++) {
		const Column *c = &log_column[i];
		const void *bytes;

		switch (c->kind) {
		case COLUMN_TEXT:
			bytes = sqlite3_column_text(s, i + 1);
			*column_text(out, c) = arena_strdup(a, bytes ? bytes : "");
			break;
		case COLUMN_REAL: *column_real(out, c) = sqlite3_column_double(s, i + 1); break;
		case COLUMN_INTEGER:
			*column_integer(out, c) = sqlite3_column_int64(s, i + 1);
			break;
		case COLUMN_SAMPLES:
			bytes = sqlite3_column_blob(s, i + 1);
			out->nsample = sqlite3_column_bytes(s, i + 1) / (int)sizeof(double);
			if (out->nsample)
				out->samples =
					arena_copy(a, bytes, (size_t)out->nsample * sizeof(double));
			break;
		}
	}
}

int
log_step_row(Log *l, sqlite3_stmt *s, Arena *a, LogRow *out, Err *e)
{
	int step = sqlite3_step(s), rc = OK;

	if (step == SQLITE_ROW)
		read_row(s, a, out);
	else
		rc = step == SQLITE_DONE ? NOT_APPLICABLE : log_fail(l, e);
	if (rc)
		sqlite3_reset(s);
	return rc;
}

/* Binds the key; NULL fields stay SQL's NULL. */
static sqlite3_stmt *
with_key(Log *l, LogStatement which, const LogKey *key)
{
	sqlite3_stmt *s = log_statement(l, which);
	LogRow r = {.key = *key};

	for (int i = 0; i < log_key_columns; i++)
		sqlite3_bind_text(s, i + 1, *column_text(&r, &log_column[i]), -1, SQLITE_STATIC);
	return s;
}

/* A stored key has no NULL. */
static LogKey
whole_key(const LogKey *key)
{
	LogRow r = {.key = *key};

	for (int i = 0; i < log_key_columns; i++)
		if (!*column_text(&r, &log_column[i]))
			*column_text(&r, &log_column[i]) = "";
	return r.key;
}

int
log_find_key(Log *l, const LogKey *key, int64_t *id, Err *e)
{
	LogKey whole = whole_key(key);
	sqlite3_stmt *s = with_key(l, LOG_FIND_KEY, &whole);
	int step = sqlite3_step(s), rc = OK;

	if (step == SQLITE_ROW)
		*id = sqlite3_column_int64(s, 0);
	else
		rc = step == SQLITE_DONE ? NOT_APPLICABLE : log_fail(l, e);
	sqlite3_reset(s);
	return rc;
}

static int
need_key(Log *l, const LogKey *key, int64_t *id, Err *e)
{
	LogKey whole = whole_key(key);
	int rc = log_find_key(l, key, id, e);

	if (rc != NOT_APPLICABLE)
		return rc;
	with_key(l, LOG_ADD_KEY, &whole);
	rc = log_run(l, LOG_ADD_KEY, e);
	*id = sqlite3_last_insert_rowid(l->db);
	return rc;
}

int
log_insert(Log *l, const LogRow *r, int64_t *id, Err *e)
{
	sqlite3_stmt *s = log_statement(l, LOG_INSERT);
	int64_t key;
	int rc = need_key(l, &r->key, &key, e);

	if (rc)
		return rc;
	if (log_bind_row(s, r, key) != SQLITE_OK)
		return log_fail(l, e);
	rc = log_run(l, LOG_INSERT, e);
	*id = sqlite3_last_insert_rowid(l->db);
	return rc;
}

int
log_is_known(Log *l, const LogRow *r, bool *known, Err *e)
{
	sqlite3_stmt *s = log_statement(l, LOG_KNOWN);
	int64_t key;
	int step, rc = log_find_key(l, &r->key, &key, e);

	*known = false;
	if (rc)
		return rc == NOT_APPLICABLE ? OK : rc;
	if (log_bind_row(s, r, key) != SQLITE_OK)
		return log_fail(l, e);
	step = sqlite3_step(s);
	*known = step == SQLITE_ROW;
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		rc = log_fail(l, e);
	sqlite3_reset(s);
	return rc;
}

bool
log_same_race(const LogRow *a, const LogRow *b)
{
	return a->race && a->race == b->race && !strcmp(a->session, b->session);
}

static int
insert_all(Log *l, LogRow *row, int n, Err *e)
{
	int rc = OK;

	for (int i = 0; i < n && !rc; i++) {
		if (!row[i].time)
			row[i].time = clock_wall_s();
		rc = log_insert(l, &row[i], &row[i].id, e);
	}
	return rc;
}

int
log_add(Log *l, LogRow *row, int n, Err *e)
{
	int rc = OK;

	for (int i = 0; i < n && !rc; i++)
		rc = log_check_row(&row[i], e);
	if (!rc)
		rc = log_begin(l, e);
	if (rc)
		return rc;
	rc = log_end(l, insert_all(l, row, n, e), e);
	for (int i = 0; i < n && rc; i++)
		row[i].id = 0;
	return rc;
}

int
log_rows(Log *l, Arena *a, const LogKey *key, LogRow **row, int *n, Err *e)
{
	sqlite3_stmt *s = with_key(l, key->task ? LOG_SELECT_TASK : LOG_SELECT_ALL, key);
	VEC(LogRow) all = {0};
	LogRow r;
	int rc;

	while (!(rc = log_step_row(l, s, a, &r, e)))
		vec_push(a, &all, r);
	*row = all.v;
	*n = all.n;
	return rc == NOT_APPLICABLE ? OK : rc;
}

bool
log_key_matches(const LogKey *wanted, const LogKey *k, int column)
{
	LogRow a = {.key = *wanted}, b = {.key = *k};
	const char *want = *column_text(&a, &log_column[column]);

	return !want || !strcmp(want, *column_text(&b, &log_column[column]));
}
