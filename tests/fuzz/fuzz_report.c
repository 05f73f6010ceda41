/* Any bytes as a text that a report meets: what becomes markup holds none of it, what becomes a
 * line of a terminal no sequences; sessions parse and print to what parses to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "report/parts.h"
#include "report/svg.h"
#include "report/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
need(bool ok)
{
	if (!ok)
		abort();
}

static void
markup(const char *text)
{
	Str s = {0};

	text_escape(&s, text);
	for (const unsigned char *c = (const unsigned char *)str_get(&s); *c; c++) {
		need(!strchr("<>\"'`", *c) && (*c >= 32 || *c == '\n') && *c != 127);
		need(*c != '&' || c[1] == '#' || !strncmp((const char *)c, "&amp;", 5) ||
		     !strncmp((const char *)c, "&lt;", 4) || !strncmp((const char *)c, "&gt;", 4) ||
		     !strncmp((const char *)c, "&quot;", 6));
	}
	str_fini(&s);
}

static void
line(const char *text, int columns)
{
	Str s = {0};
	int used = text_plain(&s, text, columns), seen = 0;

	for (const unsigned char *c = (const unsigned char *)str_get(&s); *c; c++) {
		need(*c >= 32 && *c != 127);
		seen += (*c & 0xc0) != 0x80;
	}
	need(used <= columns && seen <= columns);
	str_fini(&s);
}

static void
see(void *self, ChoiceKind kind, const char *value)
{
	(void)self;
	need(*choice_text(kind) && strlen(value) < 100);
}

static void
session(const char *text, Arena *a)
{
	Str once = {0}, twice = {0};
	Session s;
	Err e = {0};

	if (session_parse(text, a, &s, &e) == OK) {
		session_print(&s, &once);
		need(session_parse(str_get(&once), a, &s, &e) == OK);
		session_print(&s, &twice);
		need(!strcmp(str_get(&once), str_get(&twice)));
	}
	str_fini(&once);
	str_fini(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new();
	Str text = {0};
	RaceRatio q;

	str_addn(&text, (const char *)data, size);
	markup(str_get(&text));
	line(str_get(&text), size ? data[0] % 120 : 0);
	session(str_get(&text), a);
	choices_of(str_get(&text), see, NULL);
	need(strlen(reason_general(a, str_get(&text))) <= size);
	if (race_read(str_get(&text), &q))
		need(q.ratio > 0 && q.hi >= q.lo);
	str_fini(&text);
	arena_free(a);
	return 0;
}
