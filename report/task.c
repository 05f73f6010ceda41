/* Rows of one Task -> its curve, untuned and best; and its roofline.
 *
 * Curves are of the search: the least sample of each candidate. A race measures its few again, side
 * by side, so its times are compared with each other only; where there was one, it gives before,
 * after and their ratio. */
#include <math.h>
#include <string.h>

#include "report/parts.h"
#include "search_space/bytes.h"
#include "search_space/rewrite.h"
#include "tuner/work.h"

static const double L1_BYTES = 32768;

/* Oldest first, so the last one is of the newest race. */
static const LogRow *
newest_race(const ReportTask *t)
{
	for (int i = t->nrow - 1; i >= 0; i--)
		if (t->row[i]->race && row_is(t->row[i], STATUS_OK))
			return t->row[i];
	return NULL;
}

/* Of a race: its row that is compared with itself. */
static const LogRow *
raced_untuned(const ReportTask *t, const LogRow *race)
{
	RaceRatio q;

	for (int i = 0; i < t->nrow && race; i++) {
		const LogRow *r = t->row[i];

		if (log_same_race(r, race) && row_is(r, STATUS_OK) && race_read(r->reason, &q) &&
		    q.ratio == 1 && q.lo == 1 && q.hi == 1)
			return r;
	}
	return NULL;
}

/* Of the search: what the race took for untuned, else what was proposed as that last. Another
 * version may choose otherwise. */
static const LogRow *
untuned_row(const ReportTask *t, const LogRow *raced)
{
	for (int i = t->nrow - 1; i >= 0; i--)
		if (!t->row[i]->race && row_is(t->row[i], STATUS_OK) &&
		    (raced ? !strcmp(t->row[i]->sched, raced->sched)
			   : !strcmp(t->row[i]->stage, STAGE_UNTUNED)))
			return t->row[i];
	return NULL;
}

/* What compile would take: the winner of the newest race, else the fastest. */
static const LogRow *
best_row(const ReportTask *t, const LogRow *race)
{
	const LogRow *best = NULL;

	for (int i = 0; i < t->nrow; i++) {
		const LogRow *r = t->row[i];
		bool winner = race && !strcmp(r->stage, LOG_STAGE_WINNER);

		if (!row_is(r, STATUS_OK) || (race && !log_same_race(r, race)))
			continue;
		if (winner)
			return r;
		if (!best || (race ? r->median_ns < best->median_ns : r->best_ns < best->best_ns))
			best = r;
	}
	return best;
}

static void
trace(ReportTask *t, const ReportRuns *runs, const LogRow *untuned, Arena *a)
{
	double best = INFINITY;

	for (int i = 0; i < t->nrow; i++) {
		const LogRow *r = t->row[i];
		ReportPoint p = {t->measured + 1, report_seconds(runs, r), r->best_ns};

		if (!row_was_measured(r))
			continue;
		t->measured++;
		t->last = (ReportPoint){p.trials, p.seconds, t->last.ns};
		if (!row_is(r, STATUS_OK))
			continue;
		t->ok++;
		if (r == untuned)
			t->first = p;
		if (t->best_row && !t->found.ns && !strcmp(r->sched, t->best_row->sched))
			t->found = p;
		if (r->best_ns < best) {
			vec_push(a, &t->curve, p);
			best = t->last.ns = r->best_ns;
		}
	}
}

void
report_task(ReportTask *t, const ReportRuns *runs, Arena *a)
{
	const LogRow *race = newest_race(t), *raced = raced_untuned(t, race);
	const LogRow *untuned = untuned_row(t, raced);

	t->best_row = best_row(t, race);
	trace(t, runs, untuned, a);
	t->untuned_ns = raced ? raced->median_ns : !race && untuned ? untuned->best_ns : 0;
	if (!t->best_row)
		return;
	t->algorithm = t->best_row->algorithm;
	t->sched = t->best_row->sched;
	t->best_ns = race ? t->best_row->median_ns : t->best_row->best_ns;
	race_read(t->best_row->reason, &t->ratio);
}

/* --- what it is --- */

/* Of all algorithms that the tolerance allows, in products of floats. */
static double
least_flops(const Task *t, const ReportTask *of, const LogKey *key, Log *l, Arena *a)
{
	bool strict = !strcmp(key->tolerance, tolerance_name(TOLERANCE_STRICT));
	ToleranceClass class = strict ? TOLERANCE_STRICT : TOLERANCE_DEFAULT;
	TaskForm f = task_form_plain(a, t), form, kept;
	Target target = {0};
	const char *text;
	Err ignored = {0};
	double least;
	Task *to;

	if (target_of_key(key->target, &target, &ignored))
		target.byte_dot = 0;
	least = target_task_flops(&target, t);
	if (log_get_text(l, a, "form", of->form, &text, &ignored) == OK &&
	    task_form_parse(text, t, a, &kept, &ignored) == OK)
		f = kept;
	for (const Rewrite *const *r = rewrites(); *r; r++)
		if (rewrite_allowed(*r, class) && (*r)->apply(a, t, &f, &to, &form) == OK)
			least = fmin(least, target_task_flops(&target, to));
	return least;
}

void
report_roofline(ReportTask *t, const ReportSection *s, Log *l, Arena *a)
{
	Arena *tmp = arena_new();
	double peak = s->fma_gflops, gbs;
	const char *text;
	Err ignored = {0};
	Task *task;

	if (t->best_row &&
	    peak_of(t->best_row->calibration_before, t->best_row->calibration_after) > 0)
		peak = peak_of(t->best_row->calibration_before, t->best_row->calibration_after);
	t->peak_gflops = peak * s->threads;
	if (log_get_text(l, tmp, "task", t->task, &text, &ignored) == OK &&
	    task_parse(text, tmp, &task, &ignored) == OK) {
		if (!*t->label)
			t->label = task_axes(task, a);
		t->flops = task_flops(task);
		t->bytes = task_bytes(task);
		t->least_flops = least_flops(task, t, &s->key, l, tmp);
		gbs = (t->bytes <= L1_BYTES ? s->l1_gbs : s->l2_gbs) * s->threads;
		if (t->peak_gflops > 0)
			t->floor_ns = t->least_flops / t->peak_gflops;
		if (gbs > 0)
			t->floor_ns = fmax(t->floor_ns, t->bytes / gbs);
	}
	if (!*t->label)
		t->label = arena_printf(a, "task %.8s", t->task);
	arena_free(tmp);
}
