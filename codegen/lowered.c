/* From the text of a Sched to a Loop, and the choice of last resort among texts. */
#include "codegen/lowered.h"

#include <stdio.h>
#include <string.h>

#include "search_space/rewrite.h"

enum { ESTIMATE_TRIES = 200, ESTIMATE_MORE = 2048, SPILL_TRIES = 12 };

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

/* The stage with the most to do: its tile decides whether the code spills. */
static int
hot_stage(const Lowered *l)
{
	int64_t most = -1;
	int hot = 0;

	for (int s = 0; s < l->task->stage.n; s++) {
		const Stage *st = &l->task->stage.v[s];
		int64_t work = stage_macs(st);

		if (stage_is_const(l->task, s) || work <= most)
			continue;
		most = work;
		hot = s;
	}
	return hot;
}

/* Whether the hot stages have the same innermost steps. */
static bool
same_tile(const Lowered *x, const Lowered *y)
{
	const StageSched *p = &x->sched.stage[hot_stage(x)], *q = &y->sched.stage[hot_stage(y)];
	int64_t last[2][STAGE_AXES_MAX] = {{0}};

	if (strcmp(x->sched.rewrite, y->sched.rewrite))
		return false;
	for (int i = 0; i < p->n; i++)
		last[0][p->split[i].axis] = p->split[i].step;
	for (int i = 0; i < q->n; i++)
		last[1][q->split[i].axis] = q->split[i].step;
	return p->inlined == q->inlined && p->vec == q->vec && p->lanes == q->lanes &&
	       p->dot == q->dot && p->par == q->par && !memcmp(last[0], last[1], sizeof last[0]);
}

/* What functions are called: a name, or by what they compute, and then the code is kept. */
typedef struct Namer {
	const char *name;
	ObjectCache *kept;
} Namer;

static int
emit_named(Arena *a, Emit *m, const Namer *by, Lowered *l, Err *e)
{
	Objects o;
	int rc;

	if (by->name)
		return emit(m, l->loop, by->name, a, &l->code, e);
	if (!(rc = objects_emit(by->kept, m, l->loop, a, &o, e)))
		l->code.spills = o.spills;
	return rc;
}

/* The first of the n cheapest picks that lowers and does not spill. Where some spill and the tries
 * are used up, the one that does so least. The plainest schedule is no match for any. */
static bool
first_that_fits(Arena *a, const Space *s, int n, Emit *m, const Namer *by, Lowered *out)
{
	Arena *tmp = arena_new();
	Pick *top = ARENA_ARRAY(tmp, Pick, n);
	Lowered tried[SPILL_TRIES], low;
	char why[LOWER_WHY_MAX] = "";
	int ntried = 0, best = 0;
	Err unsaid = {0}; /* what cannot be emitted is said when it is emitted for good */

	n = space_top(s, n, top);
	for (int i = 0; i < n && ntried < SPILL_TRIES; i++) {
		bool known = false;

		if (space_is_scalar(s, &top[i]) ||
		    lower_pick(a, s, &top[i], emit_target(m), &low, why))
			continue;
		for (int k = 0; k < ntried; k++)
			known |= same_tile(&tried[k], &low);
		if (known)
			continue;
		if (emit_named(a, m, by, &low, &unsaid))
			low.code = (Code){0};
		tried[ntried] = low;
		if (low.code.spills < tried[best].code.spills)
			best = ntried;
		ntried++;
		if (!low.code.spills)
			break;
	}
	arena_free(tmp);
	if (ntried)
		*out = tried[best];
	return ntried > 0;
}

static int
estimate(Arena *a, const Space *s, const Task *t, const TaskForm *f, Emit *m, const Namer *by,
	 Lowered *out, Err *e)
{
	char why[LOWER_WHY_MAX] = "";

	if (first_that_fits(a, s, ESTIMATE_TRIES, m, by, out) ||
	    first_that_fits(a, s, ESTIMATE_MORE, m, by, out))
		return OK;
	*out = (Lowered){.task = task_copy(a, t), .form = *f, .slack = 1};
	out->sched = sched_scalar(a, t, f, "direct");
	if (lower_into(a, emit_target(m), out, why))
		return err_set(e, ERR_INTERNAL, "the plainest schedule does not lower: %s", why);
	return OK;
}

int
lowered_estimate(Arena *a, const Task *t, const TaskForm *f, Emit *m, ToleranceClass tolerance,
		 const char *name, Lowered *out, Err *e)
{
	Space s;
	Namer by = {name, NULL};
	int rc = space_build(a, t, f, emit_target(m), tolerance, &s, e);

	return rc ? rc : estimate(a, &s, t, f, m, &by, out, e);
}

int
lowered_estimate_in(Arena *a, const Space *s, const Task *t, const TaskForm *f, Emit *m,
		    ObjectCache *kept, Lowered *out, Err *e)
{
	return estimate(a, s, t, f, m, &(Namer){NULL, kept}, out, e);
}
