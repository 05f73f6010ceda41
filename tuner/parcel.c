/* Building a parcel. Lowering and object code live in an arena of their own that ends with the
 * build; the image, the pack descriptions and the Batch stay.
 *
 * Packing needs to know how many literals all candidates have, so it comes after the last was
 * lowered. */
#include "tuner/parcel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codegen/link.h"
#include "codegen/pack.h"

enum { PACK_INLINE_MAX = 4096 };

/* Constant stages of one rewrite. */
typedef struct Prepared {
	const char *rewrite;
	int nsymbol, nmade;
	char **symbol;
	uint64_t *bytes; /* of each constant made */
	uint64_t scratch_bytes;
} Prepared;

typedef struct Built {
	int item;
	Lowered low;
	Objects code;
	int *number;  /* of its constants, but for those made */
	int prepared; /* or -1 */
} Built;

typedef struct Builder {
	const ParcelSpec *spec;
	Parcel *p;
	Arena *work;
	VEC(Built) built;
	VEC(Prepared) prepared;
	LinkInputs object;
	double slack;
	Err *e;
} Builder;

const Blob *
parcel_blob(const Parcel *p, const Digest *d)
{
	for (int i = 0; i < p->blob.n; i++)
		if (digest_equal(&p->blob.v[i].digest, d))
			return &p->blob.v[i];
	return NULL;
}

void
parcel_carry(Parcel *p, Blob blob)
{
	if (!parcel_blob(p, &blob.digest))
		vec_push(p->arena, &p->blob, blob);
}

void
parcel_set_pool(Parcel *p, Candidate *c, uint64_t bytes, Blob pack)
{
	c->pool.kind = POOL_PACK;
	c->pool.bytes = bytes;
	c->pool.blob = pack.digest;
	if (pack.size > PACK_INLINE_MAX) {
		parcel_carry(p, pack);
		return;
	}
	c->pool.inline_.v = (uint8_t *)pack.data; /* is only read */
	c->pool.inline_.n = (uint32_t)pack.size;
}

void
parcel_settle(Parcel *p, int item, Status status, const char *reason)
{
	ParcelItem *i = &p->item[item];

	i->back = true;
	i->result = (Result){.status = status, .candidate = (uint64_t)item};
	i->result.reason = strndup(reason, REASON_MAX);
}

void
parcel_settle_rest(Parcel *p, Status status, const char *reason)
{
	for (int i = 0; i < p->n; i++)
		if (!p->item[i].back)
			parcel_settle(p, i, status, reason);
}

/* What an agent says is looked at once, here: later code and the log want numbers. */
static void
distrust(Result *r)
{
	double *figure[] = {&r->max_error, &r->calibration_before, &r->calibration_after};
	bool times = r->status != STATUS_OK || r->samples.n > 0;

	for (size_t i = 0; i < sizeof figure / sizeof *figure; i++)
		if (!isfinite(*figure[i]))
			*figure[i] = 0;
	for (uint32_t i = 0; i < r->samples.n; i++)
		times &= isfinite(r->samples.v[i]) && r->samples.v[i] > 0;
	if (times)
		return;
	free(r->reason);
	r->reason = strdup("the agent reports times that are none");
	r->status = STATUS_IMPLAUSIBLE;
	r->samples.n = 0;
}

/* Keeps what was measured, for the log; that it was cancelled says nothing. */
static void
store_stale(Parcel *p, Result *r)
{
	if (r->candidate < (uint64_t)p->n && r->status != STATUS_CANCELLED &&
	    r->status != STATUS_LOST)
		vec_push(p->arena, &p->stale, ((StaleResult){(int)r->candidate, 0, *r}));
	else
		result_fini(r);
}

bool
parcel_store(Parcel *p, Result *r)
{
	distrust(r);
	if (r->stale || r->status == STATUS_STALE) {
		store_stale(p, r);
		return false;
	}
	if (r->candidate >= (uint64_t)p->n || p->item[r->candidate].back) {
		result_fini(r);
		return false;
	}
	p->item[r->candidate].back = true;
	p->item[r->candidate].result = *r;
	return true;
}

bool
parcel_lost(const Parcel *p)
{
	for (int i = 0; i < p->n; i++)
		if (p->item[i].back && p->item[i].result.status == STATUS_LOST)
			return true;
	return false;
}

static void
forget_item(ParcelItem *x)
{
	if (x->back)
		result_fini(&x->result);
	x->back = false;
	x->by = 0;
}

void
parcel_forget(Parcel *p)
{
	bool all = p->batch.measure.race_rounds && (parcel_lost(p) || !parcel_complete(p));

	for (uint32_t i = 0; i < p->batch.candidates.n; i++) {
		ParcelItem *x = &p->item[p->batch.candidates.v[i].id];

		if (x->back && (all || x->result.status == STATUS_LOST))
			forget_item(x);
	}
}

void
parcel_again(Parcel *p)
{
	for (uint32_t i = 0; i < p->batch.candidates.n; i++)
		forget_item(&p->item[p->batch.candidates.v[i].id]);
	p->attempts = 0;
}

bool
parcel_complete(const Parcel *p)
{
	for (int i = 0; i < p->n; i++)
		if (!p->item[i].back)
			return false;
	return true;
}

/* Constants of l in the numbers of the problem; false when there are too many. */
static bool
number_constants(Builder *b, const Task *t, int *number)
{
	int given;

	pack_number(t, number, &given);
	for (int i = 0; i < t->tensor.n; i++) {
		if (t->tensor.v[i].kind != TENSOR_LIT)
			continue;
		number[i] = problem_literal(b->spec->problem, &t->tensor.v[i]);
		if (number[i] < 0)
			return false;
	}
	return true;
}

/* Inputs of the constant stages, which stand in the order of pack_number, become buffers of the
 * problem. */
static void
move_inputs(Builder *b, const Task *t, const int *number, Loop *l)
{
	int *own = ARENA_ARRAY(b->work, int, t->tensor.n + 1);
	int *to = ARENA_ARRAY(b->work, int, t->tensor.n + 1), given;

	pack_number(t, own, &given);
	for (int i = 0; i < t->tensor.n; i++)
		if (own[i] != TASK_NONE)
			to[own[i]] = number[i];
	for (int i = 0; i < l->root.n; i++)
		if (l->root.v[i].kind == ROOT_IN)
			l->root.v[i].arg = to[l->root.v[i].arg];
}

static char **
copy_symbols(Arena *a, const Objects *o)
{
	char **v = ARENA_ARRAY(a, char *, o->n + 1);

	for (int i = 0; i < o->n; i++)
		v[i] = arena_strdup(a, o->symbol[i]);
	return v;
}

static int
object_of(Builder *b, const Loop *l, Objects *out, Err *e)
{
	return objects_emit(b->spec->object, b->spec->emit, l, b->work, out, e);
}

/* The constant stages of l's rewrite: those of a candidate before, or compiled now. */
static int
prepare(Builder *b, const Lowered *l, const int *number, int *out, Err *e)
{
	const Target *target = emit_target(b->spec->emit);
	Prepared x = {.rewrite = arena_strdup(b->work, l->sched.rewrite)};
	Lowered low;
	Objects code;
	int rc;

	*out = -1;
	for (int i = 0; i < b->prepared.n; i++)
		if (!strcmp(b->prepared.v[i].rewrite, x.rewrite)) {
			*out = i;
			return OK;
		}
	rc = lowered_prepare(b->work, l, target, &low, e);
	if (rc)
		return rc == NOT_APPLICABLE ? OK : rc;
	move_inputs(b, l->task, number, low.loop);
	if ((rc = object_of(b, low.loop, &code, e)))
		return rc;
	x.bytes = ARENA_ARRAY(b->p->arena, uint64_t, low.task->tensor.n + 1);
	for (int i = 0; i < low.task->tensor.n; i++) {
		const TaskTensor *t = &low.task->tensor.v[i];

		if (t->kind == TENSOR_OUT)
			x.bytes[x.nmade++] = (uint64_t)tensor_count(t) * dtype_size(t->type);
	}
	x.symbol = copy_symbols(b->p->arena, &code);
	x.nsymbol = code.n;
	x.scratch_bytes = (uint64_t)low.loop->scratch_bytes;
	objects_add(&code, b->work, &b->object);
	vec_push(b->work, &b->prepared, x);
	*out = b->prepared.n - 1;
	return OK;
}

/* Its text stands for the code that it would be. */
static void
build_bare(Builder *b, ParcelItem *x, Built *k)
{
	Digest d = digest_of_text(x->text);

	digest_print(&d, x->code);
	k->code.n = 1;
	k->code.symbol = ARENA_NEW(b->work, const char *);
	k->code.symbol[0] = "none";
	vec_push(b->work, &b->built, *k);
}

static bool
is_too_long(const Builder *b, const Loop *l)
{
	int64_t most = b->spec->operations;

	return most && loop_operations(l, emit_target(b->spec->emit)->vector_bytes) > most;
}

static void
build_item(Builder *b, int item)
{
	const Problem *p = b->spec->problem;
	ParcelItem *x = &b->p->item[item];
	Built k = {.item = item, .prepared = -1};
	char why[LOWER_WHY_MAX] = "";
	Err e = {0};
	int rc = lowered_from_text(b->work, p->task, p->form, x->text, emit_target(b->spec->emit),
				   &k.low, why, &e);

	if (rc) {
		parcel_settle(b->p, item, STATUS_INFEASIBLE, rc == NOT_APPLICABLE ? why : e.msg);
		return;
	}
	if (b->spec->lowered)
		b->spec->lowered(b->spec->self, &k.low);
	memcpy(x->algorithm, k.low.sched.rewrite, sizeof x->algorithm);
	if (b->spec->bare) {
		build_bare(b, x, &k);
		return;
	}
	k.number = ARENA_ARRAY(b->work, int, k.low.task->tensor.n + 1);
	if (is_too_long(b, k.low.loop)) {
		parcel_settle(b->p, item, STATUS_INFEASIBLE, "more code than is worth compiling");
	} else if (!number_constants(b, k.low.task, k.number)) {
		parcel_settle(b->p, item, STATUS_INFEASIBLE, "too many constants");
	} else if (prepare(b, &k.low, k.number, &k.prepared, &e) ||
		   object_of(b, k.low.loop, &k.code, &e)) {
		parcel_settle(b->p, item, STATUS_BUILD, e.msg);
	} else if (k.code.spills > b->spec->spills) {
		parcel_settle(b->p, item, STATUS_INFEASIBLE,
			      "vectors spill in the multiply-add loop");
	} else {
		digest_print(&k.code.digest, x->code);
		b->slack = k.low.slack > b->slack ? k.low.slack : b->slack;
		objects_add(&k.code, b->work, &b->object);
		vec_push(b->work, &b->built, k);
	}
}

static void
add_pool(Builder *b, const Built *k, Candidate *c)
{
	const Problem *p = b->spec->problem;
	int made = p->ngiven + p->literal.n;
	Arena *a = b->p->arena;
	Str desc = {0};
	Blob blob;

	if (!k->low.loop->pool_bytes)
		return;
	for (int i = 0; i < k->low.task->tensor.n; i++)
		if (k->low.task->tensor.v[i].kind == TENSOR_CONST && k->number[i] >= p->ngiven)
			k->number[i] = made++;
	pack_describe(k->low.loop, k->low.task, k->number, &desc);
	blob = (Blob){digest_of(desc.s, desc.n), arena_copy(a, desc.s, desc.n), desc.n};
	str_fini(&desc);
	parcel_set_pool(b->p, c, (uint64_t)k->low.loop->pool_bytes, blob);
}

/* Its own functions, and those that go before. */
static void
set_phases(Builder *b, const Built *k, Candidate *c)
{
	const Code *before = b->spec->before;
	Arena *a = b->p->arena;
	int first = before ? before->nsymbol : 0;

	c->phases.v = ARENA_ARRAY(a, char *, first + k->code.n + 1);
	c->phases.n = (uint32_t)(first + k->code.n);
	for (int i = 0; i < first; i++)
		c->phases.v[i] = arena_strdup(a, before->symbol[i]);
	for (int i = 0; i < k->code.n; i++)
		c->phases.v[first + i] = arena_strdup(a, k->code.symbol[i]);
	if (first && c->scratch_bytes < LOOP_LINE)
		c->scratch_bytes = LOOP_LINE;
}

static void
add_candidate(Builder *b, const Built *k, Candidate *c)
{
	*c = (Candidate){.id = (uint64_t)k->item,
			 .scratch_bytes = (uint64_t)k->low.loop->scratch_bytes,
			 .chunks = (uint32_t)k->low.loop->threads,
			 .code_digest = b->p->item[k->item].code,
			 .deadline_ms = b->spec->deadline_ms,
			 .floor_ns = b->spec->floor_ns};
	set_phases(b, k, c);
	if (k->prepared >= 0) {
		const Prepared *x = &b->prepared.v[k->prepared];

		c->prepare.v = x->symbol;
		c->prepare.n = (uint32_t)x->nsymbol;
		c->derived.v = x->bytes;
		c->derived.n = (uint32_t)x->nmade;
		if (x->scratch_bytes > c->scratch_bytes)
			c->scratch_bytes = x->scratch_bytes;
	}
	if (!b->spec->bare)
		add_pool(b, k, c);
}

static int
add_image(Builder *b)
{
	Arena *a = b->p->arena;
	uint64_t began = clock_ns();
	Blob image;
	int rc = link_objects(b->object.v, b->object.n, LINK_IMAGE, a, &image.data, &image.size,
			      b->e);

	b->p->link_s = (double)(clock_ns() - began) * 1e-9;
	if (rc)
		return rc;
	image.digest = digest_of(image.data, image.size);
	b->p->batch.image = image.digest;
	parcel_carry(b->p, image);
	return OK;
}

static int
make_batch(Builder *b)
{
	const ParcelSpec *s = b->spec;
	Batch *batch = &b->p->batch;
	Arena *a = b->p->arena;

	if (b->built.n == 0)
		return OK;
	batch->runner = arena_strdup(a, s->runner ? s->runner : "cpu");
	batch->measure = s->measure;
	batch->seed = s->seed;
	batch->threads = (uint32_t)emit_target(s->emit)->threads;
	batch->candidates.v = ARENA_ARRAY(a, Candidate, b->built.n);
	batch->candidates.n = (uint32_t)b->built.n;
	for (int i = 0; i < b->built.n; i++)
		add_candidate(b, &b->built.v[i], &batch->candidates.v[i]);
	problem_buffers(s->problem, a, s->final, batch);
	if (s->bare)
		return OK;
	problem_checks(s->problem, a, b->slack, s->final, batch, &b->p->blob);
	if (s->before) {
		LinkInput before = {s->before->bytes, s->before->size};

		vec_push(b->work, &b->object, before);
	}
	return add_image(b);
}

int
parcel_build(const ParcelSpec *spec, Parcel **out, Err *e)
{
	Arena *a = arena_new();
	Builder b = {.spec = spec, .p = ARENA_NEW(a, Parcel), .work = arena_new(), .e = e};
	uint64_t began = clock_ns();
	int rc;

	*b.p = (Parcel){.arena = a, .n = spec->n, .item = ARENA_ARRAY(a, ParcelItem, spec->n)};
	b.slack = 1;
	for (int i = 0; i < spec->n; i++) {
		b.p->item[i].text = arena_strdup(a, spec->text[i]);
		build_item(&b, i);
	}
	rc = make_batch(&b);
	b.p->build_s = (double)(clock_ns() - began) * 1e-9 - b.p->link_s;
	arena_free(b.work);
	if (rc)
		parcel_free(b.p);
	else
		*out = b.p;
	return rc;
}

void
parcel_free(Parcel *p)
{
	if (!p)
		return;
	for (int i = 0; i < p->n; i++)
		if (p->item[i].back)
			result_fini(&p->item[i].result);
	for (int i = 0; i < p->stale.n; i++)
		result_fini(&p->stale.v[i].result);
	arena_free(p->arena);
}
