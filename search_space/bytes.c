/* Which bodies are products of bytes. */
#include "search_space/bytes.h"

/* x + 128 of I8 is U8 again, x - 128 of U8 is I8. */
static bool
flips(const Task *t, const Expr *e, DType *type)
{
	const Expr *by = &t->expr.v[e->b];
	double sign = e->op == EXPR_ADD ? 1 : -1;

	if ((e->op != EXPR_ADD && e->op != EXPR_SUB) || by->op != EXPR_LIT ||
	    t->expr.v[e->a].op != EXPR_LOAD)
		return false;
	*type = t->tensor.v[t->expr.v[e->a].tensor].type;
	return by->lit * sign == (*type == DT_I8 ? 128 : -128);
}

/* What a load gives where it misses its tensor is a byte as well. */
static bool
is_byte(DType type, const Expr *load)
{
	double least = type == DT_I8 ? -128 : 0;

	if (type != DT_I8 && type != DT_U8)
		return false;
	return !load->has_else || (load->otherwise >= least && load->otherwise <= least + 255);
}

static bool
operand_of(const Task *t, int expr, ByteOperand *o)
{
	const Expr *e = &t->expr.v[expr], *load;
	DType type;

	o->flipped = flips(t, e, &type);
	o->load = o->flipped ? e->a : expr;
	load = &t->expr.v[o->load];
	if (load->op != EXPR_LOAD || t->tensor.v[load->tensor].kind == TENSOR_LIT)
		return false;
	type = t->tensor.v[load->tensor].type;
	o->is_signed = (type == DT_I8) != o->flipped;
	for (int d = 0; d < t->tensor.v[load->tensor].rank; d++)
		if (load->ix[d].via != TASK_NONE)
			return false;
	return is_byte(type, load);
}

bool
byte_operands(const Task *t, const Stage *s, ByteOperand of[2])
{
	const Expr *body = s->comb == COMB_SUM ? &t->expr.v[s->body] : NULL;

	return body && s->acc_type == DT_I32 && body->op == EXPR_MUL &&
	       operand_of(t, body->a, &of[0]) && operand_of(t, body->b, &of[1]);
}

bool
target_multiplies(const Target *t, const ByteOperand of[2])
{
	int kind = of[0].is_signed == of[1].is_signed ? TARGET_DOT_ALIKE : TARGET_DOT_UNLIKE;

	return (t->byte_dot & kind) != 0;
}

double
target_task_flops(const Target *target, const Task *t)
{
	double sum = task_flops(t);
	ByteOperand of[2];

	for (int i = 0; i < t->stage.n && target->byte_dot; i++)
		if (!stage_is_const(t, i) && byte_operands(t, &t->stage.v[i], of))
			sum -= 2. * (double)stage_macs(&t->stage.v[i]) *
			       (1 - 1. / TARGET_DOT_BYTES);
	return sum;
}
