/* Shape inference of reductions, layer normalisation and LSTM. */
#include "graph/infer.h"

/* out = v without the marked axes, or with extent 1 there. */
static void
drop_axes(Value *out, const Value *v, const bool *drop, bool keepdims)
{
	out->type = v->type;
	out->rank = 0;
	for (int i = 0; i < v->rank; i++)
		if (!drop[i])
			out->dim[out->rank++] = v->dim[i];
		else if (keepdims)
			out->dim[out->rank++] = 1;
}

int
infer_reduce(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *x = infer_in(g, n, 0);
	const KAttr *axes = node_attr(n, ATTR_axes);
	bool drop[KERNEL_RANK_MAX] = {false};

	for (int i = 0; i < axes->n; i++) {
		int64_t axis = axes->i[i];

		if (axis < 0 || axis >= x->rank || drop[axis])
			return err_set(e, ERR_INPUT,
				       "axis %lld is none of the %d of '%s', or twice there",
				       (long long)axis, x->rank, x->name);
		drop[axis] = true;
	}
	for (int i = 0; i < x->rank && !axes->n; i++)
		drop[i] = true;
	drop_axes(out, x, drop, node_int(n, ATTR_keepdims) != 0);
	return OK;
}

int
infer_argreduce(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *x = infer_in(g, n, 0);
	bool drop[KERNEL_RANK_MAX] = {false};

	if (infer_axis(n, x, e))
		return ERR_INPUT;
	if (x->dim[node_int(n, ATTR_axis)] == 0)
		return err_set(e, ERR_INPUT, "'%s' has no element to choose from", x->name);
	drop[node_int(n, ATTR_axis)] = true;
	drop_axes(out, x, drop, node_int(n, ATTR_keepdims) != 0);
	out->type = DT_I64;
	return OK;
}

/* Mean and inverse deviation have extent 1 on the normalised axes. Scale and bias have exactly the
 * normalised shape. */
int
infer_layernormalization(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *x = infer_in(g, n, 0);
	int axis = (int)node_int(n, ATTR_axis);

	if (infer_axis(n, x, e))
		return ERR_INPUT;
	for (int i = 1; i < n->nin; i++) {
		const Value *v = infer_in(g, n, i);

		if (infer_same_type(x, v, e))
			return ERR_INPUT;
		for (int k = axis; v && k < x->rank; k++)
			if (v->rank != x->rank - axis || v->dim[k - axis] != x->dim[k])
				return err_set(e, ERR_INPUT,
					       "'%s' does not have the normalised axes of '%s'",
					       v->name, x->name);
	}
	infer_copy_shape(out, x);
	for (int i = 1; i < n->nout; i++) {
		infer_copy_shape(&out[i], x);
		out[i].type = DT_F32;
		for (int k = axis; k < x->rank; k++)
			out[i].dim[k] = 1;
	}
	return OK;
}

typedef struct LstmShape {
	int64_t steps, batch, features, dirs, hidden;
	bool batch_first;
} LstmShape;

static int
lstm_init(const Graph *g, const Node *n, LstmShape *s, Err *e)
{
	const Value *x = infer_in(g, n, 0);

	if (infer_rank(x, 3, 3, e))
		return ERR_INPUT;
	s->batch_first = node_int(n, ATTR_layout) != 0;
	s->steps = x->dim[s->batch_first];
	s->batch = x->dim[!s->batch_first];
	s->features = x->dim[2];
	s->dirs = node_int(n, ATTR_direction) == 2 ? 2 : 1;
	s->hidden = node_int(n, ATTR_hidden_size);
	if (s->hidden < 1)
		return err_set(e, ERR_INPUT, "attribute hidden_size is %lld", (long long)s->hidden);
	if (node_attr(n, ATTR_activations)->n != 3 * s->dirs)
		return err_set(e, ERR_INPUT, "%d activations, expected %lld",
			       node_attr(n, ATTR_activations)->n, 3 * (long long)s->dirs);
	return OK;
}

static int
expect_shape(const Value *v, int rank, int64_t d0, int64_t d1, int64_t d2, Err *e)
{
	Value want = {.rank = rank, .dim = {d0, d1, d2}};
	Str s = {0};
	int rc;

	if (!v || value_same_shape(v, &want))
		return OK;
	shape_print(&s, v->type, rank, want.dim);
	str_add(&s, ", found ");
	shape_print(&s, v->type, v->rank, v->dim);
	rc = err_set(e, ERR_INPUT, "'%s' should be %s", v->name, s.s);
	str_fini(&s);
	return rc;
}

/* The inputs' shapes in ONNX's order: X W R B sequence_lens initial_h initial_c P. */
static int
lstm_check(const Graph *g, const Node *n, const LstmShape *s, Err *e)
{
	int64_t d0 = s->batch_first ? s->batch : s->dirs, d1 = s->batch_first ? s->dirs : s->batch;

	if (expect_shape(infer_in(g, n, 1), 3, s->dirs, 4 * s->hidden, s->features, e) ||
	    expect_shape(infer_in(g, n, 2), 3, s->dirs, 4 * s->hidden, s->hidden, e) ||
	    expect_shape(infer_in(g, n, 3), 2, s->dirs, 8 * s->hidden, 0, e) ||
	    expect_shape(infer_in(g, n, 4), 1, s->batch, 0, 0, e) ||
	    expect_shape(infer_in(g, n, 5), 3, d0, d1, s->hidden, e) ||
	    expect_shape(infer_in(g, n, 6), 3, d0, d1, s->hidden, e) ||
	    expect_shape(infer_in(g, n, 7), 2, s->dirs, 3 * s->hidden, 0, e))
		return ERR_INPUT;
	for (int i = 1; i < n->nin; i++) {
		const Value *v = infer_in(g, n, i);

		if (i == 4 && v && v->type != DT_I32)
			return err_set(e, ERR_INPUT, "'%s' is %s, expected i32", v->name,
				       dtype_name(v->type));
		if (i != 4 && infer_same_type(infer_in(g, n, 0), v, e))
			return ERR_INPUT;
	}
	return OK;
}

int
infer_lstm(const Graph *g, const Node *n, Value *out, Err *e)
{
	LstmShape s;

	if (lstm_init(g, n, &s, e) || lstm_check(g, n, &s, e))
		return ERR_INPUT;
	for (int i = 0; i < n->nout; i++)
		out[i].type = infer_in(g, n, 0)->type;
	out[0].rank = 4;
	out[0].dim[0] = s.batch_first ? s.batch : s.steps;
	out[0].dim[1] = s.batch_first ? s.steps : s.dirs;
	out[0].dim[2] = s.batch_first ? s.dirs : s.batch;
	out[0].dim[3] = s.hidden;
	for (int i = 1; i < n->nout; i++) {
		out[i].rank = 3;
		out[i].dim[0] = s.batch_first ? s.batch : s.dirs;
		out[i].dim[1] = s.batch_first ? s.dirs : s.batch;
		out[i].dim[2] = s.hidden;
	}
	return OK;
}
