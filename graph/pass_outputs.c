/* Graph outputs: each becomes the output of a node of its own, under its ONNX name.
 *
 * Identity and folding may have left an output that is an input, a constant, or another output; it
 * gets a Reshape that copies. Requires: all nodes are imported. Runs before the other passes, which
 * rely on outputs being where they are.
 */
#include <string.h>

#include "graph/importer.h"

/* Whether value v may carry the output's name: no other output has it yet. */
static bool
is_free(const Graph *g, int v, const bool *taken)
{
	return g->value.v[v].producer != NO_NODE && !taken[v];
}

/* A copy of v under the name; a value that has the name already gets another. */
static int
add_copy(Importer *im, int v, const char *name, Err *e)
{
	Graph *g = im->g;
	Value *old = &g->value.v[v];
	NodeSpec spec = {
		.op = OP_Reshape, .name = name, .nin = 1, .in = &v, .given = old, .out = &name};

	if (!strcmp(old->name, name)) {
		if (old->is_const)
			old->name = fresh_name(im, name);
		else
			name = fresh_name(im, name); /* the name is a graph input's */
	}
	return graph_add(g, &spec, e);
}

int
pass_outputs(Importer *im, const int *value, int count, Err *e)
{
	const Onnx__GraphProto *p = im->model->graph;
	Graph *g = im->g;
	bool *taken = ARENA_ARRAY(im->tmp, bool, g->value.n + count);
	Names seen = {0};

	for (int i = 0; i < count; i++) { /* values that have the right name already come first */
		const char *name = p->output[i]->name;

		if (names_get(&seen, name) != NAME_UNKNOWN)
			return err_set(e, ERR_INPUT, "output '%s' is listed twice", name);
		names_put(im->tmp, &seen, name, i);
		if (!strcmp(g->value.v[value[i]].name, name))
			taken[value[i]] = true;
	}
	for (int i = 0; i < count; i++) {
		const char *name = p->output[i]->name;
		int v = value[i];
		bool named = !strcmp(g->value.v[v].name, name);

		if (g->value.v[v].producer != NO_NODE && named) {
			/* as it should be */
		} else if (is_free(g, v, taken)) {
			g->value.v[v].name = arena_strdup(g->arena, name);
			taken[v] = true;
		} else {
			v = add_copy(im, v, name, e);
			if (v < 0)
				return v;
		}
		vec_push(g->arena, &g->output, v);
	}
	return OK;
}
