/* Seeded random numbers, the same on every machine. The generator is always a field of its user,
 * never global. xoshiro256** (Blackman, Vigna 2018), seeded through splitmix64. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"

typedef struct Rng {
	uint64_t s[4];
} Rng;

void rng_init(Rng *r, uint64_t seed);
uint64_t rng_next(Rng *r);
uint64_t rng_below(Rng *r, uint64_t n); /* uniform in [0, n); n > 0 */
double rng_unit(Rng *r);                /* uniform in [0, 1) */
double rng_normal(Rng *r);              /* mean 0, deviation 1 */

/* Fills n elements with values uniform in [lo, hi], rounded to the type; the host and the agent
 * call it with equal arguments and get equal bytes. Floats are multiples of (hi-lo)/2^16, so that
 * no denormals occur. */
void rng_fill(DType type, void *data, size_t n, uint64_t seed, double lo, double hi);

#endif
