/* Peer: what both ends of a connection share. Bytes in, messages out; messages in, bytes out; time
 * is an argument. No sockets, no clock, no threads. A channel (plain or encrypted) moves the bytes.
 *
 * Any failure (malformed frame, a limit, no memory, output nobody reads) closes the peer: it takes
 * and gives no more messages, and what is in its output may still be sent.
 */
#ifndef WIRE_PEER_H
#define WIRE_PEER_H

#include "wire/message.h"

enum { WHY_MAX = 256 };

typedef struct Peer {
	Bytes in, out;
	size_t in_at, out_at; /* consumed so far */
	size_t out_max;       /* more unsent bytes than this close the peer */
	const ScanLimits *limits;
	uint64_t heard, said; /* when the last bytes came, when the last message went */
	bool closed;
	char why[WHY_MAX];
} Peer;

void peer_init(Peer *p, size_t out_max, uint64_t now);
void peer_fini(Peer *p);

void peer_feed(Peer *p, const void *data, size_t n, uint64_t now);

/* Next message: OK, and the caller calls message_fini; NOT_APPLICABLE when none is complete or the
 * peer is closed. A well-formed message this version does not know is answered (request) or skipped
 * here. */
int peer_next(Peer *p, Message *m, uint64_t now);

/* Queues a message. Errors are those of message_encode, which leave the peer as it was, and
 * ERR_DEVICE when it is closed or this closes it. */
int peer_send(Peer *p, MessageKind kind, uint32_t id, Method method, const void *args, uint64_t now,
	      Err *e);

/* Unsent bytes: *data stays valid until the next call on p. peer_sent removes the first n. */
size_t peer_output(const Peer *p, const uint8_t **data);
void peer_sent(Peer *p, size_t n);

/* Closes; the first reason is kept. With say, queues BYE before. */
void peer_close(Peer *p, bool say, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
