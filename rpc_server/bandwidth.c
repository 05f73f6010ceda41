/* Streaming reads. One body, compiled for several vector widths; the machine picks at run time. The
 * file is compiled with optimisation in every build.
 *
 * A pass reads every byte of a buffer once. Several streams keep the prefetchers of several pages
 * at work; the values go nowhere, so nothing but loads is timed. */
#include "rpc_server/bandwidth.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "rpc_server/cold.h"

enum {
	STREAMS = 4,
	STEP = 256, /* bytes of each stream in a round */
	PARTS = 5,
	COLD_PARTS = 9,
	PART_NS = 1000000,
};

/* A value that was loaded and is not needed: the barrier keeps the load in the program. */
#define TAKE(stream, u)                                                       \
	{                                                                     \
		V v = *(const V *)(p + (stream)*each + at + (u) * sizeof(V)); \
		__asm__ volatile("" : : REGISTER(v));                         \
	}
#define FOUR(stream, u) TAKE(stream, u) TAKE(stream, u + 1) TAKE(stream, u + 2) TAKE(stream, u + 3)
#define ALL(u)          FOUR(0, u) FOUR(1, u) FOUR(2, u) FOUR(3, u)
#define BODY                                                       \
	for (size_t at = 0; at < each; at += STEP)                 \
		for (size_t u = 0; u < STEP / sizeof(V); u += 4) { \
			ALL(u)                                     \
		}

/* Reads STREAMS streams of `each` bytes that lie behind each other. */
typedef void Pass(const uint8_t *p, size_t each);

#if defined(__x86_64__)
#define REGISTER(v) "v"(v)
__attribute__((target("avx512f"))) static void
pass_avx512(const uint8_t *p, size_t each)
{
	typedef float V __attribute__((vector_size(64)));

	BODY
}

__attribute__((target("avx"))) static void
pass_avx(const uint8_t *p, size_t each)
{
	typedef float V __attribute__((vector_size(32)));

	BODY
}

static void
pass_any(const uint8_t *p, size_t each)
{
	typedef float V __attribute__((vector_size(16)));

	BODY
}
#else
#if defined(__aarch64__)
#define REGISTER(v) "w"(v)
typedef float Word __attribute__((vector_size(16)));
#elif defined(__arm__)
#define REGISTER(v) "r"(v)
typedef uint64_t Word; /* two registers by one instruction */
#else
#define REGISTER(v) "r"(v)
typedef uintptr_t Word;
#endif
static void
pass_any(const uint8_t *p, size_t each)
{
	typedef Word V;

	BODY
}
#endif

static Pass *
widest(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f"))
		return pass_avx512;
	if (__builtin_cpu_supports("avx"))
		return pass_avx;
#endif
	return pass_any;
}

/* Fresh memory with contents: pages that were never written may be one page many times over. */
static uint8_t *
take_memory(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	memset(p, 1, bytes);
	return p;
}

/* Reads the buffer so many times; ns. */
static uint64_t
time_of(Pass *pass, const uint8_t *p, size_t each, uint64_t times)
{
	uint64_t began = clock_ns(), ns;

	for (uint64_t i = 0; i < times; i++)
		pass(p, each);
	ns = clock_ns() - began;
	return ns ? ns : 1;
}

double
bandwidth_read(size_t bytes)
{
	size_t each = bytes / STREAMS / STEP * STEP, whole = each * STREAMS;
	Pass *pass = widest();
	uint64_t times = 1, ns;
	double best = 0;
	uint8_t *p;

	if (!each || !(p = take_memory(whole)))
		return 0;
	while ((ns = time_of(pass, p, each, times)) < PART_NS / 4)
		times *= 2;
	times = times * PART_NS / ns + 1;
	for (int i = 0; i < PARTS; i++) {
		double gbs;

		ns = time_of(pass, p, each, times);
		gbs = (double)whole * (double)times / (double)ns;
		best = gbs > best ? gbs : best;
	}
	munmap(p, whole);
	return best;
}

double
bandwidth_cold(size_t bytes)
{
	size_t each = bytes / STREAMS / STEP * STEP, whole = each * STREAMS;
	Pass *pass = widest();
	double best = 0;
	uint8_t *p;

	if (!each || !(p = take_memory(2 * whole)))
		return 0;
	for (int i = 0; i < COLD_PARTS; i++) {
		double gbs;

		cold_copy(p, p + whole, whole);
		gbs = (double)whole / (double)time_of(pass, p, each, 1);
		best = gbs > best ? gbs : best;
	}
	munmap(p, 2 * whole);
	return best;
}
