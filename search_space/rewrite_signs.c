/* Products of bytes with the other sign of the operand that comes at run time, where a machine
 * multiplies that only:
 *
 *   y[..] = sum over c of x[c,..] * w[k,c]   ->   fix[k] = -128 * sum over c of w[k,c]
 *                                                 y[..] = fix[k] + sum of (x[c,..] + 128) * w[k,c]
 *
 * and the other way round for unsigned x. Whether x lies inside its tensor does not matter: what
 * stands outside moves as well. Integers wrap around, so nothing changes but the way.
 */
#include "search_space/bytes.h"
#include "search_space/rewrite.h"

static bool
is_given(const Task *t, const ByteOperand *o)
{
	int tensor = t->expr.v[o->load].tensor;

	return t->tensor.v[tensor].kind == TENSOR_CONST;
}

static bool
varies(const Task *t, const Expr *load, int axis)
{
	for (int d = 0; d < t->tensor.v[load->tensor].rank; d++)
		if (load->ix[d].coef[axis])
			return true;
	return false;
}

/* Axes of the outputs that what is loaded differs between: those of fix. */
static int
fix_rank(const Task *t, const Stage *s, int load)
{
	int rank = 0;

	for (int a = 0; a < s->nspatial; a++)
		rank += varies(t, &t->expr.v[load], a);
	return rank;
}

/* Which operand is turned; -1: the stage is no product of something at run time by constants. */
static int
turned_operand(const Task *t, int stage, ByteOperand of[2])
{
	int turn;

	if (stage_is_const(t, stage) || !byte_operands(t, &t->stage.v[stage], of) ||
	    of[0].flipped || of[1].flipped || is_given(t, &of[0]) == is_given(t, &of[1]))
		return -1;
	turn = is_given(t, &of[0]);
	if (t->expr.v[of[!turn].load].has_else ||
	    fix_rank(t, &t->stage.v[stage], of[!turn].load) > TASK_RANK_MAX)
		return -1;
	return turn;
}

/* The stage that makes fix of the constants at `load`, before the at-th, and a load of fix in the
 * axes of that. */
static int
add_fix(Task *t, int at, int load, double by, int number)
{
	Index of[STAGE_AXES_MAX], ix[TASK_RANK_MAX], there[TASK_RANK_MAX];
	int64_t dim[TASK_RANK_MAX];
	int rank = 0, fix, made, sum;
	Subst subst;
	Stage s;

	for (int a = 0; a < t->stage.v[at].nspatial; a++)
		if (varies(t, &t->expr.v[load], a)) {
			there[rank] = index_axis(a);
			dim[rank++] = t->stage.v[at].axis[a].extent;
		}
	fix = task_tensor(t, TENSOR_CONST, arena_printf(t->arena, "fix%d", number), DT_I32, rank,
			  dim);
	made = task_stage(t, fix);
	rank = 0;
	for (int a = 0; a < STAGE_AXES_MAX; a++) {
		const Stage *old = &t->stage.v[at];
		Axis axis;

		of[a] = index_const(0);
		if (a >= old->naxes || (a < old->nspatial && !varies(t, &t->expr.v[load], a)))
			continue;
		axis = old->axis[a];
		of[a] = index_axis(stage_axis(t, made, axis.name, axis.extent, a >= old->nspatial));
		if (a < t->stage.v[at].nspatial)
			ix[rank++] = of[a];
	}
	subst = subst_init(t, t, of);
	s = t->stage.v[made];
	s.comb = COMB_SUM;
	s.acc_type = DT_I32;
	s.body = subst_expr(&subst, load);
	sum = expr_acc(t, DT_I32);
	s.value = expr_bin(t, EXPR_MUL, sum, expr_lit(t, DT_I32, by));
	s.out_ix = arena_copy(t->arena, ix, sizeof ix);
	for (int i = made; i > at; i--)
		t->stage.v[i] = t->stage.v[i - 1];
	t->stage.v[at] = s;
	return expr_load(t, fix, there);
}

/* The at-th stage; the one that makes fix comes before it. */
static void
turn(Task *t, int at, const ByteOperand of[2], int which, int number)
{
	bool is_signed = of[which].is_signed;
	int fix = add_fix(t, at, of[!which].load, is_signed ? -128 : 128, number), x, w;
	Stage *s = &t->stage.v[at + 1];
	Index own[STAGE_AXES_MAX];
	Subst subst;

	x = expr_bin(t, is_signed ? EXPR_ADD : EXPR_SUB, of[which].load, expr_lit(t, DT_I32, 128));
	w = of[!which].load;
	s->body = which ? expr_bin(t, EXPR_MUL, w, x) : expr_bin(t, EXPR_MUL, x, w);
	for (int a = 0; a < STAGE_AXES_MAX; a++)
		own[a] = index_axis(a);
	subst = subst_init(t, t, own);
	subst.acc = expr_bin(t, EXPR_ADD, expr_acc(t, DT_I32), fix);
	s->value = subst_expr(&subst, s->value);
}

static int
apply(Arena *a, const Task *t, const TaskForm *f, Task **to, TaskForm *form)
{
	VEC(Form) forms = {0};
	ByteOperand of[2];
	int turned = 0;

	*to = task_copy(a, t);
	for (int i = 0; i < f->n; i++)
		vec_push(a, &forms, f->v[i]);
	for (int s = 0; s < (*to)->stage.n; s++) {
		int which = turned_operand(*to, s, of);

		if (which < 0 || (*to)->stage.n == TASK_STAGES_MAX)
			continue;
		turn(*to, s++, of, which, turned++);
		vec_push(a, &forms, form_plain((*to)->tensor.v[(*to)->tensor.n - 1].rank));
	}
	*form = (TaskForm){.n = forms.n, .v = forms.v, .room = f->room};
	return turned ? OK : NOT_APPLICABLE;
}

/* The machine multiplies some stage's operands so and not as they are. */
static bool
useful(const Task *t, const Target *target)
{
	ByteOperand of[2];

	for (int s = 0; s < t->stage.n; s++) {
		int which = turned_operand(t, s, of);

		if (which < 0 || target_multiplies(target, of))
			continue;
		of[which].is_signed = !of[which].is_signed;
		if (target_multiplies(target, of))
			return true;
	}
	return false;
}

const Rewrite rewrite_signs = {.name = "signs", .slack = 1, .apply = apply, .useful = useful};
