/* What a log knows elsewhere of a Task that it knows little of. */
#ifndef TUNER_WARM_LOG_H
#define TUNER_WARM_LOG_H

#include "db/log.h"
#include "tuner/warm.h"

typedef struct WarmLog WarmLog;

/* Rows of `session` do not count: they would make a search depend on which Task had its turn first.
 * Lives in a; log and session outlive it. */
WarmLog *warm_log_new(Arena *a, Log *log, const char *session);

/* Adds the right rows of the same Task under other keys than `key`, which is whole, the nearest of
 * them with their Spaces, and of the nearest Tasks of its kind; task: its text. Rows of emulated
 * devices count only for a key that names the device. Texts live in a. Errors: of the log. */
int warm_log_read(WarmLog *k, Arena *a, const LogKey *key, const char *task, Warm *out, Err *e);

/* The proposals that a search of that name began with, so that it begins with them again although
 * the log has learnt more since. warm_recall: NOT_APPLICABLE when there are none; what the Space
 * does not offer any more is left out. Errors: of the log. */
int warm_keep(Log *log, const char *name, const Space *s, const Proposal *p, int n, Err *e);
int warm_recall(Log *log, Arena *a, const char *name, const Space *s, Proposal out[WARM_MOST],
		int *n, Err *e);

#endif
