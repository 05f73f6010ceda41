/* A search over recorded rows. */
#include "tuner/replay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tuner/work.h"

enum { FIRST_TRIES = 2048 };

typedef struct Run {
	Arena *arena;
	const Recorded *rows;
	const RecordedSpace *space;
	bool *seen; /* by row: it was charged */
	double best_us;
	Replay *out;
} Run;

static const RecordedRow *
row_of(const Run *r, const Pick *p)
{
	Arena *a = arena_new();
	const RecordedRow *row = recorded_find(r->rows, space_text(&r->space->space, a, p));

	arena_free(a);
	return row;
}

/* Puts a candidate on the clock; two picks may have the same text, and that is compiled once. */
static void
charge(Run *r, const RecordedRow *row)
{
	bool *seen = &r->seen[row - r->rows->row.v];

	if (*seen)
		return;
	*seen = true;
	r->out->compile_s += row->compile_ms * 1e-3;
	if (!work_counts(row->status)) {
		r->out->infeasible++;
		return;
	}
	r->out->measure_s += row->measure_ms * 1e-3;
	if (row->status == STATUS_OK)
		r->best_us = fmin(r->best_us, row->us);
	vec_push(r->arena, &r->out->trial,
		 ((ReplayTrial){r->space->best_us / r->best_us,
				r->out->compile_s + r->out->measure_s}));
}

/* Of the cheapest picks the first that lowers. */
static void
try_untuned(Run *r)
{
	Arena *a = arena_new();
	Pick *top = ARENA_ARRAY(a, Pick, FIRST_TRIES);
	int n = space_top(&r->space->space, FIRST_TRIES, top);

	for (int i = 0; i < n && !r->out->trial.n; i++) {
		const RecordedRow *row = row_of(r, &top[i]);

		if (row && work_counts(row->status))
			charge(r, row);
	}
	arena_free(a);
}

void
replay_run(Arena *a, const Recorded *rows, const RecordedSpace *s, const Search *how,
	   const SearchOptions *opt, Replay *out)
{
	Run r = {.arena = a, .rows = rows, .space = s, .best_us = INFINITY, .out = out};
	void *state = how->start(a, &s->space, opt);
	Proposal p[ROUND_MAX];
	int n;

	*out = (Replay){0};
	r.seen = ARENA_ARRAY(a, bool, rows->row.n + 1);
	try_untuned(&r);
	while ((n = work_round(opt->trials, out->proposed, out->trial.n)) > 0 &&
	       (n = how->propose(state, n, p)) > 0) {
		out->proposed += n;
		for (int i = 0; i < n; i++) {
			const RecordedRow *row = row_of(&r, &p[i].pick);

			if (!row) {
				out->unrecorded++;
				continue;
			}
			charge(&r, row);
			how->report(state, &p[i].pick,
				    row->status == STATUS_OK ? row->us * 1e3 : INFINITY);
		}
	}
}

/* --- what is known elsewhere --- */

static const char *
text_of(Arena *a, void (*print)(const Recorded *, Str *), const Recorded *r)
{
	Str s = {0};
	const char *text;

	print(r, &s);
	text = arena_strdup(a, str_get(&s));
	str_fini(&s);
	return text;
}

static void
print_task(const Recorded *r, Str *out)
{
	task_print(r->task, out);
}

static void
print_form(const Recorded *r, Str *out)
{
	task_form_print(r->task, &r->form, out);
}

static void
print_target(const Recorded *r, Str *out)
{
	target_key(&r->target, out);
}

static int
fastest_first(const void *a, const void *b)
{
	const WarmRow *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return strcmp(x->sched, y->sched);
}

static void
take_fastest(Arena *a, const Recorded *r, WarmSource *s)
{
	WarmRow *row = ARENA_ARRAY(a, WarmRow, r->row.n + 1);

	for (int i = 0; i < r->row.n; i++)
		if (r->row.v[i].status == STATUS_OK)
			row[s->n++] = (WarmRow){r->row.v[i].sched, r->row.v[i].us * 1e3};
	qsort(row, (size_t)s->n, sizeof *row, fastest_first);
	s->n = s->n < WARM_ROWS ? s->n : WARM_ROWS;
	s->row = row;
}

void
replay_warm(Arena *a, const Recorded *own, const Recorded *other, const Space *space, Warm *out)
{
	const char *task = text_of(a, print_task, own), *other_task = text_of(a, print_task, other);
	WarmSource s = {.from = WARM_TARGET,
			.target = {target_lanes(&other->target), (int)other->target.vector_regs}};
	bool same_target = !strcmp(text_of(a, print_target, own), text_of(a, print_target, other));
	bool same_form = !strcmp(text_of(a, print_form, own), text_of(a, print_form, other));

	if (strcmp(task, other_task) != 0) {
		Kind x = kind_of(task, a), y = kind_of(other_task, a);

		s.from = WARM_SHAPE;
		s.apart = kind_apart(&x, &y) + !same_target;
		if (isinf(s.apart))
			return;
	} else if (same_target) {
		s.from = WARM_FORM;
		if (same_form)
			return;
	}
	if (s.from != WARM_SHAPE)
		s.space = space;
	take_fastest(a, other, &s);
	if (s.n)
		warm_add(out, a, &s);
}

double
replay_share(const Replay *r, int trials)
{
	int n = trials < r->trial.n ? trials : r->trial.n;

	return n > 0 ? r->trial.v[n - 1].share : 0;
}

int
replay_trials(const Replay *r, double share)
{
	for (int i = 0; i < r->trial.n; i++)
		if (r->trial.v[i].share >= share)
			return i + 1;
	return 0;
}
