/* Who merges logs of others, or answers for a pull request, reads texts of others: a device, a
 * kernel, a line of a file may be called "\033[2J". */
#include "cli/plain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/text.h"

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

	puts(plain_text(a, text, PLAIN_WHOLE));
	arena_free(a);
}

void
plain_note(const char *fmt, ...)
{
	Arena *a = arena_new();
	va_list ap, again;
	size_t n;
	char *line;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = (size_t)vsnprintf(NULL, 0, fmt, ap) + 1;
	va_end(ap);
	line = arena_alloc(a, n);
	vsnprintf(line, n, fmt, again);
	va_end(again);
	fprintf(stderr, "%s\n", plain_text(a, line, PLAIN_WHOLE));
	arena_free(a);
}

void
plain_tell(void *self, const char *text)
{
	(void)self;
	plain_note("hone: %s", text);
}
