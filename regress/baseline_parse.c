/* Reads what baseline_print writes, and nothing else: every field, once, in its order. A file that
 * was merged badly is refused with its line and field. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regress/baseline.h"
#include "regress/baseline_fields.h"

typedef struct Reader {
	const char *file, *p;
	int line; /* of *p */
	const char *field;
	Arena *a;
	Err *e;
} Reader;

static int
fail(Reader *r, const char *found, size_t n, const char *expected)
{
	n = strcspn(found, "\n") < n ? strcspn(found, "\n") : n;
	return err_set(r->e, ERR_INPUT, "%s:%d: %s: '%.*s', expected %s", r->file, r->line,
		       r->field, (int)(n < 80 ? n : 80), found, expected);
}

/* The line without its end; its length. */
static size_t
line_length(const Reader *r)
{
	return strcspn(r->p, "\n");
}

static void
next_line(Reader *r)
{
	r->p += line_length(r);
	r->p += *r->p == '\n';
	r->line++;
}

/* --- values: text of n bytes into *to --- */

static int
read_text(Reader *r, const char *s, size_t n, void *to)
{
	char *text = arena_alloc(r->a, n + 1), *out = text;

	for (size_t i = 0; i < n; i++) {
		int high, low;

		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return fail(r, s, n, "no control characters");
		if (s[i] != '\\') {
			*out++ = s[i];
			continue;
		}
		if (n - i < 4 || s[i + 1] != 'x' || (high = hex_value(s[i + 2])) < 0 ||
		    (low = hex_value(s[i + 3])) < 0 || !(high || low))
			return fail(r, s + i, n - i, "\\xHH");
		*out++ = (char)(high * 16 + low);
		i += 3;
	}
	*(const char **)to = text;
	return OK;
}

static int
read_integer(Reader *r, const char *s, size_t n, void *to)
{
	int64_t v = 0;

	if (!n || n > 18 || (n > 1 && *s == '0'))
		return fail(r, s, n, "a number from 0 on");
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return fail(r, s, n, "a number from 0 on");
		v = v * 10 + (s[i] - '0');
	}
	*(int64_t *)to = v;
	return OK;
}

static int
read_number(Reader *r, const char *s, size_t n, void *to)
{
	char text[32], *end;
	double v;

	if (!n || n >= sizeof text || *s < '0' || *s > '9')
		return fail(r, s, n, "a number above 0");
	memcpy(text, s, n);
	text[n] = 0;
	v = strtod(text, &end);
	if (*end || strpbrk(text, "xX") || !isfinite(v) || !(v > 0))
		return fail(r, s, n, "a number above 0");
	*(double *)to = v;
	return OK;
}

static int
read_digest(Reader *r, const char *s, size_t n, void *to)
{
	char text[DIGEST_TEXT] = "", again[DIGEST_TEXT];

	if (n == DIGEST_TEXT - 1)
		memcpy(text, s, n);
	if (n != DIGEST_TEXT - 1 || !digest_parse(text, to))
		return fail(r, s, n, "32 hexadecimal digits");
	digest_print(to, again);
	return strcmp(text, again) ? fail(r, s, n, "lower-case digits") : OK;
}

static int
read_type(Reader *r, const char *s, size_t n, DType *to)
{
	for (int t = 0; t < DT_COUNT; t++)
		if (strlen(dtype_name((DType)t)) == n && !memcmp(dtype_name((DType)t), s, n)) {
			*to = (DType)t;
			return OK;
		}
	return fail(r, s, n, "a type of elements");
}

/* --- lists: their words, separated by one blank --- */

typedef int ReadWord(Reader *r, const char *s, size_t n, void *list);

static int
read_list(Reader *r, const char *s, size_t n, void *list, ReadWord *read)
{
	const char *end = s + n;
	int count = 0, rc = OK;

	while (s < end && !rc) {
		const char *blank = memchr(s, ' ', (size_t)(end - s));
		size_t k = (size_t)((blank ? blank : end) - s);

		if (!k || (blank && blank + 1 == end))
			return fail(r, s, (size_t)(end - s), "a word between blanks");
		if (++count > BASELINE_WORDS_MAX)
			return fail(r, s, k, "the end: that are too many");
		rc = read(r, s, k, list);
		s += k + (blank != NULL);
	}
	return rc;
}

static int
take_word(Reader *r, const char *s, size_t n, void *list)
{
	BaselineWords *x = list;
	char *word = arena_alloc(r->a, n + 1);

	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return fail(r, s, n, "the name of a function");
	memcpy(word, s, n);
	vec_push(r->a, x, word);
	return OK;
}

static int
take_integer(Reader *r, const char *s, size_t n, void *list)
{
	BaselineIntegers *x = list;
	int64_t v;
	int rc = read_integer(r, s, n, &v);

	if (!rc)
		vec_push(r->a, x, v);
	return rc;
}

static int
take_number(Reader *r, const char *s, size_t n, void *list)
{
	BaselineNumbers *x = list;
	double v;
	int rc = read_number(r, s, n, &v);

	if (!rc)
		vec_push(r->a, x, v);
	return rc;
}

/* "TYPE:REST"; form: what is expected, as text. */
static int
read_typed(Reader *r, const char *s, size_t n, const char *form, DType *type, const char **rest)
{
	const char *colon = memchr(s, ':', n);

	if (!colon)
		return fail(r, s, n, form);
	*rest = colon + 1;
	return read_type(r, s, (size_t)(colon - s), type);
}

static int
take_literal(Reader *r, const char *s, size_t n, void *list)
{
	BaselineLiterals *x = list;
	BaselineLiteral v;
	const char *rest;
	int rc = read_typed(r, s, n, "TYPE:DIGEST", &v.type, &rest);

	if (!rc)
		rc = read_digest(r, rest, (size_t)(s + n - rest), &v.blob);
	if (!rc)
		vec_push(r->a, x, v);
	return rc;
}

static int
take_tensor(Reader *r, const char *s, size_t n, void *list)
{
	BaselineTensors *x = list;
	BaselineTensor v;
	const char *rest;
	int rc = read_typed(r, s, n, "TYPE:BYTES", &v.type, &rest);

	if (!rc)
		rc = read_integer(r, rest, (size_t)(s + n - rest), &v.bytes);
	if (!rc)
		vec_push(r->a, x, v);
	return rc;
}

#define LIST_READER(name, take)                                       \
	static int name(Reader *r, const char *s, size_t n, void *to) \
	{                                                             \
		return read_list(r, s, n, to, take);                  \
	}
LIST_READER(read_words, take_word)
LIST_READER(read_integers, take_integer)
LIST_READER(read_numbers, take_number)
LIST_READER(read_literals, take_literal)
LIST_READER(read_tensors, take_tensor)

/* The lines behind this one that begin with two tabs. */
static int
read_lines(Reader *r, const char *s, size_t n, void *to)
{
	Str text = {0};
	int rc = n ? fail(r, s, n, "the end of the line") : OK;
	const char *at = r->p + line_length(r);

	while (!rc && !strncmp(at, "\n\t\t", 3)) {
		size_t k = strcspn(at + 3, "\n");

		r->p = at + 3;
		r->line++;
		if (text.n + k >= BASELINE_SCHED_MAX)
			rc = fail(r, at + 3, k, "the end: that is too long");
		for (size_t i = 0; i < k && !rc; i++)
			if ((unsigned char)at[3 + i] < ' ')
				rc = fail(r, at + 3, k, "no control characters");
		str_addn(&text, at + 3, k);
		str_add(&text, "\n");
		at += 3 + k;
	}
	if (!rc && !text.n)
		rc = fail(r, "", 0, "lines that begin with two tabs");
	*(const char **)to = arena_strdup(r->a, str_get(&text));
	str_fini(&text);
	return rc;
}

static int (*const readers[])(Reader *r, const char *s, size_t n, void *to) = {
#define X(name, type, text) read_##name,
	FIELD_KIND_LIST(X)
#undef X
};

/* --- lines --- */

/* The rest of a line behind BEFORE and NAME, which must be there; a value has one blank before it.
 */
static int
expect(Reader *r, const char *before, const char *name, const char **value, size_t *n)
{
	size_t skip = strlen(before), k = strlen(name), length = line_length(r);
	const char *s = r->p;

	r->field = name;
	if (length < skip + k || strncmp(s, before, skip) != 0 || strncmp(s + skip, name, k) != 0 ||
	    (length > skip + k && s[skip + k] != ' '))
		return fail(r, s, length, "this field here");
	*value = s + skip + k;
	*n = length - skip - k;
	if (*n) {
		(*value)++;
		(*n)--;
	}
	return OK;
}

static int
read_fields(Reader *r, const Field *f, const char *before, void *to)
{
	const char *value;
	size_t n;
	int rc = OK;

	for (; f->name && !rc; f++) {
		rc = expect(r, before, f->name, &value, &n);
		if (!rc)
			rc = readers[f->kind](r, value, n, (char *)to + f->offset);
		next_line(r);
	}
	return rc;
}

/* The line a section begins with; title: where its text goes, NULL: it has none. */
static int
read_head(Reader *r, const char *name, const char **title)
{
	const char *value;
	size_t n;
	int rc = expect(r, "", name, &value, &n);

	if (!rc && title)
		rc = read_text(r, value, n, title);
	else if (!rc && n)
		rc = fail(r, value, n, "the end of the line");
	next_line(r);
	return rc;
}

static int
read_format(Reader *r)
{
	int64_t format;
	const char *value;
	size_t n;
	int rc = expect(r, "", "baseline", &value, &n);

	if (!rc)
		rc = read_integer(r, value, n, &format);
	if (!rc && format != BASELINE_FORMAT)
		rc = fail(r, value, n, "1: the format that this program knows");
	next_line(r);
	return rc;
}

static int
check_kernel(Reader *r, const Baseline *b, const BaselineKernel *k)
{
	const BaselineKernel *before = b->kernel.n ? &b->kernel.v[b->kernel.n - 1] : NULL;

	r->line = k->line;
	r->field = "kernel";
	if (before && baseline_order(before, k) >= 0)
		return fail(r, k->name, strlen(k->name),
			    "kernels in the order of task and form, each once");
	if (!k->call.phase.n)
		return fail(r, k->name, strlen(k->name), "a phase at least");
	if (b->kernel.n == BASELINE_KERNELS_MAX)
		return fail(r, k->name, strlen(k->name), "the end: that are too many");
	return OK;
}

static int
read_kernels(Reader *r, Baseline *b)
{
	while (*r->p) {
		BaselineKernel k = {.line = r->line};
		int rc = read_head(r, "kernel", &k.name), line;

		if (!rc)
			rc = read_fields(r, kernel_fields, "\t", &k);
		line = r->line;
		if (!rc)
			rc = check_kernel(r, b, &k);
		if (rc)
			return rc;
		r->line = line;
		vec_push(r->a, &b->kernel, k);
	}
	return OK;
}

int
baseline_parse(const char *file, const char *text, Arena *a, Baseline *out, Err *e)
{
	Reader r = {.file = file, .p = text, .line = 1, .a = a, .e = e};
	int rc;

	*out = (Baseline){0};
	if ((rc = read_format(&r)) || (rc = read_fields(&r, baseline_fields, "", out)) ||
	    (rc = read_head(&r, "board", NULL)) ||
	    (rc = read_fields(&r, board_fields, "\t", &out->board)))
		return rc;
	out->model.line = r.line;
	if ((rc = read_head(&r, "model", &out->model.name)) ||
	    (rc = read_fields(&r, model_fields, "\t", &out->model)))
		return rc;
	return read_kernels(&r, out);
}
