/* Getting a lost connection back without the user: the same way in again, with growing pauses,
 * until it works, will not work, or took too long. */
#ifndef RPC_CLIENT_REOPEN_H
#define RPC_CLIENT_REOPEN_H

#include "rpc_client/backoff.h"
#include "rpc_client/client.h"

typedef struct Reopen {
	RpcWay way;
	Backoff backoff;
	void *self;
	bool (*stop)(void *self);                      /* asked often: give up; may be NULL */
	void (*waiting)(void *self, const char *text); /* why, and for how long; may be NULL */
} Reopen;

/* Whether a later attempt may fare better than one that ended so: nobody there, no answer, busy.
 * A refused key, another protocol, a wrong address do not pass. */
bool reopen_may_pass(int rc);

/* Closes *c (NULL is fine) and opens it anew; a private agent is started anew. What the old one had
 * under way is gone; blobs may be. The caller calls backoff_reset when something was achieved. *c
 * is NULL on an error. Errors: those of the last attempt; ERR_DEVICE also when the time is over,
 * with the last reason; ERR_CANCELLED when stop wanted no more. */
int rpc_reopen(Reopen *r, RpcClient **c, Err *e);

#endif
