/* The log as text: sorted, a line per row, "name=value" fields separated by tabs, in the order of
 * the columns. Empty texts, zeros and rows' ids are left out. */
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

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
compare_keys(const LogRow *a, const LogRow *b)
{
	LogRow x = *a, y = *b;
	int d = 0;

	for (int i = 0; i < log_key_columns && !d; i++)
		d = strcmp(*column_text(&x, &log_column[i]), *column_text(&y, &log_column[i]));
	return d;
}

static int
by_key_and_id(const void *a, const void *b)
{
	const LogRow *x = a, *y = b;
	int d = compare_keys(x, y);

	return d ? d : (x->id > y->id) - (x->id < y->id);
}

/* Keeps the row that counts of every key; returns how many there are. */
static int
keep_best(LogRow *row, int n)
{
	int kept = 0, end;

	if (n)
		qsort(row, (size_t)n, sizeof *row, by_key_and_id);
	for (int i = 0; i < n; i = end) {
		int best;

		for (end = i + 1; end < n && !compare_keys(&row[i], &row[end]); end++)
			;
		best = log_choose(row + i, end - i);
		if (best >= 0)
			row[kept++] = row[i + best];
	}
	return kept;
}

int
log_export(Log *l, bool only_best, Str *out, Err *e)
{
	Arena *a = arena_new();
	LogKey all = {0};
	const char **line;
	LogRow *row;
	int n, rc = log_rows(l, a, &all, &row, &n, e);

	if (!rc) {
		n = only_best ? keep_best(row, n) : n;
		line = ARENA_ARRAY(a, const char *, n + 1);
		for (int i = 0; i < n; i++)
			line[i] = line_of(a, &row[i]);
		qsort(line, (size_t)n, sizeof *line, by_text);
		str_add(out, LOG_TEXT_HEAD "\n");
		for (int i = 0; i < n; i++)
			str_printf(out, "%s\n", line[i]);
	}
	arena_free(a);
	return rc;
}
