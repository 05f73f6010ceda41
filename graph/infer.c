/* Driver and helpers of shape inference.
 *
 * Whether an operator takes a type is asked of its kernel, with tensors that have no elements: the
 * kernels are the one place that knows, and they answer -1 before they touch data.
 */
#include "graph/infer.h"

#include <string.h>

static Infer *const infers[] = {
#define X(name, ref, infer, stages, in_min, in_max, out_max, attrs) infer_##infer,
	OP_LIST(X)
#undef X
};

void
infer_copy_shape(Value *out, const Value *v)
{
	out->type = v->type;
	out->rank = v->rank;
	memcpy(out->dim, v->dim, sizeof out->dim);
}

int
infer_rank(const Value *v, int min, int max, Err *e)
{
	if (v->rank >= min && v->rank <= max)
		return OK;
	if (min == max)
		return err_set(e, ERR_INPUT, "'%s' has rank %d, expected %d", v->name, v->rank,
			       min);
	return err_set(e, ERR_INPUT, "'%s' has rank %d, expected %d to %d", v->name, v->rank, min,
		       max);
}

int
infer_axis(const Node *n, const Value *v, Err *e)
{
	int64_t axis = node_int(n, ATTR_axis);

	if (axis >= 0 && axis < v->rank)
		return OK;
	return err_set(e, ERR_INPUT, "axis %lld is none of the %d of '%s'", (long long)axis,
		       v->rank, v->name);
}

int
infer_vector(const Value *v, int64_t extent, const char *what, Err *e)
{
	Str s = {0};
	int rc;

	if (!v || (v->rank == 1 && v->dim[0] == extent))
		return OK;
	shape_print(&s, v->type, v->rank, v->dim);
	rc = err_set(e, ERR_INPUT, "%s '%s' is %s, expected %lld elements of rank 1", what, v->name,
		     s.s, (long long)extent);
	str_fini(&s);
	return rc;
}

int
infer_same_type(const Value *a, const Value *b, Err *e)
{
	if (!a || !b || a->type == b->type)
		return OK;
	return err_set(e, ERR_INPUT, "'%s' is %s and '%s' is %s, expected equal types", a->name,
		       dtype_name(a->type), b->name, dtype_name(b->type));
}

int
infer_broadcast_dims(Value *out, const Value *v, Err *e)
{
	int rank = v->rank > out->rank ? v->rank : out->rank;
	int64_t dim[KERNEL_RANK_MAX];

	for (int i = 0; i < rank; i++) {
		int io = i - (rank - out->rank), iv = i - (rank - v->rank);
		int64_t o = io < 0 ? 1 : out->dim[io], d = iv < 0 ? 1 : v->dim[iv];

		if (o != d && o != 1 && d != 1)
			return err_set(e, ERR_INPUT,
				       "'%s' has extent %lld on axis %d where the others have %lld",
				       v->name, (long long)d, iv, (long long)o);
		dim[i] = o == 1 ? d : o;
	}
	out->rank = rank;
	memcpy(out->dim, dim, (size_t)rank * sizeof *dim);
	return OK;
}

/* A view of v with the same rank but no elements. A scalar has one by nature: it becomes a vector.
 */
static KTensor
without_elements(const Value *v)
{
	static int64_t nothing; /* never written: there are no elements */

	return (KTensor){.type = (int32_t)v->type, .rank = v->rank ? v->rank : 1, .data = &nothing};
}

static int
check_types(const Graph *g, const Node *n, const Value *out, Err *e)
{
	Arena *a = arena_new();
	KTensor *in = ARENA_ARRAY(a, KTensor, n->nin), outs[NODE_OUT_MAX];
	KCall call = {.nin = n->nin,
		      .nout = n->nout,
		      .nattr = n->nattr,
		      .in = in,
		      .out = outs,
		      .attr = n->attr};
	Str types = {0};
	int rc = OK;

	for (int i = 0; i < n->nin; i++) {
		const Value *v = infer_in(g, n, i);

		in[i] = v ? without_elements(v) : (KTensor){0};
		str_printf(&types, "%s%s", i ? ", " : "", v ? dtype_name(v->type) : "-");
	}
	for (int i = 0; i < n->nout; i++)
		outs[i] = without_elements(&out[i]);
	call.scratch = arena_alloc(a, (size_t)kernel_scratch(n->op, &call) + 1);
	if (op_info(n->op)->kernel(&call))
		rc = err_set(e, ERR_UNSUPPORTED, "elements of type %s", types.s);
	str_fini(&types);
	arena_free(a);
	return rc;
}

int
infer_node(const Graph *g, const Node *n, Value *out, Err *e)
{
	int rc = infers[n->op](g, n, out, e);

	for (int i = 0; rc == OK && i < n->nout; i++)
		rc = shape_check(out[i].rank, out[i].dim, e);
	return rc ? rc : check_types(g, n, out, e);
}
