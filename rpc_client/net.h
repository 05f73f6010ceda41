/* Net: the client's event loop: one connection, one alarm, and a bell other threads may ring. The
 * only file here that knows libuv. */
#ifndef RPC_CLIENT_NET_H
#define RPC_CLIENT_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "rpc_client/place.h"

typedef struct Net Net;

/* All are called in the thread of rpc_net_run. */
typedef struct NetHooks {
	void *self;
	void (*received)(void *self, const void *data, size_t n);
	void (*closed)(void *self, const char *why); /* not connected, or not any more */

	/* Called before each wait. Sends what waits with rpc_net_send; returns when to be woken
	 * (clock_ns); false ends the loop. */
	bool (*settle)(void *self, uint64_t *wake);

	unsigned silence_ms; /* of a TCP connection: base/socket.h */
} NetHooks;

/* Prepares to connect to a socket or a TCP address (names of hosts are resolved on the way); what
 * comes of it is told by the hooks. Where fd is not negative it is a connected socket, which is
 * taken over in any case, and place is not looked at. Errors: ERR_INPUT no such address, ERR_NOMEM.
 */
int rpc_net_open(Net **n, const Place *place, int fd, const NetHooks *hooks, Err *e);
void rpc_net_run(Net *n);
void rpc_net_close(Net *n); /* after rpc_net_run; NULL is fine */

/* Sends what fits now and returns how much; settle is called again when more may go. Negative: the
 * connection is broken. Only inside settle. */
ptrdiff_t rpc_net_send(Net *n, const void *data, size_t size);

void rpc_net_ring(Net *n); /* from any thread: settle is called soon */

#endif
