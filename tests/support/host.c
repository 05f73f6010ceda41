/* Which Targets can run here. */
#include "tests/support/host.h"

#include <stddef.h>

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
