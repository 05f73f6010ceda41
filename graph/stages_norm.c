/* Reductions over whole axes, and what is built from them: normalisations, softmax, argmax. */
#include "graph/stages.h"

static int
bin(Stager *s, ExprOp op, int a, int b)
{
	return expr_bin(s->t, op, a, b);
}

static int
lit(Stager *s, DType type, double v)
{
	return expr_lit(s->t, type, v);
}

/* A stage that reduces some dimensions of x: at[] indexes x, out[] the kept dimensions in order,
 * reduced ones given as 0 when keep is set and left out otherwise. */
typedef struct Reduction {
	int stage, rank_out;
	Index at[TASK_RANK_MAX], out[TASK_RANK_MAX];
	double count; /* elements combined */
} Reduction;

static Reduction
reduction_over(Stager *s, int out, const Value *x, unsigned reduced, bool keep)
{
	Reduction r = {.stage = task_stage(s->t, out), .count = 1};

	for (int d = 0; d < x->rank; d++) {
		const char name[] = {(char)('a' + d), 0};

		if (!(reduced >> d & 1))
			r.at[d] = r.out[r.rank_out++] =
				over_axis(s, r.stage, name, x->dim[d], false);
		else if (keep)
			r.out[r.rank_out++] = index_const(0);
	}
	for (int d = 0; d < x->rank; d++) {
		const char name[] = {(char)('a' + d), 0};

		if (!(reduced >> d & 1))
			continue;
		r.at[d] = over_axis(s, r.stage, name, x->dim[d], true);
		r.count *= (double)x->dim[d];
	}
	s->t->stage.v[r.stage].out_ix = arena_copy(s->t->arena, r.out, sizeof r.out);
	return r;
}

static unsigned
reduced_dims(const Node *n, int rank)
{
	const KAttr *axes = node_attr(n, ATTR_axes);
	unsigned mask = 0;

	for (int i = 0; axes && i < axes->n; i++)
		mask |= 1u << axes->i[i];
	return mask ? mask : (1u << rank) - 1;
}

/* Temporary with the kept dimensions of x, all of them (1 where reduced). */
static int
kept_temporary(Stager *s, const char *name, const Value *x, DType type, unsigned reduced)
{
	int64_t dim[TASK_RANK_MAX];

	for (int d = 0; d < x->rank; d++)
		dim[d] = reduced >> d & 1 ? 1 : x->dim[d];
	return stager_temporary(s, name, type, x->rank, dim);
}

/* Index of kept_temporary from an index of x. */
static int
load_kept(Stager *s, int tensor, const Index *at, unsigned reduced)
{
	Index ix[TASK_RANK_MAX];

	for (int d = 0; d < s->t->tensor.v[tensor].rank; d++)
		ix[d] = reduced >> d & 1 ? index_const(0) : at[d];
	return expr_load(s->t, tensor, ix);
}

static int
log_sum_exp(Stager *s, const Node *n, int tx, const Value *x, unsigned reduced, bool keep)
{
	int m = kept_temporary(s, "m", x, DT_F32, reduced), e;
	Reduction r = reduction_over(s, m, x, reduced, true);

	stage_reduce(s, r.stage, COMB_MAX, DT_F32, expr_load(s->t, tx, r.at));
	stage_value(s, r.stage, stage_acc(s, r.stage));
	r = reduction_over(s, stager_write(s, n->out[0]), x, reduced, keep);
	e = bin(s, EXPR_SUB, expr_load(s->t, tx, r.at), load_kept(s, m, r.at, reduced));
	stage_reduce(s, r.stage, COMB_SUM, DT_F32, expr_un(s->t, EXPR_EXP, e));
	e = expr_un(s->t, EXPR_LOG, stage_acc(s, r.stage));
	stage_value(s, r.stage, bin(s, EXPR_ADD, e, load_kept(s, m, r.at, reduced)));
	return OK;
}

int
stages_reduce(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	bool keep = node_int(n, ATTR_keepdims) != 0;
	unsigned reduced = reduced_dims(n, x->rank);
	DType type = node_type(s, n);
	int tx, v;
	Combiner c;
	Reduction r;

	if (!y || type == DT_BOOL ||
	    (type != DT_F32 && (n->op == OP_ReduceLogSum || n->op == OP_ReduceLogSumExp)) ||
	    (!dtype_is_float(type) && n->op == OP_ReduceL2))
		return NOT_APPLICABLE;
	tx = stager_read(s, n->in[0]);
	if (n->op == OP_ReduceLogSumExp)
		return log_sum_exp(s, n, tx, x, reduced, keep);
	r = reduction_over(s, stager_write(s, n->out[0]), x, reduced, keep);
	v = expr_load(s->t, tx, r.at);
	if (n->op == OP_ReduceL2 || n->op == OP_ReduceSumSquare)
		v = bin(s, EXPR_MUL, v, v);
	else if (n->op == OP_ReduceL1)
		v = expr_un(s->t, EXPR_ABS, v);
	c = n->op == OP_ReduceMax    ? COMB_MAX
	    : n->op == OP_ReduceMin  ? COMB_MIN
	    : n->op == OP_ReduceProd ? COMB_PROD
				     : COMB_SUM;
	stage_reduce(s, r.stage, c, type, v);
	v = stage_acc(s, r.stage);
	if (n->op == OP_ReduceMean)
		v = bin(s, EXPR_DIV, v, lit(s, type, r.count));
	else if (n->op == OP_ReduceL2)
		v = expr_un(s->t, EXPR_SQRT, v);
	else if (n->op == OP_ReduceLogSum)
		v = expr_un(s->t, EXPR_LOG, v);
	stage_value(s, r.stage, v);
	return OK;
}

int
stages_argreduce(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	bool last = node_int(n, ATTR_select_last_index) != 0, max = n->op == OP_ArgMax;
	Reduction r;
	int tx;

	if (!y || node_type(s, n) == DT_BOOL)
		return NOT_APPLICABLE;
	tx = stager_read(s, n->in[0]);
	r = reduction_over(s, stager_write(s, n->out[0]), x, 1u << node_int(n, ATTR_axis),
			   node_int(n, ATTR_keepdims) != 0);
	stage_reduce(s, r.stage,
		     max ? (last ? COMB_ARGMAX_LAST : COMB_ARGMAX)
			 : (last ? COMB_ARGMIN_LAST : COMB_ARGMIN),
		     DT_I32, expr_load(s->t, tx, r.at));
	stage_value(s, r.stage, expr_cast(s->t, value_type(y->type), stage_acc(s, r.stage)));
	return OK;
}

/* x - max along the axis, for the stage indexed by at */
static int
shifted(Stager *s, int tx, int m, const Index *at, unsigned along)
{
	return bin(s, EXPR_SUB, expr_load(s->t, tx, at), load_kept(s, m, at, along));
}

int
stages_softmax(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	unsigned along = 1u << node_int(n, ATTR_axis);
	int tx, m, e, z, v;
	Reduction r;
	Over o;

	if (!y || node_type(s, n) != DT_F32)
		return NOT_APPLICABLE;
	tx = stager_read(s, n->in[0]);
	m = kept_temporary(s, "m", x, DT_F32, along);
	r = reduction_over(s, m, x, along, true);
	stage_reduce(s, r.stage, COMB_MAX, DT_F32, expr_load(s->t, tx, r.at));
	stage_value(s, r.stage, stage_acc(s, r.stage));
	e = stager_temporary(s, "e", DT_F32, x->rank, x->dim);
	if (n->op == OP_Softmax) {
		o = stage_over(s, e, x->rank, x->dim);
		stage_value(s, o.stage, expr_un(s->t, EXPR_EXP, shifted(s, tx, m, o.at, along)));
	}
	z = kept_temporary(s, "z", x, DT_F32, along);
	r = reduction_over(s, z, x, along, true);
	v = n->op == OP_Softmax ? expr_load(s->t, e, r.at)
				: expr_un(s->t, EXPR_EXP, shifted(s, tx, m, r.at, along));
	stage_reduce(s, r.stage, COMB_SUM, DT_F32, v);
	v = stage_acc(s, r.stage);
	stage_value(s, r.stage,
		    n->op == OP_Softmax ? bin(s, EXPR_DIV, lit(s, DT_F32, 1), v)
					: expr_un(s->t, EXPR_LOG, v));
	o = stage_over(s, stager_write(s, n->out[0]), y->rank, y->dim);
	v = load_kept(s, z, o.at, along);
	stage_value(s, o.stage,
		    n->op == OP_Softmax ? bin(s, EXPR_MUL, expr_load(s->t, e, o.at), v)
					: bin(s, EXPR_SUB, shifted(s, tx, m, o.at, along), v));
	return OK;
}

/* Mean and 1 / sqrt(variance + epsilon) of x over some dimensions, as two temporaries. */
static void
moments(Stager *s, int tx, const Value *x, unsigned reduced, double epsilon, int *mean, int *scale)
{
	Reduction r;
	int d, v;

	*mean = kept_temporary(s, "m", x, DT_F32, reduced);
	r = reduction_over(s, *mean, x, reduced, true);
	stage_reduce(s, r.stage, COMB_SUM, DT_F32, expr_load(s->t, tx, r.at));
	stage_value(s, r.stage, bin(s, EXPR_DIV, stage_acc(s, r.stage), lit(s, DT_F32, r.count)));
	*scale = kept_temporary(s, "v", x, DT_F32, reduced);
	r = reduction_over(s, *scale, x, reduced, true);
	d = shifted(s, tx, *mean, r.at, reduced);
	stage_reduce(s, r.stage, COMB_SUM, DT_F32, bin(s, EXPR_MUL, d, d));
	v = bin(s, EXPR_DIV, stage_acc(s, r.stage), lit(s, DT_F32, r.count));
	v = expr_un(s->t, EXPR_SQRT, bin(s, EXPR_ADD, v, lit(s, DT_F32, epsilon)));
	stage_value(s, r.stage, bin(s, EXPR_DIV, lit(s, DT_F32, 1), v));
}

int
stages_layernormalization(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	unsigned reduced = 0;
	int tx, mean, scale, v;
	Over o;

	if (!y || node_type(s, n) != DT_F32)
		return NOT_APPLICABLE;
	for (int d = (int)node_int(n, ATTR_axis); d < x->rank; d++)
		reduced |= 1u << d;
	tx = stager_read(s, n->in[0]);
	moments(s, tx, x, reduced, node_float(n, ATTR_epsilon), &mean, &scale);
	for (int i = 1; i < 3; i++) {
		const Value *extra = node_out(s, n, i);

		if (!extra)
			continue;
		o = stage_over(s, stager_write(s, n->out[i]), extra->rank, extra->dim);
		stage_value(s, o.stage, expr_load(s->t, i == 1 ? mean : scale, o.at));
	}
	o = stage_over(s, stager_write(s, n->out[0]), y->rank, y->dim);
	v = bin(s, EXPR_MUL, shifted(s, tx, mean, o.at, reduced),
		load_kept(s, scale, o.at, reduced));
	v = bin(s, EXPR_MUL, v, over_load(s, &o, n->in[1]));
	if (node_in(s, n, 2))
		v = bin(s, EXPR_ADD, v, over_load(s, &o, n->in[2]));
	stage_value(s, o.stage, v);
	return OK;
}

/* A per-channel parameter (dimension 1 of the output). */
static int
channel_load(Stager *s, const Over *o, int value)
{
	return expr_load(s->t, stager_read(s, value), &o->at[1]);
}

int
stages_instancenormalization(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	unsigned reduced = (1u << x->rank) - 1 - 3;
	int tx, mean, scale, v;
	Over o;

	if (!y || x->rank < 3 || node_type(s, n) != DT_F32)
		return NOT_APPLICABLE;
	tx = stager_read(s, n->in[0]);
	moments(s, tx, x, reduced, node_float(n, ATTR_epsilon), &mean, &scale);
	o = stage_over(s, stager_write(s, n->out[0]), y->rank, y->dim);
	v = bin(s, EXPR_MUL, shifted(s, tx, mean, o.at, reduced),
		load_kept(s, scale, o.at, reduced));
	v = bin(s, EXPR_MUL, v, channel_load(s, &o, n->in[1]));
	stage_value(s, o.stage, bin(s, EXPR_ADD, v, channel_load(s, &o, n->in[2])));
	return OK;
}

int
stages_batchnormalization(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	DType type = node_type(s, n);
	int d, v;
	Over o;

	if (!y || x->rank < 2 || !dtype_is_float(type))
		return NOT_APPLICABLE;
	for (int i = 0; i < 5; i++)
		stager_read(s, n->in[i]);
	o = stage_over(s, stager_write(s, n->out[0]), y->rank, y->dim);
	v = bin(s, EXPR_ADD, expr_cast(s->t, type, channel_load(s, &o, n->in[4])),
		lit(s, type, node_float(n, ATTR_epsilon)));
	d = bin(s, EXPR_SUB, over_load(s, &o, n->in[0]),
		expr_cast(s->t, type, channel_load(s, &o, n->in[3])));
	v = bin(s, EXPR_DIV, d, expr_un(s->t, EXPR_SQRT, v));
	v = bin(s, EXPR_MUL, v, expr_cast(s->t, type, channel_load(s, &o, n->in[1])));
	stage_value(s, o.stage,
		    bin(s, EXPR_ADD, v, expr_cast(s->t, type, channel_load(s, &o, n->in[2]))));
	return OK;
}
