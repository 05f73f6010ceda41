/* Where the buffers of a Plan lie: inputs and outputs one after another in the mutable region;
 * temporaries and scratch in the activations, over each other where they are not needed at the same
 * time. A view lies where the buffer it shows lies. */
#include "deploy/compiler.h"

static size_t
aligned(size_t bytes)
{
	return (bytes + BUNDLE_ALIGN - 1) / BUNDLE_ALIGN * BUNDLE_ALIGN;
}

static BundleTensor
next_tensor(Compiler *c, int buffer)
{
	const Buffer *x = &c->plan->buffer.v[buffer];
	const Value *v = &c->g->value.v[x->value];
	BundleTensor t = {.name = arena_strdup(c->a, v->name),
			  .type = v->type,
			  .rank = v->rank,
			  .offset = c->b->mutable_bytes,
			  .bytes = x->bytes};

	for (int d = 0; d < v->rank; d++)
		t.dim[d] = v->dim[d];
	c->b->mutable_bytes += aligned(x->bytes);
	return t;
}

static void
place_tensors(Compiler *c)
{
	const Graph *g = c->g;
	Bundle *b = c->b;

	b->ninput = g->input.n;
	b->noutput = g->output.n;
	b->input = ARENA_ARRAY(c->a, BundleTensor, g->input.n + 1);
	b->output = ARENA_ARRAY(c->a, BundleTensor, g->output.n + 1);
	for (int i = 0; i < g->input.n; i++) {
		b->input[i] = next_tensor(c, c->plan->input[i]);
		c->buffer[c->plan->input[i]] = (Place){REGION_INPUT, i, 0};
	}
	for (int i = 0; i < g->output.n; i++) {
		b->output[i] = next_tensor(c, c->plan->output[i]);
		c->buffer[c->plan->output[i]] = (Place){REGION_OUTPUT, i, 0};
	}
	if (!b->mutable_bytes)
		b->mutable_bytes = BUNDLE_ALIGN;
}

KCall
node_call(const Graph *g, const Node *n, Arena *a)
{
	KTensor *t = ARENA_ARRAY(a, KTensor, n->nin + n->nout + 1);
	KCall call = {.nin = n->nin,
		      .nout = n->nout,
		      .nattr = n->nattr,
		      .in = t,
		      .out = t + n->nin,
		      .attr = n->attr};

	for (int i = 0; i < n->nin + n->nout; i++) {
		int v = i < n->nin ? n->in[i] : n->out[i - n->nin];

		if (v == NO_VALUE)
			continue;
		t[i].type = (int32_t)g->value.v[v].type;
		t[i].rank = g->value.v[v].rank;
		for (int d = 0; d < t[i].rank; d++)
			t[i].dim[d] = g->value.v[v].dim[d];
	}
	return call;
}

static size_t
scratch_bytes(const Compiler *c, const Step *s)
{
	if (s->kind == STEP_TASK) {
		return (size_t)c->choice[s->task].low.loop->scratch_bytes;
	} else {
		const Node *n = &c->g->node.v[s->node.v[0]];
		KCall call = node_call(c->g, n, c->a);

		return (size_t)kernel_scratch(n->op, &call);
	}
}

/* Items 0..buffers: the temporaries, empty for the rest; then the scratch of each step. */
static MemoryItem *
collect_items(const Compiler *c, const BufferLife *life)
{
	const Plan *p = c->plan;
	MemoryItem *item = ARENA_ARRAY(c->a, MemoryItem, p->buffer.n + p->step.n + 1);

	for (int i = 0; i < p->buffer.n; i++)
		item[i] = (MemoryItem){life[i].bytes, life[i].first, life[i].last, 0};
	for (int s = 0; s < p->step.n; s++)
		item[p->buffer.n + s] = (MemoryItem){scratch_bytes(c, &p->step.v[s]), s, s, 0};
	return item;
}

void
place_buffers(Compiler *c)
{
	const Plan *p = c->plan;
	const BufferLife *life = plan_lives(p, c->a, c->opt->keep);
	MemoryItem *item = collect_items(c, life);
	int n = p->buffer.n + p->step.n;
	MemoryPlan memory = memory_plan(item, n, c->a);

	c->buffer = ARENA_ARRAY(c->a, Place, p->buffer.n + 1);
	c->scratch = ARENA_ARRAY(c->a, Place, p->step.n + 1);
	place_tensors(c);
	for (int i = 0; i < p->buffer.n; i++)
		if (buffer_is_temporary(&p->buffer.v[i]))
			c->buffer[i] = (Place){REGION_ACTIVATIONS, 0, item[life[i].lies_in].offset};
	for (int i = 0; i < p->buffer.n; i++)
		c->buffer[i] = c->buffer[plan_root(p, i)];
	for (int i = 0; i < p->step.n; i++)
		if (item[p->buffer.n + i].bytes)
			c->scratch[i] =
				(Place){REGION_ACTIVATIONS, 0, item[p->buffer.n + i].offset};
	c->b->activations_bytes = memory.bytes ? memory.bytes : BUNDLE_ALIGN;
	c->b->activations_bound = memory.bytes ? memory.bound : BUNDLE_ALIGN;
	if (compile_dumps(c, COMPILE_DUMP_memory))
		memory_print(item, n, &memory, c->opt->dumped);
}

int
check_memory(const Compiler *c, Err *e)
{
	size_t bytes = c->b->mutable_bytes + c->b->activations_bytes;

	if (!c->opt->memory || bytes <= c->opt->memory)
		return OK;
	return err_set(e, ERR_UNSUPPORTED,
		       "inputs, outputs and activations take %zu bytes, there are %zu", bytes,
		       c->opt->memory);
}
