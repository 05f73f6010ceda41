/* Trilu: keeps the upper or lower triangle of each matrix, zeros the rest. */
#include "kernels/element.h"

int
ref_trilu(const KCall *k)
{
	const KTensor *x = k->in;
	int64_t rows = x->dim[x->rank - 2], columns = x->dim[x->rank - 1];
	int64_t count = k_count(x);
	int64_t shift = k_max(-rows - 1, k_min(columns + 1, k_int(k, ATTR_k)));
	bool upper = k_int(k, ATTR_upper);

	for (int64_t at = 0, row = 0; at < count; at += columns, row = (row + 1) % rows) {
		/* the diagonal belongs to both triangles */
		int64_t edge = k_min(columns, k_max(0, row + shift + !upper));
		int64_t lo = upper ? edge : 0, hi = upper ? columns : edge;

		k_zero(k->out, at, columns);
		k_copy(k->out, at + lo, 1, x, at + lo, 1, hi - lo);
	}
	return 0;
}
