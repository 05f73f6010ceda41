/* Keys as text: what is read prints to something that reads back the same. */
#include <stdlib.h>
#include <string.h>

#include "trust/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[1024], again[KEY_TEXT_MAX];
	Key k, back;

	if (size >= sizeof text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	if (key_parse(text, &k, NULL))
		return 0;
	key_print(&k, again);
	if (key_parse(again, &back, NULL) || memcmp(&k, &back, sizeof k))
		abort();
	return 0;
}
