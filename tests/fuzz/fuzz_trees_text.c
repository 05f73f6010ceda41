/* Any text as trees: what parses prints to a text that parses to the same, and answers. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "search_space/trees.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const name[] = {"a", "b"};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str text = {0}, once = {0}, twice = {0};
	Arena *arena = arena_new();
	float x[2] = {1, -1};
	Trees t, again;
	Err e = {0};

	str_addn(&text, (const char *)data, size);
	if (!trees_parse(str_get(&text), name, 2, arena, &t, &e)) {
		trees_print(&t, &once);
		if (trees_parse(once.s, name, 2, arena, &again, &e))
			abort();
		trees_print(&again, &twice);
		if (strcmp(once.s, twice.s) || isnan(trees_predict(&t, x)))
			abort();
	} else if (!e.msg[0]) {
		abort();
	}
	arena_free(arena);
	str_fini(&text);
	str_fini(&once);
	str_fini(&twice);
	return 0;
}
