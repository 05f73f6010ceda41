/* The subcommands of `hone log` that have files of their own. */
#ifndef CLI_LOG_COMMANDS_H
#define CLI_LOG_COMMANDS_H

#include "cli/args.h"
#include "db/upkeep.h"

extern const Command log_verify_command, log_doctor_command, log_merge_command, log_forget_command;

/* Merges one open log into another and says on stdout what came of it, in a line that begins with
 * `name` and one per reason for refusals. Adds to *refused. */
int log_merge_told(Log *into, Log *from, const char *name, int64_t *refused, Err *e);

#endif
