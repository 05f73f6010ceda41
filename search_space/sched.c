/* Sched: construction, text, checks. */
#include "search_space/sched.h"

#include <stdio.h>
#include <string.h>

#include "base/lex.h"
#include "search_space/shared.h"

StageSched
stage_sched_init(void)
{
	return (StageSched){.vec = TASK_NONE, .lanes = 1, .dot = TASK_NONE, .par = 1};
}

Sched
sched_new(Arena *a, const Task *t, const char *rewrite)
{
	Sched s = {.nstage = t->stage.n, .stage = ARENA_ARRAY(a, StageSched, t->stage.n)};

	snprintf(s.rewrite, sizeof s.rewrite, "%s", rewrite);
	for (int i = 0; i < s.nstage; i++)
		s.stage[i] = stage_sched_init();
	return s;
}

void
stage_sched_add(StageSched *s, int axis, int64_t step)
{
	if (s->n < SCHED_SPLITS_MAX)
		s->split[s->n++] = (Split){axis, step};
}

bool
stage_sched_equal(const StageSched *a, const StageSched *b)
{
	bool same = a->inlined == b->inlined && a->vec == b->vec && a->lanes == b->lanes &&
		    a->dot == b->dot && a->par == b->par && a->peel == b->peel &&
		    a->prefetch == b->prefetch && a->n == b->n;

	for (int i = 0; same && i < a->n; i++)
		same = a->split[i].axis == b->split[i].axis && a->split[i].step == b->split[i].step;
	return same;
}

static void
share_all(Sched *s, Arena *a, const Task *t)
{
	bool *idle = ARENA_ARRAY(a, bool, t->stage.n + 1);
	Axis axis[STAGE_AXES_MAX];
	int n;

	for (int i = 0; i < t->stage.n; i++)
		idle[i] = stage_is_const(t, i);
	n = shared_axes(t, idle, axis);
	for (s->nfuse = 0; s->nfuse < n && s->nfuse < SCHED_FUSE_MAX; s->nfuse++) {
		s->fuse[s->nfuse].step = 1;
		snprintf(s->fuse[s->nfuse].axis, TASK_NAME_MAX, "%s", axis[s->nfuse].name);
	}
}

Sched
sched_scalar(Arena *a, const Task *t, const TaskForm *f, const char *rewrite)
{
	Sched s = sched_new(a, t, rewrite);

	if (f->room)
		share_all(&s, a, t);

	for (int i = 0; i < s.nstage; i++)
		for (int x = 0; x < t->stage.v[i].naxes; x++)
			stage_sched_add(&s.stage[i], x, 1);
	return s;
}

void
stage_sched_print(const StageSched *q, const Stage *s, Str *out)
{
	bool bar = false;

	if (q->inlined) {
		str_add(out, "inline\n");
		return;
	}
	str_add(out, "nest");
	if (q->vec != TASK_NONE)
		str_printf(out, " vec=%s", s->axis[q->vec].name);
	if (q->vec != TASK_NONE && q->lanes)
		str_printf(out, " vl=%d", q->lanes);
	if (q->dot != TASK_NONE)
		str_printf(out, " dot=%s", s->axis[q->dot].name);
	if (q->par > 1)
		str_printf(out, " par=%d", q->par);
	if (q->prefetch)
		str_add(out, " pf");
	if (q->peel)
		str_add(out, " peel");
	for (int i = 0; i < q->n; i++) {
		if (q->split[i].axis >= s->nspatial && !bar) {
			str_add(out, " |");
			bar = true;
		}
		str_printf(out, " %s:%lld", s->axis[q->split[i].axis].name,
			   (long long)q->split[i].step);
	}
	str_add(out, "\n");
}

void
sched_print(const Sched *s, const Task *t, Str *out)
{
	str_printf(out, "%s\n", s->rewrite);
	if (s->nfuse) {
		str_add(out, "fuse");
		for (int i = 0; i < s->nfuse; i++)
			str_printf(out, " %s:%lld", s->fuse[i].axis, (long long)s->fuse[i].step);
		str_add(out, "\n");
	}
	for (int i = 0; i < s->nstage; i++)
		if (!stage_is_const(t, i))
			stage_sched_print(&s->stage[i], &t->stage.v[i], out);
}

int
sched_parse_rewrite(const char *text, char rewrite[SCHED_REWRITE_MAX], Err *e)
{
	char name[LEX_NAME_MAX];
	Lex l;

	lex_init(&l, "sched", text, e);
	lex_newline(&l);
	lex_name(&l, name);
	if (strlen(name) >= SCHED_REWRITE_MAX)
		lex_fail(&l, "name of the rewrite is too long");
	snprintf(rewrite, SCHED_REWRITE_MAX, "%.*s", SCHED_REWRITE_MAX - 1, name);
	return lex_done(&l);
}

static int
parse_axis(Lex *l, const Stage *s)
{
	char name[LEX_NAME_MAX];
	int a;

	lex_name(l, name);
	a = stage_axis_named(s, name);
	if (a == TASK_NONE)
		lex_fail(l, "the stage has no axis '%s'", name);
	return a;
}

/* One word of a stage line: a flag with or without value, or axis:step. */
static void
parse_word(Lex *l, const Stage *s, StageSched *q)
{
	if (lex_word(l, "vec")) {
		lex_need(l, '=');
		q->vec = parse_axis(l, s);
		q->lanes = 0;
	} else if (lex_word(l, "vl")) {
		lex_need(l, '=');
		q->lanes = (int)lex_int(l, 2, 64);
	} else if (lex_word(l, "dot")) {
		lex_need(l, '=');
		q->dot = parse_axis(l, s);
	} else if (lex_word(l, "par")) {
		lex_need(l, '=');
		q->par = (int)lex_int(l, 1, 16);
	} else if (lex_word(l, "pf")) {
		q->prefetch = true;
	} else if (lex_word(l, "peel")) {
		q->peel = true;
	} else {
		int a = parse_axis(l, s);

		lex_need(l, ':');
		if (q->n == SCHED_SPLITS_MAX)
			lex_fail(l, "more than %d steps", SCHED_SPLITS_MAX);
		stage_sched_add(q, a, lex_int(l, 1, INT32_MAX));
	}
}

static void
parse_stage(Lex *l, const Stage *s, StageSched *q)
{
	*q = stage_sched_init();
	if (lex_word(l, "inline")) {
		q->inlined = true;
		return;
	}
	if (!lex_word(l, "nest"))
		lex_fail(l, "expected 'nest' or 'inline'");
	while (lex_at_name(l) || lex_peek(l, '|'))
		if (!lex_char(l, '|'))
			parse_word(l, s, q);
}

static void
parse_fuse(Lex *l, Sched *s)
{
	while (lex_at_name(l)) {
		char name[LEX_NAME_MAX];

		lex_name(l, name);
		lex_need(l, ':');
		if (s->nfuse == SCHED_FUSE_MAX || strlen(name) >= TASK_NAME_MAX) {
			lex_fail(l, "too many shared loops or too long a name");
			return;
		}
		snprintf(s->fuse[s->nfuse].axis, TASK_NAME_MAX, "%.*s", TASK_NAME_MAX - 1, name);
		s->fuse[s->nfuse++].step = lex_int(l, 1, INT32_MAX);
	}
}

int
sched_parse(const char *text, const Task *t, Arena *a, Sched *out, Err *e)
{
	char rewrite[SCHED_REWRITE_MAX], name[LEX_NAME_MAX];
	Lex l;

	if (sched_parse_rewrite(text, rewrite, e))
		return ERR_INPUT;
	*out = sched_new(a, t, rewrite);
	lex_init(&l, "sched", text, e);
	lex_newline(&l);
	lex_name(&l, name);
	if (!lex_newline(&l) && !lex_at_end(&l))
		lex_fail(&l, "expected the end of the line");
	if (lex_word(&l, "fuse")) {
		parse_fuse(&l, out);
		lex_newline(&l);
	}
	for (int i = 0; i < t->stage.n && !l.failed; i++) {
		if (stage_is_const(t, i))
			continue;
		parse_stage(&l, &t->stage.v[i], &out->stage[i]);
		if (!lex_newline(&l) && !lex_at_end(&l))
			lex_fail(&l, "expected the end of the line");
	}
	if (!lex_at_end(&l))
		lex_fail(&l, "more lines than stages");
	return lex_done(&l) ? ERR_INPUT : sched_check(out, t, e);
}

static int
check_dot(const StageSched *q, const Stage *s, Err *e)
{
	if (q->dot == TASK_NONE)
		return OK;
	if (q->dot < s->nspatial || q->dot >= s->naxes)
		return err_set(e, ERR_INPUT, "dot wants a reduction axis");
	if (q->vec == TASK_NONE || q->vec >= s->nspatial)
		return err_set(e, ERR_INPUT, "dot wants lanes along a spatial axis");
	return OK;
}

static int
check_stage(const StageSched *q, const Stage *s, Err *e)
{
	int64_t last[STAGE_AXES_MAX] = {0};
	bool reducing = false;

	if (q->inlined)
		return OK;
	for (int i = 0; i < q->n; i++) {
		int a = q->split[i].axis;

		if (a < 0 || a >= s->naxes || q->split[i].step < 1)
			return err_set(e, ERR_INPUT, "step %d is out of range", i);
		if (last[a] && q->split[i].step > last[a])
			return err_set(e, ERR_INPUT, "steps of %s grow", s->axis[a].name);
		if (reducing && a < s->nspatial)
			return err_set(e, ERR_INPUT, "spatial axis %s inside the reduction",
				       s->axis[a].name);
		reducing |= a >= s->nspatial;
		last[a] = q->split[i].step;
	}
	if (q->lanes & (q->lanes - 1))
		return err_set(e, ERR_INPUT, "%d lanes, not a power of two", q->lanes);
	if (q->vec < TASK_NONE || q->vec >= s->naxes || q->lanes < 0 || q->lanes > 64 ||
	    q->par < 1 || q->par > 16)
		return err_set(e, ERR_INPUT, "lanes or partial accumulators out of range");
	return check_dot(q, s, e);
}

int
sched_check(const Sched *s, const Task *t, Err *e)
{
	if (s->nstage != t->stage.n)
		return err_set(e, ERR_INPUT, "sched for %d stages, the task has %d", s->nstage,
			       t->stage.n);
	for (int i = 0; i < s->nstage; i++)
		if (check_stage(&s->stage[i], &t->stage.v[i], e)) {
			err_prefix(e, "sched of stage %d: ", i);
			return ERR_INPUT;
		}
	return OK;
}
