/* The table of Targets and their text form. */
#include "search_space/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
add_text(Str *out, const char *v)
{
	str_printf(out, "\"%s\"", v);
}

void
target_print(const Target *t, Str *out)
{
	str_printf(out, "target %s", t->name);
#define PRINT_s(v) add_text(out, v)
#define PRINT_i(v) str_printf(out, "%lld", (long long)(v))
#define PRINT_d(v) str_double(out, v)
#define X(type, field, def, text)     \
	str_add(out, " " #field "="); \
	PRINT_##type(t->field);
	TARGET_FIELDS(X)
#undef X
	str_add(out, "\n");
}

static void
set_text(char *to, size_t size, const char *from, size_t n)
{
	if (n >= size)
		n = size - 1;
	memcpy(to, from, n);
	to[n] = 0;
}

static void
defaults(Target *t)
{
#define DEFAULT_s(field, def)     set_text(t->field, sizeof t->field, def, strlen(def))
#define DEFAULT_i(field, def)     t->field = def
#define DEFAULT_d(field, def)     t->field = def
#define X(type, field, def, text) DEFAULT_##type(field, def);
	TARGET_FIELDS(X)
#undef X
}

/* One key=value; value ends at a blank, or at the closing quote. Returns where it ended, NULL on
 * failure. */
static const char *
parse_field(const char *p, Target *t, Err *e)
{
	size_t key = strcspn(p, "="), n;
	const char *v = p + key + 1;
	bool quoted;

	if (!p[key]) {
		err_set(e, ERR_INPUT, "target text: expected key=value at '%.30s'", p);
		return NULL;
	}
	quoted = *v == '"';
	v += quoted;
	n = strcspn(v, quoted ? "\"" : " \t\n");
	if (quoted && v[n] != '"') {
		err_set(e, ERR_INPUT, "target text: quote of %.*s is not closed", (int)key, p);
		return NULL;
	}
	if (!quoted && memchr(v, '"', n)) {
		err_set(e, ERR_INPUT, "target text: quote inside the value of %.*s", (int)key, p);
		return NULL;
	}
#define PARSE_s(field) set_text(t->field, sizeof t->field, v, n)
#define PARSE_i(field) t->field = strtoll(v, NULL, 10)
#define PARSE_d(field) t->field = strtod(v, NULL)
#define X(type, field, def, text)                                \
	if (key == strlen(#field) && !strncmp(p, #field, key)) { \
		PARSE_##type(field);                             \
		return v + n + quoted;                           \
	}
	TARGET_FIELDS(X)
#undef X
	err_set(e, ERR_INPUT, "target text: no field '%.*s'", (int)key, p);
	return NULL;
}

static int
check(const Target *t, Err *e)
{
	int64_t v = t->vector_bytes;

	if (v < 4 || v > 256 || (v & (v - 1)))
		return err_set(e, ERR_INPUT, "target %s: vector_bytes=%lld", t->name, (long long)v);
	if (t->vector_regs < 8 || t->vector_regs > 256 ||
	    (t->pointer_bits != 32 && t->pointer_bits != 64))
		return err_set(e, ERR_INPUT, "target %s: vector_regs or pointer_bits", t->name);
	if (!(t->ghz > 0) || !(t->fma_per_cycle > 0) || !(t->load_per_cycle > 0) ||
	    !(t->issue_per_cycle > 0) || !(t->dram_gbs > 0) || t->l1_way_bytes < 1)
		return err_set(e, ERR_INPUT, "target %s: a rate is not positive", t->name);
	return OK;
}

int
target_parse(const char *text, Target *t, Err *e)
{
	const char *p = text;
	size_t n;

	memset(t, 0, sizeof *t);
	defaults(t);
	p += strspn(p, " \t\n");
	if (strncmp(p, "target ", 7))
		return err_set(e, ERR_INPUT, "target text: expected 'target NAME key=value...'");
	p += 7;
	n = strcspn(p, " \t\n");
	set_text(t->name, sizeof t->name, p, n);
	p += n;
	while (p && *(p += strspn(p, " \t\n")))
		p = parse_field(p, t, e);
	return p ? check(t, e) : ERR_INPUT;
}

#define X86 "pointer_bits=64 triple=x86_64-unknown-linux-gnu issue_per_cycle=6 "
#define ARM64                                                                           \
	"pointer_bits=64 triple=aarch64-unknown-linux-gnu lane_splat=1 vector_regs=32 " \
	"vector_bytes=16 has_half=1 "
#define ARM32                                                                               \
	"pointer_bits=32 triple=armv7-unknown-linux-gnueabihf lane_splat=1 vector_regs=16 " \
	"vector_bytes=16 has_round=0 "
#define RISCV                                                                               \
	"pointer_bits=64 triple=riscv64-unknown-linux-gnu cpu=generic-rv64 vector_regs=32 " \
	"has_round=0 "

/* Rows: generic levels first, then cores. Rates of cores are datasheet or measured figures. On
 * 32-bit Arm and in scalar code code generation keeps more values alive than a tile shows;
 * most such cores multiply and add by two instructions, through one more. V
 * promises vectors of 128 bits at least; code for them is right on machines with longer ones. */
static const char *const table[] = {
	"target x86-64 " X86
	"cpu=x86-64 vector_bytes=16 vector_regs=16 has_round=0 fma_per_cycle=1",
	"target x86-64-v2 " X86 "cpu=x86-64-v2 vector_bytes=16 vector_regs=16 fma_per_cycle=1",
	"target x86-64-v3 " X86 "cpu=x86-64-v3 vector_bytes=32 vector_regs=16 has_half=1 "
	"mask_bytes=4",
	"target x86-64-v4 " X86
	"cpu=x86-64-v4 vector_bytes=64 vector_regs=32 has_half=1 mask_bytes=1 "
	"l1_bytes=49152 l2_bytes=1048576 l3_bytes=33554432 ghz=4.2 l2_gbs=200 l3_gbs=100 "
	"dram_gbs=40",
	"target cascadelake " X86
	"cpu=cascadelake vector_bytes=64 vector_regs=32 has_half=1 mask_bytes=1 byte_dot=2 "
	"l2_bytes=1048576 l3_bytes=33554432 ghz=3.2 l2_gbs=120 l3_gbs=25 dram_gbs=12",
	"target alderlake " X86 "cpu=alderlake vector_bytes=32 vector_regs=16 has_half=1 "
	"mask_bytes=4 byte_dot=2 l1_bytes=49152 l2_bytes=1310720 l3_bytes=31457280 ghz=4.9 "
	"l2_gbs=200 l3_gbs=50 dram_gbs=25",
	"target aarch64 " ARM64 "cpu=generic features=\"+neon\" "
	"issue_per_cycle=3 load_per_cycle=1 fma_per_cycle=1",
	"target cortex-a53 " ARM64 "cpu=cortex-a53 issue_per_cycle=2 "
	"spare_regs=2 load_per_cycle=0.5 fma_per_cycle=0.5 ghz=1.4 l1_way_bytes=8192 l2_gbs=6 "
	"dram_gbs=3",
	"target cortex-a55 " ARM64 "cpu=cortex-a55 byte_dot=1 issue_per_cycle=2 spare_regs=2 "
	"load_per_cycle=0.5 fma_per_cycle=1 ghz=1.8 l1_way_bytes=8192 l2_bytes=131072 "
	"l2_gbs=14 "
	"l3_bytes=1048576 l3_gbs=10 dram_gbs=5",
	"target cortex-a72 " ARM64 "cpu=cortex-a72 issue_per_cycle=3 "
	"load_per_cycle=1 fma_per_cycle=1 ghz=1.8 l1_way_bytes=16384 l2_bytes=1048576 l2_gbs=15 "
	"dram_gbs=5",
	"target cortex-a76 " ARM64 "cpu=cortex-a76 byte_dot=1 issue_per_cycle=4 "
	"load_per_cycle=2 fma_per_cycle=2 ghz=2.4 l1_bytes=65536 l1_way_bytes=16384 l2_gbs=40 "
	"l3_bytes=2097152 l3_gbs=20 dram_gbs=10",
	"target cortex-x1 " ARM64 "cpu=cortex-x1 byte_dot=1 issue_per_cycle=8 "
	"load_per_cycle=3 fma_per_cycle=4 ghz=2.8 l1_bytes=65536 l1_way_bytes=16384 "
	"l2_bytes=1048576 l2_gbs=80 "
	"l3_bytes=4194304 l3_gbs=35 dram_gbs=15",
	"target neoverse-n1 " ARM64 "cpu=neoverse-n1 byte_dot=1 issue_per_cycle=4 "
	"load_per_cycle=2 fma_per_cycle=2 ghz=2.6 l1_bytes=65536 l1_way_bytes=16384 "
	"l2_bytes=1048576 l2_gbs=60 "
	"l3_bytes=33554432 l3_gbs=30 dram_gbs=15",
	"target neoverse-v1 " ARM64 "cpu=neoverse-v1 byte_dot=3 issue_per_cycle=8 "
	"load_per_cycle=3 fma_per_cycle=4 ghz=2.6 l1_bytes=65536 l1_way_bytes=16384 "
	"l2_bytes=1048576 l2_gbs=80 "
	"l3_bytes=33554432 l3_gbs=30 dram_gbs=20",
	"target apple-m1 " ARM64 "cpu=apple-m1 byte_dot=1 issue_per_cycle=8 "
	"load_per_cycle=3 fma_per_cycle=4 ghz=3.2 l1_bytes=131072 l1_way_bytes=16384 "
	"l2_bytes=3145728 l2_gbs=100 "
	"l3_bytes=8388608 l3_gbs=60 dram_gbs=50",
	"target armv7 " ARM32
	"l1_way_bytes=8192 spare_regs=4 cpu=generic features=\"+neon\" issue_per_cycle=2 "
	"load_per_cycle=0.5 fma_per_cycle=0.5 ghz=1.2 l2_gbs=5 dram_gbs=2",
	"target armv7-vfp4 " ARM32
	"l1_way_bytes=8192 spare_regs=4 cpu=generic features=\"+neon,+vfp4\" has_half=1 "
	"issue_per_cycle=2 load_per_cycle=0.5 fma_per_cycle=0.5 ghz=1.2 l2_gbs=6 dram_gbs=3",
	"target cortex-a7 " ARM32
	"l1_way_bytes=8192 spare_regs=4 cpu=cortex-a7 features=\"+neon,+vfp4\" has_half=1 "
	"issue_per_cycle=2 load_per_cycle=0.5 fma_per_cycle=0.25 ghz=1.0 l2_gbs=4 dram_gbs=1.5",
	"target cortex-a9 " ARM32
	"l1_way_bytes=8192 spare_regs=4 cpu=cortex-a9 features=\"+neon\" issue_per_cycle=2 "
	"load_per_cycle=0.5 fma_per_cycle=0.5 ghz=1.0 l2_gbs=3 dram_gbs=1",
	"target cortex-a15 " ARM32
	"l1_way_bytes=16384 spare_regs=3 cpu=cortex-a15 features=\"+neon,+vfp4\" has_half=1 "
	"issue_per_cycle=3 load_per_cycle=1 fma_per_cycle=1 ghz=1.8 l2_bytes=2097152 l2_gbs=10 "
	"dram_gbs=4",
	"target rv64gc " RISCV "features=\"+m,+a,+f,+d,+c\" vector_bytes=4 spare_regs=12 "
	"issue_per_cycle=2 load_per_cycle=1 fma_per_cycle=1 ghz=1.5 l2_gbs=5 dram_gbs=2",
	"target rv64gcv " RISCV "features=\"+m,+a,+f,+d,+c,+v\" vector_bytes=16 mask_bytes=1 "
	"issue_per_cycle=2 load_per_cycle=0.5 fma_per_cycle=0.5 ghz=1.6 l2_gbs=8 dram_gbs=4",
};

static const char *
row_name(const char *row, size_t *n)
{
	row += 7;
	*n = strcspn(row, " ");
	return row;
}

int
target_named(const char *name, Target *t, Err *e)
{
	Str list = {0};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		size_t n;
		const char *row = row_name(table[i], &n);

		if (n == strlen(name) && !strncmp(row, name, n)) {
			str_fini(&list);
			return target_parse(table[i], t, e);
		}
		str_printf(&list, " %.*s", (int)n, row);
	}
	err_set(e, ERR_INPUT, "no target '%s'; there are:%s", name, str_get(&list));
	str_fini(&list);
	return ERR_INPUT;
}

static bool
has_feature(const char *list, const char *want)
{
	size_t n = strlen(want);

	for (const char *p = list; (p = strstr(p, want)); p += n)
		if ((p == list || p[-1] == ',') && (!p[n] || p[n] == ','))
			return true;
	return false;
}

/* Which row is nearest to a core that has none, and which to one that has, as other programs. */
static const struct {
	const char *arch, *core, *row;
} cores[] = {
	{"aarch64", "cortex-a35", "cortex-a53"},   {"aarch64", "cortex-a53", "cortex-a53"},
	{"aarch64", "cortex-a55", "cortex-a55"},   {"aarch64", "cortex-a510", "cortex-a55"},
	{"aarch64", "cortex-a57", "cortex-a72"},   {"aarch64", "cortex-a72", "cortex-a72"},
	{"aarch64", "cortex-a73", "cortex-a72"},   {"aarch64", "cortex-a75", "cortex-a76"},
	{"aarch64", "cortex-a76", "cortex-a76"},   {"aarch64", "cortex-a77", "cortex-a76"},
	{"aarch64", "cortex-a78", "cortex-a76"},   {"aarch64", "cortex-a710", "cortex-a76"},
	{"aarch64", "cortex-a715", "cortex-a76"},  {"aarch64", "cortex-x1", "cortex-x1"},
	{"aarch64", "cortex-x2", "cortex-x1"},     {"aarch64", "cortex-x3", "cortex-x1"},
	{"aarch64", "neoverse-n1", "neoverse-n1"}, {"aarch64", "neoverse-n2", "neoverse-n1"},
	{"aarch64", "neoverse-v1", "neoverse-v1"}, {"aarch64", "neoverse-v2", "neoverse-v1"},
	{"aarch64", "apple-m1", "apple-m1"},       {"aarch64", "apple-m2", "apple-m1"},
	{"armv7l", "cortex-a7", "cortex-a7"},      {"armv7l", "cortex-a9", "cortex-a9"},
	{"armv7l", "cortex-a15", "cortex-a15"},    {"armv7l", "cortex-a17", "cortex-a15"},
};

static const char *
x86_level(const TargetFacts *f)
{
	if (has_feature(f->features, "avx512f") && has_feature(f->features, "avx512vl") &&
	    has_feature(f->features, "avx512bw") && has_feature(f->features, "avx512dq"))
		return "x86-64-v4";
	if (has_feature(f->features, "avx2") && has_feature(f->features, "fma") &&
	    has_feature(f->features, "f16c"))
		return "x86-64-v3";
	return has_feature(f->features, "sse4.1") ? "x86-64-v2" : "x86-64";
}

/* NULL: there is none. */
static const char *
level_of(const TargetFacts *f)
{
	for (size_t i = 0; f->cpu && i < sizeof cores / sizeof *cores; i++)
		if (!strcmp(f->arch, cores[i].arch) && !strcmp(f->cpu, cores[i].core))
			return cores[i].row;
	if (!strcmp(f->arch, "x86_64"))
		return x86_level(f);
	if (!strcmp(f->arch, "aarch64"))
		return "aarch64";
	if (!strcmp(f->arch, "riscv64"))
		return has_feature(f->features, "v") ? "rv64gcv" : "rv64gc";
	if (strcmp(f->arch, "armv7l") || !has_feature(f->features, "neon"))
		return NULL;
	return has_feature(f->features, "vfp4") ? "armv7-vfp4" : "armv7";
}

/* What a device's own features say of dot products of bytes. Vectors of x86-64-v2 have none: the
 * instructions come with AVX. */
static int64_t
byte_dots(const Target *t, const TargetFacts *f)
{
	static const struct {
		const char *arch, *feature;
		int64_t vector_bytes, dots; /* of vectors up to that */
	} list[] = {
		{"x86_64", "avx512vnni", 64, TARGET_DOT_UNLIKE},
		{"x86_64", "avxvnni", 32, TARGET_DOT_UNLIKE},
		{"aarch64", "dotprod", 16, TARGET_DOT_ALIKE},
		{"aarch64", "i8mm", 16, TARGET_DOT_UNLIKE},
	};
	bool vex = strcmp(f->arch, "x86_64") || t->vector_bytes >= 32;
	int64_t dots = 0;

	for (size_t i = 0; vex && i < sizeof list / sizeof *list; i++)
		if (!strcmp(f->arch, list[i].arch) && has_feature(f->features, list[i].feature) &&
		    t->vector_bytes <= list[i].vector_bytes)
			dots |= list[i].dots;
	return dots;
}

/* LLVM's list with signs: "+avx2,+fma". */
static void
add_features(Target *t, const char *list)
{
	char signed_name[TARGET_NAME_MAX];
	Str s = {0};

	str_add(&s, t->features);
	while (*list) {
		size_t n = strcspn(list, ",");

		snprintf(signed_name, sizeof signed_name, "+%.*s", (int)n, list);
		if (n && !has_feature(t->features, signed_name))
			str_printf(&s, "%s+%.*s", s.n ? "," : "", (int)n, list);
		list += n + (list[n] == ',');
	}
	set_text(t->features, sizeof t->features, str_get(&s), s.n);
	str_fini(&s);
}

int
target_from_facts(const TargetFacts *f, Target *t, Err *e)
{
	const char *level = level_of(f);

	if (!level)
		return err_set(e, ERR_UNSUPPORTED, "no target row for '%s' with features '%.100s'",
			       f->arch, f->features);
	if (target_named(level, t, e))
		return ERR_INPUT;
	set_text(t->name, sizeof t->name, f->name, strlen(f->name));
	if (f->cpu && *f->cpu)
		set_text(t->cpu, sizeof t->cpu, f->cpu, strlen(f->cpu));
	add_features(t, f->features);
	t->byte_dot = byte_dots(t, f);
	if (f->cores > 0)
		t->cores = f->cores;
	if (f->l1_bytes > 0)
		t->l1_bytes = f->l1_bytes;
	if (f->l2_bytes > 0)
		t->l2_bytes = f->l2_bytes;
	if (f->l3_bytes > 0)
		t->l3_bytes = f->l3_bytes;
	return OK;
}

int
target_of_device(const DeviceInfo *d, Target *t, Err *e)
{
	Str list = {0};
	TargetFacts f = {.name = d->name,
			 .arch = d->arch,
			 .cpu = d->core,
			 .cores = d->cores,
			 .l1_bytes = (int64_t)d->l1d,
			 .l2_bytes = (int64_t)d->l2,
			 .l3_bytes = (int64_t)d->l3};
	int rc;

	for (uint32_t i = 0; i < d->features.n; i++)
		str_printf(&list, "%s%s", i ? "," : "", d->features.v[i]);
	f.features = str_get(&list);
	rc = target_from_facts(&f, t, e);
	str_fini(&list);
	return rc;
}

int
target_host(Target *t, Err *e)
{
	DeviceInfo d;
	int rc = hardware_read("", -1, &d, e);

	if (rc == OK)
		rc = target_of_device(&d, t, e);
	device_fini(&d);
	return rc;
}

void
target_key(const Target *t, Str *out)
{
	str_printf(out, "%s %s %s", t->triple, t->cpu, t->features);
}

/* The first row with this triple and CPU; NULL: none. */
static const char *
row_like(const char *triple, const char *cpu)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		Err ignored = {0};
		Target t;

		if (!target_parse(table[i], &t, &ignored) && !strcmp(t.triple, triple) &&
		    !strcmp(t.cpu, cpu))
			return table[i];
	}
	return NULL;
}

int
target_of_key(const char *key, Target *t, Err *e)
{
	char triple[TARGET_TEXT_MAX], cpu[TARGET_TEXT_MAX], features[TARGET_TEXT_MAX], *to;
	TargetFacts f = {.name = "", .arch = triple, .cpu = cpu, .features = features};
	size_t n = strcspn(key, " "), m = strcspn(key + n + (key[n] == ' '), " ");
	const char *row;
	int rc;

	snprintf(triple, sizeof triple, "%.*s", (int)n, key);
	key += n + (key[n] == ' ');
	snprintf(cpu, sizeof cpu, "%.*s", (int)m, key);
	key += m + (key[m] == ' ');
	row = row_like(triple, cpu);
	to = features;
	for (; *key && to < features + sizeof features - 1; key++)
		if (*key != '+')
			*to++ = *key;
	*to = 0;
	triple[strcspn(triple, "-")] = 0;
	if (row) {
		rc = target_parse(row, t, e);
		t->byte_dot |= byte_dots(t, &f);
		return rc;
	}
	if (!strcmp(triple, "armv7"))
		strcpy(triple, "armv7l");
	return target_from_facts(&f, t, e);
}
