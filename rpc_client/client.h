/* RpcClient: a connection to an agent, used like a library: calls block until they are answered.
 *
 * A thread of its own moves the bytes, answers heartbeats and collects results, so the caller may
 * compile for minutes between two calls, and results arrive while blobs are uploaded. Several
 * threads may use one client. After ERR_DEVICE the connection is gone for good: close it, or get it
 * back with reopen.h.
 */
#ifndef RPC_CLIENT_CLIENT_H
#define RPC_CLIENT_CLIENT_H

#include "base/err.h"
#include "wire/batch.h"

typedef struct RpcClient RpcClient;

/* The way to an agent. */
typedef struct RpcWay {
	const char *address;     /* a registered name (registry.h), or an address (place.h):
				  * "/path.sock", "ssh:board"... NULL: a private agent */
	const char *server_path; /* program of the private agent */
	uint32_t heartbeat_ms;   /* say something at least so often; 0: 2 s */
	uint32_t silence_ms;     /* the agent is gone when nothing came for so long; 0: 10 s */
} RpcWay;

/* A private agent listens at the other end of a socket without a name and ends with rpc_close, or
 * with this process. Errors: ERR_INPUT no such name or address; ERR_DENIED the key was refused, or
 * the agent did not prove it; ERR_UNSUPPORTED it speaks another protocol; ERR_DEVICE (nobody there,
 * no answer within 5 s, by ssh 60 s; what a private agent says when it does not start), ERR_NOMEM.
 */
int rpc_open_way(const RpcWay *way, RpcClient **c, Err *e);

int rpc_open(const char *address, RpcClient **c, Err *e);
int rpc_start_local(const char *server_path, RpcClient **c, Err *e);

void rpc_close(RpcClient *c); /* cancels what is still queued; NULL is fine */

/* As of rpc_open. `insecure` is also set when this end asked for no proof over TCP. */
const DeviceInfo *rpc_device(const RpcClient *c);

/* Which run of the agent this is: another number after a restart. 0: it is too old to say. */
uint64_t rpc_instance(const RpcClient *c);

/* Offers data by its digest and uploads it when the agent lacks it. *d may be NULL. */
int rpc_put_blob(RpcClient *c, const void *data, size_t size, Digest *d, Err *e);

/* Fetches a blob into fresh memory that the caller frees. Errors: ERR_INPUT when the agent does not
 * have it, ERR_DEVICE, ERR_NOMEM. */
int rpc_get_blob(RpcClient *c, const Digest *d, void **data, size_t *size, Err *e);

/* Queues a batch whose blobs the agent has; returns when it is queued. b->id must be unique within
 * this client. Errors: ERR_INPUT (inconsistent, a blob is missing, too large), ERR_BUSY (too many
 * wait: take results first), ERR_DEVICE. */
int rpc_submit(RpcClient *c, const Batch *b, Err *e);

/* What is left of the batch becomes CANCELLED; its results and end still come. */
int rpc_cancel(RpcClient *c, uint64_t batch, Err *e);

/* The full calibration of the agent's machine, which takes about a second of it, behind the batches
 * that others have queued. No batch of this client may be under way. stop(self), asked now and
 * then, gives up; it may be NULL. Errors: ERR_CANCELLED; ERR_INPUT when the agent is too old to
 * know this; ERR_DEVICE, also when the measuring process died. */
int rpc_calibrate(RpcClient *c, bool (*stop)(void *self), void *self, Calibration *out, Err *e);

typedef enum RpcEventKind { RPC_RESULT, RPC_BATCH_DONE, RPC_LEASE_LOST } RpcEventKind;

typedef struct RpcEvent {
	RpcEventKind kind;
	Result result;  /* RPC_RESULT: the caller calls result_fini */
	BatchDone done; /* RPC_BATCH_DONE: no more results of that batch come */
} RpcEvent;

/* RPC_LEASE_LOST comes to those who called rpc_lease (rpc_client/lease.h): what arrives behind it
 * is CANCELLED or stale, until they hold one again. A result with `stale` set must not count. */

/* Next result or end of a batch, of any batch, in the order they came. timeout_ms < 0: as long as
 * it takes. NOT_APPLICABLE when the time is over; ERR_DEVICE when the connection is gone and all
 * that arrived has been taken. */
int rpc_wait(RpcClient *c, int timeout_ms, RpcEvent *event, Err *e);

#endif
