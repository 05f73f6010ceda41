/* What agent and runner share: one memory segment and small fixed messages. Both come from the same
 * build; the word in every message proves it. The agent never trusts what a runner wrote: it copies
 * first and checks the copy.
 *
 * The segment: Control (the runner writes), Plan, the batch as a message, blobs (the runner reads),
 * and the area of each buffer (both write). Every part begins on a page.
 */
#ifndef RPC_SERVER_PLAN_H
#define RPC_SERVER_PLAN_H

#include <stdatomic.h>

#include "rpc_server/area.h"
#include "rpc_server/sandbox.h"
#include "wire/batch.h"

/* What rpc_server is called as, argv[0], when it is to be a runner. */
#define RUNNER_NAME "hone_runner"

enum {
	RUNNER_FD = 3,
	REPLY_TEXT = REASON_MAX + 1,
	DEADLINE_MS = 10000, /* of a candidate that names none, and of starting */
};

/* Where a fault happened; name and text */
#define PLACE_LIST(X)                       \
	X(ELSEWHERE, "outside all buffers") \
	X(BUFFER, "buffer")                 \
	X(DERIVED, "derived buffer")        \
	X(SCRATCH, "scratch")               \
	X(POOL, "pool of constants")        \
	X(CODE, "code")                     \
	X(STACK, "stack")

typedef enum Place {
#define X(name, text) PLACE_##name,
	PLACE_LIST(X)
#undef X
		PLACE_COUNT
} Place;

typedef struct Fault {
	int32_t signal; /* 0: none was caught */
	uint32_t place, index;
	int64_t distance; /* of the address that faulted, from the first byte of the place */
	int64_t code;     /* offset of the instruction in the image; -1: not in there */
} Fault;

/* alone_ns: the fastest run on inputs that had just been changed, where a sample has several runs;
 * else 0. idle: WRONG, because a run left its outputs as they were. */
typedef struct Timed {
	uint32_t status, inner, n, idle;
	double alone_ns;
} Timed;

typedef struct Control {
	_Atomic uint64_t progress; /* grows with every sample */
	_Atomic uint32_t current;  /* candidate running now */
	Fault fault;
	double calibration_before, calibration_after;
	Calibration calibration; /* the full one */
	uint64_t prepare_ns, run_ns;
	Timed timed[CANDIDATES_MAX];
	double samples[]; /* search: of one candidate; race: race_rounds for each candidate */
} Control;

typedef struct PlanBlob {
	Digest digest;
	uint64_t at, bytes;
} PlanBlob;

typedef struct Plan {
	uint64_t batch_at, batch_bytes; /* frame of a BATCH_SUBMIT */
	uint64_t area_at[BUFFERS_MAX];  /* area_pages(bytes) each */
	uint64_t first_at[BUFFERS_MAX]; /* first contents of inputs that have others too, else 0 */
	uint64_t cache_bytes;           /* last level */
	uint64_t memory_bytes;          /* the runner may use so much of its own */
	uint64_t cache[3];              /* of each level; 0: none */
	uint32_t null_hold_ms, null_slow; /* run_null.h */
	int32_t core;                     /* to stay on; -1 = any */
	uint32_t blobs;
	PlanBlob blob[]; /* image, pools and pack descriptions */
} Plan;

/* The first message, to the keeper. A probe takes on the whole sandbox, says hello, and ends. */
typedef struct Orders {
	uint32_t word, probe;
	uint64_t sandbox; /* layers to be in */
} Orders;

typedef enum CommandKind {
	COMMAND_LOAD,
	COMMAND_CHECK,
	COMMAND_TIME,
	COMMAND_RACE,
	COMMAND_CALIBRATE,
	COMMAND_AGAIN,
} CommandKind;

/* LOAD carries the segment's descriptor and maps everything. CALIBRATE takes the full calibration.
 * CHECK prepares one candidate and runs
 * it once. TIME times the candidate of the last CHECK. RACE times all candidates
 * that are checked, named by `racing`. Both change inputs between samples and leave them as they
 * found them. AGAIN runs a timed candidate `times` times with warm constants. Each
 * is answered by one Reply of the same kind. */
typedef struct Command {
	uint32_t word, kind, candidate, times;
	uint64_t segment_bytes, plan_at, plan_bytes; /* LOAD */
	uint64_t racing[CANDIDATES_MAX / 64];        /* RACE: a bit per candidate */
} Command;

enum { REPLY_HELLO = 100 }; /* kind of the first reply, unasked: the runner is up */

typedef struct Reply {
	uint32_t word, kind, candidate, status; /* Status */
	SandboxReport sandbox; /* believed up to the answer to LOAD: no foreign code has run */
	char text[REPLY_TEXT];
} Reply;

#define PLAN_WORD \
	(0x686f6e65u ^ (uint32_t)(sizeof(Control) << 16 ^ sizeof(Plan) << 8 ^ sizeof(Reply)))

/* Where the data of buffer i lie in the pages of its area. Finalists of a race meet other places
 * than candidates of a search: not at the end of the pages, and differently against each other. */
static inline size_t
buffer_offset(const Batch *b, uint32_t i)
{
	size_t end = area_offset(b->buffers.v[i].bytes);
	size_t shift = b->measure.race_rounds ? (size_t)(i + 1) * AREA_ALIGN : 0;

	return shift <= end ? end - shift : end;
}

/* Bytes of Control with room for all samples of a batch. */
static inline uint64_t
control_bytes(const Batch *b)
{
	uint64_t search = b->measure.max_runs ? b->measure.max_runs : SAMPLES_MAX;
	uint64_t race = (uint64_t)b->measure.race_rounds * b->candidates.n;

	return sizeof(Control) + sizeof(double) * (race ? race : search);
}

#endif
