/* Packing of operands that come at run time: a product whose lanes would gather one of them gets a
 * stage that moves it before, so that the lanes lie side by side:
 *
 *   y[b,m,n] = sum over k of x[b,m,k] * w[b,n,k]   ->   p[b,k,n] = w[b,n,k], and p in w's place
 *
 * The lanes' axis is the one that the output has side by side. The stage keeps the names of the
 * axes, so both stages may share the loops over batches. Nothing is computed otherwise.
 */
#include "search_space/rewrite.h"

/* Elements between neighbours along the axis. */
static int64_t
stride_of(const Task *t, const TaskForm *f, int tensor, const Index *ix, int axis)
{
	const TaskTensor *x = &t->tensor.v[tensor];
	Layout y = form_layout(&f->v[tensor], x->dim, x->type, 0);
	int64_t stride = 0;

	for (int d = 0; d < x->rank; d++)
		stride += ix[d].coef[axis] * (d == f->v[tensor].block_dim ? 1 : y.stride[d]);
	return stride;
}

static bool
load_varies(const Task *t, const Expr *x, int axis)
{
	for (int d = 0; d < t->tensor.v[x->tensor].rank; d++)
		if (x->ix[d].coef[axis])
			return true;
	return false;
}

/* A load of something that comes at run time, every element for itself: no window. */
static bool
is_operand(const Task *t, const Stage *s, const Expr *x)
{
	TensorKind kind;
	int64_t count = 1;

	if (x->op != EXPR_LOAD || x->has_else)
		return false;
	kind = t->tensor.v[x->tensor].kind;
	for (int d = 0; d < t->tensor.v[x->tensor].rank; d++)
		if (x->ix[d].via != TASK_NONE)
			return false;
	for (int a = 0; a < s->naxes; a++)
		count *= load_varies(t, x, a) ? s->axis[a].extent : 1;
	return (kind == TENSOR_IN || kind == TENSOR_TMP) &&
	       count <= tensor_count(&t->tensor.v[x->tensor]);
}

/* The operand of the stage that is to be packed, as an expression, and the axis of its lanes;
 * TASK_NONE: there is none. */
static int
strided_operand(const Task *t, const TaskForm *f, const Stage *s, int *lanes)
{
	const Expr *body;

	if (s->comb != COMB_SUM || s->acc_type != DT_F32 || t->expr.v[s->body].op != EXPR_MUL)
		return TASK_NONE;
	body = &t->expr.v[s->body];
	if (!is_operand(t, s, &t->expr.v[body->a]) || !is_operand(t, s, &t->expr.v[body->b]))
		return TASK_NONE;
	for (int a = 0; a < s->nspatial; a++) {
		int of[2] = {body->a, body->b};

		if (s->axis[a].extent < 2 || stride_of(t, f, s->out, s->out_ix, a) != 1)
			continue;
		for (int i = 0; i < 2; i++) {
			const Expr *x = &t->expr.v[of[i]];

			*lanes = a;
			if (load_varies(t, x, a) && !load_varies(t, &t->expr.v[of[!i]], a) &&
			    stride_of(t, f, x->tensor, x->ix, a) != 1)
				return of[i];
		}
	}
	return TASK_NONE;
}

/* The axes along which the operand varies, the lanes' last. */
static int
packed_axes(const Task *t, const Stage *s, int operand, int lanes, int axes[STAGE_AXES_MAX])
{
	int n = 0;

	for (int a = 0; a < s->naxes; a++)
		if (a != lanes && load_varies(t, &t->expr.v[operand], a))
			axes[n++] = a;
	axes[n++] = lanes;
	return n;
}

/* The stage that fills tensor `packed` becomes the at-th. */
static void
add_move(Task *t, int at, int operand, const int *axes, int n, int packed)
{
	int made = task_stage(t, packed);
	Index ix[TASK_RANK_MAX], of[STAGE_AXES_MAX];
	Stage move;
	Subst subst;

	for (int a = 0; a < STAGE_AXES_MAX; a++)
		of[a] = index_const(0);
	for (int i = 0; i < n; i++) {
		const Axis axis = t->stage.v[at].axis[axes[i]];

		of[axes[i]] = index_axis(stage_axis(t, made, axis.name, axis.extent, false));
		ix[i] = index_axis(i);
	}
	subst = subst_init(t, t, of);
	move = t->stage.v[made];
	move.value = subst_expr(&subst, operand);
	move.out_ix = arena_copy(t->arena, ix, sizeof ix);
	for (int i = made; i > at; i--)
		t->stage.v[i] = t->stage.v[i - 1];
	t->stage.v[at] = move;
}

static void
pack(Task *t, int stage, int operand, int lanes, int number)
{
	int axes[STAGE_AXES_MAX], packed, load, body;
	int n = packed_axes(t, &t->stage.v[stage], operand, lanes, axes);
	int64_t dim[TASK_RANK_MAX];
	Index ix[TASK_RANK_MAX];
	DType type = t->tensor.v[t->expr.v[operand].tensor].type;

	for (int i = 0; i < n; i++) {
		dim[i] = t->stage.v[stage].axis[axes[i]].extent;
		ix[i] = index_axis(axes[i]);
	}
	packed = task_tensor(t, TENSOR_TMP, arena_printf(t->arena, "pack%d", number), type, n, dim);
	load = expr_load(t, packed, ix);
	body = t->stage.v[stage].body;
	body = t->expr.v[body].a == operand ? expr_bin(t, EXPR_MUL, load, t->expr.v[body].b)
					    : expr_bin(t, EXPR_MUL, t->expr.v[body].a, load);
	t->stage.v[stage].body = body;
	add_move(t, stage, operand, axes, n, packed);
}

static int
apply(Arena *a, const Task *t, const TaskForm *f, Task **to, TaskForm *form)
{
	VEC(Form) forms = {0};
	int packed = 0;

	*to = task_copy(a, t);
	for (int i = 0; i < f->n; i++)
		vec_push(a, &forms, f->v[i]);
	*form = (TaskForm){.n = forms.n, .v = forms.v, .room = f->room};
	for (int s = 0; s < (*to)->stage.n; s++) {
		const Stage *q = &(*to)->stage.v[s];
		int lanes, operand = strided_operand(*to, form, q, &lanes), axes[STAGE_AXES_MAX];
		int n = operand == TASK_NONE ? 0 : packed_axes(*to, q, operand, lanes, axes);

		if (!n || n > TASK_RANK_MAX || (*to)->stage.n == TASK_STAGES_MAX)
			continue;
		pack(*to, s++, operand, lanes, packed++);
		vec_push(a, &forms, form_plain(n));
		*form = (TaskForm){.n = forms.n, .v = forms.v, .room = f->room};
	}
	return packed ? OK : NOT_APPLICABLE;
}

const Rewrite rewrite_pack = {.name = "pack", .slack = 1, .apply = apply};
