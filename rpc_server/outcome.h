/* Outcome: from what a runner left behind to a status and a reason. Nothing a runner wrote is
 * believed beyond what the agent can bound itself. */
#ifndef RPC_SERVER_OUTCOME_H
#define RPC_SERVER_OUTCOME_H

#include "rpc_server/shm.h"

typedef char Reason[REASON_MAX + 1];

/* After the first run: WRONG when memory around the outputs, inputs, or the outputs themselves are
 * not as they should be; else OK, and the outputs are kept for outcome_memory. */
Status outcome_first(Shm *s, Result *r, Reason text);

/* After a candidate was timed by itself: WRONG when memory is damaged, a run wrote nothing, or the
 * last run was not right for the second contents of the inputs or, where there are none, did not
 * write what the checked run wrote. */
Status outcome_timed(const Shm *s, uint32_t candidate, Result *r, Reason text);

/* After a race, whose outputs are of whoever came last: LOST when memory is damaged. */
Status outcome_raced(const Shm *s, Reason text);

/* Stores the outputs of the checked run as blobs and names them in *r. When that fails, text says
 * so and none is named. */
void outcome_fetch(const Shm *s, Blobs *blobs, Result *r, Reason text);

/* How a runner in that sandbox ended by itself: waitpid's status and the fault it reported, if any.
 * CRASH; FORBIDDEN when a filter of system calls ended it; LOST when somebody else did (a person,
 * or the system for want of memory). */
Status outcome_death(const Shm *s, int wait_status, uint64_t sandbox, Reason text);

/* Moves the samples of a timed candidate from the segment to *r (samples, inner) and judges them:
 * wall_ns is what the agent's clock says all samples of this measurement can have taken; it is
 * reduced by what these took. `at` is the index of the first sample. Returns a Status. */
Status outcome_times(const Shm *s, uint32_t candidate, uint64_t at, double *wall_ns, Result *r,
		     Reason text);

/* A number that the runner may have forged; 0: not known. */
double outcome_figure(double v);

/* Of a reply that is not OK: INFEASIBLE or BUILD. */
Status outcome_refusal(const Reply *r);

#endif
