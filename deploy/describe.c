/* What a bundle says about itself: a line per kernel for manifest and report, and where layers lie.
 */
#include <string.h>

#include "deploy/compiler.h"
#include "graph/stages.h"

/* A reference kernel's step of work: no measurement stands behind it. */
#define EXTERN_NS_PER_STEP 1.0

static const char *
operators(const Compiler *c, const Step *s)
{
	Str text = {0};
	char *out;

	for (int i = 0; i < s->node.n && i < 6; i++)
		str_printf(&text, "%s%s", i ? "+" : "",
			   op_info(c->g->node.v[s->node.v[i]].op)->name);
	if (s->node.n > 6)
		str_add(&text, "+...");
	out = arena_strdup(c->a, s->node.n ? str_get(&text) : "copy");
	str_fini(&text);
	return out;
}

static const char *
step_name(const Compiler *c, const Step *s)
{
	if (s->node.n)
		return arena_strdup(c->a, c->g->node.v[s->node.v[0]].name);
	return arena_printf(c->a, "copy of %s",
			    c->g->value.v[c->plan->buffer.v[s->in.v[0]].value].name);
}

static BundleKernel
task_kernel(const Compiler *c, const Step *s)
{
	const PlanTask *t = &c->plan->task.v[s->task];
	const Choice *x = &c->choice[s->task];

	return (BundleKernel){.name = step_name(c, s),
			      .ops = operators(c, s),
			      .task = arena_digest(c->a, &t->task_key),
			      .form = arena_digest(c->a, &t->form_key),
			      .algorithm = arena_strdup(c->a, x->low.sched.rewrite),
			      .sched = x->low.text,
			      .grade = x->grade,
			      .note = x->note,
			      .expected_ns = x->expected_ns,
			      .flops = task_flops(t->task),
			      .bytes = task_bytes(t->task),
			      .uses = t->uses};
}

static BundleKernel
extern_kernel(const Compiler *c, const Step *s)
{
	const Node *n = &c->g->node.v[s->node.v[0]];
	const char *op = op_info(n->op)->name;
	double work = (double)graph_node_work(c->g, n);
	BundleKernel k = {.name = step_name(c, s),
			  .ops = op,
			  .task = "",
			  .form = "",
			  .algorithm = "extern",
			  .grade = "estimate",
			  .note = "",
			  .expected_ns = work * EXTERN_NS_PER_STEP,
			  .flops = work,
			  .uses = 1};

	k.sched = arena_printf(c->a, "%s%s has a reference kernel only", op,
			       stage_builder(n->op) ? " of these types or attributes" : "");
	return k;
}

static void
add_kernels(Compiler *c)
{
	const Plan *p = c->plan;
	bool *seen = ARENA_ARRAY(c->a, bool, p->task.n + 1);

	c->b->kernel = ARENA_ARRAY(c->a, BundleKernel, p->step.n + 1);
	for (int i = 0; i < p->step.n; i++) {
		const Step *s = &p->step.v[i];

		if (s->kind == STEP_EXTERN) {
			c->b->kernel[c->b->nkernel++] = extern_kernel(c, s);
		} else if (!seen[s->task]) {
			seen[s->task] = true;
			c->b->kernel[c->b->nkernel++] = task_kernel(c, s);
		}
	}
}

static void
add_layer(Compiler *c, const Step *s, int buffer)
{
	const Place *at = &c->buffer[buffer];
	const Buffer *x = &c->plan->buffer.v[buffer];

	c->b->layer[c->b->nlayer++] = (BundleLayer){
		.name = step_name(c, s),
		.value = x->value,
		.form = x->form,
		.output = at->region == REGION_OUTPUT ? at->index : -1,
		.offset = at->offset,
	};
}

static void
add_layers(Compiler *c)
{
	const Plan *p = c->plan;

	c->b->layer = ARENA_ARRAY(c->a, BundleLayer, p->buffer.n + 1);
	for (int i = 0; i < p->step.n; i++)
		for (int k = 0; k < p->step.v[i].out.n; k++)
			if (p->step.v[i].out.v[k] >= 0)
				add_layer(c, &p->step.v[i], p->step.v[i].out.v[k]);
}

void
describe_bundle(Compiler *c)
{
	add_kernels(c);
	if (c->opt->keep)
		add_layers(c);
}

/* The elements of a stored tensor in row-major order. */
static void *
unpack(const Form *f, const Value *v, const unsigned char *from, Arena *a)
{
	Layout l = form_layout(f, v->dim, v->type, 0);
	size_t size = dtype_size(v->type);
	unsigned char *to = arena_alloc64(a, value_bytes(v));
	int64_t ix[KERNEL_RANK_MAX] = {0}, n = value_count(v);

	for (int64_t i = 0; i < n; i++) {
		memcpy(to + (size_t)i * size, from + (size_t)layout_at(&l, ix) * size, size);
		for (int d = v->rank - 1; d >= 0 && ++ix[d] == v->dim[d]; d--)
			ix[d] = 0;
	}
	return to;
}

void *
bundle_layer(const Bundle *b, int i, void *const *output, const void *activations, const Graph *g,
	     Arena *a)
{
	const BundleLayer *l = &b->layer[i];
	const unsigned char *from = l->output < 0 ? activations : output[l->output];

	return unpack(&l->form, &g->value.v[l->value], from + l->offset, a);
}
