/* Clip: min(max(x, low), high); both bounds are optional scalars. NaN goes through. Integers are
 * compared by key: one order for signed and unsigned. */
#include "kernels/kmath.h"
#include "kernels/element.h"

static void
clip_floats(const KCall *k, const KTensor *low, const KTensor *high, int64_t at, int n)
{
	double lo = low ? k_get(low, 0) : -K_INFINITY, hi = high ? k_get(high, 0) : K_INFINITY;
	double v[K_RUN];

	k_load(k->in, at, 1, n, v);
	for (int i = 0; i < n; i++) {
		v[i] = v[i] < lo ? lo : v[i];
		v[i] = v[i] > hi ? hi : v[i];
	}
	k_store(k->out, at, 1, n, v);
}

static void
clip_ints(const KCall *k, const KTensor *low, const KTensor *high, int64_t at, int n)
{
	int64_t lo = INT64_MIN, hi = INT64_MAX, key[K_RUN];

	if (low)
		k_load_key(low, 0, 0, 1, false, &lo);
	if (high)
		k_load_key(high, 0, 0, 1, false, &hi);
	k_load_key(k->in, at, 1, n, false, key);
	for (int i = 0; i < n; i++)
		key[i] = k_min(hi, k_max(lo, key[i]));
	k_store_key(k->out, at, 1, n, false, key);
}

int
ref_clip(const KCall *k)
{
	const KTensor *low = k_input(k, 1), *high = k_input(k, 2);
	int64_t count = k_count(k->out);

	if (k->in[0].type == DT_BOOL)
		return -1;
	for (int64_t at = 0; at < count; at += K_RUN) {
		int n = (int)k_min(K_RUN, count - at);

		if (k_is_float(k->in))
			clip_floats(k, low, high, at, n);
		else
			clip_ints(k, low, high, at, n);
	}
	return 0;
}
