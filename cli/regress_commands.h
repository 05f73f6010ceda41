/* What the files of `hone regress` share. */
#ifndef CLI_REGRESS_COMMANDS_H
#define CLI_REGRESS_COMMANDS_H

#include "cli/args.h"
#include "cli/listing.h"

enum { REGRESS_WIDTH = 100 }; /* columns, where no terminal says more */

extern const Command regress_baseline_command, regress_history_command;

/* What `hone regress --self-test` does, with the options of cmd_regress. */
int regress_selftest(const Args *a, Err *e);

/* Paths of the .json files of a folder, in the order of their names, which begin with the time: the
 * last HISTORY_RESULTS_MAX. Says on stderr how many are left out. */
Names regress_results_in(const char *folder, Arena *a);

#endif
