/* The second spine: Graph -> Plan -> a Sched per Task, lowered -> code -> constants -> memory ->
 * the function that calls it all -> one object. What the log or the model decided is described
 * last.
 */
#include "deploy/compile.h"

#include <string.h>

#include "base/hardware.h"
#include "codegen/link.h"
#include "deploy/compiler.h"

/* This machine as the Target, and as the device whose rows of the log count most. */
static int
target_here(Compiler *c, Err *e)
{
	DeviceInfo here;
	int rc = hardware_read("", -1, &here, e);

	if (!rc)
		rc = target_of_device(&here, &c->target, e);
	if (!rc && !c->key.device)
		c->key.device = arena_strdup(c->a, here.cpu);
	device_fini(&here);
	return rc;
}

static int
open_target(Compiler *c, Err *e)
{
	Digest d = graph_digest(c->g);
	Str key = {0};
	int rc = OK;

	c->key = c->opt->key;
	if (!c->key.tolerance)
		c->key.tolerance = tolerance_name(c->opt->tolerance);
	if (c->opt->target)
		c->target = *c->opt->target;
	else
		rc = target_here(c, e);
	c->b->threads = c->opt->threads > 1 ? c->opt->threads : 1;
	c->target.threads = c->b->threads;
	if (!rc)
		rc = emit_open("llvm", &c->target, &c->emit, e);
	if (rc)
		return rc;
	if (!c->key.threads)
		c->key.threads = arena_printf(c->a, "%d", c->b->threads);
	target_key(&c->target, &key);
	c->b->target = c->key.target = arena_strdup(c->a, str_get(&key));
	str_fini(&key);
	c->b->graph = arena_digest(c->a, &d);
	c->b->name = bundle_identifier(c->a, c->opt->name ? c->opt->name : c->g->name);
	c->b->version = HONE_VERSION;
	c->b->generator = emit_version(c->emit);
	c->b->keep = c->opt->keep;
	return OK;
}

static void
dump_task(const Compiler *c, int i, CompileDump stage)
{
	const PlanTask *t = &c->plan->task.v[i];
	Str *out = c->opt->dumped;
	char key[DIGEST_TEXT];
	Err ignored = {0};

	digest_print(&t->task_key, key);
	str_printf(out, "# task %s, %d uses\n", key, t->uses);
	if (stage == COMPILE_DUMP_tasks) {
		task_print(t->task, out);
		task_form_print(t->task, &t->form, out);
	} else if (stage == COMPILE_DUMP_sched) {
		str_add(out, c->choice[i].low.text);
	} else if (stage == COMPILE_DUMP_loop) {
		loop_print(c->choice[i].low.loop, out);
	} else if (emit_print(c->emit, c->choice[i].low.loop, "kernel", out, &ignored)) {
		str_printf(out, "%s\n", ignored.msg);
	}
}

/* Shows the stages from first to last, as far as they were asked for. */
static void
dump(const Compiler *c, CompileDump first, CompileDump last)
{
	for (CompileDump s = first; s <= last; s++) {
		if (!compile_dumps(c, s))
			continue;
		if (s == COMPILE_DUMP_graph)
			graph_print(c->g, c->opt->dumped);
		else if (s == COMPILE_DUMP_plan)
			plan_print(c->plan, c->opt->dumped);
		else if (s == COMPILE_DUMP_model)
			model_print(&c->model, c->opt->dumped);
		else
			for (int i = 0; i < c->plan->task.n; i++)
				dump_task(c, i, s);
	}
}

const char *
task_symbol(const Compiler *c, int task)
{
	return arena_printf(c->a, "%s_k%d", c->b->name, task);
}

static int
emit_kernels(Compiler *c, Err *e)
{
	int rc = OK;

	for (int i = 0; i < c->plan->task.n && !rc; i++)
		if (!c->code[i].bytes)
			rc = emit(c->emit, c->choice[i].low.loop, task_symbol(c, i), c->a,
				  &c->code[i], e);
	return rc;
}

static Place
operand(const Compiler *c, int buffer, int value)
{
	if (buffer >= 0)
		return c->buffer[buffer];
	return value == NO_VALUE ? (Place){0} : c->constant[value];
}

static ModelStep
model_step(const Compiler *c, int i)
{
	const Step *s = &c->plan->step.v[i];
	const Node *n = s->kind == STEP_EXTERN ? &c->g->node.v[s->node.v[0]] : NULL;
	Place *in = ARENA_ARRAY(c->a, Place, s->in.n + 1);
	Place *out = ARENA_ARRAY(c->a, Place, s->out.n + 1);
	ModelStep m = {.node = n,
		       .nin = n ? s->in.n : s->in.n + 1,
		       .nout = s->out.n,
		       .in = in,
		       .out = out,
		       .scratch = c->scratch[i]};

	for (int k = 0; k < s->in.n; k++)
		in[k] = operand(c, s->in.v[k], n ? n->in[k] : NO_VALUE);
	for (int k = 0; k < s->out.n; k++)
		out[k] = operand(c, s->out.v[k], NO_VALUE);
	if (!n) {
		in[s->in.n] = c->pool[i];
		m.chunks = c->choice[s->task].low.loop->threads;
		m.nphase = c->code[s->task].nsymbol;
		m.phase = c->code[s->task].symbol;
	}
	return m;
}

static void
assemble_model(Compiler *c)
{
	Bundle *b = c->b;
	size_t *input = ARENA_ARRAY(c->a, size_t, b->ninput + 1);
	size_t *output = ARENA_ARRAY(c->a, size_t, b->noutput + 1);

	for (int i = 0; i < b->ninput; i++)
		input[i] = b->input[i].offset;
	for (int i = 0; i < b->noutput; i++)
		output[i] = b->output[i].offset;
	c->model = (ModelCalls){.name = b->name,
				.g = c->g,
				.ninput = b->ninput,
				.noutput = b->noutput,
				.input = input,
				.output = output,
				.weights_bytes = b->weights_bytes,
				.weights_hash = b->weights_hash,
				.threads = b->threads,
				.keep = b->keep};
	for (int i = 0; i < c->plan->step.n; i++)
		vec_push(c->a, &c->model.step, model_step(c, i));
}

static int
link_bundle(Compiler *c, Err *e)
{
	int n = c->plan->task.n, rc;
	LinkInput *in = ARENA_ARRAY(c->a, LinkInput, n + 1);
	Code model;

	if ((rc = emit_model(c->emit, &c->model, c->a, &model, e)))
		return rc;
	for (int i = 0; i < n; i++)
		in[i] = (LinkInput){c->code[i].bytes, c->code[i].size};
	in[n] = (LinkInput){model.bytes, model.size};
	return link_objects(in, n + 1, LINK_OBJECT, c->a, &c->b->object, &c->b->object_bytes, e);
}

static int
run_stages(Compiler *c, Err *e)
{
	int rc;

	if ((rc = open_target(c, e)))
		return rc;
	dump(c, COMPILE_DUMP_graph, COMPILE_DUMP_graph);
	if ((rc = choose_plan(c, e)))
		return rc;
	dump(c, COMPILE_DUMP_plan, COMPILE_DUMP_tasks);
	if ((rc = choose_scheds(c, e)))
		return rc;
	dump(c, COMPILE_DUMP_sched, COMPILE_DUMP_code);
	if ((rc = emit_kernels(c, e)) || (rc = make_weights(c, e)))
		return rc;
	place_buffers(c);
	if ((rc = check_memory(c, e)))
		return rc;
	assemble_model(c);
	dump(c, COMPILE_DUMP_model, COMPILE_DUMP_model);
	if ((rc = link_bundle(c, e)))
		return rc;
	describe_bundle(c);
	return OK;
}

int
compile_chosen(const Graph *g, Arena *a, const CompileOptions *opt, Bundle *out, Chosen *chosen,
	       Err *e)
{
	static const CompileOptions none;
	Compiler c = {.g = g, .opt = opt ? opt : &none, .a = a, .b = out};
	int rc;

	*out = (Bundle){0};
	rc = run_stages(&c, e);
	emit_close(c.emit);
	*chosen = (Chosen){c.plan, c.choice};
	return rc;
}

int
compile(const Graph *g, Arena *a, const CompileOptions *opt, Bundle *out, Err *e)
{
	Chosen unused;

	return compile_chosen(g, a, opt, out, &unused, e);
}
