/* Server: who is connected, what they asked for, and which batch runs: one at a time, in the order
 * they came, because two would disturb each other's times. */
#ifndef RPC_SERVER_SERVER_H
#define RPC_SERVER_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "rpc_server/journal.h"
#include "rpc_server/limits.h"

typedef struct ServerConfig {
	const char *address;              /* net.h; NULL: ends with the one client */
	const char *program;              /* that becomes the runner; see proc_spawn */
	const char *name;                 /* of the device; NULL = the host's */
	const char *keys;                 /* folder of keys that clients must prove; NULL: none */
	uint64_t blob_bytes;              /* cap of the blob store */
	const char *on_wedged;            /* command, see wedge_begin; NULL: none */
	const char *blob_folder;          /* that it has files in; NULL: memory only */
	int core;                         /* for runners; -1 = any */
	bool insecure;                    /* recorded in DeviceInfo */
	uint64_t sandbox;                 /* layers for runners (wire/sandbox.h), where there are */
	uint64_t sandbox_required;        /* those that none may do without */
	Journal *journal;                 /* NULL: none; outlives the server */
	Limits limits;                    /* all of them set */
	uint32_t null_hold_ms, null_slow; /* of the runner 'null', see run_null.h */

	/* What the program is told; each may be NULL. note: for the agent's log. hangup: SIGHUP,
	 * which else ends the process. due: before each wait; returns when it wants to be called
	 * again (clock_ns). */
	void *self;
	void (*note)(void *self, const char *line);
	void (*hangup)(void *self);
	uint64_t (*due)(void *self, uint64_t now);
} ServerConfig;

/* Serves until SIGTERM, SIGINT or the one client has left. `ready` is called with config->self and
 * the address once it listens. Errors: those of net_open, access_open and
 * probe_require; ERR_NOMEM. */
int server_run(const ServerConfig *config, void (*ready)(void *self, const char *address), Err *e);

#endif
