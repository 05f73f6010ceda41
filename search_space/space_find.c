/* From the text of a Sched back to the pick that has it. */
#include <string.h>

#include "search_space/space.h"

static bool
same_loops(const Sched *a, const Sched *b)
{
	bool same = a->nfuse == b->nfuse;

	for (int i = 0; same && i < a->nfuse; i++)
		same = a->fuse[i].step == b->fuse[i].step &&
		       !strcmp(a->fuse[i].axis, b->fuse[i].axis);
	return same;
}

/* Number of the option, or -1. */
static int
find_option(const StageOptions *o, const StageSched *q)
{
	for (int i = 0; i < o->option.n; i++)
		if (stage_sched_equal(&o->option.v[i].sched, q))
			return i;
	return -1;
}

static bool
find_in(const Variant *v, const Sched *q, Pick *p)
{
	if (!same_loops(&v->base, q))
		return false;
	for (int i = 0; i < v->task->stage.n; i++) {
		if (stage_is_const(v->task, i))
			continue;
		if ((p->option[i] = find_option(&v->stage[i], &q->stage[i])) < 0)
			return false;
	}
	return true;
}

int
space_find(const Space *s, const char *text, Pick *out)
{
	char rewrite[SCHED_REWRITE_MAX];
	Arena *work = arena_new();
	int rc = NOT_APPLICABLE;
	Err ignored = {0};
	Sched q;

	if (sched_parse_rewrite(text, rewrite, &ignored))
		rewrite[0] = 0;
	for (int i = 0; i < s->variant.n && rc; i++) {
		const Variant *v = &s->variant.v[i];

		*out = (Pick){.variant = i};
		if (!strcmp(v->rewrite, rewrite) &&
		    !sched_parse(text, v->task, work, &q, &ignored) && find_in(v, &q, out))
			rc = OK;
	}
	arena_free(work);
	return rc;
}
