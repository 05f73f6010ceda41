/* Gather: slices of the data along one axis, chosen by indices. Negative indices count from the
 * end; an index out of range gives zeros, never a read out of bounds. */
#include "kernels/element.h"

int
ref_gather(const KCall *k)
{
	const KTensor *data = &k->in[0], *indices = &k->in[1];
	int axis = (int)k_int(k, ATTR_axis);
	int64_t outer = 1, inner = 1, extent = data->dim[axis], count = k_count(indices), at = 0;

	if (indices->type != DT_I32 && indices->type != DT_I64)
		return -1;
	for (int a = 0; a < axis; a++)
		outer *= data->dim[a];
	for (int a = axis + 1; a < data->rank; a++)
		inner *= data->dim[a];
	for (int64_t o = 0; o < outer; o++)
		for (int64_t i = 0; i < count; i++, at += inner) {
			int64_t v = k_get_int(indices, i);

			v += v < 0 ? extent : 0;
			if (v >= 0 && v < extent)
				k_copy(k->out, at, 1, data, (o * extent + v) * inner, 1, inner);
			else
				k_zero(k->out, at, inner);
		}
	return 0;
}
