/* Rows of a log in the forms of others. */
#ifndef CLI_LOG_FORMATS_H
#define CLI_LOG_FORMATS_H

#include "base/str.h"
#include "db/log.h"

/* Rows of one key, oldest first; problem: the axes of its task, "" when not known. */
typedef struct LogGroup {
	const LogRow *row;
	int n;
	const char *problem;
} LogGroup;

/* name of --format, function, whether a file holds rows of one key only, what it is */
#define LOG_FORMAT_LIST(X)                                     \
	X("csv", format_csv, false, "a table, a line per row") \
	X("t4", format_t4, true, "T4 results, JSON")           \
	X("kernel-tuner", format_kernel_tuner, true, "a cache file of Kernel Tuner, JSON")

#define X(name, function, grouped, text) void function(Arena *a, const LogGroup *g, Str *out);
LOG_FORMAT_LIST(X)
#undef X

#endif
