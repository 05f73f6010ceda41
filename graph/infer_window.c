/* Shape inference of convolutions, pools and matrix products.
 *
 * Window attributes have one value for each spatial axis (pads two); extents and attributes are
 * below 2^31, so the products here stay below 2^63.
 */
#include <math.h>

#include "graph/infer.h"

typedef struct Window {
	int axes; /* spatial */
	const int64_t *kernel, *strides, *dilations, *pads;
} Window;

static int
window_attr(const Node *n, AttrKey key, int count, int64_t min, const int64_t **v, Err *e)
{
	const KAttr *a = node_attr(n, key);

	if (a->n != count)
		return err_set(e, ERR_INPUT, "attribute %s has %d values, expected %d",
			       attr_name(key), a->n, count);
	for (int i = 0; i < count; i++)
		if (a->i[i] < min)
			return err_set(e, ERR_INPUT,
				       "attribute %s holds %lld, expected at least %lld",
				       attr_name(key), (long long)a->i[i], (long long)min);
	*v = a->i;
	return OK;
}

static int
window_init(const Node *n, const Value *x, Window *w, Err *e)
{
	if (infer_rank(x, 3, KERNEL_RANK_MAX, e))
		return ERR_INPUT;
	w->axes = x->rank - 2;
	if (window_attr(n, ATTR_kernel, w->axes, 1, &w->kernel, e) ||
	    window_attr(n, ATTR_strides, w->axes, 1, &w->strides, e) ||
	    window_attr(n, ATTR_dilations, w->axes, 1, &w->dilations, e) ||
	    window_attr(n, ATTR_pads, 2 * w->axes, 0, &w->pads, e))
		return ERR_INPUT;
	return OK;
}

static int64_t
window_extent(const Window *w, int i)
{
	return (w->kernel[i] - 1) * w->dilations[i] + 1;
}

/* Positions of the window along spatial axis i of x; with ceil, also a last one that sticks out,
 * unless it would begin in the end padding. */
static int
window_count(const Window *w, const Value *x, int i, bool ceil, int64_t *count, Err *e)
{
	int64_t in = x->dim[i + 2], begin = w->pads[i], end = w->pads[i + w->axes];
	int64_t room = in + begin + end - window_extent(w, i), stride = w->strides[i];

	if (room < 0)
		return err_set(e, ERR_INPUT,
			       "the window spans %lld on spatial axis %d, the padded input %lld",
			       (long long)window_extent(w, i), i, (long long)(in + begin + end));
	*count = (room + (ceil ? stride - 1 : 0)) / stride + 1;
	if (ceil && *count > 1 && (*count - 1) * stride >= in + begin)
		--*count;
	return OK;
}

/* Weights fit the kernel attribute, the bias the output channels. */
static int
check_weights(const Graph *g, const Node *n, const Window *w, int64_t channels_out, Err *e)
{
	const Value *weight = infer_in(g, n, 1);

	for (int i = 0; i < w->axes; i++)
		if (weight->dim[i + 2] != w->kernel[i])
			return err_set(e, ERR_INPUT,
				       "weights '%s' span %lld on spatial axis %d, the kernel %lld",
				       weight->name, (long long)weight->dim[i + 2], i,
				       (long long)w->kernel[i]);
	return infer_vector(infer_in(g, n, 2), channels_out, "bias", e);
}

static int
check_groups(const Value *x, const Value *weight, int64_t channels_in, int64_t group, int64_t split,
	     Err *e)
{
	if (group < 1 || split % group)
		return err_set(e, ERR_INPUT, "group %lld does not divide %lld channels",
			       (long long)group, (long long)split);
	if (x->dim[1] != channels_in)
		return err_set(e, ERR_INPUT,
			       "'%s' has %lld channels, weights '%s' and group %lld expect %lld",
			       x->name, (long long)x->dim[1], weight->name, (long long)group,
			       (long long)channels_in);
	return OK;
}

/* Input, weights and bias of one type. */
static int
check_alike(const Graph *g, const Node *n, Err *e)
{
	const Value *x = infer_in(g, n, 0);

	return infer_same_type(x, infer_in(g, n, 1), e) || infer_same_type(x, infer_in(g, n, 2), e);
}

static int
conv_shape(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *x = infer_in(g, n, 0), *weight = infer_in(g, n, 1);
	int64_t group = node_int(n, ATTR_group);
	Window w;

	if (window_init(n, x, &w, e) || infer_rank(weight, x->rank, x->rank, e) ||
	    check_weights(g, n, &w, weight->dim[0], e) ||
	    check_groups(x, weight, weight->dim[1] * group, group, weight->dim[0], e))
		return ERR_INPUT;
	infer_copy_shape(out, x);
	out->dim[1] = weight->dim[0];
	for (int i = 0; i < w.axes; i++)
		if (window_count(&w, x, i, false, &out->dim[i + 2], e))
			return ERR_INPUT;
	return OK;
}

int
infer_conv(const Graph *g, const Node *n, Value *out, Err *e)
{
	return check_alike(g, n, e) ? ERR_INPUT : conv_shape(g, n, out, e);
}

int
infer_convinteger(const Graph *g, const Node *n, Value *out, Err *e)
{
	int rc = conv_shape(g, n, out, e);
	double outside = node_float(n, ATTR_value);

	out->type = DT_I32;
	if (!rc && (outside != floor(outside) || fabs(outside) > 0x1p15))
		return err_set(e, ERR_INPUT, "attribute value holds %g", outside);
	return rc || infer_same_type(out, infer_in(g, n, 2), e) ? ERR_INPUT : OK;
}

int
infer_convtranspose(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *x = infer_in(g, n, 0), *weight = infer_in(g, n, 1);
	int64_t group = node_int(n, ATTR_group);
	const int64_t *more;
	Window w;

	if (check_alike(g, n, e) || window_init(n, x, &w, e) ||
	    infer_rank(weight, x->rank, x->rank, e) ||
	    window_attr(n, ATTR_output_padding, w.axes, 0, &more, e) ||
	    check_weights(g, n, &w, weight->dim[1] * group, e) ||
	    check_groups(x, weight, weight->dim[0], group, weight->dim[0], e))
		return ERR_INPUT;
	infer_copy_shape(out, x);
	out->dim[1] = weight->dim[1] * group;
	for (int i = 0; i < w.axes; i++) {
		int64_t full = (x->dim[i + 2] - 1) * w.strides[i] + window_extent(&w, i) + more[i];

		out->dim[i + 2] = full - w.pads[i] - w.pads[i + w.axes];
		if (x->dim[i + 2] < 1 || out->dim[i + 2] < 0)
			return err_set(e, ERR_INPUT,
				       "spatial axis %d: nothing is left of %lld after "
				       "pads %lld and %lld",
				       i, (long long)full, (long long)w.pads[i],
				       (long long)w.pads[i + w.axes]);
	}
	return OK;
}

int
infer_pool(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *x = infer_in(g, n, 0);
	bool ceil = node_int(n, ATTR_ceil_mode) != 0;
	Window w;

	if (window_init(n, x, &w, e))
		return ERR_INPUT;
	infer_copy_shape(out, x);
	for (int i = 0; i < w.axes; i++) {
		if (window_count(&w, x, i, ceil, &out->dim[i + 2], e))
			return ERR_INPUT;
		if (w.pads[i] >= window_extent(&w, i) || w.pads[i + w.axes] >= window_extent(&w, i))
			return err_set(e, ERR_INPUT,
				       "pads of spatial axis %d are not below the window's %lld", i,
				       (long long)window_extent(&w, i));
	}
	if (n->nout > 1) { /* where each maximum came from */
		infer_copy_shape(&out[1], out);
		out[1].type = DT_I64;
	}
	return OK;
}

int
infer_gemm(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *a = infer_in(g, n, 0), *b = infer_in(g, n, 1), *c = infer_in(g, n, 2);
	bool ta = node_int(n, ATTR_transA) != 0, tb = node_int(n, ATTR_transB) != 0;
	Value stretched;

	if (infer_rank(a, 2, 2, e) || infer_rank(b, 2, 2, e) || infer_same_type(a, b, e) ||
	    infer_same_type(a, c, e))
		return ERR_INPUT;
	if (a->dim[!ta] != b->dim[tb])
		return err_set(e, ERR_INPUT, "'%s' gives %lld terms to each sum, '%s' %lld",
			       a->name, (long long)a->dim[!ta], b->name, (long long)b->dim[tb]);
	out->type = a->type;
	out->rank = 2;
	out->dim[0] = a->dim[ta];
	out->dim[1] = b->dim[!tb];
	stretched = *out;
	if (c && (infer_broadcast_dims(&stretched, c, e) || !value_same_shape(&stretched, out)))
		return err_set(e, ERR_INPUT, "'%s' does not broadcast to %lld x %lld", c->name,
			       (long long)out->dim[0], (long long)out->dim[1]);
	return OK;
}

/* The leading axes of a and b broadcast; a vector is a matrix of one row or column whose axis does
 * not show in the result. */
static int
matmul_shape(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *a = infer_in(g, n, 0), *b = infer_in(g, n, 1);
	Value batch_a = *a, batch_b = *b;
	int64_t terms_a, terms_b;

	if (infer_rank(a, 1, KERNEL_RANK_MAX, e) || infer_rank(b, 1, KERNEL_RANK_MAX, e))
		return ERR_INPUT;
	terms_a = a->dim[a->rank - 1];
	terms_b = b->dim[b->rank > 1 ? b->rank - 2 : 0];
	if (terms_a != terms_b)
		return err_set(e, ERR_INPUT, "'%s' gives %lld terms to each sum, '%s' %lld",
			       a->name, (long long)terms_a, b->name, (long long)terms_b);
	batch_a.rank = a->rank > 2 ? a->rank - 2 : 0;
	batch_b.rank = b->rank > 2 ? b->rank - 2 : 0;
	infer_copy_shape(out, &batch_a);
	if (infer_broadcast_dims(out, &batch_b, e))
		return ERR_INPUT;
	if (a->rank > 1)
		out->dim[out->rank++] = a->dim[a->rank - 2];
	if (b->rank > 1)
		out->dim[out->rank++] = b->dim[b->rank - 1];
	return OK;
}

int
infer_matmul(const Graph *g, const Node *n, Value *out, Err *e)
{
	if (infer_same_type(infer_in(g, n, 0), infer_in(g, n, 1), e))
		return ERR_INPUT;
	return matmul_shape(g, n, out, e);
}

int
infer_matmulinteger(const Graph *g, const Node *n, Value *out, Err *e)
{
	int rc = matmul_shape(g, n, out, e);

	out->type = DT_I32;
	return rc;
}
