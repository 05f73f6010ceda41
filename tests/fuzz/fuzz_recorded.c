/* Recorded rows: what is read prints to a text that reads back to itself. */
#include <stdlib.h>
#include <string.h>

#include "tuner/recorded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new();
	Str once = {0}, twice = {0};
	char *text = ARENA_ARRAY(a, char, size + 1);
	Recorded r, back;
	Err e = {0};

	if (size)
		memcpy(text, data, size);
	if (!recorded_parse(text, a, &r, &e)) {
		recorded_print(&r, &once);
		if (recorded_parse(str_get(&once), a, &back, &e))
			abort();
		recorded_print(&back, &twice);
		if (strcmp(str_get(&once), str_get(&twice)) != 0)
			abort();
		for (int i = 0; i < r.row.n; i++)
			if (recorded_find(&r, r.row.v[i].sched) != &r.row.v[i])
				abort();
	}
	str_fini(&once);
	str_fini(&twice);
	arena_free(a);
	return 0;
}
