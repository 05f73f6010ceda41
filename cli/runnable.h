/* Runnable: a model compiled on the spot, or a bundle read back, ready to run in this process or on
 * a device. What run, verify and bench share. */
#ifndef CLI_RUNNABLE_H
#define CLI_RUNNABLE_H

#include "cli/model.h"
#include "deploy/compile.h"
#include "deploy/execute.h"
#include "deploy/remote.h"

#define LOG_OPTION                                                                            \
	{                                                                                     \
		.name = "log", .kind = ARG_TEXT, .value = "FILE",                             \
		.help = "tuning log to take kernels from; without it, or where it has none, " \
			"the cost model chooses"                                              \
	}

#define WAIT_OPTION                                                                     \
	{                                                                               \
		.name = "wait", .kind = ARG_WAIT, .value = "no|T",                      \
		.help = "how long to wait for a device that somebody else holds; then " \
			"exit status 4. As long as it takes unless given"               \
	}

/* Rows for the option table of a subcommand that runs a model. */
#define RUNNABLE_OPTIONS                                                                     \
	MODEL_OPTIONS, INPUT_OPTION, LOG_OPTION, STRICT_OPTION, THREADS_OPTION, WAIT_OPTION, \
	{                                                                                    \
		.name = "device", .kind = ARG_TEXT, .value = "ADDRESS",                      \
		.help = "run on the device of this agent (SOCKET or HOST:PORT) instead of "  \
			"here"                                                               \
	}

typedef struct Runnable {
	Arena *arena;
	Model model; /* of a bundle: empty */
	bool from_model;
	Bundle bundle;
	RpcClient *client;  /* NULL: this process */
	const char *device; /* its name or address */
	double wait_s;      /* for others to leave the device; negative: as long as it takes */
	Executable *code;   /* in this process */
	Npy *input;         /* per input; without data where nothing was given */
	void **output;      /* per output: row-major contents of the last run */
	void *activations;  /* of the last run, when compiled with keep */
} Runnable;

/* path: an ONNX file, a bundle's folder or its .json. Inputs are read as --input says. keep: as in
 * CompileOptions; ERR_INPUT for a bundle, as for another --threads than its own. runnable_close
 * either way. Errors: of model_open, compile, bundle_read, rpc_open, executable_open. */
int runnable_open(Runnable *r, const char *path, const Args *a, bool keep, Err *e);
void runnable_close(Runnable *r);

/* ERR_INPUT names the inputs that nothing was given for. */
int runnable_need_inputs(const Runnable *r, Err *e);
/* Gives every input without contents some: floats in [-1, 1), zeros for the other types. */
int runnable_invent_inputs(Runnable *r, Err *e);

/* Runs once and fills output, on a device as soon as nobody else holds it; runs > 0: times that
 * many runs as well (ns, in r->arena). */
int runnable_run(Runnable *r, int runs, RemoteTimes *times, Err *e);

/* What --strict says. */
ToleranceClass tolerance_option(const Args *a);

/* Opens --log for reading; *log is NULL when there is none given. The caller closes it. */
int open_log_option(const Args *a, Log **log, Err *e);

#endif
