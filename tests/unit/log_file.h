/* Logs that others wrote: read whole, and taken away. */
#ifndef TESTS_UNIT_LOG_FILE_H
#define TESTS_UNIT_LOG_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/log.h"

/* All rows of a sound log, oldest first. */
static inline LogRow *
log_file_rows(const char *path, Arena *a, int *n)
{
	LogRow *row = NULL;
	Err e = {0};
	Log *l;

	if (log_open_read(path, &l, &e) || log_check(l, &e) ||
	    log_rows(l, a, &(LogKey){0}, &row, n, &e))
		fail_msg("%s", e.msg);
	log_close(l);
	return row;
}

/* The log and what lies beside it. */
static inline void
log_file_remove(const char *path)
{
	static const char *const suffix[] = {"", "-wal", "-shm", ".lock"};
	char file[256];

	for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
		snprintf(file, sizeof file, "%s%s", path, suffix[i]);
		unlink(file);
	}
}

#endif
