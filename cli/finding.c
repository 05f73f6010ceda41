/* The list, and its two shapes. */
#include "cli/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const verdict[] = {
#define X(name, text) text,
	VERDICT_LIST(X)
#undef X
};

void
finding_add(Findings *f, Verdict v, const char *topic, const char *advice, const char *text, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, text);
	vsnprintf(line, sizeof line, text, ap);
	va_end(ap);
	vec_push(f->arena, &f->list, ((Finding){v, topic, arena_strdup(f->arena, line), advice}));
}

int
findings_count(const Findings *f, Verdict v)
{
	int n = 0;

	for (int i = 0; i < f->list.n; i++)
		n += f->list.v[i].verdict == v;
	return n;
}

void
findings_print(const Findings *f)
{
	for (int i = 0; i < f->list.n; i++) {
		const Finding *x = &f->list.v[i];

		printf("%-8s %-14s %s\n", verdict[x->verdict], x->topic, x->text);
		if (*x->advice)
			printf("%-8s %-14s -> %s\n", "", "", x->advice);
	}
}

void
findings_json(const Findings *f, Json *top)
{
	Json *list = json_array(top, "findings");

	for (int i = 0; i < f->list.n; i++) {
		const Finding *x = &f->list.v[i];
		Json *one = json_object(list, NULL);

		json_text(one, "verdict", verdict[x->verdict]);
		json_text(one, "topic", x->topic);
		json_text(one, "text", x->text);
		json_text(one, "advice", x->advice);
	}
	json_number(top, "problems", findings_count(f, VERDICT_PROBLEM));
}
