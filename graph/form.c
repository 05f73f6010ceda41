/* Forms: construction, layout arithmetic, checks. */
#include "graph/form.h"

#include <string.h>

Form
form_plain(int rank)
{
	Form f = {.rank = rank, .block_dim = TASK_NONE, .block = 1};

	for (int d = 0; d < rank; d++)
		f.order[d] = d;
	return f;
}

Form
form_innermost(int rank, int dim)
{
	Form f = form_plain(rank);

	for (int d = dim; d + 1 < rank; d++)
		f.order[d] = d + 1;
	f.order[rank - 1] = dim;
	return f;
}

Form
form_channels_last(int rank)
{
	return form_innermost(rank, rank > 1);
}

Form
form_blocked(int rank, int dim, int block)
{
	Form f = form_plain(rank);

	f.block_dim = dim;
	f.block = block;
	return f;
}

bool
form_equal(const Form *a, const Form *b)
{
	size_t n = (size_t)a->rank * sizeof(int);

	return a->rank == b->rank && !memcmp(a->order, b->order, n) &&
	       a->block_dim == b->block_dim && a->block == b->block && !memcmp(a->lo, b->lo, n) &&
	       !memcmp(a->hi, b->hi, n) && a->foreign == b->foreign &&
	       (!form_has_border(a) || a->border == b->border);
}

bool
form_is_plain(const Form *f)
{
	for (int d = 0; d < f->rank; d++)
		if (f->order[d] != d || f->lo[d] || f->hi[d])
			return false;
	return f->block_dim == TASK_NONE;
}

bool
form_has_border(const Form *f)
{
	for (int d = 0; d < f->rank; d++)
		if ((f->lo[d] || f->hi[d]) && !(f->foreign >> d & 1))
			return true;
	return false;
}

Layout
form_layout(const Form *f, const int64_t *dim, DType type, int row_align)
{
	Layout l = {.rank = f->rank, .block_dim = f->block_dim, .block = f->block};
	int64_t stride = f->block_dim == TASK_NONE ? 1 : f->block;

	for (int o = f->rank - 1; o >= 0; o--) {
		int d = f->order[o];
		int64_t n = dim[d] + f->lo[d] + f->hi[d];

		if (d == f->block_dim)
			n = (n + f->block - 1) / f->block;
		l.stride[d] = stride;
		l.base += d == f->block_dim ? f->lo[d] / f->block * stride : f->lo[d] * stride;
		stride *= n;
		if (row_align && stride * (int64_t)dtype_size(type) % 1024 == 0)
			stride += row_align;
	}
	l.count = stride;
	return l;
}

int64_t
layout_at(const Layout *l, const int64_t *ix)
{
	int64_t at = l->base;

	for (int d = 0; d < l->rank; d++)
		if (d == l->block_dim)
			at += ix[d] / l->block * l->stride[d] + ix[d] % l->block;
		else
			at += ix[d] * l->stride[d];
	return at;
}

static int
check_order(const Form *f, Err *e)
{
	unsigned seen = 0;

	for (int d = 0; d < f->rank; d++) {
		if (f->order[d] < 0 || f->order[d] >= f->rank || seen >> f->order[d] & 1)
			return err_set(e, ERR_INPUT, "storage order is not a permutation");
		seen |= 1u << f->order[d];
	}
	return OK;
}

int
form_check(const Form *f, int rank, const int64_t *dim, Err *e)
{
	int b = f->block_dim;
	double count = 1;

	if (f->rank != rank)
		return err_set(e, ERR_INPUT, "form of rank %d for a tensor of rank %d", f->rank,
			       rank);
	if (check_order(f, e))
		return ERR_INPUT;
	if (f->foreign >> rank)
		return err_set(e, ERR_INPUT, "foreign %u for %d dimensions", f->foreign, rank);
	if (b != TASK_NONE && (b < 0 || b >= rank || f->block < 2 || f->block > 64))
		return err_set(e, ERR_INPUT, "block of %d on dimension %d", f->block, b);
	for (int d = 0; d < rank; d++) {
		if (f->lo[d] < 0 || f->hi[d] < 0)
			return err_set(e, ERR_INPUT, "negative slack on dimension %d", d);
		if (d == b && (f->lo[d] % f->block || f->hi[d] % f->block))
			return err_set(e, ERR_INPUT,
				       "slack on the blocked dimension is not whole "
				       "blocks");
		if (d == b && f->hi[d] && dim[d] % f->block)
			return err_set(e, ERR_INPUT,
				       "slack begins in the middle of a block of dimension %d", d);
		if (d == b && (f->lo[d] || f->hi[d]) && !(f->foreign >> d & 1))
			return err_set(e, ERR_INPUT, "border on the blocked dimension");
		count *= (double)(dim[d] + f->lo[d] + f->hi[d] + (d == b ? f->block : 0));
	}
	if (count > INT32_MAX)
		return err_set(e, ERR_INPUT, "stored tensor has too many elements");
	return OK;
}

TaskForm
task_form_plain(Arena *a, const Task *t)
{
	TaskForm f = {.n = t->tensor.n, .v = ARENA_ARRAY(a, Form, t->tensor.n)};

	for (int i = 0; i < f.n; i++)
		f.v[i] = form_plain(t->tensor.v[i].rank);
	return f;
}

int
task_form_check(const Task *t, const TaskForm *f, Err *e)
{
	if (f->n != t->tensor.n)
		return err_set(e, ERR_INPUT, "%d forms for %d tensors", f->n, t->tensor.n);
	for (int i = 0; i < f->n; i++) {
		const TaskTensor *x = &t->tensor.v[i];

		if (form_check(&f->v[i], x->rank, x->dim, e)) {
			err_prefix(e, "form of %s: ", x->name);
			return ERR_INPUT;
		}
		if ((x->kind == TENSOR_CONST || x->kind == TENSOR_LIT) && !form_is_plain(&f->v[i]))
			return err_set(e, ERR_INPUT, "form of %s: constants are plain", x->name);
	}
	return OK;
}

Digest
task_form_digest(const Task *t, const TaskForm *f)
{
	Str s = {0};
	Digest d;

	task_form_print(t, f, &s);
	d = digest_of(str_get(&s), s.n);
	str_fini(&s);
	return d;
}
