/* Movement along steps: every output element is one input element at an affine place. Bits move,
 * so all types are taken. Each operator only says how far the input moves per axis of a walk over
 * its output. */
#include "kernels/walk.h"

/* Elements that one step along each axis of t moves over. */
static void
contiguous_steps(const KTensor *t, int64_t *step)
{
	int64_t n = 1;

	for (int a = t->rank - 1; a >= 0; a--) {
		step[a] = n;
		n *= t->dim[a];
	}
}

/* Fills the output in row-major order of a space of its elements; step: the input's. */
static int
gather_steps(const KCall *k, int axes, const int64_t *dim, const int64_t *step, int64_t at)
{
	Walk w;

	walk_init(&w, axes, dim);
	walk_contiguous(&w, 0);
	for (int a = 0; a < axes; a++)
		w.step[1][a] = step[a];
	walk_copy(&w, k->out, 0, k->in, at);
	return 0;
}

int
ref_reshape(const KCall *k)
{
	int64_t count = k_count(k->out), step = 1;

	return gather_steps(k, 1, &count, &step, 0);
}

int
ref_transpose(const KCall *k)
{
	const KAttr *perm = k_attr(k, ATTR_perm);
	int64_t in[KERNEL_RANK_MAX], step[KERNEL_RANK_MAX];

	contiguous_steps(k->in, in);
	for (int a = 0; a < k->out->rank; a++)
		step[a] = in[perm->i[a]];
	return gather_steps(k, k->out->rank, k->out->dim, step, 0);
}

int
ref_expand(const KCall *k)
{
	const KTensor *out = k->out;
	Walk w;

	walk_init(&w, out->rank, out->dim);
	walk_contiguous(&w, 0);
	walk_broadcast(&w, 1, k->in);
	walk_copy(&w, out, 0, k->in, 0);
	return 0;
}

/* Each axis in two: which copy (step 0), where in it. */
int
ref_tile(const KCall *k)
{
	const KTensor *in = k->in, *out = k->out;
	int64_t contiguous[KERNEL_RANK_MAX], dim[WALK_AXES], step[WALK_AXES];

	contiguous_steps(in, contiguous);
	for (int a = 0; a < in->rank; a++) {
		dim[2 * a] = in->dim[a] ? out->dim[a] / in->dim[a] : 0;
		step[2 * a] = 0;
		dim[2 * a + 1] = in->dim[a];
		step[2 * a + 1] = contiguous[a];
	}
	return gather_steps(k, 2 * in->rank, dim, step, 0);
}

int
ref_slice(const KCall *k)
{
	const KAttr *starts = k_attr(k, ATTR_starts), *steps = k_attr(k, ATTR_steps);
	int64_t step[KERNEL_RANK_MAX], at = 0;

	contiguous_steps(k->in, step);
	for (int a = 0; a < k->out->rank; a++) {
		at += starts->i[a] * step[a];
		step[a] *= steps->i[a];
	}
	return gather_steps(k, k->out->rank, k->out->dim, step, at);
}

int
ref_concat(const KCall *k)
{
	const KTensor *out = k->out;
	int axis = (int)k_int(k, ATTR_axis);
	int64_t step[KERNEL_RANK_MAX], at = 0;

	contiguous_steps(out, step);
	for (int i = 0; i < k->nin; i++) {
		const KTensor *in = &k->in[i];
		Walk w;

		walk_init(&w, in->rank, in->dim);
		walk_contiguous(&w, 1);
		for (int a = 0; a < in->rank; a++)
			w.step[0][a] = step[a];
		walk_copy(&w, out, at, in, 0);
		at += in->dim[axis] * step[axis];
	}
	return 0;
}

/* Input [N, B, B, C', H, W] (DCR) or [N, C', B, B, H, W] (CRD), output [N, C', H, B, W, B]. */
int
ref_depthtospace(const KCall *k)
{
	const int64_t *in = k->in->dim;
	int64_t b = k_int(k, ATTR_blocksize), crd = k_int(k, ATTR_crd);
	int64_t c = in[1] / (b * b), plane = in[2] * in[3];
	int64_t row_step = (crd ? b : b * c) * plane, column_step = (crd ? 1 : c) * plane;
	int64_t dim[] = {in[0], c, in[2], b, in[3], b};
	int64_t step[] = {in[1] * plane, (crd ? b * b : 1) * plane, in[3], row_step, 1,
			  column_step};

	return gather_steps(k, 6, dim, step, 0);
}

/* Input [N, C, H', B, W', B], output [N, B, B, C, H', W']. */
int
ref_spacetodepth(const KCall *k)
{
	const int64_t *in = k->in->dim;
	int64_t b = k_int(k, ATTR_blocksize), h = in[2] / b, w = in[3] / b, plane = in[2] * in[3];
	int64_t dim[] = {in[0], b, b, in[1], h, w};
	int64_t step[] = {in[1] * plane, in[3], 1, plane, b * in[3], b};

	return gather_steps(k, 6, dim, step, 0);
}
