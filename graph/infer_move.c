/* Shape inference of operators that move elements. */
#include "graph/infer.h"

/* For Reshape, Expand, Tile, Slice and Resize the importer knows the output's extents; here they
 * are checked against the input. One checker each. */
typedef int Fits(const Node *n, const Value *x, const Value *out, Err *e);

static int
fits_reshape(const Node *n, const Value *x, const Value *out, Err *e)
{
	(void)n;
	if (value_count(x) == value_count(out))
		return OK;
	return err_set(e, ERR_INPUT, "'%s' has %lld elements, the new shape %lld", x->name,
		       (long long)value_count(x), (long long)value_count(out));
}

static int
fits_expand(const Node *n, const Value *x, const Value *out, Err *e)
{
	Value wide = *out;

	(void)n;
	if (infer_broadcast_dims(&wide, x, e) || !value_same_shape(&wide, out))
		return err_set(e, ERR_INPUT, "'%s' does not broadcast to the new shape", x->name);
	return OK;
}

static int
fits_tile(const Node *n, const Value *x, const Value *out, Err *e)
{
	(void)n;
	for (int i = 0; i < x->rank && x->rank == out->rank; i++)
		if (x->dim[i] ? out->dim[i] % x->dim[i] : out->dim[i])
			return err_set(e, ERR_INPUT,
				       "extent %lld of axis %d is no multiple of the %lld of '%s'",
				       (long long)out->dim[i], i, (long long)x->dim[i], x->name);
	return OK;
}

static int
fits_slice(const Node *n, const Value *x, const Value *out, Err *e)
{
	const KAttr *starts = node_attr(n, ATTR_starts), *steps = node_attr(n, ATTR_steps);

	if (starts->n != x->rank || steps->n != x->rank)
		return err_set(e, ERR_INPUT, "%d starts and %d steps, expected %d", starts->n,
			       steps->n, x->rank);
	for (int i = 0; i < x->rank && i < out->rank; i++) {
		int64_t first = starts->i[i], last = first + (out->dim[i] - 1) * steps->i[i];

		if (steps->i[i] == 0)
			return err_set(e, ERR_INPUT, "step 0 on axis %d", i);
		if (out->dim[i] == 0)
			continue;
		if (first < 0 || first >= x->dim[i] || last < 0 || last >= x->dim[i])
			return err_set(e, ERR_INPUT,
				       "indices %lld to %lld on axis %d, '%s' has %lld there",
				       (long long)first, (long long)last, i, x->name,
				       (long long)x->dim[i]);
	}
	return OK;
}

static int
fits_resize(const Node *n, const Value *x, const Value *out, Err *e)
{
	const KAttr *scales = node_attr(n, ATTR_scales), *roi = node_attr(n, ATTR_roi);

	if (scales->n != x->rank || (roi->n != 0 && roi->n != 2 * x->rank))
		return err_set(e, ERR_INPUT, "%d scales and %d numbers of roi for rank %d",
			       scales->n, roi->n, x->rank);
	for (int i = 0; i < x->rank && i < out->rank; i++)
		if (!(scales->f[i] > 0) || (x->dim[i] == 0 && out->dim[i] != 0))
			return err_set(e, ERR_INPUT, "axis %d: scale %g, extents %lld to %lld", i,
				       scales->f[i], (long long)x->dim[i], (long long)out->dim[i]);
	return OK;
}

int
infer_given(const Graph *g, const Node *n, Value *out, Err *e)
{
	static const struct {
		Op op;
		bool same_rank;
		Fits *fits;
	} list[] = {
		{OP_Reshape, false, fits_reshape}, {OP_Expand, false, fits_expand},
		{OP_Tile, true, fits_tile},        {OP_Slice, true, fits_slice},
		{OP_Resize, true, fits_resize},
	};
	const Value *x = infer_in(g, n, 0);

	out->type = x->type;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		if (list[i].op != n->op)
			continue;
		if (list[i].same_rank && out->rank != x->rank)
			return err_set(e, ERR_INPUT, "'%s' has rank %d, the output %d", x->name,
				       x->rank, out->rank);
		return list[i].fits(n, x, out, e);
	}
	return err_set(e, ERR_INTERNAL, "no rule checks the given shape of %s",
		       op_info(n->op)->name);
}

int
infer_transpose(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *x = infer_in(g, n, 0);
	const KAttr *perm = node_attr(n, ATTR_perm);
	bool seen[KERNEL_RANK_MAX] = {false};

	if (perm->n != x->rank)
		return err_set(e, ERR_INPUT, "attribute perm has %d values, '%s' rank %d", perm->n,
			       x->name, x->rank);
	infer_copy_shape(out, x);
	for (int i = 0; i < x->rank; i++) {
		int64_t from = perm->i[i];

		if (from < 0 || from >= x->rank || seen[from])
			return err_set(e, ERR_INPUT, "attribute perm is no permutation of %d axes",
				       x->rank);
		seen[from] = true;
		out->dim[i] = x->dim[from];
	}
	return OK;
}

int
infer_concat(const Graph *g, const Node *n, Value *out, Err *e)
{
	int64_t axis = node_int(n, ATTR_axis);

	infer_copy_shape(out, infer_in(g, n, 0));
	if (infer_axis(n, out, e))
		return ERR_INPUT;
	for (int i = 1; i < n->nin; i++) {
		const Value *v = infer_in(g, n, i);

		if (!v)
			return err_set(e, ERR_INPUT, "input %d is missing", i);
		if (infer_same_type(infer_in(g, n, 0), v, e) ||
		    infer_rank(v, out->rank, out->rank, e))
			return ERR_INPUT;
		for (int k = 0; k < v->rank; k++)
			if (k != axis && v->dim[k] != out->dim[k])
				return err_set(e, ERR_INPUT,
					       "'%s' has extent %lld on axis %d, the others %lld",
					       v->name, (long long)v->dim[k], k,
					       (long long)out->dim[k]);
		out->dim[axis] += v->dim[axis];
	}
	return OK;
}

/* Indices that are constants lie within the axis; others are the caller's duty. */
static int
check_indices(const Value *x, const Value *indices, int64_t extent, Err *e)
{
	if (indices->type != DT_I32 && indices->type != DT_I64)
		return err_set(e, ERR_INPUT, "indices '%s' are %s, expected i32 or i64",
			       indices->name, dtype_name(indices->type));
	if (!indices->data)
		return OK;
	for (int64_t i = 0, count = value_count(indices); i < count; i++) {
		double at = dtype_get(indices->type, indices->data, (size_t)i);

		if (at < -(double)extent || at >= (double)extent)
			return err_set(e, ERR_INPUT, "index %.0f into '%s', which has %lld there",
				       at, x->name, (long long)extent);
	}
	return OK;
}

int
infer_gather(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *x = infer_in(g, n, 0), *indices = infer_in(g, n, 1);
	int axis = (int)node_int(n, ATTR_axis);

	if (infer_axis(n, x, e) || check_indices(x, indices, x->dim[axis], e))
		return ERR_INPUT;
	if (x->rank + indices->rank - 1 > KERNEL_RANK_MAX)
		return shape_check(x->rank + indices->rank - 1, NULL, e);
	out->type = x->type;
	out->rank = 0;
	for (int i = 0; i < axis; i++)
		out->dim[out->rank++] = x->dim[i];
	for (int i = 0; i < indices->rank; i++)
		out->dim[out->rank++] = indices->dim[i];
	for (int i = axis + 1; i < x->rank; i++)
		out->dim[out->rank++] = x->dim[i];
	return OK;
}

int
infer_pad(const Graph *g, const Node *n, Value *out, Err *e)
{
	enum { CONSTANT, REFLECT };
	const Value *x = infer_in(g, n, 0);
	const KAttr *pads = node_attr(n, ATTR_pads);
	int64_t mode = node_int(n, ATTR_pad_mode);

	if (pads->n != 2 * x->rank)
		return err_set(e, ERR_INPUT, "attribute pads has %d values, expected %d", pads->n,
			       2 * x->rank);
	infer_copy_shape(out, x);
	for (int i = 0; i < x->rank; i++) {
		int64_t begin = pads->i[i], end = pads->i[i + x->rank], extent = x->dim[i];
		bool grows = begin > 0 || end > 0;

		out->dim[i] += begin + end;
		if (out->dim[i] < 0 || (mode != CONSTANT && grows && extent == 0) ||
		    (mode == REFLECT && (begin >= extent || end >= extent) && grows))
			return err_set(e, ERR_INPUT, "pads %lld and %lld do not fit extent %lld",
				       (long long)begin, (long long)end, (long long)extent);
	}
	return OK;
}

static int
check_blocks(const Node *n, const Value *x, Err *e)
{
	int64_t block = node_int(n, ATTR_blocksize);

	if (infer_rank(x, 4, 4, e))
		return ERR_INPUT;
	if (block < 1 || block > 32767)
		return err_set(e, ERR_INPUT, "attribute blocksize is %lld", (long long)block);
	return OK;
}

int
infer_depthtospace(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *x = infer_in(g, n, 0);
	int64_t b = node_int(n, ATTR_blocksize);

	if (check_blocks(n, x, e))
		return ERR_INPUT;
	if (x->dim[1] % (b * b))
		return err_set(e, ERR_INPUT,
			       "%lld channels are no multiple of blocksize %lld squared",
			       (long long)x->dim[1], (long long)b);
	infer_copy_shape(out, x);
	out->dim[1] /= b * b;
	out->dim[2] *= b;
	out->dim[3] *= b;
	return OK;
}

int
infer_spacetodepth(const Graph *g, const Node *n, Value *out, Err *e)
{
	const Value *x = infer_in(g, n, 0);
	int64_t b = node_int(n, ATTR_blocksize);

	if (check_blocks(n, x, e))
		return ERR_INPUT;
	if (x->dim[2] % b || x->dim[3] % b)
		return err_set(e, ERR_INPUT, "%lld x %lld is no multiple of blocksize %lld",
			       (long long)x->dim[2], (long long)x->dim[3], (long long)b);
	infer_copy_shape(out, x);
	out->dim[1] *= b * b;
	out->dim[2] /= b;
	out->dim[3] /= b;
	return OK;
}
