/* Which values may lie inside others: today the inputs of concatenations.
 *
 * A part is made by a Task and belongs to the first concatenation that wants it; where the same
 * value is wanted again it is copied. The inputs of the graph, of reference kernels and constants
 * lie where others put them, so they are copied in too; when that is most of the whole, the
 * concatenation is a Task as before: one that copies all. */
#include "graph/parts.h"

#include "graph/stages.h"

/* Made by a Task, most likely. */
static bool
may_be_part(const Graph *g, int value)
{
	int node = g->value.v[value].producer;

	return node != NO_NODE && stage_builder(g->node.v[node].op) &&
	       g->node.v[node].op != OP_Reshape && !graph_is_output(g, value);
}

bool
parts_joined_by(const Graph *g, const Node *n)
{
	bool any = false;

	if (n->op != OP_Concat || n->out[0] == NO_VALUE || graph_is_output(g, n->out[0]))
		return false;
	for (int i = 0; i < n->nin; i++) {
		const Value *v = &g->value.v[n->in[i]];

		if (v->is_const || !value_count(v))
			return false;
		any |= may_be_part(g, n->in[i]);
	}
	return any;
}

static bool
is_reshape(const Graph *g, const GroupTask *q)
{
	return q->nnode == 1 && g->node.v[q->node[0]].op == OP_Reshape;
}

bool *
fixed_values(const Graph *g, Arena *a, const GroupTask *group, int n)
{
	bool *fixed = ARENA_ARRAY(a, bool, g->value.n + 1);

	for (int i = 0; i < g->input.n; i++)
		fixed[g->input.v[i]] = true;
	for (int i = 0; i < g->output.n; i++)
		fixed[g->output.v[i]] = true;
	for (int i = 0; i < n; i++) {
		const GroupTask *q = &group[i];

		for (int k = 0; k < q->nnode; k++) {
			const Node *x = &g->node.v[q->node[k]];

			for (int o = 0; o < x->nout; o++)
				if (x->out[o] != NO_VALUE && (!q->task || is_reshape(g, q)))
					fixed[x->out[o]] = true;
		}
	}
	return fixed;
}

/* The inputs of the concatenation become parts, unless too many would have to be copied. */
static void
join(const Graph *g, const Node *n, const bool *fixed, Part *part)
{
	const Value *w = &g->value.v[n->out[0]];
	int dim = (int)node_int(n, ATTR_axis);
	int64_t start = 0, in_place = 0;

	for (int i = 0; i < n->nin; i++) {
		Part *p = &part[n->in[i]];
		int64_t extent = g->value.v[n->in[i]].dim[dim];

		if (!fixed[n->in[i]] && p->whole == NO_VALUE) {
			*p = (Part){n->out[0], dim, start};
			in_place += extent;
		}
		start += extent;
	}
	for (int i = 0; i < n->nin && 2 * in_place < w->dim[dim]; i++)
		if (part[n->in[i]].whole == n->out[0])
			part[n->in[i]].whole = NO_VALUE;
}

Part *
parts_find(const Graph *g, Arena *a, const GroupTask *group, int n)
{
	const bool *fixed = fixed_values(g, a, group, n);
	Part *part = ARENA_ARRAY(a, Part, g->value.n + 1);

	for (int v = 0; v < g->value.n; v++)
		part[v].whole = NO_VALUE;
	for (int i = 0; i < n; i++) {
		const GroupTask *q = &group[i];
		const Node *x = &g->node.v[q->node[0]];

		if (q->task && q->nnode == 1 && parts_joined_by(g, x) && !fixed[x->out[0]])
			join(g, x, fixed, part);
	}
	return part;
}

bool
part_form(const Part *p, const Value *v, const Form *whole, const Value *w, Form *out)
{
	int d = p->dim;

	*out = *whole;
	if ((whole->lo[d] || whole->hi[d]) && !(whole->foreign >> d & 1))
		return false;
	out->lo[d] += (int)p->start;
	out->hi[d] += (int)(w->dim[d] - p->start - v->dim[d]);
	if (out->lo[d] || out->hi[d])
		out->foreign |= 1u << d;
	return true;
}
