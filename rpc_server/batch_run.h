/* BatchRun from within: what its files share. batch.c knows when a runner starts, ends and is
 * waited for, answers.c what its answers mean. */
#ifndef RPC_SERVER_BATCH_RUN_H
#define RPC_SERVER_BATCH_RUN_H

#include "base/clock.h"
#include "rpc_server/audit.h"
#include "rpc_server/batch.h"
#include "rpc_server/proc.h"

enum { NOBODY = CANDIDATES_MAX };

typedef enum State {
	STARTING,
	CALIBRATING,
	CHECKING,
	TIMING,
	RACING,
	AUDITING,
	ENDING,
	OVER
} State;

/* Why a runner ends. */
typedef enum Cause {
	CAUSE_ITSELF,   /* crash or exit */
	CAUSE_HANG,     /* deadline */
	CAUSE_NONSENSE, /* it hung up and lives, or breaks the protocol */
	CAUSE_TOLD,     /* the row is told already */
	CAUSE_FINISHED, /* all rows are told */
} Cause;

typedef enum Progress { TODO, CHECKED, TIMED, TOLD } Progress; /* TIMED: in a race */

struct BatchRun {
	Job *job;
	BatchSettings set;
	Shm shm;
	Proc proc;
	State state;
	Cause cause;
	bool killed; /* ENDING: by us */
	uint32_t current;
	Progress progress[CANDIDATES_MAX];
	Digest digest[CANDIDATES_MAX], race; /* for the journal; of the race that is run */
	Result partial[CANDIDATES_MAX];      /* what is known of a row that is not told yet */
	uint64_t began, deadline;            /* of the batch; of the state */
	uint32_t patience_ms;                /* how far off the deadline was when it was set */
	uint64_t step_began;                 /* last command */
	uint64_t samples_seen;               /* of a race: progress when the deadline was set */
	uint32_t failed_starts;
	Audit audit;
	double load_s;
	bool calibrated;  /* or there is no need to */
	uint64_t sandbox; /* layers that the runner is in; 0 until it is loaded */
	BatchDone done;
};

static inline double
seconds_since(uint64_t ns)
{
	return (double)(clock_ns() - ns) * 1e-9;
}

/* --- batch.c --- */

void batch_send(BatchRun *b, State state, CommandKind kind, uint32_t candidate, uint32_t ms);
void batch_next(BatchRun *b); /* the next step, when the runner is loaded and idle */
/* Tells the row of a candidate; of all that have none. */
void batch_tell(BatchRun *b, uint32_t i, Status status, const char *reason);
void batch_tell_rest(BatchRun *b, Status status, const char *reason);
/* Ends the runner; what comes then is decided when it is gone. An idle one ends by itself when it
 * is hung up on, one that crashed is about to end; both are killed if they do not. */
void batch_end_runner(BatchRun *b, Cause cause);
void batch_finish(BatchRun *b);

/* --- answers.c: each takes the answer to a command and goes on --- */

void batch_loaded(BatchRun *b, const Reply *r);
void batch_calibrated(BatchRun *b);
void batch_checked(BatchRun *b, const Reply *r);
void batch_timed(BatchRun *b);
void batch_raced(BatchRun *b);
void batch_audited(BatchRun *b, const Reply *r);

/* The candidate is timed: has the runner run it once more. */
void batch_audit(BatchRun *b, uint32_t i);

#endif
