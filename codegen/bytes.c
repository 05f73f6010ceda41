/* Dot products of bytes: dot=AXIS with all lanes of the Target. A lane of a vector holds four
 * consecutive terms of the reduction axis as its bytes, and one operation adds their products to
 * the 32-bit sum that the lane is. What does not differ between lanes is one number of 32 bits;
 * constants are packed so that the four terms of one output lie together (segment.c). Nothing is
 * rounded and sums wrap around, so the order of the terms does not matter.
 */
#include "codegen/lowering.h"

bool
bytes_begin(Lower *l)
{
	if (!byte_operands(l->t, l->st, l->byte))
		build_refuse(&l->b, "dot: %s sums no products of bytes",
			     l->t->tensor.v[l->st->out].name);
	else if (!target_multiplies(l->b.target, l->byte))
		build_refuse(&l->b, "dot: the target has no instruction for these signs");
	return !l->b.refused;
}

int32_t
bytes_four(double byte, bool flip)
{
	uint32_t one = ((uint32_t)(int32_t)byte & 0xff) ^ (flip ? 0x80 : 0);

	return (int32_t)(one * 0x01010101u);
}

static int
operand(Lower *l, const ByteOperand *o, const Env *env)
{
	const Expr *e = &l->t->expr.v[o->load];
	const TaskTensor *x = &l->t->tensor.v[e->tensor];
	const int via[TASK_RANK_MAX] = {0};
	Access acc = {.via = via, .has_else = e->has_else, .otherwise = e->otherwise};
	Aff ix[TASK_RANK_MAX];
	int value;

	for (int d = 0; d < x->rank; d++)
		ix[d] = aff_of(&e->ix[d], env);
	acc.ix = ix;
	if (l->place[e->tensor].inlined) {
		build_refuse(&l->b, "dot: %s is computed where it is read", x->name);
		return 0;
	}
	if (x->kind == TENSOR_CONST)
		return segment_load_bytes(l, e->tensor, ix, e->has_else ? e->otherwise : 0, env,
					  o->flipped);
	value = access_load_bytes(l, e->tensor, &acc, env, o->flipped);
	return value ? value : build_const(&l->b, DT_I32, bytes_four(e->otherwise, o->flipped));
}

int
bytes_accumulate(Lower *l, int acc, const Env *env)
{
	/* Of unlike signs the unsigned operand comes first; of like ones what all lanes share comes
	 * last, where Arm's instructions take a lane of a vector. */
	bool swap = l->byte[0].is_signed && !l->byte[1].is_signed;
	int x = operand(l, &l->byte[swap], env), y = operand(l, &l->byte[!swap], env);
	bool alike = l->byte[0].is_signed == l->byte[1].is_signed;
	Build *b = &l->b;
	double v;

	if (b->refused)
		return acc;
	if ((build_is_const(b, x, &v) && v == 0) || (build_is_const(b, y, &v) && v == 0))
		return acc;
	if (alike && build_at(b, x)->lanes == 1) {
		int swapped = x;

		x = y;
		y = swapped;
	}
	return build_dot(b, acc, x, y, l->byte[swap].is_signed, l->byte[!swap].is_signed);
}
