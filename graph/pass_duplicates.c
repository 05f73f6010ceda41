/* Equal constants become one: type, shape and contents are compared.
 *
 * Leaves the copies without uses; graph_sweep takes them out.
 */
#include <string.h>

#include "graph/importer.h"

static uint64_t
hash_of(const Value *v)
{
	uint64_t h = hash64(v->dim, (size_t)v->rank * sizeof *v->dim, (uint64_t)v->type);

	return hash64(v->data, value_bytes(v), h);
}

static bool
same(const Value *a, const Value *b)
{
	return a->type == b->type && value_same_shape(a, b) &&
	       !memcmp(a->data, b->data, value_bytes(a));
}

void
pass_duplicates(Graph *g)
{
	struct Slot {
		uint64_t hash;
		int value; /* + 1; 0: empty */
	} * slot;
	Arena *a = arena_new();
	int *to = ARENA_ARRAY(a, int, g->value.n);
	size_t cap = 64, i;

	while (cap < 2 * (size_t)g->value.n)
		cap *= 2;
	slot = ARENA_ARRAY(a, struct Slot, cap);
	for (int v = 0; v < g->value.n; v++) {
		uint64_t h;

		to[v] = v;
		if (!g->value.v[v].is_const || !g->value.v[v].data)
			continue;
		h = hash_of(&g->value.v[v]);
		for (i = h & (cap - 1); slot[i].value; i = (i + 1) & (cap - 1))
			if (slot[i].hash == h &&
			    same(&g->value.v[slot[i].value - 1], &g->value.v[v]))
				break;
		if (slot[i].value)
			to[v] = slot[i].value - 1;
		else
			slot[i] = (struct Slot){h, v + 1};
	}
	graph_remap(g, to);
	arena_free(a);
}
