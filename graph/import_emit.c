/* What import functions do with values: read static ones, add nodes and constants, bind outputs. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "graph/importer.h"

static int
set_error(OnnxNode *n, int code, const char *fmt, va_list ap)
{
	char text[ERR_TEXT_MAX];

	vsnprintf(text, sizeof text, fmt, ap);
	return err_set(&n->err, code, "%s", text);
}

int
refuse(OnnxNode *n, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = set_error(n, ERR_UNSUPPORTED, fmt, ap);
	va_end(ap);
	return rc;
}

int
invalid(OnnxNode *n, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = set_error(n, ERR_INPUT, fmt, ap);
	va_end(ap);
	return rc;
}

bool
has_in(const OnnxNode *n, int i)
{
	return i < n->nin && n->in[i] != NO_VALUE;
}

const Value *
value_of(const OnnxNode *n, int v)
{
	return &n->im->g->value.v[v];
}

const Value *
in_value(const OnnxNode *n, int i)
{
	return has_in(n, i) ? value_of(n, n->in[i]) : NULL;
}

static void
report_freeze(ImportReport *rep, const char *name)
{
	for (int i = 0; i < rep->freeze.n; i++)
		if (!strcmp(rep->freeze.v[i], name))
			return;
	vec_push(rep->arena, &rep->freeze, arena_strdup(rep->arena, name));
}

/* Which graph inputs decide value v: they would have to be constants. */
static int
needs_value(OnnxNode *n, int v)
{
	const Graph *g = n->im->g;
	bool *need = ARENA_ARRAY(n->im->tmp, bool, g->value.n);
	bool any = false;

	need[v] = true;
	for (int i = g->value.v[v].producer; i >= 0; i--) {
		const Node *node = &g->node.v[i];
		bool hit = false;

		for (int k = 0; k < node->nout; k++)
			hit |= node->out[k] != NO_VALUE && need[node->out[k]];
		for (int k = 0; hit && k < node->nin; k++)
			if (node->in[k] != NO_VALUE)
				need[node->in[k]] = true;
	}
	for (int i = 0; i < g->input.n; i++)
		if (need[g->input.v[i]]) {
			report_freeze(n->im->rep, g->value.v[g->input.v[i]].name);
			any = true;
		}
	return any ? NEEDS_VALUE
		   : refuse(n, "'%s' decides a shape and is too much work to compute",
			    g->value.v[v].name);
}

static int
static_list(OnnxNode *n, int i, const Value **out)
{
	const Value *v = in_value(n, i);

	if (!v)
		return invalid(n, "input %d is missing", i);
	if (!v->is_const)
		return needs_value(n, n->in[i]);
	if (v->rank > 1)
		return invalid(n, "'%s' has rank %d, expected 0 or 1", v->name, v->rank);
	*out = v;
	return OK;
}

int
static_ints(OnnxNode *n, int i, const int64_t **out, int *count)
{
	const Value *v;
	int64_t *list;
	int rc = static_list(n, i, &v);

	if (rc)
		return rc;
	if (v->type != DT_I64 && v->type != DT_I32)
		return invalid(n, "'%s' is %s, expected i64", v->name, dtype_name(v->type));
	*count = (int)value_count(v);
	*out = list = ARENA_ARRAY(n->im->tmp, int64_t, *count);
	for (int k = 0; k < *count; k++)
		list[k] = v->type == DT_I64 ? ((const int64_t *)v->data)[k]
					    : ((const int32_t *)v->data)[k];
	return OK;
}

int
static_floats(OnnxNode *n, int i, const double **out, int *count)
{
	const Value *v;
	double *list;
	int rc = static_list(n, i, &v);

	if (rc)
		return rc;
	*count = (int)value_count(v);
	*out = list = ARENA_ARRAY(n->im->tmp, double, *count);
	for (int k = 0; k < *count; k++)
		list[k] = dtype_get(v->type, v->data, (size_t)k);
	return OK;
}

int
static_int(OnnxNode *n, int i, int64_t *out)
{
	const int64_t *v;
	int count, rc = static_ints(n, i, &v, &count);

	if (rc == OK && count != 1)
		rc = invalid(n, "input %d has %d elements, expected 1", i, count);
	if (rc == OK)
		*out = v[0];
	return rc;
}

int
static_float(OnnxNode *n, int i, double *out)
{
	const double *v;
	int count, rc = static_floats(n, i, &v, &count);

	if (rc == OK && count != 1)
		rc = invalid(n, "input %d has %d elements, expected 1", i, count);
	if (rc == OK)
		*out = v[0];
	return rc;
}

const char *
fresh_name(Importer *im, const char *base)
{
	for (int i = 1;; i++) {
		const char *name = arena_printf(im->g->arena, "%s#%d", base, i);

		if (names_get(&im->names, name) != NAME_UNKNOWN)
			continue;
		names_put(im->tmp, &im->names, name, NAME_PENDING);
		return name;
	}
}

/* Takes bytes from the budget of constants. */
static int
spend(OnnxNode *n, const Value *v)
{
	if ((int64_t)value_bytes(v) > n->im->fold_bytes)
		return refuse(n,
			      "computes a constant of %zu bytes: beyond the limit for all of them",
			      value_bytes(v));
	n->im->fold_bytes -= (int64_t)value_bytes(v);
	return OK;
}

int
add_const(OnnxNode *n, DType type, int rank, const int64_t *dim, const void *data)
{
	Value v = {.type = type, .rank = rank};

	if (shape_check(rank, dim, &n->err))
		return n->err.code;
	if (rank)
		memcpy(v.dim, dim, (size_t)rank * sizeof *dim);
	if (spend(n, &v))
		return ERR_UNSUPPORTED;
	return graph_add_const(n->im->g, fresh_name(n->im, n->label), type, rank, dim, data, true);
}

int
add_scalar(OnnxNode *n, DType type, double v)
{
	int64_t bytes;

	dtype_put(type, &bytes, 0, v);
	return add_const(n, type, 0, NULL, &bytes);
}

int
add_ints(OnnxNode *n, int rank, const int64_t *v, int64_t count)
{
	return add_const(n, DT_I64, rank, &count, v);
}

/* Folds the node just added when all it reads is constant and the budgets allow. */
static int
fold(OnnxNode *n, int node)
{
	Importer *im = n->im;
	const Node *added = &im->g->node.v[node];
	int64_t work = graph_node_work(im->g, added);

	for (int i = 0; i < added->nin; i++)
		if (added->in[i] != NO_VALUE && !im->g->value.v[added->in[i]].is_const)
			return OK;
	if (work > im->fold_work)
		return OK;
	im->fold_work -= work;
	for (int i = 0; i < added->nout; i++)
		if (added->out[i] != NO_VALUE && spend(n, &im->g->value.v[added->out[i]]))
			return ERR_UNSUPPORTED;
	return graph_fold_node(im->g, node, &n->err);
}

/* Adds the node; *value gets its outputs. */
static int
emit(OnnxNode *n, const NodeSpec *spec, int value[])
{
	int node = graph_add_node(n->im->g, spec, &n->err), nout;
	const int *out;

	n->nattr = 0;
	if (node < 0)
		return node;
	nout = n->im->g->node.v[node].nout;
	out = n->im->g->node.v[node].out;
	memcpy(value, out, (size_t)nout * sizeof *value);
	return fold(n, node);
}

int
step_named(OnnxNode *n, const char *name, Op op, int nin, const int *in, const Value *given)
{
	NodeSpec spec = {.op = op,
			 .name = name,
			 .nin = nin,
			 .in = in,
			 .nattr = n->nattr,
			 .attr = n->attr,
			 .given = given,
			 .out = &name};
	int value, rc;

	for (int i = 0; i < nin; i++)
		if (in[i] < NO_VALUE) /* the error of an earlier step */
			return in[i];
	rc = emit(n, &spec, &value);
	return rc ? rc : value;
}

int
step(OnnxNode *n, Op op, int nin, const int *in, const Value *given)
{
	return step_named(n, fresh_name(n->im, n->label), op, nin, in, given);
}

bool
wants_output(const OnnxNode *n, int i)
{
	return (size_t)i < n->proto->n_output && *onnx_text(n->proto->output[i]);
}

int
finish(OnnxNode *n, Op op, int nin, const int *in, const Value *given)
{
	const char *out[8] = {NULL};
	int value[8], nout = n->row->out_max, rc = OK;
	NodeSpec spec = {.op = op,
			 .name = n->label,
			 .nin = nin,
			 .in = in,
			 .nattr = n->nattr,
			 .attr = n->attr,
			 .given = given,
			 .out = out};

	for (int i = 0; i < nin; i++)
		if (in[i] < NO_VALUE)
			return in[i];
	if (nout > op_info(op)->out_max)
		nout = op_info(op)->out_max;
	for (int i = 0; i < nout; i++)
		if (wants_output(n, i)) {
			out[i] = n->proto->output[i];
			spec.nout = i + 1;
		}
	rc = emit(n, &spec, value);
	for (int i = 0; rc == OK && i < nout; i++)
		if (out[i])
			rc = bind_output(n, i, value[i]);
	return rc;
}

/* What v was before it was reshaped. */
static int
before_reshape(const OnnxNode *n, int v)
{
	const Graph *g = n->im->g;

	while (v >= 0 && g->value.v[v].producer != NO_NODE &&
	       g->node.v[g->value.v[v].producer].op == OP_Reshape)
		v = g->node.v[g->value.v[v].producer].in[0];
	return v;
}

static bool
has_shape(const OnnxNode *n, int v, const Value *want)
{
	return v >= 0 && value_same_shape(value_of(n, v), want);
}

int
step_reshape(OnnxNode *n, int v, int rank, const int64_t *dim)
{
	Value want = {.rank = rank};

	if (rank)
		memcpy(want.dim, dim, (size_t)rank * sizeof *dim);
	v = before_reshape(n, v);
	return has_shape(n, v, &want) ? v : step(n, OP_Reshape, 1, &v, &want);
}

int
finish_reshape(OnnxNode *n, int v, int rank, const int64_t *dim)
{
	Value want = {.rank = rank};

	if (rank)
		memcpy(want.dim, dim, (size_t)rank * sizeof *dim);
	v = before_reshape(n, v);
	if (has_shape(n, v, &want))
		return bind_output(n, 0, v);
	return finish(n, OP_Reshape, 1, &v, &want);
}

int
bind_output(OnnxNode *n, int i, int v)
{
	if (v < 0)
		return v;
	if (wants_output(n, i))
		names_put(n->im->tmp, &n->im->names, n->proto->output[i], v);
	return OK;
}
