/* One kernel in this process. */
#include "tests/support/kernel_run.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/pack.h"
#include "base/rng.h"
#include "codegen/link.h"
#include "codegen/lowered.h"
#include "codegen/pack.h"

int
guarded_open(Guarded *g, size_t bytes, GuardSide side)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), body = (bytes + page - 1) / page * page;
	unsigned char *map;

	if (!body)
		body = page;
	g->map_bytes = body + 2 * page;
	map = mmap(NULL, g->map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return -1;
	mprotect(map, page, PROT_NONE);
	mprotect(map + page + body, page, PROT_NONE);
	g->map = map;
	g->bytes = bytes;
	g->p = side == GUARD_BEFORE ? map + page : map + page + body - bytes;
	return 0;
}

void
guarded_close(Guarded *g)
{
	if (g->map)
		munmap(g->map, g->map_bytes);
	g->map = NULL;
}

static Layout
layout_of(const KernelRun *r, int i)
{
	const TaskTensor *x = &r->t->tensor.v[i];

	return form_layout(&r->f.v[i], x->dim, x->type, 0);
}

static bool
step(int64_t *ix, const int64_t *dim, int rank)
{
	for (int d = rank - 1; d >= 0; d--) {
		if (++ix[d] < dim[d])
			return true;
		ix[d] = 0;
	}
	return false;
}

/* Everything outside the tensor's elements holds NaN (or the largest integer), but for the border,
 * which holds its value. */
static void
store_input(KernelRun *r, int i)
{
	const TaskTensor *x = &r->t->tensor.v[i];
	const Form *f = &r->f.v[i];
	Layout y = layout_of(r, i);
	int64_t ix[TASK_RANK_MAX] = {0}, dim[TASK_RANK_MAX], flat = 0;

	memset(r->store[i].p, 0xff, r->store[i].bytes);
	if (form_has_border(f)) {
		Layout whole = y;

		for (int d = 0; d < x->rank; d++) {
			bool own = !(f->foreign >> d & 1);

			dim[d] = x->dim[d] + (own ? f->lo[d] + f->hi[d] : 0);
			if (own && d != f->block_dim)
				whole.base -= f->lo[d] * y.stride[d];
		}
		do
			dtype_put(x->type, r->store[i].p, (size_t)layout_at(&whole, ix), f->border);
		while (step(ix, dim, x->rank));
	}
	memset(ix, 0, sizeof ix);
	do
		memcpy(r->store[i].p + (size_t)layout_at(&y, ix) * dtype_size(x->type),
		       (unsigned char *)r->logical[i] + (size_t)flat++ * dtype_size(x->type),
		       dtype_size(x->type));
	while (step(ix, x->dim, x->rank));
}

static void
value_range(DType t, double *lo, double *hi)
{
	*lo = t == DT_U8 || t == DT_U16 || t == DT_U32 || t == DT_U64 || t == DT_BOOL ? 0 : -1;
	*hi = t == DT_BOOL ? 1 : 1;
	if (!dtype_is_float(t) && t != DT_BOOL) {
		*lo = *lo < 0 ? -100 : 0;
		*hi = 100;
	}
}

static int
open_tensor(KernelRun *r, int i, GuardSide side, uint64_t seed)
{
	const TaskTensor *x = &r->t->tensor.v[i];
	size_t n = (size_t)tensor_count(x), bytes;
	double lo, hi;

	if (x->kind == TENSOR_TMP)
		return 0;
	bytes = n * dtype_size(x->type);
	if (x->kind == TENSOR_IN || x->kind == TENSOR_OUT)
		bytes = (size_t)layout_of(r, i).count * dtype_size(x->type);
	if (guarded_open(&r->store[i], bytes, side))
		return -1;
	value_range(x->type, &lo, &hi);
	r->logical[i] = r->store[i].p;
	if (x->kind == TENSOR_IN) {
		r->logical[i] = arena_alloc(r->a, n * dtype_size(x->type));
		rng_fill(x->type, r->logical[i], n, seed + (uint64_t)i, lo, hi);
		store_input(r, i);
	} else if (x->kind == TENSOR_CONST && !tensor_is_made(r->t, i)) {
		rng_fill(x->type, r->store[i].p, n, seed + (uint64_t)i, lo / 2, hi / 2);
	} else if (x->kind == TENSOR_LIT) {
		for (size_t k = 0; k < n; k++)
			dtype_put(x->type, r->store[i].p, k, x->lit[k]);
	}
	return 0;
}

/* Constants that stages make from constants: from an oracle, element by element. */
static void
make_constants(KernelRun *r)
{
	Oracle *o = oracle_new(r->t, (const void *const *)r->logical);

	for (int i = 0; i < r->t->tensor.n; i++) {
		const TaskTensor *x = &r->t->tensor.v[i];
		int64_t ix[TASK_RANK_MAX] = {0};
		size_t k = 0;

		if (x->kind != TENSOR_CONST || !tensor_is_made(r->t, i))
			continue;
		do
			dtype_put(x->type, r->store[i].p, k++, oracle_at(o, i, ix).v);
		while (step(ix, x->dim, x->rank));
	}
	oracle_free(o);
}

static int
open_pool(KernelRun *r, GuardSide side, Err *e)
{
	int *number = ARENA_ARRAY(r->a, int, r->t->tensor.n), given;
	int n = pack_number(r->t, number, &given);
	const void **data = ARENA_ARRAY(r->a, const void *, n + 1);
	size_t *bytes = ARENA_ARRAY(r->a, size_t, n + 1);
	Str desc = {0};
	int rc;

	for (int i = 0; i < r->t->tensor.n; i++)
		if (number[i] != TASK_NONE) {
			data[number[i]] = r->store[i].p;
			bytes[number[i]] = r->store[i].bytes;
		}
	if (guarded_open(&r->pool, (size_t)r->loop->pool_bytes, side) ||
	    guarded_open(&r->scratch, (size_t)r->loop->scratch_bytes, side))
		return err_set(e, ERR_NOMEM, "pool");
	pack_describe(r->loop, r->t, number, &desc);
	rc = pack_run(desc.s, desc.n, n, data, bytes, r->pool.p, r->pool.bytes);
	str_fini(&desc);
	return rc ? err_set(e, ERR_INTERNAL, "pack_run refuses its own description") : OK;
}

static int
open_buffers(KernelRun *r, const Task *before, GuardSide side, uint64_t seed, Err *e)
{
	int nin = 0, nout = 0, n = r->t->tensor.n, rc;

	r->store = ARENA_ARRAY(r->a, Guarded, n);
	r->logical = ARENA_ARRAY(r->a, void *, n);
	r->in = ARENA_ARRAY(r->a, const void *, n + 1);
	r->out = ARENA_ARRAY(r->a, void *, n + 1);
	for (int i = 0; i < n; i++)
		if (open_tensor(r, i, side, seed))
			return err_set(e, ERR_NOMEM, "buffers");
	r->oracle = oracle_new(before, (const void *const *)r->logical);
	make_constants(r);
	if ((rc = open_pool(r, side, e)))
		return rc;
	for (int i = 0; i < n; i++) {
		if (r->t->tensor.v[i].kind == TENSOR_IN)
			r->in[nin++] = r->store[i].p;
		if (r->t->tensor.v[i].kind == TENSOR_OUT)
			r->out[nout++] = r->store[i].p;
	}
	r->in[nin] = r->pool.p;
	return OK;
}

static int
open_code(KernelRun *r, Emit *m, Err *e)
{
	ObjectCache cache = {.arena = r->a};
	LinkInputs in = {0};
	const void *bytes;
	size_t size;
	int rc;

	if ((rc = loop_check(r->loop, e)) ||
	    (rc = objects_emit(&cache, m, r->loop, r->a, &r->code, e)))
		return rc;
	objects_add(&r->code, r->a, &in);
	if ((rc = link_objects(in.v, in.n, LINK_IMAGE, r->a, &bytes, &size, e)) ||
	    (rc = image_open(bytes, size, &r->image, e)))
		return rc;
	r->fn = ARENA_ARRAY(r->a, KernelFn *, r->code.n + 1);
	for (int p = 0; p < r->code.n; p++) {
		void *sym = image_symbol(r->image, r->code.symbol[p]);

		if (!sym)
			return err_set(e, ERR_INTERNAL, "image lacks %s", r->code.symbol[p]);
		memcpy(&r->fn[p], &sym, sizeof sym);
	}
	return OK;
}

int
kernel_run_open(KernelRun *r, Arena *a, Emit *m, const Task *t, const TaskForm *f, const char *text,
		GuardSide side, uint64_t seed, char why[LOWER_WHY_MAX], Err *e)
{
	Lowered l;
	int rc;

	*r = (KernelRun){.a = a};
	if ((rc = lowered_from_text(a, t, f, text, emit_target(m), &l, why, e)) ||
	    (rc = task_check(l.task, e)))
		return rc;
	r->t = l.task;
	r->f = l.form;
	r->slack = l.slack;
	r->loop = l.loop;
	rc = open_code(r, m, e);
	if (!rc)
		rc = open_buffers(r, t, side, seed, e);
	if (rc)
		kernel_run_close(r);
	return rc;
}

void
kernel_run_close(KernelRun *r)
{
	for (int i = 0; r->store && i < r->t->tensor.n; i++)
		guarded_close(&r->store[i]);
	guarded_close(&r->pool);
	guarded_close(&r->scratch);
	oracle_free(r->oracle);
	image_close(r->image);
	r->image = NULL;
	r->oracle = NULL;
	r->store = NULL;
}

void
kernel_run_poison(KernelRun *r)
{
	for (int i = 0; i < r->t->tensor.n; i++)
		if (r->t->tensor.v[i].kind == TENSOR_OUT)
			memset(r->store[i].p, 0xff, r->store[i].bytes);
	if (r->scratch.bytes)
		memset(r->scratch.p, 0xff, r->scratch.bytes);
}

int
kernel_run_call(KernelRun *r)
{
	int rc = 0;

	for (int p = 0; p < r->code.n && !rc; p++)
		rc = r->fn[p](r->in, r->out, r->scratch.p, 0, 1);
	return rc;
}

static bool
same_elements(const KernelRun *r, int i, const unsigned char *a, const unsigned char *b)
{
	const TaskTensor *x = &r->t->tensor.v[i];
	size_t size = dtype_size(x->type);
	int64_t ix[TASK_RANK_MAX] = {0};
	Layout y = layout_of(r, i);

	do {
		size_t at = (size_t)layout_at(&y, ix) * size;

		if (memcmp(a + at, b + at, size))
			return false;
	} while (step(ix, x->dim, x->rank));
	return true;
}

typedef struct Part {
	KernelRun *r;
	int phase, chunk, chunks, answer;
} Part;

static void *
run_part(void *self)
{
	Part *p = self;

	p->answer = p->r->fn[p->phase](p->r->in, p->r->out, p->r->scratch.p, p->chunk, p->chunks);
	return NULL;
}

int
kernel_run_chunks(KernelRun *r, int chunks, bool together)
{
	Part *part = ARENA_ARRAY(r->a, Part, chunks);
	pthread_t *thread = ARENA_ARRAY(r->a, pthread_t, chunks);
	int rc = 0;

	for (int p = 0; p < r->code.n && !rc; p++) {
		for (int c = chunks - 1; c >= 0; c--) {
			part[c] = (Part){r, p, c, chunks, 0};
			if (!together)
				run_part(&part[c]);
			else if (pthread_create(&thread[c], NULL, run_part, &part[c]))
				abort();
		}
		for (int c = 0; c < chunks; c++) {
			if (together)
				pthread_join(thread[c], NULL);
			rc = rc ? rc : part[c].answer;
		}
	}
	return rc;
}

bool
kernel_run_overwrite(KernelRun *r, int in, int out, int chunks, bool together)
{
	int nin = 0, nout = 0;
	const unsigned char *before =
		arena_copy(r->a, r->store[out].p, r->store[out].bytes ? r->store[out].bytes : 1);
	bool same;

	for (int i = 0; i < in; i++)
		nin += r->t->tensor.v[i].kind == TENSOR_IN;
	for (int i = 0; i < out; i++)
		nout += r->t->tensor.v[i].kind == TENSOR_OUT;
	kernel_run_poison(r);
	r->out[nout] = r->store[in].p;
	same = !kernel_run_chunks(r, chunks, together) &&
	       same_elements(r, out, before, r->store[in].p);
	r->out[nout] = r->store[out].p;
	return same;
}

void *
kernel_run_outputs(const KernelRun *r, size_t *bytes)
{
	unsigned char *all;
	size_t at = 0;

	*bytes = 0;
	for (int i = 0; i < r->t->tensor.n; i++)
		if (r->t->tensor.v[i].kind == TENSOR_OUT)
			*bytes += r->store[i].bytes;
	all = arena_alloc(r->a, *bytes + 1);
	for (int i = 0; i < r->t->tensor.n; i++) {
		if (r->t->tensor.v[i].kind != TENSOR_OUT)
			continue;
		memcpy(all + at, r->store[i].p, r->store[i].bytes);
		at += r->store[i].bytes;
	}
	return all;
}

static void
compare(KernelCheck *c, const TaskTensor *x, const int64_t *ix, double got, OracleValue want,
	double slack)
{
	double d = fabs(got - want.v), allowed = want.err * slack, ratio;

	if (got == want.v || (isnan(got) && isnan(want.v)))
		d = 0;
	ratio = d == 0 ? 0 : isnan(d) ? INFINITY : d / (allowed > 0 ? allowed : 1e-300);
	if (fabs(want.v) > c->max_abs)
		c->max_abs = fabs(want.v);
	if (d > c->max_err)
		c->max_err = d;
	if (!(ratio > c->worst))
		return;
	c->worst = ratio;
	snprintf(c->where, sizeof c->where, "%s[%lld,%lld,%lld,%lld]: %.9g, wanted %.9g", x->name,
		 (long long)ix[0], (long long)ix[1], (long long)ix[2], (long long)ix[3], got,
		 want.v);
}

static void
check_border(KernelRun *r, int i, KernelCheck *c)
{
	const TaskTensor *x = &r->t->tensor.v[i];
	const Form *f = &r->f.v[i];
	int64_t ix[TASK_RANK_MAX] = {0}, dim[TASK_RANK_MAX];
	Layout y = layout_of(r, i);

	if (!form_has_border(f))
		return;
	for (int d = 0; d < x->rank; d++) {
		bool own = !(f->foreign >> d & 1);

		dim[d] = x->dim[d] + (own ? f->lo[d] + f->hi[d] : 0);
		if (own && d != f->block_dim)
			y.base -= f->lo[d] * y.stride[d];
	}
	do {
		bool inside = true;

		for (int d = 0; d < x->rank; d++) {
			int64_t at =
				ix[d] - (f->foreign >> d & 1 || d == f->block_dim ? 0 : f->lo[d]);

			inside &= at >= 0 && at < x->dim[d];
		}
		if (!inside)
			compare(c, x, ix,
				dtype_get(x->type, r->store[i].p, (size_t)layout_at(&y, ix)),
				(OracleValue){f->border, 0}, 1);
	} while (step(ix, dim, x->rank));
}

/* Slack of others keeps the poison. */
static void
check_foreign(KernelRun *r, int i, KernelCheck *c)
{
	const TaskTensor *x = &r->t->tensor.v[i];
	const Form *f = &r->f.v[i];
	int64_t ix[TASK_RANK_MAX] = {0}, dim[TASK_RANK_MAX];
	size_t size = dtype_size(x->type);
	Layout y = layout_of(r, i);

	if (!f->foreign)
		return;
	y.base = 0; /* counts from the start of the slack */
	for (int d = 0; d < x->rank; d++)
		dim[d] = x->dim[d] + f->lo[d] + f->hi[d];
	do {
		const unsigned char *p = r->store[i].p + (size_t)layout_at(&y, ix) * size;
		bool others = false;

		for (int d = 0; d < x->rank; d++)
			others |= f->foreign >> d & 1 &&
				  (ix[d] < f->lo[d] || ix[d] >= f->lo[d] + x->dim[d]);
		for (size_t k = 0; others && k < size; k++)
			if (p[k] != 0xff) {
				c->worst = INFINITY;
				snprintf(c->where, sizeof c->where,
					 "%s writes slack of others at %lld,%lld,%lld,%lld",
					 x->name, (long long)ix[0], (long long)ix[1],
					 (long long)ix[2], (long long)ix[3]);
				return;
			}
	} while (step(ix, dim, x->rank));
}

KernelCheck
kernel_run_check(KernelRun *r, int samples, uint64_t seed)
{
	KernelCheck c = {0};
	Rng rng;

	rng_init(&rng, seed);
	for (int i = 0; i < r->t->tensor.n; i++) {
		const TaskTensor *x = &r->t->tensor.v[i];
		int64_t ix[TASK_RANK_MAX] = {0}, n = tensor_count(x);
		Layout y = layout_of(r, i);

		if (x->kind != TENSOR_OUT)
			continue;
		for (int64_t k = 0; k < (n < samples ? n : samples); k++) {
			int64_t flat = n <= samples ? k : (int64_t)rng_below(&rng, (uint64_t)n);

			for (int d = x->rank - 1; d >= 0; d--) {
				ix[d] = flat % x->dim[d];
				flat /= x->dim[d];
			}
			compare(&c, x, ix,
				dtype_get(x->type, r->store[i].p, (size_t)layout_at(&y, ix)),
				oracle_at(r->oracle, i, ix), r->slack);
		}
		check_border(r, i, &c);
		check_foreign(r, i, &c);
	}
	return c;
}
