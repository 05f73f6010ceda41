/* The new side: compiles the model, and each kernel once more as the one candidate of a parcel. */
#include "regress/suite.h"

#include <limits.h>
#include <string.h>

#include "codegen/link.h"

/* --- names --- */

static const char *
bundle_name_of(const Bundle *b, const Digest *task, const Digest *form)
{
	char t[DIGEST_TEXT], f[DIGEST_TEXT];

	digest_print(task, t);
	digest_print(form, f);
	for (int i = 0; i < b->nkernel; i++)
		if (!strcmp(b->kernel[i].task, t) && !strcmp(b->kernel[i].form, f))
			return b->kernel[i].name;
	return "";
}

/* Unique among those before it, and not that of the whole. */
static const char *
unique_name(const Suite *s, int k, const char *name)
{
	const char *out = *name ? name : "unnamed";

	for (int n = 2, i = -1; i < k; i++)
		if (!strcmp(i < 0 ? SUITE_MODEL : s->kernel[i].name, out)) {
			out = arena_printf(s->arena, "%s#%d", *name ? name : "unnamed", n++);
			i = -2;
		}
	return out;
}

/* --- kernels --- */

static ParcelSpec
spec_of(Suite *s, SuiteKernel *k, ObjectCache *object)
{
	return (ParcelSpec){.problem = &k->problem,
			    .emit = s->emit,
			    .object = object,
			    .text = &k->sched,
			    .n = 1,
			    .final = true,
			    .spills = INT_MAX,
			    .measure = {.mode = MEASURE_COLD,
					.warmup = PROCESS_WARMUP,
					.min_runs = PROCESS_RUNS,
					.max_runs = PROCESS_RUNS_MAX,
					.min_time_ns = PROCESS_NS,
					.max_time_ns = PROCESS_NS_MAX},
			    .deadline_ms = PROCESS_DEADLINE_MS};
}

static void
capture(Suite *s, SuiteKernel *k)
{
	const Batch *b = &k->parcel->batch;
	const Candidate *c = &b->candidates.v[0];
	BaselineCall *x = &k->call;
	Arena *a = s->arena;

	*x = (BaselineCall){.image = b->image,
			    .scratch = (int64_t)c->scratch_bytes,
			    .chunks = c->chunks,
			    .pool = (int64_t)c->pool.bytes};
	if (c->pool.bytes)
		x->pack = c->pool.inline_.n ? digest_of(c->pool.inline_.v, c->pool.inline_.n)
					    : c->pool.blob;
	for (uint32_t i = 0; i < c->phases.n; i++)
		vec_push(a, &x->phase, c->phases.v[i]);
	for (uint32_t i = 0; i < c->prepare.n; i++)
		vec_push(a, &x->prepare, c->prepare.v[i]);
	for (uint32_t i = 0; i < c->derived.n; i++)
		vec_push(a, &x->derived, (int64_t)c->derived.v[i]);
	for (int i = 0; i < k->problem.literal.n; i++)
		vec_push(a, &x->literal,
			 ((BaselineLiteral){k->problem.literal.v[i].type,
					    k->problem.literal.v[i].contents.digest}));
}

/* A kernel that no device takes has a reason instead of a parcel. */
static int
build_kernel(Suite *s, SuiteKernel *k, Err *e)
{
	ObjectCache object = {.arena = s->arena};
	ParcelSpec spec = spec_of(s, k, &object);
	Err own = {0};
	int rc = problem_build(s->arena, k->task->task, &k->task->form, &k->problem, &own);

	if (rc) {
		k->why = arena_strdup(s->arena, own.msg);
		return rc == ERR_UNSUPPORTED ? OK : err_set(e, rc, "%s: %s", k->name, own.msg);
	}
	problem_extend(&k->problem);
	if ((rc = parcel_build(&spec, &k->parcel, e)))
		return rc;
	if (!parcel_complete(k->parcel)) {
		capture(s, k);
		return OK;
	}
	k->why = arena_strdup(s->arena, k->parcel->item[0].result.reason);
	parcel_free(k->parcel);
	k->parcel = NULL;
	return OK;
}

static int
build_kernels(Suite *s, const Chosen *c, Err *e)
{
	int rc = OK;

	s->kernel = ARENA_ARRAY(s->arena, SuiteKernel, c->plan->task.n + 1);
	for (int i = 0; i < c->plan->task.n && !rc; i++) {
		SuiteKernel *k = &s->kernel[i];
		const PlanTask *t = &c->plan->task.v[i];
		const char *name = bundle_name_of(&s->bundle, &t->task_key, &t->form_key);

		*k = (SuiteKernel){.task = t,
				   .name = unique_name(s, i, name),
				   .sched = c->choice[i].low.text,
				   .algorithm = c->choice[i].low.sched.rewrite,
				   .grade = c->choice[i].grade,
				   .slack = c->choice[i].low.slack,
				   .why = ""};
		s->nkernel++;
		rc = build_kernel(s, k, e);
	}
	return rc;
}

int
suite_delayed(Suite *s, int k, const Code *delay, Parcel **out, Err *e)
{
	ObjectCache object = {.arena = s->arena};
	ParcelSpec spec = spec_of(s, &s->kernel[k], &object);

	spec.before = delay;
	return parcel_build(&spec, out, e);
}

/* --- the model --- */

static BaselineModel
describe_model(const Suite *s, const void *image, size_t bytes)
{
	const Bundle *b = &s->bundle;
	BaselineModel m = {.name = b->name,
			   .image = digest_of(image, bytes),
			   .weights = digest_of(b->weights, b->weights_bytes),
			   .weights_bytes = (int64_t)b->weights_bytes,
			   .scratch = (int64_t)b->activations_bytes};

	for (int i = 0; i < b->ninput; i++)
		vec_push(s->arena, &m.in,
			 ((BaselineTensor){b->input[i].type, (int64_t)b->input[i].bytes}));
	for (int i = 0; i < b->noutput; i++)
		vec_push(s->arena, &m.out,
			 ((BaselineTensor){b->output[i].type, (int64_t)b->output[i].bytes}));
	return m;
}

static int
build_model(Suite *s, Err *e)
{
	LinkInput in = {s->bundle.object, s->bundle.object_bytes};
	const void *image;
	size_t bytes;
	int rc = link_objects(&in, 1, LINK_IMAGE, s->arena, &image, &bytes, e);

	if (rc)
		return rc;
	s->as_model = describe_model(s, image, bytes);
	s->model = suite_model_parcel(&s->as_model, image, bytes, s->bundle.weights,
				      s->bundle.threads);
	return OK;
}

int
suite_open(const Graph *g, const CompileOptions *opt, Suite *s, Err *e)
{
	Chosen chosen;
	int rc;

	*s = (Suite){.arena = arena_new(), .graph = g, .opt = opt};
	if ((rc = compile_chosen(g, s->arena, opt, &s->bundle, &chosen, e)))
		return rc;
	s->plan = plan_text(chosen.plan, s->arena);
	if ((rc = emit_open("llvm", opt->target, &s->emit, e)) ||
	    (rc = build_kernels(s, &chosen, e)))
		return rc;
	return build_model(s, e);
}

void
suite_close(Suite *s)
{
	for (int i = 0; i < s->nkernel; i++)
		parcel_free(s->kernel[i].parcel);
	parcel_free(s->model);
	emit_close(s->emit);
	arena_free(s->arena);
	*s = (Suite){0};
}
