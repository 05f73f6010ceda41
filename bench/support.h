/* What the benchmarks share: the peak of the machine they run on. */
#ifndef BENCH_SUPPORT_H
#define BENCH_SUPPORT_H

/* Multiply-add peak of one core in this moment, about 1 ms of work. */
double bench_peak_gflops(void);

#endif
