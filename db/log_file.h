/* What the files of the tuning log share: the columns, the statements, the open file. */
#ifndef DB_LOG_FILE_H
#define DB_LOG_FILE_H

#include <sqlite3.h>
#include <stddef.h>

#include "db/log.h"

enum {
	LOG_APPLICATION = 0x686f6e65, /* "hone" */
	LOG_FORMAT = 4,               /* user_version */
	LOG_SAMPLES_MAX = 1 << 16,
	LOG_TEXT_MAX = 1 << 20, /* bytes of one text of a row */
	LOG_ROW_MAX = 1 << 26,  /* bytes of a whole row; the texts of plans and graphs are long */
};

/* First line of exported text. */
#define LOG_TEXT_HEAD "hone log 1"

typedef enum ColumnKind { COLUMN_TEXT, COLUMN_REAL, COLUMN_INTEGER, COLUMN_SAMPLES } ColumnKind;

/* A column of the table of trials, and the field of LogRow that it holds. */
typedef struct Column {
	const char *name;
	ColumnKind kind;
	size_t offset;
	const char *check; /* SQL condition, or NULL */
	int since;     /* LOG_FORMAT that brought it, read as 0 from older files; 0: the first */
	bool identity; /* with the key, these tell one measurement from another */
} Column;

/* All columns but the id; the key's come first. */
extern const Column log_column[];
extern const int log_columns, log_key_columns;

/* Field of a row by its column. */
const char **column_text(LogRow *r, const Column *c);
double *column_real(LogRow *r, const Column *c);
int64_t *column_integer(LogRow *r, const Column *c);

/* name, SQL */
#define LOG_STATEMENT_LIST(X)                                                                \
	X(BEGIN, "BEGIN IMMEDIATE")                                                          \
	X(COMMIT, "COMMIT")                                                                  \
	X(ROLLBACK, "ROLLBACK")                                                              \
	X(PUT_TEXT, "INSERT OR IGNORE INTO text (kind, digest, body) VALUES (?1, ?2, ?3)")   \
	X(GET_TEXT, "SELECT body FROM text WHERE kind = ?1 AND digest = ?2")                 \
	X(PUT_PLAN, "INSERT INTO plan (graph, target, body) VALUES (?1, ?2, ?3) "            \
		    "ON CONFLICT (graph, target) DO UPDATE SET body = excluded.body")        \
	X(KEEP_PLAN, "INSERT OR IGNORE INTO plan (graph, target, body) VALUES (?1, ?2, ?3)") \
	X(GET_PLAN, "SELECT body FROM plan WHERE graph = ?1 AND target = ?2")                \
	X(PLANS, "SELECT target, body FROM plan WHERE graph = ?1 OR "                        \
		 "substr(graph, 1, length(?1) + 4) = ?1 || ' in ' ORDER BY target, graph")   \
	X(FASTEST, LOG_SIGHT " AND race = 0 ORDER BY best_ns, id")                           \
	X(RACED, LOG_SIGHT " AND race > 0 ORDER BY time DESC, id DESC")                      \
	X(RACE, LOG_SIGHT " AND race > 0 AND race = ?2 AND session = ?3 ORDER BY id")

/* What is looked at to find the row that counts, see best.c: right rows of one key. */
#define LOG_SIGHT                                                                          \
	"SELECT id, algorithm, race, time, best_ns, median_ns, stage, session FROM trial " \
	"WHERE key = ?1 AND status = 'OK'"

/* name, function of statements.c that makes it, whether only who writes needs it */
#define LOG_MADE_LIST(X)                       \
	X(INSERT, insert_sql, true)            \
	X(ADD_KEY, add_key_sql, true)          \
	X(KNOWN, known_sql, true)              \
	X(FIND_KEY, find_key_sql, false)       \
	X(SELECT_ALL, select_all_sql, false)   \
	X(SELECT_TASK, select_task_sql, false) \
	X(SELECT_ONE, select_one_sql, false)   \
	X(KEYS_ALL, keys_all_sql, false)       \
	X(KEYS_TASK, keys_task_sql, false)

#define LOG_KEY_PARAMETER (log_columns + 1)

typedef enum LogStatement {
#define X(name, sql) LOG_##name,
	LOG_STATEMENT_LIST(X)
#undef X
#define X(name, make, writing) LOG_##name,
		LOG_MADE_LIST(X)
#undef X
			LOG_STATEMENT_COUNT
} LogStatement;

struct Log {
	sqlite3 *db;
	char *path;
	bool writable, whole; /* whole: nothing else belongs to the file, see log_open_whole */
	int format;           /* of the file; what is read and written has LOG_FORMAT */
	int lock;             /* descriptor, or -1 */
	sqlite3_stmt *statement[LOG_STATEMENT_COUNT];
};

/* Stores SQLite's last complaint with the file's name; returns the code that it amounts to. */
int log_fail(const Log *l, Err *e);

/* A statement, reset and without values. */
sqlite3_stmt *log_statement(Log *l, LogStatement which);
/* Runs a statement that gives no rows. */
int log_run(Log *l, LogStatement which, Err *e);
int log_need_writable(const Log *l, Err *e);
/* A change of several statements lies between these two. log_end keeps what was changed where rc is
 * OK, else it takes all of it back; it returns rc, or why it could not be kept. Errors of both: of
 * SQLite. */
int log_begin(Log *l, Err *e);
int log_end(Log *l, int rc, Err *e);

/* lock.c. Takes the lock beside the file for as long as the process lives or until the descriptor
 * is closed. Errors: ERR_BUSY names the owner, ERR_IO. */
int log_lock(const char *path, int *lock, Err *e);

/* What is asked of every connection. */
int log_configure(Log *l, Err *e);

/* schema.c. Creates the tables of an empty file, or checks that they are ours and sound. */
int log_identify(Log *l, Err *e);

/* statements.c */
int log_prepare(Log *l, Err *e);
/* "a, b": the columns from `from` to before `to`, each behind `table`, "" or like "t.". */
void log_column_names(Str *s, const char *table, int from, int to);

/* rows.c. What must hold of a row before it is stored; names the field. */
int log_check_row(const LogRow *r, Err *e);
/* Columns of the table of trials, and the number of the row's key; returns SQLite's code. */
int log_bind_row(sqlite3_stmt *s, const LogRow *r, int64_t key);
/* Number of a key. Errors: NOT_APPLICABLE when there is none. */
int log_find_key(Log *l, const LogKey *key, int64_t *id, Err *e);
/* Reads the next row of a SELECT: OK, NOT_APPLICABLE at the end, or an error. */
int log_step_row(Log *l, sqlite3_stmt *s, Arena *a, LogRow *out, Err *e);
/* Inserts within a transaction; *id is the new row's. */
int log_insert(Log *l, const LogRow *r, int64_t *id, Err *e);
/* Whether the log has that measurement. */
int log_is_known(Log *l, const LogRow *r, bool *known, Err *e);
bool log_key_matches(const LogKey *wanted, const LogKey *k, int column); /* NULL matches all */

/* export.c. Whether texts of that kind are exported: they stand behind the key column of that name.
 */
bool log_text_kind(const char *name);

/* query.c. Statements that are asked once; the caller finalizes. */
int log_query(Log *l, const char *sql, sqlite3_stmt **out, Err *e);
/* The first n columns of the only row. */
int log_query_numbers(Log *l, const char *sql, int64_t *const *v, int n, Err *e);
const char *log_column_or_empty(sqlite3_stmt *s, int column);
/* VACUUM, into another file when there is a path. */
int log_vacuum(Log *l, const char *into, Err *e);

#endif
