/* Calibration loop. One body, compiled for several vector widths; the machine picks at run time.
 * The file is compiled with optimisation and contraction to multiply-adds in every build. */
#include "rpc_server/calibrate.h"

#include <stdint.h>

#include "base/clock.h"

enum { CHAINS = 12, PART_NS = 200000 };

/* Multiply-adds in CHAINS independent chains: enough to fill two units of latency 5. Named
 * variables and the barrier keep each chain in a register and the loop in the program. */
#define EACH(X)  X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define START(i) V acc##i = b * (float)i;
#define STEP(i)                  \
	acc##i = acc##i * a + b; \
	__asm__ volatile("" : VECTOR(acc##i));
#define BODY(bytes)                                          \
	typedef float V __attribute__((vector_size(bytes))); \
	V a = {0}, b = {0};                                  \
                                                             \
	a += 0.999f;                                         \
	b += 0.001f;                                         \
	EACH(START)                                          \
	for (; rounds; rounds--) {                           \
		EACH(STEP)                                   \
	}                                                    \
	return bytes / 4 * CHAINS * 2

#if defined(__x86_64__)
#define VECTOR(v) "+v"(v)
__attribute__((target("avx512f"))) static int
loop_avx512(uint64_t rounds)
{
	BODY(64);
}

__attribute__((target("avx2,fma"))) static int
loop_avx2(uint64_t rounds)
{
	BODY(32);
}
#elif defined(__aarch64__)
#define VECTOR(v) "+w"(v)
#else
#define VECTOR(v) "+m"(v)
#endif

static int
loop_any(uint64_t rounds)
{
	BODY(16);
}

/* Runs so many rounds; returns the floating-point operations of one. */
typedef int Loop(uint64_t rounds);

static Loop *
widest(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f"))
		return loop_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return loop_avx2;
#endif
	return loop_any;
}

static uint64_t
time_of(Loop *loop, uint64_t rounds, int *flops)
{
	uint64_t began = clock_ns(), ns;

	*flops = loop(rounds);
	ns = clock_ns() - began;
	return ns ? ns : 1;
}

double
calibrate_gflops(void)
{
	Loop *loop = widest();
	uint64_t rounds = 256, ns;
	double best = 0;
	int flops;

	while ((ns = time_of(loop, rounds, &flops)) < PART_NS / 4)
		rounds *= 2;
	rounds = rounds * PART_NS / ns + 1;
	for (int i = 0; i < 5; i++) {
		double gflops;

		ns = time_of(loop, rounds, &flops);
		gflops = (double)flops * (double)rounds / (double)ns;
		if (gflops > best)
			best = gflops;
	}
	return best;
}
