/* Shm: the agent's side of the memory it shares with a runner (plan.h), and of the truth about its
 * contents: what every buffer held before a candidate ran is known here, out of the runner's
 * reach. */
#ifndef RPC_SERVER_SHM_H
#define RPC_SERVER_SHM_H

#include "rpc_server/job.h"
#include "rpc_server/plan.h"

typedef struct Shm {
	const Job *job;
	int fd; /* sealed against shrinking, so that no access of ours can fault */
	uint8_t *map;
	uint64_t bytes;   /* not more than half of the address space */
	Plan *plan;       /* the agent's own copy */
	Control *control; /* in the map */
	uint64_t plan_at, plan_bytes;
	uint8_t *data[BUFFERS_MAX];          /* in the map */
	const uint8_t *initial[BUFFERS_MAX]; /* contents before a run; NULL: poison */
	uint8_t *other[BUFFERS_MAX];         /* second contents; NULL: none */
	bool others;                         /* inputs hold them now */
	uint8_t *before[BUFFERS_MAX];        /* OUT buffers after the checked run */
} Shm;

typedef struct Machine {
	uint64_t cache_bytes, memory_bytes; /* last level; hardware_free_memory */
	int32_t core;
	uint64_t cache[3];                /* of each level; 0: none */
	uint32_t null_hold_ms, null_slow; /* run_null.h */
} Machine;

/* Lays out and fills the segment of a job. Errors: ERR_NOMEM, also when it needs more than
 * machine->memory_bytes; ERR_DEVICE. On an error there is nothing to close. */
int shm_open_job(Shm *s, const Job *job, const Machine *machine, Err *e);
void shm_close(Shm *s); /* a zeroed Shm is fine */

/* Whether some input has second contents. */
bool shm_has_others(const Shm *s);

/* Gives the inputs their first or their second contents, where they have two. */
void shm_inputs(Shm *s, bool other);

/* OUT buffers as before a run, with that poison, and the slack around every buffer. all: IN and
 * CONST buffers too, after a runner that may have written them. */
void shm_reset(Shm *s, uint8_t poison, bool all);

/* False, with a text, when a runner wrote around a buffer or into one that is not its output. */
bool shm_intact(const Shm *s, char text[REASON_MAX + 1]);

void shm_keep_outputs(Shm *s); /* copies OUT buffers to before */

#endif
