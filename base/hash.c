/* Digests (SHA-256 of Nettle, which uses the instructions that processors have for it: weights are
 * hashed whole at every run) and the table hash (FNV-1a over words, finished by a mixer). */
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

_Static_assert(SHA256_DIGEST_SIZE == DIGEST_WHOLE, "a SHA-256 has 32 bytes");
_Static_assert(sizeof(struct sha256_ctx) <= sizeof(DigestState), "DigestState is too small");

void
digest_init(DigestState *s)
{
	sha256_init((struct sha256_ctx *)s);
}

void
digest_add(DigestState *s, const void *data, size_t size)
{
	sha256_update((struct sha256_ctx *)s, size, data);
}

void
digest_end_whole(DigestState *s, uint8_t whole[DIGEST_WHOLE])
{
	sha256_digest((struct sha256_ctx *)s, DIGEST_WHOLE, whole);
}

Digest
digest_end(DigestState *s)
{
	Digest d;

	sha256_digest((struct sha256_ctx *)s, sizeof d.b, d.b);
	return d;
}

Digest
digest_of(const void *data, size_t size)
{
	DigestState s;

	digest_init(&s);
	digest_add(&s, data, size);
	return digest_end(&s);
}

Digest
digest_of_text(const char *text)
{
	return digest_of(text, strlen(text));
}

bool
digest_equal(const Digest *a, const Digest *b)
{
	return !memcmp(a->b, b->b, sizeof a->b);
}

void
digest_print(const Digest *d, char text[DIGEST_TEXT])
{
	static const char hex[] = "0123456789abcdef";

	for (int i = 0; i < DIGEST_BYTES; i++) {
		text[2 * i] = hex[d->b[i] >> 4];
		text[2 * i + 1] = hex[d->b[i] & 15];
	}
	text[DIGEST_TEXT - 1] = 0;
}

void
digest_name(const char *of, char text[DIGEST_TEXT])
{
	Digest d = digest_of_text(of);

	digest_print(&d, text);
}

int
hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
digest_parse(const char *text, Digest *d)
{
	if (strlen(text) != DIGEST_TEXT - 1)
		return false;
	for (int i = 0; i < DIGEST_BYTES; i++) {
		int hi = hex_value(text[2 * i]), lo = hex_value(text[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		d->b[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

void
digest_check(const void *data, size_t size, char check[DIGEST_CHECK])
{
	char text[DIGEST_TEXT];
	Digest d = digest_of(data, size);

	digest_print(&d, text);
	memcpy(check, text, DIGEST_CHECK - 1);
	check[DIGEST_CHECK - 1] = 0;
}

uint64_t
hash64(const void *data, size_t size, uint64_t seed)
{
	const unsigned char *p = data;
	uint64_t h = seed ^ 0xcbf29ce484222325u ^ size, w;

	for (; size >= 8; size -= 8, p += 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * 0x100000001b3u;
		h ^= h >> 29;
	}
	for (; size; size--, p++)
		h = (h ^ *p) * 0x100000001b3u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ h >> 32;
}
