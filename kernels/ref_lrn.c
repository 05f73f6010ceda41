/* LRN: divides by a power of the squares summed over neighbouring channels. */
#include "kernels/element.h"
#include "kernels/kmath.h"

int
ref_lrn(const KCall *k)
{
	const KTensor *x = k->in;
	int64_t channels = x->dim[1], plane = 1, size = k_int(k, ATTR_size);
	double factor = k_float(k, ATTR_alpha) / (double)size, sum[K_RUN], v[K_RUN];

	if (!k_is_float(x))
		return -1;
	for (int a = 2; a < x->rank; a++)
		plane *= x->dim[a];
	for (int64_t i = 0; i < x->dim[0] * channels; i++)
		for (int64_t p = 0; p < plane; p += K_RUN) {
			int n = (int)k_min(K_RUN, plane - p);
			int64_t c = i % channels, lo = k_max(0, c - (size - 1) / 2);
			int64_t hi = k_min(channels - 1, c + size / 2);

			for (int j = 0; j < n; j++)
				sum[j] = 0;
			for (int64_t d = lo; d <= hi; d++) {
				k_load(x, (i - c + d) * plane + p, 1, n, v);
				for (int j = 0; j < n; j++)
					sum[j] += v[j] * v[j];
			}
			k_load(x, i * plane + p, 1, n, v);
			for (int j = 0; j < n; j++)
				v[j] /= k_pow(k_float(k, ATTR_bias) + factor * sum[j],
					      k_float(k, ATTR_beta));
			k_store(k->out, i * plane + p, 1, n, v);
		}
	return 0;
}
