/* What the benchmarks share: the machine they run on and its peak. */
#ifndef BENCH_SUPPORT_H
#define BENCH_SUPPORT_H

#include "base/err.h"
#include "search_space/target.h"

/* The Target of this machine, as an agent here would report it. */
int bench_host_target(Target *t, Err *e);

/* Multiply-add peak of one core in this moment, about 1 ms of work. */
double bench_peak_gflops(void);

#endif
