/* Results as rows of the log, and what their session says of the machine. */
#include <string.h>

#include "tuner/tuner.h"

static LogRow
row_of(const Tuner *t, const Work *w, const ParcelItem *x, const Result *m)
{
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
		    .expected_ns = w->trial.v[work_find(w, x->text)].expected_ns,
		    .code = x->code,
		    .generator = HONE_VERSION,
		    .llvm = emit_version(t->emit),
		    .stage = w->trial.v[work_find(w, x->text)].stage,
		    .session = t->session,
		    .seed = (int64_t)t->opt->seed,
		    .insecure = device_info(&t->device)->insecure,
		    .sandbox = (int64_t)m->sandbox};

	r.median_ns = median_of(r.samples, r.nsample);
	for (int i = 0; i < r.nsample; i++)
		if (i == 0 || r.samples[i] < r.best_ns)
			r.best_ns = r.samples[i];
	return r;
}

/* Of a racer: how it did against the untuned choice, and whether it won. */
static LogRow
race_row(LogRow r, const Work *w, int race, Arena *a)
{
	bool won = w->winner >= 0 && !strcmp(w->racer.v[w->winner].text, r.sched);
	RaceRatio q = work_ratio(w, r.sched);

	r.race = race;
	r.stage = won ? LOG_STAGE_WINNER : STAGE_RACE;
	if (!strcmp(r.status, status_name(STATUS_OK)) && q.ratio > 0)
		r.reason = arena_printf(a, "%.4f of the untuned time, 95 %% interval %.4f to %.4f",
					q.ratio, q.lo, q.hi);
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

int
tuner_calibrate(Tuner *t, Err *e)
{
	Calibration c;
	Err ignored = {0}, own = {0};
	Str s = {0};
	int rc;

	if (t->calibrated)
		return OK;
	rc = device_lease(&t->device, &own);
	if (rc && rc != ERR_DEVICE) /* that one shows again, where it can be mended */
		return err_set(e, rc, "%s", own.msg);
	t->calibrated = true;
	if (device_calibrate(&t->device, &c, &ignored))
		return OK;
#define X(key, field, unit, text) str_printf(&s, "%s" #field "=%.6g", s.n ? " " : "", c.field);
	CALIBRATION_LIST(X)
#undef X
	rc = log_put_text(t->log, LOG_TEXT_CALIBRATION, t->session, str_get(&s), e);
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
	int n = 0, rc;

	for (int i = 0; i < p->stale.n; i++) {
		const StaleResult *s = &p->stale.v[i];

		row[n++] = stale_row(row_of(t, w, &p->item[s->item], &s->result), &s->result, a);
	}
	for (int i = 0; i < p->n; i++) {
		const ParcelItem *x = &p->item[i];

		if (x->result.status == STATUS_CANCELLED)
			continue;
		row[n] = row_of(t, w, x, &x->result);
		if (race)
			row[n] = race_row(row[n], w, race, a);
		n++;
	}
	rc = n ? log_add(t->log, row, n, e) : OK;
	for (int i = 0; i < n && !rc; i++)
		id[ev.nid++] = row[i].id;
	if (ev.nid && t->opt->event)
		t->opt->event(t->opt->self, &ev);
	arena_free(a);
	return rc;
}
