/* Loaded before the C library: wall time jumps a year to and fro at every look. */
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>

enum { YEAR_S = 365 * 24 * 3600 };

static time_t
jump(time_t now)
{
	static _Atomic unsigned looks;

	return looks++ % 2 ? now + YEAR_S : now - YEAR_S;
}

static int
real_gettime(clockid_t id, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	return real(id, t);
}

int
clock_gettime(clockid_t id, struct timespec *t)
{
	int rc = real_gettime(id, t);

	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		t->tv_sec = jump(t->tv_sec);
	return rc;
}

time_t
time(time_t *out)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	if (out)
		*out = t.tv_sec;
	return t.tv_sec;
}

int
gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec t;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &t);
	*out = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
	return 0;
}
