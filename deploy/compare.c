/* Element by element, in double precision. */
#include "deploy/compare.h"

#include <math.h>

static double
largest(DType type, const void *x, size_t n)
{
	double most = 0;

	for (size_t i = 0; i < n; i++) {
		double v = fabs(dtype_get(type, x, i));

		if (isfinite(v) && v > most)
			most = v;
	}
	return most;
}

static double
difference(double got, double want)
{
	if (got == want || (isnan(got) && isnan(want)))
		return 0;
	return isfinite(got) && isfinite(want) ? fabs(got - want) : INFINITY;
}

Comparison
compare_tensors(DType type, const void *got, const void *want, size_t n, Tolerance t)
{
	Comparison c = {.largest = largest(type, want, n)};

	for (size_t i = 0; i < n; i++) {
		double g = dtype_get(type, got, i), w = dtype_get(type, want, i);
		double d = difference(g, w), allowed = t.atol * c.largest + t.rtol * fabs(w);
		double share = d == 0 ? 0 : d / allowed;

		if (isinf(d) || !(share < INFINITY))
			share = INFINITY;
		c.wrong += share > 1;
		if (d > c.error)
			c.error = d;
		if (i && share <= c.worst)
			continue;
		c.worst = share;
		c.at = i;
		c.got = g;
		c.want = w;
	}
	return c;
}
