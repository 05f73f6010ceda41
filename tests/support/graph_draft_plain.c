/* Random nodes that compute or move elements one by one. */
#include <string.h>

#include "tests/support/graph_draft.h"

bool
make_unary(Draft *d)
{
	static const Op op[] = {OP_Relu,      OP_Abs,  OP_Neg,      OP_Sigmoid,   OP_Tanh,
				OP_HardSwish, OP_Erf,  OP_Softplus, OP_LeakyRelu, OP_Gelu,
				OP_Selu,      OP_Sign, OP_Exp,      OP_Elu,       OP_Round};

	d->spec.op = op[draft_below(d, (int64_t)(sizeof op / sizeof *op))];
	if (d->spec.op == OP_LeakyRelu || d->spec.op == OP_Selu || d->spec.op == OP_Elu)
		draft_float(d, ATTR_alpha, 0.125);
	if (d->spec.op == OP_Selu)
		draft_float(d, ATTR_gamma, 1.5);
	if (d->spec.op == OP_Gelu)
		draft_int(d, ATTR_approximate, draft_below(d, 2));
	return draft_is_f32(d);
}

/* A value of the same type and, after broadcasting, the same shape; else a new constant. */
static int
partner(Draft *d)
{
	const Value *x = draft_value(d);
	int64_t dim[KERNEL_RANK_MAX];
	int skip = x->rank ? (int)draft_below(d, x->rank + 1) : 0;

	for (int i = 0; i < 4; i++) {
		int y = (int)draft_below(d, d->g->value.n);

		if (d->g->value.v[y].type == x->type && value_same_shape(&d->g->value.v[y], x))
			return y;
	}
	for (int i = skip; i < x->rank; i++)
		dim[i - skip] = draft_below(d, 2) ? x->dim[i] : 1;
	return draft_constant(d, x->type, x->rank - skip, dim);
}

bool
make_binary(Draft *d)
{
	static const Op op[] = {OP_Add, OP_Sub, OP_Mul, OP_Max, OP_Min, OP_Greater, OP_PRelu};

	d->spec.op = op[draft_below(d, (int64_t)(sizeof op / sizeof *op))];
	d->in[1] = partner(d);
	if (draft_below(d, 2) && d->spec.op != OP_PRelu) {
		d->in[0] = d->in[1];
		d->in[1] = d->x;
	}
	d->spec.nin = 2;
	return draft_value(d)->type != DT_BOOL;
}

bool
make_where(Draft *d)
{
	const Value *x = draft_value(d);

	d->in[1] = draft_constant(d, DT_F32, x->rank, x->dim);
	d->in[2] = draft_constant(d, DT_F32, 0, NULL);
	d->spec.op = OP_Where;
	d->spec.nin = 3;
	return x->type == DT_BOOL;
}

bool
make_cast(Draft *d)
{
	static const DType to[] = {DT_F32, DT_I32, DT_U8, DT_I8, DT_BOOL};

	d->spec.op = OP_Cast;
	draft_int(d, ATTR_to, to[draft_below(d, 5)]);
	return true;
}

bool
make_transpose(Draft *d)
{
	int rank = draft_value(d)->rank;
	int64_t *perm = draft_ints(d, ATTR_perm, rank);

	d->spec.op = OP_Transpose;
	for (int i = 0; i < rank; i++) {
		int64_t at = draft_below(d, i + 1);

		perm[i] = perm[at];
		perm[at] = i;
	}
	return rank > 0;
}

bool
make_slice(Draft *d)
{
	const Value *x = draft_value(d);
	int64_t *start = draft_ints(d, ATTR_starts, x->rank),
		*step = draft_ints(d, ATTR_steps, x->rank);

	d->spec.op = OP_Slice;
	d->spec.given = &d->given;
	for (int i = 0; i < x->rank; i++) {
		bool whole = draft_below(d, 2) == 0;

		step[i] = whole ? 1 : draft_below(d, 5) - 2;
		step[i] += step[i] == 0;
		start[i] = whole ? 0 : draft_below(d, x->dim[i]);
		d->given.dim[i] = step[i] > 0 ? (x->dim[i] - 1 - start[i]) / step[i] + 1
					      : start[i] / -step[i] + 1;
	}
	return x->rank > 0;
}

/* Neighbours are joined, extents with a factor are split. */
bool
make_reshape(Draft *d)
{
	const Value *x = draft_value(d);
	int n = 0;

	d->spec.op = OP_Reshape;
	d->spec.given = &d->given;
	for (int i = 0; i < x->rank; i++) {
		int64_t e = x->dim[i];

		if (n && draft_below(d, 3) == 0)
			d->given.dim[n - 1] *= e;
		else if (e % 2 == 0 && n < 4 && draft_below(d, 2)) {
			d->given.dim[n++] = 2;
			d->given.dim[n++] = e / 2;
		} else
			d->given.dim[n++] = e;
	}
	if (n == 2 && draft_below(d, 4) == 0) { /* an order that does not factor */
		d->given.dim[2] = d->given.dim[0];
		d->given.dim[0] = d->given.dim[1];
		d->given.dim[1] = d->given.dim[2];
	}
	d->given.rank = n;
	return n <= 6;
}

bool
make_concat(Draft *d)
{
	const Value *x = draft_value(d);
	int64_t axis = x->rank ? draft_below(d, x->rank) : 0, dim[KERNEL_RANK_MAX];

	d->spec.op = OP_Concat;
	draft_int(d, ATTR_axis, axis);
	memcpy(dim, x->dim, sizeof dim);
	for (d->spec.nin = 1; d->spec.nin < 3; d->spec.nin++) {
		int y = (int)draft_below(d, d->g->value.n);

		if (x->rank)
			dim[axis] = 1 + draft_below(d, 3);
		d->in[d->spec.nin] = d->g->value.v[y].rank == x->rank && draft_below(d, 2)
					     ? y
					     : draft_constant(d, x->type, x->rank, dim);
	}
	return x->rank > 0;
}

bool
make_pad(Draft *d)
{
	const Value *x = draft_value(d);
	int64_t *pads = draft_ints(d, ATTR_pads, 2 * x->rank);

	d->spec.op = OP_Pad;
	for (int i = 0; i < 2 * x->rank; i++)
		pads[i] = draft_below(d, 3) ? 0 : draft_below(d, 3);
	draft_int(d, ATTR_pad_mode, draft_below(d, 4));
	draft_float(d, ATTR_value, (double)draft_below(d, 3));
	return x->rank > 0 && x->rank < 6 && draft_is_f32(d);
}

/* Whether v holds positions within the extent. */
static bool
is_position(const Graph *g, int v, int64_t extent)
{
	const Node *n;

	if (g->value.v[v].producer == NO_NODE)
		return false;
	n = &g->node.v[g->value.v[v].producer];
	return n->op == OP_ArgMax && g->value.v[n->in[0]].dim[node_int(n, ATTR_axis)] <= extent;
}

/* Positions: where a maximum of the graph is, or a constant. */
static int
positions(Draft *d, int64_t extent)
{
	int64_t n = 1 + draft_below(d, 3), *at;
	int v;

	for (int i = 0; i < d->g->value.n; i++)
		if (is_position(d->g, i, extent) && draft_below(d, 2))
			return i;
	v = graph_add_const(d->g, NULL, DT_I64, 1, &n, NULL, false);
	at = graph_alloc_data(d->g, &d->g->value.v[v]);
	for (int64_t i = 0; i < n; i++)
		at[i] = draft_below(d, 2 * extent) - extent;
	d->g->value.v[v].data = at;
	return v;
}

bool
make_gather(Draft *d)
{
	const Value *x = draft_value(d);
	int64_t axis = x->rank ? draft_below(d, x->rank) : 0;

	if (!x->rank)
		return false;
	d->spec.op = OP_Gather;
	draft_int(d, ATTR_axis, axis);
	d->in[1] = positions(d, x->dim[axis]);
	d->spec.nin = 2;
	return true;
}

bool
make_repeat(Draft *d)
{
	const Value *x = draft_value(d);
	bool expand = draft_below(d, 2);

	d->spec.op = expand ? OP_Expand : OP_Tile;
	d->spec.given = &d->given;
	for (int i = 0; i < x->rank; i++)
		if (draft_below(d, 2))
			d->given.dim[i] = expand && x->dim[i] > 1 ? x->dim[i] : 2 * x->dim[i];
	return x->rank > 0;
}

bool
make_shuffle(Draft *d)
{
	const Value *x = draft_value(d);
	bool depth = draft_below(d, 2);

	d->spec.op = depth ? OP_DepthToSpace : OP_SpaceToDepth;
	draft_int(d, ATTR_blocksize, 2);
	if (depth)
		draft_int(d, ATTR_crd, draft_below(d, 2));
	return x->rank == 4 &&
	       (depth ? x->dim[1] % 4 == 0 : x->dim[2] % 2 == 0 && x->dim[3] % 2 == 0);
}

bool
make_trilu(Draft *d)
{
	d->spec.op = OP_Trilu;
	draft_int(d, ATTR_upper, draft_below(d, 2));
	draft_int(d, ATTR_k, draft_below(d, 7) - 3);
	return draft_value(d)->rank >= 2;
}
