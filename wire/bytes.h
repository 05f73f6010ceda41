/* Bytes: a growing buffer that survives allocation failure: once a growth failed, `failed` is set
 * and nothing more is added. Zero-initialise, bytes_fini. */
#ifndef WIRE_BYTES_H
#define WIRE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Bytes {
	uint8_t *p;
	size_t n, cap;
	bool failed;
} Bytes;

bool bytes_add(Bytes *b, const void *data, size_t n); /* false when there is no memory */
void bytes_drop(Bytes *b, size_t n);                  /* the first n bytes */
void bytes_fini(Bytes *b);

#endif
