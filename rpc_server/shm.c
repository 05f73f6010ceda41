/* Shared segment. Everything the agent needs to know later is computed here once and kept in its
 * own memory; from the map it reads contents of buffers and Control only. */
#include "rpc_server/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rpc_server/area.h"
#include "wire/message.h"

enum { CANARY = 0xc5 };

static uint64_t
pages(uint64_t bytes)
{
	uint64_t page = area_page();

	return (bytes + page - 1) / page * page;
}

/* Place for `bytes` at the end of the layout. */
static uint64_t
place(Shm *s, uint64_t bytes)
{
	uint64_t at = s->bytes;

	s->bytes += pages(bytes);
	return at;
}

static void
place_blob(Shm *s, const Blob *b)
{
	if (!b)
		return;
	for (uint32_t i = 0; i < s->plan->blobs; i++)
		if (digest_equal(&s->plan->blob[i].digest, &b->digest))
			return;
	s->plan->blob[s->plan->blobs++] = (PlanBlob){b->digest, place(s, b->size), b->size};
}

static int
lay_out(Shm *s, const Machine *m, uint64_t message_bytes, Err *e)
{
	const Batch *b = &s->job->batch;

	s->plan_bytes = sizeof(Plan) + (1 + (uint64_t)b->candidates.n) * sizeof(PlanBlob);
	s->plan = calloc(1, s->plan_bytes);
	if (!s->plan)
		return err_set(e, ERR_NOMEM, "batch: out of memory");
	*s->plan = (Plan){.cache_bytes = m->cache_bytes,
			  .memory_bytes = m->memory_bytes / 2,
			  .null_hold_ms = m->null_hold_ms,
			  .null_slow = m->null_slow,
			  .core = m->core};
	memcpy(s->plan->cache, m->cache, sizeof s->plan->cache);
	place(s, control_bytes(b));
	s->plan_at = place(s, s->plan_bytes);
	s->plan->batch_bytes = message_bytes;
	s->plan->batch_at = place(s, message_bytes);
	place_blob(s, s->job->image);
	for (uint32_t i = 0; i < b->candidates.n; i++)
		place_blob(s, s->job->pool[i]);
	for (uint32_t i = 0; i < b->buffers.n; i++) {
		s->plan->area_at[i] = place(s, area_pages(b->buffers.v[i].bytes));
		if (b->buffers.v[i].other_seed && !s->job->simulated)
			s->plan->first_at[i] = place(s, b->buffers.v[i].bytes);
	}
	if (s->bytes > m->memory_bytes / 2)
		return err_set(e, ERR_NOMEM,
			       "batch: %llu bytes of buffers and blobs, %llu are free",
			       (unsigned long long)s->bytes, (unsigned long long)m->memory_bytes);
	return OK;
}

static int
map(Shm *s, Err *e)
{
	void *p;

	s->fd = memfd_create("hone-batch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (s->fd < 0)
		return err_set(e, ERR_DEVICE, "batch: shared memory: %s", strerror(errno));
	/* Allocated now: later there is no way to say that memory ran out. */
	if (posix_fallocate(s->fd, 0, (off_t)s->bytes))
		return err_set(e, ERR_NOMEM, "batch: no memory for %llu bytes",
			       (unsigned long long)s->bytes);
	if (fcntl(s->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return err_set(e, ERR_DEVICE, "batch: sealing: %s", strerror(errno));
	p = mmap(NULL, (size_t)s->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (p == MAP_FAILED)
		return err_set(e, ERR_NOMEM, "batch: no memory for %llu bytes",
			       (unsigned long long)s->bytes);
	s->map = p;
	s->control = p;
	return OK;
}

/* Second contents of buffer i; the first ones are put where the runner finds them. */
static int
make_other(Shm *s, uint32_t i, Err *e)
{
	const BufferSpec *b = &s->job->batch.buffers.v[i];
	Fill f = b->fill;

	if (!s->plan->first_at[i])
		return OK;
	f.seed = b->other_seed;
	s->other[i] = malloc(b->bytes);
	if (!s->other[i])
		return err_set(e, ERR_NOMEM, "batch: no memory for buffer %u", i);
	memcpy(s->map + s->plan->first_at[i], s->initial[i], b->bytes);
	return fill_buffer((DType)b->type, s->other[i], b->bytes, &f, NULL, 0, e);
}

/* Contents of buffer i before a run, in the agent's memory. */
static int
make_initial(Shm *s, uint32_t i, Err *e)
{
	const BufferSpec *b = &s->job->batch.buffers.v[i];
	const Blob *blob = s->job->fill[i];
	uint8_t *own;
	int rc;

	if (b->role == ROLE_OUT && b->fill.kind == FILL_POISON && !b->fill.patches.n)
		return OK;
	if (blob && !b->fill.patches.n) {
		s->initial[i] = blob->data;
		return OK;
	}
	own = malloc(b->bytes);
	if (!own)
		return err_set(e, ERR_NOMEM, "batch: no memory for buffer %u", i);
	s->initial[i] = own;
	rc = fill_buffer((DType)b->type, own, b->bytes, &b->fill, blob ? blob->data : NULL,
			 blob ? blob->size : 0, e);
	if (rc)
		err_prefix(e, "buffer %u: ", i);
	return rc;
}

static bool
owns_initial(const Shm *s, uint32_t i)
{
	return s->initial[i] && !(s->job->fill[i] && s->initial[i] == s->job->fill[i]->data);
}

static int
make_buffers(Shm *s, Err *e)
{
	const Batch *b = &s->job->batch;

	for (uint32_t i = 0; i < b->buffers.n; i++) {
		int rc = make_initial(s, i, e);

		if (rc == OK)
			rc = make_other(s, i, e);
		if (rc)
			return rc;
		s->data[i] = s->map + s->plan->area_at[i] + buffer_offset(b, i);
		if (b->buffers.v[i].role != ROLE_OUT)
			continue;
		s->before[i] = malloc(b->buffers.v[i].bytes);
		if (!s->before[i])
			return err_set(e, ERR_NOMEM, "batch: no memory for buffer %u", i);
	}
	shm_reset(s, POISON_BYTE, true);
	return OK;
}

static const Blob *
held_blob(const Shm *s, const Digest *d)
{
	const Job *j = s->job;

	if (digest_equal(&j->image->digest, d))
		return j->image;
	for (uint32_t i = 0; i < j->batch.candidates.n; i++)
		if (j->pool[i] && digest_equal(&j->pool[i]->digest, d))
			return j->pool[i];
	return NULL;
}

static void
write_parts(Shm *s, const Bytes *message)
{
	memcpy(s->map + s->plan_at, s->plan, s->plan_bytes);
	memcpy(s->map + s->plan->batch_at, message->p, message->n);
	for (uint32_t i = 0; i < s->plan->blobs; i++) {
		const PlanBlob *p = &s->plan->blob[i];
		const Blob *b = held_blob(s, &p->digest);

		if (b->size)
			memcpy(s->map + p->at, b->data, b->size);
	}
}

int
shm_open_job(Shm *s, const Job *job, const Machine *machine, Err *e)
{
	Bytes message = {0};
	int rc;

	*s = (Shm){.job = job, .fd = -1};
	rc = message_encode(&message, MESSAGE_REQUEST, 0, METHOD_BATCH_SUBMIT, &job->batch, e);
	if (rc == OK)
		rc = lay_out(s, machine, message.n, e);
	if (rc == OK)
		rc = map(s, e);
	if (rc == OK) {
		write_parts(s, &message);
		if (!job->simulated)
			rc = make_buffers(s, e);
	}
	bytes_fini(&message);
	if (rc)
		shm_close(s);
	return rc;
}

void
shm_close(Shm *s)
{
	for (uint32_t i = 0; i < BUFFERS_MAX; i++) {
		free(s->before[i]);
		free(s->other[i]);
		if (s->job && owns_initial(s, i))
			free((void *)s->initial[i]);
	}
	if (s->map)
		munmap(s->map, (size_t)s->bytes);
	if (s->job && s->fd >= 0)
		close(s->fd);
	free(s->plan);
	*s = (Shm){0};
}

/* The slack of buffer i: what lies in its pages before and behind its data. */
typedef struct Slack {
	uint8_t *front, *back;
	size_t front_bytes, back_bytes;
} Slack;

static Slack
slack_of(const Shm *s, uint32_t i)
{
	size_t bytes = s->job->batch.buffers.v[i].bytes, front = buffer_offset(&s->job->batch, i);
	uint8_t *area = s->map + s->plan->area_at[i];

	return (Slack){area, area + front + bytes, front, area_pages(bytes) - front - bytes};
}

/* What buffer i should hold before a run; NULL: poison. */
static const uint8_t *
contents(const Shm *s, uint32_t i)
{
	return s->others && s->other[i] ? s->other[i] : s->initial[i];
}

bool
shm_has_others(const Shm *s)
{
	for (uint32_t i = 0; i < s->job->batch.buffers.n; i++)
		if (s->other[i])
			return true;
	return false;
}

void
shm_inputs(Shm *s, bool other)
{
	const Batch *b = &s->job->batch;

	if (s->others == other)
		return;
	s->others = other;
	for (uint32_t i = 0; !s->job->simulated && i < b->buffers.n; i++)
		if (s->other[i])
			memcpy(s->data[i], contents(s, i), b->buffers.v[i].bytes);
}

void
shm_reset(Shm *s, uint8_t poison, bool all)
{
	const Batch *b = &s->job->batch;

	for (uint32_t i = 0; !s->job->simulated && i < b->buffers.n; i++) {
		const BufferSpec *spec = &b->buffers.v[i];
		Slack k = slack_of(s, i);

		memset(k.front, CANARY, k.front_bytes);
		memset(k.back, CANARY, k.back_bytes);
		if (spec->role != ROLE_OUT && !all)
			continue;
		if (contents(s, i))
			memcpy(s->data[i], contents(s, i), spec->bytes);
		else
			memset(s->data[i], poison, spec->bytes);
	}
}

static bool
is_canary(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != CANARY)
			return false;
	return true;
}

bool
shm_intact(const Shm *s, char text[REASON_MAX + 1])
{
	static const char *const role[] = {"input", "output", "constant"};
	const Batch *b = &s->job->batch;
	const char *what = NULL;

	for (uint32_t i = 0; !s->job->simulated && i < b->buffers.n; i++) {
		const BufferSpec *spec = &b->buffers.v[i];
		Slack k = slack_of(s, i);

		if (!is_canary(k.front, k.front_bytes))
			what = "wrote before the beginning";
		else if (!is_canary(k.back, k.back_bytes))
			what = "wrote past the end";
		else if (spec->role != ROLE_OUT &&
			 memcmp(s->data[i], contents(s, i), spec->bytes) != 0)
			what = "changed the contents";
		if (!what)
			continue;
		snprintf(text, REASON_MAX + 1, "%s of buffer %u (%s, %llu bytes)", what, i,
			 role[spec->role], (unsigned long long)spec->bytes);
		return false;
	}
	return true;
}

void
shm_keep_outputs(Shm *s)
{
	const Batch *b = &s->job->batch;

	for (uint32_t i = 0; !s->job->simulated && i < b->buffers.n; i++)
		if (b->buffers.v[i].role == ROLE_OUT)
			memcpy(s->before[i], s->data[i], b->buffers.v[i].bytes);
}
