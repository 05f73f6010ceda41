/* Any bytes as a pack description over three constants: whatever it says, nothing outside the pool
 * and the constants is touched, in bounded time. */
#include "base/pack.h"

#include <stdlib.h>
#include <string.h>

enum { POOL = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t bytes[] = {64, 24, 7};
	const void *consts[3];
	unsigned char *own[3], *pool = malloc(POOL);

	for (int i = 0; i < 3; i++) { /* own blocks, so that reading past one is seen */
		own[i] = malloc(bytes[i]);
		memset(own[i], 1, bytes[i]);
		consts[i] = own[i];
	}
	pack_run(data, size, 3, consts, bytes, pool, POOL);
	for (int i = 0; i < 3; i++)
		free(own[i]);
	free(pool);
	return 0;
}
