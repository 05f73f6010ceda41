/* The client's end of a lease. */
#include "rpc_client/hold.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum { SIGNS = 3 }; /* of life in the time after which it would be lost */

void
hold_renewed(Hold *h, uint64_t now)
{
	h->due = now + h->seconds * SECOND_NS / SIGNS;
}

void
hold_take(Hold *h, const LeaseInfo *i, uint64_t now)
{
	static const HoldState state[LEASE_STATES] = {
		[LEASE_LOST] = HOLD_LOST,
		[LEASE_WAITING] = HOLD_WAITING,
		[LEASE_HELD] = HOLD_HELD,
	};
	HoldState before = h->state;

	h->state = state[i->state];
	h->changes += h->state != before || h->state == HOLD_WAITING;
	h->id = h->state == HOLD_LOST ? 0 : i->lease;
	if (h->state != HOLD_LOST || i->epoch)
		h->epoch = i->epoch;
	h->seconds = i->seconds ? i->seconds : 1;
	h->position = i->position;
	h->held_s = i->held_s;
	h->draining = i->draining;
	snprintf(h->holder, sizeof h->holder, "%s", i->holder ? i->holder : "");
	snprintf(h->why, sizeof h->why, "%s", i->why ? i->why : "");
	if (h->state == HOLD_HELD && before != HOLD_HELD)
		hold_renewed(h, now);
}

void
hold_end(Hold *h)
{
	h->state = HOLD_NONE;
	h->id = 0;
}

uint64_t
hold_deadline(const Hold *h)
{
	return h->state == HOLD_HELD ? h->due : UINT64_MAX;
}

bool
hold_counts(const Hold *h, const Result *r)
{
	return h->state == HOLD_NONE || (h->state == HOLD_HELD && r->epoch == h->epoch);
}
