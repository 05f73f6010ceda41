/* The subcommands. One line here, one file cmd_NAME.c that defines cmd_NAME, one line in CMake. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/args.h"

/* in the order of `hone --help` */
#define COMMAND_LIST(X) \
	X(bench)        \
	X(compile)      \
	X(costmodel)    \
	X(device)       \
	X(doctor)       \
	X(inspect)      \
	X(log)          \
	X(regress)      \
	X(report)       \
	X(replay)       \
	X(run)          \
	X(tune)         \
	X(verify)       \
	X(zoo)

#define X(name) extern const Command cmd_##name;
COMMAND_LIST(X)
#undef X

#endif
