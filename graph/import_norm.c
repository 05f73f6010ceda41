/* Import of normalisations, softmax and reductions. */
#include "graph/import_ops.h"

int
import_batchnorm(OnnxNode *n)
{
	if (get_int(n, "training_mode", 0))
		return refuse(n, "training mode");
	if (!get_int(n, "spatial", 1))
		return refuse(n, "attribute spatial 0");
	for (int i = 1; i < 5; i++)
		if (wants_output(n, i))
			return refuse(n, "output %d, which only training fills", i);
	with_float(n, ATTR_epsilon, get_float(n, "epsilon", 1e-5f));
	return finish(n, OP_BatchNormalization, 5, n->in, NULL);
}

int
import_instancenorm(OnnxNode *n)
{
	with_float(n, ATTR_epsilon, get_float(n, "epsilon", 1e-5f));
	return finish(n, OP_InstanceNormalization, 3, n->in, NULL);
}

/* Scale and bias stretched to exactly the normalised axes. */
static int
stretch(OnnxNode *n, int v, const Value *x, int axis)
{
	Value want = {.rank = x->rank - axis};
	const Value *p = value_of(n, v);
	int extra = p->rank - want.rank;

	for (int i = 0; i < want.rank; i++)
		want.dim[i] = x->dim[axis + i];
	for (int i = 0; i < extra; i++)
		if (p->dim[i] != 1)
			return refuse(n, "'%s' varies along an axis that is not normalised",
				      p->name);
	if (extra > 0) {
		v = step_reshape(n, v, want.rank, p->dim + extra);
		if (v < 0)
			return v;
	}
	return value_same_shape(value_of(n, v), &want) ? v : step(n, OP_Expand, 1, &v, &want);
}

int
import_layernorm(OnnxNode *n)
{
	const Value *x = in_value(n, 0);
	int in[3] = {n->in[0], NO_VALUE, NO_VALUE}, axis;

	if (get_axis(n, -1, x->rank, &axis))
		return n->err.code;
	if (get_int(n, "stash_type", 1) != 1)
		return refuse(n, "attribute stash_type %lld",
			      (long long)get_int(n, "stash_type", 1));
	for (int i = 1; i < 3; i++)
		if (has_in(n, i))
			in[i] = stretch(n, n->in[i], x, axis);
	with_int(n, ATTR_axis, axis);
	with_float(n, ATTR_epsilon, get_float(n, "epsilon", 1e-5f));
	return finish(n, OP_LayerNormalization, 3, in, NULL);
}

int
import_lrn(OnnxNode *n)
{
	with_int(n, ATTR_size, get_int(n, "size", 0));
	with_float(n, ATTR_alpha, get_float(n, "alpha", 1e-4f));
	with_float(n, ATTR_beta, get_float(n, "beta", 0.75));
	with_float(n, ATTR_bias, get_float(n, "bias", 1));
	return finish(n, OP_LRN, 1, n->in, NULL);
}

/* Before opset 13 the axes from `axis` on were one: the same as a softmax along `axis` when those
 * after it have extent 1, else between two reshapes. */
int
import_softmax(OnnxNode *n)
{
	bool flat = n->im->opset < 13;
	const Value *x = in_value(n, 0);
	int64_t outer = 1, inner = 1, after = 1;
	int axis, v;

	if (get_axis(n, flat ? 1 : -1, x->rank, &axis))
		return n->err.code;
	for (int i = 0; i < x->rank; i++) {
		outer *= i < axis ? x->dim[i] : 1;
		inner *= i < axis ? 1 : x->dim[i];
		after *= i > axis ? x->dim[i] : 1;
	}
	if (!flat || after == 1) {
		with_int(n, ATTR_axis, axis);
		return finish(n, n->row->op, 1, n->in, NULL);
	}
	v = step_reshape(n, n->in[0], 2, (int64_t[]){outer, inner});
	with_int(n, ATTR_axis, 1);
	v = step(n, n->row->op, 1, &v, NULL);
	return finish_reshape(n, v, x->rank, x->dim);
}

int
import_reduce(OnnxNode *n)
{
	int as_input = n->row->op == OP_ReduceSum ? 13 : 18;
	int rank = in_value(n, 0)->rank, axes[KERNEL_RANK_MAX], count;
	int64_t list[KERNEL_RANK_MAX];
	int rc = get_axes(n, as_input, 1, rank, axes, &count);

	if (rc)
		return rc;
	if (count <= 0 && get_int(n, "noop_with_empty_axes", 0))
		return bind_output(n, 0, n->in[0]);
	for (int i = 0; i < rank; i++)
		list[i] = count > 0 && i < count ? axes[i] : i;
	with_ints(n, ATTR_axes, list, count > 0 ? count : rank);
	with_int(n, ATTR_keepdims, get_int(n, "keepdims", 1));
	return finish(n, n->row->op, 1, n->in, NULL);
}

int
import_argreduce(OnnxNode *n)
{
	int axis;

	if (get_axis(n, 0, in_value(n, 0)->rank, &axis))
		return n->err.code;
	with_int(n, ATTR_axis, axis);
	with_int(n, ATTR_keepdims, get_int(n, "keepdims", 1));
	with_int(n, ATTR_select_last_index, get_int(n, "select_last_index", 0));
	return finish(n, n->row->op, 1, n->in, NULL);
}
