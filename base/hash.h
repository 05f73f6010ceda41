/* Two hashes: a content digest that names things for ever, and a fast one for tables in memory. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 16, DIGEST_WHOLE = 32, DIGEST_TEXT = 2 * DIGEST_BYTES + 1, DIGEST_CHECK = 9 };

/* First 16 bytes of SHA-256: names tasks, forms, graphs, images and blobs. */
typedef struct Digest {
	uint8_t b[DIGEST_BYTES];
} Digest;

Digest digest_of(const void *data, size_t size);
Digest digest_of_text(const char *text);
/* The same in pieces: init, any number of add, end. */
typedef struct DigestState {
	uint64_t opaque[32];
} DigestState;

void digest_init(DigestState *s);
void digest_add(DigestState *s, const void *data, size_t size);
Digest digest_end(DigestState *s);
/* The whole SHA-256 instead, as other programs tell it. */
void digest_end_whole(DigestState *s, uint8_t whole[DIGEST_WHOLE]);

bool digest_equal(const Digest *a, const Digest *b);
void digest_print(const Digest *d, char text[DIGEST_TEXT]); /* lower-case hex */
void digest_name(const char *of, char text[DIGEST_TEXT]);   /* of a text, as text */
int hex_value(char c);                          /* of a digit in lower case; -1: it is none */
bool digest_parse(const char *text, Digest *d); /* exactly 32 hex digits */

/* The first 8 digits of the digest: tells text that was damaged, by nobody who wanted to. */
void digest_check(const void *data, size_t size, char check[DIGEST_CHECK]);

/* For hash tables only: never stored, never sent. */
uint64_t hash64(const void *data, size_t size, uint64_t seed);

#endif
