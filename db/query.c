/* Statements that are asked once. */
#include "db/log_file.h"

int
log_query(Log *l, const char *sql, sqlite3_stmt **out, Err *e)
{
	*out = NULL;
	return sqlite3_prepare_v2(l->db, sql, -1, out, NULL) ? log_fail(l, e) : OK;
}

int
log_query_numbers(Log *l, const char *sql, int64_t *const *v, int n, Err *e)
{
	sqlite3_stmt *s;
	int rc = log_query(l, sql, &s, e);

	if (!rc && sqlite3_step(s) != SQLITE_ROW)
		rc = log_fail(l, e);
	for (int i = 0; i < n && !rc; i++)
		*v[i] = sqlite3_column_int64(s, i);
	sqlite3_finalize(s);
	return rc;
}

const char *
log_column_or_empty(sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	return text ? text : "";
}

/* VACUUM attaches a file of its own. */
int
log_vacuum(Log *l, const char *into, Err *e)
{
	int before = sqlite3_limit(l->db, SQLITE_LIMIT_ATTACHED, 1), rc;
	sqlite3_stmt *s;

	rc = log_query(l, into ? "VACUUM INTO ?1" : "VACUUM", &s, e);
	if (!rc && into)
		sqlite3_bind_text(s, 1, into, -1, SQLITE_STATIC);
	if (!rc && sqlite3_step(s) != SQLITE_DONE)
		rc = log_fail(l, e);
	sqlite3_finalize(s);
	sqlite3_limit(l->db, SQLITE_LIMIT_ATTACHED, before);
	return rc;
}
