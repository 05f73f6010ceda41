/* Which Plans are looked at, and which is chosen.
 *
 * A Plan counts when all its Tasks have a time; the first one is kept unless another beats it by
 * more than two runs of the same search differ. */
#include "tuner/plans.h"

#include <math.h>
#include <string.h>

#include "search_space/space_form.h"

static const double PLAN_GAIN = 0.01;
static const double EAGER = 0.85; /* of the cost, of Forms that the model is not sure of */

static PlanMemory
memory_of(const Tuner *t)
{
	return (PlanMemory){t->opt->memory, t->threads};
}

/* Prints only what is asked for. */
static void
dump_plan(Tuner *t)
{
	Str s = {0};

	if (t->opt->dump >> TUNE_DUMP_graph & 1)
		graph_print(t->graph, &s);
	tuner_dump(t, TUNE_DUMP_graph, str_get(&s));
	str_clear(&s);
	if (t->opt->dump >> TUNE_DUMP_plan & 1)
		plan_print(t->plan, &s);
	tuner_dump(t, TUNE_DUMP_plan, str_get(&s));
	str_fini(&s);
}

static void
add_plan(Tuner *t, const char *name, Plan *p)
{
	const char *text = plan_text(p, t->arena);

	for (int i = 0; i < t->plans.n; i++)
		if (!strcmp(t->plans.v[i].text, text))
			return;
	vec_push(t->arena, &t->plans, ((TunerPlan){.name = name, .text = text, .plan = p}));
}

/* Blocked Forms look cheaper than they are said to be, so those are tried too that the model holds
 * for somewhat dearer. */
static double
eager_ns(void *self, const Task *task, const TaskForm *f)
{
	const FormCost *cost = self;
	double ns = cost->ns(cost->self, task, f);

	for (int i = 0; i < f->n; i++)
		if (task->tensor.v[i].kind != TENSOR_CONST && f->v[i].block_dim != TASK_NONE)
			return ns * EAGER;
	return ns;
}

/* What cannot be planned in another way is left out. */
static void
add_others(Tuner *t, const FormCost *cost)
{
	FormCost eager = {(void *)(uintptr_t)cost, eager_ns, cost->lanes, cost->channels};
	Groups apart = partition_apart(t->graph, t->arena, &t->plans.v[0].plan->groups);
	Err ignored = {0};
	Plan *p;

	if (!plan_build(t->graph, t->arena, NULL, &p, &ignored))
		add_plan(t, "no blocks of channels", p);
	if (!plan_build(t->graph, t->arena, &eager, &p, &ignored))
		add_plan(t, "more blocks of channels", p);
	if (!plan_build_groups(t->graph, t->arena, &apart, cost, &p, &ignored))
		add_plan(t, "residuals apart", p);
}

static const char *
choice_name(Tuner *t)
{
	Str s = {0};
	Digest d;

#define X(field, help) str_printf(&s, "%s\n", t->key.field ? t->key.field : "");
	LOG_KEY_LIST(X)
#undef X
	str_printf(&s, "%s %s\n%s", plan_key(t->graph, memory_of(t), t->arena), HONE_VERSION,
		   t->plans.v[0].text);
	d = digest_of(s.s, s.n);
	str_fini(&s);
	return arena_digest(t->arena, &d);
}

/* The Plan that an earlier run chose takes the place of the model's. */
static int
adopt_choice(Tuner *t, Err *e)
{
	Err ignored = {0};
	const char *text;
	Plan *p;
	int rc = log_get_text(t->log, t->arena, LOG_TEXT_CHOICE, t->choice, &text, e);

	if (!rc && !plan_parse(text, t->graph, t->arena, &p, &ignored))
		t->plans.v[0] = (TunerPlan){.name = "chosen before", .text = text, .plan = p};
	return rc < 0 ? rc : OK;
}

static int
put_plan(Tuner *t, const char *text, Err *e)
{
	return log_put_plan(t->log, plan_key(t->graph, memory_of(t), t->arena), t->key.target, text,
			    e);
}

int
tuner_plan(Tuner *t, Err *e)
{
	SpaceForm how = {&t->target, t->opt->tolerance};
	FormCost cost = space_form_cost(&how);
	Plan *p;
	int rc = plan_build_within(t->graph, t->arena, &cost, memory_of(t), &p, e);

	if (rc)
		return rc;
	add_plan(t, "the cost model's", p);
	t->choice = choice_name(t);
	if (!t->effort->plans)
		rc = adopt_choice(t, e);
	else if (!t->opt->memory) /* what fits into memory is no matter of taste */
		add_others(t, &cost);
	if (rc)
		return rc;
	t->plan = t->plans.v[0].plan;
	for (int i = 0; i < t->plan->step.n; i++)
		t->report->nextern += t->plan->step.v[i].kind == STEP_EXTERN;
	dump_plan(t);
	return put_plan(t, t->plans.v[0].text, e);
}

void
plans_merge(Tuner *t, PlansTask **out, int *n)
{
	VEC(PlansTask) all = {0};

	for (int k = 0; k < t->plans.n; k++) {
		TunerPlan *x = &t->plans.v[k];

		x->row = ARENA_ARRAY(t->arena, int, x->plan->task.n + 1);
		for (int i = 0; i < x->plan->task.n; i++) {
			const PlanTask *own = &x->plan->task.v[i];
			int row = 0;

			for (; row < all.n; row++) {
				const PlansTask *at = &all.v[row];
				const PlanTask *other =
					&t->plans.v[at->plan].plan->task.v[at->task];

				if (digest_equal(&own->task_key, &other->task_key) &&
				    digest_equal(&own->form_key, &other->form_key))
					break;
			}
			if (row == all.n)
				vec_push(t->arena, &all, ((PlansTask){k, i}));
			x->row[i] = row;
		}
	}
	*out = all.v;
	*n = all.n;
}

/* Measured times added up; INFINITY where one is missing. */
static double
total_ns(const Tuner *t, const TunerPlan *x)
{
	double ns = 0;

	for (int i = 0; i < x->plan->task.n; i++) {
		double own = t->report->task[x->row[i]].after_ns;

		ns += own > 0 ? own * x->plan->task.v[i].uses : INFINITY;
	}
	return ns;
}

/* The report is of the Plan's Tasks from now on. */
static void
report_plan(Tuner *t, const TunerPlan *x)
{
	TuneReport *r = t->report;
	TuneTask *all = r->task;

	for (int i = 0; i < r->ntask; i++)
		all[i].uses = 0; /* what is added up later counts what has uses */
	r->ntask = x->plan->task.n;
	r->task = ARENA_ARRAY(r->arena, TuneTask, r->ntask + 1);
	for (int i = 0; i < r->ntask; i++) {
		all[x->row[i]].uses = x->plan->task.v[i].uses;
		r->task[i] = all[x->row[i]];
	}
}

static void
say_total(Tuner *t, const TunerPlan *x, double ns, bool chosen)
{
	const char *text = isfinite(ns) ? arena_printf(t->arena, "plan '%s': %.4g ms%s", x->name,
						       ns * 1e-6, chosen ? ", chosen" : "")
					: arena_printf(t->arena, "plan '%s': not measured whole%s",
						       x->name, chosen ? ", kept" : "");

	tuner_event(t, TUNE_TEXT, NULL, text);
}

int
tuner_choose(Tuner *t, Err *e)
{
	double best_ns;
	int best = 0, rc;

	if (t->plans.n < 2)
		return OK;
	best_ns = total_ns(t, &t->plans.v[0]) * (1 - PLAN_GAIN);
	for (int k = 1; k < t->plans.n && isfinite(best_ns); k++) {
		double ns = total_ns(t, &t->plans.v[k]);

		if (ns < best_ns) {
			best_ns = ns;
			best = k;
		}
	}
	for (int k = 0; k < t->plans.n; k++)
		say_total(t, &t->plans.v[k], total_ns(t, &t->plans.v[k]), k == best);
	report_plan(t, &t->plans.v[best]);
	t->plan = t->plans.v[best].plan;
	rc = best ? put_plan(t, t->plans.v[best].text, e) : OK;
	return !rc && isfinite(best_ns)
		       ? tuner_add_text(t, LOG_TEXT_CHOICE, t->choice, t->plans.v[best].text, e)
		       : rc;
}
