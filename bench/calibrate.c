/* calibrate: GFLOPS of one core's multiply-adds in this moment, for scripts. About 10 ms. */
#include <stdio.h>

#include "bench/support.h"

enum { PARTS = 10 };

int
main(void)
{
	double best = 0;

	for (int i = 0; i < PARTS; i++) {
		double gflops = bench_peak_gflops();

		best = gflops > best ? gflops : best;
	}
	printf("%.2f\n", best);
	return 0;
}
