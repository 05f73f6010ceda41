/* Building a graph: values, nodes, their removal. The only file that writes Graph's arrays.
 *
 * Nodes are appended, so they stand in topological order as long as every input exists before its
 * user; graph_fold_node and graph_sweep keep that order.
 */
#include "graph/graph.h"

#include <string.h>

#include "graph/infer.h"

Graph *
graph_new(const char *name)
{
	Arena *a = arena_new();
	Graph *g = ARENA_NEW(a, Graph);

	g->arena = a;
	g->name = arena_strdup(a, name);
	return g;
}

void
graph_free(Graph *g)
{
	if (g)
		arena_free(g->arena);
}

int64_t
value_count(const Value *v)
{
	int64_t n = 1;

	for (int i = 0; i < v->rank; i++)
		n *= v->dim[i];
	return n;
}

size_t
value_bytes(const Value *v)
{
	return (size_t)value_count(v) * dtype_size(v->type);
}

bool
value_same_shape(const Value *a, const Value *b)
{
	return a->rank == b->rank && !memcmp(a->dim, b->dim, (size_t)a->rank * sizeof *a->dim);
}

void
shape_print(Str *s, DType type, int rank, const int64_t *dim)
{
	str_printf(s, "%s[", dtype_name(type));
	for (int i = 0; i < rank; i++)
		str_printf(s, "%s%lld", i ? "," : "", (long long)dim[i]);
	str_add(s, "]");
}

int
shape_check(int rank, const int64_t *dim, Err *e)
{
	int64_t n = 1;

	if (rank < 0 || rank > KERNEL_RANK_MAX)
		return err_set(e, ERR_UNSUPPORTED, "rank %d, at most %d is supported", rank,
			       KERNEL_RANK_MAX);
	for (int i = 0; i < rank; i++)
		if (dim[i] < 0 || dim[i] > DIM_MAX)
			return err_set(e, ERR_UNSUPPORTED, "extent %lld of axis %d is out of range",
				       (long long)dim[i], i);
	for (int i = 0; i < rank; i++) { /* products of some extents fit too, hence not 0 */
		n *= dim[i] ? dim[i] : 1;
		if (n > DIM_MAX)
			return err_set(e, ERR_UNSUPPORTED, "more than %d elements", DIM_MAX);
	}
	return OK;
}

int
graph_add_value(Graph *g, const char *name, DType type, int rank, const int64_t *dim)
{
	Value v = {.type = type, .rank = rank, .producer = NO_NODE};

	if (name && *name)
		v.name = arena_strdup(g->arena, name);
	else
		v.name = arena_printf(g->arena, "%%%d", g->value.n);
	if (rank)
		memcpy(v.dim, dim, (size_t)rank * sizeof *dim);
	vec_push(g->arena, &g->value, v);
	return g->value.n - 1;
}

void *
graph_alloc_data(Graph *g, const Value *v)
{
	enum { ALIGNED = 1024 }; /* from this size on the arena aligns to 64 bytes */
	size_t size = value_bytes(v);

	return arena_alloc(g->arena, size < ALIGNED ? ALIGNED : size);
}

int
graph_add_const(Graph *g, const char *name, DType type, int rank, const int64_t *dim,
		const void *data, bool copy)
{
	int id = graph_add_value(g, name, type, rank, dim);
	Value *v = &g->value.v[id];

	v->is_const = true;
	v->data = data;
	if (copy) {
		void *own = graph_alloc_data(g, v);

		if (value_bytes(v))
			memcpy(own, data, value_bytes(v));
		v->data = own;
	}
	return id;
}

const KAttr *
node_attr(const Node *n, AttrKey key)
{
	for (int i = 0; i < n->nattr; i++)
		if (n->attr[i].key == (int32_t)key)
			return &n->attr[i];
	return NULL;
}

int64_t
node_int(const Node *n, AttrKey key)
{
	const KAttr *a = node_attr(n, key);

	return a && a->i && a->n ? a->i[0] : 0;
}

double
node_float(const Node *n, AttrKey key)
{
	const KAttr *a = node_attr(n, key);

	return a && a->f && a->n ? a->f[0] : 0;
}

static bool
is_int_kind(AttrKey key)
{
	return attr_kind(key) == ATTR_KIND_INT || attr_kind(key) == ATTR_KIND_INTS;
}

/* A copy of the spec's attribute, or the zero one. */
static KAttr
attr_copy(Graph *g, const NodeSpec *s, AttrKey key)
{
	static const int64_t zero_int;
	static const double zero_float;
	bool single = attr_kind(key) == ATTR_KIND_INT || attr_kind(key) == ATTR_KIND_FLOAT;
	KAttr out = {.key = (int32_t)key, .n = single};
	const KAttr *in = NULL;

	for (int i = 0; i < s->nattr; i++)
		if (s->attr[i].key == (int32_t)key)
			in = &s->attr[i];
	if (in)
		out.n = in->n;
	if (is_int_kind(key))
		out.i = in ? arena_copy(g->arena, in->i, (size_t)in->n * sizeof *in->i) : &zero_int;
	else
		out.f = in ? arena_copy(g->arena, in->f, (size_t)in->n * sizeof *in->f)
			   : &zero_float;
	return out;
}

/* Every attribute of the spec is one of the operator's. */
static int
check_keys(const NodeSpec *s, const AttrKey *key, int nkey, Err *e)
{
	for (int i = 0; i < s->nattr; i++) {
		int k = 0;

		while (k < nkey && s->attr[i].key != (int32_t)key[k])
			k++;
		if (k == nkey)
			return err_set(e, ERR_INPUT, "%s has no attribute %s", op_info(s->op)->name,
				       attr_name((AttrKey)s->attr[i].key));
	}
	return OK;
}

static int
check_attr(const KAttr *a, Err *e)
{
	AttrKind kind = attr_kind((AttrKey)a->key);

	if ((kind == ATTR_KIND_INT || kind == ATTR_KIND_FLOAT) && a->n != 1)
		return err_set(e, ERR_INPUT, "attribute %s has %d values, expected 1",
			       attr_name((AttrKey)a->key), a->n);
	for (int i = 0; is_int_kind((AttrKey)a->key) && i < a->n; i++)
		if (a->i[i] < -ATTR_INT_MAX || a->i[i] > ATTR_INT_MAX)
			return err_set(e, ERR_INPUT, "attribute %s is %lld: out of range",
				       attr_name((AttrKey)a->key), (long long)a->i[i]);
	return OK;
}

static bool
wants_any(const NodeSpec *s, int nout)
{
	for (int i = 0; i < nout; i++)
		if (!s->out || s->out[i])
			return true;
	return false;
}

/* Fills n from the spec; the outputs' numbers come later. */
static int
node_init(Graph *g, const NodeSpec *s, Node *n, Err *e)
{
	const OpInfo *info = op_info(s->op);
	AttrKey key[OP_ATTRS_MAX];

	*n = (Node){.op = s->op, .nin = s->nin, .nout = s->nout ? s->nout : 1};
	if (n->nin < info->in_min || n->nin > info->in_max || n->nout > info->out_max)
		return err_set(e, ERR_INPUT,
			       "%d inputs and %d outputs, expected %d to %d and at most %d", n->nin,
			       n->nout, info->in_min, info->in_max, info->out_max);
	for (int i = 0; i < n->nin; i++)
		if (s->in[i] < (i < info->in_min ? 0 : NO_VALUE) || s->in[i] >= g->value.n)
			return err_set(e, ERR_INPUT, "input %d is missing", i);
	if (!wants_any(s, n->nout))
		return err_set(e, ERR_INPUT, "nobody wants any output");
	n->name = s->name ? arena_strdup(g->arena, s->name)
			  : arena_printf(g->arena, "%s_%d", info->name, g->node.n);
	n->in = arena_copy(g->arena, s->in, (size_t)n->nin * sizeof *n->in);
	n->out = ARENA_ARRAY(g->arena, int, n->nout);
	n->nattr = op_attrs(s->op, key);
	if (check_keys(s, key, n->nattr, e))
		return ERR_INPUT;
	n->attr = ARENA_ARRAY(g->arena, KAttr, n->nattr);
	for (int i = 0; i < n->nattr; i++) {
		n->attr[i] = attr_copy(g, s, key[i]);
		if (check_attr(&n->attr[i], e))
			return ERR_INPUT;
	}
	return OK;
}

int
graph_add_node(Graph *g, const NodeSpec *s, Err *e)
{
	Value out[NODE_OUT_MAX] = {0};
	Node n;
	int rc = node_init(g, s, &n, e);

	if (s->given) {
		out[0].rank = s->given->rank;
		memcpy(out[0].dim, s->given->dim, sizeof out[0].dim);
		if (rc == OK)
			rc = shape_check(out[0].rank, out[0].dim, e);
	}
	if (rc == OK)
		rc = infer_node(g, &n, out, e);
	if (rc != OK)
		return rc;
	for (int i = 0; i < n.nout; i++) {
		if (s->out && !s->out[i]) {
			n.out[i] = NO_VALUE;
			continue;
		}
		n.out[i] = graph_add_value(g, s->out ? s->out[i] : NULL, out[i].type, out[i].rank,
					   out[i].dim);
		g->value.v[n.out[i]].producer = g->node.n;
	}
	vec_push(g->arena, &g->node, n);
	return g->node.n - 1;
}

int
graph_add(Graph *g, const NodeSpec *spec, Err *e)
{
	int node = graph_add_node(g, spec, e);

	return node < 0 ? node : g->node.v[node].out[0];
}

int *
graph_uses(const Graph *g, Arena *a)
{
	int *uses = ARENA_ARRAY(a, int, g->value.n);

	for (int i = 0; i < g->node.n; i++)
		for (int k = 0; k < g->node.v[i].nin; k++)
			if (g->node.v[i].in[k] != NO_VALUE)
				uses[g->node.v[i].in[k]]++;
	for (int i = 0; i < g->output.n; i++)
		uses[g->output.v[i]]++;
	return uses;
}

bool
graph_is_output(const Graph *g, int value)
{
	for (int i = 0; i < g->output.n; i++)
		if (g->output.v[i] == value)
			return true;
	return false;
}
