/* The log as text: sorted, a line per row, "name=value" fields separated by tabs, in the order of
 * the columns. Empty texts, zeros and rows' ids are left out. The texts of the rows' Tasks and
 * Forms come first, a line each: "kind", "digest" and "body". */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "db/log_file.h"

static void
add_escaped(Str *s, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\n')
			str_add(s, "\\n");
		else if (c == '\\')
			str_add(s, "\\\\");
		else if (c < ' ' || c == 0x7f)
			str_printf(s, "\\x%02x", c);
		else
			str_addn(s, text, 1);
	}
}

/* Whole numbers in full, "5200" and not "5.2e+03"; the others as short as they read back. */
static void
add_number(Str *s, double v)
{
	if (fabs(v) < 1e15 && v == floor(v))
		str_printf(s, "%.0f", v);
	else
		str_double(s, v);
}

static void
add_samples(Str *s, const LogRow *r)
{
	for (int i = 0; i < r->nsample; i++) {
		str_add(s, i ? "," : "");
		add_number(s, r->samples[i]);
	}
}

/* Value of one column; nothing for an empty one. */
static void
add_value(Str *s, LogRow *r, const Column *c)
{
	switch (c->kind) {
	case COLUMN_TEXT: add_escaped(s, *column_text(r, c)); break;
	case COLUMN_REAL:
		if (*column_real(r, c) != 0)
			add_number(s, *column_real(r, c));
		break;
	case COLUMN_INTEGER:
		if (*column_integer(r, c))
			str_printf(s, "%lld", (long long)*column_integer(r, c));
		break;
	case COLUMN_SAMPLES: add_samples(s, r); break;
	}
}

bool
log_text_kind(const char *name)
{
	return !strcmp(name, "task") || !strcmp(name, "form");
}

static const char *
line_of(Arena *a, LogRow *r)
{
	Str line = {0}, value = {0};
	const char *text;

	for (int i = 0; i < log_columns; i++) {
		str_clear(&value);
		add_value(&value, r, &log_column[i]);
		if (value.n)
			str_printf(&line, "%s%s=%s", line.n ? "\t" : "", log_column[i].name,
				   str_get(&value));
	}
	text = arena_strdup(a, str_get(&line));
	str_fini(&line);
	str_fini(&value);
	return text;
}

typedef VEC(const char *) Lines;

static void
sort(Lines *l)
{
	if (l->n)
		qsort(l->v, (size_t)l->n, sizeof *l->v, by_text);
}

/* Adds the line of one text, when the log has it. */
static int
add_text_line(Log *l, Arena *a, const char *kind, const char *digest, Lines *out, Err *e)
{
	const char *body;
	Str line = {0};
	int rc = log_get_text(l, a, kind, digest, &body, e);

	if (rc)
		return rc == NOT_APPLICABLE ? OK : rc;
	str_printf(&line, "kind=%s\tdigest=", kind);
	add_escaped(&line, digest);
	str_add(&line, "\tbody=");
	add_escaped(&line, body);
	vec_push(a, out, arena_strdup(a, str_get(&line)));
	str_fini(&line);
	return OK;
}

/* Adds the lines of the texts that one key column of the rows names. */
static int
add_texts(Log *l, Arena *a, const Column *c, LogRow *row, int n, Lines *out, Err *e)
{
	Lines digest = {0};
	int rc = OK;

	for (int i = 0; i < n; i++)
		vec_push(a, &digest, *column_text(&row[i], c));
	sort(&digest);
	for (int i = 0; i < n && !rc; i++)
		if (i == 0 || strcmp(digest.v[i], digest.v[i - 1]))
			rc = add_text_line(l, a, c->name, digest.v[i], out, e);
	return rc;
}

int
log_export(Log *l, bool only_best, Str *out, Err *e)
{
	Arena *a = arena_new();
	LogKey all = {0};
	Lines line = {0};
	LogRow *row;
	int n, rc = only_best ? log_best_rows(l, a, &row, &n, e)
			      : log_rows(l, a, &all, &row, &n, e);

	for (int i = 0; i < log_columns && !rc; i++)
		if (log_text_kind(log_column[i].name))
			rc = add_texts(l, a, &log_column[i], row, n, &line, e);
	for (int i = 0; i < n && !rc; i++)
		vec_push(a, &line, line_of(a, &row[i]));
	if (!rc) {
		sort(&line);
		str_add(out, LOG_TEXT_HEAD "\n");
		for (int i = 0; i < line.n; i++)
			str_printf(out, "%s\n", line.v[i]);
	}
	arena_free(a);
	return rc;
}
