/* From rows of a log to sources of first proposals. The Tasks of the log are sorted by kind once,
 * when the first search asks for shapes. */
#include "tuner/warm_log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "db/fastest.h"
#include "tuner/log_space.h"

/* Of one kind the nearest so many Tasks are looked at for rows. */
enum { SHAPES_LOOKED_AT = 12 };

/* Of the same Task the nearest so many sources may teach: it takes their Spaces. */
enum { SPACES_MOST = 2 };

/* A key column that differs, in the order of LOG_KEY_LIST, counts less than the one before. */
static const double COLUMN_FADES = .5;

typedef struct Shape {
	const char *digest;
	Kind kind;
} Shape;

struct WarmLog {
	Arena *arena;
	Log *log;
	const char *session;
	bool read;
	VEC(Shape) shape; /* by kind */
};

WarmLog *
warm_log_new(Arena *a, Log *log, const char *session)
{
	WarmLog *k = ARENA_NEW(a, WarmLog);

	*k = (WarmLog){.arena = a, .log = log, .session = session};
	return k;
}

/* --- how far keys are apart --- */

static double
keys_apart(const LogKey *a, const LogKey *b)
{
	double sum = 0, weight = 1;

#define X(name, text)                                 \
	sum += strcmp(a->name, b->name) ? weight : 0; \
	weight *= COLUMN_FADES;
	LOG_KEY_LIST(X)
#undef X
	return sum;
}

static WarmFrom
from_of(const LogKey *own, const LogKey *other)
{
	if (strcmp(own->target, other->target) != 0)
		return WARM_TARGET;
	return strcmp(own->form, other->form) ? WARM_FORM : WARM_DEVICE;
}

static WarmSource
source_of(const LogFastest *f, Arena *a, WarmFrom from, double apart)
{
	WarmRow *row = ARENA_ARRAY(a, WarmRow, f->n + 1);
	WarmSource s = {.from = from, .apart = apart, .row = row};
	Err ignored = {0};
	Target t;

	for (int i = 0; i < f->n; i++)
		row[s.n++] = (WarmRow){f->row[i].sched, f->row[i].best_ns};
	if (!target_of_key(f->key.target, &t, &ignored))
		s.target = (NearFrom){target_lanes(&t), (int)t.vector_regs};
	return s;
}

/* --- the same Task --- */

/* Gives a source the Space of its rows, where that can be told. */
static int
add_space(WarmLog *k, Arena *a, const LogKey *key, WarmSource *s, Err *e)
{
	Space *space = ARENA_NEW(a, Space);
	Err ignored = {0};
	Target t;
	int rc;

	if (target_of_key(key->target, &t, &ignored))
		return OK;
	rc = log_space(k->log, a, key, &t, space, e);
	s->space = rc ? NULL : space;
	return rc < 0 ? rc : OK;
}

static int
read_same(WarmLog *k, Arena *a, const LogKey *own, Warm *out, Err *e)
{
	LogFastest *found;
	int n, rc = log_fastest(k->log, a, own->task, k->session, own->device, WARM_ROWS, &found,
				&n, e);
	VEC(const LogKey *) key = {0};

	for (int i = 0; i < n && !rc; i++) {
		double apart = keys_apart(own, &found[i].key);
		WarmSource s = source_of(&found[i], a, from_of(own, &found[i].key), apart);

		if (!(apart > 0))
			continue;
		s.number = key.n;
		vec_push(a, &key, &found[i].key);
		warm_add(out, a, &s);
	}
	for (int i = 0, spaces = 0; i < out->source.n && spaces < SPACES_MOST && !rc; i++) {
		WarmSource *s = &out->source.v[i];

		if (s->n < WARM_TEACHES)
			continue;
		rc = add_space(k, a, key.v[s->number], s, e);
		spaces++;
	}
	return rc;
}

/* --- others of its kind --- */

static int
by_kind(const void *a, const void *b)
{
	const Shape *x = a, *y = b;

	return strcmp(x->kind.text, y->kind.text);
}

static int
read_shapes(WarmLog *k, Err *e)
{
	Arena *work = arena_new();
	LogText *text;
	int n, rc = log_texts(k->log, work, "task", &text, &n, e);

	for (int i = 0; i < n && !rc; i++)
		vec_push(k->arena, &k->shape,
			 ((Shape){arena_strdup(k->arena, text[i].digest),
				  kind_of(text[i].text, k->arena)}));
	if (k->shape.n)
		qsort(k->shape.v, (size_t)k->shape.n, sizeof *k->shape.v, by_kind);
	k->read = !rc;
	arena_free(work);
	return rc;
}

typedef struct Near {
	const char *digest;
	double apart;
} Near;

static int
nearest_first(const void *a, const void *b)
{
	const Near *x = a, *y = b;

	if (x->apart != y->apart)
		return x->apart < y->apart ? -1 : 1;
	return strcmp(x->digest, y->digest);
}

/* The key of that Task that is most like `own`. */
static int
read_near(WarmLog *k, Arena *a, const LogKey *own, const Near *near, Warm *out, Err *e)
{
	const LogFastest *best = NULL;
	double least = INFINITY;
	LogFastest *found;
	int n, rc = log_fastest(k->log, a, near->digest, k->session, own->device, WARM_ROWS, &found,
				&n, e);

	for (int i = 0; i < n && !rc; i++) {
		LogKey alike = found[i].key;
		double d;

		alike.task = own->task;
		alike.form = own->form; /* of another Task: says nothing */
		d = keys_apart(own, &alike);
		if (d < least) {
			least = d;
			best = &found[i];
		}
	}
	if (best) {
		WarmSource s = source_of(best, a, WARM_SHAPE, near->apart + least);

		warm_add(out, a, &s);
	}
	return rc;
}

static int
read_others(WarmLog *k, Arena *a, const LogKey *own, const char *task, Warm *out, Err *e)
{
	Shape like = {.kind = kind_of(task, a)};
	const Shape *at, *end = k->shape.v + k->shape.n;
	VEC(Near) near = {0};
	int rc = OK;

	at = k->shape.n ? bsearch(&like, k->shape.v, (size_t)k->shape.n, sizeof like, by_kind)
			: NULL;
	if (!at)
		return OK;
	while (at > k->shape.v && !by_kind(at - 1, &like))
		at--;
	for (; at < end && !by_kind(at, &like); at++)
		if (strcmp(at->digest, own->task) != 0)
			vec_push(a, &near, ((Near){at->digest, kind_apart(&at->kind, &like.kind)}));
	if (near.n)
		qsort(near.v, (size_t)near.n, sizeof *near.v, nearest_first);
	for (int i = 0; i < near.n && i < SHAPES_LOOKED_AT && !rc; i++)
		rc = read_near(k, a, own, &near.v[i], out, e);
	return rc;
}

int
warm_log_read(WarmLog *k, Arena *a, const LogKey *key, const char *task, Warm *out, Err *e)
{
	int rc = read_same(k, a, key, out, e);

	if (!rc && !k->read)
		rc = read_shapes(k, e);
	return rc ? rc : read_others(k, a, key, task, out, e);
}

/* --- what a search began with --- */

/* "from STAGE" and the lines of the Sched, for each. */
int
warm_keep(Log *log, const char *name, const Space *s, const Proposal *p, int n, Err *e)
{
	Arena *work = arena_new();
	Str text = {0};
	int rc;

	for (int i = 0; i < n; i++)
		str_printf(&text, "from %s\n%s", p[i].stage, space_text(s, work, &p[i].pick));
	rc = log_put_text(log, LOG_TEXT_WARM, name, str_get(&text), e);
	str_fini(&text);
	arena_free(work);
	return rc;
}

static const char *
stage_named(const char *line, size_t n)
{
	for (int i = 0; i < WARM_COUNT; i++) {
		const char *stage = warm_stage((WarmFrom)i);

		if (strlen(stage) == n && !strncmp(stage, line, n))
			return stage;
	}
	return NULL;
}

int
warm_recall(Log *log, Arena *a, const char *name, const Space *s, Proposal out[WARM_MOST], int *n,
	    Err *e)
{
	const char *text, *at;
	int rc = log_get_text(log, a, LOG_TEXT_WARM, name, &text, e);

	*n = 0;
	for (at = rc ? NULL : text; at && !strncmp(at, "from ", 5) && *n < WARM_MOST;) {
		const char *line = at + 5, *end = strstr(line, "\nfrom "),
			   *sched = strchr(line, '\n');
		Proposal p = {.stage = stage_named(line, strcspn(line, "\n"))};

		at = end ? end + 1 : NULL;
		if (!sched || !p.stage)
			continue;
		sched = end ? arena_printf(a, "%.*s", (int)(end - sched), sched + 1) : sched + 1;
		if (!space_find(s, sched, &p.pick))
			out[(*n)++] = p;
	}
	return rc;
}
