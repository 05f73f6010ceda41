/* Hints for a search: what was fast under other keys. Nothing here decides which kernel is used:
 * that is log_best. */
#ifndef DB_FASTEST_H
#define DB_FASTEST_H

#include "db/log.h"

/* The fastest right rows of one key, the winner of its newest race first, each Sched once. */
typedef struct LogFastest {
	LogKey key;
	const LogRow *row;
	int n;
} LogFastest;

/* Of every key of a Task, at most `most` rows each; keys without any are left out. Rows of
 * `session`, and of its boards ("session.2"), do not count, nor do those of emulated devices other
 * than `device`. Errors: of the log. */
int log_fastest(Log *l, Arena *a, const char *task, const char *session, const char *device,
		int most, LogFastest **out, int *n, Err *e);

typedef struct LogText {
	const char *digest, *text;
} LogText;

/* All texts of a kind, by digest. Errors: of the log. */
int log_texts(Log *l, Arena *a, const char *kind, LogText **out, int *n, Err *e);

#endif
