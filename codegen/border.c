/* Writes the border of a tensor: slack that belongs to it, on every run, because the memory may
 * have held something else in between.
 *
 * The slack is cut into regions: for each dimension in storage order, its low and its high side,
 * with the dimensions outside it at their proper extents and those inside it at full width. What
 * lies inside is one contiguous run unless slack of others (foreign) interrupts it.
 */
#include "codegen/lowering.h"

typedef struct Border {
	Lower *l;
	const Form *f;
	const TaskTensor *x;
	const Layout *y;
	int value; /* vector to store */
	int lanes;
} Border;

static void
store_run(const Border *r, int at, int64_t offset, int lanes, int valid)
{
	Build *b = &r->l->b;

	build_node(b,
		   (LoopNode){.op = LOOP_STORE,
			      .type = value_type(r->x->type),
			      .mem = r->x->type,
			      .lanes = (int16_t)lanes,
			      .valid = (int16_t)valid,
			      .a = at,
			      .b = build_splat(b, r->value, lanes),
			      .k = offset,
			      .k2 = (int64_t)dtype_size(r->x->type),
			      .depth = (int16_t)b->depth},
		   false);
}

static int
open_loop(const Border *r, int64_t extent)
{
	int level = build_loop(&r->l->b, extent);

	build_apart(&r->l->b);
	return level;
}

static int
step_to(const Border *r, int at, int level, int64_t elements)
{
	return build_node(&r->l->b,
			  (LoopNode){.op = LOOP_STEP,
				     .lanes = 1,
				     .a = at,
				     .b = level,
				     .k = elements * (int64_t)dtype_size(r->x->type),
				     .depth = (int16_t)level},
			  true);
}

/* n contiguous elements from element `first` past the address. */
static void
fill_run(const Border *r, int at, int64_t first, int64_t n)
{
	int64_t bytes = (int64_t)dtype_size(r->x->type), whole = n / r->lanes, rest = n % r->lanes;
	Build *b = &r->l->b;

	if (whole > 1) {
		int level = open_loop(r, whole);

		store_run(r, step_to(r, at, level, r->lanes), first * bytes, r->lanes, r->lanes);
		build_end(b);
	} else if (whole == 1) {
		store_run(r, at, first * bytes, r->lanes, r->lanes);
	}
	if (rest)
		store_run(r, at, (first + whole * r->lanes) * bytes, rest == 1 ? 1 : r->lanes,
			  (int)rest);
}

static bool
foreign_inside(const Form *f, int from)
{
	for (int o = from; o < f->rank; o++) {
		int d = f->order[o];

		if (f->foreign >> d & 1 && (f->lo[d] || f->hi[d]))
			return true;
	}
	return false;
}

/* Everything inside storage position o, at full width. count: indices of position o - 1 that the
 * run covers; first: the element at index 0 of every dimension inside. */
static void
fill_inside(const Border *r, int o, int at, int64_t first, int64_t count, int64_t stride)
{
	Build *b = &r->l->b;
	bool own;
	int64_t n;
	int d;

	if (!foreign_inside(r->f, o)) {
		for (int p = o; p < r->f->rank; p++)
			first -= r->f->lo[r->f->order[p]] * r->y->stride[r->f->order[p]];
		fill_run(r, at, first, count * stride);
		return;
	}
	d = r->f->order[o];
	own = !(r->f->foreign >> d & 1);
	n = r->x->dim[d] + (own ? r->f->lo[d] + r->f->hi[d] : 0);
	if (own)
		first -= r->f->lo[d] * r->y->stride[d];
	if (d == r->f->block_dim)
		n = (n + r->f->block - 1) / r->f->block;
	at = step_to(r, at, open_loop(r, count), stride);
	fill_inside(r, o + 1, at, first, n, r->y->stride[d]);
	build_end(b);
}

/* The low or high side of the dimension at storage position o. */
static void
fill_side(const Border *r, int o, int64_t start, int64_t width)
{
	Build *b = &r->l->b;
	int d = r->f->order[o], root = r->l->place[r->l->st->out].root, opened = 0, at;

	if (!width)
		return;
	at = build_node(b, (LoopNode){.op = LOOP_ROOT, .lanes = 1, .k = root}, true);
	for (int p = 0; p < o; p++) {
		int e = r->f->order[p];
		int64_t n = r->x->dim[e];

		if (e == r->f->block_dim)
			n = (n + r->f->block - 1) / r->f->block;
		if (n == 1)
			continue;
		at = step_to(r, at, open_loop(r, n), r->y->stride[e]);
		opened++;
	}
	fill_inside(r, o + 1, at, r->y->base + start * r->y->stride[d], width, r->y->stride[d]);
	while (opened--)
		build_end(b);
}

void
border_fill(Lower *l, int tensor)
{
	const TaskTensor *x = &l->t->tensor.v[tensor];
	Border r = {.l = l, .f = &l->f->v[tensor], .x = x, .y = &l->place[tensor].layout};

	if (!form_has_border(r.f))
		return;
	r.lanes = target_lanes(l->b.target);
	r.value = build_const(&l->b, value_type(x->type), r.f->border);
	for (int o = 0; o < r.f->rank && !l->b.refused; o++) {
		int d = r.f->order[o];

		if (r.f->foreign >> d & 1)
			continue;
		fill_side(&r, o, -r.f->lo[d], r.f->lo[d]);
		fill_side(&r, o, x->dim[d], r.f->hi[d]);
	}
}
