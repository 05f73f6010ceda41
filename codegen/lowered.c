/* From the text of a Sched to a Loop, and the choice of last resort among texts. */
#include "codegen/lowered.h"

#include <stdio.h>

#include "search_space/rewrite.h"

enum { ESTIMATE_TRIES = 24, ESTIMATE_MORE = 2048 };

static int
lower_into(Arena *a, const Target *target, Lowered *out, char why[LOWER_WHY_MAX])
{
	Str text = {0};
	int rc = lower(a, out->task, &out->form, &out->sched, target, (LowerOptions){0}, &out->loop,
		       why);

	if (rc)
		return rc;
	sched_print(&out->sched, out->task, &text);
	out->text = arena_strdup(a, str_get(&text));
	str_fini(&text);
	return OK;
}

int
lowered_from_text(Arena *a, const Task *t, const TaskForm *f, const char *text,
		  const Target *target, Lowered *out, char why[LOWER_WHY_MAX], Err *e)
{
	char rewrite[SCHED_REWRITE_MAX];
	int rc;

	*out = (Lowered){0};
	if ((rc = sched_parse_rewrite(text, rewrite, e)) ||
	    (rc = rewrite_apply(rewrite, a, t, f, &out->task, &out->form, e)) ||
	    (rc = sched_parse(text, out->task, a, &out->sched, e)))
		return rc;
	out->slack = rewrite_named(rewrite)->slack;
	return lower_into(a, target, out, why);
}

static int
lower_pick(Arena *a, const Space *s, const Pick *p, const Target *target, Lowered *out,
	   char why[LOWER_WHY_MAX])
{
	const Variant *v = &s->variant.v[p->variant];

	*out = (Lowered){.task = v->task,
			 .form = v->form,
			 .sched = space_sched(s, a, p),
			 .slack = v->slack,
			 .expected_ns = space_cost(s, p)};
	return lower_into(a, target, out, why);
}

int
lowered_estimate(Arena *a, const Task *t, const TaskForm *f, const Target *target,
		 ToleranceClass tolerance, Lowered *out, Err *e)
{
	Space s;
	int rc = space_build(a, t, f, target, tolerance, &s, e);

	return rc ? rc : lowered_estimate_in(a, &s, t, f, target, out, e);
}

/* The first of the n cheapest picks that lowers; the plainest schedule is no match for any. */
static int
lower_first(Arena *a, const Space *s, int n, const Target *target, Lowered *out)
{
	Arena *tmp = arena_new();
	Pick *top = ARENA_ARRAY(tmp, Pick, n);
	char why[LOWER_WHY_MAX] = "";
	int rc = NOT_APPLICABLE;

	n = space_top(s, n, top);
	for (int i = 0; i < n && rc; i++)
		if (!space_is_scalar(s, &top[i]))
			rc = lower_pick(a, s, &top[i], target, out, why);
	arena_free(tmp);
	return rc;
}

int
lowered_estimate_in(Arena *a, const Space *s, const Task *t, const TaskForm *f,
		    const Target *target, Lowered *out, Err *e)
{
	char why[LOWER_WHY_MAX] = "";

	if (lower_first(a, s, ESTIMATE_TRIES, target, out) == OK ||
	    lower_first(a, s, ESTIMATE_MORE, target, out) == OK)
		return OK;
	*out = (Lowered){.task = task_copy(a, t), .form = *f, .slack = 1};
	out->sched = sched_scalar(a, t, "direct");
	if (lower_into(a, target, out, why))
		return err_set(e, ERR_INTERNAL, "the plainest schedule does not lower: %s", why);
	return OK;
}
