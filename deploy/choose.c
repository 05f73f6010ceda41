/* Which Plan, and which Sched each PlanTask gets: what the log has, else what the analytic model
 * likes best. What the log has but nobody can use any more is passed over, and the report says so.
 */
#include <string.h>

#include "deploy/compiler.h"
#include "search_space/space_form.h"

/* What limited memory is to be compared with. */
static int
plan_whole(Compiler *c, Err *e)
{
	Arena *tmp = arena_new();
	Plan *p;
	int rc = plan_build(c->g, tmp, NULL, &p, e), step;

	if (!rc)
		c->b->whole_bytes = plan_peak(p, tmp, c->b->threads, &step);
	arena_free(tmp);
	return rc;
}

int
choose_plan(Compiler *c, Err *e)
{
	const char *text;
	SpaceForm how = {&c->target, c->opt->tolerance};
	FormCost cost = space_form_cost(&how);
	PlanMemory memory = {c->opt->memory, c->b->threads};
	Err own = {0};
	int rc = memory.bytes ? plan_whole(c, e) : OK;

	if (rc)
		return rc;
	if (c->opt->fixed) {
		c->b->plan = "fixed";
		return plan_parse(c->opt->fixed->plan, c->g, c->a, &c->plan, e);
	}
	rc = NOT_APPLICABLE;
	c->b->plan = "analytic";
	if (c->opt->log)
		rc = log_get_plan(c->opt->log, c->a, plan_key(c->g, memory, c->a), c->b->target,
				  &text, e);
	if (rc == OK) {
		if (plan_parse(text, c->g, c->a, &c->plan, &own) == OK) {
			c->b->plan = "logged";
			return OK;
		}
		c->b->plan = arena_printf(c->a, "analytic: the logged one is refused: %s", own.msg);
	}
	return rc < 0 ? rc
		      : plan_build_within(c->g, c->a, c->opt->scalar ? NULL : &cost, memory,
					  &c->plan, e);
}

/* NOT_APPLICABLE when the log knows nothing of use. */
static int
choose_logged(Compiler *c, const PlanTask *t, Choice *out, Err *e)
{
	char task[DIGEST_TEXT], form[DIGEST_TEXT], why[LOWER_WHY_MAX] = "";
	LogKey key = c->key;
	LogBest best;
	Err own = {0};
	int rc;

	digest_print(&t->task_key, task);
	digest_print(&t->form_key, form);
	key.task = task;
	key.form = form;
	rc = log_best(c->opt->log, c->a, &key, rewrite_names(c->a, c->opt->tolerance), &best, e);
	if (rc || best.grade > LOG_FAMILY)
		return rc ? rc : NOT_APPLICABLE;
	rc = lowered_from_text(c->a, t->task, &t->form, best.row.sched, &c->target, &out->low, why,
			       &own);
	if (rc) {
		out->note = arena_printf(c->a, "row %lld of the log does not lower: %s",
					 (long long)best.row.id, *own.msg ? own.msg : why);
		return NOT_APPLICABLE;
	}
	if (!rewrite_allowed(rewrite_named(out->low.sched.rewrite), c->opt->tolerance)) {
		out->note =
			arena_printf(c->a, "row %lld of the log is not of the algorithm it names",
				     (long long)best.row.id);
		return NOT_APPLICABLE;
	}
	out->grade = log_grade_name(best.grade);
	out->expected_ns = best.row.median_ns > 0 ? best.row.median_ns : best.row.best_ns;
	if (*best.differs)
		out->note = arena_printf(c->a, "measured under another %s", best.differs);
	return OK;
}

static int
choose_scalar(Compiler *c, const PlanTask *t, Choice *out, Err *e)
{
	char why[LOWER_WHY_MAX] = "";
	Sched s = sched_scalar(c->a, t->task, &t->form, "direct");
	Str text = {0};
	int rc;

	sched_print(&s, t->task, &text);
	rc = lowered_from_text(c->a, t->task, &t->form, str_get(&text), &c->target, &out->low, why,
			       e);
	str_fini(&text);
	return rc == NOT_APPLICABLE ? err_set(e, ERR_INTERNAL, "scalar: %s", why) : rc;
}

/* The Space is large and soon of no use, so only text and code of its best row are kept. */
static int
choose_estimate(Compiler *c, const PlanTask *t, Choice *out, Err *e)
{
	char why[LOWER_WHY_MAX] = "";
	Arena *tmp = arena_new();
	int task = (int)(t - c->plan->task.v);
	Lowered best;
	int rc = lowered_estimate(tmp, t->task, &t->form, c->emit, c->opt->tolerance,
				  task_symbol(c, task), &best, e);

	if (!rc)
		rc = lowered_from_text(c->a, t->task, &t->form, best.text, &c->target, &out->low,
				       why, e);
	if (!rc)
		out->expected_ns = best.expected_ns;
	if (!rc && best.code.bytes)
		c->code[task] = code_copy(c->a, &best.code);
	arena_free(tmp);
	return rc == NOT_APPLICABLE ? err_set(e, ERR_INTERNAL, "estimate: %s", why) : rc;
}

static int
choose_fixed(Compiler *c, const PlanTask *t, Choice *out, Err *e)
{
	const CompileFixed *f = c->opt->fixed;
	char why[LOWER_WHY_MAX] = "";
	int rc;

	for (int i = 0; i < f->n; i++) {
		if (!digest_equal(&f->sched[i].task, &t->task_key) ||
		    !digest_equal(&f->sched[i].form, &t->form_key))
			continue;
		out->grade = "fixed";
		rc = lowered_from_text(c->a, t->task, &t->form, f->sched[i].text, &c->target,
				       &out->low, why, e);
		return rc == NOT_APPLICABLE
			       ? err_set(e, ERR_INPUT, "a fixed schedule does not lower: %s", why)
			       : rc;
	}
	return err_set(e, ERR_INPUT, "no fixed schedule for a task of the plan");
}

static int
choose_one(Compiler *c, const PlanTask *t, Choice *out, Err *e)
{
	int rc = NOT_APPLICABLE;

	out->grade = "estimate";
	out->note = "";
	if (c->opt->scalar)
		return choose_scalar(c, t, out, e);
	if (c->opt->fixed)
		return choose_fixed(c, t, out, e);
	if (c->opt->log)
		rc = choose_logged(c, t, out, e);
	return rc == NOT_APPLICABLE ? choose_estimate(c, t, out, e) : rc;
}

int
choose_scheds(Compiler *c, Err *e)
{
	int rc = OK;

	c->choice = ARENA_ARRAY(c->a, Choice, c->plan->task.n + 1);
	c->code = ARENA_ARRAY(c->a, Code, c->plan->task.n + 1);
	for (int i = 0; i < c->plan->task.n && !rc; i++)
		rc = choose_one(c, &c->plan->task.v[i], &c->choice[i], e);
	return rc;
}
