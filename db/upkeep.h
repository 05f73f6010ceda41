/* Looking after tuning logs: bringing them together, checking, thinning out, and what doctors ask.
 */
#ifndef DB_UPKEEP_H
#define DB_UPKEEP_H

#include "db/log.h"

/* --- merge.c --- */

enum { LOG_REFUSALS_MAX = 16, LOG_REFUSAL_TEXT = 160 };

/* Why rows were refused: by the field that was wrong, "samples". */
typedef struct LogRefusal {
	char field[32];
	char text[LOG_REFUSAL_TEXT]; /* of the first */
	int64_t rows, first;         /* how many, and the first one's number in its log */
} LogRefusal;

typedef struct LogMerge {
	int64_t added, known, refused;        /* rows; known: that measurement is there already */
	int64_t texts, plans;                 /* added */
	LogRefusal refusal[LOG_REFUSALS_MAX]; /* further ones are in `refused` only */
	int nrefusal;
} LogMerge;

/* Adds the rows, texts and plans of one log to another, in one transaction. A plan that is there
 * already stays; so does a text. Row numbers are new, in the old order. Errors: ERR_INPUT when both
 * are one file. */
int log_merge(Log *into, Log *from, LogMerge *out, Err *e);

/* Writes the log as it is now to a new file, which must not exist: small, and all in one file. */
int log_snapshot(Log *l, const char *path, Err *e);

/* --- verify.c --- */

typedef struct LogVerify {
	const char *const *status; /* names that are known; NULL ends them */
	int64_t now;               /* seconds since 1970: later rows are at fault */
	/* Called for each fault; row 0: of the whole file. */
	void (*fault)(void *self, int64_t row, const char *text);
	void *self;
} LogVerify;

typedef struct LogVerified {
	int64_t rows, texts, faults;
} LogVerified;

/* Everything that can be checked without measuring again: the file, that the texts of each row's
 * Task and Form are there and have its digests, every field. OK also when there are faults. */
int log_verify(Log *l, const LogVerify *v, LogVerified *out, Err *e);

/* --- forget.c --- */

/* Rows for which everything that is set holds. */
typedef struct LogSelection {
	const char *task;                     /* how the digest begins */
	const char *const *tasks;             /* one of these digests; NULL ends them */
	const char *device, *target, *status; /* device and target: contain that */
	int64_t before;                       /* older than that, seconds since 1970; 0: any */
	bool insecure;                        /* of agents that were open to anybody */
} LogSelection;

typedef struct LogSelected {
	int64_t rows, right, winners, tasks, devices;
	int64_t oldest, newest; /* seconds since 1970 */
} LogSelected;

int log_select(Log *l, const LogSelection *s, LogSelected *out, Err *e);
/* Removes them, and what nothing refers to any more, in one transaction. */
int log_forget(Log *l, const LogSelection *s, int64_t *removed, Err *e);
/* Gives the room of removed rows back to the file system. Needs as much room again meanwhile. */
int log_shrink(Log *l, Err *e);

/* --- survey.c --- */

typedef struct LogCount {
	const char *value;
	int64_t rows;
} LogCount;

/* How many rows have each value of a column (its name in LogRow), most first. */
int log_tally(Log *l, Arena *a, const char *column, LogCount **out, int *n, Err *e);

/* How far the calibrations of a device's sessions, their medians, lie apart. */
typedef struct LogDrift {
	const char *device, *lowest_session;
	int64_t sessions;
	double lowest, highest; /* GFLOPS */
} LogDrift;
int log_drifts(Log *l, Arena *a, LogDrift **out, int *n, Err *e);

typedef struct LogSizes {
	int64_t file, free;                       /* bytes; free: of removed rows */
	int64_t samples, texts;                   /* bytes that these take */
	int64_t rows, keys, keys_right, keys_won; /* keys with right rows; with a race's winner */
	int64_t failed;                           /* rows of keys that have a winner, not right */
	int64_t lacking;                          /* keys without the text of Task or Form */
} LogSizes;
int log_sizes(Log *l, LogSizes *out, Err *e);

#endif
