/* A Task's search. */
#include "tuner/work.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"

enum { ROUND_MIN = 4, STALL_MIN = 24, OPERATIONS_MAX = 6000, FEW = 8 };

/* Of the best: a gain that is worth more trials; how near the roofline is near enough. */
static const double SEARCH_GAIN = 0.01, ENOUGH = 0.97;

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/* --- what the log knows --- */

int
work_find(const Work *w, const char *text)
{
	for (int i = 0; i < w->trial.n; i++)
		if (!strcmp(w->trial.v[i].text, text))
			return i;
	return -1;
}

bool
work_counts(Status s)
{
	return s != STATUS_INFEASIBLE && s != STATUS_BUILD;
}

static void
add_known(Work *w, const LogRow *r)
{
	Trial t = {.text = r->sched,
		   .stage = r->stage,
		   .algorithm = r->algorithm,
		   .code = r->code,
		   .expected_ns = r->expected_ns,
		   .best_ns = r->best_ns,
		   .peak = peak_of(r->calibration_before, r->calibration_after),
		   .known = true};
	int at = work_find(w, r->sched);

	if (!status_named(r->status, &t.status) || t.status == STATUS_LOST ||
	    t.status == STATUS_CANCELLED)
		return;
	w->used += at < 0 && work_counts(t.status);
	if (at < 0)
		vec_push(w->arena, &w->trial, t);
	else
		w->trial.v[at] = t;
}

/* rows: oldest first */
static void
read_rows(Work *w, const LogRow *row, int n)
{
	const LogRow *newest = NULL;

	for (int i = 0; i < n; i++) {
		if (!strcmp(row[i].status, LOG_STALE))
			continue;
		if (!row[i].race)
			add_known(w, &row[i]);
		else if (!newest || row[i].time >= newest->time)
			newest = &row[i];
	}
	for (int i = 0; i < n && newest; i++)
		if (log_same_race(&row[i], newest) && strcmp(row[i].status, LOG_STALE)) {
			Racer r = {.text = row[i].sched,
				   .algorithm = row[i].algorithm,
				   .peak = peak_of(row[i].calibration_before,
						   row[i].calibration_after)};

			if (!strcmp(row[i].status, status_name(STATUS_OK)))
				r.entry = (RaceEntry){row[i].samples, row[i].nsample};
			vec_push(w->arena, &w->racer, r);
		}
}

/* Number of the trial for a text, a new one if need be. */
static int
trial_of(Work *w, const char *text, const char *stage)
{
	int at = work_find(w, text);

	if (at >= 0)
		return at;
	vec_push(w->arena, &w->trial, ((Trial){.text = text, .stage = stage, .code = ""}));
	return w->trial.n - 1;
}

/* What took a device down is tried on no other of its target. Races are of several Scheds. */
static int
read_poison(Work *w, Log *log, Err *e)
{
	LogKey any = {.task = w->key.task, .form = w->key.form, .target = w->key.target};
	LogRow *row;
	int n, rc = log_rows(log, w->arena, &any, &row, &n, e);

	for (int i = 0; i < n && !rc; i++)
		if (!row[i].race && !strcmp(row[i].status, status_name(STATUS_POISON)))
			add_known(w, &row[i]);
	return rc;
}

int
work_read(Work *w, Log *log, Err *e)
{
	LogRow *row;
	int n, rc = log_rows(log, w->arena, &w->key, &row, &n, e);

	if (rc)
		return rc;
	w->rows = n;
	read_rows(w, row, n);
	for (int i = 0; i < w->trial.n; i++) {
		double ns = w->trial.v[i].best_ns;

		if (ns > 0 && (w->row->best_ns == 0 || ns < w->row->best_ns))
			w->row->best_ns = ns;
	}
	return OK;
}

const char *
work_name(const Work *w, const Emit *emit, Arena *a)
{
	const char *name;
	Str s = {0};
	Digest d;

#define X(name, help) str_printf(&s, "%s\n", w->key.name);
	LOG_KEY_LIST(X)
#undef X
	str_printf(&s, "%s %d %s %" PRIu64 " %s %s", w->effort->name, w->trials, w->search->name,
		   w->seed, HONE_VERSION, emit_version(emit));
	str_printf(&s, " %s%s\n", w->warm ? "warm " : "", w->prior_name);
	d = digest_of(s.s, s.n);
	name = arena_digest(a, &d);
	str_fini(&s);
	return name;
}

/* What is known elsewhere of a Task that is new here. A search that began goes on as it began. */
static int
read_warm(Work *w, Log *log, const char *name, SearchOptions *opt, Err *e)
{
	Proposal *p = ARENA_ARRAY(w->arena, Proposal, WARM_MOST);
	int most = least(w->trials / 4, WARM_MOST), rc;
	Str task = {0};
	Warm warm = {0};

	if (!w->warm)
		return OK;
	opt->warm = p;
	rc = warm_recall(log, w->arena, name, &w->space, p, &opt->nwarm, e);
	w->row->warm = opt->nwarm;
	if (rc != NOT_APPLICABLE || w->used >= FEW)
		return rc < 0 ? rc : OK;
	task_print(w->task->task, &task);
	rc = warm_log_read(w->warm, w->arena, &w->key, str_get(&task), &warm, e);
	str_fini(&task);
	if (rc)
		return rc;
	w->row->warm = opt->nwarm = warm_proposals(&warm, &w->space, most, p);
	rc = opt->nwarm ? warm_keep(log, name, &w->space, p, opt->nwarm, e) : OK;
	return rc == ERR_FULL ? OK : rc; /* who writes rows waits for room */
}

int
work_open(Work *w, Log *log, Emit *emit, Err *e)
{
	const Task *t = w->task->task;
	const TaskForm *f = &w->task->form;
	SearchOptions opt = {.trials = w->trials, .seed = w->seed, .prior = w->prior};
	Lowered low;
	int rc;

	w->arena = arena_new();
	w->object = (ObjectCache){.arena = w->arena};
	if ((rc = space_build(w->arena, t, f, emit_target(emit), w->tolerance, &w->space, e)) ||
	    (rc = lowered_estimate_in(w->arena, &w->space, t, f, emit, &w->object, &low, e)))
		return rc;
	w->row->floor_ns = w->space.floor_ns;
	if ((rc = work_read(w, log, e)) || (rc = read_poison(w, log, e)) ||
	    (rc = read_warm(w, log, work_name(w, emit, w->arena), &opt, e)))
		return rc;
	w->state = w->search->start(w->arena, &w->space, &opt);
	w->untuned = trial_of(w, low.text, STAGE_UNTUNED);
	w->trial.v[w->untuned].counted = true;
	w->spills = low.code.spills;
	w->operations = loop_operations(low.loop, emit_target(emit)->vector_bytes);
	if (w->operations < OPERATIONS_MAX)
		w->operations = OPERATIONS_MAX;
	w->counted = 1;
	return OK;
}

void
work_close(Work *w)
{
	arena_free(w->arena);
	w->arena = NULL;
}

/* --- proposals --- */

static void
ask_strategy(Work *w, int max)
{
	Proposal p[ROUND_MAX];
	int n = w->search->propose(w->state, max, p);

	for (int i = 0; i < n; i++) {
		const char *text = space_text(&w->space, w->arena, &p[i].pick);
		int at = trial_of(w, text, p[i].stage); /* may move w->trial */
		Trial *t = &w->trial.v[at];

		w->round[w->nround++] = at;
		t->pick = p[i].pick;
		t->expected_ns = space_cost(&w->space, &p[i].pick);
		w->proposed++;
	}
}

int
work_round(int trials, int proposed, int counted)
{
	int n = proposed ? trials / 4 : trials / 2;

	if (counted >= trials || proposed >= PROPOSED_PER_TRIAL * trials + PROPOSED_MORE)
		return 0;
	n = n < ROUND_MIN ? ROUND_MIN : least(n, ROUND_MAX - 1);
	return least(n, trials - counted);
}

/* Trials of the round, and the untuned one, that have no result. */
static int
unknown(const Work *w, int at[ROUND_MAX])
{
	int n = 0;

	if (!w->trial.v[w->untuned].known)
		at[n++] = w->untuned;
	for (int i = 0; i < w->nround; i++) {
		bool twice = false;

		for (int k = 0; k < n; k++)
			twice |= at[k] == w->round[i];
		if (!w->trial.v[w->round[i]].known && !twice)
			at[n++] = w->round[i];
	}
	return n;
}

/* Whether more trials are expected to find next to nothing. Decided by the trials that this search
 * has counted, so that one that was interrupted ends where it would have ended. */
static bool
is_enough(const Work *w)
{
	double stall = fmax(w->effort->stall * w->trials, STALL_MIN);

	if (!(w->effort->stall > 0) || w->nround || !(w->mark_ns > 0))
		return false;
	return w->space.floor_ns >= ENOUGH * w->mark_ns || w->counted - w->marked >= stall;
}

bool
work_over(const Work *w)
{
	return w->used >= w->trials || is_enough(w);
}

int
work_propose(Work *w, int at[ROUND_MAX])
{
	while (!work_over(w)) {
		int n, left = w->trials - w->used;

		if (!w->nround && (n = work_round(w->trials, w->proposed, w->counted)))
			ask_strategy(w, n);
		n = unknown(w, at);
		if (n)
			return least(n, left);
		if (!w->nround)
			return 0;
		work_learn(w);
	}
	return 0;
}

static void
mark(Work *w, double ns)
{
	if (!(ns > 0) || (w->mark_ns > 0 && ns > w->mark_ns * (1 - SEARCH_GAIN)))
		return;
	w->gained += w->mark_ns > 0 ? 1 - ns / w->mark_ns : 0;
	w->mark_ns = ns;
	w->marked = w->counted;
}

void
work_learn(Work *w)
{
	const Trial *untuned = &w->trial.v[w->untuned];
	int at[ROUND_MAX];

	if (unknown(w, at))
		return;
	w->gained = 0;
	if (untuned->status == STATUS_OK)
		mark(w, untuned->best_ns);
	for (int i = 0; i < w->nround; i++) {
		Trial *t = &w->trial.v[w->round[i]];

		w->counted += !t->counted && work_counts(t->status);
		t->counted = true;
		if (t->status == STATUS_OK)
			mark(w, t->best_ns);
		w->search->report(w->state, &t->pick,
				  t->status == STATUS_OK ? t->best_ns : INFINITY);
	}
	w->nround = 0;
}

int
work_problem(Work *w, Err *e)
{
	if (w->problem)
		return OK;
	w->problem = ARENA_NEW(w->arena, Problem);
	return problem_build(w->arena, w->task->task, &w->task->form, w->problem, e);
}

/* --- finalists --- */

/* Whether trial i is a finalist already, by its text or its object code. */
static bool
among(const Work *w, int i, const int *at, int n)
{
	const Trial *t = &w->trial.v[i];

	for (int k = 0; k < n; k++)
		if (at[k] == i || (*t->code && !strcmp(w->trial.v[at[k]].code, t->code)))
			return true;
	return false;
}

int
work_finalists(const Work *w, int at[FINALISTS_MAX + 1])
{
	const Trial *untuned = &w->trial.v[w->untuned];
	int n = 0;

	if (!untuned->known || untuned->status == STATUS_OK)
		at[n++] = w->untuned;
	for (int max = n + w->effort->finalists; n < max;) {
		int best = -1;

		for (int i = 0; i < w->trial.n; i++) {
			const Trial *t = &w->trial.v[i];

			if (t->known && t->status == STATUS_OK && !among(w, i, at, n) &&
			    (best < 0 || t->best_ns < w->trial.v[best].best_ns))
				best = i;
		}
		if (best < 0)
			break;
		at[n++] = best;
	}
	return n;
}

bool
work_race_known(const Work *w, const int *at, int n)
{
	for (int i = 0; i < n; i++) {
		bool found = false;

		for (int k = 0; k < w->racer.n; k++)
			found |= !strcmp(w->racer.v[k].text, w->trial.v[at[i]].text);
		if (!found)
			return false;
	}
	return true;
}

static const Racer *
racer_named(const Work *w, const char *text)
{
	for (int i = 0; i < w->racer.n; i++)
		if (!strcmp(w->racer.v[i].text, text))
			return &w->racer.v[i];
	return NULL;
}

RaceRatio
work_ratio(const Work *w, const char *text)
{
	const Racer *a = racer_named(w, text), *b = racer_named(w, w->trial.v[w->untuned].text);

	return a && b ? race_ratio(&a->entry, &b->entry) : (RaceRatio){0};
}

void
work_judge(Work *w)
{
	const char *untuned = w->trial.v[w->untuned].text;
	RaceEntry v[FINALISTS_MAX + 1];
	int at[FINALISTS_MAX + 1], n = 0, winner;

	for (int first = 1; first >= 0; first--)
		for (int i = 0; i < w->racer.n && n <= FINALISTS_MAX; i++)
			if ((strcmp(w->racer.v[i].text, untuned) == 0) == first) {
				v[n] = w->racer.v[i].entry;
				at[n++] = i;
			}
	winner = race_winner(v, n);
	w->winner = winner < 0 ? -1 : at[winner];
}
