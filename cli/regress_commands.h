/* What the files of `hone regress` share. */
#ifndef CLI_REGRESS_COMMANDS_H
#define CLI_REGRESS_COMMANDS_H

#include "cli/args.h"

extern const Command regress_baseline_command, regress_history_command;

/* What `hone regress --self-test` does, with the options of cmd_regress. */
int regress_selftest(const Args *a, Err *e);

/* Paths of the .json files of a folder in the order of their names, at most HISTORY_RESULTS_MAX. */
int regress_results_in(const char *folder, Arena *a, const char **path);

#endif
