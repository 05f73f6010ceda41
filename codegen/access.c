/* Loads and stores of stored tensors: addresses, guards, partial lanes. */
#include <math.h>

#include "codegen/lowering.h"

/* Address of an element: constant bytes apart from the node, and bytes from lane to lane and from
 * term to term. */
typedef struct Address {
	int node;
	int64_t offset, lane, term;
} Address;

/* A blocked dimension splits each term: whole blocks go to the outer stride, the rest must stay
 * inside one block. False when the terms cannot be split so. */
static bool
split_block(const Lower *l, const Layout *y, const Aff *ix, const Env *env, Address *at,
	    int64_t stride[LOOP_DEPTH_MAX])
{
	int64_t outer = y->stride[y->block_dim], block = y->block;
	int64_t inside = ix->k % block + (int64_t)ix->lane * (env->lanes - 1);

	if (shares_lanes(env))
		inside += (int64_t)ix->term * (env->terms - 1);
	if (ix->k < 0 || ix->lane < 0 || ix->term < 0)
		return false;
	for (int v = 1; v <= l->b.depth; v++) {
		if (ix->loop[v] % block == 0)
			continue;
		if (ix->loop[v] < 0)
			return false;
		inside += ix->loop[v] * (l->b.extent[v] - 1);
	}
	if (inside >= block)
		return false;
	at->offset += ix->k / block * outer + ix->k % block;
	at->lane += ix->lane;
	at->term += ix->term;
	for (int v = 1; v <= l->b.depth; v++)
		stride[v] += ix->loop[v] % block ? ix->loop[v] : ix->loop[v] / block * outer;
	return true;
}

static Address
add_offset(Lower *l, Address at, int index, int64_t bytes)
{
	const LoopNode *v = build_at(&l->b, index);
	int depth = build_depth(&l->b, at.node);

	if (v->lanes > 1) {
		build_refuse(&l->b, "an indirect index varies over the lanes");
		return at;
	}
	at.node = build_node(&l->b,
			     (LoopNode){.op = LOOP_OFFSET,
					.lanes = 1,
					.a = at.node,
					.b = index,
					.k = bytes,
					.depth = (int16_t)(v->depth > depth ? v->depth : depth)},
			     true);
	return at;
}

/* Block and position computed at run time: right for any index, slow. */
static Address
add_divided(Lower *l, Address at, const Layout *y, int i, int64_t bytes)
{
	Build *b = &l->b;
	int block = build_const(b, DT_I32, y->block);
	int outer = build_bin(b, LOOP_DIV, i, block);
	int inner = build_bin(b, LOOP_SUB, i, build_bin(b, LOOP_MUL, outer, block));

	at = add_offset(l, at, outer, y->stride[y->block_dim] * bytes);
	return add_offset(l, at, inner, bytes);
}

static Address
address_of(Lower *l, int tensor, const Access *acc, const Env *env)
{
	const TaskTensor *x = &l->t->tensor.v[tensor];
	const Place *p = &l->place[tensor];
	const Layout *y = &p->layout;
	int64_t stride[LOOP_DEPTH_MAX] = {0}, bytes = (int64_t)dtype_size(x->type);
	Address at = {.offset = y->base};
	int divided = 0;

	for (int d = 0; d < x->rank; d++) {
		Aff ix = acc->ix[d];

		if (p->shared[d])
			ix = aff_sub(&ix, &l->shared_base[p->shared[d] - 1], l->shared_depth);
		if (d == y->block_dim && acc->via[d]) {
			divided = acc->via[d];
		} else if (d == y->block_dim) {
			if (!split_block(l, y, &ix, env, &at, stride))
				divided = aff_int(&l->b, &ix, env);
		} else {
			at.offset += ix.k * y->stride[d];
			at.lane += ix.lane * y->stride[d];
			at.term += ix.term * y->stride[d];
			for (int v = 1; v <= l->b.depth; v++)
				stride[v] += ix.loop[v] * y->stride[d];
		}
	}
	if (divided && build_at(&l->b, divided)->lanes > 1)
		build_refuse(&l->b, "index crosses the block of %s", x->name);
	at.offset *= bytes;
	at.lane *= bytes;
	at.term *= bytes;
	at.node = p->root ? build_node(&l->b, (LoopNode){.op = LOOP_ROOT, .lanes = 1, .k = p->root},
				       true)
			  : segment_whole(l, tensor);
	for (int v = 1; v <= l->b.depth; v++)
		if (stride[v])
			at.node = build_node(&l->b,
					     (LoopNode){.op = LOOP_STEP,
							.lanes = 1,
							.a = at.node,
							.b = v,
							.k = stride[v] * bytes,
							.depth = (int16_t)v},
					     true);
	for (int d = 0; d < x->rank; d++)
		if (acc->via[d] && d != y->block_dim)
			at = add_offset(l, at, acc->via[d], y->stride[d] * bytes);
	if (divided && !l->b.refused)
		at = add_divided(l, at, y, divided, bytes);
	return at;
}

/* Whether the load misses its tensor: 0 surely, 1 surely not, 2 where *guard fails. The tensor's
 * own border counts as inside when it holds the else value. */
static int
guard_load(Lower *l, int tensor, const Access *acc, const Env *env, int *guard)
{
	const TaskTensor *x = &l->t->tensor.v[tensor];
	const Form *f = &l->f->v[tensor];
	int result = *guard ? 2 : 1;

	for (int d = 0; acc->has_else && d < x->rank; d++) {
		bool own = l->place[tensor].root && !(f->foreign >> d & 1) &&
			   f->border == acc->otherwise && d != f->block_dim;
		int64_t lo = own ? -f->lo[d] : 0, hi = x->dim[d] + (own ? f->hi[d] : 0), first,
			last;
		int cond, in;

		if (acc->via[d])
			continue;
		aff_range(&l->b, &acc->ix[d], env, &first, &last);
		if (last < 0 || first >= x->dim[d])
			return 0;
		in = aff_in_range(&l->b, &acc->ix[d], lo, hi, env, &cond);
		if (in == 1)
			continue;
		*guard = *guard ? build_bin(&l->b, LOOP_AND, *guard, cond) : cond;
		result = 2;
	}
	return result;
}

/* A tensor made under the shared loops may be read only where this iteration has written it. */
static void
check_shared(Lower *l, int tensor, const Access *acc, const Env *env)
{
	const Place *p = &l->place[tensor];
	bool local = l->nshared && p->stage >= l->group_first && p->stage < l->group_end;

	for (int f = 0; local && f < l->nshared; f++) {
		bool inside = false;

		for (int d = 0; d < l->t->tensor.v[tensor].rank; d++) {
			Aff ix = aff_sub(&acc->ix[d], &l->shared_base[f], l->shared_depth);
			int64_t lo, hi;

			if (p->follows[d] != f + 1 || acc->via[d])
				continue;
			aff_range(&l->b, &ix, env, &lo, &hi);
			inside |= lo >= 0 && hi < l->shared_span[f];
		}
		if (!inside)
			build_refuse(&l->b, "%s is read beyond the shared part of %s",
				     l->t->tensor.v[tensor].name, l->s->fuse[f].axis);
	}
}

static int16_t
max3(int a, int b, int c)
{
	return (int16_t)(a > b ? (a > c ? a : c) : b > c ? b : c);
}

int
access_load(Lower *l, int tensor, const Access *acc, const Env *env)
{
	const TaskTensor *x = &l->t->tensor.v[tensor];
	const Layout *y = &l->place[tensor].layout;
	DType type = value_type(x->type);
	int guard = env->guard, lanes, valid, floor = 0, value;
	Address at;

	if (!guard_load(l, tensor, acc, env, &guard))
		return build_const(&l->b, type, acc->otherwise);
	check_shared(l, tensor, acc, env);
	at = address_of(l, tensor, acc, env);
	if (at.lane && shares_lanes(env))
		build_refuse(&l->b, "%s differs between lanes shared with terms", x->name);
	lanes = at.lane ? env->lanes : at.term ? env->terms : 1;
	if (guard && build_at(&l->b, guard)->lanes > 1)
		lanes = env->lanes; /* lanes that fall outside differ from those inside */
	valid = at.term ? lanes : lanes > 1 ? env->valid : 1;
	if (lanes > 1 && y->block_dim != TASK_NONE && acc->ix[y->block_dim].lane && !guard)
		valid = lanes; /* pad lanes may be read */
	if (x->kind == TENSOR_TMP)
		floor = l->shared_depth;
	value = build_node(&l->b,
			   (LoopNode){.op = LOOP_LOAD,
				      .type = type,
				      .mem = x->type,
				      .lanes = (int16_t)lanes,
				      .valid = (int16_t)valid,
				      .a = at.node,
				      .c = guard,
				      .k = at.offset,
				      .k2 = at.term ? at.term : at.lane,
				      .f = guard ? acc->otherwise : 0,
				      .depth = max3(build_depth(&l->b, at.node), floor,
						    guard ? build_depth(&l->b, guard) : 0)},
			   true);
	return at.term ? build_repeat(&l->b, value, env_width(env)) : value;
}

int
access_load_bytes(Lower *l, int tensor, const Access *acc, const Env *env, bool flip)
{
	int guard = env->guard, lanes;
	Address at;

	if (!guard_load(l, tensor, acc, env, &guard))
		return 0;
	check_shared(l, tensor, acc, env);
	at = address_of(l, tensor, acc, env);
	lanes = at.lane ? env->lanes : 1;
	if (at.term != 1)
		build_refuse(&l->b, "dot: terms of %s do not lie side by side",
			     l->t->tensor.v[tensor].name);
	if (guard && build_at(&l->b, guard)->lanes > 1)
		build_refuse(&l->b, "dot: some lanes of %s lie outside",
			     l->t->tensor.v[tensor].name);
	return build_node(
		&l->b,
		(LoopNode){.op = LOOP_LOAD_BYTES,
			   .type = DT_I32,
			   .mem = DT_I32,
			   .lanes = (int16_t)lanes,
			   .valid = (int16_t)(lanes > 1 ? env->valid : 1),
			   .a = at.node,
			   .b = flip,
			   .c = guard,
			   .k = at.offset,
			   .k2 = at.lane,
			   .f = guard ? bytes_four(acc->otherwise, flip) : 0,
			   .depth = max3(build_depth(&l->b, at.node),
					 l->t->tensor.v[tensor].kind == TENSOR_TMP ? l->shared_depth
										   : 0,
					 guard ? build_depth(&l->b, guard) : 0)},
		true);
}

void
access_touch(Lower *l, int tensor, const Access *acc, const Env *env)
{
	int guard = env->guard;
	Address at;

	if (guard_load(l, tensor, acc, env, &guard) != 1)
		return;
	at = address_of(l, tensor, acc, env);
	build_node(&l->b,
		   (LoopNode){.op = LOOP_TOUCH,
			      .lanes = 1,
			      .a = at.node,
			      .k = at.offset & -LOOP_LINE,
			      .depth = (int16_t)l->b.depth},
		   true);
}

/* Lanes beyond the valid ones are pad lanes only where the last valid one is the tensor's last
 * element; elsewhere they are elements of somebody else (parts of a concatenation). */
static bool
ends_at_last(const Lower *l, const Aff *ix, int64_t extent, int valid)
{
	for (int v = 1; v <= l->b.depth; v++)
		if (ix->loop[v] && l->b.extent[v] > 1)
			return false;
	return ix->k + (int64_t)ix->lane * (valid - 1) == extent - 1;
}

void
access_store(Lower *l, int tensor, const Aff *ix, int value, const Env *env)
{
	const TaskTensor *x = &l->t->tensor.v[tensor];
	const Layout *y = &l->place[tensor].layout;
	const int via[TASK_RANK_MAX] = {0};
	const Access acc = {.ix = ix, .via = via};
	int guard = 0, lanes, valid;
	Address at;

	for (int d = 0; d < x->rank; d++) {
		int cond, in = aff_in_range(&l->b, &ix[d], 0, x->dim[d], env, &cond);

		if (in == 0)
			return;
		if (in == 2)
			guard = guard ? build_bin(&l->b, LOOP_AND, guard, cond) : cond;
	}
	at = address_of(l, tensor, &acc, env);
	lanes = at.lane ? env->lanes : 1;
	valid = lanes > 1 ? env->valid : 1;
	if (lanes > 1 && y->block_dim != TASK_NONE && ix[y->block_dim].lane == 1 &&
	    ends_at_last(l, &ix[y->block_dim], x->dim[y->block_dim], valid))
		valid = lanes; /* pad lanes may be written */
	if (build_at(&l->b, value)->lanes > lanes) {
		build_refuse(&l->b, "%s is stored once for all lanes", x->name);
		return;
	}
	if (guard && build_at(&l->b, guard)->lanes > lanes) {
		build_refuse(&l->b, "lanes of %s are dropped that all store one element", x->name);
		return;
	}
	build_node(&l->b,
		   (LoopNode){.op = LOOP_STORE,
			      .type = value_type(x->type),
			      .mem = x->type,
			      .lanes = (int16_t)lanes,
			      .valid = (int16_t)valid,
			      .a = at.node,
			      .b = build_splat(&l->b, value, lanes),
			      .c = guard,
			      .k = at.offset,
			      .k2 = at.lane,
			      .depth = (int16_t)l->b.depth},
		   false);
}
