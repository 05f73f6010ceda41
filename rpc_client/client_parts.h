/* What the files of RpcClient share. */
#ifndef RPC_CLIENT_CLIENT_PARTS_H
#define RPC_CLIENT_CLIENT_PARTS_H

#include <pthread.h>

#include "rpc_client/client.h"
#include "rpc_client/link.h"
#include "rpc_client/local.h"
#include "rpc_client/net.h"
#include "trust/channel.h"

enum { ASK_MS = 100 }; /* between two questions whether to stop */

struct RpcClient {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* something arrived, or the state changed */
	Link link;
	bool begun;     /* the thread runs its loop, or failed to: then failed.code is set */
	bool connected; /* bytes have gone out */
	Err failed;     /* also when the agent refused us */
	Net *net;
	Local local;
	Side *side; /* of the channel; NULL: not encrypted */
	Channel *channel;
	Place place;
	char *server_path; /* of a private agent, which is started first; or NULL */
	Pulse pulse;
	DeviceInfo device;
};

/* In the callers' threads, with the lock held. */

/* Waits for something to change, at most until end (clock_ns). */
void client_wait(RpcClient *c, uint64_t end);
/* Why the connection is gone, as ERR_DEVICE. */
int client_gone(const RpcClient *c, Err *e);
/* Sends a request and waits for its answer. OK: *m is a response, and the caller calls
 * message_fini. */
int client_ask(RpcClient *c, Method method, const void *args, Message *m, Err *e);

/* A request whose answer says nothing but that it was done. Takes the lock itself. */
int client_tell(RpcClient *c, Method method, const void *args, Err *e);

#endif
