/* The Space that recorded rows are of: today's, less what no row has.
 *
 * A Sched's text is a head (rewrite, shared loops) and a line per stage. A variant is told by its
 * head and by which of its lines are inline; an option by its line. What rows have and what the
 * Space offers are compared as sets of such lines, so the product of a variant's stages is never
 * walked. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tuner/recorded.h"

/* Hashes of lines, sorted before they are asked for. */
typedef struct Lines {
	Arena *arena;
	VEC(uint64_t) hash;
} Lines;

static int
by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
sort(Lines *l)
{
	if (l->hash.n)
		qsort(l->hash.v, (size_t)l->hash.n, sizeof *l->hash.v, by_value);
}

static bool
has(const Lines *l, uint64_t hash)
{
	return l->hash.n &&
	       bsearch(&hash, l->hash.v, (size_t)l->hash.n, sizeof hash, by_value) != NULL;
}

static bool
is_stage(const char *line)
{
	return !strncmp(line, "nest", 4) || !strncmp(line, "inline", 6);
}

/* Number of bytes of the line with its end. */
static size_t
length(const char *line)
{
	size_t n = strcspn(line, "\n");

	return n + (line[n] == '\n');
}

/* Of the head, and of which stages are inline. */
static uint64_t
variant_hash(const char *text)
{
	uint64_t h = 0;

	for (; *text; text += length(text))
		h = hash64(text, is_stage(text) ? 1 : length(text), h);
	return h;
}

static uint64_t
line_hash(uint64_t variant, int stage, const char *line)
{
	return hash64(line, length(line), variant + (uint64_t)stage);
}

/* Every line of a Sched's text. */
static void
add_lines(Lines *l, const char *text)
{
	uint64_t variant = variant_hash(text);
	int stage = 0;

	for (; *text; text += length(text))
		if (is_stage(text))
			vec_push(l->arena, &l->hash, line_hash(variant, stage++, text));
}

static bool
has_lines(const Lines *l, const char *text)
{
	uint64_t variant = variant_hash(text);
	bool all = true;
	int stage = 0;

	for (; *text; text += length(text))
		if (is_stage(text))
			all &= has(l, line_hash(variant, stage++, text));
	return all && stage;
}

/* Leaves v the options whose lines are in l, and adds these to kept. False: a stage has none. */
static bool
prune(Arena *a, Variant *v, uint64_t variant, const Lines *l, Lines *kept)
{
	StageOptions *stage = ARENA_ARRAY(a, StageOptions, v->task->stage.n);
	Str line = {0};
	int number = 0;
	bool some = true;

	for (int s = 0; s < v->task->stage.n; s++) {
		if (stage_is_const(v->task, s)) {
			stage[s] = v->stage[s];
			continue;
		}
		for (int i = 0; i < v->stage[s].option.n; i++) {
			const Option *o = &v->stage[s].option.v[i];
			uint64_t hash;

			str_clear(&line);
			stage_sched_print(&o->sched, &v->task->stage.v[s], &line);
			hash = line_hash(variant, number, str_get(&line));
			if (!has(l, hash))
				continue;
			vec_push(a, &stage[s].option, *o);
			vec_push(kept->arena, &kept->hash, hash);
		}
		some &= stage[s].option.n > 0;
		number++;
	}
	str_fini(&line);
	v->stage = stage;
	return some;
}

static void
count(const Recorded *r, const Lines *offered, RecordedSpace *out)
{
	out->best_us = INFINITY;
	for (int i = 0; i < r->row.n; i++) {
		const RecordedRow *row = &r->row.v[i];

		if (!has_lines(offered, row->sched))
			continue;
		out->offered++;
		if (row->status != STATUS_OK)
			continue;
		out->ok++;
		out->best_us = fmin(out->best_us, row->us);
	}
}

int
recorded_space(Arena *a, const Recorded *r, RecordedSpace *out, Err *e)
{
	Lines recorded = {.arena = a}, offered = {.arena = a};
	Space *s = &out->space;
	int n = 0, rc;

	*out = (RecordedSpace){0};
	if ((rc = space_build(a, r->task, &r->form, &r->target, TOLERANCE_DEFAULT, s, e)))
		return rc;
	out->all = space_rows(s);
	for (int i = 0; i < r->row.n; i++)
		add_lines(&recorded, r->row.v[i].sched);
	sort(&recorded);
	for (int i = 0; i < s->variant.n; i++) {
		Variant v = s->variant.v[i];
		uint64_t hash = variant_hash(space_text(s, a, &(Pick){.variant = i}));

		if (prune(a, &v, hash, &recorded, &offered))
			s->variant.v[n++] = v;
	}
	s->variant.n = n;
	sort(&offered);
	count(r, &offered, out);
	if (!out->ok)
		return err_set(e, ERR_INPUT, "%s: no row of its Space ran", r->name);
	out->pruned = space_rows(s);
	return OK;
}
