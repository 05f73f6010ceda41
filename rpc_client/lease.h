/* Leases as a client sees them: a device has one holder at a time, who alone measures there. */
#ifndef RPC_CLIENT_LEASE_H
#define RPC_CLIENT_LEASE_H

#include <stdbool.h>

#include "rpc_client/client.h"

/* How to wait for a device that somebody holds. */
typedef struct RpcWait {
	const char *name; /* of the device, for people; NULL: "the agent" */
	uint64_t old; /* a lease to come back to: rpc_lease_id of a client whose connection broke */
	double seconds; /* at most; 0: not at all; negative: as long as it takes */
	void (*told)(void *self, const char *text); /* a line for people; may be NULL */
	bool (*stop)(void *self);                   /* asked now and then; may be NULL */
	void *self;
} RpcWait;

/* Comes to hold the device: at once when this client does already, after others, or again where a
 * connection broke and `old` is still there. Signs of life go by themselves until rpc_lease_end,
 * rpc_close, or the loss that rpc_wait tells. OK at once, without a lease, where the agent is too
 * old to know them. Errors: ERR_BUSY names the holder when the time is over, and why this client
 * was sent away; ERR_CANCELLED when stop says so; ERR_DENIED; ERR_DEVICE. */
int rpc_lease(RpcClient *c, const RpcWait *w, Err *e);

/* What was begun under it still is done. No error when there is none. */
int rpc_lease_end(RpcClient *c, Err *e);

/* Names the lease that is held or waited for; 0: none. */
uint64_t rpc_lease_id(RpcClient *c);

/* Whether it was lost and is not held again; then *why, of at least REASON_MAX + 1 bytes, says
 * why. why may be NULL. */
bool rpc_lease_lost(RpcClient *c, char *why);

/* --- for whoever looks after the device; ERR_DENIED without a key of role tune, unless this is the
 * agent's own user; ERR_UNSUPPORTED: too old an agent --- */

/* With it on nobody comes to hold the device; who holds it does so until he ends. */
int rpc_drain(RpcClient *c, bool on, Err *e);

/* Takes the lease of that epoch away; 0: whichever is held. With `all` those who wait lose their
 * place too. Its holder may ask again. ERR_INPUT when there is none. */
int rpc_kick(RpcClient *c, uint64_t epoch, bool all, const char *why, Err *e);

#endif
