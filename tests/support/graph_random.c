/* Random graphs: each step draws a value and an operator that takes it; one that does not fit is
 * simply drawn again. Values that nobody reads become the outputs.
 */
#include "tests/support/graph_random.h"

#include <string.h>

#include "tests/support/graph_draft.h"

enum { NODES_MAX = 12, TRIES = 40, ELEMENTS_MAX = 4000 };

int64_t *
draft_ints(Draft *d, AttrKey key, int n)
{
	int64_t *v = d->list[d->spec.nattr];

	d->attr[d->spec.nattr++] = attr_ints(key, v, n);
	return v;
}

void
draft_int(Draft *d, AttrKey key, int64_t v)
{
	d->list[d->spec.nattr][0] = v;
	d->attr[d->spec.nattr] = attr_int(key, d->list[d->spec.nattr]);
	d->spec.nattr++;
}

void
draft_float(Draft *d, AttrKey key, double v)
{
	d->number[d->spec.nattr][0] = v;
	d->attr[d->spec.nattr] = attr_float(key, d->number[d->spec.nattr]);
	d->spec.nattr++;
}

void
draft_fill(DType type, void *data, size_t n, uint64_t seed)
{
	rng_fill(type, data, n, seed, dtype_is_signed(type) ? -3 : 0, dtype_is_float(type) ? 3 : 7);
}

int
draft_constant(Draft *d, DType type, int rank, const int64_t *dim)
{
	int v = graph_add_const(d->g, NULL, type, rank, dim, NULL, false);
	Value *c = &d->g->value.v[v];
	void *data = graph_alloc_data(d->g, c);

	draft_fill(type, data, (size_t)value_count(c), rng_next(&d->r));
	c->data = data;
	return v;
}

static Maker *const makers[] = {
	make_unary,  make_unary, make_unary,   make_binary, make_binary,  make_binary,
	make_where,  make_cast,  make_cast,    make_slice,  make_reshape, make_transpose,
	make_concat, make_along, make_norm,    make_reduce, make_pad,     make_pool,
	make_conv,   make_conv,  make_matmul,  make_gather, make_repeat,  make_resize,
	make_lrn,    make_trilu, make_shuffle,
};

/* Draws one node; false when it did not come out. Constants drawn for it stay, unused. */
static bool
add_node(Graph *g, Rng *r, int x)
{
	Draft d = {.g = g, .x = x, .spec = {.nin = 1}};
	int node, out;

	d.r = *r;
	d.given.rank = g->value.v[x].rank;
	memcpy(d.given.dim, g->value.v[x].dim, sizeof d.given.dim);
	d.in[0] = x;
	d.spec.in = d.in;
	d.spec.attr = d.attr;
	node = makers[draft_below(&d, (int64_t)(sizeof makers / sizeof *makers))](&d) ? 0
										      : ERR_INPUT;
	*r = d.r;
	if (node == 0)
		node = graph_add_node(g, &d.spec, NULL);
	if (node < 0)
		return false;
	out = g->node.v[node].out[0];
	if (value_count(&g->value.v[out]) > ELEMENTS_MAX || !value_count(&g->value.v[out]) ||
	    graph_node_work(g, &g->node.v[node]) > 400000) {
		g->node.n--;
		g->value.n--;
		return false;
	}
	return true;
}

static void
add_input(Graph *g, Rng *r)
{
	static const DType type[] = {DT_F32, DT_F32, DT_F32, DT_F32, DT_U8, DT_I32};
	int64_t dim[4];
	int rank = rng_below(r, 3) ? 4 : (int)rng_below(r, 4);

	for (int i = 0; i < rank; i++)
		dim[i] = 1 + (int64_t)rng_below(r, i ? 7 : 2);
	vec_push(g->arena, &g->input, graph_add_value(g, NULL, type[rng_below(r, 6)], rank, dim));
}

/* A value to go on from: the last one mostly, so that chains come out. */
static int
pick_value(const Graph *g, Rng *r)
{
	if (g->node.n && rng_below(r, 4))
		return g->node.v[g->node.n - 1].out[0];
	if (g->node.n && rng_below(r, 3))
		return g->node.v[rng_below(r, (uint64_t)g->node.n)].out[0];
	return g->input.v[rng_below(r, (uint64_t)g->input.n)];
}

Graph *
graph_random(uint64_t seed)
{
	Graph *g = graph_new("random");
	Arena *a = arena_new();
	Rng r;
	int nodes, *uses;

	rng_init(&r, seed);
	nodes = 1 + (int)rng_below(&r, NODES_MAX);
	add_input(g, &r);
	if (rng_below(&r, 3) == 0)
		add_input(g, &r);
	for (int i = 0; i < TRIES && g->node.n < nodes; i++)
		add_node(g, &r, pick_value(g, &r));
	uses = graph_uses(g, a);
	for (int i = 0; i < g->node.n; i++)
		if (!uses[g->node.v[i].out[0]] || rng_below(&r, 8) == 0)
			vec_push(g->arena, &g->output, g->node.v[i].out[0]);
	arena_free(a);
	graph_sweep(g);
	return g;
}

const void **
graph_random_inputs(const Graph *g, Arena *a, uint64_t seed)
{
	const void **data = ARENA_ARRAY(a, const void *, g->input.n + 1);

	for (int i = 0; i < g->input.n; i++) {
		const Value *v = &g->value.v[g->input.v[i]];
		void *p = arena_alloc(a, value_bytes(v) + 1);

		draft_fill(v->type, p, (size_t)value_count(v), seed + (uint64_t)i);
		data[i] = p;
	}
	return data;
}
