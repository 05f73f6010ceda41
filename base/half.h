/* IEEE half and bfloat16 to and from float, rounding to nearest even. Freestanding. */
#ifndef BASE_HALF_H
#define BASE_HALF_H

#include <stdint.h>

static inline float
half_bits_to_float_(uint32_t bits)
{
	union {
		uint32_t u;
		float f;
	} x = {bits};
	return x.f;
}

static inline uint32_t
half_float_to_bits_(float v)
{
	union {
		float f;
		uint32_t u;
	} x = {v};
	return x.u;
}

static inline float
half_to_float(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, exp = h >> 10 & 31, man = h & 1023;

	if (exp == 31)
		return half_bits_to_float_(sign | 0x7f800000 | man << 13);
	if (exp)
		return half_bits_to_float_(sign | (exp + 112) << 23 | man << 13);
	/* subnormal: man * 2^-24, exact in float */
	return half_bits_to_float_(sign | half_float_to_bits_((float)man * 5.9604644775390625e-8f));
}

static inline uint16_t
float_to_half(float v)
{
	uint32_t b = half_float_to_bits_(v), sign = b >> 16 & 0x8000, a = b & 0x7fffffff;

	if (a > 0x7f800000)
		return (uint16_t)(sign | 0x7e00);
	if (a >= 0x477ff000) /* rounds beyond 65504 */
		return (uint16_t)(sign | 0x7c00);
	if (a < 0x38800000) { /* subnormal: let the float adder round at 2^-24 */
		float f = half_bits_to_float_(a) + 0.5f;

		return (uint16_t)(sign | (half_float_to_bits_(f) - 0x3f000000));
	}
	a += 0xfff + (a >> 13 & 1);
	return (uint16_t)(sign | (a - 0x38000000) >> 13);
}

static inline float
bf16_to_float(uint16_t h)
{
	return half_bits_to_float_((uint32_t)h << 16);
}

static inline uint16_t
float_to_bf16(float v)
{
	uint32_t b = half_float_to_bits_(v);

	if ((b & 0x7fffffff) > 0x7f800000)
		return (uint16_t)(b >> 16 | 0x40);
	return (uint16_t)((b + 0x7fff + (b >> 16 & 1)) >> 16);
}

#endif
