/* Operators that only move elements: one stage whose value is a load, by affine indices. */
#include <math.h>
#include <string.h>

#include "graph/stages.h"

/* The usual frame: input read, output written, a stage over the output. */
static bool
begin(Stager *s, const Node *n, int *tx, Over *o)
{
	const Value *y = node_out(s, n, 0);

	if (!y)
		return false;
	*tx = stager_read(s, n->in[0]);
	*o = stage_over(s, stager_write(s, n->out[0]), y->rank, y->dim);
	return true;
}

static int
finish(Stager *s, const Over *o, int tx, const Index *ix)
{
	stage_value(s, o->stage, expr_load(s->t, tx, ix));
	return OK;
}

int
stages_transpose(Stager *s, const Node *n)
{
	const KAttr *perm = node_attr(n, ATTR_perm);
	Index ix[TASK_RANK_MAX];
	int tx;
	Over o;

	if (!begin(s, n, &tx, &o))
		return NOT_APPLICABLE;
	for (int d = 0; d < o.rank; d++)
		ix[perm->i[d]] = o.at[d];
	return finish(s, &o, tx, ix);
}

int
stages_expand(Stager *s, const Node *n)
{
	int tx;
	Over o;

	if (!begin(s, n, &tx, &o))
		return NOT_APPLICABLE;
	stage_value(s, o.stage, over_load(s, &o, n->in[0]));
	return OK;
}

/* out[r * extent + i] = in[i]: repetitions are axes of their own. */
int
stages_tile(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	Index ix[TASK_RANK_MAX] = {{0}}, out[TASK_RANK_MAX] = {{0}};
	int tx, stage;

	if (!y || x->rank > TASK_RANK_MAX)
		return NOT_APPLICABLE;
	tx = stager_read(s, n->in[0]);
	stage = task_stage(s->t, stager_write(s, n->out[0]));
	for (int d = 0; d < x->rank; d++) {
		const char name[] = {(char)('a' + d), 0}, again[] = {'r', (char)('a' + d), 0};
		Index r = over_axis(s, stage, again, y->dim[d] / x->dim[d], false);

		ix[d] = over_axis(s, stage, name, x->dim[d], false);
		out[d] = index_add(ix[d], &r, x->dim[d]);
	}
	s->t->stage.v[stage].out_ix = arena_copy(s->t->arena, out, sizeof out);
	stage_value(s, stage, expr_load(s->t, tx, ix));
	return OK;
}

int
stages_concat(Stager *s, const Node *n)
{
	int64_t axis = node_int(n, ATTR_axis), start = 0;
	int out;

	if (!node_out(s, n, 0))
		return NOT_APPLICABLE;
	for (int i = 0; i < n->nin; i++)
		stager_read(s, n->in[i]);
	out = stager_write(s, n->out[0]);
	for (int i = 0; i < n->nin; i++) {
		const Value *x = node_in(s, n, i);
		Index ix[TASK_RANK_MAX];
		Over o = stage_over(s, out, x->rank, x->dim);

		memcpy(ix, o.at, sizeof ix);
		ix[axis].k += start;
		start += x->dim[axis];
		s->t->stage.v[o.stage].out_ix = arena_copy(s->t->arena, ix, sizeof ix);
		stage_value(s, o.stage, over_load(s, &o, n->in[i]));
	}
	return OK;
}

int
stages_slice(Stager *s, const Node *n)
{
	const KAttr *starts = node_attr(n, ATTR_starts), *steps = node_attr(n, ATTR_steps);
	Index ix[TASK_RANK_MAX];
	int tx;
	Over o;

	if (!begin(s, n, &tx, &o))
		return NOT_APPLICABLE;
	for (int d = 0; d < o.rank; d++)
		ix[d] = index_add(index_const(starts->i[d]), &o.at[d], steps->i[d]);
	return finish(s, &o, tx, ix);
}

int
stages_gather(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *i = node_in(s, n, 1);
	int64_t axis = node_int(n, ATTR_axis);
	int tx, ti, from = 0;
	Index ix[TASK_RANK_MAX];
	Over o;

	if (i->type != DT_I32 && i->type != DT_I64)
		return NOT_APPLICABLE;
	ti = stager_read(s, n->in[1]);
	if (!begin(s, n, &tx, &o))
		return NOT_APPLICABLE;
	for (int d = 0; d < x->rank; d++) {
		if (d == axis) {
			ix[d] = index_const(0);
			ix[d].via = expr_load(s->t, ti, &o.at[from]);
			from += i->rank;
		} else {
			ix[d] = o.at[from++];
		}
	}
	return finish(s, &o, tx, ix);
}

/* Position in [0, n) that a padded position maps to: reflect, edge or wrap. */
static int64_t
pad_source(int64_t i, int64_t n, int64_t mode)
{
	if (mode == 2)
		return i < 0 ? 0 : i >= n ? n - 1 : i;
	if (mode == 3)
		return ((i % n) + n) % n;
	if (n == 1)
		return 0;
	i %= 2 * (n - 1);
	i = i < 0 ? i + 2 * (n - 1) : i;
	return i < n ? i : 2 * (n - 1) - i;
}

/* A literal table of positions, read through an index. */
static Index
through_table(Stager *s, const Index *at, int64_t n, const double *table)
{
	int lit = stager_literal(s, "l", DT_I32, 1, &n, table);
	Index ix = index_const(0);

	ix.via = expr_load(s->t, lit, at);
	return ix;
}

int
stages_pad(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	const KAttr *pads = node_attr(n, ATTR_pads);
	int64_t mode = node_int(n, ATTR_pad_mode);
	Index ix[TASK_RANK_MAX];
	int tx;
	Over o;

	if (!begin(s, n, &tx, &o))
		return NOT_APPLICABLE;
	for (int d = 0; d < o.rank; d++) {
		int64_t before = pads->i[d];
		double *table;

		ix[d] = o.at[d];
		ix[d].k -= before;
		if (mode == 0 || (before <= 0 && pads->i[d + o.rank] <= 0))
			continue;
		table = ARENA_ARRAY(s->t->arena, double, y->dim[d]);
		for (int64_t i = 0; i < y->dim[d]; i++)
			table[i] = (double)pad_source(i - before, x->dim[d], mode);
		ix[d] = through_table(s, &o.at[d], y->dim[d], table);
	}
	if (mode)
		return finish(s, &o, tx, ix);
	stage_value(s, o.stage, expr_load_else(s->t, tx, ix, node_float(n, ATTR_value)));
	return OK;
}

/* The dimension of block b: depth [b0, b1, c] (DCR) or [c, b0, b1] (CRD), blocks of size 2. */
int
stages_depthtospace(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	int64_t b = node_int(n, ATTR_blocksize), depth;
	bool crd = node_int(n, ATTR_crd) != 0;
	Index in[TASK_RANK_MAX] = {{0}}, out[TASK_RANK_MAX] = {{0}}, v, u;
	int tx, stage;

	if (!y)
		return NOT_APPLICABLE;
	depth = x->dim[1] / (b * b);
	tx = stager_read(s, n->in[0]);
	stage = task_stage(s->t, stager_write(s, n->out[0]));
	in[0] = out[0] = over_axis(s, stage, "n", x->dim[0], false);
	out[1] = over_axis(s, stage, "k", depth, false);
	in[2] = over_axis(s, stage, "p", x->dim[2], false);
	v = over_axis(s, stage, "s", b, false);
	in[3] = over_axis(s, stage, "q", x->dim[3], false);
	u = over_axis(s, stage, "t", b, false);
	in[1] = index_add(index_add(index_const(0), &out[1], crd ? b * b : 1), &v,
			  crd ? b : b * depth);
	in[1] = index_add(in[1], &u, crd ? 1 : depth);
	out[2] = index_add(index_add(index_const(0), &in[2], b), &v, 1);
	out[3] = index_add(index_add(index_const(0), &in[3], b), &u, 1);
	s->t->stage.v[stage].out_ix = arena_copy(s->t->arena, out, sizeof out);
	stage_value(s, stage, expr_load(s->t, tx, in));
	return OK;
}

int
stages_spacetodepth(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	int64_t b = node_int(n, ATTR_blocksize);
	Index in[TASK_RANK_MAX] = {{0}}, out[TASK_RANK_MAX] = {{0}}, v, u;
	int tx, stage;

	if (!y)
		return NOT_APPLICABLE;
	tx = stager_read(s, n->in[0]);
	stage = task_stage(s->t, stager_write(s, n->out[0]));
	in[0] = out[0] = over_axis(s, stage, "n", x->dim[0], false);
	v = over_axis(s, stage, "s", b, false);
	u = over_axis(s, stage, "t", b, false);
	in[1] = over_axis(s, stage, "k", x->dim[1], false);
	out[2] = over_axis(s, stage, "p", y->dim[2], false);
	out[3] = over_axis(s, stage, "q", y->dim[3], false);
	out[1] = index_add(index_add(in[1], &u, x->dim[1]), &v, b * x->dim[1]);
	in[2] = index_add(index_add(index_const(0), &out[2], b), &v, 1);
	in[3] = index_add(index_add(index_const(0), &out[3], b), &u, 1);
	s->t->stage.v[stage].out_ix = arena_copy(s->t->arena, out, sizeof out);
	stage_value(s, stage, expr_load(s->t, tx, in));
	return OK;
}

/* Elements on one side of a diagonal of the last two dimensions; 0 elsewhere. */
int
stages_trilu(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0);
	int64_t rows = x->dim[x->rank - 2], columns = x->dim[x->rank - 1], k = node_int(n, ATTR_k);
	bool upper = node_int(n, ATTR_upper) != 0;
	Index across;
	int tx, kept, v;
	Over o;

	if (!begin(s, n, &tx, &o))
		return NOT_APPLICABLE;
	/* column - row, from -rows to columns */
	across = index_add(o.at[x->rank - 1], &o.at[x->rank - 2], -1);
	k = k < -rows ? -rows : k > columns ? columns : k;
	kept = expr_in(s->t, DT_BOOL, &across, upper ? k : -rows, upper ? columns : k + 1);
	v = expr_load(s->t, tx, o.at);
	stage_value(s, o.stage,
		    expr_select(s->t, kept, v, expr_lit(s->t, s->t->expr.v[v].type, 0)));
	return OK;
}

/* Factors common to two row-major shapes: walking both from the left, the smaller running product
 * must divide the larger. Each factor becomes an axis; the dimensions of either shape are then
 * affine in those axes. False when the shapes interleave (6x4 to 8x3). */
static bool
refine(Stager *s, int stage, const Value *x, const Value *y, Index *in, Index *out)
{
	int64_t left_x = 1, left_y = 1; /* what is still open of the current dimension */
	int dx = -1, dy = -1, count = 0;

	for (int d = 0; d < TASK_RANK_MAX; d++)
		in[d] = out[d] = index_const(0);
	for (;;) {
		char name[] = {(char)('a' + count), 0};
		int64_t f;
		Index a;

		while (left_x == 1 && dx + 1 < x->rank)
			left_x = x->dim[++dx];
		while (left_y == 1 && dy + 1 < y->rank)
			left_y = y->dim[++dy];
		if (left_x == 1 && left_y == 1)
			return true;
		f = left_x < left_y ? left_x : left_y;
		if (f == 1 || (left_x % f) || (left_y % f) || count >= STAGE_AXES_MAX)
			return false;
		a = over_axis(s, stage, name, f, false);
		count++;
		left_x /= f;
		left_y /= f;
		in[dx] = index_add(in[dx], &a, left_x);
		out[dy] = index_add(out[dy], &a, left_y);
	}
}

int
stages_reshape(Stager *s, const Node *n)
{
	const Value *x = node_in(s, n, 0), *y = node_out(s, n, 0);
	Index in[TASK_RANK_MAX], out[TASK_RANK_MAX];
	int tx, stage;

	if (!y)
		return NOT_APPLICABLE;
	tx = stager_read(s, n->in[0]);
	stage = task_stage(s->t, stager_write(s, n->out[0]));
	if (!refine(s, stage, x, y, in, out))
		return NOT_APPLICABLE;
	s->t->stage.v[stage].out_ix = arena_copy(s->t->arena, out, sizeof out);
	stage_value(s, stage, expr_load(s->t, tx, in));
	return OK;
}
