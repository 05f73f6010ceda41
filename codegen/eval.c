/* Expressions of a stage as nodes; stages computed where they are used. */
#include <math.h>

#include "codegen/lowering.h"

double
neutral(Combiner c, DType type)
{
	bool is_float = dtype_is_float(type);
	int bits = (int)dtype_size(type) * 8 - dtype_is_signed(type);

	switch (c) {
	case COMB_PROD: return 1;
	case COMB_MAX: return is_float ? -INFINITY : dtype_is_signed(type) ? -ldexp(1, bits) : 0;
	case COMB_MIN: return is_float ? INFINITY : ldexp(1, bits) - 1;
	default: return 0;
	}
}

int
combine(Lower *l, Combiner c, int x, int y)
{
	static const LoopOp op[] = {[COMB_SUM] = LOOP_ADD,
				    [COMB_PROD] = LOOP_MUL,
				    [COMB_MAX] = LOOP_MAX,
				    [COMB_MIN] = LOOP_MIN};

	return build_bin(&l->b, op[c], x, y);
}

int
fold(Lower *l, Combiner c, int x, int lanes)
{
	const LoopNode *n = build_at(&l->b, x);

	if (n->lanes <= lanes)
		return x;
	return build_node(&l->b,
			  (LoopNode){.op = LOOP_REDUCE,
				     .type = n->type,
				     .lanes = (int16_t)lanes,
				     .a = x,
				     .k = c,
				     .depth = n->depth},
			  true);
}

/* The integer a via expression gives, wrapped and clamped into [0, extent). */
static int
via_index(Lower *l, int expr, int64_t extent, const Env *env)
{
	Build *b = &l->b;
	int v = build_cast(b, DT_I32, eval(l, expr, env, 0), false);
	int zero = build_const(b, DT_I32, 0), last = build_const(b, DT_I32, (double)extent - 1);
	int wrapped = build_bin(b, LOOP_ADD, v, build_const(b, DT_I32, (double)extent));

	v = build_select(b, build_bin(b, LOOP_LT, v, zero), wrapped, v);
	return build_bin(b, LOOP_MIN, build_bin(b, LOOP_MAX, v, zero), last);
}

/* Accumulates the stage's body over its reduction axes, all unrolled. */
static int
unrolled_reduction(Lower *l, const Stage *s, Env env)
{
	int64_t at[STAGE_AXES_MAX] = {0};
	int acc = 0, a;

	do {
		for (a = s->nspatial; a < s->naxes; a++)
			env.axis[a] = (Aff){.k = at[a]};
		acc = accumulate(l, s, acc, &env);
		for (a = s->naxes - 1; a >= s->nspatial; a--) {
			if (++at[a] < s->axis[a].extent)
				break;
			at[a] = 0;
		}
	} while (a >= s->nspatial && !l->b.refused);
	return acc;
}

/* The value of tensor `tensor` at ix, by evaluating its stage there. Where ix may lie outside the
 * tensor, the stage's own loads are guarded and the result is replaced. */
static int
inlined(Lower *l, int tensor, const Access *acc, const Env *from)
{
	const TaskTensor *x = &l->t->tensor.v[tensor];
	const Stage *s = &l->t->stage.v[l->place[tensor].stage];
	Env env = {.stage = s,
		   .lanes = from->lanes,
		   .valid = from->valid,
		   .terms = from->terms,
		   .guard = from->guard};
	int inside = 0, value, sum = 0;

	for (int d = 0; d < x->rank; d++) {
		int cond, in = 1, axes = 0;

		for (int a = 0; a < s->nspatial; a++) {
			if (!s->out_ix[d].coef[a])
				continue;
			if (s->out_ix[d].coef[a] != 1 || axes++)
				build_refuse(&l->b, "inline stage writes %s at a composite index",
					     x->name);
			env.axis[a] = acc->ix[d];
			env.axis[a].k -= s->out_ix[d].k;
		}
		if (acc->via[d])
			build_refuse(&l->b, "indirect index into an inline stage");
		if (acc->has_else)
			in = aff_in_range(&l->b, &acc->ix[d], 0, x->dim[d], &env, &cond);
		if (in == 0)
			return build_const(&l->b, value_type(x->type), acc->otherwise);
		if (in == 2)
			inside = inside ? build_bin(&l->b, LOOP_AND, inside, cond) : cond;
	}
	if (inside)
		env.guard = env.guard ? build_bin(&l->b, LOOP_AND, env.guard, inside) : inside;
	if (s->comb != COMB_NONE)
		sum = unrolled_reduction(l, s, env);
	value = eval(l, s->value, &env, sum);
	if (!inside)
		return value;
	return build_select(&l->b, inside, value,
			    build_const(&l->b, value_type(x->type), acc->otherwise));
}

static bool
literal_at(const TaskTensor *x, const Aff *ix, double *v)
{
	int64_t flat = 0;

	for (int d = 0; d < x->rank; d++) {
		if (!aff_is_const(&ix[d]) || ix[d].k < 0 || ix[d].k >= x->dim[d])
			return false;
		flat = flat * x->dim[d] + ix[d].k;
	}
	*v = x->lit[flat];
	return true;
}

static int
eval_load(Lower *l, const Expr *e, const Env *env)
{
	const TaskTensor *x = &l->t->tensor.v[e->tensor];
	bool constant = x->kind == TENSOR_CONST || x->kind == TENSOR_LIT, any_via = false;
	Access acc = {.has_else = e->has_else, .otherwise = e->otherwise};
	int via[TASK_RANK_MAX] = {0};
	Aff ix[TASK_RANK_MAX];
	double v;

	for (int d = 0; d < x->rank; d++) {
		ix[d] = aff_of(&e->ix[d], env);
		if (e->ix[d].via == TASK_NONE)
			continue;
		if (ix[d].k || !aff_is_const(&ix[d]))
			build_refuse(&l->b, "an indirect index with an affine part");
		via[d] = via_index(l, e->ix[d].via, x->dim[d], env);
		any_via = true;
	}
	acc.ix = ix;
	acc.via = via;
	if (l->place[e->tensor].inlined)
		return inlined(l, e->tensor, &acc, env);
	if (x->kind == TENSOR_LIT && !any_via && literal_at(x, ix, &v))
		return build_const(&l->b, value_type(x->type), v);
	if (constant && !any_via)
		return segment_load(l, e->tensor, ix, e->has_else ? e->otherwise : 0, env);
	return access_load(l, e->tensor, &acc, env);
}

static int
eval_in(Lower *l, const Expr *e, const Env *env)
{
	Aff ix = aff_of(&e->ix[0], env);
	int cond, in = aff_in_range(&l->b, &ix, e->lo, e->hi, env, &cond);

	if (in != 2)
		return build_const(&l->b, e->type, in);
	return build_cast(&l->b, e->type, cond, false);
}

static int
eval_unary(Lower *l, const Expr *e, int a)
{
	Build *b = &l->b;

	switch (e->op) {
	case EXPR_NEG: return build_un(b, LOOP_NEG, a);
	case EXPR_ABS: return build_un(b, LOOP_ABS, a);
	case EXPR_SQRT: return build_un(b, LOOP_SQRT, a);
	case EXPR_EXP: return build_exp(b, a);
	case EXPR_LOG: return build_log(b, a);
	case EXPR_ERF: return build_erf(b, a);
	case EXPR_TANH: return build_tanh(b, a);
	case EXPR_FLOOR: return build_round(b, LOOP_FLOOR, a);
	case EXPR_CEIL: return build_round(b, LOOP_CEIL, a);
	case EXPR_RINT: return build_round(b, LOOP_RINT, a);
	case EXPR_NOT: return build_un(b, LOOP_NOT, a);
	default: return build_cast(b, e->type, a, true);
	}
}

static int
eval_binary(Lower *l, const Expr *e, int x, int y)
{
	static const LoopOp op[] = {
		[EXPR_ADD] = LOOP_ADD, [EXPR_SUB] = LOOP_SUB, [EXPR_MUL] = LOOP_MUL,
		[EXPR_DIV] = LOOP_DIV, [EXPR_MAX] = LOOP_MAX, [EXPR_MIN] = LOOP_MIN,
		[EXPR_LT] = LOOP_LT,   [EXPR_LE] = LOOP_LE,   [EXPR_EQ] = LOOP_EQ,
		[EXPR_AND] = LOOP_AND, [EXPR_OR] = LOOP_OR,   [EXPR_XOR] = LOOP_XOR};

	if (e->op == EXPR_POW)
		return build_pow(&l->b, x, y);
	return build_bin(&l->b, op[e->op], x, y);
}

/* a + b where one side is a product used only here becomes one fused operation. */
static int
eval_sum(Lower *l, const Expr *e, int x, int y)
{
	const LoopNode *m = build_at(&l->b, x);

	if (e->op == EXPR_ADD && m->op == LOOP_MUL && dtype_is_float(e->type))
		return build_fma(&l->b, m->a, m->b, y);
	return eval_binary(l, e, x, y);
}

int
eval(Lower *l, int expr, const Env *env, int acc)
{
	const Expr *e = &l->t->expr.v[expr];
	Aff ix;
	int a, b;

	if (l->b.refused)
		return 0;
	switch (e->op) {
	case EXPR_LIT: return build_const(&l->b, e->type, e->lit);
	case EXPR_LOAD: return eval_load(l, e, env);
	case EXPR_ACC: return acc;
	case EXPR_INDEX:
		ix = aff_of(&e->ix[0], env);
		return build_cast(&l->b, e->type, aff_int(&l->b, &ix, env), false);
	case EXPR_IN: return eval_in(l, e, env);
	default: break;
	}
	a = eval(l, e->a, env, acc);
	if (expr_operands(e->op) == 1)
		return eval_unary(l, e, a);
	b = eval(l, e->b, env, acc);
	if (expr_operands(e->op) == 2)
		return eval_sum(l, e, a, b);
	return build_select(&l->b, a, b, eval(l, e->c, env, acc));
}

/* A sum of products is a chain of multiply-adds; a factor that is 0 (border, literal) adds
 * nothing. */
static int
accumulate_product(Lower *l, const Expr *e, int acc, const Env *env)
{
	int x = eval(l, e->a, env, 0), y;
	double v;

	if (build_is_const(&l->b, x, &v) && v == 0)
		return acc;
	y = eval(l, e->b, env, 0);
	if (build_is_const(&l->b, y, &v) && v == 0)
		return acc;
	return build_fma(&l->b, x, y, acc);
}

int
accumulate(Lower *l, const Stage *s, int acc, const Env *env)
{
	const Expr *e = &l->t->expr.v[s->body];
	bool lanes_reduced = l->st == s && l->ss->vec >= s->nspatial;
	bool partial = lanes_reduced && env->valid < env->lanes;
	DType type = s->acc_type;
	int x;

	if (!acc)
		acc = build_const(&l->b, type, neutral(s->comb, type));
	if (l->bytes && l->st == s)
		return bytes_accumulate(l, acc, env);
	if (s->comb == COMB_SUM && e->op == EXPR_MUL && dtype_is_float(type) && !partial) {
		acc = accumulate_product(l, e, acc, env);
	} else {
		x = eval(l, s->body, env, 0);
		if (partial)
			x = build_select(&l->b, build_mask(&l->b, env->lanes, env->valid), x,
					 build_const(&l->b, type, neutral(s->comb, type)));
		acc = combine(l, s->comb, acc, x);
	}
	/* a body that does not depend on the reduced axis counts once per lane all the same */
	return lanes_reduced || shares_lanes(env) ? build_splat(&l->b, acc, env_width(env)) : acc;
}
