/* Random nodes that combine elements: reductions, windows, products. */
#include <string.h>

#include "tests/support/graph_draft.h"

bool
make_reduce(Draft *d)
{
	static const Op op[] = {OP_ReduceSum, OP_ReduceMean,      OP_ReduceMax,      OP_ReduceMin,
				OP_ReduceL2,  OP_ReduceSumSquare, OP_ReduceLogSumExp};
	const Value *x = draft_value(d);
	unsigned mask = (unsigned)draft_below(d, 1 << x->rank);
	int64_t *axes = d->list[0];
	int n = 0;

	for (int i = 0; i < x->rank; i++)
		if (mask >> i & 1)
			axes[n++] = i;
	d->spec.op = op[draft_below(d, (int64_t)(sizeof op / sizeof *op))];
	draft_ints(d, ATTR_axes, n);
	draft_int(d, ATTR_keepdims, draft_below(d, 2));
	return n > 0 && draft_is_f32(d);
}

bool
make_along(Draft *d)
{
	static const Op op[] = {OP_Softmax, OP_LogSoftmax, OP_ArgMax};
	int rank = draft_value(d)->rank;

	d->spec.op = op[draft_below(d, 3)];
	draft_int(d, ATTR_axis, rank ? draft_below(d, rank) : 0);
	if (d->spec.op == OP_ArgMax) {
		draft_int(d, ATTR_keepdims, draft_below(d, 2));
		draft_int(d, ATTR_select_last_index, draft_below(d, 2));
	}
	return rank > 0 && draft_is_f32(d);
}

bool
make_norm(Draft *d)
{
	const Value *x = draft_value(d);
	bool instance = draft_below(d, 2);
	int64_t axis = x->rank ? draft_below(d, x->rank) : 0;
	int rank = instance ? 1 : x->rank - (int)axis;
	int64_t dim[KERNEL_RANK_MAX];

	if (x->rank < 3 || !draft_is_f32(d))
		return false;
	memcpy(dim, &x->dim[instance ? 1 : axis], (size_t)rank * sizeof *dim);
	d->spec.op = instance ? OP_InstanceNormalization : OP_LayerNormalization;
	draft_float(d, ATTR_epsilon, 0.01);
	if (!instance)
		draft_int(d, ATTR_axis, axis);
	d->in[1] = draft_constant(d, DT_F32, rank, dim);
	d->in[2] = draft_constant(d, DT_F32, rank, dim);
	d->spec.nin = 3;
	return true;
}

/* kernel, strides, pads, dilations for two spatial axes */
static void
window(Draft *d)
{
	int64_t *kernel = draft_ints(d, ATTR_kernel, 2), *stride = draft_ints(d, ATTR_strides, 2);
	int64_t *pads = draft_ints(d, ATTR_pads, 4), *dilation = draft_ints(d, ATTR_dilations, 2);

	for (int i = 0; i < 2; i++) {
		kernel[i] = 1 + draft_below(d, 3);
		stride[i] = 1 + draft_below(d, 2);
		dilation[i] = 1 + (draft_below(d, 4) == 0);
		pads[i] = draft_below(d, kernel[i]);
		pads[i + 2] = draft_below(d, kernel[i]);
	}
}

bool
make_pool(Draft *d)
{
	bool max = draft_below(d, 2);

	d->spec.op = max ? OP_MaxPool : OP_AveragePool;
	window(d);
	draft_int(d, ATTR_ceil_mode, draft_below(d, 2));
	if (!max)
		draft_int(d, ATTR_count_include_pad, draft_below(d, 2));
	return draft_value(d)->rank == 4 && draft_is_f32(d);
}

bool
make_conv(Draft *d)
{
	const Value *x = draft_value(d);
	bool transposed = draft_below(d, 3) == 0, bias = draft_below(d, 2);
	int64_t c = x->dim[1], each = 1 + draft_below(d, 4), dim[4];
	int64_t group = draft_below(d, 2) ? 1 : c % 2 == 0 && draft_below(d, 2) ? 2 : c;

	if (x->rank != 4 || !draft_is_f32(d))
		return false;
	d->spec.op = transposed ? OP_ConvTranspose : OP_Conv;
	window(d);
	draft_int(d, ATTR_group, group);
	dim[0] = transposed ? c : each * group;
	dim[1] = transposed ? each : c / group;
	dim[2] = d->list[0][0];
	dim[3] = d->list[0][1];
	if (transposed)
		memset(draft_ints(d, ATTR_output_padding, 2), 0, 2 * sizeof(int64_t));
	d->in[1] = draft_constant(d, DT_F32, 4, dim);
	if (bias)
		d->in[2] = draft_constant(d, DT_F32, 1, (const int64_t[]){each * group});
	d->spec.nin = bias ? 3 : 2;
	return true;
}

bool
make_matmul(Draft *d)
{
	const Value *x = draft_value(d);
	int64_t dim[3];
	bool left = draft_below(d, 2);

	if (x->rank < 2 || x->rank > 4 || !draft_is_f32(d))
		return false;
	dim[0] = left ? 1 + draft_below(d, 5) : x->dim[x->rank - 1];
	dim[1] = left ? x->dim[x->rank - 2] : 1 + draft_below(d, 5);
	d->in[1] = draft_constant(d, DT_F32, 2, dim);
	if (left) {
		d->in[0] = d->in[1];
		d->in[1] = d->x;
	}
	d->spec.op = OP_MatMul;
	d->spec.nin = 2;
	return true;
}

bool
make_resize(Draft *d)
{
	const Value *x = draft_value(d);
	double *scale;

	d->spec.op = OP_Resize;
	draft_int(d, ATTR_resize_mode, draft_below(d, 3));
	draft_int(d, ATTR_transform, draft_below(d, 4));
	draft_int(d, ATTR_nearest, draft_below(d, 4));
	draft_float(d, ATTR_cubic_a, -0.75);
	scale = d->number[d->spec.nattr];
	for (int i = 0; i < x->rank; i++) {
		static const double by[] = {0.5, 1.5, 2, 3};

		scale[i] = i < 2 || draft_below(d, 3) == 0 ? 1 : by[draft_below(d, 4)];
		d->given.dim[i] = (int64_t)(scale[i] * (double)x->dim[i]);
	}
	d->attr[d->spec.nattr++] = attr_floats(ATTR_scales, scale, x->rank);
	d->spec.given = &d->given;
	return x->rank == 4 && draft_is_f32(d) && d->given.dim[2] && d->given.dim[3];
}

bool
make_lrn(Draft *d)
{
	d->spec.op = OP_LRN;
	draft_int(d, ATTR_size, 1 + draft_below(d, 4));
	draft_float(d, ATTR_alpha, 0.5);
	draft_float(d, ATTR_beta, 0.75);
	draft_float(d, ATTR_bias, 1);
	return draft_value(d)->rank == 4 && draft_is_f32(d);
}
