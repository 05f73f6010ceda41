/* Boxes of indices as Nests. A box may reach into the slack; its part along the blocked dimension
 * is cut into whole blocks and the lanes before and after them. Axes of one element are dropped, so
 * that a blocked tensor of full rank fits as a rule. */
#include "tuner/nests.h"

typedef struct Box {
	int64_t lo[TASK_RANK_MAX], hi[TASK_RANK_MAX]; /* index of the tensor; may be negative */
} Box;

/* The box with `lanes` lanes from lo along the blocked dimension, in `blocks` blocks. */
static void
add_nest(Region *r, const Layout *l, const Box *b, int64_t lo, int64_t blocks, int64_t lanes)
{
	Nest n = {.offset = l->base};
	bool fits = r->n < REGION_MAX;

	for (int d = 0; d <= l->rank; d++) {
		bool lane = d == l->rank;
		int64_t count = lane ? lanes : d == l->block_dim ? blocks : b->hi[d] - b->lo[d];
		int64_t stride = lane ? 1 : l->stride[d];

		if (!lane && d == l->block_dim)
			n.offset += lo / l->block * stride + lo % l->block;
		else if (!lane)
			n.offset += b->lo[d] * stride;
		if (count == 0)
			return;
		if (count == 1)
			continue;
		if (n.rank == NEST_RANK_MAX) {
			fits = false;
			break;
		}
		n.count[n.rank] = count;
		n.stride[n.rank++] = stride;
	}
	if (fits)
		r->nest[r->n++] = n;
	else
		r->whole = false;
}

static void
add_box(Region *r, const Layout *l, const Box *b)
{
	int64_t lo, hi;

	if (l->block_dim == TASK_NONE) {
		add_nest(r, l, b, 0, 1, 1);
		return;
	}
	lo = b->lo[l->block_dim];
	hi = b->hi[l->block_dim];
	while (lo < hi) {
		int64_t in = ((lo % l->block) + l->block) % l->block, n = (hi - lo) / l->block;

		if (in == 0 && n > 0) {
			add_nest(r, l, b, lo, n, l->block);
			lo += n * l->block;
		} else {
			n = l->block - in < hi - lo ? l->block - in : hi - lo;
			add_nest(r, l, b, lo, 1, n);
			lo += n;
		}
	}
}

static Box
box_of(const TaskTensor *x)
{
	Box b = {0};

	for (int d = 0; d < x->rank; d++)
		b.hi[d] = x->dim[d];
	return b;
}

Region
region_elements(const Form *f, const TaskTensor *x)
{
	Layout l = form_layout(f, x->dim, x->type, 0);
	Region r = {.whole = true};
	Box b = box_of(x);

	add_box(&r, &l, &b);
	return r;
}

/* n rounded up to whole blocks. */
static int64_t
blocks_up(const Layout *l, int64_t n)
{
	return (n + l->block - 1) / l->block * l->block;
}

/* Slack of the dimensions that are foreign or not; other dimensions take their own slack with
 * them, and for foreign ones everything. */
static Region
region_slack(const Form *f, const TaskTensor *x, bool foreign)
{
	Layout l = form_layout(f, x->dim, x->type, 0);
	Region r = {.whole = true};
	Box all = box_of(x);

	for (int d = 0; d < x->rank; d++)
		if (foreign || !(f->foreign >> d & 1)) {
			all.lo[d] -= f->lo[d];
			all.hi[d] += f->hi[d];
		}
	if (foreign && l.block_dim != TASK_NONE && !(f->foreign >> l.block_dim & 1))
		all.hi[l.block_dim] = blocks_up(&l, x->dim[l.block_dim]);
	for (int d = 0; d < x->rank; d++) {
		Box b = all;

		if ((f->foreign >> d & 1) != foreign)
			continue;
		b.hi[d] = 0;
		add_box(&r, &l, &b);
		b.lo[d] = x->dim[d];
		b.hi[d] = all.hi[d];
		if (d == l.block_dim) /* pad lanes are nobody's */
			b.lo[d] = blocks_up(&l, b.lo[d]);
		add_box(&r, &l, &b);
	}
	return r;
}

Region
region_border(const Form *f, const TaskTensor *x)
{
	return region_slack(f, x, false);
}

Region
region_foreign(const Form *f, const TaskTensor *x)
{
	return region_slack(f, x, true);
}

Region
region_lanes(const Form *f, const TaskTensor *x)
{
	Layout l = form_layout(f, x->dim, x->type, 0);
	Region r = {.whole = true};
	Box b = box_of(x);
	int d = f->block_dim;

	if (d == TASK_NONE || x->dim[d] % f->block == 0)
		return r;
	for (int i = 0; i < x->rank; i++)
		if (i != d && !(f->foreign >> i & 1)) {
			b.lo[i] -= f->lo[i];
			b.hi[i] += f->hi[i];
		}
	b.lo[d] = x->dim[d];
	b.hi[d] = blocks_up(&l, x->dim[d]);
	add_box(&r, &l, &b);
	return r;
}
