/* The file's tables. They are made from the list of columns, so that schema, reading, writing,
 * export and import cannot disagree.
 *
 * A change of the columns is a new LOG_FORMAT and a step that brings old files to it: in the file
 * for who writes, in a copy in memory for who reads. All code beyond knows one format. */
#include <string.h>

#include "db/log_file.h"

#define FIELD(name, kind, check, identity)                                       \
	{                                                                        \
#name, COLUMN_##kind, offsetof(LogRow, name), check, 0, identity \
	}

const Column log_column[] = {
#define X(name, text) {#name, COLUMN_TEXT, offsetof(LogRow, key.name), NULL, 0, true},
	LOG_KEY_LIST(X)
#undef X
		FIELD(algorithm, TEXT, NULL, true),
	FIELD(sched, TEXT, NULL, true),
	FIELD(status, TEXT, "status <> ''", true),
	FIELD(reason, TEXT, NULL, false),
	FIELD(samples, SAMPLES, "length(samples) % 8 = 0", true),
	FIELD(best_ns, REAL, "best_ns >= 0", true),
	FIELD(median_ns, REAL, "median_ns >= 0", false),
	FIELD(max_error, REAL, NULL, false),
	FIELD(calibration_before, REAL, NULL, false),
	FIELD(calibration_after, REAL, NULL, false),
	FIELD(expected_ns, REAL, NULL, false),
	FIELD(code, TEXT, NULL, true),
	FIELD(generator, TEXT, NULL, false),
	FIELD(llvm, TEXT, NULL, false),
	FIELD(stage, TEXT, NULL, true),
	FIELD(session, TEXT, NULL, true),
	FIELD(seed, INTEGER, NULL, true),
	FIELD(race, INTEGER, "race >= 0", true),
	FIELD(time, INTEGER, "time > 0", true),
	{"insecure", COLUMN_INTEGER, offsetof(LogRow, insecure), "insecure IN (0, 1)", 2, false},
	{"sandbox", COLUMN_INTEGER, offsetof(LogRow, sandbox), "sandbox >= 0", 3, false},
};
const int log_columns = sizeof log_column / sizeof *log_column;

#define X(name, text) +1
const int log_key_columns = LOG_KEY_LIST(X);
#undef X

enum { CHECKED_BYTES = 64 << 20 };

static const char *const sql_type[] = {
	[COLUMN_TEXT] = "TEXT",
	[COLUMN_REAL] = "REAL",
	[COLUMN_INTEGER] = "INTEGER",
	[COLUMN_SAMPLES] = "BLOB",
};

static const char log_indexes[] = /* the last three serve log_best, see best.c */
	"CREATE INDEX trial_time ON trial (key, time);\n"
	"CREATE INDEX trial_fast ON trial (key, best_ns) WHERE status = 'OK' AND race = 0;\n"
	"CREATE INDEX trial_race ON trial (key, time) WHERE status = 'OK' AND race > 0;\n"
	"CREATE INDEX trial_round ON trial (key, session, race) "
	"WHERE status = 'OK' AND race > 0;\n";

static const char other_tables[] =
	"CREATE TABLE text (kind TEXT NOT NULL CHECK (kind <> ''), digest TEXT NOT NULL, "
	"body TEXT NOT NULL, PRIMARY KEY (kind, digest)) STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE plan (graph TEXT NOT NULL, target TEXT NOT NULL, body TEXT NOT NULL, "
	"PRIMARY KEY (graph, target)) STRICT, WITHOUT ROWID;\n";

/* The columns of the key have a table of their own: their texts are long, and few differ. */
static void
trial_tables(Str *s)
{
	str_add(s, "CREATE TABLE keys (id INTEGER PRIMARY KEY");
	for (int i = 0; i < log_key_columns; i++)
		str_printf(s, ",\n %s TEXT NOT NULL", log_column[i].name);
	str_add(s, ",\n UNIQUE (");
	log_column_names(s, "", 0, log_key_columns);
	str_add(s,
		")) STRICT;\nCREATE TABLE trial (id INTEGER PRIMARY KEY,\n key INTEGER NOT NULL");
	for (int i = log_key_columns; i < log_columns; i++) {
		const Column *c = &log_column[i];

		str_printf(s, ",\n %s %s NOT NULL", c->name, sql_type[c->kind]);
		if (c->check)
			str_printf(s, " CHECK (%s)", c->check);
	}
	str_add(s, ") STRICT;\n");
}

static void
number_pragmas(Str *s)
{
	str_printf(s, "PRAGMA application_id = %d;\nPRAGMA user_version = %d;\n", LOG_APPLICATION,
		   LOG_FORMAT);
}

static int
run_sql(Log *l, Str *s, Err *e)
{
	int rc = sqlite3_exec(l->db, str_get(s), NULL, NULL, NULL) ? log_fail(l, e) : OK;

	str_fini(s);
	return rc;
}

static int
create(Log *l, Err *e)
{
	Str s = {0};

	str_add(&s, "BEGIN IMMEDIATE;\n");
	trial_tables(&s);
	str_add(&s, log_indexes);
	str_add(&s, other_tables);
	number_pragmas(&s);
	str_add(&s, "COMMIT;\n");
	return run_sql(l, &s, e);
}

/* Formats before the fourth had the columns of the key in the table of trials. Columns that
 * came later than the file are 0. */
static void
move_trials(const Log *l, Str *s)
{
	str_add(s, "DROP INDEX trial_key;\nALTER TABLE trial RENAME TO old;\n");
	trial_tables(s);
	str_add(s, "INSERT INTO keys (");
	log_column_names(s, "", 0, log_key_columns);
	str_add(s, ") SELECT DISTINCT ");
	log_column_names(s, "", 0, log_key_columns);
	str_add(s, " FROM old;\nINSERT INTO trial (id, key, ");
	log_column_names(s, "", log_key_columns, log_columns);
	str_add(s, ") SELECT old.id, keys.id");
	for (int i = log_key_columns; i < log_columns; i++)
		str_printf(s, log_column[i].since > l->format ? ", 0" : ", old.%s",
			   log_column[i].name);
	str_add(s, " FROM old CROSS JOIN keys ON ");
	for (int i = 0; i < log_key_columns; i++)
		str_printf(s, "%skeys.%s = old.%s", i ? " AND " : "", log_column[i].name,
			   log_column[i].name);
	str_printf(s, " ORDER BY old.id;\nDROP TABLE old;\n%s", log_indexes);
}

/* Brings a file of an older format to this one. */
static int
upgrade(Log *l, Err *e)
{
	Str s = {0};
	int rc;

	str_add(&s, "BEGIN IMMEDIATE;\n");
	move_trials(l, &s);
	number_pragmas(&s);
	str_add(&s, "COMMIT;\n");
	rc = run_sql(l, &s, e);
	if (rc)
		sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

/* Whoever only reads sees an older file as it would be, in memory. */
static int
upgrade_copy(Log *l, Err *e)
{
	sqlite3 *copy = NULL, *file = l->db;
	sqlite3_backup *b;
	int rc;

	if (sqlite3_open_v2(":memory:", &copy, SQLITE_OPEN_READWRITE, NULL)) {
		sqlite3_close(copy);
		return err_set(e, ERR_NOMEM, "no memory");
	}
	b = sqlite3_backup_init(copy, "main", file, "main");
	if (b)
		sqlite3_backup_step(b, -1);
	rc = sqlite3_backup_finish(b);
	l->db = copy;
	if (!b || rc)
		rc = log_fail(l, e);
	else
		rc = log_configure(l, e);
	sqlite3_close(file);
	return rc ? rc : upgrade(l, e);
}

static int
query_number(Log *l, const char *sql, int64_t *v, Err *e)
{
	return log_query_numbers(l, sql, &v, 1, e);
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

/* Reading every page of a large file whenever it is opened would take seconds. SQLite notices a
 * damaged page when it comes to it; `hone log verify` looks at all of them. */
static bool
is_large(Log *l)
{
	int64_t pages = 0, size = 0;

	return !query_number(l, "PRAGMA page_count", &pages, NULL) &&
	       !query_number(l, "PRAGMA page_size", &size, NULL) && pages * size > CHECKED_BYTES;
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
	rc = is_large(l) ? OK : check_sound(l, "PRAGMA quick_check(1)", e);
	if (rc || format == LOG_FORMAT)
		return rc;
	return l->writable ? upgrade(l, e) : upgrade_copy(l, e);
}

int
log_check(Log *l, Err *e)
{
	return check_sound(l, "PRAGMA integrity_check(1)", e);
}
