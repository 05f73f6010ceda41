/* The baseline's side: its code, called as it was then, with the buffers and checks of now. A
 * baseline says what it needs and nothing more, and what it says is looked at by the agent as
 * everything that comes from a client is. */
#include <string.h>

#include "regress/suite.h"

enum { MODEL_DEADLINE_MS = 120000, MODEL_SEED = 0x4d4f4445 };

/* --- what a suite says of itself --- */

static void
put_blob(Baseline *b, Arena *a, const Parcel *p, const Digest *d)
{
	const Blob *x = parcel_blob(p, d);

	if (x)
		baseline_put(b, a, arena_copy(a, x->data, x->size), x->size);
}

BaselineKernel
suite_baseline_kernel(const SuiteKernel *k, Baseline *b, Arena *a)
{
	const Candidate *c = &k->parcel->batch.candidates.v[0];

	put_blob(b, a, k->parcel, &k->call.image);
	if (c->pool.inline_.n)
		baseline_put(b, a, arena_copy(a, c->pool.inline_.v, c->pool.inline_.n),
			     c->pool.inline_.n);
	else if (c->pool.bytes)
		put_blob(b, a, k->parcel, &k->call.pack);
	for (int i = 0; i < k->call.literal.n; i++)
		put_blob(b, a, k->parcel, &k->call.literal.v[i].blob);
	return (BaselineKernel){.name = k->name,
				.task = k->task->task_key,
				.form = k->task->form_key,
				.uses = k->task->uses,
				.algorithm = k->algorithm,
				.grade = k->grade,
				.slack = k->slack,
				.sched = k->sched,
				.call = k->call};
}

const char *
suite_differs(const Suite *s, const Baseline *b)
{
	if (strcmp(tolerance_name(s->opt->tolerance), b->tolerance) != 0)
		return "--strict";
	if ((int64_t)s->opt->memory != b->memory)
		return "--memory";
	return NULL;
}

static bool
is_measured(const char *grade)
{
	return strcmp(grade, "estimate") != 0;
}

int
suite_unmeasured(const Suite *s, const Baseline *b)
{
	int n = 0;

	for (int i = 0; i < s->nkernel; i++) {
		const PlanTask *t = s->kernel[i].task;
		const BaselineKernel *old = baseline_kernel(b, &t->task_key, &t->form_key);

		n += old && is_measured(old->grade) && !is_measured(s->kernel[i].grade);
	}
	return n;
}

/* --- kernels --- */

static Blob
blob_of(const BaselineBlob *x)
{
	return (Blob){x->digest, x->data, x->size};
}

static char **
copy_words(Arena *a, const char *const *v, int n)
{
	char **out = ARENA_ARRAY(a, char *, n + 1);

	for (int i = 0; i < n; i++)
		out[i] = arena_strdup(a, v[i]);
	return out;
}

static void
set_candidate(Parcel *p, const BaselineCall *call, const BaselineBlob *pack)
{
	Candidate *c = ARENA_NEW(p->arena, Candidate);
	uint64_t *derived = ARENA_ARRAY(p->arena, uint64_t, call->derived.n + 1);

	for (int i = 0; i < call->derived.n; i++)
		derived[i] = (uint64_t)call->derived.v[i];
	*c = (Candidate){.scratch_bytes = (uint64_t)call->scratch,
			 .chunks = (uint32_t)call->chunks,
			 .code_digest = p->item[0].code,
			 .deadline_ms = PROCESS_DEADLINE_MS};
	c->phases.v = copy_words(p->arena, call->phase.v, call->phase.n);
	c->phases.n = (uint32_t)call->phase.n;
	c->prepare.v = copy_words(p->arena, call->prepare.v, call->prepare.n);
	c->prepare.n = (uint32_t)call->prepare.n;
	c->derived.v = derived;
	c->derived.n = (uint32_t)call->derived.n;
	if (call->pool)
		parcel_set_pool(p, c, (uint64_t)call->pool, blob_of(pack));
	p->batch.candidates.v = c;
	p->batch.candidates.n = 1;
}

/* The constants of its rewrite, in its order. */
static int
set_literals(Problem *problem, const Baseline *b, const BaselineCall *call, Arena *a, Err *e)
{
	problem->literal.v = NULL;
	problem->literal.n = problem->literal.cap = 0;
	if (problem->buffer.n + call->literal.n > BUFFERS_MAX)
		return err_set(e, ERR_INPUT, "more than %d tensors", BUFFERS_MAX);
	for (int i = 0; i < call->literal.n; i++) {
		const BaselineBlob *x = baseline_blob(b, &call->literal.v[i].blob);

		vec_push(a, &problem->literal, ((Literal){call->literal.v[i].type, blob_of(x)}));
	}
	return OK;
}

static Parcel *
new_parcel(const char *text, const Digest *image)
{
	Arena *a = arena_new();
	Parcel *p = ARENA_NEW(a, Parcel);

	*p = (Parcel){.arena = a, .n = 1, .item = ARENA_NEW(a, ParcelItem)};
	p->item[0].text = arena_strdup(a, text);
	digest_print(image, p->item[0].code);
	p->batch.runner = arena_strdup(a, "cpu");
	p->batch.image = *image;
	return p;
}

int
suite_old_kernel(const SuiteKernel *k, const Baseline *b, const BaselineKernel *old, Parcel **out,
		 Err *e)
{
	const BaselineBlob *pack = baseline_blob(b, &old->call.pack);
	Parcel *p = new_parcel(old->sched, &old->call.image);
	Problem problem = k->problem;
	int rc = set_literals(&problem, b, &old->call, p->arena, e);

	if (rc) {
		parcel_free(p);
		return rc;
	}
	p->batch.measure = k->parcel->batch.measure;
	p->batch.threads = k->parcel->batch.threads;
	parcel_carry(p, blob_of(baseline_blob(b, &old->call.image)));
	problem_buffers(&problem, p->arena, true, &p->batch);
	problem_checks(&problem, p->arena, old->slack, true, &p->batch, &p->blob);
	set_candidate(p, &old->call, pack);
	*out = p;
	return OK;
}

/* --- the model --- */

static void
add_buffer(Parcel *p, Role role, const BaselineTensor *t, uint64_t seed)
{
	BufferSpec *x = &p->batch.buffers.v[p->batch.buffers.n++];

	*x = (BufferSpec){.role = role, .type = t->type, .bytes = (uint64_t)t->bytes};
	x->fill.kind = role == ROLE_OUT ? FILL_POISON : FILL_ZERO;
	if (role == ROLE_IN && dtype_is_float(t->type))
		x->fill = (Fill){.kind = FILL_RANDOM, .seed = seed, .lo = -1, .hi = 1};
}

Parcel *
suite_model_parcel(const BaselineModel *m, const void *image, size_t image_bytes,
		   const void *weights, int threads)
{
	Parcel *p = new_parcel(m->name, &m->image);
	Arena *a = p->arena;
	Candidate *c = ARENA_NEW(a, Candidate);

	parcel_carry(p, (Blob){m->image, image, image_bytes});
	parcel_carry(p, (Blob){m->weights, weights, (size_t)m->weights_bytes});
	p->batch.buffers.v = ARENA_ARRAY(a, BufferSpec, m->in.n + m->out.n + 1);
	for (int i = 0; i < m->in.n; i++)
		add_buffer(p, ROLE_IN, &m->in.v[i], MODEL_SEED + (uint64_t)i);
	for (int i = 0; i < m->out.n; i++)
		add_buffer(p, ROLE_OUT, &m->out.v[i], 0);
	*c = (Candidate){.scratch_bytes = (uint64_t)m->scratch,
			 .code_digest = p->item[0].code,
			 .deadline_ms = MODEL_DEADLINE_MS,
			 .pool = {.kind = POOL_BLOB,
				  .blob = m->weights,
				  .bytes = (uint64_t)m->weights_bytes}};
	c->phases.v = ARENA_NEW(a, char *);
	c->phases.v[0] = arena_printf(a, "%s_run", m->name);
	c->phases.n = 1;
	p->batch.candidates.v = c;
	p->batch.candidates.n = 1;
	p->batch.threads = (uint32_t)threads;
	p->batch.measure = (MeasureSpec){.mode = MEASURE_HOT,
					 .warmup = PROCESS_WARMUP,
					 .min_runs = PROCESS_RUNS,
					 .max_runs = PROCESS_RUNS_MAX,
					 .min_time_ns = PROCESS_NS,
					 .max_time_ns = PROCESS_NS_MAX,
					 .fetch = true};
	return p;
}

static bool
same_tensors(const BaselineModel *x, const BaselineModel *y)
{
	if (x->in.n != y->in.n || x->out.n != y->out.n)
		return false;
	for (int i = 0; i < x->in.n; i++)
		if (x->in.v[i].type != y->in.v[i].type || x->in.v[i].bytes != y->in.v[i].bytes)
			return false;
	for (int i = 0; i < x->out.n; i++)
		if (x->out.v[i].type != y->out.v[i].type || x->out.v[i].bytes != y->out.v[i].bytes)
			return false;
	return true;
}

/* The weights that the baseline's plan and schedules give, in a; NULL with the reason. */
static const void *
make_weights_again(const Suite *s, const Baseline *b, Arena *a, const char **why)
{
	const BaselineBlob *plan = baseline_blob(b, &b->plan);
	CompileSched *sched = ARENA_ARRAY(a, CompileSched, b->kernel.n + 1);
	CompileFixed fixed = {arena_printf(a, "%.*s", (int)plan->size, (const char *)plan->data),
			      sched, b->kernel.n};
	CompileOptions opt = *s->opt;
	Bundle bundle;
	Digest d;
	Err own = {0};

	for (int i = 0; i < b->kernel.n; i++)
		sched[i] = (CompileSched){b->kernel.v[i].task, b->kernel.v[i].form,
					  b->kernel.v[i].sched};
	opt.fixed = &fixed;
	opt.log = NULL;
	opt.scalar = false;
	opt.dump = 0;
	opt.dumped = NULL;
	if (compile(s->graph, a, &opt, &bundle, &own)) {
		*why = arena_printf(a, "its weights cannot be made again: %s", own.msg);
		return NULL;
	}
	d = digest_of(bundle.weights, bundle.weights_bytes);
	if (digest_equal(&d, &b->model.weights))
		return bundle.weights;
	*why = "the model has other weights than when the baseline was set, or they are packed "
	       "otherwise";
	return NULL;
}

int
suite_old_model(const Suite *s, const Baseline *b, Arena *a, Parcel **out, const char **why)
{
	const BaselineBlob *image = baseline_blob(b, &b->model.image);
	const void *weights;

	if (!same_tensors(&b->model, &s->as_model)) {
		*why = "the model has other inputs or outputs than when the baseline was set";
		return NOT_APPLICABLE;
	}
	weights = make_weights_again(s, b, a, why);
	if (!weights)
		return NOT_APPLICABLE;
	*out = suite_model_parcel(&b->model, image->data, image->size, weights, s->bundle.threads);
	return OK;
}
