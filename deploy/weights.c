/* The weights region: pools of constants in the order the kernels read them, and row-major
 * constants that reference kernels read. Two steps that use one Task with the same constants share
 * a pool. */
#include <string.h>

#include "deploy/compiler.h"

typedef struct Weights {
	Compiler *c;
	Emit *host; /* for this machine: runs stages over constants; NULL until needed */
	size_t bytes;
	unsigned char *data;
} Weights;

static Place
reserve(Weights *w, size_t bytes)
{
	Place p = {REGION_WEIGHTS, 0, w->bytes};

	w->bytes += (bytes + BUNDLE_ALIGN - 1) / BUNDLE_ALIGN * BUNDLE_ALIGN;
	return p;
}

/* The earlier step with the same Task and constants as step i; i when there is none. */
static int
first_like(const Plan *p, int i)
{
	const Step *s = &p->step.v[i];

	for (int k = 0; k < i; k++) {
		const Step *x = &p->step.v[k];

		if (x->kind == STEP_TASK && x->task == s->task && x->constant.n == s->constant.n &&
		    (!s->constant.n || !memcmp(x->constant.v, s->constant.v,
					       (size_t)s->constant.n * sizeof *s->constant.v)))
			return k;
	}
	return i;
}

static void
lay_out(Weights *w)
{
	Compiler *c = w->c;

	for (int i = 0; i < c->plan->step.n; i++) {
		const Step *s = &c->plan->step.v[i];
		const Node *n = s->kind == STEP_EXTERN ? &c->g->node.v[s->node.v[0]] : NULL;

		if (!n) {
			int k = first_like(c->plan, i);
			const Loop *l = c->choice[s->task].low.loop;

			c->pool[i] = k < i ? c->pool[k] : reserve(w, (size_t)l->pool_bytes);
			continue;
		}
		for (int k = 0; k < n->nin; k++) {
			const Value *v = n->in[k] == NO_VALUE ? NULL : &c->g->value.v[n->in[k]];

			if (v && v->is_const && c->constant[n->in[k]].region == REGION_NONE)
				c->constant[n->in[k]] = reserve(w, value_bytes(v));
		}
	}
	if (!w->bytes)
		w->bytes = BUNDLE_ALIGN; /* no region is empty */
}

static bool
has_constant_stages(const Task *t)
{
	for (int s = 0; s < t->stage.n; s++)
		if (stage_is_const(t, s))
			return true;
	return false;
}

static int
open_host(Weights *w, Err *e)
{
	Target t;
	int rc = target_host(&t, e);

	return rc ? rc : emit_open("llvm", &t, &w->host, e);
}

static int
fill_pool(Weights *w, int step, Arena *tmp, Err *e)
{
	const Step *s = &w->c->plan->step.v[step];
	const Lowered *l = &w->c->choice[s->task].low;
	const void **given = ARENA_ARRAY(tmp, const void *, s->constant.n + 1);
	void *pool;
	int rc = OK;

	for (int i = 0; i < s->constant.n; i++)
		given[i] = w->c->g->value.v[s->constant.v[i]].data;
	if (!w->host && has_constant_stages(l->task))
		rc = open_host(w, e);
	if (!rc)
		rc = lowered_pool(tmp, l, w->host, given, &pool, e);
	if (!rc && l->loop->pool_bytes)
		memcpy(w->data + w->c->pool[step].offset, pool, (size_t)l->loop->pool_bytes);
	return rc;
}

static int
fill(Weights *w, Err *e)
{
	Compiler *c = w->c;
	Arena *tmp = arena_new();
	int rc = OK;

	for (int i = 0; i < c->plan->step.n && !rc; i++)
		if (c->plan->step.v[i].kind == STEP_TASK && first_like(c->plan, i) == i) {
			rc = fill_pool(w, i, tmp, e);
			arena_reset(tmp);
		}
	for (int v = 0; v < c->g->value.n; v++)
		if (c->constant[v].region != REGION_NONE && value_bytes(&c->g->value.v[v]))
			memcpy(w->data + c->constant[v].offset, c->g->value.v[v].data,
			       value_bytes(&c->g->value.v[v]));
	arena_free(tmp);
	return rc;
}

int
make_weights(Compiler *c, Err *e)
{
	Weights w = {.c = c};
	int rc;

	c->pool = ARENA_ARRAY(c->a, Place, c->plan->step.n + 1);
	c->constant = ARENA_ARRAY(c->a, Place, c->g->value.n + 1);
	lay_out(&w);
	w.data = arena_alloc64(c->a, w.bytes);
	rc = fill(&w, e);
	emit_close(w.host);
	c->b->weights = w.data;
	c->b->weights_bytes = w.bytes;
	c->b->weights_hash = model_hash(w.data, w.bytes);
	return rc;
}
