/* Messages: what travels in a frame. A frame is a 4-byte little-endian length and one msgpack
 * array [kind, id, method, args]. args is a map with small integer keys (wire/fields.c): unknown
 * keys are skipped, absent ones are zero, and no number ever changes its meaning.
 *
 * A new message = one line in METHOD_LIST + one table in fields.c. msgpack-c is included by
 * encode.c only.
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include "base/err.h"
#include "wire/batch.h"
#include "wire/bytes.h"
#include "wire/scan.h"

enum {
	PROTOCOL_VERSION = 2, /* wire/hello.h: what each has, and how one is chosen */
	PROTOCOL_OLDEST = 1,  /* that is still spoken */
	FRAME_HEAD = 4,
	FRAME_MAX = 1 << 20,       /* after HELLO */
	FRAME_FIRST_MAX = 1 << 14, /* before */
	CHUNK_MAX = 256 * 1024,    /* blob bytes in one message */
	BLOBS_ASKED_MAX = 4096,    /* digests in one BLOB_HAVE */
	WHO_MAX = 128,
};

/* Bits of Hello.capabilities. */
enum { CAPABILITY_LEASES = 1 }; /* LEASE_*: without it a batch takes a lease by itself */

/* name, number, arguments of the request, of its response, of the event; None = not sent so */
#define METHOD_LIST(X)                                                                         \
	X(HELLO, 0, Hello, Hello, None)               /* first; for ever number 0 */           \
	X(DEVICE, 1, Empty, DeviceInfo, None)         /* what the agent's machine is */        \
	X(BLOB_HAVE, 2, Digests, Digests, None)       /* which of these are missing? */        \
	X(BLOB_PUT, 3, BlobChunk, Empty, None)        /* next chunk; the last is verified */   \
	X(BLOB_GET, 4, BlobAsk, BlobChunk, None)      /* one chunk */                          \
	X(BATCH_SUBMIT, 5, Batch, Empty, None)        /* answered when queued */               \
	X(BATCH_CANCEL, 6, BatchRef, Empty, None)     /* what is left becomes CANCELLED */     \
	X(RESULT, 7, None, None, Result)              /* one candidate of a batch */           \
	X(BATCH_DONE, 8, None, None, BatchDone)       /* after its last RESULT */              \
	X(PING, 9, Empty, Empty, None)                /* both directions */                    \
	X(BYE, 10, None, None, Bye)                   /* the sender closes, and why */         \
	X(LEASE_ASK, 11, LeaseAsk, LeaseInfo, None)   /* answered at once: held, or waiting */ \
	X(LEASE_RENEW, 12, LeaseRef, LeaseInfo, None) /* a sign of the holder's life */        \
	X(LEASE_END, 13, LeaseRef, Empty, None)       /* after the batches under way */        \
	X(LEASE, 14, None, None, LeaseInfo)           /* now held, another position, lost */   \
	X(DRAIN, 15, Drain, Empty, None)              /* no lease begins until it is off */    \
	X(KICK, 16, Kick, Empty, None)                /* the holder loses its lease */

typedef enum Method {
#define X(name, number, request, response, event) METHOD_##name = number,
	METHOD_LIST(X)
#undef X
} Method;

typedef enum MessageKind {
	MESSAGE_REQUEST,
	MESSAGE_RESPONSE,
	MESSAGE_FAILURE, /* response to a request that was not done; args: Failure */
	MESSAGE_EVENT,
	MESSAGE_KINDS
} MessageKind;

typedef struct Hello {
	uint32_t version;      /* a client's: the oldest it speaks; an agent's: of this session */
	uint64_t capabilities; /* CAPABILITY_ bits; unknown ones mean nothing */
	char *who;             /* program and version, for logs */
	uint32_t newest;       /* a client's: the newest it speaks; 0: `version` is the only one */
	uint64_t instance;     /* an agent's: another number after a restart; 0: not told */
} Hello;

typedef struct Digests {
	LIST(Digest) list;
} Digests;

typedef struct BlobChunk {
	Digest digest;
	uint64_t size, offset; /* of the whole blob; of this chunk in it */
	LIST(uint8_t) bytes;
} BlobChunk;

typedef struct BlobAsk {
	Digest digest;
	uint64_t offset;
} BlobAsk;

typedef struct BatchRef {
	uint64_t batch;
} BatchRef;

typedef struct Failure {
	uint32_t code; /* an ERR_* code, negated */
	char *text;
} Failure;

typedef struct Bye {
	char *why;
} Bye;

/* To own the timing of the machine. Who asks again replaces his wish. */
typedef struct LeaseAsk {
	char *who;        /* for people, where no key says it better */
	uint32_t seconds; /* without a sign of life that end it; 0: as many as the agent allows */
	uint64_t lease;   /* a random name for it; that of one to come back to */
} LeaseAsk;

typedef enum LeaseState { LEASE_LOST, LEASE_WAITING, LEASE_HELD, LEASE_STATES } LeaseState;

typedef struct LeaseInfo {
	uint32_t state; /* LeaseState */
	uint64_t lease; /* names it; nobody else is told */
	uint64_t epoch; /* grows with every lease of this agent; 0: waiting */
	uint32_t seconds;
	uint32_t position; /* WAITING: 1 is next */
	char *holder;      /* WAITING: for whom; "": nobody */
	uint32_t held_s;   /* WAITING: since how long */
	bool draining;
	char *why; /* LOST */
} LeaseInfo;

typedef struct LeaseRef {
	uint64_t lease;
} LeaseRef;

typedef struct Drain {
	bool on;
} Drain;

typedef struct Kick {
	uint64_t epoch; /* of the lease that goes; 0: whichever is held */
	bool all;       /* those who wait as well */
	char *why;
} Kick;

typedef struct Message {
	uint32_t kind, id, method;
	union {
		Hello hello;
		Digests digests;
		BlobChunk chunk;
		BlobAsk ask;
		Batch batch;
		BatchRef ref;
		Result result;
		BatchDone done;
		DeviceInfo device;
		Failure failure;
		Bye bye;
		LeaseAsk lease_ask;
		LeaseInfo lease;
		LeaseRef lease_ref;
		Drain drain;
		Kick kick;
	} u;
} Message;

extern const ScanLimits scan_first, scan_later; /* before and after HELLO */

const char *method_name(uint32_t method); /* "BATCH_SUBMIT"; "?" for a foreign number */

/* Appends one frame. args is the struct METHOD_LIST names (Failure for a failure), NULL for Empty.
 * On an error *out is as before. Errors: ERR_NOMEM; ERR_INPUT when the frame exceeds FRAME_MAX or
 * a limit of fields.c, or decoding it would allocate too much for its length (schema.h), so that
 * the other side would refuse it. */
int message_encode(Bytes *out, MessageKind kind, uint32_t id, Method method, const void *args,
		   Err *e);

/* Scans and decodes the body of a frame. NOT_APPLICABLE: well-formed, but this version knows no
 * such method in that role; the head is filled in. Otherwise OK, and the caller calls message_fini,
 * or ERR_INPUT, ERR_NOMEM, with nothing to free. */
int message_decode(const void *body, size_t size, const ScanLimits *limits, Message *m, Err *e);
void message_fini(Message *m);

#endif
