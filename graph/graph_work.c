/* How much a node's reference kernel does: what bounds constant folding. */
#include "graph/graph.h"

static int64_t
count_of(const Graph *g, int v)
{
	return v == NO_VALUE ? 0 : value_count(&g->value.v[v]);
}

static double
window_of(const Node *n)
{
	const KAttr *kernel = node_attr(n, ATTR_kernel);
	double size = 1;

	for (int i = 0; kernel && i < kernel->n; i++)
		size *= (double)kernel->i[i];
	return size;
}

/* Inner steps for each output element; reductions and LSTM are covered by their inputs. */
static double
steps_per_output(const Graph *g, const Node *n)
{
	const Value *x = &g->value.v[n->in[0]], *w = n->nin > 1 ? &g->value.v[n->in[1]] : NULL;

	switch (n->op) {
	case OP_Conv:
	case OP_ConvInteger: return (double)w->dim[1] * window_of(n);
	case OP_ConvTranspose: return (double)w->dim[0] * window_of(n);
	case OP_Gemm: return (double)x->dim[node_int(n, ATTR_transA) == 0];
	case OP_MatMul:
	case OP_MatMulInteger: return (double)x->dim[x->rank - 1];
	case OP_AveragePool:
	case OP_MaxPool: return window_of(n);
	case OP_LRN: return (double)node_int(n, ATTR_size);
	case OP_LSTM: return 4.0 * (double)(x->dim[2] + node_int(n, ATTR_hidden_size));
	case OP_Resize: return 64;
	default: return 1;
	}
}

int64_t
graph_node_work(const Graph *g, const Node *n)
{
	double work = 0, out = 0;

	for (int i = 0; i < n->nin; i++)
		work += (double)count_of(g, n->in[i]);
	for (int i = 0; i < n->nout; i++)
		out += (double)count_of(g, n->out[i]);
	work += out * steps_per_output(g, n);
	return work < 0x1p62 ? (int64_t)work : INT64_MAX;
}

int64_t
graph_node_macs(const Graph *g, const Node *n)
{
	double x = (double)count_of(g, n->in[0]), out = (double)count_of(g, n->out[0]), macs = 0;
	const Value *w = n->nin > 1 ? &g->value.v[n->in[1]] : NULL;

	switch (n->op) {
	case OP_Conv:
	case OP_Gemm:
	case OP_ConvInteger:
	case OP_MatMulInteger:
	case OP_MatMul: macs = out * steps_per_output(g, n); break;
	case OP_ConvTranspose: macs = x * (double)w->dim[1] * window_of(n); break;
	case OP_LSTM: /* every step reads all of both weight tensors once per batch row */
		x = (double)(g->value.v[n->in[0]].dim[0] * g->value.v[n->in[0]].dim[1]);
		macs = x * (double)(count_of(g, n->in[1]) + count_of(g, n->in[2]));
		break;
	default: break;
	}
	return macs < 0x1p62 ? (int64_t)macs : INT64_MAX;
}
