/* Resize: separable and, per dimension, linear in the input: a matrix of weights with few non-zero
 * entries a row. The matrix is read off the reference kernel by giving it the unit vectors, so
 * every mode, coordinate transform and antialiasing filter has one definition. Nearest becomes a
 * table of positions (or plain indices when the scale is a whole number), the others sums over
 * taps. */
#include <math.h>
#include <stdio.h>

#include "graph/stages.h"

enum { TAPS_MAX = 64 };

typedef struct Dim {
	int64_t in, out;
	int taps;            /* non-zero weights of a row, at most */
	double *at, *weight; /* [out][taps] */
	void *scratch;       /* of the kernel */
} Dim;

/* The resize of one dimension alone, by the reference kernel. */
static int
run_kernel(const Stager *s, const Node *n, int d, Dim *r, const float *x, float *y)
{
	const int rank = s->g->value.v[n->in[0]].rank;
	KTensor in = {.type = DT_F32, .rank = 1, .dim = {r->in}, .data = (void *)x};
	KTensor out = {.type = DT_F32, .rank = 1, .dim = {r->out}, .data = y};
	KAttr attr[OP_ATTRS_MAX];
	KCall call = {.nin = 1, .nout = 1, .in = &in, .out = &out, .attr = attr};
	double scale[1], roi[2];
	int m = 0;

	for (int i = 0; i < n->nattr && m < OP_ATTRS_MAX; i++) {
		attr[m] = n->attr[i];
		if (attr[m].key == ATTR_scales && attr[m].n == rank) {
			scale[0] = attr[m].f[d];
			attr[m] = attr_floats(ATTR_scales, scale, 1);
		}
		if (attr[m].key == ATTR_roi && attr[m].n == 2 * rank) {
			roi[0] = attr[m].f[d];
			roi[1] = attr[m].f[d + rank];
			attr[m] = attr_floats(ATTR_roi, roi, 2);
		}
		m++;
	}
	call.nattr = m;
	if (!r->scratch) /* large: 64-byte aligned */
		r->scratch = arena_alloc(s->t->arena, (size_t)resize_scratch(&call) + 1024);
	call.scratch = r->scratch;
	return ref_resize(&call);
}

static bool
identity(Stager *s, Dim *r)
{
	r->taps = 1;
	r->at = ARENA_ARRAY(s->t->arena, double, r->out);
	r->weight = ARENA_ARRAY(s->t->arena, double, r->out);
	for (int64_t o = 0; o < r->out; o++) {
		r->at[o] = (double)o;
		r->weight[o] = 1;
	}
	return true;
}

/* Reads the weights; false when a row has more than TAPS_MAX of them. */
static bool
read_weights(Stager *s, const Node *n, int d, Dim *r)
{
	float *x = ARENA_ARRAY(s->t->arena, float, r->in);
	float *y = ARENA_ARRAY(s->t->arena, float, r->out);
	int *count = ARENA_ARRAY(s->t->arena, int, r->out);
	double *at = ARENA_ARRAY(s->t->arena, double, r->out *TAPS_MAX);
	double *weight = ARENA_ARRAY(s->t->arena, double, r->out *TAPS_MAX);
	const KAttr *scales = node_attr(n, ATTR_scales);

	if (r->in == r->out && scales && d < scales->n && scales->f[d] == 1)
		return identity(s, r);
	for (int64_t i = 0; i < r->in; i++) {
		x[i] = 1;
		if (run_kernel(s, n, d, r, x, y))
			return false;
		x[i] = 0;
		for (int64_t o = 0; o < r->out; o++) {
			if (y[o] == 0)
				continue;
			if (count[o] == TAPS_MAX)
				return false;
			at[o * TAPS_MAX + count[o]] = (double)i;
			weight[o * TAPS_MAX + count[o]++] = y[o];
			if (count[o] > r->taps)
				r->taps = count[o];
		}
	}
	r->taps = r->taps ? r->taps : 1;
	r->at = ARENA_ARRAY(s->t->arena, double, r->out * r->taps);
	r->weight = ARENA_ARRAY(s->t->arena, double, r->out * r->taps);
	for (int64_t o = 0; o < r->out; o++)
		for (int k = 0; k < count[o]; k++) {
			r->at[o * r->taps + k] = at[o * TAPS_MAX + k];
			r->weight[o * r->taps + k] = weight[o * TAPS_MAX + k];
		}
	return true;
}

static bool
all_ones(const Dim *r)
{
	for (int64_t o = 0; o < r->out; o++)
		if (r->taps != 1 || r->weight[o] != 1)
			return false;
	return true;
}

/* out = scale * in with every output reading out / scale: pure repetition. */
static bool
repeats(const Dim *r)
{
	int64_t f = r->out / r->in;

	if (r->out % r->in || !all_ones(r))
		return false;
	for (int64_t o = 0; o < r->out; o++)
		if (r->at[o] != (double)(o / f))
			return false;
	return true;
}

typedef struct Resize {
	Stager *s;
	int stage, weight; /* product of the weights so far, or TASK_NONE */
	Index in[TASK_RANK_MAX], out[TASK_RANK_MAX];
	Index tap[TASK_RANK_MAX];
	bool reduces;
} Resize;

static int
table(Resize *z, const Dim *r, const double *v, DType type, const Index *at, const Index *tap)
{
	const int64_t dim[] = {r->out, r->taps};
	int lit = stager_literal(z->s, "l", type, 2, dim, v);

	return expr_load(z->s->t, lit, (const Index[]){*at, *tap});
}

/* Output index of dimension d, and the spatial axes it needs. */
static void
output_axes(Resize *z, int d, const Dim *r)
{
	const char name[] = {(char)('a' + d), 0}, again[] = {'r', (char)('a' + d), 0};

	if (r->in != r->out && repeats(r)) {
		Index i = over_axis(z->s, z->stage, name, r->in, false);
		Index f = over_axis(z->s, z->stage, again, r->out / r->in, false);

		z->in[d] = i;
		z->out[d] = index_add(f, &i, r->out / r->in);
	} else {
		z->in[d] = z->out[d] = over_axis(z->s, z->stage, name, r->out, false);
	}
}

/* Index of the input along dimension d, through a table of positions. */
static void
input_index(Resize *z, int d, const Dim *r)
{
	int w;

	if (repeats(r))
		return;
	z->in[d] = index_const(0);
	z->in[d].via = table(z, r, r->at, DT_I32, &z->out[d], &z->tap[d]);
	if (all_ones(r))
		return;
	w = table(z, r, r->weight, DT_F32, &z->out[d], &z->tap[d]);
	z->weight = z->weight == TASK_NONE ? w : expr_bin(z->s->t, EXPR_MUL, z->weight, w);
}

static bool
is_plain(const Node *n, DType storage)
{
	bool nearest = node_int(n, ATTR_resize_mode) == 0;

	return node_int(n, ATTR_transform) != 4 && (nearest || value_type(storage) == DT_F32);
}

static bool
read_dims(Stager *s, const Node *n, const Value *x, const Value *y, Dim *r)
{
	for (int d = 0; d < x->rank; d++) {
		r[d] = (Dim){.in = x->dim[d], .out = y->dim[d]};
		if (!read_weights(s, n, d, &r[d]))
			return false;
	}
	return true;
}

/* All axes of the stage, spatial ones first, and the indices of output and input. */
static void
make_indices(Resize *z, int rank, const Dim *r)
{
	Task *t = z->s->t;

	for (int d = 0; d < rank; d++)
		output_axes(z, d, &r[d]);
	for (int d = 0; d < rank; d++) {
		char name[] = {'i', (char)('a' + d), 0};

		z->tap[d] = over_axis(z->s, z->stage, name, r[d].taps, true);
		z->reduces |= r[d].taps > 1;
	}
	t->stage.v[z->stage].out_ix = arena_copy(t->arena, z->out, sizeof z->out);
	for (int d = 0; d < rank; d++)
		input_index(z, d, &r[d]);
}

int
stages_resize(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	Resize z = {.s = s, .weight = TASK_NONE};
	Dim r[TASK_RANK_MAX] = {{0}};
	int tx, body;

	if (!y || !is_plain(n, x->type) || !read_dims(s, n, x, y, r))
		return NOT_APPLICABLE;
	tx = stager_read(s, n->in[0]);
	z.stage = task_stage(s->t, stager_write(s, n->out[0]));
	make_indices(&z, x->rank, r);
	body = expr_load(s->t, tx, z.in);
	if (z.weight != TASK_NONE)
		body = expr_bin(s->t, EXPR_MUL, body, z.weight);
	if (z.reduces) {
		stage_reduce(s, z.stage, COMB_SUM, DT_F32, body);
		body = stage_acc(s, z.stage);
	}
	stage_value(s, z.stage, body);
	return OK;
}
