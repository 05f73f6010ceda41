/* Net: the event loop of the agent: one listening socket, its connections, one watched descriptor,
 * children, signals, one alarm. The only file that knows libuv. It moves bytes and knows nothing of
 * what they mean: an encrypted channel sits between it and the session. */
#ifndef RPC_SERVER_NET_H
#define RPC_SERVER_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct Net Net;
typedef struct NetConn NetConn;

enum { NET_HOST_MAX = 64 };

/* Who is at the other end, as far as the system knows. */
typedef struct NetPeer {
	enum { NET_STDIO, NET_LOCAL, NET_TCP } kind;
	char host[NET_HOST_MAX]; /* of TCP: the address without its port */
	unsigned port;
	long uid; /* of a Unix socket; -1: not known */
} NetPeer;

typedef struct NetHooks {
	void *self;

	/* A peer connected. Returns what stands for it in the calls below; NULL turns it away. */
	void *(*opened)(void *self, NetConn *conn, const NetPeer *peer);

	void (*received)(void *client, const void *data, size_t n);

	/* Bytes that wait to be sent, and how many of them have been. */
	size_t (*output)(void *client, const uint8_t **data);
	void (*sent)(void *client, size_t n);

	/* True when the connection shall end once its output had a chance to go. */
	bool (*finished)(void *client);

	/* The connection is gone, for whatever reason; the last call for this client. */
	void (*closed)(void *client);

	void (*readable)(void *self); /* the watched descriptor */
	void (*child)(void *self);    /* a child process ended */
	void (*stop)(void *self);     /* SIGTERM or SIGINT */

	/* Called before each wait: do what is due, and say when to be woken (clock_ns). */
	uint64_t (*settle)(void *self);

	void (*hangup)(void *self); /* SIGHUP; NULL: as the system has it */

	unsigned silence_ms; /* of TCP connections: base/socket.h */
} NetHooks;

/* address: NULL, one connection is there already at standard input and output; a path, or
 * "127.0.0.1:9000",
 * "[::1]:9000" (numeric; port 0 = any). A socket that a dead server left behind is replaced.
 * Errors: ERR_BUSY a live server has it; ERR_INPUT no such address; ERR_DEVICE; ERR_NOMEM. */
int net_open(Net **n, const char *address, const NetHooks *hooks, Err *e);
void net_close(Net *n); /* NULL is fine */

const char *net_address(const Net *n); /* where it listens, with the real port */

void net_run(Net *n); /* until net_stop */
void net_stop(Net *n);

void net_watch(Net *n, int fd); /* for reading, instead of the one before; -1: none */
void net_drop(NetConn *c);      /* disconnects at once; closed follows */

#endif
