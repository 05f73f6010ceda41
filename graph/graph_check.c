/* What is legal in a graph, one condition a line. */
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"
#include "graph/infer.h"

static int
check_names(const Graph *g, Arena *a, Err *e)
{
	const char **name = ARENA_ARRAY(a, const char *, g->value.n);

	for (int v = 0; v < g->value.n; v++)
		name[v] = g->value.v[v].name;
	if (g->value.n)
		qsort(name, (size_t)g->value.n, sizeof *name, by_text);
	for (int v = 1; v < g->value.n; v++)
		if (!strcmp(name[v - 1], name[v]))
			return err_set(e, ERR_CHECK, "two values are named '%s'", name[v]);
	return OK;
}

#define REQUIRE(condition, ...)                                    \
	do {                                                       \
		if (!(condition))                                  \
			return err_set(e, ERR_CHECK, __VA_ARGS__); \
	} while (0)

static int
check_values(const Graph *g, const bool *is_input, Err *e)
{
	for (int i = 0; i < g->value.n; i++) {
		const Value *v = &g->value.v[i];
		bool made = v->producer != NO_NODE;

		REQUIRE((unsigned)v->type < DT_COUNT, "value '%s': no element type", v->name);
		REQUIRE(shape_check(v->rank, v->dim, NULL) == OK, "value '%s': shape", v->name);
		REQUIRE(made + v->is_const + is_input[i] == 1,
			"value '%s' is not exactly one of input, constant and output of a node",
			v->name);
		REQUIRE(!v->is_const || v->data || v->digest || value_count(v) == 0,
			"constant '%s' has no contents", v->name);
		REQUIRE(!made || (v->producer >= 0 && v->producer < g->node.n),
			"value '%s' comes from node %d of %d", v->name, v->producer, g->node.n);
	}
	return OK;
}

static int
check_node(const Graph *g, int at, Err *e)
{
	const Node *n = &g->node.v[at];
	AttrKey key[OP_ATTRS_MAX];
	Value out[NODE_OUT_MAX] = {0};

	REQUIRE((unsigned)n->op < OP_COUNT, "no operator");
	REQUIRE(n->nin >= op_info(n->op)->in_min && n->nin <= op_info(n->op)->in_max, "%d inputs",
		n->nin);
	REQUIRE(n->nout >= 1 && n->nout <= op_info(n->op)->out_max, "%d outputs", n->nout);
	REQUIRE(n->nattr == op_attrs(n->op, key), "%d attributes", n->nattr);
	for (int i = 0; i < n->nattr; i++)
		REQUIRE(n->attr[i].key == (int32_t)key[i], "attribute %d", i);
	for (int i = 0; i < n->nin; i++) {
		int v = n->in[i];

		REQUIRE(v < g->value.n && v >= (i < op_info(n->op)->in_min ? 0 : NO_VALUE),
			"input %d is missing", i);
		REQUIRE(v == NO_VALUE || g->value.v[v].producer < at, "input %d comes later", i);
	}
	for (int i = 0; i < n->nout; i++)
		REQUIRE(n->out[i] == NO_VALUE || (n->out[i] >= 0 && n->out[i] < g->value.n &&
						  g->value.v[n->out[i]].producer == at),
			"output %d", i);
	if (n->out[0] != NO_VALUE) { /* the shape that inference "given" takes */
		out[0].rank = g->value.v[n->out[0]].rank;
		memcpy(out[0].dim, g->value.v[n->out[0]].dim, sizeof out[0].dim);
	}
	if (infer_node(g, n, out, e))
		return ERR_CHECK;
	for (int i = 0; i < n->nout; i++)
		REQUIRE(n->out[i] == NO_VALUE ||
				(g->value.v[n->out[i]].type == out[i].type &&
				 value_same_shape(&g->value.v[n->out[i]], &out[i])),
			"output %d has another type or shape than inferred", i);
	return OK;
}

static int
check_ends(const Graph *g, bool *is_input, bool *is_output, Err *e)
{
	for (int i = 0; i < g->input.n; i++) {
		int v = g->input.v[i];

		REQUIRE(v >= 0 && v < g->value.n, "input %d", i);
		REQUIRE(!is_input[v], "input '%s' is there twice", g->value.v[v].name);
		is_input[v] = true;
	}
	for (int i = 0; i < g->output.n; i++) {
		int v = g->output.v[i];

		REQUIRE(v >= 0 && v < g->value.n, "output %d", i);
		REQUIRE(!is_output[v], "output '%s' is there twice", g->value.v[v].name);
		REQUIRE(g->value.v[v].producer != NO_NODE, "output '%s' comes from no node",
			g->value.v[v].name);
		is_output[v] = true;
	}
	return OK;
}

int
graph_check(const Graph *g, Err *e)
{
	Arena *a = arena_new();
	bool *is_input = ARENA_ARRAY(a, bool, g->value.n);
	bool *is_output = ARENA_ARRAY(a, bool, g->value.n);
	int rc = check_ends(g, is_input, is_output, e);

	if (rc == OK)
		rc = check_values(g, is_input, e);
	if (rc == OK)
		rc = check_names(g, a, e);
	for (int i = 0; rc == OK && i < g->node.n; i++) {
		rc = check_node(g, i, e);
		if (rc)
			err_prefix(e, "node %d '%s': ", i, g->node.v[i].name);
	}
	arena_free(a);
	return rc;
}
