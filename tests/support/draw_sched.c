/* Random Forms and Scheds for a given Task. */
#include <math.h>
#include <string.h>

#include "search_space/bytes.h"
#include "search_space/rewrite.h"
#include "tests/support/draw.h"

enum { TILE_UNITS = 48, ENTRIES_MAX = 20 };

static void
shuffle(Rng *r, int *v, int n)
{
	for (int i = n - 1; i > 0; i--) {
		int k = (int)draw_int(r, 0, i), swap = v[i];

		v[i] = v[k];
		v[k] = swap;
	}
}

/* A part of a blocked dimension ends with a block, or the next part would begin in its pad lanes.
 */
static void
draw_slack(Rng *r, const TaskTensor *x, Form *f)
{
	bool foreign = draw_chance(r, 30);

	for (int d = 0; d < x->rank; d++) {
		if (draw_chance(r, 50))
			continue;
		if (d == f->block_dim) {
			f->lo[d] = f->block * (int)draw_int(r, 0, 2);
			if (x->dim[d] % f->block == 0)
				f->hi[d] = f->block * (int)draw_int(r, 0, 2);
			f->foreign |= 1u << d;
			continue;
		}
		f->lo[d] = (int)draw_int(r, 0, 3);
		f->hi[d] = (int)draw_int(r, 0, 3);
		if (foreign && draw_chance(r, 50))
			f->foreign |= 1u << d;
	}
}

static Form
draw_one_form(Rng *r, const TaskTensor *x)
{
	static const double values[] = {0, 0, 0, 3, 12};
	Form f = form_plain(x->rank);

	if (!x->rank || draw_chance(r, 25))
		return f;
	if (draw_chance(r, 60))
		shuffle(r, f.order, x->rank);
	if (draw_chance(r, 35)) {
		f.block_dim = (int)draw_int(r, 0, x->rank - 1);
		f.block = 4 << draw_int(r, 0, 2);
	}
	if (draw_chance(r, 45))
		draw_slack(r, x, &f);
	if (form_has_border(&f) && x->type != DT_BOOL)
		f.border = dtype_is_float(x->type) && draw_chance(r, 15)
				   ? -INFINITY
				   : values[draw_int(r, 0, 4)];
	return f;
}

/* An output may lie like an input of its shape: then it may take its memory. */
void
draw_form(Rng *r, size_t room, const Task *t, Str *out)
{
	const TaskTensor *in = NULL;
	Form f, of_in = {0};

	str_add(out, "form");
	if (room)
		str_printf(out, " room %zu", room);
	str_add(out, "\n");
	for (int i = 0; i < t->tensor.n; i++) {
		const TaskTensor *x = &t->tensor.v[i];

		if (x->kind != TENSOR_IN && x->kind != TENSOR_OUT)
			continue;
		f = draw_one_form(r, x);
		if (x->kind == TENSOR_IN && (!in || draw_chance(r, 50))) {
			in = x;
			of_in = f;
		} else if (in && x->kind == TENSOR_OUT && x->rank == in->rank &&
			   x->type == in->type && draw_chance(r, 50) &&
			   !memcmp(x->dim, in->dim, (size_t)x->rank * sizeof *x->dim)) {
			f = of_in;
		}
		str_printf(out, " %s ", x->name);
		form_print(&f, out);
		str_add(out, "\n");
	}
}

/* The innermost step of an axis: at most `budget` elements of the register tile. */
static int64_t
draw_step(Rng *r, int64_t extent, int lanes, bool dot, int budget, int *units)
{
	int64_t step = draw_chance(r, 40) ? 1 : draw_int(r, 1, 8);

	if (draw_chance(r, 15))
		step = extent;
	if (lanes > 1)
		step = draw_chance(r, 80) ? lanes * draw_int(r, 1, 3) : draw_int(r, 1, 2 * lanes);
	if ((step + lanes - 1) / lanes > budget)
		step = (int64_t)budget * lanes;
	if (dot && budget >= 4 && draw_chance(r, 80)) /* terms of two or four at a time */
		step = step > 3 ? step / 4 * 4 : 4;
	*units = (int)((step + lanes - 1) / lanes);
	return step;
}

/* Steps of the axes [first, last) in random order, each axis once or twice, larger steps first.
 * An axis of few elements may be left out: it is unrolled whole. */
static void
draw_steps(Rng *r, const Stage *s, StageSched *q, int first, int last, int lanes, int budget)
{
	int64_t step[STAGE_AXES_MAX][2];
	int entry[ENTRIES_MAX], n = 0, used[STAGE_AXES_MAX] = {0};

	for (int a = first; a < last && n + 2 <= ENTRIES_MAX; a++) {
		int64_t extent = s->axis[a].extent;
		int width = a == q->vec ? lanes : 1, units = (int)((extent + width - 1) / width);

		if (extent <= 100 && units <= budget && draw_chance(r, 25)) {
			budget /= units;
			continue;
		}
		step[a][0] = draw_step(r, extent, width, a == q->dot, budget, &units);
		budget /= units;
		entry[n++] = a;
		used[a] = 1;
		if (!draw_chance(r, 25))
			continue;
		step[a][1] = step[a][0] * draw_int(r, 1, 4) + (draw_chance(r, 30) ? 1 : 0);
		entry[n++] = a;
		used[a] = 2;
	}
	shuffle(r, entry, n);
	for (int i = 0; i < n; i++)
		stage_sched_add(q, entry[i], step[entry[i]][--used[entry[i]]]);
}

static bool
can_inline(const Task *t, const Stage *s)
{
	int64_t terms = 1;

	for (int a = s->nspatial; a < s->naxes; a++)
		terms *= s->axis[a].extent;
	return t->tensor.v[s->out].kind == TENSOR_TMP && terms <= 8 && s->comb < COMB_ARGMAX;
}

/* Whether nothing but constants differs along the axis in expression e. */
static bool
only_constants_differ(const Task *t, int e, int axis)
{
	const Expr *x;

	if (e == TASK_NONE)
		return true;
	x = &t->expr.v[e];
	if (x->op == EXPR_LOAD && t->tensor.v[x->tensor].kind != TENSOR_CONST)
		for (int d = 0; d < t->tensor.v[x->tensor].rank; d++)
			if (x->ix[d].coef[axis])
				return false;
	return only_constants_differ(t, x->a, axis) && only_constants_differ(t, x->b, axis) &&
	       only_constants_differ(t, x->c, axis);
}

/* Lanes shared with terms: mostly where the lowering takes them, along an axis of outputs that
 * constants alone differ on and an even number of terms. */
static void
draw_dot(Rng *r, const Task *t, const Stage *s, StageSched *q)
{
	int terms = s->naxes - s->nspatial, any = (int)draw_int(r, 0, terms - 1);

	for (int a = 0; a < s->nspatial; a++)
		for (int i = 0; i < terms; i++) {
			int dot = s->nspatial + (any + i) % terms;

			if (s->axis[dot].extent % 2 || !only_constants_differ(t, s->body, a))
				continue;
			q->vec = a;
			q->dot = dot;
			return;
		}
	if (draw_chance(r, 20))
		q->dot = s->nspatial + any;
}

static StageSched
draw_stage(Rng *r, const Task *t, const Stage *s)
{
	StageSched q = stage_sched_init();
	ByteOperand bytes[2];
	int lanes = 1;

	if (can_inline(t, s) && draw_chance(r, 35)) {
		q.inlined = true;
		return q;
	}
	if (s->naxes && draw_chance(r, 75)) {
		bool spatial = s->nspatial && draw_chance(r, 80);

		q.vec = (int)draw_int(r, 0, (spatial ? s->nspatial : s->naxes) - 1);
		q.lanes = draw_chance(r, 60) ? 0 : 2 << draw_int(r, 0, 4);
		lanes = q.lanes ? q.lanes : 16;
	}
	if (lanes > 1 && q.vec < s->nspatial && s->nspatial < s->naxes && draw_chance(r, 45)) {
		draw_dot(r, t, s, &q);
		if (q.dot != TASK_NONE)
			lanes = q.lanes = 2 << draw_int(r, 0, 3) / 2;
		if (q.dot != TASK_NONE && byte_operands(t, s, bytes) && draw_chance(r, 70)) {
			q.lanes = 0;
			lanes = 16;
		}
	}
	q.prefetch = draw_chance(r, 20);
	q.peel = draw_chance(r, 30);
	q.par = draw_chance(r, 20) ? (int)draw_int(r, 2, 4) : 1;
	draw_steps(r, s, &q, 0, s->nspatial, lanes, TILE_UNITS / q.par);
	draw_steps(r, s, &q, s->nspatial, s->naxes, lanes, TILE_UNITS / 3);
	return q;
}

static void
draw_fuse(Rng *r, const Task *t, Sched *s)
{
	const Stage *from = &t->stage.v[draw_int(r, 0, t->stage.n - 1)];

	for (int i = 0; i < from->nspatial && s->nfuse < SCHED_FUSE_MAX; i++) {
		if (draw_chance(r, 60))
			continue;
		memcpy(s->fuse[s->nfuse].axis, from->axis[i].name, TASK_NAME_MAX);
		s->fuse[s->nfuse++].step = draw_int(r, 1, 4);
	}
}

void
draw_sched(Rng *r, Arena *a, const Task *t, const TaskForm *f, Str *out)
{
	const char *name = "direct";
	int applicable = 0;
	Task *to = NULL;
	TaskForm form;
	Sched s;

	for (const Rewrite *const *w = rewrites(); *w; w++) /* each as likely as another */
		if (!(*w)->apply(a, t, f, &to, &form) && draw_int(r, 0, applicable++) == 0)
			name = (*w)->name;
	rewrite_named(name)->apply(a, t, f, &to, &form);
	s = sched_new(a, to, name);
	for (int i = 0; i < s.nstage; i++)
		s.stage[i] = draw_stage(r, to, &to->stage.v[i]);
	if (f->room)
		s.fuse[s.nfuse++] = (SharedLoop){.axis = "strip", .step = 1};
	else if (to->stage.n > 1 && draw_chance(r, 50))
		draw_fuse(r, to, &s);
	sched_print(&s, to, out);
}
