/* Sending: what the Work whose turn it is sends: a round of its search, or its race. */
#include <math.h>

#include "base/clock.h"
#include "tuner/verdict.h"

enum {
	RUNS_MIN = 5,
	RUNS_MAX = 100,
	TIME_MIN_NS = 3000000,
	TIME_MAX_NS = 100000000,
};

static const double STOP_ABOVE = 1.3;   /* of the best: not worth a second sample */
static const double IMPLAUSIBLE = 0.25; /* of the roofline */

bool
tuner_stopped(Tuner *t)
{
	if (!t->report->stopped)
		t->report->stopped = (t->ends && clock_ns() > t->ends) ||
				     (t->opt->stop && t->opt->stop(t->opt->self));
	return t->report->stopped;
}

static MeasureSpec
search_measure(const Work *w)
{
	return (MeasureSpec){.mode = MEASURE_COLD,
			     .warmup = 1,
			     .min_runs = RUNS_MIN,
			     .max_runs = RUNS_MAX,
			     .min_time_ns = TIME_MIN_NS,
			     .max_time_ns = TIME_MAX_NS,
			     .stop_above_ns = w->row->best_ns * STOP_ABOVE};
}

/* A race may take so long; under a time limit, not more than its share of what is left. */
static double
race_seconds(const Tuner *t, const Work *w)
{
	double left = t->ends ? (double)t->ends - (double)clock_ns() : INFINITY;

	return fmin(w->effort->race_s, fmax(left, 0) * 1e-9 / fmax(turn_unraced(t), 1));
}

static MeasureSpec
race_measure(const Tuner *t, const Work *w, const int *at, int n)
{
	double round = 0, rounds;

	for (int i = 0; i < n; i++)
		round += w->trial.v[at[i]].best_ns;
	rounds = fmin(fmax(race_seconds(t, w) * 1e9 / fmax(round, 1), w->effort->rounds_min),
		      w->effort->rounds_max);
	return (MeasureSpec){.mode = MEASURE_COLD, .warmup = 1, .race_rounds = (uint32_t)rounds};
}

static void
show_lowered(void *self, const Lowered *l)
{
	Str s = {0};

	tuner_dump(self, TUNE_DUMP_sched, l->text);
	loop_print(l->loop, &s);
	tuner_dump(self, TUNE_DUMP_loop, str_get(&s));
	str_fini(&s);
}

/* Trials at[0..n) of w, to be compiled. */
static BuildJob
make_job(Tuner *t, Work *w, const int *at, int n, bool race)
{
	BuildJob j = {.work = w, .n = n, .race = race, .expected_ns = w->row->best_ns};

	j.spec = (ParcelSpec){.runner = t->runner,
			      .bare = t->opt->bare,
			      .measure = race ? race_measure(t, w, at, n) : search_measure(w),
			      .floor_ns = w->row->floor_ns * IMPLAUSIBLE,
			      .spills = w->spills,
			      .operations = w->operations,
			      .seed = w->seed,
			      .self = t};
	for (int i = 0; i < n; i++) {
		j.text[i] = w->trial.v[at[i]].text;
		j.expected_ns = fmax(j.expected_ns, w->trial.v[at[i]].expected_ns);
	}
	if (tuner_shows_candidates(t))
		j.spec.lowered = show_lowered;
	return j;
}

static int
send_trials(Tuner *t, Work *w, const int *at, int n, bool race, Err *e)
{
	uint64_t began = clock_ns();
	BuildJob j;
	Parcel *p;
	int rc;

	if (t->opt->no_measure) {
		tuner_missing(t, w);
		return OK;
	}
	j = make_job(t, w, at, n, race);
	rc = t->builders ? OK : build_job(&j, t->emit, &p, e);
	if (rc)
		return rc;
	w->in_flight = true;
	w->sent = began;
	boards_expect(t->boards);
	if (t->builders)
		builders_put(t->builders, &j);
	else
		boards_built(t->boards, w, p, NULL);
	return OK;
}

static void
show_space(Tuner *t, const Work *w)
{
	Str s = {0};

	str_printf(&s, "space of %s: %.4g rows, roofline %.4g ns\n", w->row->label,
		   space_rows(&w->space), w->space.floor_ns);
	for (int i = 0; i < w->space.variant.n; i++) {
		Pick p = {.variant = i};

		str_printf(&s, "variant %s, cheapest %.4g ns:\n%s", w->space.variant.v[i].name,
			   space_cost(&w->space, &p), space_text(&w->space, w->arena, &p));
	}
	tuner_dump(t, TUNE_DUMP_space, str_get(&s));
	str_fini(&s);
}

static int
open_work(Tuner *t, Work *w, Err *e)
{
	int rc = work_open(w, t->log, t->emit, e);

	if (rc)
		return rc;
	w->row->trials = w->used;
	if (t->opt->dump >> TUNE_DUMP_space & 1)
		show_space(t, w);
	tuner_state(t, w, TASK_SEARCHING);
	return OK;
}

static int
start_race(Tuner *t, Work *w, Err *e)
{
	int at[FINALISTS_MAX + 1], n = work_finalists(w, at);

	tuner_state(t, w, TASK_RACING);
	if (n == 0)
		return err_set(e, ERR_CHECK, "untuned: %s",
			       status_text(w->trial.v[w->untuned].status));
	if (!work_race_known(w, at, n))
		return send_trials(t, w, at, n, true, e);
	work_judge(w);
	return tuner_conclude(t, w, e);
}

/* Without a race of its own, an effort takes over the verdict of a greater one. */
static int
skip_race(Tuner *t, Work *w, Err *e)
{
	if (w->racer.n)
		work_judge(w);
	else if (!(w->row->best_ns > 0))
		return err_set(e, ERR_CHECK, "untuned: %s",
			       status_text(w->trial.v[w->untuned].status));
	return tuner_conclude(t, w, e);
}

/* What the log has decided already needs no search. */
static int
take_verdict(Tuner *t, Work *w, Err *e)
{
	int rc = t->opt->dump >> TUNE_DUMP_space & 1 ? NOT_APPLICABLE : verdict_open(t, w, e);

	if (rc)
		return rc;
	if (w->racer.n)
		work_judge(w);
	tuner_decide(t, w);
	return OK;
}

static int
send_round(Tuner *t, Work *w, Err *e)
{
	uint64_t began = clock_ns();
	int at[ROUND_MAX], n = 0, rc = OK;

	if (w->row->state == TASK_WAITING && (rc = take_verdict(t, w, e)) != NOT_APPLICABLE)
		return rc;
	if (w->row->state == TASK_WAITING) {
		rc = open_work(t, w, e);
		stats_add(&t->report->cost.open, began);
	}
	if (rc)
		return rc;
	if (w->row->state == TASK_SEARCHING && !turn_search_over(t))
		n = work_propose(w, at);
	if (n)
		return send_trials(t, w, at, n, false, e);
	return w->effort->finalists ? start_race(t, w, e) : skip_race(t, w, e);
}

int
tuner_send(Tuner *t, Work *w, Err *e)
{
	Err own = {0};
	int rc = send_round(t, w, &own);

	if (rc == OK)
		return OK;
	if (rc == ERR_DEVICE || rc == ERR_IO || rc == ERR_FULL || rc == ERR_BUSY)
		return err_set(e, rc, "%s", own.msg);
	if (!tuner_stopped(t)) /* Ctrl-C on a terminal ends the linker too */
		tuner_fail(t, w, own.msg);
	return OK;
}
