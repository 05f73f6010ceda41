/* Monotonic and wall time. */
#include "base/clock.h"

#include <errno.h>
#include <string.h>
#include <time.h>

uint64_t
clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

int64_t
clock_wall_s(void)
{
	return (int64_t)time(NULL);
}

void
clock_sleep_ns(uint64_t ns)
{
	struct timespec t = {(time_t)(ns / SECOND_NS), (long)(ns % SECOND_NS)};

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

const char *
clock_text(char out[CLOCK_TEXT], const char *form, int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(out, CLOCK_TEXT, form, &tm))
		strcpy(out, "-");
	return out;
}
