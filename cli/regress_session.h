/* What the commands of `hone regress` share: a model, the boards, and the suite compiled for them.
 */
#ifndef CLI_REGRESS_SESSION_H
#define CLI_REGRESS_SESSION_H

#include "cli/agent_path.h"
#include "cli/model.h"
#include "cli/runnable.h"
#include "regress/compare.h"

/* Rows for the option table of a command that measures. */
#define REGRESS_OPTIONS                                                                          \
	MODEL_OPTIONS, LOG_OPTION, STRICT_OPTION, THREADS_OPTION, MEMORY_OPTION, WAIT_OPTION,    \
		{.name = "device",                                                               \
		 .kind = ARG_TEXT,                                                               \
		 .repeat = true,                                                                 \
		 .value = "NAME|ADDRESS",                                                        \
		 .help = "the rpc_server to measure on; a second one, of the same model, "       \
			 "measures again what is slower. Without it, one of this machine's own " \
			 "is started"},                                                          \
		{.name = "reconnect",                                                            \
		 .kind = ARG_DURATION,                                                           \
		 .min = 1,                                                                       \
		 .max = 86400,                                                                   \
		 .value = "T",                                                                   \
		 .help = "how long to try to get a lost connection back; default 30s"},          \
	{                                                                                        \
		.name = "baseline", .kind = ARG_TEXT, .value = "DIR",                            \
		.help = "folder of the baseline; baselines/NAME unless given, NAME being that "  \
			"of the model's file"                                                    \
	}

typedef struct RegressSession {
	Model model;
	const char *name;   /* of the model: its file, bare */
	const char *folder; /* of the baseline */
	char server[AGENT_PATH_BYTES];
	Device device[COMPARE_DEVICES_MAX];
	const char *device_name[COMPARE_DEVICES_MAX];
	int ndevice;
	Board board;
	Target target;
	CompileOptions compile;
	Suite suite;
} RegressSession;

/* What the options say of a comparison, but for its devices; opt->policy is policy. Errors: of
 * regress_policy_read. */
int regress_options(const Args *a, RegressPolicy *policy, CompareOptions *opt, Err *e);

/* In this order; regress_session_close whatever came of them. Model, log, names: */
int regress_session_model(RegressSession *s, const Args *a, Err *e);
/* Connects; boards of the same model, or ERR_INPUT. Errors: those of device_open. */
int regress_session_boards(RegressSession *s, const Args *a, Err *e);
/* Compiles for the first board. */
int regress_session_suite(RegressSession *s, Err *e);
void regress_session_close(RegressSession *s);

#endif
