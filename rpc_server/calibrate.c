/* Calibration loops. One body each, compiled for several vector widths; the machine picks at run
 * time. The file is compiled with optimisation and contraction to multiply-adds in every build. */
#include "rpc_server/calibrate.h"

#include <stdint.h>

#include "base/clock.h"
#include "rpc_server/bandwidth.h"
#include "rpc_server/measure.h"

#if defined(__x86_64__)
#include <cpuid.h>

enum { AVX_VNNI_BIT = 4 }; /* of leaf 7.1, EAX */
#elif defined(__aarch64__) || defined(__arm__)
#include <sys/auxv.h>
#endif

enum {
	CHAINS = 12,
	PART_NS = 200000,
	WELL_ABOVE = 4,      /* times a cache: it then holds nothing of use */
	DRAM_MIN = 64 << 20, /* bytes; more than caches that were not named */
	DRAM_MAX = 512 << 20,
};

/* Multiply-adds in CHAINS independent chains: enough to fill two units of latency 5. Named
 * variables and the barrier keep each chain in a register and the loop in the program. */
#define EACH(X)  X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define START(i) V acc##i = b * (float)i;
#define ZERO(i)  V acc##i = {0};
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

#if defined(__arm__)
/* NEON's multiply-adds as instructions: a compiler takes them for too imprecise. */
enum { HWCAP_NEON = 1 << 12, HWCAP_VFP4 = 1 << 16 };
#define NEON_STEP(i) __asm__ volatile(MULTIPLY_ADD : "+w"(acc##i) : "w"(a), "w"(b));
#define NEON_BODY                                         \
	typedef float V __attribute__((vector_size(16))); \
	V a = {0}, b = {0};                               \
                                                          \
	EACH(ZERO)                                        \
	for (; rounds; rounds--) {                        \
		EACH(NEON_STEP)                           \
	}                                                 \
	return 4 * CHAINS * 2
#define MULTIPLY_ADD "vfma.f32 %q0, %q1, %q2"
__attribute__((target("fpu=neon-vfpv4"))) static int
loop_vfma(uint64_t rounds)
{
	NEON_BODY;
}
#undef MULTIPLY_ADD
#define MULTIPLY_ADD "vmla.f32 %q0, %q1, %q2"
__attribute__((target("fpu=neon"))) static int
loop_vmla(uint64_t rounds)
{
	NEON_BODY;
}
#endif

/* Dot products of 8-bit lanes, four to an i32 lane, as instructions: not every compiler knows
 * them by a name. */
#define DOT_STEP(i) __asm__ volatile(DOT : VECTOR(acc##i) : VECTOR_IN(a), VECTOR_IN(b));
#define DOT_BODY(bytes)                                        \
	typedef int32_t V __attribute__((vector_size(bytes))); \
	V a = {0}, b = {0};                                    \
                                                               \
	a += 0x01020304;                                       \
	b += 0x02030405;                                       \
	EACH(ZERO)                                             \
	for (; rounds; rounds--) {                             \
		EACH(DOT_STEP)                                 \
	}                                                      \
	return bytes * CHAINS * 2

#if defined(__x86_64__)
#define VECTOR_IN(v) "v"(v)
#define DOT          "vpdpbusd %2, %1, %0"
__attribute__((target("avx512f,avx512vnni"))) static int
dot_avx512(uint64_t rounds)
{
	DOT_BODY(64);
}
#undef DOT
#undef VECTOR_IN
#define VECTOR_IN(v) "x"(v)
#define DOT          "%{vex%} vpdpbusd %2, %1, %0"
__attribute__((target("avx2"))) static int
dot_avx2(uint64_t rounds)
{
	DOT_BODY(32);
}
#elif defined(__aarch64__)
enum { HWCAP_DOT = 1 << 20 };
#define VECTOR_IN(v) "w"(v)
#define DOT          "sdot %0.4s, %1.16b, %2.16b"
__attribute__((target("arch=armv8.2-a+dotprod"))) static int
dot_neon(uint64_t rounds)
{
	DOT_BODY(16);
}
#endif

/* Runs so many rounds; returns the operations of one. */
typedef int Loop(uint64_t rounds);

static Loop *
widest(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f"))
		return loop_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return loop_avx2;
#elif defined(__arm__)
	if (getauxval(AT_HWCAP) & HWCAP_NEON)
		return getauxval(AT_HWCAP) & HWCAP_VFP4 ? loop_vfma : loop_vmla;
#endif
	return loop_any;
}

/* NULL: no such instruction. */
static Loop *
widest_dot(void)
{
#if defined(__x86_64__)
	unsigned a, b, c, d;

	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni"))
		return dot_avx512;
	if (__builtin_cpu_supports("avx2") && __get_cpuid_count(7, 1, &a, &b, &c, &d) &&
	    a >> AVX_VNNI_BIT & 1)
		return dot_avx2;
#elif defined(__aarch64__)
	if (getauxval(AT_HWCAP) & HWCAP_DOT)
		return dot_neon;
#endif
	return NULL;
}

static uint64_t
time_of(Loop *loop, uint64_t rounds, int *operations)
{
	uint64_t began = clock_ns(), ns;

	*operations = loop(rounds);
	ns = clock_ns() - began;
	return ns ? ns : 1;
}

/* 10^9 operations a second, best of five parts. */
static double
rate(Loop *loop)
{
	uint64_t rounds = 256, ns;
	double best = 0;
	int operations;

	while ((ns = time_of(loop, rounds, &operations)) < PART_NS / 4)
		rounds *= 2;
	rounds = rounds * PART_NS / ns + 1;
	for (int i = 0; i < 5; i++) {
		double now;

		ns = time_of(loop, rounds, &operations);
		now = (double)operations * (double)rounds / (double)ns;
		if (now > best)
			best = now;
	}
	return best;
}

double
calibrate_gflops(void)
{
	return rate(widest());
}

double
calibrate_dot(void)
{
	Loop *loop = widest_dot();

	return loop ? rate(loop) : 0;
}

static uint64_t
now(void *self)
{
	(void)self;
	return clock_ns();
}

static void
multiply_adds(Calibration *c)
{
	double gflops = calibrate_gflops();

	if (gflops > c->fma_gflops)
		c->fma_gflops = gflops;
	if (c->fma_least_gflops == 0 || gflops < c->fma_least_gflops)
		c->fma_least_gflops = gflops;
}

/* A working set for the cache of that level: far larger than the level above, well inside its own.
 * A last level is shared, so that no more of it is asked for than it takes. */
static uint64_t
working_set(const uint64_t cache[3], int level)
{
	uint64_t half = cache[level] / 2, much = level ? WELL_ABOVE * cache[level - 1] : half;

	return much && much < half ? much : half;
}

void
calibrate_all(const uint64_t cache[3], uint64_t memory, Calibration *out)
{
	uint64_t last = cache[2] ? cache[2] : cache[1], beyond = WELL_ABOVE * last;
	Meter clock = {.now = now};
	uint64_t began = clock_ns();
	Calibration c = {.tick_ns = (double)measure_tick(&clock)};
	const struct {
		double *gbs;
		uint64_t bytes;
		double (*measure)(size_t bytes);
	} step[] = {
		{&c.l1_gbs, working_set(cache, 0), bandwidth_read},
		{&c.l2_gbs, working_set(cache, 1), bandwidth_read},
		{&c.cold_gbs, working_set(cache, 1), bandwidth_cold},
		{&c.l3_gbs, working_set(cache, 2), bandwidth_read},
		{&c.dram_gbs,
		 beyond < DRAM_MIN   ? DRAM_MIN
		 : beyond > DRAM_MAX ? DRAM_MAX
				     : beyond,
		 bandwidth_read},
	};

	multiply_adds(&c);
	c.dot_gops = calibrate_dot();
	for (size_t i = 0; i < sizeof step / sizeof *step; i++) {
		multiply_adds(&c);
		if (step[i].bytes <= memory / 4)
			*step[i].gbs = step[i].measure(step[i].bytes);
	}
	multiply_adds(&c);
	c.seconds = (double)(clock_ns() - began) * 1e-9;
	*out = c;
}
