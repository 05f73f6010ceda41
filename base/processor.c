/* What the processor says of itself: its features, from itself (x86) or from the kernel (others),
 * and what core it is. Features are a table: LLVM's name and where the bit is. */
#include "base/processor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

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

#else
#include <sys/auxv.h>

enum { HWCAP_1, HWCAP_2, WORDS };

static const Feature features[] = {
#if defined(__aarch64__)
	{"neon", HWCAP_1, 1},  {"aes", HWCAP_1, 3},      {"sha2", HWCAP_1, 6},
	{"crc", HWCAP_1, 7},   {"lse", HWCAP_1, 8},      {"fullfp16", HWCAP_1, 10},
	{"rdm", HWCAP_1, 12},  {"jsconv", HWCAP_1, 13},  {"complxnum", HWCAP_1, 14},
	{"rcpc", HWCAP_1, 15}, {"sha3", HWCAP_1, 17},    {"dotprod", HWCAP_1, 20},
	{"sve", HWCAP_1, 22},  {"fp16fml", HWCAP_1, 23}, {"sve2", HWCAP_2, 1},
	{"i8mm", HWCAP_2, 13}, {"bf16", HWCAP_2, 14},    {"sme", HWCAP_2, 23},
#elif defined(__arm__)
	{"neon", HWCAP_1, 12},      {"vfp3", HWCAP_1, 13},    {"vfp4", HWCAP_1, 16},
	{"hwdiv-arm", HWCAP_1, 17}, {"hwdiv", HWCAP_1, 18},   {"d32", HWCAP_1, 19},
	{"fullfp16", HWCAP_1, 23},  {"dotprod", HWCAP_1, 24}, {"fp16fml", HWCAP_1, 25},
	{"bf16", HWCAP_1, 26},      {"i8mm", HWCAP_1, 27},    {"aes", HWCAP_2, 0},
	{"sha2", HWCAP_2, 2},       {"crc", HWCAP_2, 4},
#else
	/* RISC-V: a bit per letter of the base extensions */
	{"m", HWCAP_1, 'm' - 'a'}, {"a", HWCAP_1, 'a' - 'a'}, {"f", HWCAP_1, 'f' - 'a'},
	{"d", HWCAP_1, 'd' - 'a'}, {"c", HWCAP_1, 'c' - 'a'}, {"v", HWCAP_1, 'v' - 'a'},
#endif
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
#endif

bool
processor_features(DeviceInfo *d)
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

/* Arm's identification register: who made it, and which part. Several share what a compiler knows.
 */
typedef struct Core {
	uint8_t implementer;
	uint16_t part;
	const char *name;
} Core;

static const Core cores[] = {
	{0x41, 0xc05, "cortex-a5"},   {0x41, 0xc07, "cortex-a7"},  {0x41, 0xc08, "cortex-a8"},
	{0x41, 0xc09, "cortex-a9"},   {0x41, 0xc0d, "cortex-a12"}, {0x41, 0xc0e, "cortex-a17"},
	{0x41, 0xc0f, "cortex-a15"},  {0x41, 0xd03, "cortex-a53"}, {0x41, 0xd04, "cortex-a35"},
	{0x41, 0xd05, "cortex-a55"},  {0x41, 0xd07, "cortex-a57"}, {0x41, 0xd08, "cortex-a72"},
	{0x41, 0xd09, "cortex-a73"},  {0x41, 0xd0a, "cortex-a75"}, {0x41, 0xd0b, "cortex-a76"},
	{0x41, 0xd0c, "neoverse-n1"}, {0x41, 0xd0d, "cortex-a77"}, {0x41, 0xd40, "neoverse-v1"},
	{0x41, 0xd41, "cortex-a78"},  {0x41, 0xd44, "cortex-x1"},  {0x41, 0xd46, "cortex-a510"},
	{0x41, 0xd47, "cortex-a710"}, {0x41, 0xd48, "cortex-x2"},  {0x41, 0xd49, "neoverse-n2"},
	{0x41, 0xd4d, "cortex-a715"}, {0x41, 0xd4e, "cortex-x3"},  {0x41, 0xd4f, "neoverse-v2"},
	{0x61, 0x022, "apple-m1"},    {0x61, 0x023, "apple-m1"},   {0x61, 0x024, "apple-m1"},
	{0x61, 0x025, "apple-m1"},    {0x61, 0x032, "apple-m2"},   {0x61, 0x033, "apple-m2"},
};

const char *
processor_core_name(uint64_t id)
{
	for (size_t i = 0; i < sizeof cores / sizeof *cores; i++)
		if (cores[i].implementer == (id >> 24 & 0xff) && cores[i].part == (id >> 4 & 0xfff))
			return cores[i].name;
	return "";
}

uint64_t
processor_own_id(void)
{
	uint64_t id = 0;

#if defined(__aarch64__)
	enum { HWCAP_ID_REGISTERS = 1 << 11 };

	if (getauxval(AT_HWCAP) & HWCAP_ID_REGISTERS)
		__asm__("mrs %0, midr_el1" : "=r"(id));
#endif
	return id;
}
