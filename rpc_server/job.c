/* Accepting a batch: one condition after the other, then its blobs. */
#include "rpc_server/job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hardware.h"
#include "rpc_server/runner.h"

enum { ROUNDS_TOTAL_MAX = 1 << 20 }; /* samples of all candidates in a race */

static uint64_t
elements(const BufferSpec *b)
{
	return b->bytes / dtype_size((DType)b->type);
}

static int
check_buffers(const Batch *b, Err *e)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < b->buffers.n; i++) {
		const BufferSpec *s = &b->buffers.v[i];

		if (!s->bytes || s->bytes > (uint64_t)1 << 40 || s->bytes > SIZE_MAX / 4)
			return err_set(e, ERR_INPUT, "buffer %u: %llu bytes", i,
				       (unsigned long long)s->bytes);
		if (!isfinite(s->fill.lo) || !isfinite(s->fill.hi))
			return err_set(e, ERR_INPUT, "buffer %u: bounds are not finite", i);
		if (s->other_seed && (s->role != ROLE_IN || s->fill.kind != FILL_RANDOM))
			return err_set(e, ERR_INPUT, "buffer %u: no input of random contents", i);
		for (uint32_t k = 0; k < s->fill.patches.n; k++)
			if (!nest_inside(&s->fill.patches.v[k].nest, elements(s)))
				return err_set(e, ERR_INPUT, "buffer %u: patch %u reaches outside",
					       i, k);
		total += s->bytes;
	}
	return total ? OK : err_set(e, ERR_INPUT, "batch: no buffers");
}

static int
check_checks(const Batch *b, Err *e)
{
	for (uint32_t i = 0; i < b->checks.n; i++) {
		const CheckSpec *c = &b->checks.v[i];
		const BufferSpec *s;

		if (c->other && c->kind != CHECK_SAMPLES)
			return err_set(e, ERR_INPUT, "check %u: of second contents", i);
		if (c->kind == CHECK_SAMPLES)
			continue; /* its records are checked when its blob is here */
		if (c->buffer >= b->buffers.n || b->buffers.v[c->buffer].role != ROLE_OUT)
			return err_set(e, ERR_INPUT, "check %u: buffer %u is not an output", i,
				       c->buffer);
		s = &b->buffers.v[c->buffer];
		if (c->kind == CHECK_DENSE && c->type != DT_F32 && c->type != DT_F64)
			return err_set(e, ERR_INPUT, "check %u: expected values are f32 or f64", i);
		if (c->kind == CHECK_WRITTEN && (s->fill.kind != FILL_POISON || s->fill.patches.n))
			return err_set(e, ERR_INPUT, "check %u: buffer %u is not poisoned", i,
				       c->buffer);
		for (uint32_t k = 0; k < c->nests.n; k++)
			if (!nest_inside(&c->nests.v[k], elements(s)))
				return err_set(e, ERR_INPUT, "check %u: nest %u reaches outside", i,
					       k);
	}
	return OK;
}

static int
check_candidates(const Batch *b, Err *e)
{
	for (uint32_t i = 0; i < b->candidates.n; i++) {
		const Candidate *c = &b->candidates.v[i];

		if (!c->phases.n)
			return err_set(e, ERR_INPUT, "candidate %u: no phases", i);
		if ((c->pool.kind == POOL_NONE) != (c->pool.bytes == 0) ||
		    (c->pool.kind == POOL_NONE && c->pool.inline_.n))
			return err_set(e, ERR_INPUT, "candidate %u: pool of %llu bytes", i,
				       (unsigned long long)c->pool.bytes);
		if (c->chunks > 1 && c->chunks > b->threads)
			return err_set(e, ERR_INPUT, "candidate %u: %u chunks for %u threads", i,
				       c->chunks, b->threads);
	}
	return b->candidates.n ? OK : err_set(e, ERR_INPUT, "batch: no candidates");
}

int
job_check(const Batch *b, Err *e)
{
	const MeasureSpec *m = &b->measure;
	int rc;

	if (!runner_find(b->runner))
		return err_set(e, ERR_UNSUPPORTED, "batch: runner '%.64s' is not known", b->runner);
	if (b->threads > hardware_cores())
		return err_set(e, ERR_INPUT, "batch: %u threads, this device has %u cores",
			       b->threads, hardware_cores());
	if (m->max_runs > SAMPLES_MAX || m->min_runs > SAMPLES_MAX || m->warmup > SAMPLES_MAX ||
	    m->race_rounds > SAMPLES_MAX ||
	    (uint64_t)m->race_rounds * b->candidates.n > ROUNDS_TOTAL_MAX)
		return err_set(e, ERR_INPUT, "measure: more than %d samples", SAMPLES_MAX);
	if (m->fetch && m->race_rounds)
		return err_set(e, ERR_UNSUPPORTED, "measure: outputs are not fetched in a race");
	if (b->calibrate && !b->candidates.n && !b->buffers.n && !b->checks.n)
		return OK;
	rc = check_buffers(b, e);
	if (rc == OK)
		rc = check_checks(b, e);
	return rc ? rc : check_candidates(b, e);
}

static int
hold(Blobs *blobs, const Digest *d, Blob **to, const char *what, uint32_t i, Err *e)
{
	char text[DIGEST_TEXT];

	*to = blobs_hold(blobs, d);
	if (*to)
		return OK;
	digest_print(d, text);
	return err_set(e, ERR_INPUT, "%s %u: blob %s is not here", what, i, text);
}

static int
check_records(const Batch *b, uint32_t i, const Blob *blob, Err *e)
{
	if (blob->size % sizeof(CheckRecord))
		return err_set(e, ERR_INPUT, "check %u: blob of %zu bytes holds no whole records",
			       i, blob->size);
	for (size_t at = 0; at < blob->size; at += sizeof(CheckRecord)) {
		CheckRecord r;

		memcpy(&r, blob->data + at, sizeof r);
		if (r.flags || r.buffer >= b->buffers.n ||
		    b->buffers.v[r.buffer].role != ROLE_OUT ||
		    r.element >= elements(&b->buffers.v[r.buffer]) || !(r.tolerance >= 0))
			return err_set(e, ERR_INPUT, "check %u: record %zu names no output element",
				       i, at / sizeof r);
	}
	return OK;
}

static int
check_dense(const Batch *b, uint32_t i, const Blob *blob, Err *e)
{
	const CheckSpec *c = &b->checks.v[i];
	uint64_t n = 0;

	for (uint32_t k = 0; k < c->nests.n; k++)
		n += nest_volume(&c->nests.v[k]);
	if (blob->size != n * dtype_size((DType)c->type))
		return err_set(e, ERR_INPUT, "check %u: blob of %zu bytes for %llu elements", i,
			       blob->size, (unsigned long long)n);
	return OK;
}

static int
hold_checks(Job *j, Blobs *blobs, Err *e)
{
	const Batch *b = &j->batch;
	int rc = OK;

	for (uint32_t i = 0; rc == OK && i < b->checks.n; i++) {
		const CheckSpec *c = &b->checks.v[i];

		if (c->kind == CHECK_WRITTEN)
			continue;
		rc = hold(blobs, &c->blob, &j->check[i], "check", i, e);
		if (rc == OK)
			rc = c->kind == CHECK_SAMPLES ? check_records(b, i, j->check[i], e)
						      : check_dense(b, i, j->check[i], e);
	}
	return rc;
}

static int
hold_blobs(Job *j, Blobs *blobs, Err *e)
{
	const Batch *b = &j->batch;
	int rc = hold(blobs, &b->image, &j->image, "image", 0, e);

	for (uint32_t i = 0; rc == OK && i < b->buffers.n; i++) {
		const BufferSpec *s = &b->buffers.v[i];

		if (s->fill.kind != FILL_BLOB)
			continue;
		rc = hold(blobs, &s->fill.blob, &j->fill[i], "buffer", i, e);
		if (rc == OK && j->fill[i]->size != s->bytes)
			rc = err_set(e, ERR_INPUT, "buffer %u: blob of %zu bytes for %llu bytes", i,
				     j->fill[i]->size, (unsigned long long)s->bytes);
	}
	for (uint32_t i = 0; rc == OK && i < b->candidates.n; i++) {
		const Pool *p = &b->candidates.v[i].pool;

		if (p->kind != POOL_NONE && !p->inline_.n)
			rc = hold(blobs, &p->blob, &j->pool[i], "candidate", i, e);
	}
	return rc ? rc : hold_checks(j, blobs, e);
}

Job *
job_new(Batch *b, Blobs *blobs, Err *e)
{
	Job *j = calloc(1, sizeof *j);

	if (!j) {
		batch_fini(b);
		err_set(e, ERR_NOMEM, "batch: out of memory");
		return NULL;
	}
	j->batch = *b;
	*b = (Batch){0};
	if (job_check(&j->batch, e) == OK) {
		j->simulated = runner_find(j->batch.runner)->simulated;
		if (j->simulated || hold_blobs(j, blobs, e) == OK)
			return j;
	}
	job_free(j);
	return NULL;
}

void
job_free(Job *j)
{
	if (!j)
		return;
	blobs_drop(j->image);
	for (int i = 0; i < BUFFERS_MAX; i++)
		blobs_drop(j->fill[i]);
	for (int i = 0; i < CHECKS_MAX; i++)
		blobs_drop(j->check[i]);
	for (int i = 0; i < CANDIDATES_MAX; i++)
		blobs_drop(j->pool[i]);
	batch_fini(&j->batch);
	free(j);
}

uint32_t
job_deadline_ms(const Job *j, uint32_t candidate)
{
	uint32_t ms = j->batch.candidates.v[candidate].deadline_ms;

	return ms ? ms : DEADLINE_MS;
}

static void
add_number(DigestState *s, uint64_t n)
{
	digest_add(s, &n, sizeof n);
}

static void
add_text(DigestState *s, const char *text)
{
	digest_add(s, text, strlen(text) + 1);
}

/* Constants are left out: a batch has those of all its candidates. */
Digest
job_digest(const Job *j, uint32_t candidate)
{
	const Candidate *c = &j->batch.candidates.v[candidate];
	const Batch *b = &j->batch;
	DigestState s;

	digest_init(&s);
	add_text(&s, b->runner);
	add_text(&s, c->code_digest);
	if (!*c->code_digest)
		digest_add(&s, &b->image, sizeof b->image);
	for (uint32_t i = 0; i < c->phases.n && !*c->code_digest; i++)
		add_text(&s, c->phases.v[i]);
	add_number(&s, c->chunks);
	add_number(&s, b->threads);
	for (uint32_t i = 0; i < b->buffers.n; i++) {
		const BufferSpec *x = &b->buffers.v[i];

		if (x->role == ROLE_CONST)
			continue;
		add_number(&s, x->role);
		add_number(&s, x->type);
		add_number(&s, x->bytes);
	}
	return digest_end(&s);
}
