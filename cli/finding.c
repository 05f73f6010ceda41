/* The list, and its two shapes. */
#include "cli/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/json_out.h"
#include "cli/plain.h"

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

static void
print_lines(const Findings *f)
{
	for (int i = 0; i < f->list.n; i++) {
		const Finding *x = &f->list.v[i];

		printf("%-8s %-14s ", verdict[x->verdict], x->topic);
		plain_line(x->text);
		if (*x->advice)
			printf("%-8s %-14s -> %s\n", "", "", x->advice);
	}
}

static void
add_to(Json *top, const Findings *f)
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
}

int
findings_end(const Findings *f, Json *json, Err *e)
{
	int problems = 0;

	for (int i = 0; i < f->list.n; i++)
		problems += f->list.v[i].verdict == VERDICT_PROBLEM;
	if (json) {
		add_to(json, f);
		json_number(json, "problems", problems);
		json_out(json);
	} else {
		print_lines(f);
	}
	return problems ? err_set(e, ERR_CHECK, "%d problems", problems) : OK;
}
