/* Time. State machines take it as an argument; only spines and loops ask this clock. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define SECOND_NS UINT64_C(1000000000)
#define MS_NS     UINT64_C(1000000)

uint64_t clock_ns(void);    /* monotonic: deadlines, durations, measurements */
int64_t clock_wall_s(void); /* seconds since 1970: labels only */
void clock_sleep_ns(uint64_t ns);

enum { CLOCK_TEXT = 40 };
/* So many seconds since 1970, in UTC, as strftime writes them by `form`; "-" where that is no date
 * of any calendar. */
const char *clock_text(char out[CLOCK_TEXT], const char *form, int64_t seconds);

#endif
