/* CPU runner: maps the image and calls its kernels in this process.
 *
 * In cold mode every run of a sample uses another copy of the pool, written past the caches before
 * the sample begins. Where that cannot be, all copies are written once, and are enough that a copy
 * has left the last-level cache before it is used again. All memory a kernel gets lies between
 * guard pages; the first run uses the pool itself, which ends at one.
 *
 * Several threads take part from a sample's first run on: a fork before it has woken them. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/image.h"
#include "base/pack.h"
#include "rpc_server/cold.h"
#include "rpc_server/places.h"
#include "rpc_server/runner.h"

typedef int Kernel(const void *const *in, void *const *out, void *scratch, int chunk, int chunks);

enum { CACHE_UNKNOWN = 8 << 20 };

typedef struct Prepared {
	Kernel *phase[PHASES_MAX];
	uint32_t phases;
	Area scratch;
	Area pool;     /* the copies, then the pool itself */
	size_t stride; /* between them */
	size_t copies; /* 0 in hot mode */
	size_t next;
	bool checked; /* ran once */
} Prepared;

typedef struct Cpu {
	const Work *work;
	Image *image;
	const void *in[BUFFERS_MAX + 2]; /* IN buffers, pool of the running candidate, threads */
	void *out[BUFFERS_MAX];
	const void *consts[2 * BUFFERS_MAX]; /* CONST buffers, then derived ones */
	size_t const_bytes[2 * BUFFERS_MAX];
	uint32_t ins, outs, nconst;
	uint64_t spent; /* bytes of memory_bytes that prepared candidates have */
	Prepared *prepared[CANDIDATES_MAX];
} Cpu;

/* The state of arithmetic that every kernel begins with and the runner goes on with, whatever was
 * left behind. Denormals are zero, as the product sets it: they would distort times. */
static void
set_arithmetic(void)
{
#if defined(__x86_64__)
	__asm__ volatile("cld");
	__builtin_ia32_ldmxcsr(0x1f80 | 0x8040);
#elif defined(__aarch64__)
	__asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)1 << 24 | 1u << 19));
#elif defined(__arm__)
	__builtin_arm_set_fpscr(1u << 24);
#endif
}

static int
cpu_open(const Work *w, void **self, Err *e)
{
	Cpu *c = calloc(1, sizeof *c);
	const uint8_t *bytes;
	size_t size, span;

	if (!c)
		return err_set(e, ERR_NOMEM, "cpu: out of memory");
	c->work = w;
	for (uint32_t i = 0; i < w->batch->buffers.n; i++) {
		const BufferSpec *b = &w->batch->buffers.v[i];

		if (b->role == ROLE_IN)
			c->in[c->ins++] = w->buffer[i].data;
		else if (b->role == ROLE_OUT)
			c->out[c->outs++] = w->buffer[i].data;
		else {
			c->consts[c->nconst] = w->buffer[i].data;
			c->const_bytes[c->nconst++] = b->bytes;
		}
	}
	c->in[c->ins + 1] = w->parallel;
	bytes = work_blob(w, &w->batch->image, &size);
	if (image_open(bytes, bytes ? size : 0, &c->image, e)) {
		free(c);
		return e->code;
	}
	bytes = image_base(c->image, &span);
	places_add(w->places, PLACE_CODE, 0, bytes, span, bytes);
	*self = c;
	return OK;
}

static Kernel *
find_kernel(const Cpu *c, const char *name, Err *e)
{
	void *p = image_symbol(c->image, name);
	Kernel *k = NULL;

	if (p)
		memcpy(&k, &p, sizeof k); /* ISO C converts no object pointer to a function's */
	else
		err_set(e, ERR_INPUT, "symbol '%.120s' is not in the image", name);
	return k;
}

static bool
guarded(Cpu *c, Area *a, size_t bytes, Place place, uint32_t index, Err *e)
{
	if (area_open(a, -1, 0, bytes, e))
		return false;
	c->spent += bytes;
	places_add(c->work->places, place, index, a->base, a->span, a->data);
	return true;
}

static void
unguard(Cpu *c, Area *a)
{
	if (!a->base)
		return;
	c->spent -= a->bytes;
	places_remove(c->work->places, a->base);
	area_close(a);
}

static size_t
pool_stride(const Candidate *k)
{
	return (k->pool.bytes + AREA_ALIGN - 1) / AREA_ALIGN * AREA_ALIGN;
}

/* How many copies of the pool at most; those that are never used cost nothing. In a race the copies
 * of all candidates push each other out. */
static size_t
pool_copies(const Cpu *c, const Candidate *k)
{
	const MeasureSpec *m = &c->work->batch->measure;
	uint64_t cache = c->work->plan->cache_bytes ? c->work->plan->cache_bytes : CACHE_UNKNOWN;
	uint64_t sharing = m->race_rounds ? c->work->batch->candidates.n : 1;
	uint64_t stride = pool_stride(k), most = c->work->plan->memory_bytes / 4 / sharing;
	uint64_t want = 2 * cache / sharing;

	if (k->pool.kind == POOL_NONE || m->mode == MEASURE_HOT)
		return 0;
	want = want < most ? want : most;
	return (size_t)(want / stride + 1);
}

/* False: the candidate asks for more memory than there is. */
static bool
fits(const Cpu *c, const Candidate *k, Err *e)
{
	uint64_t left = c->work->plan->memory_bytes - c->spent, need = 0;
	bool over = c->spent > c->work->plan->memory_bytes ||
		    __builtin_add_overflow(k->scratch_bytes, k->pool.bytes, &need) ||
		    __builtin_add_overflow(need, k->pool.bytes, &need);

	for (uint32_t i = 0; i < k->derived.n; i++)
		over = over || __builtin_add_overflow(need, k->derived.v[i], &need);
	if (!over && need <= left)
		return true;
	err_set(e, ERR_NOMEM, "scratch %llu, pool 2 x %llu bytes and derived: %llu are free",
		(unsigned long long)k->scratch_bytes, (unsigned long long)k->pool.bytes,
		(unsigned long long)left);
	return false;
}

/* Runs the prepare entries into the derived buffers. */
static Status
derive(Cpu *c, const Candidate *k, Prepared *p, Area *derived, Err *e)
{
	void *out[BUFFERS_MAX];

	for (uint32_t i = 0; i < k->derived.n; i++) {
		if (!guarded(c, &derived[i], k->derived.v[i], PLACE_DERIVED, i, e))
			return STATUS_INFEASIBLE;
		out[i] = derived[i].data;
		c->consts[c->nconst + i] = derived[i].data;
		c->const_bytes[c->nconst + i] = k->derived.v[i];
	}
	for (uint32_t i = 0; i < k->prepare.n; i++) {
		Kernel *run = find_kernel(c, k->prepare.v[i], e);
		int rc = run ? run(c->consts, out, p->scratch.data, 0, 1) : 0;

		if (!run)
			return STATUS_BUILD;
		if (rc) {
			err_set(e, ERR_CHECK, "prepare '%.120s' returned %d", k->prepare.v[i], rc);
			return STATUS_WRONG;
		}
	}
	return STATUS_OK;
}

/* Writes the pool's bytes to `to`. */
static Status
fill_pool(Cpu *c, const Candidate *k, uint8_t *to, Err *e)
{
	size_t size = k->pool.inline_.n;
	const uint8_t *bytes = size ? k->pool.inline_.v : work_blob(c->work, &k->pool.blob, &size);

	if (!bytes) {
		err_set(e, ERR_INPUT, "pool: its blob is not in the segment");
		return STATUS_BUILD;
	}
	if (k->pool.kind == POOL_BLOB && size == k->pool.bytes) {
		memcpy(to, bytes, size);
		return STATUS_OK;
	}
	if (k->pool.kind == POOL_PACK &&
	    pack_run(bytes, size, (int)(c->nconst + k->derived.n), c->consts, c->const_bytes, to,
		     (size_t)k->pool.bytes) == 0)
		return STATUS_OK;
	err_set(e, ERR_INPUT, "pool: %s",
		k->pool.kind == POOL_PACK ? "its description does not fit the constants"
					  : "its blob has another size");
	return STATUS_BUILD;
}

static uint8_t *
pool_copy(const Prepared *p, size_t i)
{
	return p->pool.data + i * p->stride;
}

/* Writes the next n copies. */
static void
write_copies(const Prepared *p, size_t n)
{
	for (size_t i = 0; i < n && i < p->copies; i++)
		cold_copy(pool_copy(p, (p->next + i) % p->copies), pool_copy(p, p->copies),
			  p->stride);
}

static Status
make_pool(Cpu *c, const Candidate *k, Prepared *p, Err *e)
{
	Status status;

	p->copies = pool_copies(c, k);
	p->stride = pool_stride(k);
	if (k->pool.kind == POOL_NONE)
		return STATUS_OK;
	if (!guarded(c, &p->pool, (p->copies + 1) * p->stride, PLACE_POOL, 0, e))
		return STATUS_INFEASIBLE;
	status = fill_pool(c, k, pool_copy(p, p->copies), e);
	if (status == STATUS_OK && !COLD_COPIES)
		write_copies(p, p->copies);
	return status;
}

static Status
prepare(Cpu *c, const Candidate *k, Prepared *p, Err *e)
{
	Area derived[BUFFERS_MAX] = {0};
	Status status;

	for (uint32_t i = 0; i < k->phases.n; i++)
		if (!(p->phase[p->phases++] = find_kernel(c, k->phases.v[i], e)))
			return STATUS_BUILD;
	if (!fits(c, k, e) || !guarded(c, &p->scratch, k->scratch_bytes, PLACE_SCRATCH, 0, e))
		return STATUS_INFEASIBLE;
	status = derive(c, k, p, derived, e);
	set_arithmetic();
	if (status == STATUS_OK)
		status = make_pool(c, k, p, e);
	for (uint32_t i = 0; i < k->derived.n; i++)
		unguard(c, &derived[i]);
	return status;
}

static void
cpu_release(void *self, uint32_t candidate)
{
	Cpu *c = self;
	Prepared *p = c->prepared[candidate];

	if (!p)
		return;
	unguard(c, &p->scratch);
	unguard(c, &p->pool);
	free(p);
	c->prepared[candidate] = NULL;
}

static Status
cpu_prepare(void *self, uint32_t candidate, Err *e)
{
	Cpu *c = self;
	Status status;

	cpu_release(c, candidate);
	c->prepared[candidate] = calloc(1, sizeof(Prepared));
	if (!c->prepared[candidate]) {
		err_set(e, ERR_NOMEM, "cpu: out of memory");
		return STATUS_INFEASIBLE;
	}
	set_arithmetic();
	status = prepare(c, &c->work->batch->candidates.v[candidate], c->prepared[candidate], e);
	if (status != STATUS_OK)
		cpu_release(c, candidate);
	return status;
}

static uint64_t
cpu_now(void *self)
{
	(void)self;
	return clock_ns();
}

/* Reads the inputs, which the copies may have pushed out of the caches: in a model the operator
 * before has just written them. */
static void
warm_inputs(const Cpu *c)
{
	for (uint32_t i = 0; i < c->work->batch->buffers.n; i++) {
		const Area *a = &c->work->buffer[i];

		if (c->work->batch->buffers.v[i].role != ROLE_IN)
			continue;
		for (size_t at = 0; at < a->bytes; at += AREA_ALIGN)
			(void)*(volatile const uint8_t *)(a->data + at);
	}
}

static void
make_ready(void *context, int chunk, int chunks)
{
	(void)context;
	(void)chunk;
	(void)chunks;
	set_arithmetic(); /* the kernel before may have changed it */
}

/* All threads of the batch awake, and computing alike. */
static void
wake_threads(const Cpu *c)
{
	const hone_parallel *with = c->work->parallel;

	make_ready(NULL, 0, 1);
	if (with)
		with->parallel_for(with->self, make_ready, NULL, (int)c->work->batch->threads);
}

typedef struct PhaseCall {
	const Cpu *c;
	const Prepared *p;
	Kernel *phase;
	_Atomic int answer;
} PhaseCall;

static void
run_chunk(void *context, int chunk, int chunks)
{
	PhaseCall *call = context;
	int rc = call->phase(call->c->in, (void *const *)call->c->out, call->p->scratch.data, chunk,
			     chunks);

	if (rc)
		atomic_store(&call->answer, rc);
}

static int
run_phase(const Cpu *c, const Prepared *p, uint32_t phase, uint32_t chunks)
{
	const hone_parallel *with = c->work->parallel;
	PhaseCall call = {.c = c, .p = p, .phase = p->phase[phase]};

	if (chunks > 1)
		with->parallel_for(with->self, run_chunk, &call, (int)chunks);
	else
		run_chunk(&call, 0, 1);
	return atomic_load(&call.answer);
}

static int
cpu_run(void *self, uint32_t candidate, uint32_t times, uint64_t *ns)
{
	Cpu *c = self;
	Prepared *p = c->prepared[candidate];
	uint32_t chunks = c->work->batch->candidates.v[candidate].chunks;
	bool cold = p->copies && p->checked;
	uint64_t began;
	int rc = 0;

	c->in[c->ins] = p->pool.data ? pool_copy(p, p->copies) : NULL;
	if (cold && COLD_COPIES) {
		write_copies(p, times);
		warm_inputs(c);
	}
	p->checked = true;
	wake_threads(c);
	began = clock_ns();
	for (uint32_t i = 0; i < times; i++) {
		if (cold) {
			c->in[c->ins] = pool_copy(p, p->next);
			p->next = p->next + 1 < p->copies ? p->next + 1 : 0;
		}
		for (uint32_t k = 0; k < p->phases; k++)
			rc |= run_phase(c, p, k, chunks);
	}
	*ns = clock_ns() - began;
	set_arithmetic();
	return rc;
}

static int
cpu_again(void *self, uint32_t candidate, uint32_t times)
{
	Cpu *c = self;
	uint64_t ns;
	int rc;

	c->prepared[candidate]->checked = false; /* no copies */
	rc = cpu_run(c, candidate, times, &ns);
	return rc;
}

static void
cpu_close(void *self)
{
	Cpu *c = self;

	for (uint32_t i = 0; i < CANDIDATES_MAX; i++)
		cpu_release(c, i);
	image_close(c->image);
	free(c);
}

const Runner runner_cpu = {
	.name = "cpu",
	.open = cpu_open,
	.prepare = cpu_prepare,
	.now = cpu_now,
	.run = cpu_run,
	.again = cpu_again,
	.release = cpu_release,
	.close = cpu_close,
};
