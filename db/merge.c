/* One log's rows into another. Nothing of the source is believed: a row that log_check_row refuses,
 * and a text that does not have its digest, stay behind; what is added is one transaction. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "db/log_file.h"
#include "db/upkeep.h"

static void
refuse(LogMerge *out, int64_t row, const char *text)
{
	size_t n = strcspn(text, ":");
	char field[sizeof out->refusal->field];
	int i = 0;

	out->refused++;
	snprintf(field, sizeof field, "%.*s", (int)n, text);
	while (i < out->nrefusal && strcmp(out->refusal[i].field, field) != 0)
		i++;
	if (i == LOG_REFUSALS_MAX)
		return;
	if (i == out->nrefusal) {
		LogRefusal *r = &out->refusal[out->nrefusal++];

		*r = (LogRefusal){.first = row};
		snprintf(r->field, sizeof r->field, "%s", field);
		snprintf(r->text, sizeof r->text, "%.*s", LOG_REFUSAL_TEXT - 1, text);
	}
	out->refusal[i].rows++;
}

static int
check_stored(const LogRow *r, Err *e)
{
	return r->time > 0 ? log_check_row(r, e)
			   : err_set(e, ERR_INPUT, "time: %lld, expected seconds since 1970",
				     (long long)r->time);
}

static int
merge_row(Log *into, const LogRow *r, LogMerge *out, Err *e)
{
	int64_t id;
	bool known;
	Err bad = {0};
	int rc;

	if (check_stored(r, &bad)) {
		refuse(out, r->id, bad.msg);
		return OK;
	}
	rc = log_is_known(into, r, &known, e);
	if (!rc && !known)
		rc = log_insert(into, r, &id, e);
	out->known += !rc && known;
	out->added += !rc && !known;
	return rc;
}

static int
merge_rows(Log *into, Log *from, LogMerge *out, Err *e)
{
	sqlite3_stmt *s = log_statement(from, LOG_SELECT_ALL);
	Arena *a = arena_new();
	LogRow r;
	int rc = OK;

	while (!rc && !(rc = log_step_row(from, s, a, &r, e))) {
		rc = merge_row(into, &r, out, e);
		arena_reset(a);
	}
	sqlite3_reset(s);
	arena_free(a);
	return rc == NOT_APPLICABLE ? OK : rc;
}

/* Kinds that are named by their digest must have it; what a search began with and concluded from
 * all rows that its log has of a Task is not said of another log. */
static bool
text_fits(const char *kind, const char *digest, const char *body)
{
	char hex[DIGEST_TEXT];

	if (!log_text_kind(kind))
		return strcmp(kind, LOG_TEXT_VERDICT) && strcmp(kind, LOG_TEXT_WARM);
	digest_name(body, hex);
	return !strcmp(hex, digest);
}

static int
merge_text(Log *into, sqlite3_stmt *s, LogMerge *out, Err *e)
{
	const char *kind = log_column_or_empty(s, 0), *digest = log_column_or_empty(s, 1);
	const char *body = log_column_or_empty(s, 2);
	int rc;

	if (!*kind || !text_fits(kind, digest, body))
		return OK;
	rc = log_put_text(into, kind, digest, body, e);
	out->texts += !rc && sqlite3_changes(into->db);
	return rc;
}

static int
merge_plan(Log *into, sqlite3_stmt *s, LogMerge *out, Err *e)
{
	sqlite3_stmt *put = log_statement(into, LOG_KEEP_PLAN);
	int rc;

	for (int i = 0; i < 3; i++)
		sqlite3_bind_text(put, i + 1, log_column_or_empty(s, i), -1, SQLITE_TRANSIENT);
	rc = log_run(into, LOG_KEEP_PLAN, e);
	out->plans += !rc && sqlite3_changes(into->db);
	return rc;
}

/* Hands every row of a query over the source to `merge`. */
static int
merge_each(Log *into, Log *from, const char *sql,
	   int (*merge)(Log *, sqlite3_stmt *, LogMerge *, Err *), LogMerge *out, Err *e)
{
	sqlite3_stmt *s;
	int step = SQLITE_DONE, rc = log_query(from, sql, &s, e);

	while (!rc && (step = sqlite3_step(s)) == SQLITE_ROW)
		rc = merge(into, s, out, e);
	if (!rc && step != SQLITE_DONE)
		rc = log_fail(from, e);
	sqlite3_finalize(s);
	return rc;
}

static int
merge_all(Log *into, Log *from, LogMerge *out, Err *e)
{
	int rc = merge_rows(into, from, out, e);

	if (!rc)
		rc = merge_each(into, from, "SELECT kind, digest, body FROM text", merge_text, out,
				e);
	if (!rc)
		rc = merge_each(into, from, "SELECT graph, target, body FROM plan", merge_plan, out,
				e);
	return rc;
}

static int
check_two_files(const Log *into, const Log *from, Err *e)
{
	struct stat a, b;

	return !stat(into->path, &a) && !stat(from->path, &b) && a.st_ino == b.st_ino &&
			       a.st_dev == b.st_dev
		       ? err_set(e, ERR_INPUT, "%s: is the log itself", from->path)
		       : OK;
}

int
log_merge(Log *into, Log *from, LogMerge *out, Err *e)
{
	int rc = check_two_files(into, from, e);

	*out = (LogMerge){0};
	if (!rc)
		rc = log_begin(into, e);
	if (rc)
		return rc;
	rc = log_end(into, merge_all(into, from, out, e), e);
	if (rc)
		*out = (LogMerge){0};
	return rc;
}

int
log_snapshot(Log *l, const char *path, Err *e)
{
	return log_vacuum(l, path, e);
}
