/* What the caller learns: events while the search runs, decided Tasks, and sums over the model. */
#include <string.h>

#include "tuner/verdict.h"

enum { LISTED_MAX = 12 }; /* labels in an error */

const char *
task_state_text(TaskState s)
{
	static const char *const text[] = {
#define X(name, state_text) state_text,
		TASK_STATE_LIST(X)
#undef X
	};

	return text[s];
}

void
tuner_event(Tuner *t, TuneEventKind kind, const Work *w, const char *text)
{
	TuneEvent ev = {.kind = kind, .report = t->report, .task = -1, .text = text};

	if (w)
		ev.task = (int)(w->row - t->report->task);
	if (t->opt->event)
		t->opt->event(t->opt->self, &ev);
}

void
tuner_dump(Tuner *t, TuneDump what, const char *text)
{
	if (t->opt->dump >> what & 1)
		tuner_event(t, TUNE_DUMPED, NULL, text);
}

void
tuner_state(Tuner *t, Work *w, TaskState state)
{
	if (w->row->state == state)
		return;
	w->row->state = state;
	tuner_event(t, TUNE_TASK, w, NULL);
}

void
tuner_fail(Tuner *t, Work *w, const char *why)
{
	w->row->why = arena_strdup(t->report->arena, why);
	work_close(w);
	tuner_state(t, w, TASK_FAILED);
}

static RaceEntry
copy_entry(Arena *a, const RaceEntry *x)
{
	return (RaceEntry){arena_copy(a, x->sample, (size_t)x->n * sizeof *x->sample), x->n};
}

/* Percentages are of what the threads' processors could do at that time. */
static void
take_peak(const Tuner *t, Work *w, double gflops)
{
	w->row->peak_gflops = gflops * t->threads;
	if (gflops > 0)
		w->row->floor_ns = space_floor_at(&w->space, gflops);
}

/* There was no race: the fastest that was measured. */
static void
accept(Tuner *t, Work *w)
{
	const Trial *untuned = &w->trial.v[w->untuned], *best = NULL;
	Arena *a = t->report->arena;

	for (int i = 0; i < w->trial.n; i++) {
		const Trial *x = &w->trial.v[i];

		if (x->known && x->status == STATUS_OK && (!best || x->best_ns < best->best_ns))
			best = x;
	}
	w->row->algorithm = arena_strdup(a, best->algorithm);
	w->row->sched = arena_strdup(a, best->text);
	w->row->after_ns = best->best_ns;
	w->row->before_ns = untuned->known && untuned->status == STATUS_OK ? untuned->best_ns : 0;
	take_peak(t, w, best->peak);
	work_close(w);
	tuner_state(t, w, w->fresh ? TASK_DONE : TASK_OLD);
}

static void
take_winner(Tuner *t, Work *w)
{
	const char *untuned = w->trial.v[w->untuned].text;
	Arena *a = t->report->arena;
	TuneTask *row = w->row;
	int winner = w->winner;
	const Racer *best = &w->racer.v[winner < 0 ? 0 : winner];

	if (winner >= 0) {
		row->algorithm = arena_strdup(a, best->algorithm);
		row->sched = arena_strdup(a, best->text);
		row->after_ns = median_of(best->entry.sample, best->entry.n);
		take_peak(t, w, best->peak);
	}
	for (int i = 0; i < w->racer.n && winner >= 0; i++) {
		const Racer *r = &w->racer.v[i];

		if (strcmp(r->text, untuned) || !r->entry.n)
			continue;
		row->before_ns = median_of(r->entry.sample, r->entry.n);
		row->ratio = race_ratio(&best->entry, &r->entry);
		vec_push(t->arena, &t->pair,
			 ((TunerPair){{copy_entry(t->arena, &best->entry),
				       copy_entry(t->arena, &r->entry), row->uses},
				      row}));
	}
	if (winner < 0)
		row->why = "no finalist ran right in the race";
	work_close(w);
	tuner_state(t, w, winner < 0 ? TASK_FAILED : w->fresh ? TASK_DONE : TASK_OLD);
}

void
tuner_decide(Tuner *t, Work *w)
{
	if (w->racer.n)
		take_winner(t, w);
	else
		accept(t, w);
}

int
tuner_conclude(Tuner *t, Work *w, Err *e)
{
	int rc = w->racer.n && w->winner < 0 ? OK : verdict_put(t, w, e);

	if (!rc)
		tuner_decide(t, w);
	return rc;
}

void
tuner_missing(Tuner *t, Work *w)
{
	t->missing++;
	tuner_fail(t, w, "not decided by the log");
}

int
tuner_missed(Tuner *t, Err *e)
{
	int listed = 0;
	Str s = {0};
	int rc;

	if (!t->missing)
		return OK;
	for (int i = 0; i < t->nwork; i++) {
		const TuneTask *x = t->work[i].row;

		if (x->state == TASK_FAILED && listed++ < LISTED_MAX)
			str_printf(&s, "%s%s", listed > 1 ? ", " : "", x->label);
	}
	rc = err_set(e, ERR_CHECK, "%d of %d tasks are not decided by %s: %s%s", t->missing,
		     t->nwork, t->opt->log, str_get(&s), t->missing > LISTED_MAX ? ", ..." : "");
	str_fini(&s);
	return rc;
}

/* Of Tasks that the Plan uses. */
static RaceRatio
model_ratio(Tuner *t)
{
	RacePair *v = ARENA_ARRAY(t->arena, RacePair, t->pair.n + 1);
	int n = 0;

	for (int i = 0; i < t->pair.n; i++) {
		if (!t->pair.v[i].row->uses)
			continue;
		v[n] = t->pair.v[i].pair;
		v[n++].uses = t->pair.v[i].row->uses;
	}
	return race_model(v, n);
}

void
tuner_sums(Tuner *t)
{
	TuneReport *r = t->report;

	for (int i = 0; i < r->ntask; i++) {
		const TuneTask *x = &r->task[i];

		if (x->before_ns > 0 && x->after_ns > 0) {
			r->before_ns += x->uses * x->before_ns;
			r->after_ns += x->uses * x->after_ns;
			r->decided++;
		}
	}
	r->ratio = model_ratio(t);
}
