/* The peak is what the agent's calibration loop says. */
#include "bench/support.h"

#include "rpc_server/calibrate.h"

double
bench_peak_gflops(void)
{
	return calibrate_gflops();
}
