/* Batch normalisation and its like fold away.
 *
 * y = x * scale + shift with one scale and shift for each channel (axis 1) is what a
 * BatchNormalization with constant parameters, a Mul or an Add with a per-channel constant compute.
 * It goes into the weights of the Conv, ConvTranspose or Gemm before it, or into the parameters of
 * a BatchNormalization before it, when nobody else reads the value between. What is left of
 * BatchNormalization with constant parameters becomes a Mul and an Add.
 *
 * Arithmetic is in double, rounded once. Requires bound outputs; leaves nodes and values without
 * use.
 */
#include <math.h>
#include <string.h>

#include "graph/importer.h"

typedef struct Affine {
	int64_t channels;
	double *scale, *shift;
} Affine;

typedef struct Pass {
	Importer *im;
	Graph *g;
	Arena *tmp;
	int *uses;
	int nuses; /* values made by the pass have no count */
} Pass;

static const Value *
constant(const Graph *g, const Node *n, int i)
{
	const Value *v = i < n->nin && n->in[i] != NO_VALUE ? &g->value.v[n->in[i]] : NULL;

	return v && v->is_const && v->data ? v : NULL;
}

static double
element(const Value *v, int64_t i)
{
	return dtype_get(v->type, v->data, (size_t)i);
}

static void
affine_init(Pass *p, Affine *a, int64_t channels)
{
	a->channels = channels;
	a->scale = ARENA_ARRAY(p->tmp, double, channels);
	a->shift = ARENA_ARRAY(p->tmp, double, channels);
}

static bool
affine_is_finite(const Affine *a)
{
	for (int64_t i = 0; i < a->channels; i++)
		if (!isfinite(a->scale[i]) || !isfinite(a->shift[i]))
			return false;
	return true;
}

static bool
from_batchnorm(Pass *p, const Node *n, Affine *a)
{
	const Value *param[5];
	double epsilon = node_float(n, ATTR_epsilon);

	for (int i = 1; i < 5; i++) {
		param[i] = constant(p->g, n, i);
		if (!param[i])
			return false;
	}
	affine_init(p, a, p->g->value.v[n->in[0]].dim[1]);
	for (int64_t c = 0; c < a->channels; c++) {
		a->scale[c] = element(param[1], c) / sqrt(element(param[4], c) + epsilon);
		a->shift[c] = element(param[2], c) - element(param[3], c) * a->scale[c];
	}
	return affine_is_finite(a);
}

/* Whether v broadcasts to x as one element, or as one for each channel. */
static bool
is_per_channel(const Value *v, const Value *x)
{
	int channel_axis = v->rank - (x->rank - 1);

	if (v->rank > x->rank)
		return false;
	for (int i = 0; i < v->rank; i++)
		if (v->dim[i] != 1 && (i != channel_axis || v->dim[i] != x->dim[1]))
			return false;
	return true;
}

/* A Mul or Add of x and a constant; *x_at tells which operand is x. */
static bool
from_arithmetic(Pass *p, const Node *n, Affine *a, int *x_at)
{
	const Value *out = &p->g->value.v[n->out[0]], *x, *c = constant(p->g, n, 1);

	*x_at = c ? 0 : 1;
	c = c ? c : constant(p->g, n, 0);
	x = &p->g->value.v[n->in[*x_at]];
	if (!c || x->is_const || x->rank < 2 || !value_same_shape(x, out) ||
	    !is_per_channel(c, x) || !dtype_is_float(x->type))
		return false;
	affine_init(p, a, x->dim[1]);
	for (int64_t i = 0; i < a->channels; i++) {
		double v = element(c, value_count(c) == 1 ? 0 : i);

		a->scale[i] = n->op == OP_Mul ? v : 1;
		a->shift[i] = n->op == OP_Mul ? 0 : v;
	}
	return affine_is_finite(a);
}

static bool
affine_of(Pass *p, const Node *n, Affine *a, int *x_at)
{
	*x_at = 0;
	if (n->out[0] == NO_VALUE)
		return false;
	if (n->op == OP_BatchNormalization)
		return from_batchnorm(p, n, a);
	return (n->op == OP_Mul || n->op == OP_Add) && from_arithmetic(p, n, a, x_at);
}

/* A new constant like v: v * scale of its channel + shift of its channel; shift NULL: nothing. */
static int
transformed(Pass *p, const Value *v, const Affine *a,
	    int64_t (*channel)(const Node *, const Value *, int64_t), const Node *n, bool shifted)
{
	Graph *g = p->g;
	int64_t count = value_count(v);
	void *data = graph_alloc_data(g, v);

	for (int64_t i = 0; i < count; i++) {
		int64_t c = channel(n, v, i);

		dtype_put(v->type, data, (size_t)i,
			  element(v, i) * a->scale[c] + (shifted ? a->shift[c] : 0));
	}
	return graph_add_const(g, fresh_name(p->im, v->name), v->type, v->rank, v->dim, data,
			       false);
}

/* Which output channel element i of the weights belongs to. */
static int64_t
channel_of_conv(const Node *n, const Value *w, int64_t i)
{
	(void)n;
	return i / (value_count(w) / w->dim[0]);
}

static int64_t
channel_of_convtranspose(const Node *n, const Value *w, int64_t i)
{
	int64_t window = value_count(w) / (w->dim[0] * w->dim[1]);
	int64_t row = i / (window * w->dim[1]), column = i / window % w->dim[1];

	return row / (w->dim[0] / node_int(n, ATTR_group)) * w->dim[1] + column;
}

static int64_t
channel_of_gemm(const Node *n, const Value *w, int64_t i)
{
	return node_int(n, ATTR_transB) ? i / w->dim[1] : i % w->dim[1];
}

static int64_t
channel_of_vector(const Node *n, const Value *w, int64_t i)
{
	(void)n;
	(void)w;
	return i;
}

/* A vector with one element for each channel: before * scale + shift. */
static int
new_bias(Pass *p, const char *base, DType type, const Value *before, double factor, const Affine *a)
{
	Graph *g = p->g;
	Value shape = {.type = type, .rank = 1, .dim = {a->channels}};
	void *data = graph_alloc_data(g, &shape);

	for (int64_t c = 0; c < a->channels; c++) {
		double b = before ? factor * element(before, value_count(before) == 1 ? 0 : c) : 0;

		dtype_put(type, data, (size_t)c, b * a->scale[c] + a->shift[c]);
	}
	return graph_add_const(g, fresh_name(p->im, base), type, 1, shape.dim, data, false);
}

static void
set_inputs(Pass *p, Node *n, int weight, int bias)
{
	int in[3] = {n->in[0], weight, bias};

	n->nin = 3;
	n->in = arena_copy(p->g->arena, in, sizeof in);
}

/* Conv, ConvTranspose and Gemm: weights and bias. False when they are not constant. */
static bool
into_weights(Pass *p, Node *n, const Affine *a)
{
	const Value *w = constant(p->g, n, 1), *b = constant(p->g, n, 2);
	bool has_bias = n->nin > 2 && n->in[2] != NO_VALUE;
	double factor = 1;
	int64_t (*channel)(const Node *, const Value *, int64_t) =
		n->op == OP_Conv   ? channel_of_conv
		: n->op == OP_Gemm ? channel_of_gemm
				   : channel_of_convtranspose;
	int weight;

	if (!w || (has_bias && !b) || !value_count(w))
		return false;
	if (n->op == OP_Gemm) {
		static const double one = 1;
		KAttr *beta = (KAttr *)node_attr(n, ATTR_beta);

		if (b && !(value_count(b) == 1 ||
			   (value_count(b) == a->channels && b->dim[b->rank - 1] == a->channels)))
			return false;
		factor = *beta->f;
		beta->f = &one;
	}
	weight = transformed(p, w, a, channel, n, false);
	set_inputs(p, n, weight, new_bias(p, w->name, w->type, b, factor, a));
	return true;
}

/* BatchNormalization: its scale and bias. */
static bool
into_batchnorm(Pass *p, Node *n, const Affine *a)
{
	const Value *scale = constant(p->g, n, 1), *bias = constant(p->g, n, 2);
	int in[5];

	if (!scale || !bias)
		return false;
	memcpy(in, n->in, sizeof in);
	in[1] = transformed(p, scale, a, channel_of_vector, n, false);
	in[2] = transformed(p, bias, a, channel_of_vector, n, true);
	n->in = arena_copy(p->g->arena, in, sizeof in);
	return true;
}

static bool
absorb(Pass *p, Node *n, const Affine *a)
{
	switch (n->op) {
	case OP_Conv:
	case OP_ConvTranspose:
	case OP_Gemm: return into_weights(p, n, a);
	case OP_BatchNormalization: return into_batchnorm(p, n, a);
	default: return false;
	}
}

/* Folds node i into the one before it, which takes over its output. */
static void
fold_into_producer(Pass *p, int i)
{
	Graph *g = p->g;
	Node *n = &g->node.v[i], *before;
	Affine a;
	int x, x_at;

	if (!affine_of(p, n, &a, &x_at))
		return;
	x = n->in[x_at];
	if (g->value.v[x].producer == NO_NODE || p->uses[x] != 1)
		return;
	before = &g->node.v[g->value.v[x].producer];
	if (!absorb(p, before, &a))
		return;
	before->out[0] = n->out[0];
	g->value.v[n->out[0]].producer = g->value.v[x].producer;
	g->value.v[x].producer = NO_NODE;
	n->out[0] = NO_VALUE; /* nobody needs it: swept */
}

/* A constant with one element for each channel that broadcasts to rank axes. */
static int
channel_const(Pass *p, const char *base, DType type, int rank, const double *v, int64_t channels)
{
	Value shape = {.type = type, .rank = rank - 1, .dim = {channels, 1, 1, 1, 1, 1, 1}};
	void *data = graph_alloc_data(p->g, &shape);

	for (int64_t c = 0; c < channels; c++)
		dtype_put(type, data, (size_t)c, v[c]);
	return graph_add_const(p->g, fresh_name(p->im, base), type, rank - 1, shape.dim, data,
			       false);
}

/* Adds Mul and Add in place of batch normalisation n; returns the value that replaces its output.
 */
static int
expand(Pass *p, const Node *n, const Affine *a)
{
	Graph *g = p->g;
	Value x = g->value.v[n->in[0]];
	const char *out = g->value.v[n->out[0]].name, *mid = fresh_name(p->im, out);
	int scale = channel_const(p, n->name, x.type, x.rank, a->scale, a->channels);
	int shift = channel_const(p, n->name, x.type, x.rank, a->shift, a->channels);
	int product = graph_add(g,
				&(NodeSpec){.op = OP_Mul,
					    .name = fresh_name(p->im, n->name),
					    .nin = 2,
					    .in = (int[]){n->in[0], scale},
					    .out = &mid},
				NULL);

	return graph_add(g,
			 &(NodeSpec){.op = OP_Add,
				     .name = n->name,
				     .nin = 2,
				     .in = (int[]){product, shift},
				     .out = &out},
			 NULL);
}

/* Writes the node list anew, each batch normalisation with constant parameters as two nodes. */
static void
expand_all(Pass *p)
{
	Graph *g = p->g;
	int count = g->node.n, values = g->value.n, *to;
	Node *old = g->node.v;
	Affine a;

	to = ARENA_ARRAY(p->tmp, int, values);
	for (int v = 0; v < values; v++)
		to[v] = v;
	memset(&g->node, 0, sizeof g->node);
	for (int i = 0; i < count; i++) {
		Node *n = &old[i];

		for (int k = 0; k < n->nin; k++)
			n->in[k] = n->in[k] == NO_VALUE ? NO_VALUE : to[n->in[k]];
		if (n->op == OP_BatchNormalization && n->out[0] != NO_VALUE &&
		    from_batchnorm(p, n, &a)) {
			g->value.v[n->out[0]].producer = NO_NODE;
			to[n->out[0]] = expand(p, n, &a);
			continue;
		}
		for (int k = 0; k < n->nout; k++)
			if (n->out[k] != NO_VALUE)
				g->value.v[n->out[k]].producer = g->node.n;
		vec_push(g->arena, &g->node, *n);
	}
	for (int i = 0; i < g->output.n; i++)
		g->output.v[i] = to[g->output.v[i]];
}

void
pass_batchnorm(Importer *im)
{
	Pass p = {.im = im, .g = im->g, .tmp = arena_new()};

	p.uses = graph_uses(p.g, p.tmp);
	for (int i = 0; i < p.g->node.n; i++)
		fold_into_producer(&p, i);
	expand_all(&p);
	arena_free(p.tmp);
}
