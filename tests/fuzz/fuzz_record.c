/* The journal's record: what is read prints to the bytes that it was read from. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "rpc_server/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[RECORD_BYTES];
	Record r;
	size_t n;

	if (record_parse(&r, (const char *)data, size))
		return 0;
	n = record_print(&r, text);
	if (n > size || memcmp(text, data, n) != 0)
		abort();
	return 0;
}
