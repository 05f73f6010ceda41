/* RpcClient: a connection to an agent, used like a library: calls block until they are answered.
 *
 * A thread of its own moves the bytes, answers heartbeats and collects results, so the caller may
 * compile for minutes between two calls, and results arrive while blobs are uploaded. Several
 * threads may use one client. After ERR_DEVICE the connection is gone for good: close it.
 */
#ifndef RPC_CLIENT_CLIENT_H
#define RPC_CLIENT_CLIENT_H

#include "base/err.h"
#include "wire/batch.h"

typedef struct RpcClient RpcClient;

/* address: a registered name (registry.h), or an address (place.h): "/path.sock", "ssh:board"...
 * Errors: ERR_INPUT no such name or address; ERR_DENIED the key was refused, or the agent did not
 * prove it; ERR_DEVICE (nobody there, no answer within 5 s, by ssh 60 s), ERR_NOMEM. */
int rpc_open(const char *address, RpcClient **c, Err *e);

/* Starts a private agent (program rpc_server) at the other end of a socket without a name. It ends
 * with rpc_close, or with this process. Errors: as rpc_open; what the agent says when it does not
 * start. */
int rpc_start_local(const char *server_path, RpcClient **c, Err *e);

/* Replaces a client whose connection is gone by a new one, opened as the old one was: a private
 * agent is started anew, another one is tried after 0.1, 0.2, 0.4 ... 5 s until timeout_ms is over
 * (at least once), or stop(self) wants no more of it; stop may be NULL. Batches that were queued
 * are gone; blobs may be. *c is closed in any case, and NULL on an error. Errors: those of the last
 * attempt; nobody else may use *c meanwhile. */
int rpc_reopen(RpcClient **c, int timeout_ms, bool (*stop)(void *self), void *self, Err *e);

void rpc_close(RpcClient *c); /* cancels what is still queued; NULL is fine */

/* As of rpc_open. `insecure` is also set when this end asked for no proof over TCP. */
const DeviceInfo *rpc_device(const RpcClient *c);

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

typedef enum RpcEventKind { RPC_RESULT, RPC_BATCH_DONE } RpcEventKind;

typedef struct RpcEvent {
	RpcEventKind kind;
	Result result;  /* RPC_RESULT: the caller calls result_fini */
	BatchDone done; /* RPC_BATCH_DONE: no more results of that batch come */
} RpcEvent;

/* Next result or end of a batch, of any batch, in the order they came. timeout_ms < 0: as long as
 * it takes. NOT_APPLICABLE when the time is over; ERR_DEVICE when the connection is gone and all
 * that arrived has been taken. */
int rpc_wait(RpcClient *c, int timeout_ms, RpcEvent *event, Err *e);

#endif
