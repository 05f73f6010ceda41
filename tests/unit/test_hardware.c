/* hardware: facts read from a tree of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hardware.h"
#include "base/processor.h"
#include "base/str.h"

static char root[] = "/tmp/hone-test-hardware-XXXXXX";

/* Writes a file of the tree with its folders. */
static void
put(const char *path, const char *text)
{
	char full[300], folder[300];
	Err e = {0};

	snprintf(full, sizeof full, "%s%s", root, path);
	for (char *slash = strchr(full + strlen(root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		snprintf(folder, sizeof folder, "%.*s", (int)(slash - full), full);
		if (dir_make(folder, &e))
			fail_msg("%s", e.msg);
	}
	if (file_write(full, text, strlen(text), &e))
		fail_msg("%s", e.msg);
}

static DeviceInfo
look(void)
{
	DeviceInfo d;
	Err e = {0};

	assert_int_equal(hardware_read(root, -1, &d, &e), OK);
	return d;
}

static void
nothing_to_read_is_not_known(void **state)
{
	DeviceInfo d = look();

	(void)state;
	assert_string_equal(d.smt, "");
	assert_string_equal(d.boost, "");
	assert_string_equal(d.governor, "none");
	assert_false(d.virtualised);
	assert_true(d.load == 0);
	device_fini(&d);
}

static void
what_spoils_timings_is_read(void **state)
{
	DeviceInfo d;

	(void)state;
	put("/proc/loadavg", "1.25 0.50 0.25 1/100 4242\n");
	put("/proc/cpuinfo", "model name\t: Some CPU\nflags\t\t: fpu sse hypervisor avx\n");
	put("/sys/devices/system/cpu/smt/active", "1\n");
	put("/sys/devices/system/cpu/intel_pstate/no_turbo", "0\n");
	put("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
	d = look();
	assert_string_equal(d.cpu, "Some CPU");
	assert_string_equal(d.smt, "on");
	assert_string_equal(d.boost, "on");
	assert_string_equal(d.governor, "powersave");
	assert_true(d.virtualised);
	assert_true(d.load == 1.25);
	device_fini(&d);
	put("/sys/devices/system/cpu/cpufreq/boost", "0\n");
	put("/sys/devices/system/cpu/smt/active", "0\n");
	put("/proc/cpuinfo", "model name\t: Some CPU\nflags\t\t: fpu sse avx\n");
	d = look();
	assert_string_equal(d.boost, "off");
	assert_string_equal(d.smt, "off");
	assert_false(d.virtualised);
	device_fini(&d);
	put("/sys/devices/system/cpu/smt/active", "forceoff?\n");
	d = look();
	assert_string_equal(d.smt, "");
	device_fini(&d);
}

/* A kernel of another architecture below is an emulator's host; a program of 32 bits on a kernel of
 * 64 is none. */
static void
emulation_is_seen(void **state)
{
	const char *others[] = {"aarch64", "riscv64", "x86_64", "s390x"};
	DeviceInfo d;

	(void)state;
	put("/proc/cpuinfo", "model name\t: Some CPU\n");
	d = look();
	assert_false(d.emulated);
	assert_string_equal(d.cpu, "Some CPU");
	device_fini(&d);
	for (size_t i = 0; i < 4; i++) {
		put("/proc/sys/kernel/arch", others[i]);
		d = look();
		assert_int_equal(d.emulated, strcmp(others[i], PROCESSOR_ARCH) != 0);
		if (d.emulated)
			assert_string_equal(d.cpu, DEVICE_EMULATED PROCESSOR_ARCH " on Some CPU");
		device_fini(&d);
	}
	put("/proc/sys/kernel/arch", PROCESSOR_ARCH "\n");
	put("/proc/self/comm", "qemu-arm-static\n");
	d = look();
	assert_true(d.emulated);
	device_fini(&d);
	put("/proc/self/comm", "rpc_server\n");
	d = look();
	assert_false(d.emulated);
	device_fini(&d);
}

static void
cores_have_names(void **state)
{
	(void)state;
	assert_string_equal(processor_core_name(0x410fd083),
			    "cortex-a72"); /* of a Raspberry Pi 4 */
	assert_string_equal(processor_core_name(0x410fd034), "cortex-a53");
	assert_string_equal(processor_core_name(0x413fd0c1), "neoverse-n1");
	assert_string_equal(processor_core_name(0x410fc075), "cortex-a7");
	assert_string_equal(processor_core_name(0x611f0221), "apple-m1");
	assert_string_equal(processor_core_name(0x510fd083), ""); /* another maker's */
	assert_string_equal(processor_core_name(0), "");
}

static int
make_root(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : -1;
}

static int
remove_root(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", root);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_read_is_not_known),
		cmocka_unit_test(what_spoils_timings_is_read),
		cmocka_unit_test(emulation_is_seen),
		cmocka_unit_test(cores_have_names),
	};
	return cmocka_run_group_tests(tests, make_root, remove_root);
}
