/* The tuning log: an SQLite file of measured kernels. One process owns it for writing; anybody may
 * read.
 *
 * What is acknowledged is committed (WAL, synchronous FULL): log_add returns the row's id only
 * after that. ERR_FULL from any function that writes: the disk is full; nothing was changed, and
 * the same call works when there is room again. Texts in a row are never NULL; "" when not known.
 * Rows read live in the arena given.
 */
#ifndef DB_LOG_H
#define DB_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* Key columns: field, what it says. A look-up names the first that differs. */
#define LOG_KEY_LIST(X)                                   \
	X(task, "digest of the Task's text, hex")         \
	X(form, "digest of the Form's text, hex")         \
	X(target, "triple, CPU and features, one line")   \
	X(device, "model of the processor that measured") \
	X(driver, "OpenCL driver; empty for CPUs")        \
	X(runner, "kind of runner: cpu...")               \
	X(threads, "how many computed, decimal")          \
	X(mode, "cold or hot constants")                  \
	X(tolerance, "tolerance class: default or strict")

typedef struct LogKey {
#define X(field, text) const char *field;
	LOG_KEY_LIST(X)
#undef X
} LogKey;

typedef struct LogRow {
	int64_t id; /* given by log_add */
	LogKey key;
	const char *algorithm; /* the Sched's rewrite */
	const char *sched;     /* text */
	const char *status;    /* a name of wire/status.h: "OK", "WRONG"... */
	const char *reason;    /* for people: why it failed, or its ratio in a race */
	const double *samples; /* ns per run */
	int nsample;
	double best_ns, median_ns;                    /* 0 without samples */
	double max_error;                             /* share of the tolerance used */
	double calibration_before, calibration_after; /* GFLOPS */
	double expected_ns;                           /* the model's estimate */
	const char *code;                             /* digest of the object code, hex */
	const char *generator, *llvm;                 /* versions */
	const char *stage;   /* how it was proposed: top, descent, random, race... */
	const char *session; /* which run of the tuner, "RUN"; of one of several boards "RUN.N" */
	int64_t seed;
	int64_t race;     /* 0, or the number of the race (in its session) these samples are of */
	int64_t time;     /* seconds since 1970; log_add fills it in when 0 */
	int64_t insecure; /* 1: the agent that measured was open to anybody, and proved nothing */
	int64_t sandbox;  /* layers the kernel ran in (wire/sandbox.h); 0: none, or not known */
} LogRow;

typedef struct Log Log;

/* Opens for writing, creating the file when there is none. Errors: ERR_BUSY names the process that
 * owns it; ERR_INPUT when the file is no tuning log or of a newer format; ERR_IO. */
int log_open(const char *path, Log **out, Err *e);
int log_open_read(const char *path, Log **out, Err *e); /* never writes, never checkpoints */
/* Reads a file that nobody writes to and that is all in one file, as it came from elsewhere:
 * nothing is made beside it. */
int log_open_whole(const char *path, Log **out, Err *e);
void log_close(Log *l); /* NULL is fine */

/* The whole file, indexes included. Errors: ERR_INPUT with the first thing that is wrong. */
int log_check(Log *l, Err *e);

/* Who owns the log for writing right now: *pid is 0 for nobody. Errors: ERR_IO, ERR_NOMEM. */
int log_owner(const char *path, int64_t *pid, Err *e);

/* Texts behind digests, stored once: kind is "task", "form", "graph", "plan". Of those of a session
 * the digest is its name, and the text of LOG_TEXT_CALIBRATION what the machine could do then,
 * "fma_gflops=243.1 dot_gops=...", of LOG_TEXT_BOARD the name of the device, of LOG_TEXT_SESSION
 * tuner/session.h. LOG_TEXT_STATS is of the whole run: where its time went,
 * "trials=1480 seconds=38.200 build=...". LOG_TEXT_VERDICT is of tuner/verdict.h, LOG_TEXT_CHOICE
 * of tuner/plans.h, LOG_TEXT_WARM of tuner/warm_log.h. */
#define LOG_TEXT_CALIBRATION "calibration"
#define LOG_TEXT_BOARD       "board"
#define LOG_TEXT_SESSION     "session"
#define LOG_TEXT_STATS       "stats"
#define LOG_TEXT_VERDICT     "verdict"
#define LOG_TEXT_CHOICE      "choice"
#define LOG_TEXT_WARM        "warm"
int log_put_text(Log *l, const char *kind, const char *digest, const char *text, Err *e);
/* NOT_APPLICABLE when there is none. */
int log_get_text(Log *l, Arena *a, const char *kind, const char *digest, const char **text, Err *e);

/* The Plan chosen for a graph on a target, by their digests; the newest wins. */
int log_put_plan(Log *l, const char *graph, const char *target, const char *text, Err *e);
int log_get_plan(Log *l, Arena *a, const char *graph, const char *target, const char **text,
		 Err *e);

/* Adds n rows in one transaction; on success every id is filled in and the rows are on disk. */
int log_add(Log *l, LogRow *row, int n, Err *e);

/* The Plans of a graph, those for less memory as well ("GRAPH in BYTES"), by target. */
typedef struct LogPlan {
	const char *target, *text;
} LogPlan;
int log_plans(Log *l, Arena *a, const char *graph, LogPlan **out, int *n, Err *e);

/* Every row whose key equals *key, oldest first. A NULL field of the key matches anything. */
int log_rows(Log *l, Arena *a, const LogKey *key, LogRow **row, int *n, Err *e);

/* How good a found row is, best first. */
#define LOG_GRADE_LIST(X)                                                             \
	X(EXACT, "exact")   /* every key column agrees */                             \
	X(TARGET, "target") /* same task, form and target; another device or mode */  \
	X(FAMILY, "family") /* same task and form; another target */                  \
	X(FORM, "form")     /* same task; another form: a hint for the search only */ \
	X(NONE, "none")

typedef enum LogGrade {
#define X(name, text) LOG_##name,
	LOG_GRADE_LIST(X)
#undef X
} LogGrade;

const char *log_grade_name(LogGrade g);

typedef struct LogBest {
	LogGrade grade;
	const char *differs; /* key column that keeps it from a better grade; "" when exact */
	LogRow row;
} LogBest;

/* Whether both were measured in one race; false for rows of none. */
bool log_same_race(const LogRow *a, const LogRow *b);

/* Value of `stage` that marks the row a race's judge declared the winner. */
#define LOG_STAGE_WINNER "winner"

/* Value of `status` of rows that say what was measured and must never count: not as a candidate,
 * not for anything else. */
#define LOG_STALE "STALE"

/* The fastest right kernel for a key. The winner of the newest race counts before any time measured
 * alone: the row of stage LOG_STAGE_WINNER, else that of the least median. Without a race, the
 * least best_ns. Ties go to the older row. NULL fields of the key match anything, except that rows
 * of an emulated device (base/hardware.h) count only for a key that names it. NOT_APPLICABLE
 * (grade NONE) when nothing is known. algorithms: names, NULL at the end; rows of others do not
 * count. NULL: all count. */
int log_best(Log *l, Arena *a, const LogKey *key, const char *const *algorithms, LogBest *out,
	     Err *e);

/* Sorts rows by key, then by id. */
void log_sort(LogRow *row, int n);
/* The row that counts of every key, see log_best, sorted by key. */
int log_best_rows(Log *l, Arena *a, LogRow **row, int *n, Err *e);

/* Sorted text, a line per row, fit for review and for import into another log, with the texts of
 * its Tasks and Forms. only_best: one row per key. */
int log_export(Log *l, bool only_best, Str *out, Err *e);

typedef struct LogImport {
	int64_t added, known, refused;
	Str reasons; /* a line per refused row: its line number and what is wrong */
} LogImport;

/* A bad row or text is refused by itself, with its reason; only rows are counted as added. */
int log_import(Log *l, const char *text, size_t size, LogImport *out, Err *e);

#endif
