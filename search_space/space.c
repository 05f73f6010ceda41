/* Variants, and picks among their options. */
#include "search_space/space.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search_space/options.h"
#include "search_space/shared.h"

enum { PHASE_NS = 60, FUSE_STEPS = 5 };

/* An algorithm that looks this much dearer than the best plain one is offered plain only. */
static const double promising = 1.5;

static bool
is_idle(const Variant *v, int stage)
{
	return stage_is_const(v->task, stage) || v->base.stage[stage].inlined;
}

/* Extents that the shared loops leave of a stage's axes, 0 where they leave them whole. */
static void
share_axes(const Variant *v, int stage, int64_t share[STAGE_AXES_MAX])
{
	const Stage *s = &v->task->stage.v[stage];

	memset(share, 0, STAGE_AXES_MAX * sizeof *share);
	for (int f = 0; f < v->base.nfuse; f++) {
		const SharedLoop *loop = &v->base.fuse[f];
		int a = stage_spatial_axis(s, loop->axis);

		if (a != TASK_NONE)
			share[a] = loop->step;
	}
}

/* How much sooner the threads end that share the outermost shared loop of a stage. */
static double
shared_gain(const Variant *v, int stage, const Target *t)
{
	const Stage *s = &v->task->stage.v[stage];
	int a = v->base.nfuse ? stage_spatial_axis(s, v->base.fuse[0].axis) : TASK_NONE;

	return a == TASK_NONE || t->threads <= 1
		       ? 1
		       : cost_shared((double)s->axis[a].extent, (double)v->base.fuse[0].step, t);
}

void
variant_stage_info(const Variant *v, int stage, StageInfo *out)
{
	bool inlined[TASK_STAGES_MAX];
	int64_t share[STAGE_AXES_MAX];

	for (int s = 0; s < v->task->stage.n; s++)
		inlined[s] = v->base.stage[s].inlined;
	share_axes(v, stage, share);
	stage_info(v->task, &v->form, stage, inlined, share, out);
}

static bool
complete_variant(Arena *a, Variant *v, const Target *t)
{
	bool fused = v->base.nfuse > 0;
	Target one = *t; /* inside shared loops a stage is one thread's */

	one.threads = 1;

	if (v->task->stage.n > TASK_STAGES_MAX)
		return false;
	v->stage = ARENA_ARRAY(a, StageOptions, v->task->stage.n);
	for (int s = 0; s < v->task->stage.n; s++) {
		StageInfo info;
		double gain;

		if (is_idle(v, s)) {
			vec_push(a, &v->stage[s].option, ((Option){.sched = v->base.stage[s]}));
			continue;
		}
		variant_stage_info(v, s, &info);
		options_of_stage(a, &info, fused ? &one : t, &v->stage[s]);
		if (!v->stage[s].option.n)
			return false;
		gain = shared_gain(v, s, t);
		for (int i = 0; i < v->stage[s].option.n; i++)
			v->stage[s].option.v[i].ns /= gain;
		v->ns += PHASE_NS;
	}
	if (fused && t->threads > 1)
		v->ns += t->fork_ns;
	return true;
}

static double
cheapest(const Variant *v)
{
	double ns = v->ns;

	for (int s = 0; s < v->task->stage.n; s++)
		ns += v->stage[s].option.v[0].ns;
	return ns;
}

/* Adds v when its stages have options; its cost counts temporaries as the stages' own traffic. */
static void
add_variant(Space *s, Variant v, const Target *t)
{
	if (complete_variant(s->arena, &v, t))
		vec_push(s->arena, &s->variant, v);
}

/* A stage that may be evaluated where it is read: no reduction or a short one, a temporary. */
static bool
can_inline(const Task *t, int stage)
{
	const Stage *s = &t->stage.v[stage];
	int64_t terms = 1;

	if (stage_is_const(t, stage) || t->tensor.v[s->out].kind != TENSOR_TMP)
		return false;
	for (int a = s->nspatial; a < s->naxes; a++)
		terms *= s->axis[a].extent;
	/* What only moves elements would have been merged by task_fuse: it is there to pack them.
	 */
	if (terms > 6 || (t->expr.v[s->value].op == EXPR_LOAD && !t->expr.v[s->value].has_else))
		return false;
	for (int d = 0; d < t->tensor.v[s->out].rank; d++) {
		int axes = 0;

		for (int a = 0; a < s->naxes; a++)
			axes += s->out_ix[d].coef[a] != 0;
		if (axes > 1 || s->out_ix[d].k || s->out_ix[d].via != TASK_NONE)
			return false;
	}
	return true;
}

static int
working_stages(const Variant *v)
{
	int n = 0;

	for (int s = 0; s < v->task->stage.n; s++)
		n += !is_idle(v, s);
	return n;
}

static const bool *
idle_stages(Arena *a, const Variant *v)
{
	bool *idle = ARENA_ARRAY(a, bool, v->task->stage.n + 1);

	for (int s = 0; s < v->task->stage.n; s++)
		idle[s] = is_idle(v, s);
	return idle;
}

/* The variant with one more shared loop inside those it has. */
static Variant
with_shared(Arena *a, const Variant *base, const Axis *axis, int64_t step)
{
	Variant v = *base;
	SharedLoop *loop = &v.base.fuse[v.base.nfuse++];

	v.ns = 0;
	snprintf(loop->axis, sizeof loop->axis, "%s", axis->name);
	loop->step = step;
	v.name = arena_printf(a, "%s %s%s:%lld", base->name, base->base.nfuse ? "" : "fuse ",
			      axis->name, (long long)step);
	return v;
}

/* The variant with its stages fused over the outermost common axis, in several steps; over the next
 * one as well as long as a round's temporaries are too many for the first cache. */
static void
add_fused(Space *s, const Variant *plain, const Target *t)
{
	static const int64_t steps[][FUSE_STEPS] = {{1, 2, 4, 8, 16}, {1, 2, 4, 7, 14}};
	const bool *idle = idle_stages(s->arena, plain);
	Axis axis[STAGE_AXES_MAX];
	int n = shared_axes(plain->task, idle, axis);
	Variant base = *plain;

	if (working_stages(plain) < 2)
		return;
	for (int a = 0; a < n && a < SCHED_FUSE_MAX; a++) {
		const int64_t *step = steps[axis[a].extent % 7 == 0];

		for (int i = 0; i < FUSE_STEPS && step[i] < axis[a].extent; i++)
			add_variant(s, with_shared(s->arena, &base, &axis[a], step[i]), t);
		base = with_shared(s->arena, &base, &axis[a], 1);
		if (shared_bytes(base.task, idle, base.base.fuse, base.base.nfuse) <=
		    (size_t)t->l1_bytes)
			return;
	}
}

static Variant
plain_variant(Arena *a, const Rewrite *r, Task *task, const TaskForm *form)
{
	return (Variant){.rewrite = r->name,
			 .name = r->name,
			 .task = task,
			 .form = *form,
			 .slack = r->slack,
			 .base = sched_new(a, task, r->name)};
}

/* All stages that may be inline are. */
static bool
inline_all(Arena *a, Variant *v)
{
	bool any = false;

	v->base = sched_new(a, v->task, v->rewrite);
	for (int s = 0; s < v->task->stage.n; s++) {
		bool yes = can_inline(v->task, s);

		/* Of two in a row only the first: the second would repeat it. */
		if (yes && s > 0 && v->base.stage[s - 1].inlined)
			yes = false;
		v->base.stage[s].inlined = yes;
		any |= yes;
	}
	v->name = arena_printf(a, "%s inline", v->name);
	return any;
}

static int
add_rewrite(Space *s, const Rewrite *r, const Task *t, const TaskForm *f, const Target *target,
	    Err *e)
{
	TaskForm form;
	Task *task;
	Variant v;

	if ((r->useful && !r->useful(t, target)) || r->apply(s->arena, t, f, &task, &form))
		return OK;
	if (task_check(task, e)) {
		err_prefix(e, "rewrite %s: ", r->name);
		return ERR_INTERNAL;
	}
	v = plain_variant(s->arena, r, task, &form);
	add_variant(s, v, target);
	if (inline_all(s->arena, &v))
		add_variant(s, v, target);
	return OK;
}

/* Fused forms of the variants that are worth it. */
static void
fuse_promising(Space *s, const Target *t)
{
	double best = INFINITY;
	int n = s->variant.n;

	for (int i = 0; i < n; i++)
		best = fmin(best, cheapest(&s->variant.v[i]));
	for (int i = 0; i < n; i++) {
		Variant v = s->variant.v[i];

		if (cheapest(&v) <= promising * best)
			add_fused(s, &v, t);
	}
}

/* Takes out what the room for temporaries does not hold. */
static void
keep_in_room(Space *s, size_t room)
{
	int kept = 0;

	for (int i = 0; i < s->variant.n && room; i++) {
		const Variant *v = &s->variant.v[i];

		if (shared_bytes(v->task, idle_stages(s->arena, v), v->base.fuse, v->base.nfuse) <=
		    room)
			s->variant.v[kept++] = *v;
	}
	if (room)
		s->variant.n = kept;
}

/* Every stage plain scalar loops: the space is never empty. */
static void
add_scalar(Space *s, const Task *t, const TaskForm *f)
{
	Task *task = task_copy(s->arena, t);
	Variant v = {.rewrite = "direct", .name = "scalar", .task = task, .form = *f, .slack = 1};

	v.base = sched_scalar(s->arena, task, f, "direct");
	v.stage = ARENA_ARRAY(s->arena, StageOptions, task->stage.n);
	for (int i = 0; i < task->stage.n; i++) {
		Option o = {.sched = v.base.stage[i]};

		o.ns = 4. * (double)stage_macs(&task->stage.v[i]);
		vec_push(s->arena, &v.stage[i].option, o);
	}
	vec_push(s->arena, &s->variant, v);
}

/* The plainest schedule may be what a variant says already: tasks of one element. */
static void
drop_last_if_known(Space *s)
{
	Pick last = {.variant = s->variant.n - 1};
	const char *text = space_text(s, s->arena, &last);

	for (int i = 0; i < s->variant.n - 1; i++)
		if (!strcmp(space_text(s, s->arena, &(Pick){.variant = i}), text)) {
			s->variant.n--;
			return;
		}
}

/* The roofline of the Task: of its algorithms the one with the least arithmetic, at the peak of
 * its threads, or the pass over inputs and outputs at the bandwidth of the cache that holds them.
 */
static void
roofline(Space *s, const Task *t, const Target *target)
{
	double flops = target_task_flops(target, t), bytes = task_bytes(t), gbs = target->l2_gbs;

	if (bytes <= (double)target->l1_bytes)
		gbs = target->load_per_cycle * (double)target->vector_bytes * target->ghz;
	for (int i = 0; i < s->variant.n; i++)
		flops = fmin(flops, target_task_flops(target, s->variant.v[i].task));
	s->floor_flops = flops / (double)target->threads;
	s->floor_pass_ns = bytes / gbs / (double)target->threads;
	s->floor_ns = space_floor_at(s, target_gflops(target));
}

static int
by_cheapest(const void *a, const void *b)
{
	double x = cheapest(a), y = cheapest(b);

	return x < y ? -1 : x > y;
}

int
space_build(Arena *a, const Task *t, const TaskForm *f, const Target *target,
	    ToleranceClass tolerance, Space *out, Err *e)
{
	const Rewrite *const *r = rewrites();
	int rc = OK;

	*out = (Space){.arena = a, .target = arena_copy(a, target, sizeof *target)};
	if (t->stage.n > TASK_STAGES_MAX)
		return err_set(e, ERR_UNSUPPORTED, "task of %d stages, expected at most %d",
			       t->stage.n, TASK_STAGES_MAX);
	for (; *r && rc == OK; r++)
		if (rewrite_allowed(*r, tolerance))
			rc = add_rewrite(out, *r, t, f, target, e);
	if (rc)
		return rc;
	roofline(out, t, target);
	fuse_promising(out, target);
	keep_in_room(out, f->room);
	if (out->variant.n)
		qsort(out->variant.v, (size_t)out->variant.n, sizeof *out->variant.v, by_cheapest);
	add_scalar(out, t, f);
	drop_last_if_known(out);
	return OK;
}

double
space_cost(const Space *s, const Pick *p)
{
	const Variant *v = &s->variant.v[p->variant];
	double ns = v->ns;

	for (int i = 0; i < v->task->stage.n; i++)
		ns += v->stage[i].option.v[p->option[i]].ns;
	return ns;
}

bool
space_is_scalar(const Space *s, const Pick *p)
{
	return !strcmp(s->variant.v[p->variant].name, "scalar");
}

double
space_rows(const Space *s)
{
	double sum = 0;

	for (int i = 0; i < s->variant.n; i++) {
		double n = 1;

		for (int k = 0; k < s->variant.v[i].task->stage.n; k++)
			n *= s->variant.v[i].stage[k].option.n;
		sum += n;
	}
	return sum;
}

bool
pick_equal(const Space *s, const Pick *a, const Pick *b)
{
	int n = s->variant.v[a->variant].task->stage.n;

	return a->variant == b->variant &&
	       !memcmp(a->option, b->option, (size_t)n * sizeof *a->option);
}

Sched
space_sched(const Space *s, Arena *a, const Pick *p)
{
	const Variant *v = &s->variant.v[p->variant];
	Sched r = sched_new(a, v->task, v->rewrite);

	r.nfuse = v->base.nfuse;
	memcpy(r.fuse, v->base.fuse, sizeof r.fuse);
	for (int i = 0; i < r.nstage; i++)
		r.stage[i] = v->stage[i].option.v[p->option[i]].sched;
	return r;
}

const char *
space_text(const Space *s, Arena *a, const Pick *p)
{
	Sched q = space_sched(s, a, p);
	Str text = {0};
	const char *r;

	sched_print(&q, s->variant.v[p->variant].task, &text);
	r = arena_strdup(a, str_get(&text));
	str_fini(&text);
	return r;
}

Pick
space_random(const Space *s, Rng *r)
{
	Pick p = {.variant = (int)rng_below(r, (uint64_t)s->variant.n)};
	const Variant *v = &s->variant.v[p.variant];

	for (int i = 0; i < v->task->stage.n; i++)
		p.option[i] = (int)rng_below(r, (uint64_t)v->stage[i].option.n);
	return p;
}
