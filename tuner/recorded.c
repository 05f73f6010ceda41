/* Recorded rows as text: a head line, name, device and Target, Task and Form as they print, then a
 * line per row. Line ends within a Sched stand as "; ". */
#include "tuner/recorded.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/lex.h"

#define HEAD "hone rows 1\n"

_Static_assert(sizeof HEAD - 1 == RECORDED_BEGIN, "as promised");

enum { ROWS_MAX = 1 << 20 };

/* The text, cut up in a copy. */
typedef struct Reader {
	char *all, *next;
	Arena *arena;
	Recorded *out;
	Err *e;
} Reader;

static int
refuse(const Reader *r, const char *at, const char *what)
{
	int line = 1;

	/* what was cut ends in NUL */
	for (const char *p = r->all; p < at; p++)
		line += *p == '\n' || !*p;
	return err_set(r->e, ERR_INPUT, "rows: line %d: %s", line, what);
}

/* --- looking up --- */

static int *
slot_of(const Recorded *r, const char *sched)
{
	size_t mask = (size_t)r->nslot - 1, i = hash64(sched, strlen(sched), 0) & mask;

	while (r->slot[i] && strcmp(r->row.v[r->slot[i] - 1].sched, sched) != 0)
		i = (i + 1) & mask;
	return &r->slot[i];
}

const RecordedRow *
recorded_find(const Recorded *r, const char *sched)
{
	int at = r->nslot ? *slot_of(r, sched) : 0;

	return at ? &r->row.v[at - 1] : NULL;
}

bool
recorded_add(Recorded *r, Arena *a, RecordedRow row)
{
	if (recorded_find(r, row.sched))
		return false;
	if (2 * (r->row.n + 1) > r->nslot) {
		r->nslot = r->nslot ? 2 * r->nslot : 64;
		r->slot = ARENA_ARRAY(a, int, r->nslot);
		for (int i = 0; i < r->row.n; i++)
			*slot_of(r, r->row.v[i].sched) = i + 1;
	}
	vec_push(a, &r->row, row);
	*slot_of(r, row.sched) = r->row.n;
	return true;
}

/* --- text to rows --- */

/* A number at the front of *at, which moves behind the blank that follows it. */
static bool
number(char **at, double *out)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*out = strtod(*at, &end);
	if (!isfinite(*out) || *end != ' ')
		return false;
	*at = end + 1;
	return true;
}

/* The text of a Sched from its one line; NULL when that is none. */
static const char *
unfold(Arena *a, const char *line)
{
	char *text = ARENA_ARRAY(a, char, strlen(line) + 2), *to = text;

	for (; *line; line++) {
		if (*line == ';' && line[1] != ' ')
			return NULL;
		*to++ = *line == ';' ? '\n' : *line;
		line += *line == ';';
	}
	*to = '\n';
	return to == text ? NULL : text;
}

static int
read_row(Reader *r, char *line)
{
	char *at = line + strcspn(line, " "), name[LEX_NAME_MAX];
	RecordedRow row = {0};

	snprintf(name, sizeof name, "%.*s", (int)(at - line), line);
	at += *at == ' ';
	if (!status_named(name, &row.status))
		return refuse(r, line, "unknown status");
	if (!number(&at, &row.us) || !number(&at, &row.compile_ms) || !number(&at, &row.measure_ms))
		return refuse(r, line, "expected a row: STATUS US COMPILE_MS MEASURE_MS SCHED");
	if ((row.status == STATUS_OK) != (row.us > 0))
		return refuse(r, line, "a time belongs to status OK, and to no other");
	if (!(row.sched = unfold(r->arena, at)))
		return refuse(r, line, "no schedule");
	if (r->out->row.n == ROWS_MAX)
		return refuse(r, line, "too many rows");
	if (!recorded_add(r->out, r->arena, row))
		return refuse(r, line, "a second row for its schedule");
	return OK;
}

static int
read_rows(Reader *r)
{
	while (*r->next) {
		char *line = r->next, *end = strchr(line, '\n');
		int rc;

		if (!end)
			return refuse(r, line, "the line has no end");
		*end = 0;
		r->next = end + 1;
		if ((rc = read_row(r, line)))
			return rc;
	}
	return OK;
}

/* Cuts off what is before the next line that begins with word. NULL: there is none. */
static char *
cut_before(Reader *r, const char *word)
{
	char *from = r->next, *end = from;
	size_t n = strlen(word);

	while ((end = strchr(end, '\n')) && strncmp(end + 1, word, n) != 0)
		end++;
	if (!end)
		return NULL;
	*end = 0;
	r->next = end + 1;
	return from;
}

/* "WORD value": value. NULL when the line begins with another word. */
static const char *
value_of(Reader *r, const char *word, const char *next)
{
	const char *line = r->next;
	size_t n = strlen(word);

	if (strncmp(line, word, n) != 0 || !cut_before(r, next) || strchr(line, '\n'))
		return NULL;
	return line + n;
}

/* Texts of the other nouns end with a line end, which the cut took. */
static const char *
whole(Reader *r, const char *text)
{
	return arena_printf(r->arena, "%s\n", text);
}

bool
recorded_begins(const char *text)
{
	return !strncmp(text, HEAD, RECORDED_BEGIN);
}

static int
read_head(Reader *r)
{
	Recorded *out = r->out;
	const char *at, *target, *task, *form;
	int rc;

	if (!recorded_begins(r->next))
		return refuse(r, r->next, "expected 'hone rows 1'");
	r->next += strlen(HEAD);
	at = r->next;
	if (!(out->name = value_of(r, "name ", "device ")))
		return refuse(r, at, "expected 'name TEXT', then 'device'");
	at = r->next;
	if (!(out->device = value_of(r, "device ", "target ")))
		return refuse(r, at, "expected 'device TEXT', then 'target'");
	at = r->next;
	if (!(target = cut_before(r, "task\n")) || !(task = cut_before(r, "form\n")) ||
	    !(form = cut_before(r, "rows\n")))
		return refuse(r, at, "expected a Target, 'task', 'form' and 'rows'");
	r->next += strlen("rows\n");
	if ((rc = target_parse(whole(r, target), &out->target, r->e)) ||
	    (rc = task_parse(whole(r, task), r->arena, &out->task, r->e)))
		return rc;
	return task_form_parse(whole(r, form), out->task, r->arena, &out->form, r->e);
}

int
recorded_parse(const char *text, Arena *a, Recorded *out, Err *e)
{
	Reader r = {.arena = a, .out = out, .e = e};
	int rc;

	*out = (Recorded){0};
	r.all = r.next = arena_strdup(a, text);
	rc = read_head(&r);
	return rc ? rc : read_rows(&r);
}

/* --- rows to text --- */

static void
print_row(const RecordedRow *row, Str *out)
{
	const double figure[] = {row->us, row->compile_ms, row->measure_ms};

	str_add(out, status_name(row->status));
	for (int i = 0; i < 3; i++) {
		str_add(out, " ");
		str_double(out, figure[i]);
	}
	str_add(out, " ");
	for (const char *p = row->sched; *p; p++)
		if (*p != '\n')
			str_addn(out, p, 1);
		else
			str_add(out, p[1] ? "; " : "\n");
}

void
recorded_print(const Recorded *r, Str *out)
{
	str_printf(out, HEAD "name %s\ndevice %s\n", r->name, r->device);
	target_print(&r->target, out);
	task_print(r->task, out);
	task_form_print(r->task, &r->form, out);
	str_add(out, "rows\n");
	for (int i = 0; i < r->row.n; i++)
		print_row(&r->row.v[i], out);
}
