/* Log_space: the Space that rows of a log were measured in. */
#ifndef TUNER_LOG_SPACE_H
#define TUNER_LOG_SPACE_H

#include "db/log.h"
#include "search_space/space.h"

/* The Space of the key's Task and Form on t, for as many threads as the key says. t need not be
 * the key's. Lives in a. NOT_APPLICABLE: the log lacks a text, or it is of another version. Errors:
 * of the log. */
int log_space(Log *log, Arena *a, const LogKey *key, const Target *t, Space *out, Err *e);

#endif
