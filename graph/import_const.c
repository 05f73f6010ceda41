/* Import of operators that are constants once shapes are known. */
#include <math.h>
#include <string.h>

#include "graph/import_ops.h"

static int
add_tensor(OnnxNode *n, const Onnx__TensorProto *t)
{
	Importer *im = n->im;
	Value shape = {0};
	void *data;
	int rc;

	rc = onnx_tensor_shape(t, im->dir, &shape, &n->err);
	if (rc)
		return rc;
	data = graph_alloc_data(im->g, &shape);
	rc = onnx_tensor_data(t, im->dir, &shape, data, &n->err);
	if (rc)
		return rc;
	return graph_add_const(im->g, fresh_name(im, n->label), shape.type, shape.rank, shape.dim,
			       data, false);
}

static int
add_floats(OnnxNode *n, int rank, const double *v, int64_t count)
{
	float *data = ARENA_ARRAY(n->im->tmp, float, count);

	for (int64_t i = 0; i < count; i++)
		data[i] = (float)v[i];
	return add_const(n, DT_F32, rank, &count, data);
}

int
import_constant(OnnxNode *n)
{
	const double *floats;
	const int64_t *ints;
	int64_t single;
	int count, v;

	if (n->proto->n_attribute != 1)
		return invalid(n, "%zu attributes, expected 1", n->proto->n_attribute);
	if (has_attr(n, "value")) {
		const Onnx__TensorProto *t = get_tensor(n, "value");

		v = t ? add_tensor(n, t) : invalid(n, "attribute value holds no tensor");
	} else if (has_attr(n, "value_float")) {
		v = add_scalar(n, DT_F32, get_float(n, "value_float", 0));
	} else if (has_attr(n, "value_int")) {
		single = get_int(n, "value_int", 0);
		v = add_ints(n, 0, &single, 1);
	} else if (get_floats(n, "value_floats", &floats, &count)) {
		v = add_floats(n, 1, floats, count);
	} else {
		get_ints(n, "value_ints", &ints, &count);
		v = add_ints(n, 1, ints, count);
	}
	return bind_output(n, 0, v);
}

int
import_constantofshape(OnnxNode *n)
{
	const Onnx__TensorProto *t = get_tensor(n, "value");
	Value want = {0};
	const int64_t *v;
	int fill, rc = static_ints(n, 0, &v, &want.rank);

	if (rc)
		return rc;
	if (shape_check(want.rank, v, &n->err))
		return n->err.code;
	memcpy(want.dim, v, (size_t)want.rank * sizeof *v);
	fill = t ? add_tensor(n, t) : add_scalar(n, DT_F32, 0);
	if (fill < 0)
		return fill;
	if (value_count(value_of(n, fill)) != 1)
		return invalid(n, "attribute value has %lld elements, expected 1",
			       (long long)value_count(value_of(n, fill)));
	fill = step_reshape(n, fill, 0, NULL);
	return finish(n, OP_Expand, 1, &fill, &want);
}

/* start + i * delta below limit; in 64-bit integers where the type is one. */
static int
add_range(OnnxNode *n, DType type, int64_t count, int64_t first, int64_t delta, double ffirst,
	  double fdelta)
{
	char *data = arena_alloc(n->im->tmp, (size_t)count * dtype_size(type));

	for (int64_t i = 0; i < count; i++)
		if (type == DT_I64)
			((int64_t *)(void *)data)[i] =
				(int64_t)((uint64_t)first + (uint64_t)i * (uint64_t)delta);
		else
			dtype_put(type, data, (size_t)i, ffirst + (double)i * fdelta);
	return bind_output(n, 0, add_const(n, type, 1, &count, data));
}

int
import_range(OnnxNode *n)
{
	DType type = in_value(n, 0)->type;
	double f[3], count;
	int64_t v[3] = {0};
	int rc = OK;

	for (int i = 0; i < 3; i++) {
		rc = also(rc, static_float(n, i, &f[i]));
		if (type == DT_I64)
			rc = also(rc, static_int(n, i, &v[i]));
		if (in_value(n, i)->type != type)
			return invalid(n, "start, limit and delta are of different types");
	}
	if (rc)
		return rc;
	count = ceil((f[1] - f[0]) / f[2]);
	if (!(count <= DIM_MAX) || f[2] == 0)
		return invalid(n, "from %g to %g by %g", f[0], f[1], f[2]);
	if (count * (double)dtype_size(type) > (double)n->im->fold_bytes)
		return refuse(n, "%g elements: beyond the limit of constants", count);
	return add_range(n, type, count > 0 ? (int64_t)count : 0, v[0], v[2], f[0], f[2]);
}

int
import_eyelike(OnnxNode *n)
{
	const Value *x = in_value(n, 0);
	int64_t number = get_int(n, "dtype", dtype_to_onnx(x->type)), k = get_int(n, "k", 0);
	DType type;
	char *data;

	if (number < 0 || number > INT32_MAX || !dtype_from_onnx((int)number, &type))
		return refuse(n, "element type %s", onnx_type_name(number));
	if (x->rank != 2)
		return invalid(n, "'%s' has rank %d, expected 2", x->name, x->rank);
	if (value_count(x) * (int64_t)dtype_size(type) > n->im->fold_bytes)
		return refuse(n, "%lld elements: beyond the limit of constants",
			      (long long)value_count(x));
	data = arena_alloc(n->im->tmp, (size_t)value_count(x) * dtype_size(type));
	for (int64_t i = 0; i < x->dim[0]; i++)
		if (k > -x->dim[0] && k < x->dim[1] && i + k >= 0 && i + k < x->dim[1])
			dtype_put(type, data, (size_t)(i * x->dim[1] + i + k), 1);
	return bind_output(n, 0, add_const(n, type, 2, x->dim, data));
}

/* The classes 0, 1... (first 0) or -depth... (first -depth), shaped to lie on the axis. */
static int
add_classes(OnnxNode *n, int64_t depth, int64_t first, int rank, int axis)
{
	int64_t dim[KERNEL_RANK_MAX], *v = ARENA_ARRAY(n->im->tmp, int64_t, depth);

	for (int64_t i = 0; i < depth; i++)
		v[i] = first + i;
	for (int i = 0; i < rank; i++)
		dim[i] = i == axis ? depth : 1;
	return add_const(n, DT_I64, rank, dim, v);
}

/* Element i of the pair (off, on) as a scalar. */
static int
pick(OnnxNode *n, int64_t i)
{
	Value want = {.rank = 1, .dim = {1}};
	int v;

	with_ints(n, ATTR_starts, &i, 1);
	with_ints(n, ATTR_steps, &(int64_t){1}, 1);
	v = step(n, OP_Slice, 1, &n->in[2], &want);
	return v < 0 ? v : step_reshape(n, v, 0, NULL);
}

static int
onehot_axis(OnnxNode *n, int rank, int *axis)
{
	if (in_value(n, 2)->rank != 1 || in_value(n, 2)->dim[0] != 2)
		return invalid(n, "'%s' is not a pair of values", in_value(n, 2)->name);
	if (rank > KERNEL_RANK_MAX)
		return refuse(n, "rank %d", rank);
	return get_axis(n, -1, rank, axis);
}

/* on where an index equals its class, counted from 0 or from the end; else off. */
int
import_onehot(OnnxNode *n)
{
	const Value *x = in_value(n, 0);
	int rank = x->rank + 1, axis, at, hit, again, on, off, rc = onehot_axis(n, rank, &axis);
	int64_t dim[KERNEL_RANK_MAX];
	double depth = 0;

	if (rc == OK)
		rc = static_float(n, 1, &depth);
	if (rc)
		return rc;
	if (!(depth >= 1 && depth * sizeof(int64_t) <= (double)n->im->fold_bytes))
		return invalid(n, "depth %g", depth);
	for (int i = 0; i < rank; i++)
		dim[i] = i == axis ? 1 : x->dim[i - (i > axis)];
	at = n->in[0];
	if (x->type != DT_I64) {
		with_int(n, ATTR_to, DT_I64);
		at = step(n, OP_Cast, 1, &at, NULL);
	}
	at = step_reshape(n, at, rank, dim);
	hit = add_classes(n, (int64_t)depth, 0, rank, axis);
	hit = step(n, OP_Equal, 2, (int[]){at, hit}, NULL);
	again = add_classes(n, (int64_t)depth, -(int64_t)depth, rank, axis);
	again = step(n, OP_Equal, 2, (int[]){at, again}, NULL);
	hit = step(n, OP_Or, 2, (int[]){hit, again}, NULL);
	on = pick(n, 1);
	off = pick(n, 0);
	return finish(n, OP_Where, 3, (int[]){hit, on, off}, NULL);
}
