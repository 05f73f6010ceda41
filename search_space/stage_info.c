/* Walks the expressions of a stage. An inline stage is walked with its axes replaced by the index
 * expressions of the load that reads it, as the lowering will. */
#include "search_space/stage_info.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SLAB_LEAST = 32768 }; /* bytes of constants that are worth a prefetch */

enum { DENSITY_POINTS = 4096 }; /* places at which literals are looked at, at most */

/* Axes of the stage being walked in terms of the axes of the scheduled one. */
typedef struct Binding {
	const Stage *stage;
	Index axis[STAGE_AXES_MAX];
} Binding;

typedef struct Walk {
	const Task *t;
	const TaskForm *f;
	const bool *inlined;
	StageInfo *out;
	bool final;
	int depth;
} Walk;

/* Vector operations that the operator costs. */
static double
op_cost(ExprOp op)
{
	static const double cost[EXPR_COUNT] = {
		[EXPR_EXP] = 14, [EXPR_LOG] = 18,  [EXPR_ERF] = 20,  [EXPR_TANH] = 18,
		[EXPR_POW] = 40, [EXPR_DIV] = 8,   [EXPR_SQRT] = 10, [EXPR_LIT] = -1,
		[EXPR_ACC] = -1, [EXPR_LOAD] = -1,
	};

	return cost[op] < 0 ? 0 : cost[op] > 0 ? cost[op] : 1;
}

static Index
bind(const Binding *b, const Index *ix)
{
	Index r = index_const(ix->k);

	r.via = ix->via;
	for (int a = 0; a < b->stage->naxes; a++)
		if (ix->coef[a])
			r = index_add(r, &b->axis[a], ix->coef[a]);
	return r;
}

/* Within a block neighbours are adjacent; a step of whole blocks jumps. */
static int64_t
stride_in_block(const Layout *y, int dim, int32_t coef)
{
	return coef % y->block == 0 ? coef / y->block * y->stride[dim] : coef;
}

/* Least and largest value of the index over the whole stage. */
static void
range(const Walk *w, const Index *ix, int64_t *lo, int64_t *hi)
{
	const Stage *s = w->out->stage;

	*lo = *hi = ix->k;
	for (int a = 0; a < w->out->naxes; a++) {
		int64_t last = (a < s->naxes ? s->axis[a].extent : w->out->extent[a]) - 1;

		*(ix->coef[a] < 0 ? lo : hi) += ix->coef[a] * last;
	}
}

static bool
is_read_before(const Walk *w, int tensor)
{
	for (int s = 0; s < w->out->stage - w->t->stage.v; s++)
		if (!w->inlined[s] && !stage_is_const(w->t, s) && stage_reads(w->t, s, tensor))
			return true;
	return false;
}

static void
describe(const Walk *w, int tensor, const Index *ix, double otherwise, bool has_else, Access *a)
{
	const TaskTensor *x = &w->t->tensor.v[tensor];
	const Form *form = &w->f->v[tensor];
	Layout y = form_layout(form, x->dim, x->type, 0);

	*a = (Access){.tensor = tensor, .final = w->final};
	a->bytes = (int)dtype_size(x->type);
	a->footprint = (double)tensor_count(x) * a->bytes;
	a->is_const = x->kind == TENSOR_CONST || x->kind == TENSOR_LIT;
	a->is_literal = x->kind == TENSOR_LIT;
	a->is_shared = x->kind == TENSOR_TMP || is_read_before(w, tensor);
	for (int d = 0; d < x->rank; d++) {
		int64_t lo, hi, below = 0, above = 0;

		for (int k = 0; k < w->out->naxes; k++) {
			int32_t c = ix[d].coef[k];

			if (c && a->nterm < ACCESS_TERMS_MAX)
				a->term[a->nterm++] = (AccessTerm){d, k, abs(c)};
			a->varies[k] |= c != 0;
			a->stride[k] +=
				d == form->block_dim ? stride_in_block(&y, d, c) : c * y.stride[d];
		}
		a->by_value |= ix[d].via != TASK_NONE;
		if (!has_else)
			continue;
		if (!(form->foreign >> d & 1) && d != form->block_dim &&
		    form->border == otherwise) {
			below = form->lo[d];
			above = form->hi[d];
		}
		range(w, &ix[d], &lo, &hi);
		a->guarded |= lo < -below || hi >= x->dim[d] + above;
	}
}

static void walk(Walk *w, const Binding *b, int expr);

/* Axes of a stage that index literals in the factors of a product; their values multiplied at one
 * point. */
static void
literal_axes(const Task *t, int e, bool axis[STAGE_AXES_MAX])
{
	const Expr *x = &t->expr.v[e];

	if (x->op == EXPR_MUL) {
		literal_axes(t, x->a, axis);
		literal_axes(t, x->b, axis);
	}
	if (x->op != EXPR_LOAD || t->tensor.v[x->tensor].kind != TENSOR_LIT)
		return;
	for (int d = 0; d < t->tensor.v[x->tensor].rank; d++)
		for (int a = 0; a < STAGE_AXES_MAX; a++)
			axis[a] |= x->ix[d].coef[a] != 0;
}

static double
literal_factor(const Task *t, int e, const int64_t *at)
{
	const Expr *x = &t->expr.v[e];
	const TaskTensor *q;
	int64_t n = 0;

	if (x->op == EXPR_MUL)
		return literal_factor(t, x->a, at) * literal_factor(t, x->b, at);
	if (x->op != EXPR_LOAD || t->tensor.v[x->tensor].kind != TENSOR_LIT)
		return 1;
	q = &t->tensor.v[x->tensor];
	for (int d = 0; d < q->rank; d++) {
		int64_t i = x->ix[d].k;

		for (int a = 0; a < STAGE_AXES_MAX; a++)
			i += x->ix[d].coef[a] ? x->ix[d].coef[a] * at[a] : 0;
		if (x->ix[d].via != TASK_NONE || i < 0 || i >= q->dim[d])
			return 1;
		n = n * q->dim[d] + i;
	}
	return q->lit[n];
}

/* The part of the terms of a stage's body that are not multiplied by a literal 0. */
static double
density_of(const Task *t, const Stage *s)
{
	bool axis[STAGE_AXES_MAX] = {0};
	int64_t at[STAGE_AXES_MAX] = {0}, points = 0, left = 0;
	int a;

	if (s->body == TASK_NONE)
		return 1;
	literal_axes(t, s->body, axis);
	do {
		points++;
		left += literal_factor(t, s->body, at) != 0;
		for (a = 0; a < s->naxes; a++) {
			if (axis[a] && ++at[a] < s->axis[a].extent)
				break;
			at[a] = 0;
		}
	} while (a < s->naxes && points < DENSITY_POINTS);
	return (double)left / (double)points;
}

/* Reduction axes of an inline stage become axes of the scheduled one; where there is no room, they
 * stand still. Returns the terms of the reduction. */
static double
bind_reduction(Walk *w, const Stage *s, Binding *b)
{
	double terms = 1;

	for (int a = s->nspatial; a < s->naxes; a++) {
		terms *= (double)s->axis[a].extent;
		b->axis[a] = index_const(0);
		if (w->out->naxes == STAGE_AXES_MAX)
			continue;
		w->out->extent[w->out->naxes] = s->axis[a].extent;
		b->axis[a] = index_axis(w->out->naxes++);
	}
	return terms;
}

static void
walk_inlined(Walk *w, int stage, const Index *ix)
{
	const Stage *s = &w->t->stage.v[stage];
	StageInfo *o = w->out;
	double *ops = w->final ? &o->final_ops : &o->body_ops, before = *ops, terms, each;
	Binding b = {.stage = s};

	for (int d = 0; d < w->t->tensor.v[s->out].rank; d++)
		for (int a = 0; a < s->nspatial; a++)
			if (s->out_ix[d].coef[a] == 1)
				b.axis[a] = ix[d];
	terms = bind_reduction(w, s, &b);
	if (s->body != TASK_NONE)
		walk(w, &b, s->body);
	each = fmax(s->naxes > s->nspatial ? 1 : 0, *ops - before) * terms * density_of(w->t, s);
	*ops = before;
	walk(w, &b, s->value);
	each += *ops - before;
	*ops = before;
	if (o->ninner == INNER_MAX) {
		*ops += each;
		return;
	}
	o->inner[o->ninner].ops = each;
	describe(w, s->out, ix, 0, false, &o->inner[o->ninner++].at);
}

static void
walk_load(Walk *w, const Binding *b, const Expr *x)
{
	Index ix[TASK_RANK_MAX];
	int made = tensor_writer(w->t, x->tensor);

	for (int d = 0; d < w->t->tensor.v[x->tensor].rank; d++)
		ix[d] = bind(b, &x->ix[d]);
	if (made != TASK_NONE && w->inlined[made] && !stage_is_const(w->t, made) && w->depth < 8) {
		w->depth++;
		walk_inlined(w, made, ix);
		w->depth--;
		return;
	}
	if (w->out->n < ACCESS_MAX)
		describe(w, x->tensor, ix, x->otherwise, x->has_else, &w->out->access[w->out->n++]);
}

static void
walk(Walk *w, const Binding *b, int expr)
{
	const Expr *x;

	if (expr == TASK_NONE)
		return;
	x = &w->t->expr.v[expr];
	if (x->op == EXPR_LOAD)
		walk_load(w, b, x);
	if (dtype_size(x->type) == 8)
		w->out->narrow = true;
	*(w->final ? &w->out->final_ops : &w->out->body_ops) += op_cost(x->op);
	walk(w, b, x->a);
	walk(w, b, x->b);
	walk(w, b, x->c);
}

/* Operands that are computed where they are read are none. */
static bool
sums_bytes(const Walk *w, ByteOperand of[2])
{
	if (!byte_operands(w->t, w->out->stage, of))
		return false;
	for (int i = 0; i < 2; i++) {
		int made = tensor_writer(w->t, w->t->expr.v[of[i].load].tensor);

		if (made != TASK_NONE && w->inlined[made] && !stage_is_const(w->t, made))
			return false;
	}
	return true;
}

void
stage_info(const Task *t, const TaskForm *f, int stage, const bool *inlined, const int64_t *share,
	   StageInfo *out)
{
	const Stage *s = &t->stage.v[stage];
	Walk w = {.t = t, .f = f, .inlined = inlined, .out = out};
	Binding b = {.stage = s};

	memset(out, 0, sizeof *out);
	out->stage = s;
	out->naxes = s->naxes;
	out->density = density_of(t, s);
	out->rounds = 1;
	for (int a = 0; a < s->naxes; a++) {
		b.axis[a] = index_axis(a);
		out->extent[a] = s->axis[a].extent;
		if (!share || !share[a] || share[a] >= out->extent[a])
			continue;
		out->rounds *= (double)out->extent[a] / (double)share[a];
		out->extent[a] = share[a];
	}
	if (s->comb != COMB_NONE) {
		walk(&w, &b, s->body);
		/* A product that is summed is one operation. */
		if (s->comb == COMB_SUM && t->expr.v[s->body].op == EXPR_MUL)
			out->body_ops -= 1;
		out->body_ops += 1;
	}
	out->bytes = sums_bytes(&w, out->byte);
	w.final = true;
	walk(&w, &b, s->value);
	describe(&w, s->out, s->out_ix, 0, false, &out->store);
	for (int i = 0; i < out->n; i++)
		for (int a = 0; a < out->naxes && out->access[i].is_literal; a++)
			out->factor[a] |= out->access[i].varies[a];
}

/* Whether the terms of a reduction axis may share the vector with lanes along another: what is read
 * at run time is the same for all lanes, and its terms lie side by side wherever the tile is. */
static bool
may_share(const StageInfo *s, int vec, int axis)
{
	bool read = false;

	for (int i = 0; i < s->n; i++) {
		const Access *x = &s->access[i];

		if (x->final || x->is_const)
			continue;
		if (x->varies[vec] || x->by_value || (x->varies[axis] && x->stride[axis] != 1))
			return false;
		for (int k = 0; k + 1 < x->nterm; k++)
			if (x->term[k].dim == x->term[k + 1].dim &&
			    (x->term[k].axis == axis || x->term[k + 1].axis == axis))
				return false; /* a window: some of its terms may lie outside */
		read |= x->varies[axis];
	}
	return read;
}

int
stage_shared_axis(const StageInfo *info, int vec, int terms)
{
	const Stage *s = info->stage;
	int best = TASK_NONE;

	for (int a = s->nspatial; vec < s->nspatial && s->comb == COMB_SUM && a < s->naxes; a++)
		if (info->extent[a] % terms == 0 && may_share(info, vec, a) &&
		    (best == TASK_NONE || info->extent[a] > info->extent[best]))
			best = a;
	return best;
}

static bool
has_reduction_loop(const StageInfo *s, const StageSched *q)
{
	return q->n && q->split[q->n - 1].axis >= s->stage->nspatial;
}

bool
stage_has_slabs(const StageInfo *s, const StageSched *q)
{
	int64_t span[STAGE_AXES_MAX];
	bool varied[ACCESS_MAX] = {0};

	if (!has_reduction_loop(s, q)) /* the lowering prefetches inside one */
		return false;
	memcpy(span, s->extent, sizeof span);
	for (int k = 0; k < q->n; k++) {
		int a = q->split[k].axis;
		int64_t whole = span[a] / q->split[k].step;

		span[a] = q->split[k].step < span[a] ? q->split[k].step : span[a];
		for (int i = 0; i < s->n && whole > 1; i++) {
			const Access *x = &s->access[i];

			if (!x->is_const || x->final || x->footprint < SLAB_LEAST)
				continue;
			if (varied[i] && !x->varies[a])
				return true;
			varied[i] |= x->varies[a];
		}
	}
	return false;
}
