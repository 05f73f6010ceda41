/* Leases: who owns the timing of this machine, as a state machine. One client holds, the others
 * wait in the order they asked. Requests and time go in, changes come out; no I/O, no clock.
 *
 *   state     enters by                          leaves by
 *   WAITING   lease_ask                          first in line, nobody holds, no drain -> HELD
 *                                                lease_end -> gone; lease_kick, a connection that
 *                                                stays away for grace_ns -> LOST
 *   HELD      lease_next, with the next epoch    lease_end -> gone, or CLOSING with batches left
 *                                                no lease_renew for its time, a connection that
 *                                                stays away, lease_kick -> LOST
 *   CLOSING   lease_end with batches left, or    its last batch is over (lease_end again) -> gone
 *             a batch without a lease            lease_kick -> LOST
 *   LOST      -                                  lease_next has told it
 *
 * A client that knows no leases takes one by its first batch; that one is CLOSING from the
 * beginning and needs no sign of life, because the connection's own silence ends it.
 */
#ifndef RPC_SERVER_LEASE_H
#define RPC_SERVER_LEASE_H

#include "rpc_server/limits.h"
#include "wire/message.h"

enum {
	LEASES_MAX = LEASE_QUEUE_MAX + 1, /* the holder and those who wait */
	LEASE_NAME_MAX = 80,              /* of a key, a user, a host */
	LEASE_WHO_MAX = LEASE_NAME_MAX + WHO_MAX + 8,
};

typedef struct Lease {
	uint64_t id;    /* whoever knows it, and has the same name, may come back to it */
	uint64_t epoch; /* 0: waits */
	void *owner;    /* its connection; NULL: it broke */
	char name[LEASE_NAME_MAX], who[LEASE_WHO_MAX]; /* as proved; for people */
	bool closing;
	uint32_t seconds;  /* without a sign of life */
	uint64_t since;    /* it is held, or waits */
	uint64_t deadline; /* then it is lost; UINT64_MAX: never */
	bool kicked;
	unsigned told; /* position and drain, as the client knows them */
} Lease;

typedef struct Leases {
	Lease v[LEASES_MAX]; /* the holder, if there is one; then those who wait, in order */
	unsigned n, queue_max;
	bool held, draining;
	uint32_t seconds_max;
	uint64_t grace_ns;
	uint64_t epoch;           /* the last one given */
	char why[REASON_MAX + 1]; /* of the last kick */
} Leases;

typedef struct LeaseWish {
	void *owner;
	const char *name, *who; /* as in Lease; cut where they are longer */
	uint64_t fresh;         /* the id of a new lease: random, not 0 */
	uint64_t old;           /* one to come back to; 0: none */
	uint32_t seconds;       /* 0: as many as there may be */
	bool closing;           /* a batch asks */
} LeaseWish;

/* What became of a lease. */
typedef struct LeaseChange {
	LeaseState state;
	Lease lease;              /* as it is, or was when it was lost */
	char why[REASON_MAX + 1]; /* LOST */
} LeaseChange;

/* queue_max: at most LEASES_MAX - 1. */
void lease_init(Leases *l, unsigned queue_max, uint32_t seconds_max, uint64_t grace_ns);

/* The lease that stands for a wish: the owner's own, the old one under a new connection (*from is
 * the connection it had, NULL for none), or a new one at the end of the line, which lease_next
 * grants if it is its turn. ERR_BUSY when the line is full. */
int lease_ask(Leases *l, const LeaseWish *w, uint64_t now, Lease **out, void **from, Err *e);

/* A sign of life. False: there is no such lease, or it is not held. */
bool lease_renew(Leases *l, const void *owner, uint64_t id, uint64_t now);

/* The owner wants it no more. With `busy` it stays until called again without. */
void lease_end(Leases *l, const void *owner, bool busy);

/* A connection is gone. With `grace` its lease waits for another one; a closing one ends. */
void lease_gone(Leases *l, const void *owner, bool grace, uint64_t now);

/* Takes leases away: that of an epoch, or, when it is 0, whichever is held; with `all` those who
 * wait lose their place too. False when there is none. */
bool lease_kick(Leases *l, uint64_t epoch, bool all, const char *why);
void lease_drain(Leases *l, bool on);

/* The next change that somebody must be told of; false: none. What is lost is told before anything
 * is granted. */
bool lease_next(Leases *l, uint64_t now, LeaseChange *out);
uint64_t lease_deadline(const Leases *l); /* when to call lease_next again */

const Lease *lease_holder(const Leases *l); /* NULL: nobody */
/* NULL when the client has none. */
const Lease *lease_of(const Leases *l, const void *owner);
/* Whether what is measured under that epoch counts at this moment. */
bool lease_counts(const Leases *l, uint64_t epoch, uint64_t now);
unsigned lease_waiting(const Leases *l);
/* 1 for the first that waits, 0 for the holder. */
unsigned lease_position(const Leases *l, const Lease *x);

#endif
