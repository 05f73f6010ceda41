/* Facts about this machine: processor features from the processor (x86) or the kernel (others),
 * the rest from /proc and /sys. Features are a table: LLVM's name and where the bit is. */
#include "base/hardware.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/str.h"

enum { SMALL_FILE = 1 << 20, FEATURES_MAX = 64 };

typedef struct Feature {
	const char *name;
	uint8_t word, bit; /* which of the words below, which bit of it */
} Feature;

#if defined(__x86_64__)
#include <cpuid.h>

enum { LEAF1_ECX, LEAF7_EBX, LEAF7_ECX, LEAF7_EDX, LEAF71_EAX, LEAF81_ECX, WORDS };

/* State the operating system must save before a feature may be used. */
enum { XCR0_AVX = 0x6, XCR0_AVX512 = 0xe6, XCR0_AMX = 0x60000 };

static const Feature features[] = {
	{"sse3", LEAF1_ECX, 0},          {"pclmul", LEAF1_ECX, 1},
	{"ssse3", LEAF1_ECX, 9},         {"fma", LEAF1_ECX, 12},
	{"cx16", LEAF1_ECX, 13},         {"sse4.1", LEAF1_ECX, 19},
	{"sse4.2", LEAF1_ECX, 20},       {"movbe", LEAF1_ECX, 22},
	{"popcnt", LEAF1_ECX, 23},       {"aes", LEAF1_ECX, 25},
	{"avx", LEAF1_ECX, 28},          {"f16c", LEAF1_ECX, 29},
	{"bmi", LEAF7_EBX, 3},           {"avx2", LEAF7_EBX, 5},
	{"bmi2", LEAF7_EBX, 8},          {"avx512f", LEAF7_EBX, 16},
	{"avx512dq", LEAF7_EBX, 17},     {"avx512ifma", LEAF7_EBX, 21},
	{"avx512cd", LEAF7_EBX, 28},     {"avx512bw", LEAF7_EBX, 30},
	{"avx512vl", LEAF7_EBX, 31},     {"avx512vbmi", LEAF7_ECX, 1},
	{"avx512vbmi2", LEAF7_ECX, 6},   {"gfni", LEAF7_ECX, 8},
	{"vpclmulqdq", LEAF7_ECX, 10},   {"avx512vnni", LEAF7_ECX, 11},
	{"avx512bitalg", LEAF7_ECX, 12}, {"avx512vpopcntdq", LEAF7_ECX, 14},
	{"amx-bf16", LEAF7_EDX, 22},     {"avx512fp16", LEAF7_EDX, 23},
	{"amx-tile", LEAF7_EDX, 24},     {"amx-int8", LEAF7_EDX, 25},
	{"avxvnni", LEAF71_EAX, 4},      {"avx512bf16", LEAF71_EAX, 5},
	{"lzcnt", LEAF81_ECX, 5},
};

static uint64_t
xcr0(void)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t)hi << 32 | lo;
}

static void
read_words(uint64_t word[WORDS])
{
	uint32_t a = 0, b = 0, c = 0, d = 0, most = 0;

	__get_cpuid(1, &a, &b, &c, &d);
	word[LEAF1_ECX] = c;
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
		most = a;
		word[LEAF7_EBX] = b;
		word[LEAF7_ECX] = c;
		word[LEAF7_EDX] = d;
	}
	if (most >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d))
		word[LEAF71_EAX] = a;
	if (__get_cpuid(0x80000001, &a, &b, &c, &d))
		word[LEAF81_ECX] = c;
}

static bool
usable(const Feature *f, const uint64_t word[WORDS])
{
	uint64_t state = word[LEAF1_ECX] >> 27 & 1 ? xcr0() : 0, need = 0;

	if (!strncmp(f->name, "avx512", 6))
		need = XCR0_AVX512;
	else if (!strncmp(f->name, "amx", 3))
		need = XCR0_AMX;
	else if (!strncmp(f->name, "avx", 3) || !strcmp(f->name, "fma") || f->name[0] == 'v' ||
		 !strcmp(f->name, "f16c"))
		need = XCR0_AVX;
	return (state & need) == need;
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

enum { HWCAP_1, HWCAP_2, WORDS };

static const Feature features[] = {
	{"neon", HWCAP_1, 1},  {"aes", HWCAP_1, 3},      {"sha2", HWCAP_1, 6},
	{"crc", HWCAP_1, 7},   {"lse", HWCAP_1, 8},      {"fullfp16", HWCAP_1, 10},
	{"rdm", HWCAP_1, 12},  {"jsconv", HWCAP_1, 13},  {"complxnum", HWCAP_1, 14},
	{"rcpc", HWCAP_1, 15}, {"sha3", HWCAP_1, 17},    {"dotprod", HWCAP_1, 20},
	{"sve", HWCAP_1, 22},  {"fp16fml", HWCAP_1, 23}, {"sve2", HWCAP_2, 1},
	{"i8mm", HWCAP_2, 13}, {"bf16", HWCAP_2, 14},    {"sme", HWCAP_2, 23},
};

static void
read_words(uint64_t word[WORDS])
{
	word[HWCAP_1] = getauxval(AT_HWCAP);
	word[HWCAP_2] = getauxval(AT_HWCAP2);
}

static bool
usable(const Feature *f, const uint64_t word[WORDS])
{
	(void)f;
	(void)word;
	return true;
}

#else
#include <sys/auxv.h>

enum { HWCAP_1, WORDS };

/* RISC-V: a bit per letter of the base extensions */
static const Feature features[] = {
	{"m", HWCAP_1, 'm' - 'a'}, {"a", HWCAP_1, 'a' - 'a'}, {"f", HWCAP_1, 'f' - 'a'},
	{"d", HWCAP_1, 'd' - 'a'}, {"c", HWCAP_1, 'c' - 'a'}, {"v", HWCAP_1, 'v' - 'a'},
};

static void
read_words(uint64_t word[WORDS])
{
	word[HWCAP_1] = getauxval(AT_HWCAP);
}

static bool
usable(const Feature *f, const uint64_t word[WORDS])
{
	(void)f;
	(void)word;
	return true;
}
#endif

static bool
read_features(DeviceInfo *d)
{
	enum { ALL = sizeof features / sizeof *features };
	uint64_t word[WORDS] = {0};

	d->features.v = calloc(ALL, sizeof *d->features.v);
	if (!d->features.v)
		return false;
	read_words(word);
	for (size_t i = 0; i < ALL; i++) {
		const Feature *f = &features[i];
		char *name;

		if (!(word[f->word] >> f->bit & 1) || !usable(f, word))
			continue;
		name = strdup(f->name);
		if (!name)
			return false;
		d->features.v[d->features.n++] = name;
	}
	return true;
}

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
hardware_read(const char *root, DeviceInfo *d, Err *e)
{
	struct utsname u = {0};
	char triple[128];

	*d = (DeviceInfo){0};
	uname(&u);
	snprintf(triple, sizeof triple, "%.64s-unknown-linux-gnu", u.machine);
	d->name = strdup(u.nodename);
	d->arch = strdup(u.machine);
	d->kernel = strdup(u.release);
	d->triple = strdup(triple);
	d->cpu = cpu_name(root);
	d->governor = read_text(root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	if (!d->governor)
		d->governor = strdup("none");
	d->smt = read_switch(root, "/sys/devices/system/cpu/smt/active", false);
	d->boost = read_boost(root);
	d->virtualised = is_virtual(root);
	d->load = read_load(root);
	read_caches(root, d);
	d->cores = hardware_cores();
	d->memory_total = memory_line(root, "MemTotal:");
	d->memory_free = memory_line(root, "MemAvailable:");
	if (!read_features(d) || !d->name || !d->arch || !d->kernel || !d->triple || !d->cpu ||
	    !d->governor || !d->smt || !d->boost)
		return err_set(e, ERR_NOMEM, "device: out of memory");
	return OK;
}

uint64_t
hardware_free_memory(void)
{
	return memory_line("", "MemAvailable");
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
	free(d->features.v);
	free(d->runners.v);
	free(d->name);
	free(d->cpu);
	free(d->arch);
	free(d->triple);
	free(d->kernel);
	free(d->governor);
	free(d->smt);
	free(d->boost);
	free(d->version);
	free(d->holder);
	free(d->role);
	*d = (DeviceInfo){0};
}
