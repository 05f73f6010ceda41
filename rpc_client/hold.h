/* Hold: the client's end of a lease, as a state machine: what the agent has said of it, when the
 * next sign of life is due, and which results count. Time is an argument.
 *
 *   state     enters by                    leaves by
 *   NONE      the beginning, hold_end      the answer to LEASE_ASK -> WAITING, HELD
 *   WAITING   the agent says so            LEASE: HELD or LOST
 *   HELD      the agent says so            LEASE, or a sign of life that was refused: LOST
 *   LOST      the agent says so            the answer to another LEASE_ASK
 *
 * Only the agent knows when a lease is over; a client that heard nothing still believes in it, and
 * the epoch in each result settles it.
 */
#ifndef RPC_CLIENT_HOLD_H
#define RPC_CLIENT_HOLD_H

#include "wire/message.h"

typedef enum HoldState { HOLD_NONE, HOLD_WAITING, HOLD_HELD, HOLD_LOST } HoldState;

typedef struct Hold {
	HoldState state;
	uint64_t id;    /* to come back to after the connection broke; 0: none */
	uint64_t epoch; /* HELD, LOST: of that lease */
	uint32_t seconds, position, held_s;
	bool draining;
	char holder[256], why[REASON_MAX + 1]; /* WAITING: who has it; LOST */
	uint64_t due;                          /* HELD: the next sign of life */
	unsigned changes;                      /* how often there was something new to show */
} Hold;

void hold_take(Hold *h, const LeaseInfo *i, uint64_t now);
void hold_end(Hold *h);                   /* it was given back */
uint64_t hold_deadline(const Hold *h);    /* when a sign of life is due; UINT64_MAX: never */
void hold_renewed(Hold *h, uint64_t now); /* it was sent */

/* Whether a result that arrives now was measured under the lease that is held. */
bool hold_counts(const Hold *h, const Result *r);

#endif
