/* Who merges logs of others reads their texts: a device may be called "\033[2J". */
#include "cli/plain.h"

#include <stdio.h>
#include <string.h>

#include "report/svg.h"

enum { COLUMNS_MAX = 1 << 20 };

const char *
plain_text(Arena *a, const char *text, int columns)
{
	Str line = {0}, plain = {0};
	const char *kept;

	for (const char *end; *text; text = end + (*end == '\n')) {
		end = text + strcspn(text, "\n");
		str_add(&line, line.n ? "; " : "");
		str_addn(&line, text, (size_t)(end - text));
	}
	text_plain(&plain, str_get(&line), columns);
	kept = arena_strdup(a, str_get(&plain));
	str_fini(&plain);
	str_fini(&line);
	return kept;
}

void
plain_line(const char *text)
{
	Arena *a = arena_new();

	puts(plain_text(a, text, COLUMNS_MAX));
	arena_free(a);
}
