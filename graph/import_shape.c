/* Import of operators that only change a shape, ask for one, or do nothing. */
#include "graph/import_ops.h"

int
import_identity(OnnxNode *n)
{
	return bind_output(n, 0, n->in[0]);
}

/* Inference: everything passes. The mask is all true, before opset 10 in the data's type. */
int
import_dropout(OnnxNode *n)
{
	const Value *x = in_value(n, 0);
	DType type = n->im->opset < 10 ? x->type : DT_BOOL;
	double ratio = 0.5, training = 0;
	int mask, rc = OK;

	if (has_in(n, 2))
		rc = static_float(n, 2, &training);
	if (training != 0 && has_in(n, 1))
		rc = also(rc, static_float(n, 1, &ratio));
	if (rc)
		return rc;
	if (training != 0 && ratio != 0)
		return refuse(n, "training mode");
	if (wants_output(n, 1)) {
		mask = add_scalar(n, type, 1);
		mask = step(n, OP_Expand, 1, &mask, x);
		rc = bind_output(n, 1, mask);
		if (rc)
			return rc;
	}
	return bind_output(n, 0, n->in[0]);
}

/* 0 keeps an extent (unless allowzero), one -1 takes what is left. */
int
import_reshape(OnnxNode *n)
{
	const Value *x = in_value(n, 0);
	bool allowzero = get_int(n, "allowzero", 0) != 0;
	int64_t dim[KERNEL_RANK_MAX], known = 1;
	const int64_t *v;
	int count, open = -1, rc = static_ints(n, 1, &v, &count);

	if (rc)
		return rc;
	if (count > KERNEL_RANK_MAX)
		return refuse(n, "rank %d", count);
	for (int i = 0; i < count; i++) {
		dim[i] = v[i];
		if (v[i] == 0 && !allowzero) {
			if (i >= x->rank)
				return invalid(n, "shape holds 0 on axis %d, '%s' has rank %d", i,
					       x->name, x->rank);
			dim[i] = x->dim[i];
		}
		if (dim[i] < -1 || dim[i] > DIM_MAX || (dim[i] == -1 && open >= 0))
			return invalid(n, "shape holds %lld on axis %d", (long long)dim[i], i);
		if (dim[i] == -1)
			open = i;
		else
			known = known * dim[i] > DIM_MAX ? DIM_MAX : known * dim[i];
	}
	if (open >= 0)
		dim[open] = known ? value_count(x) / known : 0;
	return finish_reshape(n, n->in[0], count, dim);
}

int
import_flatten(OnnxNode *n)
{
	const Value *x = in_value(n, 0);
	int64_t axis = get_int(n, "axis", 1), dim[2] = {1, 1};

	axis += axis < 0 ? x->rank : 0;
	if (axis < 0 || axis > x->rank)
		return invalid(n, "axis %lld, '%s' has rank %d", (long long)axis, x->name, x->rank);
	for (int i = 0; i < x->rank; i++)
		dim[i >= axis] *= x->dim[i];
	return finish_reshape(n, n->in[0], 2, dim);
}

int
import_squeeze(OnnxNode *n)
{
	const Value *x = in_value(n, 0);
	int axes[KERNEL_RANK_MAX], count, rank = 0, k = 0;
	int64_t dim[KERNEL_RANK_MAX];
	int rc = get_axes(n, 13, 1, x->rank, axes, &count);

	if (rc)
		return rc;
	for (int i = 0; i < x->rank; i++) {
		bool drop = count < 0 ? x->dim[i] == 1 : k < count && axes[k] == i;

		k += count > 0 && drop;
		if (drop && x->dim[i] != 1)
			return invalid(n, "axis %d of '%s' has extent %lld, expected 1", i, x->name,
				       (long long)x->dim[i]);
		if (!drop)
			dim[rank++] = x->dim[i];
	}
	return finish_reshape(n, n->in[0], rank, dim);
}

/* The axes are those of the result. */
int
import_unsqueeze(OnnxNode *n)
{
	const Value *x = in_value(n, 0);
	int axes[KERNEL_RANK_MAX], count, from = 0, k = 0, rank;
	int64_t dim[KERNEL_RANK_MAX];
	const int64_t *v;
	int rc = OK;

	if (n->im->opset < 13)
		get_ints(n, "axes", &v, &count);
	else
		rc = static_ints(n, 1, &v, &count);
	if (rc)
		return rc;
	if (count > KERNEL_RANK_MAX - x->rank)
		return refuse(n, "%d more axes for rank %d", count, x->rank);
	rank = x->rank + count;
	rc = get_axes(n, 13, 1, rank, axes, &k);
	if (rc)
		return rc;
	if (k != count)
		return invalid(n, "axes are missing or there twice");
	for (int i = 0, at = 0; i < rank; i++) {
		bool added = at < count && axes[at] == i;

		at += added;
		dim[i] = added ? 1 : x->dim[from++];
	}
	return finish_reshape(n, n->in[0], rank, dim);
}

static int64_t
clamp(int64_t v, int64_t rank)
{
	v += v < 0 ? rank : 0;
	return v < 0 ? 0 : v > rank ? rank : v;
}

int
import_shape(OnnxNode *n)
{
	const Value *x = in_value(n, 0);
	int64_t start = clamp(get_int(n, "start", 0), x->rank);
	int64_t end = clamp(get_int(n, "end", x->rank), x->rank);

	return bind_output(n, 0, add_ints(n, 1, x->dim + start, end > start ? end - start : 0));
}

int
import_size(OnnxNode *n)
{
	int64_t count = value_count(in_value(n, 0));

	return bind_output(n, 0, add_ints(n, 0, &count, 1));
}
