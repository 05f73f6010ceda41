/* Audit: a candidate that was timed runs again, this time by the agent's clocks: over poisoned
 * outputs, on the inputs of its last timed run, as often as makes a time worth comparing. What the
 * runner said is then held against what the agent saw.
 */
#ifndef RPC_SERVER_AUDIT_H
#define RPC_SERVER_AUDIT_H

#include <sys/types.h>

#include "rpc_server/outcome.h"

enum { AUDITS_MAX = 4 }; /* of one candidate: a busy machine can be slow for a while */

typedef struct Audit {
	pid_t worker;          /* 0: not known, only the wall clock counts */
	uint32_t times, tries; /* runs; audits of this candidate that found its times implausible */
	uint64_t wall, cpu;    /* ns, when it began */
} Audit;

/* Once for a runner that is loaded: finds the process whose time counts, the child of the one that
 * the agent started. */
void audit_runner(Audit *a, pid_t keeper);

/* Poisons the outputs and notes the time. Returns how often the candidate is to run, by its samples
 * in *r. */
uint32_t audit_begin(Audit *a, Shm *s, const Result *r);

/* After it: OK; WRONG when memory is damaged or the outputs are not what they were (or, after a
 * race, not right); IMPLAUSIBLE when the samples are far below what these runs took. */
Status audit_judge(const Audit *a, Shm *s, uint32_t candidate, Result *r, Reason text);

#endif
