/* Facts about this machine: what the processor says of itself, the rest from /proc and /sys. */
#include "base/hardware.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/processor.h"
#include "base/str.h"

enum { SMALL_FILE = 1 << 20 };

/* A small file as text without the final newline; NULL when it cannot be read. Caller frees. */
static char *
read_text(const char *root, const char *path)
{
	char full[512], *text;
	size_t n;

	if (snprintf(full, sizeof full, "%s%s", root, path) >= (int)sizeof full ||
	    file_read(full, SMALL_FILE, &text, &n, NULL))
		return NULL;
	text[strcspn(text, "\n") == n - 1 ? n - 1 : n] = 0;
	return text;
}

/* Value after "key ... :" in a file of such lines, "" when there is none. Caller frees. */
static char *
find_line(const char *root, const char *path, const char *key)
{
	char *text = read_text(root, path), *value = NULL;

	for (char *line = text; line && !value; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, strlen(key)) && (value = strchr(line, ':'))) {
			value += 1 + strspn(value + 1, " \t");
			value = strndup(value, strcspn(value, "\n"));
		}
	}
	free(text);
	return value ? value : strdup("");
}

static uint64_t
memory_line(const char *root, const char *key)
{
	char *value = find_line(root, "/proc/meminfo", key);
	uint64_t kib = value ? strtoull(value, NULL, 10) : 0;

	free(value);
	return kib * 1024;
}

static void
read_cache(const char *root, int index, DeviceInfo *d)
{
	static const char dir[] = "/sys/devices/system/cpu/cpu0/cache/index";
	char path[128], *level, *type, *size;

	snprintf(path, sizeof path, "%s%d/level", dir, index);
	level = read_text(root, path);
	snprintf(path, sizeof path, "%s%d/type", dir, index);
	type = read_text(root, path);
	snprintf(path, sizeof path, "%s%d/size", dir, index);
	size = read_text(root, path);
	if (level && type && size && strcmp(type, "Instruction")) {
		uint64_t *const to[] = {&d->l1d, &d->l2, &d->l3};
		char *unit;
		uint64_t n = strtoull(size, &unit, 10);
		long k = strtol(level, NULL, 10);

		if (k >= 1 && k <= 3)
			*to[k - 1] = n * (*unit == 'M' ? 1024 * 1024 : *unit == 'K' ? 1024 : 1);
	}
	free(level);
	free(type);
	free(size);
}

static void
read_caches(const char *root, DeviceInfo *d)
{
	for (int i = 0; i < 8; i++)
		read_cache(root, i, d);
#ifdef _SC_LEVEL1_DCACHE_SIZE
	if (!d->l1d && !*root) {
		long n[] = {sysconf(_SC_LEVEL1_DCACHE_SIZE), sysconf(_SC_LEVEL2_CACHE_SIZE),
			    sysconf(_SC_LEVEL3_CACHE_SIZE)};

		d->l1d = n[0] > 0 ? (uint64_t)n[0] : 0;
		d->l2 = n[1] > 0 ? (uint64_t)n[1] : 0;
		d->l3 = n[2] > 0 ? (uint64_t)n[2] : 0;
	}
#endif
}

/* Boards name themselves in the device tree, PCs in cpuinfo. */
static char *
cpu_name(const char *root)
{
	static const char *const keys[] = {"model name", "Model", "Hardware", "uarch"};
	char *name = read_text(root, "/proc/device-tree/model");

	for (int i = 0; i < 4 && (!name || !*name); i++) {
		free(name);
		name = find_line(root, "/proc/cpuinfo", keys[i]);
	}
	return name;
}

/* What a switch in /sys says; inverted: its 0 means on. Caller frees. */
static char *
read_switch(const char *root, const char *path, bool inverted)
{
	char *text = read_text(root, path);
	bool known = text && (*text == '0' || *text == '1') && !text[1];
	const char *state = known ? (*text == '1') != inverted ? "on" : "off" : "";

	free(text);
	return strdup(state);
}

static char *
read_boost(const char *root)
{
	char *state = read_switch(root, "/sys/devices/system/cpu/cpufreq/boost", false);

	if (!state || *state)
		return state;
	free(state);
	return read_switch(root, "/sys/devices/system/cpu/intel_pstate/no_turbo", true);
}

static bool
is_virtual(const char *root)
{
	char *flags = find_line(root, "/proc/cpuinfo", "flags");
	char *type = read_text(root, "/sys/hypervisor/type");
	bool yes = (flags && strstr(flags, " hypervisor")) || type;

	free(flags);
	free(type);
	return yes;
}

/* Of the files that tell what kernel is below, the architecture: "x86_64", "aarch64"... Caller
 * frees. NULL: not known. */
static char *
kernel_arch(const char *root)
{
	static const struct {
		const char *key, *arch; /* a line that only their /proc/cpuinfo has */
	} lines[] = {{"vendor_id", "x86_64"}, {"CPU implementer", "aarch64"}, {"hart", "riscv64"}};
	char *arch = read_text(root, "/proc/sys/kernel/arch"); /* since Linux 6.1 */

	for (size_t i = 0; !arch && i < sizeof lines / sizeof *lines; i++) {
		char *value = find_line(root, "/proc/cpuinfo", lines[i].key);

		if (value && *value)
			arch = strdup(lines[i].arch);
		free(value);
	}
	return arch;
}

/* Whether kernels of that architecture run programs like this one by themselves: families by their
 * first letters, since "armv7l" programs run on "aarch64". */
static bool
is_native(const char *arch)
{
	static const char own[] = PROCESSOR_ARCH;

	if (own[0] == 'x')
		return arch[0] == 'x' || arch[0] == 'i';
	return own[0] == arch[0];
}

/* An emulator of programs shows other architectures' programs its own kernel and processor. */
static bool
is_emulated(const char *root)
{
	char *arch = kernel_arch(root), *program = read_text(root, "/proc/self/comm");
	bool yes = (arch && !is_native(arch)) || (program && !strncmp(program, "qemu-", 5));

	free(arch);
	free(program);
	return yes;
}

/* What core it is: by the kernel, which can name any, else by the processor itself. Under an
 * emulator the kernel speaks of another machine. */
static char *
core_name(const char *root, int core, bool emulated)
{
	char path[128], *text, *part;
	uint64_t id = 0;

	snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/regs/identification/midr_el1",
		 core < 0 ? 0 : core);
	text = emulated ? NULL : read_text(root, path);
	if (text)
		id = strtoull(text, NULL, 16);
	if (!id)
		id = processor_own_id();
	free(text);
	if (id || emulated)
		return strdup(processor_core_name(id));
	text = find_line(root, "/proc/cpuinfo", "CPU implementer");
	part = find_line(root, "/proc/cpuinfo", "CPU part");
	if (text && part)
		id = strtoull(text, NULL, 16) << 24 | strtoull(part, NULL, 16) << 4;
	free(text);
	free(part);
	return strdup(processor_core_name(id));
}

/* What a log calls the machine. An emulated one must not be taken for any other. */
static void
name_emulated(DeviceInfo *d)
{
	const char *core = d->core && *d->core ? d->core : PROCESSOR_ARCH;
	const char *below = d->cpu ? d->cpu : "";
	char text[256];

	snprintf(text, sizeof text, DEVICE_EMULATED "%s%s%.100s", core, *below ? " on " : "",
		 below);
	free(d->cpu);
	d->cpu = strdup(text);
}

static double
read_load(const char *root)
{
	char *text = read_text(root, "/proc/loadavg");
	double load = text ? strtod(text, NULL) : 0;

	free(text);
	return load;
}

uint32_t
hardware_cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (uint32_t)n : 1;
}

int
hardware_own_cores(int first, int *core, int n)
{
	cpu_set_t set;
	int found = 0;

	if (sched_getaffinity(0, sizeof set, &set))
		return 0;
	if (first >= 0 && n > 0)
		core[found++] = first;
	for (int i = 0; i < CPU_SETSIZE && found < n; i++)
		if (i != first && CPU_ISSET((unsigned)i, &set))
			core[found++] = i;
	return found;
}

int
hardware_read(const char *root, int core, DeviceInfo *d, Err *e)
{
	struct utsname u = {0};

	*d = (DeviceInfo){0};
	uname(&u);
	d->name = strdup(u.nodename);
	d->arch = strdup(PROCESSOR_ARCH); /* a program of 32 bits may run on a machine of 64 */
	d->kernel = strdup(u.release);
	d->triple = strdup(PROCESSOR_ARCH "-unknown-linux-gnu");
	d->cpu = cpu_name(root);
	d->governor = read_text(root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	if (!d->governor)
		d->governor = strdup("none");
	d->smt = read_switch(root, "/sys/devices/system/cpu/smt/active", false);
	d->boost = read_boost(root);
	d->virtualised = is_virtual(root);
	d->emulated = is_emulated(root);
	d->core = core_name(root, core, d->emulated);
	if (d->emulated)
		name_emulated(d);
	d->load = read_load(root);
	read_caches(root, d);
	d->cores = hardware_cores();
	d->memory_total = memory_line(root, "MemTotal:");
	d->memory_free = memory_line(root, "MemAvailable:");
	if (!processor_features(d) || !d->core || !d->name || !d->arch || !d->kernel ||
	    !d->triple || !d->cpu || !d->governor || !d->smt || !d->boost)
		return err_set(e, ERR_NOMEM, "device: out of memory");
	return OK;
}

uint64_t
hardware_free_memory(void)
{
	uint64_t bytes = memory_line("", "MemAvailable"), most = SIZE_MAX / 2;

	return bytes < most ? bytes : most;
}

double
hardware_load(void)
{
	return read_load("");
}

void
device_fini(DeviceInfo *d)
{
	for (uint32_t i = 0; i < d->features.n; i++)
		free(d->features.v[i]);
	for (uint32_t i = 0; i < d->runners.n; i++)
		free(d->runners.v[i]);
	for (uint32_t i = 0; i < d->sandbox_notes.n; i++)
		free(d->sandbox_notes.v[i]);
	free(d->sandbox_notes.v);
	free(d->features.v);
	free(d->runners.v);
	free(d->name);
	free(d->cpu);
	free(d->core);
	free(d->arch);
	free(d->triple);
	free(d->kernel);
	free(d->governor);
	free(d->smt);
	free(d->boost);
	free(d->version);
	free(d->holder);
	free(d->role);
	free(d->wedged);
	*d = (DeviceInfo){0};
}
