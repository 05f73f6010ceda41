/* The tuning log's file: opening, closing, texts and plans.
 *
 * 1. One process holds the lock and one connection, which does all writing and all checkpoints:
 *    two connections that write could lose pages in SQLite before 3.51.3.
 * 2. Every change is one IMMEDIATE transaction; synchronous FULL makes its commit durable.
 * 3. Nothing of a file is changed before it proved to be empty or a sound log of this format.
 */
#include "db/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/log_file.h"

int
log_fail(const Log *l, Err *e)
{
	static const struct {
		int sqlite, code;
	} list[] = {
		{SQLITE_NOTADB, ERR_INPUT},   {SQLITE_CORRUPT, ERR_INPUT},
		{SQLITE_ERROR, ERR_INPUT},    {SQLITE_SCHEMA, ERR_INPUT},
		{SQLITE_TOOBIG, ERR_INPUT},   {SQLITE_CONSTRAINT, ERR_INPUT},
		{SQLITE_BUSY, ERR_BUSY},      {SQLITE_LOCKED, ERR_BUSY},
		{SQLITE_NOMEM, ERR_NOMEM},    {SQLITE_MISUSE, ERR_INTERNAL},
		{SQLITE_RANGE, ERR_INTERNAL}, {SQLITE_FULL, ERR_FULL},
	};
	int sqlite = sqlite3_errcode(l->db) & 0xff, code = ERR_IO;
	int why = sqlite == SQLITE_IOERR ? sqlite3_system_errno(l->db) : 0;

	if (why == ENOSPC || why == EDQUOT || why == EFBIG)
		return err_set(e, ERR_FULL, "%s: %s", l->path, strerror(why));
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (list[i].sqlite == sqlite)
			code = list[i].code;
	return err_set(e, code, "%s: %s", l->path, sqlite3_errmsg(l->db));
}

/* What is asked of every connection: no surprises from a file that may come from elsewhere. */
int
log_configure(Log *l, Err *e)
{
	sqlite3_extended_result_codes(l->db, 1);
	sqlite3_busy_timeout(l->db, 10000);
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_limit(l->db, SQLITE_LIMIT_LENGTH, LOG_ROW_MAX);
	sqlite3_limit(l->db, SQLITE_LIMIT_SQL_LENGTH, 100000);
	sqlite3_limit(l->db, SQLITE_LIMIT_ATTACHED, 0);
	if (sqlite3_exec(l->db, "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON;", NULL, NULL,
			 NULL))
		return log_fail(l, e);
	return OK;
}

static int
become_durable(Log *l, Err *e)
{
	if (sqlite3_exec(l->db,
			 "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			 "PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 16777216;",
			 NULL, NULL, NULL))
		return log_fail(l, e);
	return OK;
}

/* Refuses what cannot be a log before anything is made beside it. */
static int
check_file(const char *path, bool may_lack, Err *e)
{
	struct stat st;

	if (stat(path, &st))
		return may_lack && errno == ENOENT
			       ? OK
			       : err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	return S_ISREG(st.st_mode) ? OK : err_set(e, ERR_INPUT, "%s: no regular file", path);
}

/* SQLite wants to make files beside a log even to read it. Where it may not, and no writer has left
 * pages there, the log is all in its file and stays as it is. */
static bool
is_frozen(const char *path)
{
	Str s = {0};
	bool frozen;

	str_printf(&s, "%s-wal", path);
	frozen = access(str_get(&s), F_OK) != 0;
	str_clear(&s);
	str_printf(&s, "%.*s", (int)(strrchr(path, '/') ? strrchr(path, '/') - path + 1 : 0), path);
	frozen &= access(s.n ? str_get(&s) : ".", W_OK) != 0;
	str_fini(&s);
	return frozen;
}

static int
open_file(Log *l, Err *e)
{
	int flags = l->writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
	Str uri = {0};
	int rc;

	str_add(&uri, *l->path == '/' ? "file://" : "file:");
	for (const char *p = l->path; *p; p++)
		str_printf(&uri, strchr("%?#", *p) ? "%%%02X" : "%c", (unsigned char)*p);
	str_add(&uri, l->whole || (!l->writable && is_frozen(l->path)) ? "?immutable=1" : "");
	rc = sqlite3_open_v2(str_get(&uri), &l->db, flags | SQLITE_OPEN_URI, NULL);
	str_fini(&uri);
	if ((rc & 0xff) == SQLITE_CANTOPEN && sqlite3_system_errno(l->db))
		return err_set(e, ERR_IO, "%s: %s", l->path, strerror(sqlite3_system_errno(l->db)));
	return rc ? log_fail(l, e) : OK;
}

static int
start(Log *l, const char *path, Err *e)
{
	int rc;

	l->path = strdup(path);
	if (!l->path)
		return err_set(e, ERR_NOMEM, "no memory");
	rc = check_file(path, l->writable, e);
	if (!rc && l->writable)
		rc = log_lock(path, &l->lock, e);
	if (!rc)
		rc = open_file(l, e);
	if (!rc)
		rc = log_configure(l, e);
	if (!rc)
		rc = log_identify(l, e);
	if (!rc && l->writable)
		rc = become_durable(l, e);
	return rc ? rc : log_prepare(l, e);
}

static int
log_start(const char *path, bool writable, bool whole, Log **out, Err *e)
{
	Log *l = calloc(1, sizeof *l);
	int rc;

	*out = NULL;
	if (!l)
		return err_set(e, ERR_NOMEM, "no memory");
	l->writable = writable;
	l->whole = whole;
	l->lock = -1;
	rc = start(l, path, e);
	if (rc)
		log_close(l);
	else
		*out = l;
	return rc;
}

int
log_open(const char *path, Log **out, Err *e)
{
	return log_start(path, true, false, out, e);
}

int
log_open_read(const char *path, Log **out, Err *e)
{
	return log_start(path, false, false, out, e);
}

int
log_open_whole(const char *path, Log **out, Err *e)
{
	return log_start(path, false, true, out, e);
}

void
log_close(Log *l)
{
	if (!l)
		return;
	for (int i = 0; i < LOG_STATEMENT_COUNT; i++)
		sqlite3_finalize(l->statement[i]);
	sqlite3_close(l->db);
	if (l->lock >= 0)
		close(l->lock);
	free(l->path);
	free(l);
}

sqlite3_stmt *
log_statement(Log *l, LogStatement which)
{
	sqlite3_reset(l->statement[which]);
	sqlite3_clear_bindings(l->statement[which]);
	return l->statement[which];
}

int
log_run(Log *l, LogStatement which, Err *e)
{
	int rc = sqlite3_step(l->statement[which]) == SQLITE_DONE ? OK : log_fail(l, e);

	sqlite3_reset(l->statement[which]);
	return rc;
}

int
log_need_writable(const Log *l, Err *e)
{
	return l->writable ? OK
			   : err_set(e, ERR_INTERNAL, "%s: was opened for reading only", l->path);
}

int
log_begin(Log *l, Err *e)
{
	int rc = log_need_writable(l, e);

	return rc ? rc : log_run(l, LOG_BEGIN, e);
}

int
log_end(Log *l, int rc, Err *e)
{
	if (!rc)
		rc = log_run(l, LOG_COMMIT, e);
	if (rc)
		log_run(l, LOG_ROLLBACK, NULL);
	return rc;
}

/* Binds texts to ?1, ?2, ?3 as far as they are not NULL. */
static sqlite3_stmt *
with_texts(Log *l, LogStatement which, const char *a, const char *b, const char *c)
{
	sqlite3_stmt *s = log_statement(l, which);

	sqlite3_bind_text(s, 1, a, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 2, b, -1, SQLITE_STATIC);
	if (c)
		sqlite3_bind_text(s, 3, c, -1, SQLITE_STATIC);
	return s;
}

static int
put(Log *l, LogStatement which, const char *a, const char *b, const char *text, Err *e)
{
	int rc = log_need_writable(l, e);

	if (rc)
		return rc;
	with_texts(l, which, a, b, text);
	return log_run(l, which, e);
}

static int
get(Log *l, Arena *a, LogStatement which, const char *x, const char *y, const char **text, Err *e)
{
	sqlite3_stmt *s = with_texts(l, which, x, y, NULL);
	int rc = OK, step = sqlite3_step(s);

	if (step == SQLITE_ROW)
		*text = arena_strdup(a, (const char *)sqlite3_column_text(s, 0));
	else
		rc = step == SQLITE_DONE ? NOT_APPLICABLE : log_fail(l, e);
	sqlite3_reset(s);
	return rc;
}

int
log_put_text(Log *l, const char *kind, const char *digest, const char *text, Err *e)
{
	return put(l, LOG_PUT_TEXT, kind, digest, text, e);
}

int
log_get_text(Log *l, Arena *a, const char *kind, const char *digest, const char **text, Err *e)
{
	return get(l, a, LOG_GET_TEXT, kind, digest, text, e);
}

int
log_put_plan(Log *l, const char *graph, const char *target, const char *text, Err *e)
{
	return put(l, LOG_PUT_PLAN, graph, target, text, e);
}

int
log_get_plan(Log *l, Arena *a, const char *graph, const char *target, const char **text, Err *e)
{
	return get(l, a, LOG_GET_PLAN, graph, target, text, e);
}

int
log_plans(Log *l, Arena *a, const char *graph, LogPlan **out, int *n, Err *e)
{
	sqlite3_stmt *s = log_statement(l, LOG_PLANS);
	VEC(LogPlan) all = {0};
	int step;

	sqlite3_bind_text(s, 1, graph, -1, SQLITE_STATIC);
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		LogPlan p = {arena_strdup(a, (const char *)sqlite3_column_text(s, 0)),
			     arena_strdup(a, (const char *)sqlite3_column_text(s, 1))};

		vec_push(a, &all, p);
	}
	sqlite3_reset(s);
	*out = all.v;
	*n = all.n;
	return step == SQLITE_DONE ? OK : log_fail(l, e);
}
