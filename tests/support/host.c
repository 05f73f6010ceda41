/* Which Targets can run here. */
#include "tests/support/host.h"

#include <stddef.h>
#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

const char *const *
host_targets(void)
{
	static const char *list[6];
	int n = 0;

#if defined(__x86_64__)
	list[n++] = "x86-64";
	if (__builtin_cpu_supports("sse4.2"))
		list[n++] = "x86-64-v2";
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		list[n++] = "x86-64-v3";
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
	    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
		list[n++] = "x86-64-v4";
#elif defined(__aarch64__)
	list[n++] = "aarch64";
#endif
	list[n] = NULL;
	return list;
}

const char *const *
host_dot_targets(void)
{
	static const char *list[3];
	int n = 0;

#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl") &&
	    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
		list[n++] = "cascadelake";
	if (__builtin_cpu_supports("avxvnni"))
		list[n++] = "alderlake";
#elif defined(__aarch64__)
	if (getauxval(AT_HWCAP) >> 20 & 1)
		list[n++] = "cortex-a76";
	if (getauxval(AT_HWCAP2) >> 13 & 1)
		list[n++] = "neoverse-v1";
#endif
	list[n] = NULL;
	return list;
}
