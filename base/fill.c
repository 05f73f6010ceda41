/* Contents of buffers: nests and fills. Nothing here trusts a nest before nest_inside said so. */
#include "base/fill.h"

#include <string.h>

#include "base/rng.h"

bool
nest_inside(const Nest *n, uint64_t elements)
{
	int64_t lo = n->offset, hi = n->offset, span;
	uint64_t volume = 1;

	if (n->rank > NEST_RANK_MAX)
		return false;
	for (uint32_t i = 0; i < n->rank; i++)
		if (n->count[i] < 0)
			return false;
	for (uint32_t i = 0; i < n->rank; i++)
		if (n->count[i] == 0)
			return true;
	for (uint32_t i = 0; i < n->rank; i++) {
		int64_t *end = n->stride[i] < 0 ? &lo : &hi;

		if (__builtin_mul_overflow(n->count[i] - 1, n->stride[i], &span) ||
		    __builtin_add_overflow(*end, span, end) ||
		    __builtin_mul_overflow(volume, (uint64_t)n->count[i], &volume))
			return false;
	}
	return lo >= 0 && hi >= 0 && (uint64_t)hi < elements && volume <= elements;
}

uint64_t
nest_volume(const Nest *n)
{
	uint64_t v = 1;

	for (uint32_t i = 0; i < n->rank; i++)
		v *= (uint64_t)n->count[i];
	return v;
}

NestWalk
nest_walk(const Nest *n)
{
	return (NestWalk){.nest = n, .at = n->offset, .left = nest_volume(n)};
}

void
nest_next(NestWalk *w)
{
	const Nest *n = w->nest;

	w->left--;
	for (uint32_t i = n->rank; i-- > 0;) {
		if (++w->index[i] < n->count[i]) {
			w->at += n->stride[i];
			return;
		}
		w->at -= n->stride[i] * (n->count[i] - 1);
		w->index[i] = 0;
	}
}

static int
fill_blob(void *data, size_t bytes, const void *blob, size_t blob_bytes, Err *e)
{
	if (!blob || blob_bytes != bytes)
		return err_set(e, ERR_INPUT, "fill: blob of %zu bytes for a buffer of %zu bytes",
			       blob ? blob_bytes : 0, bytes);
	if (bytes)
		memcpy(data, blob, bytes);
	return OK;
}

int
fill_buffer(DType type, void *data, size_t bytes, const Fill *f, const void *blob,
	    size_t blob_bytes, Err *e)
{
	size_t elements = bytes / dtype_size(type);
	int rc = OK;

	switch (f->kind) {
	case FILL_POISON: memset(data, POISON_BYTE, bytes); break;
	case FILL_ZERO: memset(data, 0, bytes); break;
	case FILL_RANDOM:
		memset(data, 0, bytes);
		rng_fill(type, data, elements, f->seed, f->lo, f->hi);
		break;
	case FILL_BLOB: rc = fill_blob(data, bytes, blob, blob_bytes, e); break;
	default: rc = err_set(e, ERR_INPUT, "fill: kind %u is not known", f->kind);
	}
	for (uint32_t i = 0; rc == OK && i < f->patches.n; i++) {
		const Patch *p = &f->patches.v[i];

		if (!nest_inside(&p->nest, elements))
			return err_set(e, ERR_INPUT,
				       "fill: patch %u reaches outside a buffer of %zu elements", i,
				       elements);
		for (NestWalk w = nest_walk(&p->nest); w.left; nest_next(&w))
			dtype_put(type, data, (size_t)w.at, p->value);
	}
	return rc;
}
