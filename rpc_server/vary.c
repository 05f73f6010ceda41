/* Inputs and outputs around timed runs.
 *
 * The agent has filled the inputs with their second contents. One run of bytes in each is replaced
 * by the first contents, another run for every sample: every mixture is legal, because each element
 * holds one of the two values that it may have. Before the end the second contents are whole again,
 * and a kernel cannot tell this step from the others: what it writes then the agent can judge. */
#include "rpc_server/vary.h"

#include <stdlib.h>
#include <string.h>

enum {
	SHARE = 16, /* of an input is changed */
	GRAIN = 64,
	SMALL = 16 * GRAIN, /* inputs below that are changed in grains of the largest element */
	SMALL_GRAIN = 8,
	MARKED_LEAST = 8, /* bytes of an output: in fewer, a mark could be what a kernel writes */
};

static int
add_input(Vary *v, uint32_t i, Err *e)
{
	const Area *a = &v->work->buffer[i];
	VariedInput x = {.data = a->data, .bytes = a->bytes};

	x.first = v->work->segment + v->work->plan->first_at[i];
	x.grain = x.bytes < SMALL ? SMALL_GRAIN : GRAIN;
	x.span = x.bytes / SHARE / x.grain * x.grain;
	x.span = x.span ? x.span : x.grain;
	x.span = x.span < x.bytes ? x.span : x.bytes;
	x.saved = malloc(x.span);
	if (!x.saved)
		return err_set(e, ERR_NOMEM, "runner: no memory to change buffer %u", i);
	v->input[v->inputs++] = x;
	return OK;
}

int
vary_open(Vary *v, const Work *w, Err *e)
{
	int rc = OK;

	*v = (Vary){.work = w};
	rng_init(&v->rng, w->batch->seed);
	for (uint32_t i = 0; rc == OK && i < w->batch->buffers.n; i++)
		if (w->plan->first_at[i])
			rc = add_input(v, i, e);
	if (rc)
		vary_close(v);
	return rc;
}

void
vary_close(Vary *v)
{
	for (uint32_t i = 0; i < v->inputs; i++)
		free(v->input[i].saved);
	v->inputs = 0;
}

void
vary_settle(Vary *v)
{
	for (uint32_t i = 0; i < v->inputs; i++) {
		VariedInput *x = &v->input[i];

		if (x->changed)
			memcpy(x->data + x->at, x->saved, x->span);
		x->changed = false;
	}
}

static void
change(Vary *v, VariedInput *x)
{
	uint64_t places = (x->bytes - x->span) / x->grain + 1, last = x->at / x->grain;

	/* Another one than before: inputs that come twice in a row are what a cheat waits for. */
	x->at = (size_t)((places > 1 ? (last + 1 + rng_below(&v->rng, places - 1)) % places : 0) *
			 x->grain);
	memcpy(x->saved, x->data + x->at, x->span);
	memcpy(x->data + x->at, x->first + x->at, x->span);
	x->changed = true;
}

/* An element that every run must write. */
static void
add_mark(Vary *v, const CheckSpec *c)
{
	const BufferSpec *b = &v->work->batch->buffers.v[c->buffer];
	const Nest *n = &c->nests.v[rng_below(&v->rng, c->nests.n)];
	size_t bytes = dtype_size((DType)b->type);
	int64_t at = n->offset;

	for (uint32_t d = 0; d < n->rank; d++) {
		if (!n->count[d])
			return;
		at += n->stride[d] * (int64_t)rng_below(&v->rng, (uint64_t)n->count[d]);
	}
	v->mark[v->marks++] = (Mark){v->work->buffer[c->buffer].data + (size_t)at * bytes, bytes};
}

static void
mark_outputs(Vary *v)
{
	const Batch *b = v->work->batch;
	uint32_t list[CHECKS_MAX], n = 0;

	v->marks = 0;
	v->mark_value = rng_next(&v->rng);
	for (uint32_t i = 0; i < b->checks.n; i++) {
		const CheckSpec *c = &b->checks.v[i];

		if (c->kind == CHECK_WRITTEN && c->nests.n &&
		    b->buffers.v[c->buffer].bytes >= MARKED_LEAST)
			list[n++] = i;
	}
	for (int i = 0; n && i < MARKS_MAX; i++)
		add_mark(v, &b->checks.v[list[rng_below(&v->rng, n)]]);
	for (uint32_t i = 0; i < v->marks; i++)
		memcpy(v->mark[i].at, &v->mark_value, v->mark[i].bytes);
}

void
vary_next(Vary *v)
{
	vary_settle(v);
	for (uint32_t i = 0; i < v->inputs; i++)
		change(v, &v->input[i]);
	mark_outputs(v);
}

bool
vary_written(const Vary *v)
{
	for (uint32_t i = 0; i < v->marks; i++)
		if (memcmp(v->mark[i].at, &v->mark_value, v->mark[i].bytes) != 0)
			return true;
	return v->marks == 0;
}
