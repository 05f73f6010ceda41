/* The text of Targets, the built-in table, and Targets from what a device says of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "search_space/target.h"

static void
rows_read_back(void **state)
{
	static const char *const names[] = {
		"x86-64",      "x86-64-v2",   "x86-64-v3",  "x86-64-v4",  "aarch64",
		"cortex-a53",  "cortex-a55",  "cortex-a72", "cortex-a76", "cortex-x1",
		"neoverse-n1", "neoverse-v1", "apple-m1",   "armv7",      "armv7-vfp4",
		"cortex-a7",   "cortex-a9",   "cortex-a15", "rv64gc",     "rv64gcv",
		"cascadelake", "alderlake"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		Str once = {0}, twice = {0};
		Target t, u;
		Err e = {0};

		assert_int_equal(target_named(names[i], &t, &e), OK);
		assert_string_equal(t.name, names[i]);
		target_print(&t, &once);
		assert_int_equal(target_parse(once.s, &u, &e), OK);
		target_print(&u, &twice);
		assert_string_equal(once.s, twice.s);
		str_fini(&once);
		str_fini(&twice);
	}
}

static void
fields_have_defaults(void **state)
{
	Target t;
	Err e = {0};

	(void)state;
	assert_int_equal(
		target_parse("target toy triple=\"a-b c\" ghz=1.25 vector_bytes=32\n", &t, &e), OK);
	assert_string_equal(t.name, "toy");
	assert_string_equal(t.triple, "a-b c");
	assert_string_equal(t.cpu, "generic");
	assert_true(t.ghz == 1.25);
	assert_int_equal(target_lanes(&t), 8);
	assert_int_equal(t.l1_bytes, 32768);
}

static const struct {
	const char *text, *message;
} refused[] = {
	{"tarjet x", "expected 'target NAME"},
	{"target x speed=3", "no field 'speed'"},
	{"target x ghz", "expected key=value"},
	{"target x cpu=\"abc", "quote of cpu is not closed"},
	{"target x cpu=a\"b", "quote inside the value of cpu"},
	{"target x vector_bytes=24", "vector_bytes=24"},
	{"target x vector_bytes=0", "vector_bytes=0"},
	{"target x vector_bytes=512", "vector_bytes=512"},
	{"target x vector_regs=4", "vector_regs"},
	{"target x pointer_bits=16", "pointer_bits"},
	{"target x ghz=0", "not positive"},
	{"target x dram_gbs=nan", "not positive"},
};

static void
errors_name_what_is_wrong(void **state)
{
	Target t;
	Err e = {0};

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		e = (Err){0};
		if (!target_parse(refused[i].text, &t, &e) || !strstr(e.msg, refused[i].message))
			fail_msg("%s: got '%s', expected '%s'", refused[i].text, e.msg,
				 refused[i].message);
	}
	e = (Err){0};
	assert_int_equal(target_named("pdp-11", &t, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "x86-64-v3"));
}

static void
facts_choose_the_row(void **state)
{
	static const struct {
		const char *arch, *core, *features;
		int lanes;
		const char *cpu; /* which the row names, "" = the core */
		double fma_per_cycle;
	} cases[] = {
		{"x86_64", "", "", 4, "x86-64", 1},
		{"x86_64", "", "sse3,ssse3,sse4.1,sse4.2", 4, "x86-64-v2", 1},
		{"x86_64", "", "avx,avx2,fma,f16c", 8, "x86-64-v3", 2},
		/* avx2 without fma is no level */
		{"x86_64", "", "avx,avx2,f16c", 4, "x86-64", 1},
		{"x86_64", "", "avx2,fma,f16c,avx512f,avx512vl,avx512bw,avx512dq", 16, "x86-64-v4",
		 2},
		{"x86_64", "", "avx2,fma,f16c,avx512f", 8, "x86-64-v3", 2},
		{"aarch64", "", "neon", 4, "generic", 1},
		{"aarch64", "cortex-a53", "neon", 4, "", .5},
		{"aarch64", "neoverse-v2", "neon,sve", 4, "", 4}, /* as its nearest relative */
		{"aarch64", "cortex-a9999", "neon", 4, "", 1},
		{"armv7l", "", "neon", 4, "generic", .5},
		{"armv7l", "cortex-a7", "neon,vfp4", 4, "", .25},
		{"armv7l", "cortex-a53", "neon,vfp4,crc", 4, "", .5}, /* not its row of 64 bits */
		{"riscv64", "", "m,a,f,d,c", 1, "generic-rv64", 1},
		{"riscv64", "", "m,a,f,d,c,v", 4, "generic-rv64", .5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		TargetFacts f = {.name = "board",
				 .arch = cases[i].arch,
				 .cpu = cases[i].core,
				 .features = cases[i].features,
				 .cores = 3,
				 .l2_bytes = 4096};
		Target t;
		Err e = {0};

		assert_int_equal(target_from_facts(&f, &t, &e), OK);
		assert_string_equal(t.name, "board");
		assert_int_equal(target_lanes(&t), cases[i].lanes);
		assert_string_equal(t.cpu, *cases[i].cpu ? cases[i].cpu : cases[i].core);
		assert_true(t.fma_per_cycle == cases[i].fma_per_cycle);
		assert_int_equal(t.pointer_bits, strcmp(cases[i].arch, "armv7l") ? 64 : 32);
		assert_int_equal(t.cores, 3);
		assert_int_equal(t.l2_bytes, 4096);
		assert_true(t.l1_bytes > 0); /* what is not known keeps the row's value */
	}
}

/* A device's own features decide, whatever the row of its core says; a log's key tells them again.
 */
static void
dots_follow_the_features(void **state)
{
#define V4 "avx2,fma,f16c,avx512f,avx512vl,avx512bw,avx512dq"
	static const struct {
		const char *arch, *core, *features;
		int dots;
	} cases[] = {
		{"x86_64", "", V4, 0},
		{"x86_64", "", V4 ",avx512vnni", 2},
		{"x86_64", "", V4 ",avxvnni", 0}, /* of 256 bits only */
		{"x86_64", "", "avx2,fma,f16c,avxvnni", 2},
		{"x86_64", "", "sse4.1,avxvnni", 0},
		{"aarch64", "", "neon", 0},
		{"aarch64", "", "neon,dotprod", 1},
		{"aarch64", "", "neon,dotprod,i8mm", 3},
		{"aarch64", "cortex-a76", "neon", 0},
		{"aarch64", "cortex-a78", "neon,dotprod", 1},
		{"armv7l", "", "neon,vfp4,dotprod", 0},
		{"riscv64", "", "m,a,f,d,c,v", 0},
	};
	static const struct {
		const char *name;
		int dots;
	} rows[] = {{"cortex-a53", 0},  {"cortex-a72", 0},  {"cortex-a55", 1}, {"cortex-a76", 1},
		    {"neoverse-v1", 3}, {"cascadelake", 2}, {"alderlake", 2},  {"x86-64-v4", 0}};
	Target t;
	Err e = {0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		TargetFacts f = {.name = "board",
				 .arch = cases[i].arch,
				 .cpu = cases[i].core,
				 .features = cases[i].features};
		Str key = {0};

		assert_int_equal(target_from_facts(&f, &t, &e), OK);
		assert_int_equal(t.byte_dot, cases[i].dots);
		target_key(&t, &key);
		assert_int_equal(target_of_key(key.s, &t, &e), OK);
		if (!*cases[i].core) /* a row of that name may have more */
			assert_int_equal(t.byte_dot, cases[i].dots);
		str_fini(&key);
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(target_named(rows[i].name, &t, &e), OK);
		assert_int_equal(t.byte_dot, rows[i].dots);
	}
}

static void
unknown_architectures_are_refused(void **state)
{
	TargetFacts f = {.name = "b", .arch = "vax", .cpu = "", .features = ""};
	Target t;
	Err e = {0};

	(void)state;
	assert_int_equal(target_from_facts(&f, &t, &e), ERR_UNSUPPORTED);
	assert_non_null(strstr(e.msg, "vax"));
	e = (Err){0};
	f = (TargetFacts){.name = "b", .arch = "armv7l", .cpu = "cortex-a5", .features = "vfp3"};
	assert_int_equal(target_from_facts(&f, &t, &e), ERR_UNSUPPORTED); /* no NEON */
	assert_non_null(strstr(e.msg, "armv7l"));
}

static void
features_carry_signs(void **state)
{
	TargetFacts f = {
		.name = "b", .arch = "aarch64", .cpu = "cortex-a53", .features = "neon,crc,aes"};
	Target t;
	Err e = {0};

	(void)state;
	assert_int_equal(target_from_facts(&f, &t, &e), OK);
	assert_string_equal(t.features, "+neon,+crc,+aes"); /* each once */
	assert_string_equal(t.cpu, "cortex-a53");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_read_back),
		cmocka_unit_test(fields_have_defaults),
		cmocka_unit_test(errors_name_what_is_wrong),
		cmocka_unit_test(facts_choose_the_row),
		cmocka_unit_test(dots_follow_the_features),
		cmocka_unit_test(unknown_architectures_are_refused),
		cmocka_unit_test(features_carry_signs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
