/* ArgMax and ArgMin: the position of the extreme along one axis, the first or the last of equal
 * ones. NaN counts as the extreme. */
#include "kernels/element.h"

static int64_t
position(const KTensor *x, int64_t at, int64_t step, int64_t count, bool least, bool last)
{
	int64_t best = INT64_MIN, where = 0, key[K_RUN];

	for (int64_t i = 0; i < count; i += K_RUN) {
		int n = (int)k_min(K_RUN, count - i);

		k_load_key(x, at + i * step, step, n, least, key);
		for (int j = 0; j < n; j++)
			if (key[j] > best || (last && key[j] == best)) {
				best = key[j];
				where = i + j;
			}
	}
	return where;
}

static int
arg_extreme(const KCall *k, bool least)
{
	const KTensor *x = k->in;
	int axis = (int)k_int(k, ATTR_axis);
	bool last = k_int(k, ATTR_select_last_index);
	int64_t outer = 1, step = 1, count = x->dim[axis], out = 0;

	if (x->type == DT_BOOL)
		return -1;
	for (int a = 0; a < axis; a++)
		outer *= x->dim[a];
	for (int a = axis + 1; a < x->rank; a++)
		step *= x->dim[a];
	for (int64_t o = 0; o < outer; o++)
		for (int64_t i = 0; i < step; i++) {
			int64_t v = position(x, o * count * step + i, step, count, least, last);

			k_store_int(k->out, out++, 0, 1, &v);
		}
	return 0;
}

int
ref_argmax(const KCall *k)
{
	return arg_extreme(k, false);
}

int
ref_argmin(const KCall *k)
{
	return arg_extreme(k, true);
}
