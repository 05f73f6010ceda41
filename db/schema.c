/* The file's tables, and the statements over them. The table of trials is made from the list of
 * columns, so that schema, reading, writing, export and import cannot disagree.
 *
 * A change of the columns is a new LOG_FORMAT and a step that brings old files to it. */
#include <stdio.h>
#include <string.h>

#include "db/log_file.h"

#define FIELD(name, kind, check)                                       \
	{                                                              \
#name, COLUMN_##kind, offsetof(LogRow, name), check, 0 \
	}

const Column log_column[] = {
#define X(name, text) {#name, COLUMN_TEXT, offsetof(LogRow, key.name), NULL, 0},
	LOG_KEY_LIST(X)
#undef X
		FIELD(algorithm, TEXT, NULL),
	FIELD(sched, TEXT, NULL),
	FIELD(status, TEXT, "status <> ''"),
	FIELD(reason, TEXT, NULL),
	FIELD(samples, SAMPLES, "length(samples) % 8 = 0"),
	FIELD(best_ns, REAL, "best_ns >= 0"),
	FIELD(median_ns, REAL, "median_ns >= 0"),
	FIELD(max_error, REAL, NULL),
	FIELD(calibration_before, REAL, NULL),
	FIELD(calibration_after, REAL, NULL),
	FIELD(expected_ns, REAL, NULL),
	FIELD(code, TEXT, NULL),
	FIELD(generator, TEXT, NULL),
	FIELD(llvm, TEXT, NULL),
	FIELD(stage, TEXT, NULL),
	FIELD(session, TEXT, NULL),
	FIELD(seed, INTEGER, NULL),
	FIELD(race, INTEGER, "race >= 0"),
	FIELD(time, INTEGER, "time > 0"),
	{"insecure", COLUMN_INTEGER, offsetof(LogRow, insecure), "insecure IN (0, 1)", 2},
	{"sandbox", COLUMN_INTEGER, offsetof(LogRow, sandbox), "sandbox >= 0", 3},
};
const int log_columns = sizeof log_column / sizeof *log_column;

#define X(name, text) +1
const int log_key_columns = LOG_KEY_LIST(X);
#undef X

static const char *const sql_type[] = {
	[COLUMN_TEXT] = "TEXT",
	[COLUMN_REAL] = "REAL",
	[COLUMN_INTEGER] = "INTEGER",
	[COLUMN_SAMPLES] = "BLOB",
};

static const char other_tables[] =
	"CREATE INDEX trial_key ON trial (task, form, target);\n"
	"CREATE TABLE text (kind TEXT NOT NULL CHECK (kind <> ''), digest TEXT NOT NULL, "
	"body TEXT NOT NULL, PRIMARY KEY (kind, digest)) STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE plan (graph TEXT NOT NULL, target TEXT NOT NULL, body TEXT NOT NULL, "
	"PRIMARY KEY (graph, target)) STRICT, WITHOUT ROWID;\n";

static void
schema_sql(Str *s)
{
	str_add(s, "BEGIN IMMEDIATE;\nCREATE TABLE trial (id INTEGER PRIMARY KEY");
	for (int i = 0; i < log_columns; i++) {
		const Column *c = &log_column[i];

		str_printf(s, ",\n %s %s NOT NULL", c->name, sql_type[c->kind]);
		if (c->check)
			str_printf(s, " CHECK (%s)", c->check);
	}
	str_printf(s,
		   ") STRICT;\n%sPRAGMA application_id = %d;\nPRAGMA user_version = %d;\nCOMMIT;\n",
		   other_tables, LOG_APPLICATION, LOG_FORMAT);
}

static int
create(Log *l, Err *e)
{
	Str s = {0};
	int rc;

	schema_sql(&s);
	rc = sqlite3_exec(l->db, str_get(&s), NULL, NULL, NULL) ? log_fail(l, e) : OK;
	str_fini(&s);
	return rc;
}

/* Brings a file of an older format to this one: its columns come, and the rows have 0 there. */
static int
upgrade(Log *l, Err *e)
{
	Str s = {0};
	int rc;

	str_add(&s, "BEGIN IMMEDIATE;\n");
	for (int i = 0; i < log_columns; i++) {
		const Column *c = &log_column[i];

		if (c->since > l->format)
			str_printf(&s,
				   "ALTER TABLE trial ADD COLUMN %s %s NOT NULL DEFAULT 0 CHECK "
				   "(%s);\n",
				   c->name, sql_type[c->kind], c->check);
	}
	str_printf(&s, "PRAGMA user_version = %d;\nCOMMIT;\n", LOG_FORMAT);
	rc = sqlite3_exec(l->db, str_get(&s), NULL, NULL, NULL) ? log_fail(l, e) : OK;
	str_fini(&s);
	l->format = LOG_FORMAT;
	return rc;
}

/* The first column of a query that gives one row of one number. */
static int
query_number(Log *l, const char *sql, int64_t *v, Err *e)
{
	sqlite3_stmt *s = NULL;
	int rc = OK;

	if (sqlite3_prepare_v2(l->db, sql, -1, &s, NULL) || sqlite3_step(s) != SQLITE_ROW)
		rc = log_fail(l, e);
	else
		*v = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return rc;
}

/* Runs one of SQLite's checks; its first complaint is the error. */
static int
check_sound(Log *l, const char *check, Err *e)
{
	sqlite3_stmt *s = NULL;
	const char *text;
	int rc = OK;

	if (sqlite3_prepare_v2(l->db, check, -1, &s, NULL) || sqlite3_step(s) != SQLITE_ROW)
		rc = log_fail(l, e);
	else if ((text = (const char *)sqlite3_column_text(s, 0)) && strcmp(text, "ok"))
		rc = err_set(e, ERR_INPUT, "%s: damaged: %s", l->path, text);
	sqlite3_finalize(s);
	return rc;
}

int
log_identify(Log *l, Err *e)
{
	int64_t application = 0, format = 0, tables = 0;
	int rc = query_number(l, "PRAGMA application_id", &application, e);

	if (!rc)
		rc = query_number(l, "PRAGMA user_version", &format, e);
	if (!rc)
		rc = query_number(l, "SELECT count(*) FROM sqlite_schema", &tables, e);
	if (rc)
		return rc;
	l->format = LOG_FORMAT;
	if (!application && !format && !tables && l->writable)
		return create(l, e);
	if (application != LOG_APPLICATION)
		return err_set(e, ERR_INPUT, "%s: a database, but no tuning log", l->path);
	if (format < 1 || format > LOG_FORMAT)
		return err_set(
			e, ERR_INPUT,
			"%s: format %lld, this program reads format %d: a newer one wrote it",
			l->path, (long long)format, LOG_FORMAT);
	l->format = (int)format;
	rc = check_sound(l, "PRAGMA quick_check(1)", e);
	return !rc && l->writable && format < LOG_FORMAT ? upgrade(l, e) : rc;
}

int
log_check(Log *l, Err *e)
{
	return check_sound(l, "PRAGMA integrity_check(1)", e);
}

/* A column that the file does not have yet reads as 0. */
static void
column_names(const Log *l, Str *s)
{
	for (int i = 0; i < log_columns; i++)
		str_printf(s, "%s%s%s", i ? ", " : "",
			   log_column[i].since > l->format ? "0 AS " : "", log_column[i].name);
}

/* "a = ?1 AND b = ?2..." for the first n columns; from `optional` on, NULL matches anything. */
static void
equalities(Str *s, int n, int optional)
{
	for (int i = 0; i < n; i++) {
		str_add(s, i ? " AND " : "");
		str_printf(s, i < optional ? "%s = ?%d" : "(%s = ?%d OR ?%d IS NULL)",
			   log_column[i].name, i + 1, i + 1);
	}
}

static void
made_sql(const Log *l, LogStatement which, Str *s)
{
	switch (which) {
	case LOG_INSERT:
		str_add(s, "INSERT INTO trial (");
		column_names(l, s);
		str_add(s, ") VALUES (");
		for (int i = 0; i < log_columns; i++)
			str_printf(s, "%s?%d", i ? ", " : "", i + 1);
		str_add(s, ")");
		break;
	case LOG_KNOWN:
		str_add(s, "SELECT 1 FROM trial WHERE ");
		equalities(s, log_columns, log_columns);
		break;
	default:
		str_add(s, "SELECT id, ");
		column_names(l, s);
		str_add(s, " FROM trial WHERE ");
		equalities(s, log_key_columns, which == LOG_SELECT_TASK ? 1 : 0);
		str_add(s, " ORDER BY id");
		break;
	}
}

int
log_prepare(Log *l, Err *e)
{
	static const char *const fixed[LOG_STATEMENT_COUNT] = {
#define X(name, sql) [LOG_##name] = sql,
		LOG_STATEMENT_LIST(X)
#undef X
	};
	int rc = OK;

	for (int i = 0; i < LOG_STATEMENT_COUNT && !rc; i++) {
		Str s = {0};

		if (!l->writable && (i == LOG_INSERT || i == LOG_KNOWN))
			continue;
		if (fixed[i])
			str_add(&s, fixed[i]);
		else
			made_sql(l, (LogStatement)i, &s);
		if (sqlite3_prepare_v3(l->db, str_get(&s), -1, SQLITE_PREPARE_PERSISTENT,
				       &l->statement[i], NULL))
			rc = log_fail(l, e);
		str_fini(&s);
	}
	return rc;
}
