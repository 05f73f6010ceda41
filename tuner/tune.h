/* Tune: the first spine. Searches kernels for every Task of a model on one device and keeps what
 * it measures in the tuning log.
 *
 * Everything acknowledged is in the log, so a run that was interrupted goes on where it was when it
 * is started again with the same log: nothing that the log holds is measured a second time.
 */
#ifndef TUNER_TUNE_H
#define TUNER_TUNE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hardware.h"
#include "graph/plan.h"
#include "search_space/rewrite.h"
#include "search_space/trees.h"
#include "tuner/effort.h"
#include "tuner/race.h"
#include "wire/status.h"

/* Stages that can be shown: name, what is shown */
#define TUNE_DUMP_LIST(X)                                        \
	X(graph, "the graph after import")                       \
	X(plan, "groups and Forms")                              \
	X(tasks, "each Task with its Forms")                     \
	X(target, "the device as the compiler sees it")          \
	X(space, "the variants of each Task and their best row") \
	X(sched, "every Sched proposed")                         \
	X(loop, "every candidate lowered")

typedef enum TuneDump {
#define X(name, text) TUNE_DUMP_##name,
	TUNE_DUMP_LIST(X)
#undef X
} TuneDump;

/* How far a Task has come; from DONE on nothing more happens. OLD: decided by the log alone,
 * nothing was measured. */
#define TASK_STATE_LIST(X)     \
	X(WAITING, "waiting")  \
	X(SEARCHING, "search") \
	X(RACING, "race")      \
	X(DONE, "done")        \
	X(OLD, "from the log") \
	X(STOPPED, "stopped")  \
	X(FAILED, "failed")

typedef enum TaskState {
#define X(name, text) TASK_##name,
	TASK_STATE_LIST(X)
#undef X
		TASK_STATE_COUNT
} TaskState;

const char *task_state_text(TaskState s);

/* What is known of one Task. Times in ns of one run; 0: not known. */
typedef struct TuneTask {
	const char *label;      /* operators and shape of its first use: "Conv+Clip 1x32x112x112" */
	const char *key, *form; /* digests, as in the log */
	int uses;
	TaskState state;
	int trials;                    /* candidates measured, in the log before included */
	int warm;                      /* proposals from elsewhere that its search began with */
	double best_ns;                /* of the search */
	double before_ns, after_ns;    /* race: untuned and winner */
	RaceRatio ratio;               /* after / before */
	double flops;                  /* as written */
	double floor_ns;               /* roofline, at peak_gflops where that is known */
	double peak_gflops;            /* calibration around the winner's measurement */
	const char *algorithm, *sched; /* of the winner; NULL until the race */
	const char *why;               /* FAILED: the reason */
} TuneTask;

/* Candidates that came to the same end. */
typedef struct TuneFailure {
	Status status;
	const char *reason;
	int64_t n;
} TuneFailure;

/* Where the time of a run goes, s. Those of the tuner follow one another, but for sending, and with
 * several boards for what is compiled; devices work beside them. name, what it is */
#define TUNE_COST_LIST(X)                                   \
	X(start, "connecting, planning")                    \
	X(open, "building spaces, and outputs to check by") \
	X(build, "lowering and compiling candidates")       \
	X(link, "linking them")                             \
	X(send, "sending them")                             \
	X(wait, "waiting for the device")                   \
	X(record, "writing the log")                        \
	X(prepare, "device: filling buffers, packing")      \
	X(measure, "device: running candidates, races too") \
	X(verify, "device: comparing outputs")

/* Those of TUNE_COST_LIST in which a device works. */
#define TUNE_BUSY(c) ((c)->prepare + (c)->measure + (c)->verify)

typedef struct TuneCosts {
#define X(name, text) double name;
	TUNE_COST_LIST(X)
#undef X
} TuneCosts;

/* A device of a run, and how it kept step with the others. */
typedef struct TuneBoard {
	const char *name;           /* as the user says it; a private agent: the host's */
	int64_t trials;             /* it measured */
	int lost;                   /* connections that had to be made again */
	double canary_ns, start_ns; /* of the kernels that all measure: last, first; 0: none */
	bool apart;                 /* its canary moved or is another one: it ran no races then */
	const char *why;            /* why it is not used any more; NULL: it is */
} TuneBoard;

typedef struct TuneReport {
	Arena *arena; /* everything below */
	TuneTask *task;
	int ntask, nextern;       /* steps that are not tuned: reference kernels */
	int64_t trials;           /* candidates this run measured */
	VEC(TuneFailure) failure; /* of them, and of those that do not lower */
	int lost;                 /* connections that had to be made again */
	double seconds;
	TuneCosts cost;
	double before_ns, after_ns; /* model: sum over raced tasks, by uses */
	RaceRatio ratio;
	int decided;        /* tasks the sums are of */
	bool stopped;       /* by time limit or stop() */
	const char *device; /* the first, and how many there are like it */
	TuneBoard *board;
	int nboard;
} TuneReport;

typedef enum TuneEventKind {
	TUNE_BEGIN,  /* plan and device are known */
	TUNE_ROWS,   /* rows were committed: id, nid */
	TUNE_TASK,   /* the state of `task` changed */
	TUNE_TRIALS, /* results of `task` came */
	TUNE_TEXT,   /* text: a message for people (the connection was lost...) */
	TUNE_DUMPED, /* text: a dump */
} TuneEventKind;

typedef struct TuneEvent {
	TuneEventKind kind;
	const TuneReport *report; /* as far as it is */
	int task;
	const int64_t *id;
	int nid;
	const char *text;
} TuneEvent;

enum { BOARDS_MAX = 64 }; /* of a run */

typedef struct TuneOptions {
	const char *const *device; /* addresses of agents on boards of one model */
	int ndevice;               /* of them; 0: a private agent */
	const char *runner;        /* that measures, a kind of DeviceInfo.runners; NULL: "cpu" */
	bool bare;                 /* candidates are not compiled: for a runner that runs nothing */
	const char *server_path;   /* program of the private agent */
	double reconnect_s;        /* to get a lost connection back; 0: ten minutes. Where there
				    * are other boards, a quarter of it, at most 10 s, until they
				    * get what it had */
	double silence_s;          /* the agent is gone when nothing came for so long; 0: 10 */
	const char *log;           /* file */
	const Effort *effort;      /* NULL: "measure" */
	int trials;                /* per Task; 0: the effort's */
	double time_limit_s;       /* 0: none */
	bool no_measure;           /* what the log does not decide is an error */
	double wait_s;             /* for others to leave the device: RpcWait.seconds */
	int threads;               /* that compute together; 0: 1 */
	size_t memory;             /* for inputs, outputs and activations of the model; 0: any */
	uint64_t seed;
	ToleranceClass tolerance; /* which algorithms may be tried */
	unsigned dump;            /* bit per TuneDump */
	const char *strategy;     /* a name of tuner/search.h; NULL: the effort's */
	const Trees *prior;       /* SearchOptions.prior */
	const char *prior_for; /* the prior is for devices whose triple begins so; NULL: for any */
	bool cold;             /* what the log knows of other Tasks, Forms, targets does not help */
	void (*event)(void *self, const TuneEvent *ev); /* may be NULL; from tune()'s thread */
	bool (*stop)(void *self);                       /* asked often; may be NULL */
	void *self;
} TuneOptions;

/* The report is filled as far as it came, on errors too; tune_report_fini frees it. Errors:
 * ERR_BUSY and ERR_INPUT from the log, ERR_CHECK when something would have to be measured that may
 * not, ERR_DEVICE when the device is gone for good, ERR_UNSUPPORTED
 * when no code can be made for it, ERR_IO, ERR_INTERNAL. A Task that cannot be tuned is no error:
 * it keeps its estimate. */
int tune(const Graph *g, const TuneOptions *opt, TuneReport *report, Err *e);
void tune_report_fini(TuneReport *r);

#endif
