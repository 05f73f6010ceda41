/* Elementwise operators: one stage, no reduction, an expression each. */
#include <math.h>

#include "graph/stages.h"

static int
lit(Stager *s, int like, double v)
{
	return expr_lit(s->t, s->t->expr.v[like].type, v);
}

static int
add(Stager *s, int a, int b)
{
	return expr_bin(s->t, EXPR_ADD, a, b);
}

static int
sub(Stager *s, int a, int b)
{
	return expr_bin(s->t, EXPR_SUB, a, b);
}

static int
mul(Stager *s, int a, int b)
{
	return expr_bin(s->t, EXPR_MUL, a, b);
}

static int
divide(Stager *s, int a, int b)
{
	return expr_bin(s->t, EXPR_DIV, a, b);
}

static int
less(Stager *s, int a, int b)
{
	return expr_bin(s->t, EXPR_LT, a, b);
}

static int
clamp(Stager *s, int x, double lo, double hi)
{
	x = expr_bin(s->t, EXPR_MAX, x, lit(s, x, lo));
	return expr_bin(s->t, EXPR_MIN, x, lit(s, x, hi));
}

static int
exp_less_one(Stager *s, int x)
{
	int e = expr_un(s->t, EXPR_EXP, x);

	return sub(s, e, lit(s, x, 1));
}

static int
sigmoid(Stager *s, int x)
{
	int e = expr_un(s->t, EXPR_EXP, expr_un(s->t, EXPR_NEG, x));

	return divide(s, lit(s, x, 1), add(s, lit(s, x, 1), e));
}

static int
sign(Stager *s, int x)
{
	int zero = lit(s, x, 0), below = less(s, x, zero);
	int minus = dtype_is_signed(s->t->expr.v[x].type) ? lit(s, x, -1) : zero;
	int rest = expr_select(s->t, below, minus, zero);

	return expr_select(s->t, less(s, zero, x), lit(s, x, 1), rest);
}

/* log(1 + e^x) without overflow */
static int
softplus(Stager *s, int x)
{
	int small = expr_un(s->t, EXPR_NEG, expr_un(s->t, EXPR_ABS, x));
	int e = add(s, lit(s, x, 1), expr_un(s->t, EXPR_EXP, small));

	return add(s, expr_bin(s->t, EXPR_MAX, x, lit(s, x, 0)), expr_un(s->t, EXPR_LOG, e));
}

static int
gelu(Stager *s, int x, bool by_tanh)
{
	int inner, half = mul(s, lit(s, x, 0.5), x);

	if (by_tanh) {
		int cube = mul(s, mul(s, x, x), x);

		inner = add(s, x, mul(s, lit(s, x, 0.044715), cube));
		inner = expr_un(s->t, EXPR_TANH, mul(s, inner, lit(s, x, sqrt(2 / M_PI))));
	} else {
		inner = expr_un(s->t, EXPR_ERF, mul(s, x, lit(s, x, sqrt(0.5))));
	}
	return mul(s, half, add(s, lit(s, x, 1), inner));
}

static int
exponential_units(Stager *s, const Node *n, int x)
{
	int alpha = lit(s, x, node_float(n, ATTR_alpha)), zero = lit(s, x, 0), e;

	switch (n->op) {
	case OP_Celu:
		e = mul(s, alpha, exp_less_one(s, divide(s, x, alpha)));
		return add(s, expr_bin(s->t, EXPR_MAX, x, zero), expr_bin(s->t, EXPR_MIN, e, zero));
	case OP_Selu:
		e = mul(s, alpha, exp_less_one(s, x));
		return mul(s, lit(s, x, node_float(n, ATTR_gamma)),
			   expr_select(s->t, less(s, x, zero), e, x));
	default:
		e = mul(s, alpha, exp_less_one(s, x));
		return expr_select(s->t, less(s, x, zero), e, x);
	}
}

static int
activation(Stager *s, const Node *n, int x)
{
	double alpha = node_float(n, ATTR_alpha);
	int zero, y;

	switch (n->op) {
	case OP_Sigmoid: return sigmoid(s, x);
	case OP_Relu: return expr_bin(s->t, EXPR_MAX, x, lit(s, x, 0));
	case OP_HardSwish:
		y = add(s, mul(s, x, lit(s, x, 1.0 / 6)), lit(s, x, 0.5));
		return mul(s, x, clamp(s, y, 0, 1));
	case OP_HardSigmoid:
		y = add(s, mul(s, x, lit(s, x, alpha)), lit(s, x, node_float(n, ATTR_beta)));
		return clamp(s, y, 0, 1);
	case OP_LeakyRelu:
		zero = lit(s, x, 0);
		return expr_select(s->t, less(s, x, zero), mul(s, x, lit(s, x, alpha)), x);
	case OP_ThresholdedRelu:
		zero = lit(s, x, 0);
		return expr_select(s->t, less(s, lit(s, x, alpha), x), x, zero);
	case OP_Softplus: return softplus(s, x);
	case OP_Softsign: return divide(s, x, add(s, lit(s, x, 1), expr_un(s->t, EXPR_ABS, x)));
	case OP_Gelu: return gelu(s, x, node_int(n, ATTR_approximate) == 1);
	default: return exponential_units(s, n, x);
	}
}

/* Floats saturate in the type they are cast to; integers lose their high bits in the store. */
static int
cast(Stager *s, DType to, int x)
{
	bool from_float = dtype_is_float(s->t->expr.v[x].type);
	double half = ldexp(1, (int)dtype_size(to) * 8 - 1);

	x = expr_cast(s->t, value_type(to), x);
	if (!from_float || dtype_is_float(to) || value_type(to) == to)
		return x;
	return dtype_is_signed(to) ? clamp(s, x, -half, half - 1) : clamp(s, x, 0, 2 * half - 1);
}

static int
unary_expr(Stager *s, const Node *n, int x)
{
	static const ExprOp direct[OP_COUNT] = {
		[OP_Neg] = EXPR_NEG,    [OP_Abs] = EXPR_ABS,     [OP_Exp] = EXPR_EXP,
		[OP_Log] = EXPR_LOG,    [OP_Sqrt] = EXPR_SQRT,   [OP_Erf] = EXPR_ERF,
		[OP_Tanh] = EXPR_TANH,  [OP_Floor] = EXPR_FLOOR, [OP_Ceil] = EXPR_CEIL,
		[OP_Round] = EXPR_RINT, [OP_Not] = EXPR_NOT,
	};

	if (direct[n->op])
		return expr_un(s->t, direct[n->op], x);
	if (n->op == OP_Cast)
		return cast(s, (DType)node_int(n, ATTR_to), x);
	if (n->op == OP_Reciprocal)
		return divide(s, lit(s, x, 1), x);
	if (n->op == OP_Sign)
		return sign(s, x);
	return activation(s, n, x);
}

/* Operators that single precision alone expands (codegen/math.c): exp and its kin, and rounding. */
static bool
wants_f32(Op op)
{
	switch (op) {
	case OP_Exp:
	case OP_Log:
	case OP_Erf:
	case OP_Tanh:
	case OP_Sigmoid:
	case OP_Softplus:
	case OP_Gelu:
	case OP_Celu:
	case OP_Selu:
	case OP_Elu:
	case OP_Floor:
	case OP_Ceil:
	case OP_Round: return true;
	default: return false;
	}
}

int
stages_unary(Stager *s, const Node *n)
{
	const Value *out = node_out(s, n, 0);
	Over o;

	if (!out || (wants_f32(n->op) && node_type(s, n) != DT_F32))
		return NOT_APPLICABLE;
	if (n->op != OP_Cast && n->op != OP_Not && node_type(s, n) == DT_BOOL)
		return NOT_APPLICABLE;
	stager_read(s, n->in[0]);
	o = stage_over(s, stager_write(s, n->out[0]), out->rank, out->dim);
	stage_value(s, o.stage, unary_expr(s, n, over_load(s, &o, n->in[0])));
	return OK;
}

int
stages_clip(Stager *s, const Node *n)
{
	const Value *out = node_out(s, n, 0);
	Over o;
	int x;

	if (!out || node_type(s, n) == DT_BOOL)
		return NOT_APPLICABLE;
	for (int i = 0; i < n->nin; i++)
		if (n->in[i] != NO_VALUE)
			stager_read(s, n->in[i]);
	o = stage_over(s, stager_write(s, n->out[0]), out->rank, out->dim);
	x = over_load(s, &o, n->in[0]);
	if (node_in(s, n, 1))
		x = expr_bin(s->t, EXPR_MAX, x, over_load(s, &o, n->in[1]));
	if (node_in(s, n, 2))
		x = expr_bin(s->t, EXPR_MIN, x, over_load(s, &o, n->in[2]));
	stage_value(s, o.stage, x);
	return OK;
}

/* x^v for the exponents that models use; TASK_NONE for the rest. */
static int
small_power(Stager *s, int x, double v)
{
	if (v == 1)
		return x;
	if (v == 2)
		return mul(s, x, x);
	if (v == 3)
		return mul(s, mul(s, x, x), x);
	if (!dtype_is_float(s->t->expr.v[x].type))
		return TASK_NONE;
	if (v == 0.5)
		return expr_un(s->t, EXPR_SQRT, x);
	if (v == -0.5)
		return divide(s, lit(s, x, 1), expr_un(s->t, EXPR_SQRT, x));
	return v == -1 ? divide(s, lit(s, x, 1), x) : TASK_NONE;
}

static int
binary_expr(Stager *s, const Node *n, int a, int b)
{
	static const ExprOp direct[OP_COUNT] = {
		[OP_Add] = EXPR_ADD,        [OP_Sub] = EXPR_SUB,  [OP_Mul] = EXPR_MUL,
		[OP_Div] = EXPR_DIV,        [OP_Pow] = EXPR_POW,  [OP_Min] = EXPR_MIN,
		[OP_Max] = EXPR_MAX,        [OP_Equal] = EXPR_EQ, [OP_Less] = EXPR_LT,
		[OP_And] = EXPR_AND,        [OP_Or] = EXPR_OR,    [OP_Xor] = EXPR_XOR,
		[OP_LessOrEqual] = EXPR_LE,
	};

	if (direct[n->op])
		return expr_bin(s->t, direct[n->op], a, b);
	if (n->op == OP_Greater)
		return less(s, b, a);
	if (n->op == OP_GreaterOrEqual)
		return expr_bin(s->t, EXPR_LE, b, a);
	return expr_select(s->t, less(s, a, lit(s, a, 0)), mul(s, a, b), a); /* PRelu */
}

int
stages_binary(Stager *s, const Node *n)
{
	const Value *out = node_out(s, n, 0);
	DType type = node_type(s, n);
	double v = 0;
	bool power = n->op == OP_Pow, known = power && node_scalar(s, n, 1, &v);
	bool logic = n->op == OP_And || n->op == OP_Or || n->op == OP_Xor || n->op == OP_Equal;
	int a, b;
	Over o;

	if (!out || (type == DT_BOOL && !logic))
		return NOT_APPLICABLE;
	stager_read(s, n->in[0]);
	if (!known)
		stager_read(s, n->in[1]);
	o = stage_over(s, stager_write(s, n->out[0]), out->rank, out->dim);
	a = over_load(s, &o, n->in[0]);
	if (known && (b = small_power(s, a, v)) != TASK_NONE) {
		stage_value(s, o.stage, b);
		return OK;
	}
	if (power && type != DT_F32)
		return NOT_APPLICABLE;
	b = known ? lit(s, a, v) : expr_cast(s->t, type, over_load(s, &o, n->in[1]));
	stage_value(s, o.stage, binary_expr(s, n, a, b));
	return OK;
}

/* Integers only: the remainder of a division is exact there. */
int
stages_mod(Stager *s, const Node *n)
{
	const Value *out = node_out(s, n, 0);
	DType type = node_type(s, n);
	int a, b, r, zero;
	Over o;

	if (!out || dtype_is_float(type) || type == DT_BOOL)
		return NOT_APPLICABLE;
	stager_read(s, n->in[0]);
	stager_read(s, n->in[1]);
	o = stage_over(s, stager_write(s, n->out[0]), out->rank, out->dim);
	a = over_load(s, &o, n->in[0]);
	b = over_load(s, &o, n->in[1]);
	zero = lit(s, a, 0);
	r = sub(s, a, mul(s, b, divide(s, a, b)));
	r = expr_select(s->t, expr_bin(s->t, EXPR_EQ, b, zero), zero, r);
	if (dtype_is_signed(type) && !node_int(n, ATTR_fmod)) { /* the sign is b's */
		int other = expr_bin(s->t, EXPR_XOR, less(s, r, zero), less(s, b, zero));
		int none = expr_bin(s->t, EXPR_EQ, r, zero);

		r = expr_select(s->t,
				expr_bin(s->t, EXPR_AND, other, expr_un(s->t, EXPR_NOT, none)),
				add(s, r, b), r);
	}
	stage_value(s, o.stage, r);
	return OK;
}

int
stages_where(Stager *s, const Node *n)
{
	const Value *out = node_out(s, n, 0);
	int x[3];
	Over o;

	if (!out)
		return NOT_APPLICABLE;
	for (int i = 0; i < 3; i++)
		stager_read(s, n->in[i]);
	o = stage_over(s, stager_write(s, n->out[0]), out->rank, out->dim);
	for (int i = 0; i < 3; i++)
		x[i] = over_load(s, &o, n->in[i]);
	stage_value(s, o.stage, expr_select(s->t, x[0], x[1], x[2]));
	return OK;
}
