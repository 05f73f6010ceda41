/* Reading exported text into a log. Every line stands or falls by itself; all good ones become one
 * transaction. Nothing of a line is believed before log_check_row saw it. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "db/log_file.h"

typedef struct Importer {
	Log *l;
	Arena *a; /* of one line */
	LogImport *out;
} Importer;

/* Undoes add_escaped in place. */
static int
unescape(char *text, const char *name, Err *e)
{
	char *to = text;

	for (char *p = text; *p; p++) {
		if (*p != '\\') {
			*to++ = *p;
		} else if (p[1] == 'n' || p[1] == '\\') {
			*to++ = *++p == 'n' ? '\n' : '\\';
		} else if (p[1] == 'x' && hex_value(p[2]) >= 0 && hex_value(p[3]) >= 0 &&
			   (p[2] != '0' || p[3] != '0')) {
			*to++ = (char)(hex_value(p[2]) * 16 + hex_value(p[3]));
			p += 3;
		} else {
			return err_set(e, ERR_INPUT, "%s: '%.8s', expected \\n, \\\\ or \\xHH",
				       name, p);
		}
	}
	*to = 0;
	return OK;
}

static int
read_real(const char *text, const char **end, const char *name, double *v, Err *e)
{
	char *stop;

	*v = strtod(text, &stop);
	*end = stop;
	if (stop == text || !isfinite(*v))
		return err_set(e, ERR_INPUT, "%s: '%.24s', expected a finite number", name, text);
	return OK;
}

static int
read_samples(Arena *a, const char *text, LogRow *r, Err *e)
{
	VEC(double) all = {0};
	double v;

	do {
		int rc = read_real(text, &text, "samples", &v, e);

		if (rc)
			return rc;
		vec_push(a, &all, v);
	} while (*text == ',' && text++);
	if (*text)
		return err_set(e, ERR_INPUT, "samples: '%.24s', expected numbers with commas",
			       text);
	r->samples = all.v;
	r->nsample = all.n;
	return OK;
}

static int
read_value(Arena *a, const Column *c, char *text, LogRow *r, Err *e)
{
	const char *end = "";
	int rc = OK;

	switch (c->kind) {
	case COLUMN_TEXT:
		rc = unescape(text, c->name, e);
		*column_text(r, c) = text;
		break;
	case COLUMN_REAL: rc = read_real(text, &end, c->name, column_real(r, c), e); break;
	case COLUMN_INTEGER: {
		char *stop;

		errno = 0;
		*column_integer(r, c) = strtoll(text, &stop, 10);
		end = stop == text || errno ? text : stop;
		break;
	}
	case COLUMN_SAMPLES: rc = read_samples(a, text, r, e); break;
	}
	if (!rc && (*end || !*text))
		rc = err_set(e, ERR_INPUT, "%s: '%.24s', expected %s", c->name, text,
			     c->kind == COLUMN_INTEGER ? "an integer" : "a value");
	return rc;
}

static int
find_column(const char *name)
{
	for (int i = 0; i < log_columns; i++)
		if (!strcmp(log_column[i].name, name))
			return i;
	return -1;
}

/* The next field of a line, cut out of it in place: its value, and the name in *name. */
static char *
next_field(char **line, const char **name, Err *e)
{
	char *field = strsep(line, "\t"), *value = strchr(field, '=');

	*name = field;
	if (value)
		*value++ = 0;
	else
		err_set(e, ERR_INPUT, "'%.24s', expected NAME=VALUE", field);
	return value;
}

/* A row in one line, cut up in place. */
static int
read_row(Arena *a, char *line, LogRow *r, Err *e)
{
	uint64_t seen = 0;
	int rc = OK;

	*r = (LogRow){0};
	for (int i = 0; i < log_columns; i++)
		if (log_column[i].kind == COLUMN_TEXT)
			*column_text(r, &log_column[i]) = "";
	while (line && !rc) {
		const char *name;
		char *value = next_field(&line, &name, e);
		int c;

		if (!value)
			return ERR_INPUT;
		c = find_column(name);
		if (c < 0 || seen >> c & 1)
			return err_set(e, ERR_INPUT, "%s '%.24s'",
				       c < 0 ? "unknown field" : "second field", name);
		seen |= (uint64_t)1 << c;
		rc = read_value(a, &log_column[c], value, r, e);
	}
	if (!rc && !r->time)
		rc = err_set(e, ERR_INPUT, "time: nothing, expected seconds since 1970");
	return rc ? rc : log_check_row(r, e);
}

/* A text in one line, cut up in place: "kind", "digest", "body". */
static int
read_text(char *line, const char *part[3], Err *e)
{
	static const char *const names[] = {"kind", "digest", "body"};
	char hex[DIGEST_TEXT];

	for (int i = 0; i < 3; i++) {
		const char *name = "nothing";
		char *value = line ? next_field(&line, &name, e) : NULL;

		if (!value || strcmp(name, names[i]))
			return err_set(e, ERR_INPUT, "'%.24s', expected %s=", name, names[i]);
		if (unescape(value, name, e))
			return ERR_INPUT;
		part[i] = value;
	}
	if (line || !log_text_kind(part[0]))
		return err_set(e, ERR_INPUT, "%s: '%.24s', expected %s", line ? "body" : "kind",
			       line ? line : part[0], line ? "no more fields" : "task or form");
	if (strlen(part[2]) > LOG_ROW_MAX / 2)
		return err_set(e, ERR_INPUT, "body: %zu bytes, expected at most %d",
			       strlen(part[2]), LOG_ROW_MAX / 2);
	digest_name(part[2], hex);
	return strcmp(hex, part[1])
		       ? err_set(e, ERR_INPUT, "digest: %.40s, the body's is %s", part[1], hex)
		       : OK;
}

static int
store(Importer *im, const LogRow *r, Err *e)
{
	int64_t id;
	bool known = false;
	int rc = log_is_known(im->l, r, &known, e);

	if (rc || known) {
		im->out->known += !rc;
		return rc;
	}
	rc = log_insert(im->l, r, &id, e);
	im->out->added += !rc;
	return rc;
}

static int
import_line(Importer *im, const char *text, size_t n, int64_t number, Err *e)
{
	char *line = arena_alloc(im->a, n + 1);
	bool is_text = n >= 5 && !memcmp(text, "kind=", 5);
	const char *part[3];
	Err bad = {0};
	LogRow r;

	memcpy(line, text, n);
	if (strlen(line) < n)
		err_set(&bad, ERR_INPUT, "a NUL byte");
	else if (is_text)
		read_text(line, part, &bad);
	else
		read_row(im->a, line, &r, &bad);
	if (!bad.code)
		return is_text ? log_put_text(im->l, part[0], part[1], part[2], e)
			       : store(im, &r, e);
	im->out->refused++;
	str_printf(&im->out->reasons, "line %lld: %s\n", (long long)number, bad.msg);
	return OK;
}

/* Whether text begins with the head line; *rest is what follows. */
static bool
take_head(const char *text, size_t size, size_t *rest)
{
	size_t n = strlen(LOG_TEXT_HEAD);

	*rest = n + (size > n);
	return size >= n && !memcmp(text, LOG_TEXT_HEAD, n) && (size == n || text[n] == '\n');
}

static int
import_lines(Importer *im, const char *text, size_t size, Err *e)
{
	size_t at;
	int64_t number = 1;
	int rc = OK;

	if (!take_head(text, size, &at))
		return err_set(e, ERR_INPUT, "line 1: expected '%s'", LOG_TEXT_HEAD);
	while (at < size && !rc) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t n = end ? (size_t)(end - text) - at : size - at;

		number++;
		if (n && text[at] != '#')
			rc = import_line(im, text + at, n, number, e);
		arena_reset(im->a);
		at += n + 1;
	}
	return rc;
}

int
log_import(Log *l, const char *text, size_t size, LogImport *out, Err *e)
{
	Importer im = {.l = l, .out = out};
	int rc = log_begin(l, e);

	*out = (LogImport){0};
	if (rc)
		return rc;
	im.a = arena_new();
	rc = log_end(l, import_lines(&im, text, size, e), e);
	arena_free(im.a);
	if (rc)
		out->added = out->known = 0;
	return rc;
}
