/* Prefetch of packed constants, and of what final expressions read.
 *
 * A slab is what a segment holds for one iteration of a loop; when other loops run the same slab
 * several times, there is time to fetch the next one from memory. The lines of the next slab are
 * spread evenly over all iterations that use the present one, and over the unrolled steps of each:
 * fetched at once they would push out what is in use, or find no free buffer; fetched a fixed
 * distance ahead they come too late.
 *
 * What the final expression reads at run time, a residual, is fetched before the reduction: by its
 * end it is there, while a load behind it would begin only then. Lines to be written are left
 * alone, fetching them gained nothing.
 */
#include "codegen/lowering.h"

void
prefetch_note(Lower *l, const Stream *s)
{
	if (!l->ss->prefetch || !l->reducing || l->nstream == STREAMS_MAX)
		return;
	for (int i = 0; i < l->nstream; i++)
		if (l->stream[i].seg == s->seg)
			return;
	l->stream[l->nstream++] = *s;
}

static bool
follows(const Stream *s, int level)
{
	for (int i = 0; i < s->nloop; i++)
		if (s->level[i] == level)
			return true;
	return false;
}

/* The loop of the segment whose iterations are the slabs: the innermost with a loop inside that
 * the segment does not follow. TASK_NONE: every constant is read once. */
static int
slab_loop(const Lower *l, const Stream *s)
{
	for (int i = s->nloop - 1; i >= 0; i--)
		for (int v = s->level[i] + 1; v <= l->b.depth; v++)
			if (!follows(s, v) && l->b.extent[v] > 1)
				return i;
	return TASK_NONE;
}

static int
seg_step(Lower *l, int at, const Stream *s, int loop, int level, int64_t parts)
{
	return build_node(&l->b,
			  (LoopNode){.op = LOOP_SEG_STEP,
				     .lanes = 1,
				     .a = at,
				     .b = level,
				     .c = s->seg,
				     .k = loop,
				     .k2 = parts,
				     .depth = (int16_t)level},
			  true);
}

static void
prefetch_slab(Lower *l, const Stream *s, int step, int steps)
{
	int slab = slab_loop(l, s), at;
	int64_t parts = 1;

	if (slab == TASK_NONE)
		return;
	at = segment_base(l, s->seg);
	for (int i = 0; i <= slab; i++)
		at = seg_step(l, at, s, i, s->level[i], 0);
	for (int v = s->level[slab] + 1; v <= l->b.depth; v++) {
		parts *= l->b.extent[v];
		at = seg_step(l, at, s, slab, v, parts);
	}
	build_node(&l->b,
		   (LoopNode){.op = LOOP_PREFETCH,
			      .lanes = (int16_t)steps,
			      .valid = (int16_t)steps,
			      .a = at,
			      .b = step,
			      .c = s->seg,
			      .k = slab,
			      .k2 = parts,
			      .depth = (int16_t)l->b.depth},
		   false);
}

void
prefetch_next_slabs(Lower *l, int step, int steps)
{
	for (int i = 0; i < l->nstream && !l->b.refused; i++)
		prefetch_slab(l, &l->stream[i], step, steps);
	if (step == steps - 1)
		l->nstream = 0;
}

void
prefetch_final(Lower *l, int expr, const Env *env)
{
	const Expr *e;
	const int via[TASK_RANK_MAX] = {0};
	Aff ix[TASK_RANK_MAX];
	bool plain = true;

	if (expr == TASK_NONE)
		return;
	e = &l->t->expr.v[expr];
	prefetch_final(l, e->a, env);
	prefetch_final(l, e->b, env);
	prefetch_final(l, e->c, env);
	if (e->op != EXPR_LOAD || !l->place[e->tensor].root)
		return;
	for (int d = 0; d < l->t->tensor.v[e->tensor].rank; d++) {
		ix[d] = aff_of(&e->ix[d], env);
		plain &= e->ix[d].via == TASK_NONE;
	}
	if (plain)
		access_touch(l, e->tensor,
			     &(Access){.ix = ix,
				       .via = via,
				       .has_else = e->has_else,
				       .otherwise = e->otherwise},
			     env);
}
