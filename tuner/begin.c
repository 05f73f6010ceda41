/* The boards begin. Where there are several, they are given a canary: kernels that cost little and
 * are alike on all of them, so that their times tell whether the boards are. */
#include "base/clock.h"
#include "tuner/tuner.h"

enum { CANARY_RUNS = 20, CANARY_RUNS_MAX = 200, CANARY_TIME_NS = 10000000, CANARY_MS = 10000 };

static const double LONG_ENOUGH_NS = 20000; /* that what a sample costs does not count */

/* The cheapest of those that are long enough, else the dearest; NULL: there is none. */
static const PlanTask *
choose_task(const Tuner *t)
{
	const PlanTask *best = NULL;
	double best_ns = 0;

	for (int i = 0; i < t->nwork; i++) {
		double ns = t->work[i].rough_ns / t->work[i].task->uses;
		bool enough = ns >= LONG_ENOUGH_NS, had = best_ns >= LONG_ENOUGH_NS;

		if (best && (had ? !enough || ns >= best_ns : ns <= best_ns))
			continue;
		best = t->work[i].task;
		best_ns = ns;
	}
	return best;
}

/* Parcels of one candidate, the choice where nothing was measured: one for each board. */
static int
build_canaries(Tuner *t, const PlanTask *task, Parcel **out, Err *e)
{
	Problem *problem = ARENA_NEW(t->arena, Problem);
	ObjectCache object = {.arena = t->arena};
	const char *text;
	Space space;
	Lowered low;
	ParcelSpec spec = {.runner = t->runner,
			   .bare = t->opt->bare,
			   .emit = t->emit,
			   .problem = problem,
			   .object = &object,
			   .text = &text,
			   .n = 1,
			   .measure = {.mode = MEASURE_COLD,
				       .warmup = 1,
				       .min_runs = CANARY_RUNS,
				       .max_runs = CANARY_RUNS_MAX,
				       .min_time_ns = CANARY_TIME_NS,
				       .max_time_ns = CANARY_TIME_NS * 10},
			   .deadline_ms = CANARY_MS};
	int rc;

	if ((rc = space_build(t->arena, task->task, &task->form, &t->target, t->opt->tolerance,
			      &space, e)) ||
	    (rc = lowered_estimate_in(t->arena, &space, task->task, &task->form, t->emit, &object,
				      &low, e)) ||
	    (rc = problem_build(t->arena, task->task, &task->form, problem, e)))
		return rc;
	text = low.text;
	spec.spills = low.code.spills;
	for (int i = 0; i < boards_count(t->boards) && !rc; i++) {
		rc = parcel_build(&spec, &out[i], e);
		if (!rc && parcel_complete(out[i]))
			rc = err_set(e, ERR_INTERNAL, "%s", out[i]->item[0].result.reason);
	}
	return rc;
}

bool
tuner_shows_candidates(const Tuner *t)
{
	return t->opt->dump & (1u << TUNE_DUMP_sched | 1u << TUNE_DUMP_loop);
}

/* One board is fed by the tuner's own thread. */
static int
open_builders(Tuner *t, Err *e)
{
	int n = boards_count(t->boards), most = (int)hardware_cores();

	if (n == 1 || tuner_shows_candidates(t))
		return OK;
	return builders_open(&t->target, n < most ? n : most, t->boards, &t->builders, e);
}

int
tuner_begin(Tuner *t, Err *e)
{
	int n = boards_count(t->boards), rc = NOT_APPLICABLE;
	Parcel **canary = ARENA_ARRAY(t->arena, Parcel *, n);
	const PlanTask *task = n > 1 && !t->opt->no_measure ? choose_task(t) : NULL;
	Err own = {0};

	if (task)
		rc = build_canaries(t, task, canary, &own);
	if (rc)
		for (int i = 0; i < n; i++)
			parcel_free(canary[i]);
	if (rc && task)
		tuner_event(
			t, TUNE_TEXT, NULL,
			arena_printf(t->arena, "no kernel to compare the boards by: %s", own.msg));
	rc = boards_start(t->boards, rc ? NULL : canary, e);
	if (!rc)
		rc = open_builders(t, e);
	stats_add(&t->report->cost.start, t->began);
	return rc;
}
