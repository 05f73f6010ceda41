/* The subcommands of `hone log` that have files of their own. */
#ifndef CLI_LOG_COMMANDS_H
#define CLI_LOG_COMMANDS_H

#include "cli/args.h"
#include "db/upkeep.h"

extern const Command log_verify_command, log_doctor_command, log_merge_command, log_forget_command,
	log_pull_command, log_push_command, log_export_command;

/* All rows, or those that count, of the tasks whose digest begins with what --task says, sorted by
 * key. */
int log_rows_asked(Log *l, const Args *a, bool only_best, LogRow **row, int *n, Err *e);

/* The axes of a task's longest stage; "" when the log does not have its text. */
const char *log_problem(Log *l, Arena *a, const char *task);

/* Merges one open log into another and says on stdout what came of it, in a line that begins with
 * `name` and one per reason for refusals. Adds to *refused. */
int log_merge_told(Log *into, Log *from, const char *name, int64_t *refused, Err *e);

#endif
