/* The contract between tuner and agent: a batch of candidates, what comes back for each, and what
 * a device says about itself. Plain data; everything bulky is a blob named by its digest.
 *
 * A kernel phase is  int k(const void *const *in, void *const *out, void *scratch, int chunk,
 * int chunks),  returning 0. `in` holds the batch's IN buffers in order, then the candidate's pool
 * of packed constants; `out` the OUT buffers in order; scratch is 64-byte aligned. All phases of a
 * candidate run in order and are timed together; each as chunk 0 of 1, or, where the candidate has
 * more chunks, as all of them at once, and the next one begins when all have returned. Behind the
 * pool `in` has a const hone_parallel * (base/hone_pool.h) with the batch's threads; NULL when it
 * has one.
 * A prepare entry has the same signature: `in` holds the CONST buffers in order, `out` the
 * candidate's derived buffers. The pool is then packed from the CONST buffers followed by the
 * derived ones.
 *
 * Texts are never NULL in decoded data; NULL means "" in data to encode. Decoded data is on the
 * heap: batch_fini, result_fini, device_fini free it.
 */
#ifndef WIRE_BATCH_H
#define WIRE_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/dtype.h"
#include "base/fill.h"
#include "base/hardware.h"
#include "base/hash.h"
#include "base/list.h"
#include "wire/status.h"

enum {
	BUFFERS_MAX = 64,
	CANDIDATES_MAX = 256,
	PHASES_MAX = 64,
	CHECKS_MAX = 64,
	NESTS_MAX = 4096,
	SAMPLES_MAX = 16384, /* timed samples of one candidate */
	REASON_MAX = 200,
	SYMBOL_MAX = 255,
	INLINE_MAX = 64 * 1024, /* bytes of a pack description inside a message */
};

typedef enum Role { ROLE_IN, ROLE_OUT, ROLE_CONST, ROLE_COUNT } Role;

/* other_seed: of an IN buffer with random contents: the same fill with this seed is its second
 * contents, on which candidates are timed and checked again; 0: it has none. */
typedef struct BufferSpec {
	uint32_t role, type; /* Role, DType */
	uint64_t bytes;
	Fill fill;
	uint64_t other_seed;
} BufferSpec;

typedef enum CheckKind { CHECK_SAMPLES, CHECK_DENSE, CHECK_WRITTEN, CHECK_COUNT } CheckKind;

/* SAMPLES: blob holds CheckRecords of any OUT buffers; buffer and nests are unused. other: they
 *        are what the second contents of the inputs give.
 * DENSE: the blob holds the expected elements of all nests in nest order, as `type` (F32 or F64);
 *        right when |a - b| <= atol + rtol * |b|.
 * WRITTEN: every element of the nests was written by the kernel; the buffer's fill is POISON.
 * In all of them NaN is right only where NaN is expected, and infinities must match. */
typedef struct CheckSpec {
	uint32_t kind, buffer, type; /* CheckKind, index into the batch's buffers, DType */
	Digest blob;
	double atol, rtol;
	LIST(Nest) nests;
	bool other;
} CheckSpec;

/* Little-endian, without padding. */
typedef struct CheckRecord {
	uint32_t buffer, flags; /* index into the batch's buffers; 0 */
	uint64_t element;
	double expected, tolerance; /* |a - expected| <= tolerance */
} CheckRecord;

typedef enum PoolKind { POOL_NONE, POOL_BLOB, POOL_PACK, POOL_COUNT } PoolKind;

/* BLOB: the pool's bytes. PACK: a description for pack_run, as `inline_` or, when that is empty,
 * as the blob; it gives `bytes` bytes of pool. */
typedef struct Pool {
	uint32_t kind;
	Digest blob;
	LIST(uint8_t) inline_;
	uint64_t bytes;
} Pool;

typedef struct Candidate {
	uint64_t id;
	LIST(char *) phases;    /* symbols in the image */
	LIST(char *) prepare;   /* symbols; may be empty */
	LIST(uint64_t) derived; /* bytes of each derived buffer */
	uint64_t scratch_bytes;
	uint32_t chunks; /* 0: 1; at most the batch's threads */
	Pool pool;
	char *code_digest; /* opaque to the agent */
	uint32_t
		deadline_ms; /* for preparing it and its first run, and again for timing; 0: 10 s */
	double floor_ns;     /* a run cannot be faster than this: IMPLAUSIBLE */
} Candidate;

typedef enum MeasureMode { MEASURE_COLD, MEASURE_HOT, MEASURE_MODE_COUNT } MeasureMode;

/* Search: warm-up, then timed samples until both min_runs and min_time_ns are reached or either
 * max is; a first sample above stop_above_ns is the only one. Race: every candidate that is right
 * gives one sample in each of race_rounds rounds, in an order shuffled per round. 0 = no bound. */
typedef struct MeasureSpec {
	uint32_t mode; /* MeasureMode */
	uint32_t warmup, min_runs, max_runs;
	uint64_t min_time_ns, max_time_ns;
	double stop_above_ns;
	uint32_t race_rounds;
	bool fetch; /* give back the OUT buffers of the checked run as blobs; not in a race */
} MeasureSpec;

/* What one core can do right now: key on the wire, field, unit, text. 0: the machine has no such
 * thing, or it is not known. Each but the second is the best of several parts. */
#define CALIBRATION_LIST(X)                                                                 \
	X(1, fma_gflops, "GFLOPS", "f32 multiply-adds in registers")                        \
	X(2, fma_least_gflops, "GFLOPS", "the worst of those taken between the others")     \
	X(3, dot_gops, "GOPS", "8-bit dot products in registers")                           \
	X(4, l1_gbs, "GB/s", "reads that stay in the first cache")                          \
	X(5, l2_gbs, "GB/s", "in the second")                                               \
	X(6, l3_gbs, "GB/s", "in the third")                                                \
	X(7, dram_gbs, "GB/s", "beyond all caches")                                         \
	X(8, cold_gbs, "GB/s", "first read of what was copied cold, as much as fits in L2") \
	X(9, tick_ns, "ns", "least step of the clock")                                      \
	X(10, seconds, "s", "that all of it took")

typedef struct Calibration {
#define X(key, field, unit, text) double field;
	CALIBRATION_LIST(X)
#undef X
} Calibration;

typedef struct Batch {
	uint64_t id;  /* chosen by the client, unique within its session */
	char *runner; /* a name in DeviceInfo.runners; "" = cpu */
	Digest image;
	LIST(BufferSpec) buffers;
	LIST(CheckSpec) checks;
	LIST(Candidate) candidates;
	MeasureSpec measure;
	uint64_t seed; /* order of a race */
	/* Before the candidates, take the full calibration; then there may be neither candidates
	 * nor buffers. */
	bool calibrate;
	uint32_t threads; /* that compute together; 0: 1. At most the device's cores */
	uint64_t epoch; /* of the lease it belongs to; 0: whichever the client has, or a new one */
} Batch;

typedef struct Result {
	uint64_t batch, candidate;
	uint32_t status;      /* Status */
	char *reason;         /* at most REASON_MAX bytes */
	uint32_t inner;       /* runs in a sample */
	LIST(double) samples; /* ns per run */
	double max_error;     /* largest |a - b| / tolerance among checked outputs */
	double calibration_before, calibration_after; /* GFLOPS of the fixed FMA loop */
	double load_s, prepare_s, run_s, check_s;
	LIST(Digest) fetched; /* OUT buffers in order */
	uint64_t sandbox; /* layers (wire/sandbox.h) that it ran in; 0: none, or it did not run */
	uint64_t epoch;   /* of the lease it ran under; 0: the agent knows no leases */
	bool stale;       /* that lease was over: it must not count */
} Result;

typedef struct BatchDone {
	uint64_t batch;
	uint32_t results, ok, restarts; /* restarts: runners that had to be replaced */
	double calibration_before, calibration_after;
	double seconds;
	Calibration calibration; /* 0 unless the batch asked for it */
} BatchDone;

void batch_fini(Batch *b);
void result_fini(Result *r);
/* The least sample, which is what a search goes by: what disturbs a machine does not shorten it.
 * INFINITY when there are none. */
double result_least(const Result *r);

#endif
