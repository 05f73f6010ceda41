/* One batch with one candidate: NAME_run of the bundle linked as an image. */
#include "deploy/remote.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codegen/link.h"

enum { DEADLINE_MS = 120000, WARM_UP = 3 };

typedef struct Remote {
	RpcClient *c;
	const Bundle *b;
	Arena *a;
	Batch batch;
	BufferSpec buffer[BUFFERS_MAX];
	Candidate candidate;
	char *phase[1];
} Remote;

static int
put_image(Remote *r, Err *e)
{
	LinkInput in = {r->b->object, r->b->object_bytes};
	const void *bytes;
	size_t size;
	int rc = link_objects(&in, 1, LINK_IMAGE, r->a, &bytes, &size, e);

	return rc ? rc : rpc_put_blob(r->c, bytes, size, &r->batch.image, e);
}

static BufferSpec *
add_buffer(Remote *r, Role role, DType type, size_t bytes)
{
	BufferSpec *x = &r->buffer[r->batch.buffers.n++];

	*x = (BufferSpec){.role = role, .type = (uint32_t)type, .bytes = bytes};
	x->fill.kind = FILL_POISON;
	return x;
}

static int
check_limits(const Bundle *b, Err *e)
{
	int n = b->ninput + b->noutput + b->keep;

	if (n > BUFFERS_MAX)
		return err_set(e, ERR_UNSUPPORTED, "%d inputs and outputs: a device takes %d", n,
			       BUFFERS_MAX);
	for (int i = 0; i < b->ninput + b->noutput; i++) {
		const BundleTensor *t = i < b->ninput ? &b->input[i] : &b->output[i - b->ninput];

		if (!t->bytes)
			return err_set(e, ERR_UNSUPPORTED,
				       "'%s' has no elements: a device takes "
				       "no empty tensor",
				       t->name);
	}
	return OK;
}

static int
add_buffers(Remote *r, const void *const *input, Err *e)
{
	const Bundle *b = r->b;
	int rc = OK;

	for (int i = 0; i < b->ninput && !rc; i++) {
		BufferSpec *x = add_buffer(r, ROLE_IN, b->input[i].type, b->input[i].bytes);

		x->fill.kind = FILL_BLOB;
		rc = rpc_put_blob(r->c, input[i], b->input[i].bytes, &x->fill.blob, e);
	}
	for (int i = 0; i < b->noutput; i++)
		add_buffer(r, ROLE_OUT, b->output[i].type, b->output[i].bytes);
	if (b->keep)
		add_buffer(r, ROLE_OUT, DT_U8, b->activations_bytes);
	r->batch.buffers.v = r->buffer;
	return rc;
}

static int
add_candidate(Remote *r, Err *e)
{
	Candidate *x = &r->candidate;

	r->phase[0] = arena_printf(r->a, "%s_run", r->b->name);
	x->phases.v = r->phase;
	x->phases.n = 1;
	x->scratch_bytes = r->b->keep ? 0 : r->b->activations_bytes;
	x->deadline_ms = DEADLINE_MS;
	x->pool.kind = POOL_BLOB;
	x->pool.bytes = r->b->weights_bytes;
	r->batch.candidates.v = x;
	r->batch.candidates.n = 1;
	return rpc_put_blob(r->c, r->b->weights, r->b->weights_bytes, &x->pool.blob, e);
}

static int
fetch(RpcClient *c, const Digest *d, void *to, size_t bytes, Err *e)
{
	void *data;
	size_t size;
	int rc = rpc_get_blob(c, d, &data, &size, e);

	if (rc)
		return rc;
	if (size == bytes)
		memcpy(to, data, bytes);
	else
		rc = err_set(e, ERR_DEVICE, "the device gives %zu bytes of %zu", size, bytes);
	free(data);
	return rc;
}

static int
take_result(Remote *r, const Result *x, void *const *output, void *activations, RemoteTimes *times,
	    Err *e)
{
	const Bundle *b = r->b;
	uint32_t n = (uint32_t)(b->noutput + b->keep);
	int rc = OK;

	if (x->stale)
		return err_set(e, ERR_BUSY, "%s on the device: the lease was over", b->name);
	if (x->status != STATUS_OK && x->status != STATUS_BELOW_RESOLUTION)
		return err_set(e, ERR_CHECK, "%s on the device: %s %s", b->name,
			       status_name((Status)x->status), x->reason);
	if (x->fetched.n != n)
		return err_set(e, ERR_DEVICE, "the device gives %u outputs of %u", x->fetched.n, n);
	for (uint32_t i = 0; i < n && !rc; i++)
		if (i < (uint32_t)b->noutput)
			rc = fetch(r->c, &x->fetched.v[i], output[i], b->output[i].bytes, e);
		else
			rc = fetch(r->c, &x->fetched.v[i], activations, b->activations_bytes, e);
	if (!rc && times && !x->samples.n)
		rc = err_set(e, ERR_DEVICE, "the device gives no times: %s",
			     *x->reason ? x->reason : status_text((Status)x->status));
	if (!rc && times) {
		times->n = (int)x->samples.n;
		times->ns = arena_copy(r->a, x->samples.v, x->samples.n * sizeof(double));
	}
	return rc;
}

/* Waits until the batch is over, so that nothing of it is left for a later one. */
static int
collect(Remote *r, void *const *output, void *activations, RemoteTimes *times, Err *e)
{
	int rc = OK;
	bool got = false;

	for (;;) {
		RpcEvent ev;
		int lost = rpc_wait(r->c, -1, &ev, e);

		if (lost)
			return lost;
		if (ev.kind == RPC_BATCH_DONE)
			break;
		if (ev.kind == RPC_LEASE_LOST)
			continue; /* the result comes, and says so */
		if (!got)
			rc = take_result(r, &ev.result, output, activations, times, e);
		got = true;
		result_fini(&ev.result);
	}
	return got ? rc : err_set(e, ERR_DEVICE, "the device gives no result");
}

int
remote_run(RpcClient *c, const Bundle *b, const void *const *input, void *const *output,
	   void *activations, int runs, Arena *a, RemoteTimes *times, Err *e)
{
	Remote *r = ARENA_NEW(a, Remote);
	uint32_t n = runs > 0 ? (uint32_t)runs : 1;
	int rc;

	*r = (Remote){.c = c, .b = b, .a = a};
	r->batch.measure = (MeasureSpec){.mode = MEASURE_HOT,
					 .warmup = runs > 0 ? WARM_UP : 0,
					 .min_runs = n,
					 .max_runs = n,
					 .fetch = true};
	r->batch.threads = (uint32_t)b->threads;
	r->batch.id = clock_ns();
	if ((rc = check_limits(b, e)) || (rc = put_image(r, e)) ||
	    (rc = add_buffers(r, input, e)) || (rc = add_candidate(r, e)) ||
	    (rc = rpc_submit(c, &r->batch, e)))
		return rc;
	return collect(r, output, activations, runs > 0 ? times : NULL, e);
}
