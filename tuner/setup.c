/* The run before its first proposal: device, plan, log, and a Work per Task. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tuner/plans.h"
#include "tuner/session.h"

void
tuner_init(Tuner *t, const Graph *g, const TuneOptions *opt, TuneReport *report)
{
	*report = (TuneReport){.arena = arena_new()};
	*t = (Tuner){.opt = opt, .report = report, .graph = g, .arena = arena_new()};
	t->began = clock_ns();
	t->effort = opt->effort ? opt->effort : effort_named(NULL);
	if (opt->time_limit_s > 0)
		t->ends = t->began + (uint64_t)(opt->time_limit_s * 1e9);
	t->threads = opt->threads > 1 ? opt->threads : 1;
	t->runner = opt->runner ? opt->runner : "cpu";
	t->session = arena_printf(t->arena, "%lld-%ld", (long long)clock_wall_s(), (long)getpid());
}

/* The report outlives the boards. */
static void
report_boards(Tuner *t)
{
	TuneReport *r = t->report;

	if (t->boards)
		boards_report(t->boards, r->board);
	for (int i = 0; i < r->nboard; i++) {
		TuneBoard *x = &r->board[i];

		r->lost += x->lost;
		x->name = arena_strdup(r->arena, x->name);
		x->why = x->why ? arena_strdup(r->arena, x->why) : NULL;
	}
}

void
tuner_fini(Tuner *t)
{
	t->report->seconds = (double)(clock_ns() - t->began) * 1e-9;
	report_boards(t);
	builders_close(t->builders);
	boards_close(t->boards);
	for (int i = 0; i < t->nwork; i++)
		work_close(&t->work[i]);
	emit_close(t->emit);
	log_close(t->log);
	arena_free(t->arena);
}

void
tune_report_fini(TuneReport *r)
{
	arena_free(r->arena);
	*r = (TuneReport){0};
}

static bool
on_stop(void *self)
{
	return tuner_stopped(self);
}

/* "rack-1 (Cortex-A72)", or "3 boards: rack-1, rack-2, rack-3 (Cortex-A72)". */
static const char *
name_devices(const Tuner *t)
{
	Arena *a = t->report->arena;
	int n = boards_count(t->boards);
	const char *cpu = boards_facts(t->boards, 0)->cpu, *text;

	if (n == 1)
		return arena_printf(a, "%s (%s)", boards_info(t->boards)->name, cpu);
	text = arena_printf(a, "%d boards:", n);
	for (int i = 0; i < n; i++)
		text = arena_printf(a, "%s%s %s", text, i ? "," : "",
				    boards_facts(t->boards, i)->name);
	return arena_printf(a, "%s (%s)", text, cpu);
}

int
tuner_device(Tuner *t, Err *e)
{
	BoardsOptions o = {.address = t->opt->device,
			   .n = t->opt->ndevice,
			   .way = {.server_path = t->opt->server_path,
				   .silence_ms = (uint32_t)(t->opt->silence_s * 1e3)},
			   .reconnect_ns = (uint64_t)(t->opt->reconnect_s * 1e9),
			   .wait_s = t->opt->wait_s,
			   .threads = t->threads,
			   .runner = t->runner,
			   .stop = on_stop,
			   .self = t};
	Str s = {0};
	int rc = boards_open(&o, t->session, &t->boards, e);

	if (rc)
		return rc;
	t->report->nboard = boards_count(t->boards);
	t->report->board = ARENA_ARRAY(t->report->arena, TuneBoard, t->report->nboard);
	t->report->device = name_devices(t);
	rc = target_of_device(boards_info(t->boards), &t->target, e);
	t->target.threads = t->threads;
	if (!rc)
		rc = emit_open("llvm", &t->target, &t->emit, e);
	if (!rc) {
		target_print(&t->target, &s);
		tuner_dump(t, TUNE_DUMP_target, str_get(&s));
	}
	str_fini(&s);
	return rc;
}

int
tuner_log(Tuner *t, Err *e)
{
	Str s = {0};
	int rc = log_open(t->opt->log, &t->log, e);

	if (rc)
		return rc;
	target_key(&t->target, &s);
	t->key = (LogKey){.target = arena_strdup(t->arena, str_get(&s)),
			  .device = boards_facts(t->boards, 0)->cpu,
			  .driver = "",
			  .runner = t->runner,
			  .threads = arena_printf(t->arena, "%d", t->threads),
			  .mode = "cold",
			  .tolerance = tolerance_name(t->opt->tolerance)};
	str_fini(&s);
	return OK;
}

/* Time at the machine's limits: good enough to know which Tasks matter. */
static double
rough_ns(const Tuner *t, const PlanTask *p)
{
	return p->uses * (task_flops(p->task) / target_gflops(&t->target) +
			  task_bytes(p->task) / t->target.dram_gbs);
}

typedef struct Dear {
	PlansTask at;
	int row;
	double ns;
} Dear;

/* Those of the first Plan before others. */
static int
dearest_first(const void *a, const void *b)
{
	const Dear *x = a, *y = b;

	if ((x->at.plan > 0) != (y->at.plan > 0))
		return x->at.plan > 0 ? 1 : -1;
	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return x->row - y->row;
}

/* Texts behind the keys of a Task, for people and for `compile`. */
static int
put_texts(Tuner *t, const PlanTask *p, const LogKey *key, Err *e)
{
	Str s = {0};
	int rc;

	task_print(p->task, &s);
	tuner_dump(t, TUNE_DUMP_tasks, str_get(&s));
	rc = log_put_text(t->log, "task", key->task, str_get(&s), e);
	str_clear(&s);
	task_form_print(p->task, &p->form, &s);
	tuner_dump(t, TUNE_DUMP_tasks, str_get(&s));
	if (!rc)
		rc = log_put_text(t->log, "form", key->form, str_get(&s), e);
	str_fini(&s);
	return rc;
}

static const Trees *
prior_of(const Tuner *t)
{
	const char *begin = t->opt->prior_for ? t->opt->prior_for : "";

	return strncmp(t->target.triple, begin, strlen(begin)) ? NULL : t->opt->prior;
}

/* Digest of the prior's text; "" without one. */
static const char *
name_prior(const Tuner *t)
{
	Str s = {0};
	Digest d;

	if (!prior_of(t))
		return "";
	trees_print(t->opt->prior, &s);
	d = digest_of(s.s, s.n);
	str_fini(&s);
	return arena_digest(t->arena, &d);
}

static int
init_work(Tuner *t, Work *w, const Dear *x, const char *prior, Err *e)
{
	const char *strategy = t->opt->strategy ? t->opt->strategy : t->effort->strategy;
	const Plan *plan = t->plans.v[x->at.plan].plan;
	const PlanTask *p = &plan->task.v[x->at.task];
	uint64_t own;

	memcpy(&own, p->task_key.b, sizeof own);
	*w = (Work){.task = p,
		    .row = &t->report->task[x->row],
		    .other = x->at.plan > 0,
		    .key = t->key,
		    .search = search_named(strategy),
		    .effort = t->effort,
		    .tolerance = t->opt->tolerance,
		    .seed = t->opt->seed ^ own,
		    .prior = prior_of(t),
		    .prior_name = prior,
		    .warm = t->warm,
		    .trials = t->opt->trials ? t->opt->trials : t->effort->trials,
		    .rough_ns = x->ns};
	w->key.task = arena_digest(t->arena, &p->task_key);
	w->key.form = arena_digest(t->arena, &p->form_key);
	*w->row = (TuneTask){.label = plan_label(plan, x->at.task, t->report->arena),
			     .key = arena_digest(t->report->arena, &p->task_key),
			     .form = arena_digest(t->report->arena, &p->form_key),
			     .uses = p->uses,
			     .flops = task_flops(p->task)};
	if (!w->search)
		return err_set(e, ERR_INPUT, "no search strategy '%s'", strategy);
	return put_texts(t, p, &w->key, e);
}

int
tuner_works(Tuner *t, Err *e)
{
	const char *prior = name_prior(t);
	int n, rc = OK;
	PlansTask *task;
	Dear *order;

	plans_merge(t, &task, &n);
	order = ARENA_ARRAY(t->arena, Dear, n + 1);
	t->warm = t->opt->cold ? NULL : warm_log_new(t->arena, t->log, t->session);
	t->work = ARENA_ARRAY(t->arena, Work, n + 1);
	t->report->task = ARENA_ARRAY(t->report->arena, TuneTask, n + 1);
	t->report->ntask = n;
	for (int i = 0; i < n; i++)
		order[i] =
			(Dear){task[i], i,
			       rough_ns(t, &t->plans.v[task[i].plan].plan->task.v[task[i].task])};
	qsort(order, (size_t)n, sizeof *order, dearest_first);
	for (int i = 0; i < n && !rc; i++)
		rc = init_work(t, &t->work[t->nwork++], &order[i], prior, e);
	if (!rc)
		tuner_event(t, TUNE_BEGIN, NULL, NULL);
	for (int i = 0; i < boards_count(t->boards) && !rc; i++)
		if (boards_facts(t->boards, i)->insecure)
			tuner_event(t, TUNE_TEXT, NULL,
				    arena_printf(t->arena,
						 "warning: %s%sno authentication: anybody may use "
						 "this agent or pretend to be it; the rows say so",
						 t->opt->ndevice > 1 ? t->opt->device[i] : "",
						 t->opt->ndevice > 1 ? ": " : ""));
	return rc;
}
