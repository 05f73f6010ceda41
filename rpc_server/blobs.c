/* Blob store: a list, most recently used first. `used` counts stored blobs and announced uploads,
 * each with a surcharge, so that neither many tiny blobs nor promises exceed the cap. Files have
 * the same cap of their own: what leaves memory stays there. */
#include "rpc_server/blobs.h"

#include <stdlib.h>
#include <string.h>

enum { SURCHARGE = 4096 };

struct Blobs {
	uint64_t cap, used;
	Blob *newest, *oldest;
	BlobFiles *files;
};

Blobs *
blobs_new(uint64_t cap, BlobFiles *files)
{
	Blobs *s = calloc(1, sizeof *s);

	if (!s) {
		blob_files_close(files);
		return NULL;
	}
	s->cap = cap;
	s->files = files;
	return s;
}

static void
unlink_blob(Blobs *s, Blob *b)
{
	*(b->newer ? &b->newer->older : &s->newest) = b->older;
	*(b->older ? &b->older->newer : &s->oldest) = b->newer;
}

static void
link_newest(Blobs *s, Blob *b)
{
	b->newer = NULL;
	b->older = s->newest;
	*(s->newest ? &s->newest->newer : &s->oldest) = b;
	s->newest = b;
}

static void
remove_blob(Blobs *s, Blob *b)
{
	unlink_blob(s, b);
	s->used -= b->size + SURCHARGE;
	free(b->data);
	free(b);
}

void
blobs_free(Blobs *s)
{
	while (s && s->newest)
		remove_blob(s, s->newest);
	if (s)
		blob_files_close(s->files);
	free(s);
}

static Blob *
find(const Blobs *s, const Digest *d)
{
	for (Blob *b = s->newest; b; b = b->older)
		if (digest_equal(&b->digest, d))
			return b;
	return NULL;
}

void
blobs_drop(Blob *b)
{
	if (b)
		b->holds--;
}

/* Makes room and returns memory for size bytes, which count as used from now on. */
static uint8_t *
reserve(Blobs *s, uint64_t size, Err *e)
{
	uint64_t need = size + SURCHARGE;
	bool possible = size <= s->cap && need <= s->cap;
	uint8_t *data;

	for (Blob *b = s->oldest, *newer; possible && b && s->used + need > s->cap; b = newer) {
		newer = b->newer;
		if (!b->holds)
			remove_blob(s, b);
	}
	if (!possible || s->used + need > s->cap) {
		err_set(e, ERR_NOMEM,
			"blob of %llu bytes does not fit: %llu of %llu bytes are in use",
			(unsigned long long)size, (unsigned long long)s->used,
			(unsigned long long)s->cap);
		return NULL;
	}
	data = malloc(size ? size : 1);
	if (!data)
		err_set(e, ERR_NOMEM, "no memory for a blob of %llu bytes",
			(unsigned long long)size);
	else
		s->used += need;
	return data;
}

/* Stores data, which came from reserve(); takes it over in any case. */
static int
adopt(Blobs *s, const Digest *d, uint8_t *data, size_t size, Err *e)
{
	Blob *b = find(s, d) ? NULL : calloc(1, sizeof *b);

	if (b) {
		*b = (Blob){.digest = *d, .size = size, .data = data};
		link_newest(s, b);
		return OK;
	}
	free(data);
	s->used -= size + SURCHARGE;
	return find(s, d) ? OK : err_set(e, ERR_NOMEM, "no memory for a blob");
}

/* The blob, from memory or else from its file; NULL: neither has it, or there is no memory for it.
 */
static Blob *
fetch(Blobs *s, const Digest *d)
{
	Blob *b = find(s, d);
	uint8_t *data;
	uint64_t size;

	if (b || !blob_files_size(s->files, d, &size))
		return b;
	data = reserve(s, size, NULL);
	if (!data)
		return NULL;
	if (!blob_files_read(s->files, d, data)) {
		free(data);
		s->used -= size + SURCHARGE;
		return NULL;
	}
	return adopt(s, d, data, (size_t)size, NULL) ? NULL : find(s, d);
}

bool
blobs_have(Blobs *s, const Digest *d)
{
	return fetch(s, d) != NULL;
}

Blob *
blobs_hold(Blobs *s, const Digest *d)
{
	Blob *b = fetch(s, d);

	if (!b)
		return NULL;
	unlink_blob(s, b);
	link_newest(s, b);
	b->holds++;
	return b;
}

int
blobs_put(Blobs *s, const void *data, size_t size, Digest *d, Err *e)
{
	uint8_t *copy;

	*d = digest_of(data, size);
	if (find(s, d))
		return OK;
	copy = reserve(s, size, e);
	if (!copy)
		return ERR_NOMEM;
	if (size)
		memcpy(copy, data, size);
	return adopt(s, d, copy, size, e);
}

static void
forget(Blobs *s, Upload *u)
{
	if (!u->data)
		return;
	free(u->data);
	s->used -= u->size + SURCHARGE;
	*u = (Upload){0};
}

void
blobs_forget(Blobs *s, Upload *slots)
{
	for (int i = 0; i < UPLOADS_MAX; i++)
		forget(s, &slots[i]);
}

static Upload *
find_slot(Upload *slots, const Digest *d)
{
	for (int i = 0; i < UPLOADS_MAX; i++)
		if (slots[i].data && digest_equal(&slots[i].digest, d))
			return &slots[i];
	return NULL;
}

static Upload *
begin(Blobs *s, Upload *slots, const BlobChunk *c, Err *e)
{
	for (int i = 0; i < UPLOADS_MAX; i++) {
		Upload *u = &slots[i];

		if (u->data)
			continue;
		u->data = reserve(s, c->size, e);
		if (!u->data)
			return NULL;
		u->digest = c->digest;
		u->size = c->size;
		digest_init(&u->state);
		return u;
	}
	err_set(e, ERR_BUSY, "%d blobs are being uploaded already", UPLOADS_MAX);
	return NULL;
}

static int
finish(Blobs *s, Upload *u, Err *e)
{
	Digest d = digest_end(&u->state);
	int rc;

	if (!digest_equal(&d, &u->digest)) {
		forget(s, u);
		return err_set(e, ERR_INPUT, "blob: bytes do not match their digest");
	}
	blob_files_write(s->files, &d, u->data, u->size);
	rc = adopt(s, &d, u->data, u->size, e);
	*u = (Upload){0};
	return rc;
}

int
blobs_chunk(Blobs *s, Upload *slots, const BlobChunk *c, Err *e)
{
	Upload *u = find_slot(slots, &c->digest);

	if (!u && c->offset == 0)
		u = begin(s, slots, c, e);
	if (!u)
		return err_set(e, ERR_INPUT, "blob: chunk at %llu of a blob that was not begun",
			       (unsigned long long)c->offset);
	if (c->size != u->size || c->offset != u->have || c->bytes.n > u->size - u->have) {
		forget(s, u);
		return err_set(e, ERR_INPUT, "blob: chunk out of order");
	}
	if (c->bytes.n)
		memcpy(u->data + u->have, c->bytes.v, c->bytes.n);
	digest_add(&u->state, c->bytes.v, c->bytes.n);
	u->have += c->bytes.n;
	return u->have == u->size ? finish(s, u, e) : OK;
}
