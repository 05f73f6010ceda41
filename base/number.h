/* Whole numbers: divisors and rounding. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Greatest common divisor of numbers that are not negative; gcd64(a, 0) is a. */
static inline int64_t
gcd64(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Bytes rounded up to whole cache lines, which is how the parts of an arena lie. */
static inline size_t
whole_lines(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

#endif
