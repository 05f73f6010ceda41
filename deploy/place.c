/* Where the buffers of a Plan lie: inputs and outputs one after another in the mutable region;
 * temporaries and scratch in the activations, over each other where they are not needed at the same
 * time. A view lies where the buffer it shows lies, and what a step makes of an input that nobody
 * needs any more lies where that was, when the Task allows it. */
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

static int
root_of(const Plan *p, int buffer)
{
	while (p->buffer.v[buffer].view_of >= 0)
		buffer = p->buffer.v[buffer].view_of;
	return buffer;
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

/* Lifetimes of the buffers, and then the scratch of each step. */
typedef struct Lives {
	MemoryItem *item; /* empty for what is not an own temporary */
	int *lies_in;     /* per buffer: the one whose memory it has; itself for most */
} Lives;

static void
touch(const Compiler *c, Lives *l, int buffer, int step)
{
	MemoryItem *x;

	if (buffer < 0)
		return;
	x = &l->item[root_of(c->plan, buffer)];
	if (step < x->first)
		x->first = step;
	if (step > x->last)
		x->last = step;
}

static bool
is_own_temporary(const Buffer *x)
{
	return x->kind == BUFFER_TEMPORARY && x->view_of < 0;
}

/* How many of the step's inputs show the buffer's memory. */
static int
readers(const Plan *p, const Step *s, int buffer)
{
	int n = 0;

	for (int i = 0; i < s->in.n; i++)
		n += s->in.v[i] >= 0 && root_of(p, s->in.v[i]) == buffer;
	return n;
}

/* Number of the Task's k-th tensor of a kind. */
static int
tensor_of_kind(const Task *t, TensorKind kind, int k)
{
	for (int i = 0; i < t->tensor.n; i++)
		if (t->tensor.v[i].kind == kind && !k--)
			return i;
	return TASK_NONE;
}

/* Output k of step s takes the memory of input i, when that ends with the step and it begins. */
static bool
overwrite(const Compiler *c, Lives *l, int step, int i, int k)
{
	const Step *s = &c->plan->step.v[step];
	const PlanTask *t = &c->plan->task.v[s->task];
	int in = s->in.v[i], out = s->out.v[k], root = l->lies_in[in];

	if (!is_own_temporary(&c->plan->buffer.v[in]) ||
	    !is_own_temporary(&c->plan->buffer.v[out]) || l->lies_in[out] != out ||
	    l->item[root].last != step || l->item[out].first != step ||
	    readers(c->plan, s, in) > 1 ||
	    !task_may_overwrite(t->task, &t->form, tensor_of_kind(t->task, TENSOR_IN, i),
				tensor_of_kind(t->task, TENSOR_OUT, k)))
		return false;
	l->lies_in[out] = root;
	l->item[root].last = l->item[out].last;
	l->item[out].bytes = 0;
	return true;
}

static void
overwrite_inputs(const Compiler *c, Lives *l)
{
	for (int step = 0; step < c->plan->step.n; step++) {
		const Step *s = &c->plan->step.v[step];

		for (int k = 0; s->kind == STEP_TASK && k < s->out.n; k++)
			for (int i = 0; i < s->in.n; i++)
				if (overwrite(c, l, step, i, k))
					break;
	}
}

/* Items 0..buffers: the temporaries, empty for the rest; then the scratch of each step. */
static Lives
collect_lives(Compiler *c)
{
	const Plan *p = c->plan;
	Lives l = {ARENA_ARRAY(c->a, MemoryItem, p->buffer.n + p->step.n + 1),
		   ARENA_ARRAY(c->a, int, p->buffer.n + 1)};

	for (int i = 0; i < p->buffer.n; i++) {
		l.item[i].bytes = is_own_temporary(&p->buffer.v[i]) ? p->buffer.v[i].bytes : 0;
		l.item[i].first = p->step.n;
		l.item[i].last = -1;
		l.lies_in[i] = i;
	}
	for (int s = 0; s < p->step.n; s++) {
		const Step *x = &p->step.v[s];

		for (int i = 0; i < x->in.n; i++)
			touch(c, &l, x->in.v[i], s);
		for (int i = 0; i < x->out.n; i++)
			touch(c, &l, x->out.v[i], s);
		l.item[p->buffer.n + s] = (MemoryItem){scratch_bytes(c, x), s, s, 0};
	}
	for (int i = 0; c->opt->keep && i < p->buffer.n; i++)
		if (l.item[i].last >= 0)
			l.item[i].last = p->step.n;
	overwrite_inputs(c, &l);
	return l;
}

void
place_buffers(Compiler *c)
{
	const Plan *p = c->plan;
	Lives l = collect_lives(c);
	MemoryItem *item = l.item;
	int n = p->buffer.n + p->step.n;
	MemoryPlan memory = memory_plan(item, n, c->a);

	c->buffer = ARENA_ARRAY(c->a, Place, p->buffer.n + 1);
	c->scratch = ARENA_ARRAY(c->a, Place, p->step.n + 1);
	place_tensors(c);
	for (int i = 0; i < p->buffer.n; i++)
		if (is_own_temporary(&p->buffer.v[i]))
			c->buffer[i] = (Place){REGION_ACTIVATIONS, 0, item[l.lies_in[i]].offset};
	for (int i = 0; i < p->buffer.n; i++)
		c->buffer[i] = c->buffer[root_of(p, i)];
	for (int i = 0; i < p->step.n; i++)
		if (item[p->buffer.n + i].bytes)
			c->scratch[i] =
				(Place){REGION_ACTIVATIONS, 0, item[p->buffer.n + i].offset};
	c->b->activations_bytes = memory.bytes ? memory.bytes : BUNDLE_ALIGN;
	c->b->activations_bound = memory.bytes ? memory.bound : BUNDLE_ALIGN;
	if (compile_dumps(c, COMPILE_DUMP_memory))
		memory_print(item, n, &memory, c->opt->dumped);
}
