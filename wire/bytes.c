/* Growing buffer. */
#include "wire/bytes.h"

#include <stdlib.h>
#include <string.h>

bool
bytes_add(Bytes *b, const void *data, size_t n)
{
	size_t cap = b->cap ? b->cap : 256;
	uint8_t *p;

	if (b->failed)
		return false;
	while (cap - b->n < n)
		cap *= 2;
	if (cap != b->cap) {
		p = realloc(b->p, cap);
		if (!p) {
			b->failed = true;
			return false;
		}
		b->p = p;
		b->cap = cap;
	}
	if (n)
		memcpy(b->p + b->n, data, n);
	b->n += n;
	return true;
}

void
bytes_drop(Bytes *b, size_t n)
{
	b->n -= n;
	if (b->n)
		memmove(b->p, b->p + n, b->n);
}

void
bytes_fini(Bytes *b)
{
	free(b->p);
	*b = (Bytes){0};
}
