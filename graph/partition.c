/* Which nodes of the graph become one Task.
 *
 * A group starts at a node and grows over closed regions: sets of following nodes through which all
 * uses of the group's result pass and which come out at one value again. A region joins when, after
 * fusion, the Task has no more stages than before (its nodes were absorbed), or no more than the
 * region alone (the group was). Regions with a single node are the common case; x * sigmoid(x)
 * needs two. A concatenation whose inputs may be made in place stays alone.
 */
#include "graph/parts.h"
#include "graph/stages.h"

enum { REGION_MAX = 24, LOOK_AHEAD = 64, GROUP_MAX = 96, STAGES_MAX = 8 };

/* Stages before fusion: what has more, a concatenation of hundreds, is not worth the time. Tensors
 * of several nodes together: a batch describes few buffers. */
enum { UNFUSED_MAX = 4 * TASK_STAGES_MAX, TENSORS_MAX = 48 };

typedef struct Partition {
	const Graph *g;
	Arena *a;
	int *group; /* per node, -1: not yet */
	int *uses;  /* per value */
	int ngroup;
} Partition;

typedef struct NodeSet {
	int n, node[GROUP_MAX];
} NodeSet;

/* Values of the group that somebody outside reads are outputs of its Task. */
static void
mark_outputs(Stager *s, Arena *scratch, const bool *member)
{
	const Graph *g = s->g;
	int *inner = ARENA_ARRAY(scratch, int, g->value.n + 1), *uses = graph_uses(g, scratch);

	for (int i = 0; i < g->node.n; i++)
		for (int k = 0; member[i] && k < g->node.v[i].nin; k++)
			if (g->node.v[i].in[k] != NO_VALUE)
				inner[g->node.v[i].in[k]]++;
	for (int v = 0; v < g->value.n; v++)
		if (s->tensor[v] != TASK_NONE && g->value.v[v].producer != NO_NODE &&
		    member[g->value.v[v].producer] && uses[v] > inner[v])
			s->t->tensor.v[s->tensor[v]].kind = TENSOR_OUT;
}

/* The Task of the nodes before fusion; the arrays over the graph's values die with scratch. */
static int
unfused_task(Stager *s, Arena *scratch, const int *node, int n)
{
	bool *member = ARENA_ARRAY(scratch, bool, s->g->node.n + 1);

	s->tensor = ARENA_ARRAY(scratch, int, s->g->value.n + 1);
	for (int v = 0; v < s->g->value.n; v++)
		s->tensor[v] = TASK_NONE;
	for (int i = 0; i < n; i++) {
		member[node[i]] = true;
		if (stages_of_node(s, &s->g->node.v[node[i]]) || s->t->stage.n > UNFUSED_MAX)
			return NOT_APPLICABLE;
	}
	mark_outputs(s, scratch, member);
	return OK;
}

/* Fuses and simplifies it. value: the graph value of each tensor that is left. */
static int
fused_task(Stager *s, Arena *scratch, int n, int **value)
{
	int *map = ARENA_ARRAY(scratch, int, s->t->tensor.n + 1);

	task_fuse(s->t);
	task_simplify(s->t, map);
	if (s->t->stage.n > TASK_STAGES_MAX || (n > 1 && s->t->tensor.n > TENSORS_MAX))
		return NOT_APPLICABLE;
	if (n > 1 && task_check(s->t, NULL)) /* an index that another node computes */
		return NOT_APPLICABLE;
	*value = ARENA_ARRAY(s->t->arena, int, s->t->tensor.n + 1);
	for (int t = 0; t < s->t->tensor.n; t++)
		(*value)[t] = NO_VALUE;
	for (int v = 0; v < s->g->value.n; v++)
		if (s->tensor[v] != TASK_NONE && map[s->tensor[v]] != TASK_NONE)
			(*value)[map[s->tensor[v]]] = v;
	return OK;
}

int
group_task(const Graph *g, Arena *a, const int *node, int n, Task **out, int **value)
{
	Arena *scratch = arena_new();
	Stager s = {.g = g, .t = task_new(a)};
	int rc = unfused_task(&s, scratch, node, n);

	if (!rc)
		rc = fused_task(&s, scratch, n, value);
	arena_free(scratch);
	*out = s.t;
	return rc;
}

static int
stages_of_set(const Partition *p, const NodeSet *set)
{
	Arena *a = arena_new();
	int *value, n = -1;
	Task *t;

	if (!group_task(p->g, a, set->node, set->n, &t, &value))
		n = t->stage.n;
	arena_free(a);
	return n;
}

static bool
is_available(const Partition *p, int value, const NodeSet *group)
{
	int node = p->g->value.v[value].producer;

	if (node == NO_NODE || p->group[node] >= 0)
		return true;
	for (int i = 0; i < group->n; i++)
		if (group->node[i] == node)
			return true;
	return false;
}

static bool
contains(const int *v, int n, int x)
{
	for (int i = 0; i < n; i++)
		if (v[i] == x)
			return true;
	return false;
}

/* Whether node j continues the region: reads something of it, and everything else is there. */
static bool
continues(const Partition *p, const NodeSet *group, int j, const int *inside, int n)
{
	const Node *x = &p->g->node.v[j];
	bool touches = false;

	if (p->group[j] >= 0 || !stage_builder(x->op) || x->nout != 1 || x->out[0] == NO_VALUE ||
	    parts_joined_by(p->g, x))
		return false;
	for (int k = 0; k < x->nin; k++) {
		if (x->in[k] == NO_VALUE)
			continue;
		if (contains(inside, n, x->in[k]))
			touches = true;
		else if (!is_available(p, x->in[k], group))
			return false;
	}
	return touches;
}

/* All uses of every inside value but the last are by nodes of the region. */
static bool
is_closed(const Partition *p, const NodeSet *region, const int *inside, int n)
{
	for (int i = 0; i + 1 < n; i++) {
		int left = p->uses[inside[i]];

		for (int r = 0; r < region->n; r++) {
			const Node *x = &p->g->node.v[region->node[r]];

			for (int k = 0; k < x->nin; k++)
				left -= x->in[k] == inside[i];
		}
		if (left)
			return false;
	}
	return true;
}

/* The smallest closed region after value v; empty when there is none nearby. */
static void
find_region(const Partition *p, const NodeSet *group, int v, NodeSet *region)
{
	int inside[REGION_MAX + 1] = {v}, n = 1, last = group->node[group->n - 1];

	region->n = 0;
	for (int j = last + 1; j < p->g->node.n && j <= last + LOOK_AHEAD; j++) {
		if (region->n == REGION_MAX || !continues(p, group, j, inside, n))
			continue;
		region->node[region->n++] = j;
		inside[n++] = p->g->node.v[j].out[0];
		if (is_closed(p, region, inside, n))
			return;
	}
	region->n = 0;
}

static bool
join(const Partition *p, NodeSet *group, const NodeSet *region)
{
	NodeSet all = *group;
	int before, alone, together;

	if (group->n + region->n > GROUP_MAX)
		return false;
	for (int i = 0; i < region->n; i++)
		all.node[all.n++] = region->node[i];
	before = stages_of_set(p, group);
	alone = stages_of_set(p, region);
	together = stages_of_set(p, &all);
	if (together < 0 || together > STAGES_MAX || (together > before && together > alone))
		return false;
	*group = all;
	return true;
}

static void
grow(Partition *p, NodeSet *group)
{
	NodeSet region;

	for (;;) {
		const Node *last = &p->g->node.v[group->node[group->n - 1]];

		if (last->nout != 1 || last->out[0] == NO_VALUE)
			return;
		find_region(p, group, last->out[0], &region);
		if (!region.n || !join(p, group, &region))
			return;
	}
}

/* Groups in order of their last node: then everything a group reads has been computed. */
static void
number_groups(Partition *p)
{
	int *number = ARENA_ARRAY(p->a, int, p->ngroup + 1), next = 0;
	int *last = ARENA_ARRAY(p->a, int, p->ngroup + 1);

	for (int i = 0; i < p->g->node.n; i++)
		last[p->group[i]] = i;
	for (int i = 0; i < p->g->node.n; i++)
		if (last[p->group[i]] == i)
			number[p->group[i]] = next++;
	for (int i = 0; i < p->g->node.n; i++)
		p->group[i] = number[p->group[i]];
}

Groups
partition(const Graph *g, Arena *a)
{
	Partition p = {.g = g,
		       .a = a,
		       .group = ARENA_ARRAY(a, int, g->node.n + 1),
		       .uses = graph_uses(g, a)};

	for (int i = 0; i < g->node.n; i++)
		p.group[i] = -1;
	for (int i = 0; i < g->node.n; i++) {
		NodeSet set = {.n = 1, .node = {i}};

		if (p.group[i] >= 0)
			continue;
		if (!parts_joined_by(g, &g->node.v[i]) && stages_of_set(&p, &set) >= 0)
			grow(&p, &set);
		for (int k = 0; k < set.n; k++)
			p.group[set.node[k]] = p.ngroup;
		p.ngroup++;
	}
	number_groups(&p);
	return (Groups){.n = p.ngroup, .of = p.group};
}
