/* Results as rows of the log, and what their session says of the machine. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tuner/doubt.h"
#include "tuner/session.h"
#include "tuner/tuner.h"

static const uint64_t FULL_PAUSE_NS = 200000000;
static const double SLOWER = 1.3; /* than in the search, beyond noise */

/* by: the board that measured it, or 0. */
static LogRow
row_of(const Tuner *t, const Work *w, const ParcelItem *x, const Result *m, int by)
{
	const BoardFacts *board = boards_facts(t->boards, by ? by - 1 : 0);
	const Trial *trial = &w->trial.v[work_find(w, x->text)]; /* all that is sent is one */
	LogRow r = {.key = w->key,
		    .algorithm = x->algorithm,
		    .sched = x->text,
		    .status = status_name((Status)m->status),
		    .reason = m->reason ? m->reason : "",
		    .samples = m->samples.v,
		    .nsample = (int)m->samples.n,
		    .max_error = m->max_error,
		    .calibration_before = m->calibration_before,
		    .calibration_after = m->calibration_after,
		    .expected_ns = trial->expected_ns,
		    .code = x->code,
		    .generator = HONE_VERSION,
		    .llvm = emit_version(t->emit),
		    .stage = trial->stage,
		    .session = board->session,
		    .seed = (int64_t)t->opt->seed,
		    .insecure = board->insecure,
		    .sandbox = (int64_t)m->sandbox};

	r.median_ns = median_of(r.samples, r.nsample);
	for (int i = 0; i < r.nsample; i++)
		if (i == 0 || r.samples[i] < r.best_ns)
			r.best_ns = r.samples[i];
	return r;
}

/* Of a racer: how it did against the untuned choice, whether it is what it was in the search, and
 * whether it won. */
static LogRow
race_row(LogRow r, const Work *w, const Parcel *p, int item, int race, Arena *a)
{
	bool won = w->winner >= 0 && !strcmp(w->racer.v[w->winner].text, r.sched);
	RaceRatio q = work_ratio(w, r.sched);
	double drift = doubt_drift(w, p, item);
	char text[RACE_TEXT];

	r.race = race;
	r.stage = won ? LOG_STAGE_WINNER : STAGE_RACE;
	if (strcmp(r.status, status_name(STATUS_OK)) || !(q.ratio > 0))
		return r;
	race_text(&q, text);
	r.reason = arena_strdup(a, text);
	if (drift > SLOWER)
		r.reason = arena_printf(
			a, "%s; not confirmed: %.2f times as slow as when it was found", r.reason,
			drift);
	return r;
}

/* What was measured under a lease that was over: kept for people, and never counted. */
static LogRow
stale_row(LogRow r, const Result *m, Arena *a)
{
	r.reason = arena_printf(a, "%s under lease %llu, which was over%s%s", r.status,
				(unsigned long long)m->epoch, *r.reason ? ": " : "", r.reason);
	r.status = LOG_STALE;
	return r;
}

/* Whether to write again: the disk was full, and nobody wants to stop. What was measured waits
 * here, what is measured meanwhile in the client. */
static bool
await_space(Tuner *t, const Err *why, bool *told)
{
	char text[ERR_TEXT_MAX + 64];

	if (why->code != ERR_FULL || tuner_stopped(t))
		return false;
	snprintf(text, sizeof text, "%s; waiting for space, nothing is lost", why->msg);
	if (!*told)
		tuner_event(t, TUNE_TEXT, NULL, text);
	*told = true;
	clock_sleep_ns(FULL_PAUSE_NS);
	return true;
}

static int
add_rows(Tuner *t, LogRow *row, int n, Err *e)
{
	bool told = false;
	Err own;

	do {
		own = (Err){0};
		log_add(t->log, row, n, &own);
	} while (await_space(t, &own, &told));
	return own.code ? err_set(e, own.code, "%s", own.msg) : OK;
}

int
tuner_add_text(Tuner *t, const char *kind, const char *digest, const char *text, Err *e)
{
	bool told = false;
	Err own;

	do {
		own = (Err){0};
		log_put_text(t->log, kind, digest, text, &own);
	} while (await_space(t, &own, &told));
	return own.code ? err_set(e, own.code, "%s", own.msg) : OK;
}

/* What the run works on, for reports. */
static int
add_session(Tuner *t, const char *session, Err *e)
{
	PlanMemory memory = {t->opt->memory, t->threads};
	Session s = session_of_plan(t->plan, memory, t->arena);
	Str text = {0};
	int rc;

	session_print(&s, &text);
	rc = tuner_add_text(t, LOG_TEXT_SESSION, session, str_get(&text), e);
	str_fini(&text);
	return rc;
}

int
tuner_calibration(Tuner *t, int board, const Calibration *c, Err *e)
{
	const BoardFacts *f = boards_facts(t->boards, board);
	Str s = {0};
	int rc = add_session(t, f->session, e);

	if (rc)
		return rc;
#define X(key, field, unit, text) str_printf(&s, "%s" #field "=%.6g", s.n ? " " : "", c->field);
	CALIBRATION_LIST(X)
#undef X
	rc = tuner_add_text(t, LOG_TEXT_CALIBRATION, f->session, str_get(&s), e);
	if (!rc)
		rc = tuner_add_text(t, LOG_TEXT_BOARD, f->session, f->name, e);
	str_fini(&s);
	return rc;
}

int
tuner_record(Tuner *t, Work *w, const Parcel *p, int race, Err *e)
{
	Arena *a = arena_new();
	LogRow *row = ARENA_ARRAY(a, LogRow, p->n + p->stale.n);
	int64_t *id = ARENA_ARRAY(a, int64_t, p->n + p->stale.n);
	TuneEvent ev = {.kind = TUNE_ROWS, .report = t->report, .id = id};
	uint64_t began = clock_ns();
	int n = 0, rc;

	for (int i = 0; i < p->stale.n; i++) {
		const StaleResult *s = &p->stale.v[i];

		row[n++] = stale_row(row_of(t, w, &p->item[s->item], &s->result, s->by), &s->result,
				     a);
	}
	for (int i = 0; i < p->n; i++) {
		const ParcelItem *x = &p->item[i];

		if (x->result.status == STATUS_CANCELLED)
			continue;
		row[n] = row_of(t, w, x, &x->result, x->by);
		if (race)
			row[n] = race_row(row[n], w, p, i, race, a);
		n++;
	}
	rc = n ? add_rows(t, row, n, e) : OK;
	stats_add(&t->report->cost.record, began);
	w->rows += n;
	for (int i = 0; i < n && !rc; i++)
		id[ev.nid++] = row[i].id;
	if (ev.nid && t->opt->event)
		t->opt->event(t->opt->self, &ev);
	arena_free(a);
	return rc;
}
