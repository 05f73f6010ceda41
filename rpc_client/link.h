/* Link: the client's end of a connection, as a state machine over a Peer: says HELLO, remembers
 * which requests wait for an answer, keeps answers and events until they are taken, sends PING when
 * it has nothing else to say. Bytes and time in, bytes and messages out. */
#ifndef RPC_CLIENT_LINK_H
#define RPC_CLIENT_LINK_H

#include "rpc_client/hold.h"
#include "wire/session.h"

enum {
	LINK_WAITING_MAX = 64,    /* requests without an answer */
	LINK_ANSWER_S = 60,       /* then an agent that answers none of them is given up */
	LINK_EVENTS_MAX = 100000, /* events nobody took: the agent has gone mad */
};

typedef struct Link {
	Peer peer;
	Pulse pulse;
	bool open;         /* the agent answered HELLO */
	int refused;       /* it said why not: an ERR_* code */
	uint64_t instance; /* of the agent, as it said */
	uint64_t started;
	uint64_t patience; /* ns without a byte before that; HANDSHAKE_NS unless changed */
	uint32_t last_id;  /* 1 is HELLO's */
	struct {
		uint32_t id, method;
	} waiting[LINK_WAITING_MAX];
	uint32_t waits;
	uint64_t answered; /* since then the requests that wait have had no answer */
	Message *arrived;  /* answers and events in the order they came */
	uint32_t arrivals, room;
	uint64_t capabilities; /* of the agent; once open */
	Hold hold;             /* gives signs of life by itself */
} Link;

/* What a failure says went wrong; ERR_DEVICE where the code is not known. */
int failure_code(const Failure *f);

void link_init(Link *l, const char *who, uint64_t now);
void link_fini(Link *l);

void link_feed(Link *l, const void *data, size_t n, uint64_t now);
void link_tick(Link *l, uint64_t now);
uint64_t link_deadline(const Link *l);

/* Queues a request; *id names it. Errors: those of peer_send; ERR_BUSY when LINK_WAITING_MAX
 * requests wait. */
int link_request(Link *l, Method method, const void *args, uint64_t now, uint32_t *id, Err *e);

/* The loss of a lease is an event among the results; the other news of it are in `hold` only. A
 * result that does not count is marked as stale.
 *
 * The answer to request id (RESPONSE or FAILURE), or the oldest event. True when there is one: it
 * is moved to *m, and the caller calls message_fini. A RESPONSE has the method of its request. */
bool link_take_answer(Link *l, uint32_t id, Message *m);
bool link_take_event(Link *l, Message *m);

#endif
