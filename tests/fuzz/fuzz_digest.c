/* A file of digests: what is read is 64 hex digits, and reads back alone. */
#include <stdlib.h>
#include <string.h>

#include "fetch/fetch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1), found[SHA256_TEXT], again[SHA256_TEXT];
	Err e = {0};

	if (!text)
		abort();
	memcpy(text, data, size); /* ends where it ends: no NUL follows */
	if (fetch_digest_parse(text, size, "log.db", found, &e) == OK) {
		if (strlen(found) != SHA256_TEXT - 1 ||
		    strspn(found, "0123456789abcdef") != SHA256_TEXT - 1)
			abort();
		if (fetch_digest_parse(found, strlen(found), "other", again, &e) ||
		    strcmp(found, again) != 0)
			abort();
	} else if (e.code != ERR_INPUT) {
		abort();
	}
	free(text);
	return 0;
}
