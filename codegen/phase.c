/* A body is walked in its order, a loop's body before the loop: so operands stay numbered below
 * their users. */
#include "codegen/phase.h"

typedef struct Copy {
	const Loop *from;
	Loop *to;
	int *node, *acc, *root, *seg; /* new numbers; of the last three plus 1, 0: none yet */
} Copy;

static int64_t
acc_of(Copy *c, int64_t x)
{
	if (!c->acc[x]) {
		vec_push(c->to->arena, &c->to->acc, c->from->acc.v[x]);
		c->acc[x] = c->to->acc.n;
	}
	return c->acc[x] - 1;
}

static int64_t
root_of(Copy *c, int64_t x)
{
	if (!c->root[x]) {
		vec_push(c->to->arena, &c->to->root, c->from->root.v[x]);
		c->root[x] = c->to->root.n;
	}
	return c->root[x] - 1;
}

static int32_t
seg_of(Copy *c, int32_t x)
{
	if (!c->seg[x]) {
		vec_push(c->to->arena, &c->to->seg, c->from->seg.v[x]);
		c->seg[x] = c->to->seg.n;
	}
	return c->seg[x] - 1;
}

static int copy_body(Copy *c, int body);

static void
copy_node(Copy *c, int x, int body)
{
	LoopNode n = c->from->node.v[x];
	bool segment = n.op == LOOP_SEG_STEP || n.op == LOOP_PREFETCH;
	int operand[3];

	loop_operands(&n, operand);
	n.body = body;
	n.a = operand[0] ? c->node[n.a] : n.a;
	n.b = operand[1] ? c->node[n.b] : n.b;
	n.c = operand[2] ? c->node[n.c] : segment ? seg_of(c, n.c) : n.c;
	if (n.op == LOOP_LOOP)
		n.k = copy_body(c, (int)n.k);
	else if (n.op == LOOP_ROOT)
		n.k = root_of(c, n.k);
	else if (n.op == LOOP_GET || n.op == LOOP_SET)
		n.k = acc_of(c, n.k);
	vec_push(c->to->arena, &c->to->node, n);
	c->node[x] = c->to->node.n - 1;
	vec_push(c->to->arena, &c->to->body.v[body], c->node[x]);
}

static int
copy_body(Copy *c, int body)
{
	int made = c->to->body.n;

	vec_push(c->to->arena, &c->to->body, (LoopBody){0});
	for (int i = 0; i < c->from->body.v[body].n; i++)
		copy_node(c, c->from->body.v[body].v[i], made);
	return made;
}

Loop *
loop_phase(Arena *a, const Loop *l, int phase)
{
	Copy c = {.from = l, .to = loop_new(a)};

	c.to->nin = l->nin;
	c.to->nout = l->nout;
	c.to->pool_bytes = l->pool_bytes;
	c.to->scratch_bytes = l->scratch_bytes;
	c.to->threads = l->threads;
	c.node = ARENA_ARRAY(a, int, l->node.n + 1);
	c.acc = ARENA_ARRAY(a, int, l->acc.n + 1);
	c.root = ARENA_ARRAY(a, int, l->root.n + 1);
	c.seg = ARENA_ARRAY(a, int, l->seg.n + 1);
	vec_push(a, &c.to->node, (LoopNode){0}); /* node 0: none */
	vec_push(a, &c.to->phase, copy_body(&c, l->phase.v[phase]));
	return c.to;
}

static void
add_numbers(DigestState *s, const int64_t *v, size_t bytes)
{
	digest_add(s, v, bytes);
}

/* Bodies follow from the nodes: those of one are in order, and a loop names its own. */
static void
add_nodes(DigestState *s, const Loop *l)
{
	for (int i = 1; i < l->node.n; i++) {
		const LoopNode *n = &l->node.v[i];
		int64_t v[] = {n->op | n->type << 8 | n->mem << 16,
			       n->lanes | n->valid << 16,
			       n->depth,
			       n->body,
			       n->a,
			       n->b,
			       n->c,
			       n->k,
			       n->k2};

		add_numbers(s, v, sizeof v);
		digest_add(s, &n->f, sizeof n->f);
	}
}

Digest
loop_digest(const Loop *l)
{
	int64_t head[] = {l->nin, l->threads, l->phase.n, l->node.n, l->acc.n, l->root.n, l->seg.n};
	DigestState s;

	digest_init(&s);
	add_numbers(&s, head, sizeof head);
	add_nodes(&s, l);
	for (int i = 0; i < l->acc.n; i++)
		add_numbers(&s, (int64_t[]){l->acc.v[i].type, l->acc.v[i].lanes},
			    2 * sizeof(int64_t));
	for (int i = 0; i < l->root.n; i++) {
		const Root *r = &l->root.v[i];

		add_numbers(&s, (int64_t[]){r->kind, r->arg, r->offset, r->stride},
			    4 * sizeof(int64_t));
	}
	for (int i = 0; i < l->seg.n; i++) {
		const Segment *g = &l->seg.v[i];

		add_numbers(&s, (int64_t[]){g->offset, g->nloop}, 2 * sizeof(int64_t));
		for (int k = 0; k < g->nloop; k++)
			add_numbers(&s, &g->loop[k].stride, sizeof(int64_t));
	}
	for (int p = 0; p < l->phase.n; p++)
		add_numbers(&s, (int64_t[]){l->phase.v[p]}, sizeof(int64_t));
	return digest_end(&s);
}
