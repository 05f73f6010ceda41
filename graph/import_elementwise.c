/* Import of elementwise operators. */

#include "graph/import_ops.h"

/* Inputs and meaning are those of the graph's operator. */
int
import_direct(OnnxNode *n)
{
	return finish(n, n->row->op, n->nin, n->in, NULL);
}

/* Activations with attributes: ONNX's defaults. */
int
import_activation(OnnxNode *n)
{
	static const struct {
		Op op;
		double alpha;
		const char *second; /* the other attribute, if there is one */
		AttrKey key;
		double value;
	} list[] = {
		{OP_HardSigmoid, 0.2f, "beta", ATTR_beta, 0.5},
		{OP_LeakyRelu, 0.01f, NULL, ATTR_beta, 0},
		{OP_ThresholdedRelu, 1, NULL, ATTR_beta, 0},
		{OP_Elu, 1, NULL, ATTR_beta, 0},
		{OP_Celu, 1, NULL, ATTR_beta, 0},
		{OP_Selu, 1.67326319217681884765625, "gamma", ATTR_gamma,
		 1.05070102214813232421875},
	};
	size_t i = 0;

	while (list[i].op != n->row->op)
		i++;
	with_float(n, ATTR_alpha, get_float(n, "alpha", list[i].alpha));
	if (list[i].second)
		with_float(n, list[i].key, get_float(n, list[i].second, list[i].value));
	return finish(n, n->row->op, 1, n->in, NULL);
}

int
import_gelu(OnnxNode *n)
{
	static const char *const how[] = {"none", "tanh", NULL};
	int at;

	if (get_choice(n, "approximate", "none", how, &at))
		return n->err.code;
	with_int(n, ATTR_approximate, at);
	return finish(n, OP_Gelu, 1, n->in, NULL);
}

static int
cast_to(OnnxNode *n, DType to)
{
	if (in_value(n, 0)->type == to)
		return bind_output(n, 0, n->in[0]);
	with_int(n, ATTR_to, to);
	return finish(n, OP_Cast, 1, n->in, NULL);
}

int
import_cast(OnnxNode *n)
{
	int64_t number = get_int(n, "to", 0);
	DType to;

	if (number < 0 || number > INT32_MAX || !dtype_from_onnx((int)number, &to))
		return refuse(n, "element type %s",
			      onnx_type_name(number < 0 || number > 1000 ? -1 : (int)number));
	return cast_to(n, to);
}

int
import_castlike(OnnxNode *n)
{
	return cast_to(n, in_value(n, 1)->type);
}

int
import_clip(OnnxNode *n)
{
	static const char *const bound[] = {"min", "max"};
	DType type = in_value(n, 0)->type;
	int in[3] = {n->in[0], NO_VALUE, NO_VALUE};

	for (int i = 0; i < 2; i++) {
		if (n->im->opset >= 11 && has_in(n, i + 1))
			in[i + 1] = n->in[i + 1];
		else if (n->im->opset < 11 && has_attr(n, bound[i]))
			in[i + 1] = add_scalar(n, type, get_float(n, bound[i], 0));
	}
	if (in[1] == NO_VALUE && in[2] == NO_VALUE)
		return bind_output(n, 0, in[0]);
	return finish(n, OP_Clip, 3, in, NULL);
}

/* Before opset 7 the second operand was aligned at `axis` of the first, not at the last axis. */
static int
align_second(OnnxNode *n, int *second)
{
	const Value *a = in_value(n, 0), *b = in_value(n, 1);
	int64_t dim[KERNEL_RANK_MAX];
	int axis;

	*second = n->in[1];
	if (n->im->opset >= 7 || !has_attr(n, "axis") || !get_int(n, "broadcast", 0))
		return OK;
	if (get_axis(n, 0, a->rank, &axis))
		return n->err.code;
	if (axis + b->rank > a->rank)
		return invalid(n, "axis %d and rank %d of '%s' exceed rank %d", axis, b->rank,
			       b->name, a->rank);
	for (int i = 0; i < a->rank - axis; i++)
		dim[i] = i < b->rank ? b->dim[i] : 1;
	*second = step_reshape(n, n->in[1], a->rank - axis, dim);
	return *second < 0 ? *second : OK;
}

int
import_binary(OnnxNode *n)
{
	int in[2] = {n->in[0]}, rc = align_second(n, &in[1]);

	return rc ? rc : finish(n, n->row->op, 2, in, NULL);
}

int
import_mod(OnnxNode *n)
{
	with_int(n, ATTR_fmod, get_int(n, "fmod", 0));
	return finish(n, OP_Mod, 2, n->in, NULL);
}

/* Before opset 7 the slope had one element, or one for each channel (axis 1). */
int
import_prelu(OnnxNode *n)
{
	const Value *x = in_value(n, 0), *slope = in_value(n, 1);
	int64_t dim[KERNEL_RANK_MAX];
	int in[2] = {n->in[0], n->in[1]};

	if (n->im->opset < 7 && slope->rank == 1 && slope->dim[0] != 1 && x->rank > 2) {
		for (int i = 1; i < x->rank; i++)
			dim[i - 1] = i == 1 ? slope->dim[0] : 1;
		in[1] = step_reshape(n, in[1], x->rank - 1, dim);
	}
	return finish(n, OP_PRelu, 2, in, NULL);
}

/* All inputs but the last one combined from left to right. */
static int
chain(OnnxNode *n, int count)
{
	int sum = n->in[0];

	for (int i = 0; i < n->nin; i++)
		if (!has_in(n, i))
			return invalid(n, "input %d is missing", i);
	for (int i = 1; i < count && sum >= 0; i++)
		sum = step(n, n->row->op, 2, (int[]){sum, n->in[i]}, NULL);
	return sum;
}

int
import_nary(OnnxNode *n)
{
	int first = chain(n, n->nin - 1);

	if (n->nin == 1)
		return bind_output(n, 0, first);
	if (first < 0)
		return first;
	return finish(n, n->row->op, 2, (int[]){first, n->in[n->nin - 1]}, NULL);
}

int
import_mean(OnnxNode *n)
{
	int sum = chain(n, n->nin);
	int count = add_scalar(n, in_value(n, 0)->type, n->nin);

	if (n->nin == 1 || sum < 0)
		return bind_output(n, 0, sum);
	return finish(n, OP_Div, 2, (int[]){sum, count}, NULL);
}
