/* Running nodes through their reference kernels: constant folding, and the whole graph. */
#include <string.h>

#include "graph/graph.h"

/* A view of value v at data; absent when v is NO_VALUE. */
static KTensor
tensor(const Graph *g, int v, void *data)
{
	KTensor t = {0};

	if (v == NO_VALUE)
		return t;
	t.type = (int32_t)g->value.v[v].type;
	t.rank = g->value.v[v].rank;
	memcpy(t.dim, g->value.v[v].dim, sizeof t.dim);
	t.data = data;
	return t;
}

/* Runs one node on the contents of its inputs, into the places of its outputs; `a` is scratch. */
static int
run_node(const Graph *g, const Node *n, Arena *a, void *const *in, void *const *out, Err *e)
{
	KTensor *kin = ARENA_ARRAY(a, KTensor, n->nin), *kout = ARENA_ARRAY(a, KTensor, n->nout);
	KCall call = {.nin = n->nin,
		      .nout = n->nout,
		      .nattr = n->nattr,
		      .in = kin,
		      .out = kout,
		      .attr = n->attr};
	int64_t scratch;

	for (int i = 0; i < n->nin; i++)
		kin[i] = tensor(g, n->in[i], in[i]);
	for (int i = 0; i < n->nout; i++)
		kout[i] = tensor(g, n->out[i], out[i]);
	scratch = kernel_scratch(n->op, &call);
	if (scratch > 0)
		call.scratch = arena_alloc(a, (size_t)scratch + 1024); /* large: 64-byte aligned */
	if (op_info(n->op)->kernel(&call))
		return err_set(e, ERR_UNSUPPORTED, "%s does not take elements of type %s",
			       op_info(n->op)->name, dtype_name(g->value.v[n->in[0]].type));
	return OK;
}

static void
remove_node(Graph *g, int node)
{
	for (int i = node; i + 1 < g->node.n; i++) {
		const Node *n = &g->node.v[i + 1];

		for (int k = 0; k < n->nout; k++)
			if (n->out[k] != NO_VALUE)
				g->value.v[n->out[k]].producer = i;
		g->node.v[i] = *n;
	}
	g->node.n--;
}

int
graph_fold_node(Graph *g, int node, Err *e)
{
	const Node *n = &g->node.v[node];
	Arena *a = arena_new();
	void **in = ARENA_ARRAY(a, void *, n->nin), **out = ARENA_ARRAY(a, void *, n->nout);
	int rc;

	for (int i = 0; i < n->nin; i++)
		if (n->in[i] != NO_VALUE)
			in[i] = (void *)g->value.v[n->in[i]].data;
	for (int i = 0; i < n->nout; i++)
		if (n->out[i] != NO_VALUE)
			out[i] = graph_alloc_data(g, &g->value.v[n->out[i]]);
	rc = run_node(g, n, a, in, out, e);
	for (int i = 0; rc == OK && i < n->nout; i++) {
		Value *v = n->out[i] == NO_VALUE ? NULL : &g->value.v[n->out[i]];

		if (!v)
			continue;
		v->data = out[i];
		v->is_const = true;
		v->producer = NO_NODE;
	}
	arena_free(a);
	if (rc == OK)
		remove_node(g, node);
	return rc;
}

/* Runs node n on what lies at all[], and puts its outputs there. */
static int
run_in_graph(const Graph *g, const Node *n, Arena *a, void **all, Err *e)
{
	void **in = ARENA_ARRAY(a, void *, n->nin), **out = ARENA_ARRAY(a, void *, n->nout);

	for (int i = 0; i < n->nin; i++)
		in[i] = n->in[i] == NO_VALUE ? NULL : all[n->in[i]];
	for (int i = 0; i < n->nout; i++)
		if (n->out[i] != NO_VALUE)
			all[n->out[i]] = out[i] =
				arena_alloc(a, value_bytes(&g->value.v[n->out[i]]));
	return run_node(g, n, a, in, out, e);
}

int
graph_run(const Graph *g, Arena *a, const void *const *data, void **all, Err *e)
{
	int rc = OK;

	memset(all, 0, (size_t)g->value.n * sizeof *all);
	for (int v = 0; v < g->value.n; v++)
		if (g->value.v[v].is_const)
			all[v] = (void *)g->value.v[v].data;
	for (int i = 0; i < g->input.n; i++)
		all[g->input.v[i]] = (void *)data[i];
	for (int i = 0; rc == OK && i < g->node.n; i++) {
		rc = run_in_graph(g, &g->node.v[i], a, all, e);
		if (rc)
			err_prefix(e, "node '%s': ", g->node.v[i].name);
	}
	return rc;
}
