/* Session: the agent's end of a connection, as a state machine over a Peer.
 *
 *   state     may arrive                          leaves by
 *   HELLO     HELLO, small frames only            right version -> OPEN; anything else, or
 *                                                 handshake_ns without it -> CLOSED
 *   OPEN      requests (PING is answered here),   BYE, malformed bytes, silence, output that is
 *             answers to PING                     not read -> CLOSED
 *   CLOSED    nothing                             the owner sends what is left and disconnects
 */
#ifndef WIRE_SESSION_H
#define WIRE_SESSION_H

#include "wire/pulse.h"

#define HANDSHAKE_NS     (5 * SECOND_NS)
#define STRANGER_OUT_MAX 4096u /* unsent bytes before HELLO, and after it */
#define SESSION_OUT_MAX  (8u << 20)

typedef struct Session {
	Peer peer;
	Pulse pulse;
	bool open;
	uint32_t version; /* of the protocol, once open */
	bool left;        /* it said BYE */
	uint64_t started;
	uint64_t handshake_ns; /* time for HELLO; HANDSHAKE_NS unless the owner changes it */
	size_t out_max;        /* unsent bytes once open; SESSION_OUT_MAX unless changed */
	const char *who;       /* this agent, for HELLO; outlives the session */
	uint64_t instance;     /* of Hello; 0 unless the owner changes it */
	uint64_t capabilities; /* what it says there; all there are unless changed */
} Session;

void session_init(Session *s, const char *who, uint64_t now);
void session_fini(Session *s);

void session_feed(Session *s, const void *data, size_t n, uint64_t now);

/* Next request for the owner (DEVICE, BLOB_*, BATCH_*), who answers it with session_reply or
 * session_refuse, now or later, and calls message_fini. False when there is none. */
bool session_next(Session *s, Message *m, uint64_t now);

/* A reply that cannot be encoded becomes a failure that says so. */
void session_reply(Session *s, const Message *request, const void *args, uint64_t now);
void session_refuse(Session *s, const Message *request, const Err *why, uint64_t now);
void session_event(Session *s, Method method, const void *args, uint64_t now);

void session_tick(Session *s, uint64_t now); /* deadlines */
uint64_t session_deadline(const Session *s); /* when to tick next */
bool session_closed(const Session *s, const char **why);

#endif
