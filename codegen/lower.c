/* The driver of the lowering: places of tensors, groups of stages under shared loops, phases. */
#include "codegen/lower.h"

#include <stdio.h>
#include <string.h>

#include "codegen/lowering.h"

static bool
is_transparent(const Lower *l, int stage)
{
	return stage_is_const(l->t, stage) || l->s->stage[stage].inlined;
}

static bool
has_shared_axes(const Lower *l, int stage)
{
	for (int f = 0; f < l->s->nfuse; f++)
		if (stage_spatial_axis(&l->t->stage.v[stage], l->s->fuse[f].axis) == TASK_NONE)
			return false;
	return l->s->nfuse > 0;
}

/* One past the last stage of the group that starts at `first`: a run of stages that all have the
 * shared axes, or one stage alone. */
static int
group_end(const Lower *l, int first, bool *shared)
{
	int end = first;

	*shared = false;
	while (end < l->t->stage.n && (is_transparent(l, end) || has_shared_axes(l, end)))
		*shared |= !is_transparent(l, end++);
	return end > first ? end : first + 1;
}

/* Whether a stage outside [first, end) writes the tensor or needs its elements; an inline stage
 * needs them where its readers stand. */
static bool
used_outside(const Lower *l, int tensor, int first, int end)
{
	for (int s = 0; s < l->t->stage.n; s++) {
		const Stage *q = &l->t->stage.v[s];
		bool outside = s < first || s >= end;

		if (q->out == tensor && outside)
			return true;
		if (!stage_reads(l->t, s, tensor))
			continue;
		if (l->s->stage[s].inlined ? used_outside(l, q->out, first, end) : outside)
			return true;
	}
	return false;
}

/* A temporary made and read only inside one shared group keeps just the part of one iteration. */
static void
reduce_to_shared_part(Lower *l, int tensor, int64_t dim[TASK_RANK_MAX])
{
	Place *p = &l->place[tensor];
	int first = 0, end;
	bool shared;

	for (;; first = end) {
		end = group_end(l, first, &shared);
		if (p->stage < end)
			break;
	}
	if (!shared || used_outside(l, tensor, first, end))
		return;
	p->own = true;
	for (int d = 0; d < l->t->tensor.v[tensor].rank; d++) {
		p->shared[d] = p->follows[d];
		if (p->shared[d] && l->s->fuse[p->shared[d] - 1].step < dim[d])
			dim[d] = l->s->fuse[p->shared[d] - 1].step;
	}
}

/* Which dimensions of its output every stage indexes by a shared axis and nothing else. */
static void
find_followers(Lower *l, int stage)
{
	const Stage *s = &l->t->stage.v[stage];
	Place *p = &l->place[s->out];

	if (!has_shared_axes(l, stage))
		return;
	for (int d = 0; d < l->t->tensor.v[s->out].rank; d++)
		for (int f = 0; f < l->s->nfuse; f++)
			if (index_is_axis(&s->out_ix[d], stage_spatial_axis(s, l->s->fuse[f].axis)))
				p->follows[d] = f + 1;
}

static int
add_root(Lower *l, RootKind kind, int arg, int64_t bytes, bool own)
{
	Root r = {.kind = kind, .arg = arg, .bytes = (bytes + 63) & ~(int64_t)63};

	r.stride = own ? r.bytes : 0;
	vec_push(l->a, &l->loop->root, r);
	return l->loop->root.n - 1;
}

static void
place_temporary(Lower *l, int i)
{
	const TaskTensor *x = &l->t->tensor.v[i];
	int64_t dim[TASK_RANK_MAX];
	Place *p = &l->place[i];

	memcpy(dim, x->dim, sizeof dim);
	reduce_to_shared_part(l, i, dim);
	p->layout =
		form_layout(&l->f->v[i], dim, x->type, l->f->room ? 0 : target_lanes(l->b.target));
	p->root = add_root(l, ROOT_SCRATCH, 0, p->layout.count * (int64_t)dtype_size(x->type),
			   p->own);
}

static void
place_tensors(Lower *l)
{
	l->place = ARENA_ARRAY(l->a, Place, l->t->tensor.n);
	add_root(l, ROOT_POOL, 0, 0, false); /* root 0: no tensor of a Place has it */
	for (int i = 0; i < l->t->tensor.n; i++) {
		l->place[i].stage = TASK_NONE;
		for (int s = 0; s < l->t->stage.n; s++)
			if (l->t->stage.v[s].out == i)
				l->place[i].stage = s;
		if (l->place[i].stage != TASK_NONE)
			find_followers(l, l->place[i].stage);
	}
	for (int i = 0; i < l->t->tensor.n; i++) {
		const TaskTensor *x = &l->t->tensor.v[i];
		Place *p = &l->place[i];

		p->inlined = p->stage != TASK_NONE && l->s->stage[p->stage].inlined;
		if (p->inlined && x->kind != TENSOR_TMP)
			build_refuse(&l->b, "%s is stored, its stage cannot be inline", x->name);
		if (x->kind == TENSOR_TMP && !p->inlined) {
			place_temporary(l, i);
			continue;
		}
		p->layout = form_layout(&l->f->v[i], x->dim, x->type, 0);
		if (x->kind == TENSOR_IN)
			p->root = add_root(l, ROOT_IN, l->loop->nin++, 0, false);
		else if (x->kind == TENSOR_OUT)
			p->root = add_root(l, ROOT_OUT, l->loop->nout++, 0, false);
	}
}

static void
check_room(Lower *l)
{
	size_t bytes = 0;

	for (int i = 0; i < l->loop->root.n; i++)
		if (l->loop->root.v[i].kind == ROOT_SCRATCH)
			bytes += (size_t)l->loop->root.v[i].bytes;
	if (l->f->room && bytes > l->f->room)
		build_refuse(&l->b, "temporaries of %zu bytes, room for %zu", bytes, l->f->room);
}

static void
group_body(Lower *l, int first, int end)
{
	l->shared_depth = l->b.depth;
	for (int s = first; s < end && !l->b.refused; s++)
		if (!is_transparent(l, s))
			nest_stage(l, s);
}

/* Shared loops from the f-th inward: whole steps, then the remainder. A single step before a
 * remainder is a loop too: what it loaded from temporaries is then forgotten with its body. */
static void
shared_loops(Lower *l, int f, int first, int end)
{
	int64_t extent = 0, step, count, rest;

	if (f == l->nshared || l->b.refused) {
		group_body(l, first, end);
		return;
	}
	for (int s = first; s < end; s++) {
		int a = stage_spatial_axis(&l->t->stage.v[s], l->s->fuse[f].axis);

		if (a == TASK_NONE || is_transparent(l, s))
			continue;
		if (extent && extent != l->t->stage.v[s].axis[a].extent)
			build_refuse(&l->b, "shared axis %s has two extents", l->s->fuse[f].axis);
		extent = l->t->stage.v[s].axis[a].extent;
	}
	step = l->s->fuse[f].step < extent ? l->s->fuse[f].step : extent;
	count = extent / step;
	rest = extent % step;
	l->shared_base[f] = (Aff){0};
	l->shared_span[f] = step;
	if (count > 1 || rest) {
		l->shared_base[f].loop[build_loop(&l->b, count)] = (int32_t)step;
		build_apart(&l->b);
	}
	shared_loops(l, f + 1, first, end);
	if (count > 1 || rest)
		build_end(&l->b);
	if (!rest)
		return;
	l->shared_base[f] = (Aff){.k = count * step};
	l->shared_span[f] = rest;
	shared_loops(l, f + 1, first, end);
}

static void
lower_group(Lower *l, int first, int end, bool shared)
{
	bool any = false;

	for (int s = first; s < end; s++)
		any |= !is_transparent(l, s);
	if (!any)
		return;
	build_phase(&l->b);
	l->nshared = shared ? l->s->nfuse : 0;
	l->group_first = first;
	l->group_end = end;
	shared_loops(l, 0, first, end);
	for (int s = first; s < end; s++) {
		l->st = &l->t->stage.v[s];
		if (!is_transparent(l, s) && l->place[l->st->out].stage == s)
			border_fill(l, l->st->out);
	}
}

/* Where the temporaries lie, when it is known how many chunks there may be. */
static void
place_scratch(Loop *l)
{
	for (int i = 0; i < l->root.n; i++) {
		Root *r = &l->root.v[i];

		if (l->threads == 1)
			r->stride = 0;
		r->offset = l->scratch_bytes;
		if (r->kind == ROOT_SCRATCH)
			l->scratch_bytes += r->bytes * (r->stride ? l->threads : 1);
	}
}

/* Floating-point operations of a body, loops multiplied out. */
static double
body_flops(const Loop *l, int body)
{
	double sum = 0;

	for (int i = 0; i < l->body.v[body].n; i++) {
		const LoopNode *n = &l->node.v[l->body.v[body].v[i]];

		if (n->op == LOOP_LOOP)
			sum += (double)n->k2 * body_flops(l, (int)n->k);
		else if (n->op == LOOP_FMA)
			sum += 2 * n->lanes;
		else if (n->op == LOOP_DOT)
			sum += 2 * TARGET_DOT_BYTES * n->lanes;
		else if (n->op >= LOOP_ADD && n->op <= LOOP_SQRT)
			sum += n->lanes;
	}
	return sum;
}

int
lower(Arena *a, const Task *t, const TaskForm *f, const Sched *s, const Target *target,
      LowerOptions opt, Loop **out, char why[LOWER_WHY_MAX])
{
	Lower *l = ARENA_NEW(a, Lower);
	bool shared;

	*l = (Lower){.a = a, .t = t, .f = f, .s = s, .loop = loop_new(a)};
	build_init(&l->b, l->loop, target, opt.nodes_max ? opt.nodes_max : LOWER_NODES_DEFAULT);
	place_tensors(l);
	check_room(l);
	for (int first = 0, end; first < t->stage.n && !l->b.refused; first = end) {
		end = group_end(l, first, &shared);
		lower_group(l, first, end, shared);
	}
	if (l->b.refused) {
		snprintf(why, LOWER_WHY_MAX, "%s", l->b.why);
		return NOT_APPLICABLE;
	}
	segments_place(l);
	share_out(l->loop, target);
	place_scratch(l->loop);
	for (int p = 0; p < l->loop->phase.n; p++)
		l->loop->flops += body_flops(l->loop, l->loop->phase.v[p]);
	*out = l->loop;
	return OK;
}
