/* Every struct that travels: its keys, kinds and limits. Keys are never reused: a field that goes
 * leaves a gap, a new one takes the next number. Absent fields read as zero. */
#include "wire/schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "wire/message.h"

#define X(name, type) typedef type type_##name;
KIND_LIST(X)
#undef X

/* An offset that does not compile unless the member has the size its kind says. */
#define AT(T, member, kind)              \
	(uint16_t)(offsetof(T, member) + \
		   0 * sizeof(char[sizeof(((T *)0)->member) == sizeof(type_##kind) ? 1 : -1]))
#define AT_LIST(T, member, kind)         \
	(uint16_t)(offsetof(T, member) + \
		   0 * sizeof(char[sizeof(*((T *)0)->member.v) == sizeof(type_##kind) ? 1 : -1]))

/* The members of a Field in their order. */
#define ONE(T, key, kind, member, limit) \
	NAMED(member), key, KIND_##kind, false, AT(T, member, kind), limit, 0, NULL
#define MANY(T, key, kind, member, limit, count) \
	NAMED(member), key, KIND_##kind, true, AT_LIST(T, member, kind), limit, count, NULL
#define SUB(T, key, member, S) \
	NAMED(member), key, KIND_STRUCT, false, offsetof(T, member), 0, 0, &schema_##S
#define SUBS(T, key, member, S, count) \
	NAMED(member), key, KIND_STRUCT, true, offsetof(T, member), 0, count, &schema_##S
#define NAMED(member) .name = #member
#define SCHEMA(T, name)                                                \
	static const Schema schema_##T = {name, sizeof(T), T##_fields, \
					  sizeof T##_fields / sizeof *T##_fields}

static const Field Patch_fields[] = {
	{ONE(Patch, 1, NEST, nest, 0)},
	{ONE(Patch, 2, F64, value, 0)},
};
SCHEMA(Patch, "patch");

static const Field Fill_fields[] = {
	{ONE(Fill, 1, U32, kind, FILL_COUNT)},
	{ONE(Fill, 2, U64, seed, 0)},
	{ONE(Fill, 3, F64, lo, 0)},
	{ONE(Fill, 4, F64, hi, 0)},
	{ONE(Fill, 5, DIGEST, blob, 0)},
	{SUBS(Fill, 6, patches, Patch, NESTS_MAX)},
};
SCHEMA(Fill, "fill");

static const Field BufferSpec_fields[] = {
	{ONE(BufferSpec, 1, U32, role, ROLE_COUNT)}, {ONE(BufferSpec, 2, U32, type, DT_COUNT)},
	{ONE(BufferSpec, 3, U64, bytes, 0)},         {SUB(BufferSpec, 4, fill, Fill)},
	{ONE(BufferSpec, 5, U64, other_seed, 0)},
};
SCHEMA(BufferSpec, "buffer");

static const Field CheckSpec_fields[] = {
	{ONE(CheckSpec, 1, U32, kind, CHECK_COUNT)},
	{ONE(CheckSpec, 2, U32, buffer, BUFFERS_MAX)},
	{ONE(CheckSpec, 3, U32, type, DT_COUNT)},
	{ONE(CheckSpec, 4, DIGEST, blob, 0)},
	{ONE(CheckSpec, 5, F64, atol, 0)},
	{ONE(CheckSpec, 6, F64, rtol, 0)},
	{MANY(CheckSpec, 7, NEST, nests, 0, NESTS_MAX)},
	{ONE(CheckSpec, 8, BOOL, other, 0)},
};
SCHEMA(CheckSpec, "check");

static const Field Pool_fields[] = {
	{ONE(Pool, 1, U32, kind, POOL_COUNT)},
	{ONE(Pool, 2, DIGEST, blob, 0)},
	{MANY(Pool, 3, BYTE, inline_, 0, INLINE_MAX)},
	{ONE(Pool, 4, U64, bytes, 0)},
};
SCHEMA(Pool, "pool");

static const Field Candidate_fields[] = {
	{ONE(Candidate, 1, U64, id, 0)},
	{MANY(Candidate, 2, TEXT, phases, SYMBOL_MAX, PHASES_MAX)},
	{MANY(Candidate, 3, TEXT, prepare, SYMBOL_MAX, PHASES_MAX)},
	{MANY(Candidate, 4, U64, derived, 0, BUFFERS_MAX)},
	{ONE(Candidate, 5, U64, scratch_bytes, 0)},
	{SUB(Candidate, 6, pool, Pool)},
	{ONE(Candidate, 7, TEXT, code_digest, SYMBOL_MAX)},
	{ONE(Candidate, 8, U32, deadline_ms, 0)},
	{ONE(Candidate, 9, F64, floor_ns, 0)},
	{ONE(Candidate, 10, U32, chunks, 0)},
};
SCHEMA(Candidate, "candidate");

static const Field MeasureSpec_fields[] = {
	{ONE(MeasureSpec, 1, U32, mode, MEASURE_MODE_COUNT)},
	{ONE(MeasureSpec, 2, U32, warmup, 0)},
	{ONE(MeasureSpec, 3, U32, min_runs, 0)},
	{ONE(MeasureSpec, 4, U32, max_runs, 0)},
	{ONE(MeasureSpec, 5, U64, min_time_ns, 0)},
	{ONE(MeasureSpec, 6, U64, max_time_ns, 0)},
	{ONE(MeasureSpec, 7, F64, stop_above_ns, 0)},
	{ONE(MeasureSpec, 8, U32, race_rounds, 0)},
	{ONE(MeasureSpec, 9, BOOL, fetch, 0)},
};
SCHEMA(MeasureSpec, "measure");

static const Field Batch_fields[] = {
	{ONE(Batch, 1, U64, id, 0)},
	{ONE(Batch, 2, TEXT, runner, SYMBOL_MAX)},
	{ONE(Batch, 3, DIGEST, image, 0)},
	{SUBS(Batch, 4, buffers, BufferSpec, BUFFERS_MAX)},
	{SUBS(Batch, 5, checks, CheckSpec, CHECKS_MAX)},
	{SUBS(Batch, 6, candidates, Candidate, CANDIDATES_MAX)},
	{SUB(Batch, 7, measure, MeasureSpec)},
	{ONE(Batch, 8, U64, seed, 0)},
	{ONE(Batch, 9, U32, threads, 0)},
	{ONE(Batch, 10, BOOL, calibrate, 0)},
	{ONE(Batch, 11, U64, epoch, 0)},
};
SCHEMA(Batch, "batch");

static const Field Result_fields[] = {
	{ONE(Result, 1, U64, batch, 0)},
	{ONE(Result, 2, U64, candidate, 0)},
	{ONE(Result, 3, U32, status, STATUS_COUNT)},
	{ONE(Result, 4, TEXT, reason, REASON_MAX)},
	{ONE(Result, 5, U32, inner, 0)},
	{MANY(Result, 6, F64, samples, 0, SAMPLES_MAX)},
	{ONE(Result, 7, F64, max_error, 0)},
	{ONE(Result, 8, F64, calibration_before, 0)},
	{ONE(Result, 9, F64, calibration_after, 0)},
	{ONE(Result, 10, F64, load_s, 0)},
	{ONE(Result, 11, F64, prepare_s, 0)},
	{ONE(Result, 12, F64, run_s, 0)},
	{ONE(Result, 13, F64, check_s, 0)},
	{MANY(Result, 14, DIGEST, fetched, 0, BUFFERS_MAX)},
	{ONE(Result, 15, U64, sandbox, 0)},
	{ONE(Result, 16, U64, epoch, 0)},
	{ONE(Result, 17, BOOL, stale, 0)},
};
SCHEMA(Result, "result");

static const Field Calibration_fields[] = {
#define X(key, field, unit, text) {ONE(Calibration, key, F64, field, 0)},
	CALIBRATION_LIST(X)
#undef X
};
SCHEMA(Calibration, "calibration");

static const Field BatchDone_fields[] = {
	{ONE(BatchDone, 1, U64, batch, 0)},
	{ONE(BatchDone, 2, U32, results, 0)},
	{ONE(BatchDone, 3, U32, ok, 0)},
	{ONE(BatchDone, 4, U32, restarts, 0)},
	{ONE(BatchDone, 5, F64, calibration_before, 0)},
	{ONE(BatchDone, 6, F64, calibration_after, 0)},
	{ONE(BatchDone, 7, F64, seconds, 0)},
	{SUB(BatchDone, 8, calibration, Calibration)},
};
SCHEMA(BatchDone, "batch done");

static const Field DeviceInfo_fields[] = {
	{ONE(DeviceInfo, 1, TEXT, name, SYMBOL_MAX)},
	{ONE(DeviceInfo, 2, TEXT, cpu, SYMBOL_MAX)},
	{ONE(DeviceInfo, 3, TEXT, arch, SYMBOL_MAX)},
	{ONE(DeviceInfo, 4, TEXT, triple, SYMBOL_MAX)},
	{MANY(DeviceInfo, 5, TEXT, features, SYMBOL_MAX, 256)},
	{ONE(DeviceInfo, 6, U64, l1d, 0)},
	{ONE(DeviceInfo, 7, U64, l2, 0)},
	{ONE(DeviceInfo, 8, U64, l3, 0)},
	{ONE(DeviceInfo, 9, U32, cores, 0)},
	{ONE(DeviceInfo, 10, U64, memory_total, 0)},
	{ONE(DeviceInfo, 11, U64, memory_free, 0)},
	{ONE(DeviceInfo, 12, TEXT, kernel, SYMBOL_MAX)},
	{ONE(DeviceInfo, 13, TEXT, governor, SYMBOL_MAX)},
	{ONE(DeviceInfo, 14, TEXT, version, SYMBOL_MAX)},
	{ONE(DeviceInfo, 15, U32, protocol, 0)},
	{MANY(DeviceInfo, 16, TEXT, runners, SYMBOL_MAX, 16)},
	{ONE(DeviceInfo, 17, U64, sandbox, 0)},
	{ONE(DeviceInfo, 18, BOOL, insecure, 0)},
	{ONE(DeviceInfo, 19, TEXT, smt, SYMBOL_MAX)},
	{ONE(DeviceInfo, 20, TEXT, boost, SYMBOL_MAX)},
	{ONE(DeviceInfo, 21, BOOL, virtualised, 0)},
	{ONE(DeviceInfo, 22, F64, load, 0)},
	{ONE(DeviceInfo, 23, BOOL, streams, 0)},
	{ONE(DeviceInfo, 24, TEXT, holder, SYMBOL_MAX)},
	{ONE(DeviceInfo, 25, U32, waiting, 0)},
	{ONE(DeviceInfo, 26, TEXT, role, SYMBOL_MAX)},
	{ONE(DeviceInfo, 27, BOOL, emulated, 0)},
	{ONE(DeviceInfo, 28, TEXT, core, SYMBOL_MAX)},
	{MANY(DeviceInfo, 29, TEXT, sandbox_notes, SYMBOL_MAX, 64)},
	{ONE(DeviceInfo, 30, U64, lease_epoch, 0)},
	{ONE(DeviceInfo, 31, U32, lease_held_s, 0)},
	{ONE(DeviceInfo, 32, U32, lease_queue, 0)},
	{ONE(DeviceInfo, 33, BOOL, draining, 0)},
	{ONE(DeviceInfo, 40, U32, poisoned, 0)},
	{ONE(DeviceInfo, 41, TEXT, wedged, SYMBOL_MAX)},
};
SCHEMA(DeviceInfo, "device");

static const Field Hello_fields[] = {
	{ONE(Hello, 1, U32, version, 0)},    {ONE(Hello, 2, U64, capabilities, 0)},
	{ONE(Hello, 3, TEXT, who, WHO_MAX)}, {ONE(Hello, 4, U32, newest, 0)},
	{ONE(Hello, 5, U64, instance, 0)},
};
SCHEMA(Hello, "hello");

static const Field Digests_fields[] = {
	{MANY(Digests, 1, DIGEST, list, 0, BLOBS_ASKED_MAX)},
};
SCHEMA(Digests, "digests");

static const Field BlobChunk_fields[] = {
	{ONE(BlobChunk, 1, DIGEST, digest, 0)},
	{ONE(BlobChunk, 2, U64, size, 0)},
	{ONE(BlobChunk, 3, U64, offset, 0)},
	{MANY(BlobChunk, 4, BYTE, bytes, 0, CHUNK_MAX)},
};
SCHEMA(BlobChunk, "chunk");

static const Field BlobAsk_fields[] = {
	{ONE(BlobAsk, 1, DIGEST, digest, 0)},
	{ONE(BlobAsk, 2, U64, offset, 0)},
};
SCHEMA(BlobAsk, "question");

static const Field BatchRef_fields[] = {
	{ONE(BatchRef, 1, U64, batch, 0)},
};
SCHEMA(BatchRef, "batch");

static const Field Failure_fields[] = {
	{ONE(Failure, 1, U32, code, 0)},
	{ONE(Failure, 2, TEXT, text, ERR_TEXT_MAX)},
};
SCHEMA(Failure, "failure");

static const Field Bye_fields[] = {
	{ONE(Bye, 1, TEXT, why, ERR_TEXT_MAX)},
};
SCHEMA(Bye, "bye");

static const Field LeaseAsk_fields[] = {
	{ONE(LeaseAsk, 1, TEXT, who, WHO_MAX)},
	{ONE(LeaseAsk, 2, U32, seconds, 0)},
	{ONE(LeaseAsk, 3, U64, lease, 0)},
};
SCHEMA(LeaseAsk, "wish for a lease");

static const Field LeaseInfo_fields[] = {
	{ONE(LeaseInfo, 1, U32, state, LEASE_STATES)},
	{ONE(LeaseInfo, 2, U64, lease, 0)},
	{ONE(LeaseInfo, 3, U64, epoch, 0)},
	{ONE(LeaseInfo, 4, U32, seconds, 0)},
	{ONE(LeaseInfo, 5, U32, position, 0)},
	{ONE(LeaseInfo, 6, TEXT, holder, SYMBOL_MAX)},
	{ONE(LeaseInfo, 7, U32, held_s, 0)},
	{ONE(LeaseInfo, 8, BOOL, draining, 0)},
	{ONE(LeaseInfo, 9, TEXT, why, REASON_MAX)},
};
SCHEMA(LeaseInfo, "lease");

static const Field LeaseRef_fields[] = {
	{ONE(LeaseRef, 1, U64, lease, 0)},
};
SCHEMA(LeaseRef, "lease");

static const Field Drain_fields[] = {
	{ONE(Drain, 1, BOOL, on, 0)},
};
SCHEMA(Drain, "drain");

static const Field Kick_fields[] = {
	{ONE(Kick, 1, U64, epoch, 0)},
	{ONE(Kick, 2, BOOL, all, 0)},
	{ONE(Kick, 3, TEXT, why, REASON_MAX)},
};
SCHEMA(Kick, "kick");

/* Arguments are decoded into the union of a Message. */
typedef struct Nothing {
	char unused;
} Empty, None;
#define FITS(T) \
	_Static_assert(sizeof(T) <= sizeof(((Message *)0)->u), #T " is larger than Message.u");
#define X(name, number, request, response, event) FITS(request) FITS(response) FITS(event)
METHOD_LIST(X)
#undef X

static const Schema schema_Empty = {.name = "nothing"}, schema_None = {.name = "none"};

static const Schema *const schemas[][MESSAGE_KINDS] = {
#define X(name, number, request, response, event) \
	[number] = {&schema_##request, &schema_##response, &schema_None, &schema_##event},
	METHOD_LIST(X)
#undef X
};

const Schema *
schema_of(uint32_t kind, uint32_t method)
{
	const Schema *s = NULL;

	if (kind == MESSAGE_FAILURE) /* also of methods that only the other side knows */
		return &schema_Failure;
	if (kind < MESSAGE_KINDS && method < sizeof schemas / sizeof *schemas)
		s = schemas[method][kind];
	return s == &schema_None ? NULL : s;
}

size_t
field_size(const Field *f)
{
	static const uint8_t size[] = {
#define X(name, type) [KIND_##name] = sizeof(type),
		KIND_LIST(X)
#undef X
	};
	return f->kind == KIND_STRUCT ? f->sub->size : size[f->kind];
}

static size_t
value_weight(const Field *f, const void *value)
{
	const char *text = f->kind == KIND_TEXT ? *(char *const *)value : NULL;

	if (f->kind == KIND_TEXT)
		return (text ? strlen(text) : 0) + 1 + ALLOC_COST;
	return f->kind == KIND_STRUCT ? schema_weight(f->sub, value) : 0;
}

size_t
schema_weight(const Schema *s, const void *data)
{
	size_t n = 0;

	for (uint32_t i = 0; i < s->fields; i++) {
		const Field *f = &s->field[i];
		const char *at = (const char *)data + f->offset;
		List list;

		if (!f->list) {
			n += value_weight(f, at);
			continue;
		}
		memcpy(&list, at, sizeof list);
		n += list.n ? list.n * field_size(f) + ALLOC_COST : 0;
		for (uint32_t k = 0; k < list.n && f->kind != KIND_BYTE; k++)
			n += value_weight(f, (const char *)list.v + k * field_size(f));
	}
	return n;
}

static void
value_fini(const Field *f, void *value)
{
	if (f->kind == KIND_TEXT)
		free(*(char **)value);
	else if (f->kind == KIND_STRUCT)
		schema_fini(f->sub, value);
}

void
schema_fini(const Schema *s, void *data)
{
	for (uint32_t i = 0; i < s->fields; i++) {
		const Field *f = &s->field[i];
		char *at = (char *)data + f->offset;
		List list;

		if (!f->list) {
			value_fini(f, at);
			continue;
		}
		memcpy(&list, at, sizeof list);
		for (uint32_t k = 0; k < list.n; k++)
			value_fini(f, (char *)list.v + k * field_size(f));
		free(list.v);
	}
	memset(data, 0, s->size);
}

void
batch_fini(Batch *b)
{
	schema_fini(&schema_Batch, b);
}

void
result_fini(Result *r)
{
	schema_fini(&schema_Result, r);
}

double
result_least(const Result *r)
{
	double ns = INFINITY;

	for (uint32_t i = 0; i < r->samples.n; i++)
		ns = fmin(ns, r->samples.v[i]);
	return ns;
}
