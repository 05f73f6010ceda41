/* Shape inference of operators whose output elements stand where their inputs' do. */
#include "graph/infer.h"

int
infer_same(const Graph *g, const Node *n, Value *out, Err *e)
{
	(void)e;
	infer_copy_shape(out, infer_in(g, n, 0));
	return OK;
}

int
infer_cast(const Graph *g, const Node *n, Value *out, Err *e)
{
	int64_t to = node_int(n, ATTR_to);

	if (to < 0 || to >= DT_COUNT)
		return err_set(e, ERR_INPUT, "attribute to is %lld, expected an element type",
			       (long long)to);
	infer_copy_shape(out, infer_in(g, n, 0));
	out->type = (DType)to;
	return OK;
}

int
infer_clip(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *x = infer_in(g, n, 0);

	infer_copy_shape(out, x);
	for (int i = 1; i < n->nin; i++) {
		const Value *v = infer_in(g, n, i);

		if (infer_same_type(x, v, e))
			return ERR_INPUT;
		if (v && value_count(v) != 1)
			return err_set(e, ERR_INPUT, "bound '%s' has %lld elements, expected 1",
				       v->name, (long long)value_count(v));
	}
	return OK;
}

/* Softmax, LogSoftmax */
int
infer_along(const Graph *g, const Node *n, Value *out, Err *e)
{
	infer_copy_shape(out, infer_in(g, n, 0));
	return infer_axis(n, out, e);
}

/* Batch and instance normalisation: the parameters have one element for each channel. */
int
infer_channelwise(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *x = infer_in(g, n, 0);

	infer_copy_shape(out, x);
	if (infer_rank(x, 2, KERNEL_RANK_MAX, e))
		return ERR_INPUT;
	for (int i = 1; i < n->nin; i++)
		if (infer_vector(infer_in(g, n, i), x->dim[1], "parameter", e))
			return ERR_INPUT;
	return OK;
}

int
infer_lrn(const Graph *g, const Node *n, Value *out, Err *e)
{
	infer_copy_shape(out, infer_in(g, n, 0));
	if (node_int(n, ATTR_size) < 1)
		return err_set(e, ERR_INPUT, "attribute size is %lld, expected at least 1",
			       (long long)node_int(n, ATTR_size));
	return infer_rank(out, 2, KERNEL_RANK_MAX, e);
}

int
infer_trilu(const Graph *g, const Node *n, Value *out, Err *e)
{
	infer_copy_shape(out, infer_in(g, n, 0));
	return infer_rank(out, 2, KERNEL_RANK_MAX, e);
}

static int
broadcast_from(const Graph *g, const Node *n, int first, Value *out, Err *e)
{
	infer_copy_shape(out, infer_in(g, n, first));
	for (int i = first + 1; i < n->nin; i++)
		if (infer_same_type(infer_in(g, n, first), infer_in(g, n, i), e))
			return ERR_INPUT;
	for (int i = 0; i < n->nin; i++)
		if (infer_broadcast_dims(out, infer_in(g, n, i), e))
			return ERR_INPUT;
	return OK;
}

int
infer_broadcast(const Graph *g, const Node *n, Value *out, Err *e)
{
	return broadcast_from(g, n, 0, out, e);
}

int
infer_compare(const Graph *g, const Node *n, Value *out, Err *e)
{
	int rc = broadcast_from(g, n, 0, out, e);

	out->type = DT_BOOL;
	return rc;
}

/* The slope is stretched to x, never the other way round. */
int
infer_prelu(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *x = infer_in(g, n, 0);

	if (broadcast_from(g, n, 0, out, e))
		return ERR_INPUT;
	if (!value_same_shape(out, x))
		return err_set(e, ERR_INPUT, "slope '%s' does not broadcast to '%s'",
			       infer_in(g, n, 1)->name, x->name);
	return OK;
}

/* The exponent may have another type; the result has the base's. */
int
infer_pow(const Graph *g, const Node *n, Value *out, Err *e)
{
	infer_copy_shape(out, infer_in(g, n, 0));
	return infer_broadcast_dims(out, infer_in(g, n, 1), e);
}

int
infer_where(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *c = infer_in(g, n, 0);

	if (c->type != DT_BOOL)
		return err_set(e, ERR_INPUT, "condition '%s' is %s, expected bool", c->name,
			       dtype_name(c->type));
	return broadcast_from(g, n, 1, out, e);
}

/* Scale and zero point: one element, or one for each index of the axis. */
static int
check_scale(const Graph *g, const Node *n, Err *e)
{
	const Value *x = infer_in(g, n, 0), *scale = infer_in(g, n, 1), *zero = infer_in(g, n, 2);

	if (!dtype_is_float(scale->type))
		return err_set(e, ERR_INPUT, "scale '%s' is %s, expected a float type", scale->name,
			       dtype_name(scale->type));
	if (zero && value_count(zero) != value_count(scale))
		return err_set(e, ERR_INPUT, "zero point '%s' has %lld elements, the scale %lld",
			       zero->name, (long long)value_count(zero),
			       (long long)value_count(scale));
	if (value_count(scale) == 1 && scale->rank <= 1)
		return OK;
	if (infer_axis(n, x, e))
		return ERR_INPUT;
	return infer_vector(scale, x->dim[node_int(n, ATTR_axis)], "scale", e);
}

int
infer_quantize(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *zero = infer_in(g, n, 2);

	infer_copy_shape(out, infer_in(g, n, 0));
	out->type = zero ? zero->type : DT_U8;
	return check_scale(g, n, e);
}

int
infer_dequantize(const Graph *g, const Node *n, Value *out, Err *e)
{
	infer_copy_shape(out, infer_in(g, n, 0));
	out->type = infer_in(g, n, 1)->type;
	if (infer_same_type(infer_in(g, n, 0), infer_in(g, n, 2), e))
		return ERR_INPUT;
	return check_scale(g, n, e);
}
