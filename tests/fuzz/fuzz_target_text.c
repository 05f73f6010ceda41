/* Any text as a Target: what parses prints to a text that parses to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "search_space/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str text = {0}, once = {0}, twice = {0};
	Target t;
	Err e = {0};

	str_addn(&text, (const char *)data, size);
	if (!target_parse(str_get(&text), &t, &e)) {
		target_print(&t, &once);
		if (target_parse(once.s, &t, &e))
			abort();
		target_print(&t, &twice);
		if (strcmp(once.s, twice.s))
			abort();
	} else if (!e.msg[0]) {
		abort();
	}
	str_fini(&text);
	str_fini(&once);
	str_fini(&twice);
	return 0;
}
