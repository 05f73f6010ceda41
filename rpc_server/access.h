/* Access: who may use the agent. Proof of a key over TCP, the user's id at a Unix socket, nothing
 * where the other end was there before the agent. Refusals are noted, at a bounded rate. */
#ifndef RPC_SERVER_ACCESS_H
#define RPC_SERVER_ACCESS_H

#include "rpc_server/limits.h"
#include "rpc_server/net.h"
#include "trust/channel.h"
#include "wire/peer.h"

typedef struct Access {
	const Limits *limits;
	void (*note)(void *self, const char *line); /* for the agent's log; NULL: nobody reads it */
	void *self;                                 /* of note */
	Ring *ring;                                 /* NULL: TCP is open to all */
	Side *side;
	uint64_t looked; /* when the ring was last looked at */
	bool changed;    /* it is not what it was: ask access_valid of every pass, and clear this */
	uint64_t filled, left,
		unsaid; /* notes: since when, how many may come, how many could not */
} Access;

/* What one connection may do. */
typedef struct Pass {
	Access *access;
	NetPeer peer;
	char from[NET_HOST_MAX + 16]; /* the peer, for people */
	Channel *channel;             /* NULL: not encrypted */
	Key key;                      /* proved; its name is "" until then, or without keys */
	bool revoked;                 /* while it was being proved */
} Pass;

/* keys: folder of the ring; NULL: none. Errors: of ring_open and side_accepting. On an error there
 * is nothing to close. */
int access_open(Access *a, const char *keys, const Limits *limits,
		void (*note)(void *self, const char *line), void *self, Err *e);
void access_close(Access *a); /* a zeroed Access is fine */

void access_note(Access *a, uint64_t now, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A peer has come. False: refused, and noted. */
bool access_admit(Access *a, const NetPeer *peer, Pass *p, uint64_t now);
void access_release(Pass *p);

/* Bytes of the network: take gets what is in them. */
void access_feed(Pass *p, const void *data, size_t n, uint64_t now, ChannelTake *take, void *self);
/* Bytes for the network: moves what waits in the peer into the channel, if there is one. */
size_t access_output(Pass *p, Peer *peer, const uint8_t **data);
void access_sent(Pass *p, Peer *peer, size_t n);

bool access_failed(const Pass *p); /* the connection is of no use; has been noted */

/* OK, or ERR_DENIED with the reason: what this peer asks is beyond its role. */
int access_allows(const Pass *p, uint32_t method, Err *e);

/* Who it is, for other people: the key's name, or where the connection comes from. */
const char *access_name(const Pass *p);

/* Reads the keys again when it is time. Returns when to call again (clock_ns). */
uint64_t access_refresh(Access *a, uint64_t now);
bool access_valid(const Pass *p);

#endif
