/* Loop segments as bytes. */
#include "codegen/pack.h"

#include "base/pack.h"

static void
put(Str *out, const void *v, size_t n)
{
	str_addn(out, v, n);
}

static void
put_u32(Str *out, uint32_t v)
{
	put(out, &v, sizeof v);
}

static void
put_i64(Str *out, int64_t v)
{
	put(out, &v, sizeof v);
}

static void
put_segment(const Segment *s, const TaskTensor *x, int constant, Str *out)
{
	const uint8_t b[] = {(uint8_t)x->type, (uint8_t)x->rank, (uint8_t)s->nloop, s->whole};
	size_t rank = (size_t)x->rank;

	put_u32(out, (uint32_t)constant);
	put(out, b, sizeof b);
	put_u32(out, (uint32_t)s->lanes);
	put_u32(out, (uint32_t)s->slot.n);
	put_i64(out, s->offset);
	put(out, &s->otherwise, sizeof s->otherwise);
	put(out, x->dim, rank * sizeof x->dim[0]);
	put(out, s->lane_coef, rank * sizeof s->lane_coef[0]);
	for (int k = 0; k < s->nloop; k++) {
		put_i64(out, s->loop[k].extent);
		put_i64(out, s->loop[k].stride);
		put(out, s->loop[k].coef, rank * sizeof s->loop[k].coef[0]);
	}
	for (int i = 0; i < s->slot.n; i++)
		put(out, s->slot.v[i].at, rank * sizeof s->slot.v[i].at[0]);
}

void
pack_describe(const Loop *l, const Task *t, const int *number, Str *out)
{
	put_u32(out, PACK_MAGIC);
	put_u32(out, (uint32_t)l->seg.n);
	put_i64(out, l->pool_bytes);
	for (int i = 0; i < l->seg.n; i++)
		put_segment(&l->seg.v[i], &t->tensor.v[l->seg.v[i].tensor],
			    number[l->seg.v[i].tensor], out);
}

int
pack_number(const Task *t, int *number, int *given)
{
	int n = 0;

	for (int i = 0; i < t->tensor.n; i++) {
		number[i] = TASK_NONE;
		if (t->tensor.v[i].kind == TENSOR_CONST && !tensor_is_made(t, i))
			number[i] = n++;
	}
	*given = n;
	for (int i = 0; i < t->tensor.n; i++)
		if (t->tensor.v[i].kind == TENSOR_LIT)
			number[i] = n++;
	for (int i = 0; i < t->tensor.n; i++)
		if (t->tensor.v[i].kind == TENSOR_CONST && tensor_is_made(t, i))
			number[i] = n++;
	return n;
}
