/* The image loader on arbitrary bytes: it may refuse, it must not touch foreign memory. */
#include "base/image.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Image *i;
	Err e = {0};

	if (image_open(data, size, &i, &e) == OK) {
		image_symbol(i, "k");
		image_close(i);
	}
	return 0;
}
