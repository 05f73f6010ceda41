/* Groups that were joined, apart again: what reads a second value besides the group's own result (a
 * residual addition, a scale per channel) becomes a Task of its own, with what follows it.
 *
 * Halves keep the order of their nodes, and a reader of the first half is in the second: groups in
 * order of their last node read only what was computed before. */
#include "graph/plan.h"

enum { GROUP_MAX = 96 };

typedef struct Apart {
	const Graph *g;
	Arena *a;
	Groups to;
	int *last; /* per group: its last node */
} Apart;

/* Whether a node of the group reads a value that another group computes or the caller gives. */
static bool
reads_another(const Apart *p, const Groups *from, int node)
{
	const Node *n = &p->g->node.v[node];

	for (int i = 0; i < n->nin; i++) {
		const Value *v = n->in[i] == NO_VALUE ? NULL : &p->g->value.v[n->in[i]];

		if (v && !v->is_const &&
		    (v->producer == NO_NODE || from->of[v->producer] != from->of[node]))
			return true;
	}
	return false;
}

static bool
makes_task(const Apart *p, const int *node, int n)
{
	Arena *tmp = arena_new();
	int *value;
	Task *t;
	bool makes = !group_task(p->g, tmp, node, n, &t, &value);

	arena_free(tmp);
	return makes;
}

/* The nodes of group i: the first half into the group that it was, the others into a new one. */
static void
split(Apart *p, const Groups *from, int i)
{
	int node[GROUP_MAX], n = 0, cut = 0;

	for (int k = 0; k < p->g->node.n; k++)
		if (from->of[k] == i && n < GROUP_MAX)
			node[n++] = k;
	for (int k = 1; k < n && !cut; k++)
		cut = reads_another(p, from, node[k]) ? k : 0;
	if (!cut || n == GROUP_MAX || !makes_task(p, node, cut) ||
	    !makes_task(p, node + cut, n - cut))
		return;
	for (int k = cut; k < n; k++)
		p->to.of[node[k]] = p->to.n;
	p->last[p->to.n++] = node[n - 1];
	p->last[i] = node[cut - 1];
}

static void
number_by_last(Apart *p)
{
	int *number = ARENA_ARRAY(p->a, int, p->to.n + 1), next = 0;

	for (int k = 0; k < p->g->node.n; k++)
		if (p->last[p->to.of[k]] == k)
			number[p->to.of[k]] = next++;
	for (int k = 0; k < p->g->node.n; k++)
		p->to.of[k] = number[p->to.of[k]];
}

Groups
partition_apart(const Graph *g, Arena *a, const Groups *from)
{
	Apart p = {.g = g, .a = a, .last = ARENA_ARRAY(a, int, 2 * from->n + 1)};

	p.to = (Groups){.n = from->n,
			.of = arena_copy(a, from->of, (size_t)g->node.n * sizeof(int))};
	for (int k = 0; k < g->node.n; k++)
		p.last[from->of[k]] = k;
	for (int i = 0; i < from->n; i++)
		split(&p, from, i);
	number_by_last(&p);
	return p.to;
}
