/* Import of integer products: ConvInteger, MatMulInteger, their QLinear forms, and
 * DynamicQuantizeLinear.
 *
 * The graph's products multiply what the tensors hold. Zero points of constant weights are taken
 * from these; that of the other operand leaves the product as well, since
 *
 *	sum of (x - z) * w  =  sum of x * w  -  z * sum of w
 *
 * where the last sum is over constants. So bytes meet bytes wherever weights and their zero points
 * are constant and what is left of the weights fits a byte; else both operands are integers of 16
 * or 32 bits without zero points. Pads of a convolution hold its zero point.
 */
#include "graph/import_ops.h"

/* Zero points and bias: NO_VALUE where there is none. */
typedef struct Product {
	int x, w, x_zero, w_zero, bias;
	bool conv;
	int weights; /* the input of the ONNX node that w is */
} Product;

static int
optional(const OnnxNode *n, int i)
{
	return has_in(n, i) ? n->in[i] : NO_VALUE;
}

static bool
is_constant(const OnnxNode *n, int v)
{
	return v == NO_VALUE || value_of(n, v)->is_const;
}

static bool
is_zero(const OnnxNode *n, int v)
{
	const Value *x = v == NO_VALUE ? NULL : value_of(n, v);

	if (x && !x->is_const)
		return false;
	for (int64_t i = 0; x && i < value_count(x); i++)
		if (dtype_get(x->type, x->data, (size_t)i) != 0)
			return false;
	return true;
}

static int
check_bytes(OnnxNode *n, int v)
{
	const Value *x = value_of(n, v);

	if (x->type == DT_I8 || x->type == DT_U8)
		return OK;
	return invalid(n, "'%s' is %s, expected i8 or u8", x->name, dtype_name(x->type));
}

/* An operand and its zero point. */
static int
check_operand(OnnxNode *n, int v, int zero)
{
	const Value *x = value_of(n, v), *z = zero == NO_VALUE ? x : value_of(n, zero);

	if (check_bytes(n, v))
		return n->err.code;
	if (!x->rank)
		return invalid(n, "'%s' has rank 0", x->name);
	if (z->type != x->type)
		return invalid(n, "'%s' is %s, expected %s", z->name, dtype_name(z->type),
			       dtype_name(x->type));
	return OK;
}

/* Beside an operand: one number, a number for each of `extent` places along `axis` of so many, or
 * something that broadcasts as it is. */
static int
along(OnnxNode *n, int v, int rank, int axis, int64_t extent)
{
	const Value *x = value_of(n, v);
	int64_t dim[KERNEL_RANK_MAX], count = value_count(x);

	if (count == 1)
		return step_reshape(n, v, 0, NULL);
	if (x->rank != 1)
		return v;
	if (count != extent || axis < 0)
		return invalid(n, "'%s' has %lld elements, expected 1 or %lld", x->name,
			       (long long)count, (long long)(axis < 0 ? 1 : extent));
	for (int d = 0; d < rank; d++)
		dim[d] = d == axis ? count : 1;
	return step_reshape(n, v, rank, dim);
}

static int
beside(OnnxNode *n, int v, int operand, int axis)
{
	const Value *x = value_of(n, operand);

	return along(n, v, x->rank, axis, axis < 0 ? 1 : x->dim[axis]);
}

static int
cast_to(OnnxNode *n, int v, DType to)
{
	if (v < 0 || value_of(n, v)->type == to)
		return v;
	with_int(n, ATTR_to, to);
	return step(n, OP_Cast, 1, &v, NULL);
}

/* v without its zero point, which differs along `axis`. */
static int
less_zero(OnnxNode *n, int v, int zero, int axis)
{
	int in[2];

	if (is_zero(n, zero))
		return v;
	in[1] = cast_to(n, beside(n, zero, v, axis), DT_I32);
	in[0] = cast_to(n, v, DT_I32);
	return step(n, OP_Sub, 2, in, NULL);
}

/* Constant weights without their zero points, in the narrowest type that holds them. */
static int
weights_less_zero(OnnxNode *n, int w, int zero, int axis)
{
	const Value *x = value_of(n, w), *z = zero == NO_VALUE ? NULL : value_of(n, zero);
	int64_t count = value_count(x), channels = z ? value_count(z) : 1, inner = 1;
	int16_t *v = ARENA_ARRAY(n->im->tmp, int16_t, count + 1), least = 0, most = 0;
	DType type = DT_I16;
	void *data = v;

	if (is_zero(n, zero))
		return w;
	for (int d = axis + 1; d < x->rank; d++)
		inner *= x->dim[d];
	if (channels != 1 && (z->rank != 1 || channels != x->dim[axis]))
		return less_zero(n, w, zero, axis);
	for (int64_t i = 0; i < count; i++) {
		int64_t c = i / inner % channels;

		v[i] = (int16_t)(dtype_get(x->type, x->data, (size_t)i) -
				 dtype_get(z->type, z->data, (size_t)c));
		least = v[i] < least ? v[i] : least;
		most = v[i] > most ? v[i] : most;
	}
	if (least >= INT8_MIN && most <= INT8_MAX)
		type = DT_I8;
	else if (least >= 0 && most <= UINT8_MAX)
		type = DT_U8;
	if (type != DT_I16) {
		data = ARENA_ARRAY(n->im->tmp, uint8_t, count + 1);
		for (int64_t i = 0; i < count; i++)
			((uint8_t *)data)[i] = (uint8_t)v[i];
	}
	return add_const(n, type, x->rank, x->dim, data);
}

/* Sums of a constant over the middle one of three extents, as an i32 constant. */
static int
sums(OnnxNode *n, int w, const int64_t extent[3], int rank, const int64_t *dim)
{
	const Value *x = value_of(n, w);
	uint32_t *sum = ARENA_ARRAY(n->im->tmp, uint32_t, extent[0] * extent[2] + 1);
	int64_t inner = extent[2];

	for (int64_t i = 0; i < extent[0] * extent[1]; i++)
		for (int64_t k = 0; k < inner; k++)
			sum[i / extent[1] * inner + k] += (uint32_t)(int32_t)dtype_get(
				x->type, x->data, (size_t)(i * inner + k));
	return add_const(n, DT_I32, rank, dim, sum);
}

/* The node that ends the import of an operator is named as it is. */
static int
emit(OnnxNode *n, bool last, Op op, int nin, const int *in)
{
	return last ? finish(n, op, nin, in, NULL) : step(n, op, nin, in, NULL);
}

/* The bias of a convolution less z times the sums of its weights. */
static int
bias_less(OnnxNode *n, const Product *p, int w, int zero)
{
	const Value *x = value_of(n, w);
	int64_t channels = x->dim[0],
		extent[] = {channels, channels ? value_count(x) / channels : 0, 1};
	int in[2] = {cast_to(n, zero, DT_I32), sums(n, w, extent, 1, &channels)}, fix;

	fix = step(n, OP_Mul, 2, in, NULL);
	if (p->bias != NO_VALUE)
		return step(n, OP_Sub, 2, (int[]){p->bias, fix}, NULL);
	return step(n, OP_Neg, 1, &fix, NULL);
}

static int
conv_product(OnnxNode *n, const Product *p, bool last)
{
	bool bytes = is_constant(n, p->w) && value_of(n, p->w)->is_const &&
		     is_constant(n, p->w_zero) && is_constant(n, p->x_zero);
	int in[3] = {p->x, 0, p->bias}, zero = NO_VALUE, rc;
	double outside = 0;

	if (p->x_zero != NO_VALUE && (zero = beside(n, p->x_zero, p->x, -1)) < 0)
		return zero;
	if (bytes) {
		in[1] = weights_less_zero(n, p->w, p->w_zero, 0);
		bytes = in[1] >= 0 && value_of(n, in[1])->is_const;
	} else {
		in[1] = less_zero(n, p->w, p->w_zero, 0);
	}
	if (in[1] < 0)
		return in[1];
	if (!bytes) {
		in[0] = less_zero(n, p->x, zero, -1);
	} else if (!is_zero(n, zero)) {
		outside = dtype_get(value_of(n, zero)->type, value_of(n, zero)->data, 0);
		in[2] = bias_less(n, p, in[1], zero);
	}
	if ((rc = with_conv(n, p->weights)))
		return rc;
	with_float(n, ATTR_value, outside);
	return emit(n, last, OP_ConvInteger, in[2] == NO_VALUE ? 2 : 3, in);
}

/* The sums over each column of the right operand, beside the product of x and it. */
static int
column_sums(OnnxNode *n, int x, int w)
{
	const Value *v = value_of(n, w);
	int64_t dim[KERNEL_RANK_MAX], extent[3] = {1, v->dim[0], 1};
	int rank = 0;

	if (v->rank > 1) {
		extent[1] = v->dim[v->rank - 2];
		extent[2] = v->dim[v->rank - 1];
	}
	for (int d = 0; d < v->rank - 2; d++)
		extent[0] *= dim[rank++] = v->dim[d];
	if (value_of(n, x)->rank > 1 && v->rank > 1)
		dim[rank++] = 1;
	if (v->rank > 1)
		dim[rank++] = extent[2];
	return sums(n, w, extent, rank, dim);
}

static int
matmul_product(OnnxNode *n, const Product *p, bool last)
{
	const Value *x = value_of(n, p->x), *w = value_of(n, p->w);
	int rows = x->rank > 1 ? x->rank - 2 : -1, columns = w->rank > 1 ? w->rank - 1 : -1;
	bool one = p->x_zero == NO_VALUE || value_count(value_of(n, p->x_zero)) == 1;
	bool bytes = w->is_const && is_constant(n, p->w_zero) && one;
	int in[2] = {p->x, 0}, fix[2];

	if (bytes && columns >= 0)
		in[1] = weights_less_zero(n, p->w, p->w_zero, columns);
	else
		in[1] = less_zero(n, p->w, p->w_zero, columns);
	if (in[1] < 0)
		return in[1];
	bytes = bytes && value_of(n, in[1])->is_const;
	if (!bytes)
		in[0] = less_zero(n, p->x, p->x_zero, rows);
	if (!bytes || is_zero(n, p->x_zero))
		return emit(n, last, OP_MatMulInteger, 2, in);
	fix[0] = cast_to(n, beside(n, p->x_zero, p->x, -1), DT_I32);
	fix[1] = column_sums(n, p->x, in[1]);
	fix[1] = step(n, OP_Mul, 2, fix, NULL);
	fix[0] = step(n, OP_MatMulInteger, 2, in, NULL);
	return emit(n, last, OP_Sub, 2, fix);
}

static int
product(OnnxNode *n, const Product *p, bool last)
{
	int rc = also(check_operand(n, p->x, p->x_zero), check_operand(n, p->w, p->w_zero));

	if (rc)
		return rc;
	return p->conv ? conv_product(n, p, last) : matmul_product(n, p, last);
}

int
import_integer(OnnxNode *n)
{
	Product p = {.x = n->in[0],
		     .w = n->in[1],
		     .x_zero = optional(n, 2),
		     .w_zero = optional(n, 3),
		     .bias = NO_VALUE,
		     .conv = n->row->op == OP_ConvInteger,
		     .weights = 1};
	int rc = product(n, &p, true);

	return rc < 0 ? rc : OK;
}

/* Scales of the operands over that of the result, as float, in the order in which it is usual to
 * round them. */
static int
scale_of(OnnxNode *n, const Product *p, int result)
{
	int rank = value_of(n, result)->rank, rows = p->conv ? -1 : rank - 2;
	int columns = p->conv ? 1 : rank - 1, scale[3];
	const int of[] = {1, 4, 6}, axis[] = {rows, columns, rows};

	for (int i = 0; i < 3; i++)
		scale[i] = cast_to(n, beside(n, n->in[of[i]], result, axis[i]), DT_F32);
	scale[0] = step(n, OP_Mul, 2, (int[]){scale[0], scale[1]}, NULL);
	return step(n, OP_Div, 2, (int[]){scale[0], scale[2]}, NULL);
}

/* The nearest even integer of the scaled sum, plus the zero point, cut to the result's type. */
int
import_qlinear(OnnxNode *n)
{
	Product p = {.x = n->in[0],
		     .w = n->in[3],
		     .x_zero = n->in[2],
		     .w_zero = n->in[5],
		     .bias = optional(n, 8),
		     .conv = n->row->op == OP_ConvInteger,
		     .weights = 3};
	int zero = n->in[7], rc = check_bytes(n, zero), v, scale;
	DType type = value_of(n, zero)->type;

	if (rc || (v = product(n, &p, false)) < 0)
		return rc ? rc : v;
	scale = scale_of(n, &p, v);
	zero = beside(n, zero, v, p.conv ? -1 : value_of(n, v)->rank - 2);
	if (zero < 0)
		return zero;
	v = step(n, OP_Mul, 2, (int[]){cast_to(n, v, DT_F32), scale}, NULL);
	v = step(n, OP_Round, 1, &v, NULL);
	if (!is_zero(n, zero))
		v = step(n, OP_Add, 2, (int[]){v, cast_to(n, zero, DT_F32)}, NULL);
	with_int(n, ATTR_to, type);
	return finish(n, OP_Cast, 1, &v, NULL);
}

/* The largest or least of all elements and 0. */
static int
extreme(OnnxNode *n, Op reduce, Op with, int zero)
{
	int64_t axes[KERNEL_RANK_MAX];
	int rank = in_value(n, 0)->rank, v = n->in[0];

	for (int d = 0; d < rank; d++)
		axes[d] = d;
	with_ints(n, ATTR_axes, axes, rank);
	with_int(n, ATTR_keepdims, 0);
	v = step(n, reduce, 1, &v, NULL);
	return step(n, with, 2, (int[]){v, zero}, NULL);
}

/* Scale and zero point follow from the elements at hand; where all are 0, the scale is 1. */
int
import_dynamicquantize(OnnxNode *n)
{
	int zero = add_scalar(n, DT_F32, 0), most = add_scalar(n, DT_F32, 255);
	int one = add_scalar(n, DT_F32, 1), lo, scale, at, rc;

	lo = extreme(n, OP_ReduceMin, OP_Min, zero);
	scale = extreme(n, OP_ReduceMax, OP_Max, zero);
	scale = step(n, OP_Sub, 2, (int[]){scale, lo}, NULL);
	at = step(n, OP_Equal, 2, (int[]){scale, zero}, NULL);
	scale = step(n, OP_Div, 2, (int[]){scale, most}, NULL);
	scale = step(n, OP_Where, 3, (int[]){at, one, scale}, NULL);
	at = step(n, OP_Div, 2, (int[]){lo, scale}, NULL);
	at = step(n, OP_Sub, 2, (int[]){zero, at}, NULL);
	at = step(n, OP_Clip, 3, (int[]){at, zero, most}, NULL);
	at = step(n, OP_Round, 1, &at, NULL);
	if (at < 0)
		return at;
	with_int(n, ATTR_to, DT_U8);
	at = step(n, OP_Cast, 1, &at, NULL);
	rc = also(bind_output(n, 1, scale), bind_output(n, 2, at));
	if (rc)
		return rc;
	with_int(n, ATTR_axis, 0);
	return finish(n, OP_QuantizeLinear, 3, (int[]){n->in[0], scale, at}, NULL);
}
