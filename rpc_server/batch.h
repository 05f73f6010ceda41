/* BatchRun: one batch on its way through runner processes, as a state machine. It is told what
 * happens and never waits; the owner tells it when its descriptor is readable, a child ended, or
 * its deadline has come.
 *
 *   state      waits for               then
 *   STARTING   hello, then loaded      CALIBRATING or CHECKING; two failures: the rest is LOST
 *   CALIBRATING  the calibration       CHECKING; once a batch, if it asks for it
 *   CHECKING   first run done          outputs right: TIMING (search), next candidate (race)
 *   TIMING     samples                 AUDITING; else the row is told, next candidate
 *   RACING     samples of all          AUDITING, one after the other
 *   AUDITING   some runs more          row is told; next candidate
 *   ENDING     the runner's end        rows that are left: STARTING, else OVER; a runner that
 *                                      does not end: the rest is LOST
 *   OVER       nothing                 free it
 *
 * Candidates that took this device down (journal.h) are told as POISON before the first runner; a
 * race that did counts as one.
 *
 * A crash, an exit, a missed deadline, a wrong output or a broken canary end the runner; the
 * candidate at fault gets its row, the others go on in a new one.
 */
#ifndef RPC_SERVER_BATCH_H
#define RPC_SERVER_BATCH_H

#include <sys/types.h>

#include "rpc_server/job.h"
#include "rpc_server/journal.h"
#include "rpc_server/shm.h"

typedef struct BatchHooks {
	void *self;
	void (*result)(void *self, const Result *r);  /* once per candidate; *r is not kept */
	void (*done)(void *self, const BatchDone *d); /* once, after the last result */
	void (*watch)(void *self, int fd);            /* call batch_readable for it; -1: for none */
	void (*stuck)(void *self, pid_t pid);         /* a runner that was killed does not end */
} BatchHooks;

typedef struct BatchSettings {
	const char *program; /* that becomes the runner; see proc_spawn */
	Machine machine;
	Blobs *blobs;                       /* for fetched outputs */
	uint64_t sandbox, sandbox_required; /* layers for runners; those none may do without */
	Journal *journal;                   /* of what runs, and what may not; NULL: none */
	BatchHooks hooks;
} BatchSettings;

typedef struct BatchRun BatchRun;

/* Takes the job over, also on an error, and starts; hooks may be called before it returns. NULL
 * when there is no memory. */
BatchRun *batch_start(Job *job, const BatchSettings *settings);
void batch_free(BatchRun *b); /* kills what still runs; NULL is fine */

const Job *batch_job(const BatchRun *b);
void batch_readable(BatchRun *b);
void batch_child_ended(BatchRun *b); /* some child of this process; maybe not ours */
void batch_tick(BatchRun *b);
uint64_t batch_deadline(const BatchRun *b);      /* when to tick, clock_ns */
void batch_cancel(BatchRun *b, const char *why); /* what is left becomes CANCELLED */
bool batch_told(const BatchRun *b); /* the end was told; its runner may still be there */
bool batch_over(const BatchRun *b);

#endif
