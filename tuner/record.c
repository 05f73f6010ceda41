/* Results as rows of the log, and what their session says of the machine. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tuner/doubt.h"
#include "tuner/tuner.h"

static const uint64_t FULL_PAUSE_NS = 200000000;
static const double SLOWER = 1.3; /* than in the search, beyond noise */

static const char *
stage_of(const Work *w, const Parcel *p, int item, int race)
{
	if (!race)
		return w->trial.v[work_find(w, p->item[item].text)].stage;
	return w->winner >= 0 && !strcmp(w->racer.v[w->winner].text, p->item[item].text)
		       ? LOG_STAGE_WINNER
		       : STAGE_RACE;
}

/* Why a candidate failed; of a racer, how it did against the untuned choice, and whether it is what
 * it was in the search. */
static const char *
reason_of(Arena *a, const Work *w, const Parcel *p, int item, int race)
{
	const ParcelItem *x = &p->item[item];
	RaceRatio r = race ? work_ratio(w, x->text) : (RaceRatio){0};
	double drift = race ? doubt_drift(w, p, item) : 0;
	const char *text;

	if (x->result.status != STATUS_OK || !(r.ratio > 0))
		return x->result.reason ? x->result.reason : "";
	text = arena_printf(a, "%.4f of the untuned time, 95 %% interval %.4f to %.4f", r.ratio,
			    r.lo, r.hi);
	if (drift <= SLOWER)
		return text;
	return arena_printf(a, "%s; not confirmed: %.2f times as slow as when it was found", text,
			    drift);
}

static LogRow
row_of(const Tuner *t, const Work *w, const Parcel *p, int item, int race, Arena *a)
{
	const ParcelItem *x = &p->item[item];
	const Result *m = &x->result;
	LogRow r = {.key = w->key,
		    .algorithm = x->algorithm,
		    .sched = x->text,
		    .status = status_name((Status)m->status),
		    .reason = reason_of(a, w, p, item, race),
		    .samples = m->samples.v,
		    .nsample = (int)m->samples.n,
		    .max_error = m->max_error,
		    .calibration_before = m->calibration_before,
		    .calibration_after = m->calibration_after,
		    .expected_ns = w->trial.v[work_find(w, x->text)].expected_ns,
		    .code = x->code,
		    .generator = HONE_VERSION,
		    .llvm = emit_version(t->emit),
		    .stage = stage_of(w, p, item, race),
		    .session = t->session,
		    .seed = (int64_t)t->opt->seed,
		    .race = race,
		    .insecure = device_info(&t->device)->insecure,
		    .sandbox = (int64_t)m->sandbox};

	r.median_ns = median_of(r.samples, r.nsample);
	for (int i = 0; i < r.nsample; i++)
		if (i == 0 || r.samples[i] < r.best_ns)
			r.best_ns = r.samples[i];
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

static int
add_text(Tuner *t, const char *kind, const char *digest, const char *text, Err *e)
{
	bool told = false;
	Err own;

	do {
		own = (Err){0};
		log_put_text(t->log, kind, digest, text, &own);
	} while (await_space(t, &own, &told));
	return own.code ? err_set(e, own.code, "%s", own.msg) : OK;
}

int
tuner_calibrate(Tuner *t, Err *e)
{
	Calibration c;
	Err ignored = {0};
	Str s = {0};
	int rc;

	if (t->calibrated)
		return OK;
	t->calibrated = true;
	if (device_calibrate(&t->device, &c, &ignored))
		return OK;
#define X(key, field, unit, text) str_printf(&s, "%s" #field "=%.6g", s.n ? " " : "", c.field);
	CALIBRATION_LIST(X)
#undef X
	rc = add_text(t, LOG_TEXT_CALIBRATION, t->session, str_get(&s), e);
	str_fini(&s);
	return rc;
}

int
tuner_record(Tuner *t, Work *w, const Parcel *p, int race, Err *e)
{
	Arena *a = arena_new();
	LogRow *row = ARENA_ARRAY(a, LogRow, p->n);
	int64_t *id = ARENA_ARRAY(a, int64_t, p->n);
	TuneEvent ev = {.kind = TUNE_ROWS, .report = t->report, .id = id};
	int n = 0, rc;

	for (int i = 0; i < p->n; i++)
		if (p->item[i].result.status != STATUS_CANCELLED)
			row[n++] = row_of(t, w, p, i, race, a);
	rc = n ? add_rows(t, row, n, e) : OK;
	for (int i = 0; i < n && !rc; i++)
		id[ev.nid++] = row[i].id;
	if (ev.nid && t->opt->event)
		t->opt->event(t->opt->self, &ev);
	arena_free(a);
	return rc;
}
