/* Receiving: results into the log, into the Work they belong to, and to the strategy. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "tuner/doubt.h"
#include "tuner/tuner.h"

enum { WAIT_MS = 200, HALT_MS = 5000 };

static void
count_failure(TuneReport *r, Status status, const char *reason)
{
	for (int i = 0; i < r->failure.n; i++)
		if (r->failure.v[i].status == status &&
		    !strcmp(r->failure.v[i].reason, reason ? reason : "")) {
			r->failure.v[i].n++;
			return;
		}
	vec_push(r->arena, &r->failure,
		 ((TuneFailure){status, arena_strdup(r->arena, reason ? reason : ""), 1}));
}

static void
learn_item(Tuner *t, Work *w, const ParcelItem *x)
{
	Trial *r = &w->trial.v[work_find(w, x->text)];
	const Result *m = &x->result;
	TuneTask *row = w->row;

	r->known = true;
	r->status = (Status)m->status;
	r->code = arena_strdup(w->arena, x->code);
	r->algorithm = arena_strdup(w->arena, x->algorithm);
	if (r->status == STATUS_CANCELLED)
		return;
	if (*x->code && r->status != STATUS_BUILD) {
		w->used++;
		row->trials++;
		t->report->trials++;
		if (x->by)
			t->report->board[x->by - 1].trials++;
	}
	if (r->status != STATUS_OK) {
		count_failure(t->report, r->status, m->reason);
		return;
	}
	r->best_ns = INFINITY;
	r->peak = peak_of(m->calibration_before, m->calibration_after);
	for (uint32_t i = 0; i < m->samples.n; i++)
		r->best_ns = fmin(r->best_ns, m->samples.v[i]);
	if (row->best_ns == 0 || r->best_ns < row->best_ns)
		row->best_ns = r->best_ns;
}

/* The parcel's items become the newest race of w. */
static void
take_race(Work *w, const Parcel *p)
{
	w->racer.n = 0;
	for (int i = 0; i < p->n; i++) {
		const Result *m = &p->item[i].result;
		Racer r = {.text = arena_strdup(w->arena, p->item[i].text),
			   .algorithm = arena_strdup(w->arena, p->item[i].algorithm),
			   .peak = peak_of(m->calibration_before, m->calibration_after)};

		if (m->status == STATUS_OK)
			r.entry = (RaceEntry){
				arena_copy(w->arena, m->samples.v, m->samples.n * sizeof(double)),
				(int)m->samples.n};
		vec_push(w->arena, &w->racer, r);
	}
	work_judge(w);
}

/* A finalist was right before: that it fails now is worth telling. */
static void
count_race(Tuner *t, const Parcel *p)
{
	for (int i = 0; i < p->n; i++)
		if (p->item[i].result.status != STATUS_OK)
			count_failure(t->report, (Status)p->item[i].result.status,
				      p->item[i].result.reason);
}

/* Cancelled before it was over: nobody has won. */
static bool
was_cancelled(const Parcel *p)
{
	bool any = false;

	for (int i = 0; i < p->n; i++)
		any |= p->item[i].result.status == STATUS_CANCELLED;
	return any;
}

int
tuner_settle(Tuner *t, Parcel *p, Err *e)
{
	Work *w = p->owner;
	int rc = OK;

	w->in_flight = false;
	w->fresh = true;
	stats_parcel(t, p);
	if (!boards_facts(t->boards, 0)->emulated)
		doubt_peaks(w, p);
	if (w->row->state == TASK_RACING && was_cancelled(p)) {
		tuner_state(t, w, TASK_STOPPED);
	} else if (w->row->state == TASK_RACING && parcel_lost(p)) {
		tuner_fail(t, w, "the race was lost each time it was run");
	} else if (w->row->state == TASK_RACING) {
		take_race(w, p);
		count_race(t, p);
		rc = tuner_record(t, w, p, ++t->races, e);
		if (!rc)
			rc = tuner_conclude(t, w, e);
	} else {
		rc = tuner_record(t, w, p, 0, e);
		for (int i = 0; i < p->n; i++)
			learn_item(t, w, &p->item[i]);
		work_learn(w);
		turn_round_ended(t, w);
		tuner_event(t, TUNE_TRIALS, w, NULL);
	}
	parcel_free(p);
	return rc;
}

/* There is no parcel, or the agent does not take it: nothing was measured. What the file system or
 * the linker cannot do is no fault of the Work. */
static int
settle_refusal(Tuner *t, const BoardNews *news, Err *e)
{
	Work *w = news->owner;

	w->in_flight = false;
	parcel_free(news->parcel);
	if (news->code == ERR_IO || news->code == ERR_FULL)
		return err_set(e, news->code, "%s", news->text);
	if (!tuner_stopped(t)) /* Ctrl-C on a terminal ends the linker too */
		tuner_fail(t, w, news->text);
	return OK;
}

int
tuner_receive(Tuner *t, Err *e)
{
	uint64_t began = clock_ns();
	BoardNews news;
	int rc = boards_take(t->boards, WAIT_MS, &news, e);

	stats_add(&t->report->cost.wait, began);
	if (rc)
		return rc == NOT_APPLICABLE ? OK : rc;
	if (news.kind == NEWS_PARCEL)
		return tuner_settle(t, news.parcel, e);
	if (news.kind == NEWS_CALIBRATION)
		return tuner_calibration(t, news.board, &news.calibration, e);
	if (news.kind == NEWS_REFUSED)
		return settle_refusal(t, &news, e);
	tuner_event(t, TUNE_TEXT, NULL, news.text);
	return OK;
}

int
tuner_halt(Tuner *t, Err *e)
{
	uint64_t end = clock_ns() + (uint64_t)HALT_MS * 1000000;
	int rc = OK;

	boards_cancel(t->boards);
	while (!rc && boards_out(t->boards) && clock_ns() < end)
		rc = tuner_receive(t, e);
	for (int i = 0; i < t->nwork; i++)
		if (t->work[i].row->state < TASK_DONE)
			tuner_state(t, &t->work[i], TASK_STOPPED);
	return rc == ERR_CANCELLED ? OK : rc;
}
