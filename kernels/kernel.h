/* Reference kernels: the meaning of each operator as readable C.
 *
 * Every kernel is freestanding: it includes headers of this folder only, calls no libc, has no
 * state and allocates nothing, so that the same source serves constant folding on the host, the
 * check of finalists, and the fallback inside a bundle (as LLVM bitcode or as C).
 *
 * Contract of every ref_* function:
 * - tensors are contiguous, row-major, of the shapes that shape inference gives; extents may be 0;
 * - an optional input that is absent has data == NULL; outputs nobody wants have data == NULL;
 * - outputs do not overlap inputs;
 * - sums are kept in double (in 64-bit integers for integer types);
 * - returns 0, or -1 when the element type is not supported by this kernel.
 */
#ifndef KERNELS_KERNEL_H
#define KERNELS_KERNEL_H

#include "base/dtype.h"
#include "base/half.h"
#include "kernels/ops.h"

enum { KERNEL_RANK_MAX = 8 };

typedef struct KTensor {
	int32_t type; /* DType */
	int32_t rank;
	int64_t dim[KERNEL_RANK_MAX];
	void *data;
} KTensor;

typedef struct KAttr {
	int32_t key; /* AttrKey */
	int32_t n;   /* 1 for INT and FLOAT */
	const int64_t *i;
	const double *f;
} KAttr;

typedef struct KCall {
	int32_t nin, nout, nattr;
	const KTensor *in;
	const KTensor *out;
	const KAttr *attr;
	void *scratch; /* at least kernel_scratch() bytes, 64-byte aligned; NULL when 0 */
} KCall;

typedef int Kernel(const KCall *k);

#define X(name, ref, infer, stages, in_min, in_max, out_max, attrs) Kernel ref_##ref;
OP_LIST(X)
#undef X

/* Scratch bytes a kernel needs for this call (only LSTM and Resize need any). Data pointers are not
 * read. */
int64_t kernel_scratch(Op op, const KCall *k);
int64_t lstm_scratch(const KCall *k);
int64_t resize_scratch(const KCall *k);

static inline const KAttr *
k_attr(const KCall *k, AttrKey key)
{
	for (int i = 0; i < k->nattr; i++)
		if (k->attr[i].key == (int32_t)key)
			return &k->attr[i];
	return 0;
}

static inline int64_t
k_int(const KCall *k, AttrKey key)
{
	const KAttr *a = k_attr(k, key);

	return a && a->n > 0 ? a->i[0] : 0;
}

static inline double
k_float(const KCall *k, AttrKey key)
{
	const KAttr *a = k_attr(k, key);

	return a && a->n > 0 ? a->f[0] : 0;
}

/* Optional inputs and outputs: NULL where the call has none. */
static inline const KTensor *
k_input(const KCall *k, int i)
{
	return i < k->nin && k->in[i].data ? &k->in[i] : 0;
}

static inline const KTensor *
k_output(const KCall *k, int i)
{
	return i < k->nout && k->out[i].data ? &k->out[i] : 0;
}

static inline int64_t
k_count(const KTensor *t) /* elements */
{
	int64_t n = 1;

	for (int i = 0; i < t->rank; i++)
		n *= t->dim[i];
	return n;
}

#endif
