/* Random numbers and random tensor contents. */
#include "base/rng.h"

#include <math.h>

void
rng_init(Rng *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15u;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		r->s[i] = z ^ z >> 31;
	}
}

static uint64_t
rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

uint64_t
rng_next(Rng *r)
{
	uint64_t *s = r->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

uint64_t
rng_below(Rng *r, uint64_t n)
{
	uint64_t limit = UINT64_MAX - UINT64_MAX % n, v;

	do
		v = rng_next(r);
	while (v >= limit);
	return v % n;
}

double
rng_unit(Rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1p-53;
}

double
rng_normal(Rng *r)
{
	double u = 1 - rng_unit(r), v = rng_unit(r);

	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

void
rng_fill(DType type, void *data, size_t n, uint64_t seed, double lo, double hi)
{
	bool is_float = dtype_is_float(type);
	double step = (hi - lo) / 65536;
	Rng r;

	rng_init(&r, seed);
	for (size_t i = 0; i < n; i++) {
		uint64_t bits = rng_next(&r) >> 48;
		double v = is_float ? lo + step * (double)bits
				    : floor(lo + (hi - lo + 1) * ((double)bits / 65536));

		dtype_put(type, data, i, v);
	}
}
