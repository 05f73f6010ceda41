/* Buffers and checks of one Task. Everything random has a fixed seed, so that a Task is always
 * measured on the same numbers. */
#include "tuner/problem.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "tuner/nests.h"

enum {
	FILL_SEED = 0x484f4e45,
	SEEDS = 1 << 16,       /* of the buffers of one of the contents */
	FOREIGN_MAX = 1 << 20, /* elements of foreign slack that are checked */
};

/* How many outputs are computed for each of the contents. The second ones are there to tell an
 * output of other inputs, which differs in most elements. */
static const ExpectOptions look[CONTENTS] = {
	[CONTENTS_FIRST] = {256, 4096, 0.1, FILL_SEED},
	[CONTENTS_SECOND] = {64, 256, 0.01, FILL_SEED + 1},
	[CONTENTS_THIRD] = {256, 4096, 0.04, FILL_SEED + 2},
};

/* Dimension that the contents of tensor i pick from, when it is used as an index; else 0. */
static int64_t
index_extent(const Task *t, int i)
{
	for (int e = 0; e < t->expr.n; e++) {
		const Expr *x = &t->expr.v[e];

		for (int d = 0; x->op == EXPR_LOAD && d < t->tensor.v[x->tensor].rank; d++) {
			const Expr *via;

			if (x->ix[d].via == TASK_NONE)
				continue;
			via = &t->expr.v[x->ix[d].via];
			while (via->op == EXPR_CAST)
				via = &t->expr.v[via->a];
			if (via->op == EXPR_LOAD && via->tensor == i)
				return t->tensor.v[x->tensor].dim[d];
		}
	}
	return 0;
}

/* Moderate values; of every type the same few hundred. */
static Fill
fill_of(const Task *t, int i)
{
	const TaskTensor *x = &t->tensor.v[i];
	Fill f = {.kind = FILL_RANDOM, .seed = FILL_SEED + (uint64_t)i, .lo = -1, .hi = 1};
	int64_t extent = index_extent(t, i);

	if (extent) {
		f.lo = 0;
		f.hi = (double)(extent - 1);
	} else if (x->type == DT_BOOL) {
		f.lo = 0;
	} else if (!dtype_is_float(x->type)) {
		f.lo = dtype_is_signed(x->type) ? -100 : 0;
		f.hi = 100;
	}
	if (x->kind == TENSOR_CONST && dtype_is_float(x->type)) {
		f.lo /= 2;
		f.hi /= 2;
	}
	return f;
}

/* The fill of an input in one of its contents. */
static Fill
fill_in(const Fill *f, Contents c)
{
	Fill g = *f;

	g.seed += (uint64_t)c * SEEDS;
	return g;
}

static void
patch(Arena *a, Fill *f, const Region *r, double value)
{
	Patch *v = ARENA_ARRAY(a, Patch, f->patches.n + (uint32_t)r->n);

	if (f->patches.n)
		memcpy(v, f->patches.v, f->patches.n * sizeof *v);
	for (int i = 0; i < r->n; i++)
		v[f->patches.n + (uint32_t)i] = (Patch){r->nest[i], value};
	f->patches.v = v;
	f->patches.n += (uint32_t)r->n;
}

/* The border holds its value; what nobody may use holds NaN, or the largest integer. */
static bool
patch_slack(Arena *a, const Form *f, const TaskTensor *x, Fill *fill)
{
	double poison = dtype_is_float(x->type) ? NAN : INFINITY;
	Region border = region_border(f, x), foreign = region_foreign(f, x),
	       lanes = region_lanes(f, x);

	patch(a, fill, &lanes, poison);
	patch(a, fill, &border, f->border);
	patch(a, fill, &foreign, poison);
	return border.whole && foreign.whole && lanes.whole;
}

static uint64_t
stored_bytes(const Form *f, const TaskTensor *x)
{
	return (uint64_t)form_layout(f, x->dim, x->type, 0).count * dtype_size(x->type);
}

static int
add_buffer(Problem *p, int i, Role role, Err *e)
{
	const TaskTensor *x = &p->task->tensor.v[i];
	const Form *f = &p->form->v[i];
	BufferSpec b = {.role = role, .type = x->type, .fill = {.kind = FILL_POISON}};

	b.bytes = role == ROLE_CONST ? (uint64_t)tensor_count(x) * dtype_size(x->type)
				     : stored_bytes(f, x);
	if (role != ROLE_OUT)
		b.fill = fill_of(p->task, i);
	if (role == ROLE_IN && !patch_slack(p->arena, f, x, &b.fill))
		return err_set(e, ERR_UNSUPPORTED, "tensor %s has too many dimensions", x->name);
	if (!b.bytes || !tensor_count(x))
		return err_set(e, ERR_UNSUPPORTED, "tensor %s has no elements", x->name);
	if (p->buffer.n == BUFFERS_MAX)
		return err_set(e, ERR_UNSUPPORTED, "more than %d tensors", BUFFERS_MAX);
	vec_push(p->arena, &p->buffer, b);
	return OK;
}

static int
add_buffers(Problem *p, Err *e)
{
	static const struct {
		TensorKind kind;
		Role role;
	} order[] = {{TENSOR_IN, ROLE_IN}, {TENSOR_OUT, ROLE_OUT}, {TENSOR_CONST, ROLE_CONST}};
	int rc = OK;

	for (size_t k = 0; k < sizeof order / sizeof *order; k++)
		for (int i = 0; i < p->task->tensor.n && !rc; i++) {
			bool made = order[k].role == ROLE_CONST && tensor_is_made(p->task, i);

			if (p->task->tensor.v[i].kind != order[k].kind || made)
				continue;
			rc = add_buffer(p, i, order[k].role, e);
			p->ngiven += order[k].role == ROLE_CONST;
		}
	return rc;
}

static Digest
add_blob(Arena *a, Blobs *blobs, const void *data, size_t size)
{
	Blob b = {digest_of(data, size), data, size};

	vec_push(a, blobs, b);
	return b.digest;
}

static void
add_nests(Arena *a, CheckSpec *c, const Region *r)
{
	c->nests.v = arena_copy(a, r->nest, (size_t)r->n * sizeof *r->nest);
	c->nests.n = (uint32_t)r->n;
}

/* Every element of the region must hold value. */
static void
check_region(Problem *p, uint32_t buffer, const Region *r, double value)
{
	CheckSpec c = {.kind = CHECK_DENSE, .buffer = buffer, .type = DT_F64};
	uint64_t n = 0;
	double *v;

	for (int i = 0; i < r->n; i++)
		n += nest_volume(&r->nest[i]);
	if (n == 0 || n > FOREIGN_MAX || p->check.n == CHECKS_MAX - 2)
		return;
	v = arena_alloc(p->arena, n * sizeof *v);
	for (uint64_t i = 0; i < n; i++)
		v[i] = value;
	c.blob = add_blob(p->arena, &p->blob, v, n * sizeof *v);
	add_nests(p->arena, &c, r);
	vec_push(p->arena, &p->check, c);
}

static void
check_written(Problem *p, uint32_t buffer, const Region *elements)
{
	CheckSpec c = {.kind = CHECK_WRITTEN, .buffer = buffer};

	if (p->check.n == CHECKS_MAX - 2)
		return;
	add_nests(p->arena, &c, elements);
	vec_push(p->arena, &p->check, c);
}

/* All elements are written, borders hold their value, memory of others stays as it was. */
static void
add_checks(Problem *p)
{
	uint32_t buffer = 0;

	for (int i = 0; i < p->task->tensor.n; i++)
		buffer += p->task->tensor.v[i].kind == TENSOR_IN;
	for (int i = 0; i < p->task->tensor.n; i++) {
		const TaskTensor *x = &p->task->tensor.v[i];
		const Form *f = &p->form->v[i];
		Region all, border, foreign;

		if (x->kind != TENSOR_OUT)
			continue;
		all = region_elements(f, x);
		border = region_border(f, x);
		foreign = region_foreign(f, x);
		check_written(p, buffer, &all);
		check_region(p, buffer, &border, f->border);
		if (dtype_is_float(x->type))
			check_region(p, buffer, &foreign, NAN);
		buffer++;
	}
}

/* Contents of stored tensor i as the device will have them, row-major. */
static int
logical(Arena *a, const Problem *p, int i, const BufferSpec *b, const void **out, Err *e)
{
	const TaskTensor *x = &p->task->tensor.v[i];
	Layout l = form_layout(&p->form->v[i], x->dim, x->type, 0);
	size_t size = dtype_size(x->type), n = (size_t)tensor_count(x);
	unsigned char *stored = arena_alloc64(a, b->bytes), *v;
	int64_t ix[TASK_RANK_MAX] = {0};
	int rc = fill_buffer(x->type, stored, b->bytes, &b->fill, NULL, 0, e);

	*out = stored;
	if (rc || form_is_plain(&p->form->v[i]))
		return rc;
	*out = v = arena_alloc64(a, n * size);
	for (size_t k = 0; k < n; k++) {
		memcpy(v + k * size, stored + (size_t)layout_at(&l, ix) * size, size);
		for (int d = x->rank - 1; d >= 0 && ++ix[d] == x->dim[d]; d--)
			ix[d] = 0;
	}
	return OK;
}

static int
sample(Problem *p, Contents which, Err *e)
{
	const Task *t = p->task;
	Arena *a = arena_new(); /* contents of the inputs are large and not needed later */
	const void **data = ARENA_ARRAY(a, const void *, t->tensor.n + 1);
	int in = 0, constant = p->buffer.n - p->ngiven, rc = OK;

	for (int i = 0; i < t->tensor.n && !rc; i++) {
		if (t->tensor.v[i].kind == TENSOR_IN) {
			BufferSpec b = p->buffer.v[in++];

			b.fill = fill_in(&b.fill, which);
			rc = logical(a, p, i, &b, &data[i], e);
		} else if (t->tensor.v[i].kind == TENSOR_CONST && !tensor_is_made(t, i)) {
			rc = logical(a, p, i, &p->buffer.v[constant++], &data[i], e);
		}
	}
	if (!rc)
		expect_outputs(p->arena, t, p->form, data, &look[which], &p->expected[which]);
	arena_free(a);
	return rc;
}

int
problem_build(Arena *a, const Task *t, const TaskForm *f, Problem *out, Err *e)
{
	int rc;

	*out = (Problem){.arena = a, .task = t, .form = f};
	if ((rc = add_buffers(out, e)))
		return rc;
	for (int i = 0; i < t->tensor.n; i++)
		if (t->tensor.v[i].kind == TENSOR_LIT && problem_literal(out, &t->tensor.v[i]) < 0)
			return err_set(e, ERR_UNSUPPORTED, "more than %d tensors", BUFFERS_MAX);
	add_checks(out);
	rc = sample(out, CONTENTS_FIRST, e);
	return rc ? rc : sample(out, CONTENTS_SECOND, e);
}

void
problem_extend(Problem *p)
{
	if (!p->expected[CONTENTS_THIRD].n)
		sample(p, CONTENTS_THIRD, NULL);
}

int
problem_literal(Problem *p, const TaskTensor *x)
{
	size_t n = (size_t)tensor_count(x), size = n * dtype_size(x->type);
	unsigned char *v = arena_alloc(p->arena, size);
	Literal new = {.type = x->type};

	for (size_t k = 0; k < n; k++)
		dtype_put(x->type, v, k, x->lit[k]);
	new.contents = (Blob){digest_of(v, size), v, size};
	for (int i = 0; i < p->literal.n; i++)
		if (p->literal.v[i].type == x->type &&
		    digest_equal(&p->literal.v[i].contents.digest, &new.contents.digest))
			return p->ngiven + i;
	if (p->buffer.n + p->literal.n == BUFFERS_MAX)
		return -1;
	vec_push(p->arena, &p->literal, new);
	return p->ngiven + p->literal.n - 1;
}

void
problem_buffers(const Problem *p, Arena *a, bool final, Batch *out)
{
	Contents checked = final ? CONTENTS_THIRD : CONTENTS_FIRST;
	Contents timed = final ? CONTENTS_FIRST : CONTENTS_SECOND;
	int n = p->buffer.n + p->literal.n;

	out->buffers.v = ARENA_ARRAY(a, BufferSpec, n);
	out->buffers.n = (uint32_t)n;
	memcpy(out->buffers.v, p->buffer.v, (size_t)p->buffer.n * sizeof *p->buffer.v);
	for (int i = 0; i < p->buffer.n && p->buffer.v[i].role == ROLE_IN; i++) {
		BufferSpec *b = &out->buffers.v[i];

		b->other_seed = fill_in(&b->fill, timed).seed;
		b->fill = fill_in(&b->fill, checked);
	}
	for (int i = 0; i < p->literal.n; i++)
		out->buffers.v[p->buffer.n + i] = (BufferSpec){
			.role = ROLE_CONST,
			.type = p->literal.v[i].type,
			.bytes = p->literal.v[i].contents.size,
			.fill = {.kind = FILL_BLOB, .blob = p->literal.v[i].contents.digest}};
}

static void
put_record(unsigned char *to, uint32_t buffer, const Expected *x, double slack)
{
	CheckRecord r = {buffer, 0, (uint64_t)x->element, x->value, x->err * slack};

	memcpy(to, &r, sizeof r);
}

/* A check of the outputs that were computed for one of the contents. */
static CheckSpec
check_of(const Problem *p, Arena *a, Contents which, double slack, bool other, Blobs *blobs)
{
	const ExpectedList *x = &p->expected[which];
	unsigned char *records = arena_alloc(a, (size_t)x->n * sizeof(CheckRecord) + 1);
	CheckSpec c = {.kind = CHECK_SAMPLES, .other = other};
	int first = 0;

	while (p->buffer.v[first].role != ROLE_OUT)
		first++;
	for (int i = 0; i < x->n; i++)
		put_record(records + (size_t)i * sizeof(CheckRecord),
			   (uint32_t)(first + x->v[i].out), &x->v[i], slack);
	c.blob = add_blob(a, blobs, records, (size_t)x->n * sizeof(CheckRecord));
	return c;
}

void
problem_checks(const Problem *p, Arena *a, double slack, bool final, Batch *out, Blobs *blobs)
{
	CheckSpec *c = ARENA_ARRAY(a, CheckSpec, p->check.n + 2);
	Contents checked = final ? CONTENTS_THIRD : CONTENTS_FIRST;
	Contents timed = final ? CONTENTS_FIRST : CONTENTS_SECOND;
	int n = p->check.n;

	for (int i = 0; i < n; i++)
		c[i] = p->check.v[i];
	c[n++] = check_of(p, a, checked, slack, false, blobs);
	c[n++] = check_of(p, a, timed, slack, true, blobs);
	for (int i = 0; i < p->blob.n; i++)
		vec_push(a, blobs, p->blob.v[i]);
	for (int i = 0; i < p->literal.n; i++)
		vec_push(a, blobs, p->literal.v[i].contents);
	out->checks.v = c;
	out->checks.n = (uint32_t)n;
}
