/* What the benchmarks share: the peak of the machine they run on, spills, JSON lines. */
#ifndef BENCH_SUPPORT_H
#define BENCH_SUPPORT_H

#include <stdbool.h>

/* Multiply-add peak of one core in this moment, about 1 ms of work. */
double bench_peak_gflops(void);

/* Vector-wide references to the stack within the innermost loops of an x86 listing that multiply
 * and add. */
int bench_spills(const char *assembly);

/* Whether a name is among those asked for; everything is when the list is empty. */
bool bench_wanted(const char *name, int n, char **list);

/* Takes an option out of the arguments: whether it was there, its number or `otherwise`,
 * its text or NULL. */
bool bench_flag(int *argc, char **argv, const char *name);
int bench_number(int *argc, char **argv, const char *name, int otherwise);
const char *bench_text(int *argc, char **argv, const char *name);

/* The text of a Sched in one line: without the word "direct" and with "; " between lines. */
void bench_one_line(const char *sched, char *out, int room);

#endif
