/* Affine forms of axes and indices. */
#include "codegen/lowering.h"

Aff
aff_of(const Index *ix, const Env *env)
{
	Aff r = {.k = ix->k};

	for (int a = 0; a < env->stage->naxes; a++) {
		const Aff *x = &env->axis[a];
		int32_t c = ix->coef[a];

		if (!c)
			continue;
		r.k += c * x->k;
		r.lane += c * x->lane;
		r.term += c * x->term;
		for (int d = 1; d < LOOP_DEPTH_MAX; d++)
			r.loop[d] += c * x->loop[d];
	}
	return r;
}

void
aff_range(const Build *b, const Aff *x, const Env *env, int64_t *lo, int64_t *hi)
{
	int64_t span = (int64_t)x->lane * (env->valid - 1);

	*lo = *hi = x->k;
	*(span < 0 ? lo : hi) += span;
	span = shares_lanes(env) ? (int64_t)x->term * (env->terms - 1) : 0;
	*(span < 0 ? lo : hi) += span;
	for (int d = 1; d <= b->depth; d++) {
		span = x->loop[d] * (b->extent[d] - 1);
		*(span < 0 ? lo : hi) += span;
	}
}

Aff
aff_sub(const Aff *x, const Aff *y, int depth)
{
	Aff r = *x;

	r.k -= y->k;
	for (int d = 1; d <= depth; d++)
		r.loop[d] -= y->loop[d];
	return r;
}

bool
aff_is_const(const Aff *x)
{
	for (int d = 1; d < LOOP_DEPTH_MAX; d++)
		if (x->loop[d])
			return false;
	return !x->lane && !x->term;
}

int
aff_int(Build *b, const Aff *x, const Env *env)
{
	int n = build_node(b, (LoopNode){.op = LOOP_INT, .type = DT_I32, .lanes = 1, .k = x->k},
			   true);

	for (int d = 1; d <= b->depth; d++)
		if (x->loop[d])
			n = build_node(b,
				       (LoopNode){.op = LOOP_INT_STEP,
						  .type = DT_I32,
						  .lanes = 1,
						  .a = n,
						  .b = d,
						  .k = x->loop[d],
						  .depth = (int16_t)d},
				       true);
	if (x->term || (x->lane && shares_lanes(env)))
		build_refuse(b, "an index that differs between lanes shared with terms");
	else if (x->lane)
		n = build_node(b,
			       (LoopNode){.op = LOOP_INT_LANES,
					  .type = DT_I32,
					  .lanes = (int16_t)env->lanes,
					  .a = n,
					  .k = x->lane,
					  .depth = (int16_t)build_depth(b, n)},
			       true);
	return n;
}

int
aff_in_range(Build *b, const Aff *x, int64_t lo, int64_t hi, const Env *env, int *cond)
{
	int64_t first, last;
	int n;

	aff_range(b, x, env, &first, &last);
	if (first >= lo && last < hi)
		return 1;
	if (last < lo || first >= hi)
		return 0;
	n = aff_int(b, x, env);
	*cond = build_node(b,
			   (LoopNode){.op = LOOP_IN_RANGE,
				      .type = DT_BOOL,
				      .lanes = build_at(b, n)->lanes,
				      .a = n,
				      .k = lo,
				      .k2 = hi,
				      .depth = (int16_t)build_depth(b, n)},
			   true);
	return 2;
}
