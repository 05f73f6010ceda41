/* Renumbering: taking out what nobody needs.
 *
 * Requires topological order; keeps it, and keeps the order of values. Inputs of the graph stay
 * even when nothing reads them: they are the caller's signature.
 */
#include <string.h>

#include "graph/graph.h"

void
graph_remap(Graph *g, const int *to)
{
	for (int i = 0; i < g->node.n; i++)
		for (int k = 0; k < g->node.v[i].nin; k++)
			if (g->node.v[i].in[k] != NO_VALUE)
				g->node.v[i].in[k] = to[g->node.v[i].in[k]];
	for (int i = 0; i < g->output.n; i++)
		g->output.v[i] = to[g->output.v[i]];
	for (int i = 0; i < g->input.n; i++)
		g->input.v[i] = to[g->input.v[i]];
}

static bool
any_needed(const Node *n, const bool *need)
{
	for (int i = 0; i < n->nout; i++)
		if (n->out[i] != NO_VALUE && need[n->out[i]])
			return true;
	return false;
}

/* Marks what outputs need, from the last node to the first. */
static void
mark(const Graph *g, bool *need, bool *keep_node)
{
	for (int i = 0; i < g->input.n; i++)
		need[g->input.v[i]] = true;
	for (int i = 0; i < g->output.n; i++)
		need[g->output.v[i]] = true;
	for (int i = g->node.n; i-- > 0;) {
		const Node *n = &g->node.v[i];

		keep_node[i] = any_needed(n, need);
		for (int k = 0; keep_node[i] && k < n->nin; k++)
			if (n->in[k] != NO_VALUE)
				need[n->in[k]] = true;
	}
}

static void
sweep_nodes(Graph *g, const bool *need, const bool *keep)
{
	int kept = 0;

	for (int i = 0; i < g->node.n; i++) {
		Node *n = &g->node.v[i];

		if (!keep[i])
			continue;
		for (int k = 0; k < n->nout; k++) {
			if (n->out[k] != NO_VALUE && !need[n->out[k]])
				n->out[k] = NO_VALUE;
			if (n->out[k] != NO_VALUE)
				g->value.v[n->out[k]].producer = kept;
		}
		g->node.v[kept++] = *n;
	}
	g->node.n = kept;
}

void
graph_sweep(Graph *g)
{
	Arena *a = arena_new();
	bool *need = ARENA_ARRAY(a, bool, g->value.n), *keep = ARENA_ARRAY(a, bool, g->node.n);
	int *to = ARENA_ARRAY(a, int, g->value.n), kept = 0;

	mark(g, need, keep);
	sweep_nodes(g, need, keep);
	for (int v = 0; v < g->value.n; v++) {
		if (!need[v])
			continue;
		g->value.v[kept] = g->value.v[v];
		to[v] = kept++;
	}
	g->value.n = kept;
	graph_remap(g, to);
	for (int i = 0; i < g->node.n; i++)
		for (int k = 0; k < g->node.v[i].nout; k++)
			if (g->node.v[i].out[k] != NO_VALUE)
				g->node.v[i].out[k] = to[g->node.v[i].out[k]];
	arena_free(a);
}
