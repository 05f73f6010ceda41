/* Server: who is connected, what they asked for, and which batch runs: one at a time, in the order
 * they came, because two would disturb each other's times. */
#ifndef RPC_SERVER_SERVER_H
#define RPC_SERVER_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

typedef struct ServerConfig {
	const char *address; /* net.h; NULL: ends with the one client */
	const char *program; /* that becomes the runner; see proc_spawn */
	const char *name;    /* of the device; NULL = the host's */
	uint64_t blob_bytes; /* cap of the blob store */
	int core;            /* for runners; -1 = any */
	bool insecure;       /* recorded in DeviceInfo */
} ServerConfig;

enum {
	CLIENTS_MAX = 256, /* more: the oldest that has not said HELLO yet goes, if there is one */
	QUEUE_MAX = 64,    /* batches of all clients */
	QUEUE_CLIENT_MAX = 4, /* of one client, the running one included */
};

/* Serves until SIGTERM, SIGINT or the one client has left. `ready` is called with the
 * address once it listens. Errors: those of net_open; ERR_NOMEM. */
int server_run(const ServerConfig *config, void (*ready)(const char *address), Err *e);

#endif
