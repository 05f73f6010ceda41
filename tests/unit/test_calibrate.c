/* Calibration: which figures there are. How large they are is no test's business. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hardware.h"
#include "rpc_server/bandwidth.h"
#include "rpc_server/calibrate.h"

enum { KIB = 1024, MIB = 1024 * KIB };

static void
all_figures_are_there(void **state)
{
	const uint64_t cache[3] = {32 * KIB, 512 * KIB, 4 * MIB};
	Calibration c;

	(void)state;
	memset(&c, 0xff, sizeof c);
	calibrate_all(cache, (uint64_t)1 << 30, &c);
#define X(key, field, unit, text) assert_true(isfinite(c.field) && c.field >= 0);
	CALIBRATION_LIST(X)
#undef X
	assert_true(c.fma_least_gflops > 0 && c.fma_least_gflops <= c.fma_gflops);
	assert_true(c.l1_gbs > 0 && c.l2_gbs > 0 && c.l3_gbs > 0 && c.dram_gbs > 0);
	assert_true(c.cold_gbs > 0 && c.tick_ns > 0 && c.seconds > 0);
}

static void
what_a_machine_lacks_is_0(void **state)
{
	const uint64_t small[3] = {32 * KIB, 0, 0};
	Calibration c;

	(void)state;
	calibrate_all(small, (uint64_t)1 << 30, &c);
	assert_true(c.l1_gbs > 0 && c.dram_gbs > 0);
	assert_true(c.l2_gbs == 0 && c.l3_gbs == 0 && c.cold_gbs == 0);
}

static void
memory_is_not_exceeded(void **state)
{
	const uint64_t cache[3] = {32 * KIB, 512 * KIB, 0};
	Calibration c;

	(void)state;
	calibrate_all(cache, 16 * MIB, &c);
	assert_true(c.l1_gbs > 0 && c.l2_gbs > 0 && c.dram_gbs == 0);
	calibrate_all(cache, 0, &c);
	assert_true(c.fma_gflops > 0 && c.l1_gbs == 0);
	assert_true(bandwidth_read(0) == 0 && bandwidth_cold(100) == 0);
}

static void
dot_products_are_where_the_processor_has_them(void **state)
{
	bool has = false;
	DeviceInfo d;
	Err e = {0};

	(void)state;
	assert_int_equal(hardware_read("", -1, &d, &e), OK);
	for (uint32_t i = 0; i < d.features.n; i++)
		has |= !strcmp(d.features.v[i], "avx512vnni") ||
		       !strcmp(d.features.v[i], "avxvnni") || !strcmp(d.features.v[i], "dotprod");
	assert_int_equal(calibrate_dot() > 0, has);
	device_fini(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_figures_are_there),
		cmocka_unit_test(what_a_machine_lacks_is_0),
		cmocka_unit_test(memory_is_not_exceeded),
		cmocka_unit_test(dot_products_are_where_the_processor_has_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
