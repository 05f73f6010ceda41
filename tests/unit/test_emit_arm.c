/* AArch64 objects made on any host: the hot loop of the dense kernels multiplies by lanes of a
 * vector (fmla v.4s, v.4s, v.s[i]), broadcasts nothing and keeps every vector in a register; so do
 * the nests that the analytic model chooses. Code.spills says the same of any object, also for
 * 32-bit Arm and RISC-V. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "codegen/lowered.h"

#define BORDERED "form\n x bca border 0,1,1/0,1,1 = 0\n y bca border 0,1,1/0,1,1 = 0\n"
#define LAST     "form\n x bca\n y bca\n"

typedef struct Case {
	const char *task, *form, *sched;
	int fmla; /* in the hot loop: what the register tile and the unrolling ask for */
} Case;

static const Case cases[] = {
	{"task\n in x f32[64,56,56]\n const w f32[64,64,3,3]\n const b f32[64]\n"
	 " out y f32[64,56,56]\n stage k:64 p:56 q:56 | c:64 i:3 j:3\n"
	 "  acc f32 sum x[c,p+i-1,q+j-1 else 0] * w[k,c,i,j]\n  y[k,p,q] = max(acc + b[k], 0)\n",
	 BORDERED, "direct\nnest vec=k k:8 p:1 q:8 | c:16 i:1 j:1 c:4\n", 64},
	{"task\n in x f32[64,56,56]\n const w f32[64,64]\n const b f32[64]\n"
	 " out y f32[64,56,56]\n stage k:64 p:56 q:56 | c:64\n"
	 "  acc f32 sum x[c,p,q] * w[k,c]\n  y[k,p,q] = max(acc + b[k], 0)\n",
	 LAST, "direct\nnest vec=k k:8 p:1 q:8 | c:16 c:4\n", 64},
	{"task\n in a f32[128,256]\n const b f32[256,512]\n out y f32[128,512]\n"
	 " stage m:128 n:512 | k:256\n  acc f32 sum a[m,k] * b[k,n]\n  y[m,n] = acc\n",
	 "form\n a ab\n y ab\n", "direct\nnest vec=n n:8 m:8 | k:4\n", 64},
	{"task\n in a f32[128,256]\n in b f32[256,512]\n out y f32[128,512]\n"
	 " stage m:128 n:512 | k:256\n  acc f32 sum a[m,k] * b[k,n]\n  y[m,n] = acc\n",
	 "form\n a ab\n b ab\n y ab\n", "direct\nnest vec=n n:12 m:6 | k:4\n", 72},
};

typedef struct Count {
	int fmla, lane, dup, spill;
} Count;

static bool
is(const char *line, const char *mnemonic)
{
	size_t n = strlen(mnemonic);

	return !strncmp(line, mnemonic, n) && (line[n] == '\t' || line[n] == ' ');
}

static void
count_line(const char *line, Count *c)
{
	char op[256];

	snprintf(op, sizeof op, "%.*s", (int)strcspn(line, "\n"), line);
	line = op + strspn(op, " \t");
	c->fmla += is(line, "fmla");
	c->lane += is(line, "fmla") && strstr(line, ".s[");
	c->dup += is(line, "dup") || is(line, "ld1r");
	if (strstr(line, "[sp") && (strstr(line, "\tq") || strstr(line, " q")))
		c->spill++;
}

/* Counts of the basic block with the most multiply-adds of those that are loops by themselves. */
static Count
hot_loop(const char *text)
{
	Count hot = {0}, c = {0};
	char label[32] = "";

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n"), word = strspn(p, " \t");

		if (*p == '.' && memchr(p, ':', n)) {
			c = (Count){0};
			snprintf(label, sizeof label, "%.*s", (int)strcspn(p, ":"), p);
		} else {
			count_line(p, &c);
			if (p[word] == 'b' && p[word + 1] == '.') {
				bool self = *label &&
					    !strncmp(p + n - strlen(label), label, strlen(label));

				if (self && c.fmla > hot.fmla)
					hot = c;
				c = (Count){0};
				*label = 0;
			}
		}
		p += n + (p[n] == '\n');
	}
	return hot;
}

static void
check_case(const Case *k, const Target *target, Emit *m)
{
	Arena *a = arena_new();
	char why[LOWER_WHY_MAX] = "";
	Str text = {0};
	Code code;
	TaskForm f;
	Err e = {0};
	Loop *l;
	Count c;
	Sched s;
	Task *t;

	assert_int_equal(task_parse(k->task, a, &t, &e), OK);
	assert_int_equal(task_form_parse(k->form, t, a, &f, &e), OK);
	assert_int_equal(sched_parse(k->sched, t, a, &s, &e), OK);
	assert_int_equal(lower(a, t, &f, &s, target, (LowerOptions){0}, &l, why), OK);
	assert_int_equal(emit_print(m, l, "k", &text, &e), OK);
	c = hot_loop(text.s);
	assert_int_equal(c.fmla, k->fmla);
	assert_int_equal(c.lane, k->fmla);
	assert_int_equal(c.dup, 0);
	assert_int_equal(c.spill, 0);
	str_fini(&text);

	assert_int_equal(emit(m, l, "k", a, &code, &e), OK);
	assert_true(code.size > 20);
	assert_memory_equal(code.bytes, "\177ELF", 4);
	assert_int_equal(((const uint8_t *)code.bytes)[18], 183); /* EM_AARCH64 */
	arena_free(a);
}

static const char *const cores[] = {"aarch64",     "cortex-a53",  "cortex-a55",
				    "cortex-a72",  "cortex-a76",  "cortex-x1",
				    "neoverse-n1", "neoverse-v1", "apple-m1"};

static void
hot_loops_multiply_by_lanes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cores / sizeof *cores; i++) {
		Target target;
		Err e = {0};
		Emit *m;

		assert_int_equal(target_named(cores[i], &target, &e), OK);
		assert_int_equal(emit_open("llvm", &target, &m, &e), OK);
		for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
			print_message("%s, case %zu\n", cores[i], k);
			check_case(&cases[k], &target, m);
		}
		emit_close(m);
	}
}

#define CONV(k, c, n, m, r, s, pad)                                                         \
	"task\n in x f32[" #c "," #n "," #n "]\n const w f32[" #k "," #c "," #r "," #r      \
	"]\n const b f32[" #k "]\n out y f32[" #k "," #m "," #m "]\n stage k:" #k " p:" #m  \
	" q:" #m " | c:" #c " i:" #r " j:" #r "\n  acc f32 sum x[c," #s "*p+i-" #pad "," #s \
	"*q+j-" #pad " else 0] * w[k,c,i,j]\n  y[k,p,q] = max(acc + b[k], 0)\n"
#define DEPTHWISE(c, n, m, s)                                                                    \
	"task\n in x f32[" #c "," #n "," #n "]\n const w f32[" #c ",3,3]\n out y f32[" #c "," #m \
	"," #m "]\n stage k:" #c " p:" #m " q:" #m " | i:3 j:3\n  acc f32 sum x[k," #s           \
	"*p+i-1," #s "*q+j-1 else 0] * w[k,i,j]\n  y[k,p,q] = min(max(acc, 0), 6)\n"

/* Layers as the model schedules them; Winograd's product as a task of its own. */
static const struct {
	const char *task, *form;
} layers[] = {
	{CONV(64, 64, 56, 56, 3, 1, 1), BORDERED},
	{CONV(512, 512, 7, 7, 3, 1, 1), BORDERED},
	{CONV(64, 64, 56, 28, 3, 2, 1), BORDERED},
	{CONV(64, 256, 56, 56, 1, 1, 0), LAST},
	{CONV(24, 144, 56, 56, 1, 1, 0), LAST},
	{"task\n in a f32[128,768]\n const b f32[768,3072]\n out y f32[128,3072]\n"
	 " stage m:128 n:3072 | k:768\n  acc f32 sum a[m,k] * b[k,n]\n  y[m,n] = acc\n",
	 "form\n a ab\n y ab\n"},
	{"task\n in a f32[128,64]\n in b f32[64,128]\n out y f32[128,128]\n"
	 " stage m:128 n:128 | k:64\n  acc f32 sum a[m,k] * b[k,n]\n  y[m,n] = acc\n",
	 "form\n a ab\n b ab\n y ab\n"},
	{"task\n in V f32[6,6,14,14,64]\n const U f32[6,6,64,64]\n out M f32[6,6,14,14,64]\n"
	 " stage a:6 b:6 ty:14 tx:14 k:64 | c:64\n"
	 "  acc f32 sum V[a,b,ty,tx,c] * U[a,b,c,k]\n  M[a,b,ty,tx,k] = acc\n",
	 "form\n V abcde\n M abcde\n"},
	{DEPTHWISE(144, 56, 56, 1), BORDERED},
	{DEPTHWISE(960, 7, 7, 1), BORDERED},
	{DEPTHWISE(96, 112, 56, 2), BORDERED},
};

static void
check_layer(size_t i, Emit *m)
{
	Arena *a = arena_new();
	Str text = {0};
	TaskForm f;
	Lowered l;
	Code code;
	Err e = {0};
	Count c;
	Task *t;

	if (task_parse(layers[i].task, a, &t, &e) ||
	    task_form_parse(layers[i].form, t, a, &f, &e) ||
	    lowered_estimate(a, t, &f, m, TOLERANCE_DEFAULT, "k", &l, &e) ||
	    emit(m, l.loop, "k", a, &code, &e) || emit_print(m, l.loop, "k", &text, &e))
		fail_msg("%s", e.msg);
	c = hot_loop(text.s);
	if (code.spills || c.dup || (c.spill && !strcmp(l.sched.rewrite, "direct")))
		fail_msg("layer %zu on %s: %d spills, or %d of %d, %d dup: %s", i,
			 emit_target(m)->name, code.spills, c.spill, c.fmla, c.dup, l.text);
	if (c.fmla < 8)
		fail_msg("layer %zu on %s: hot loop of %d: %s", i, emit_target(m)->name, c.fmla,
			 l.text);
	str_fini(&text);
	arena_free(a);
}

/* A transform of Winograd's may have more multiply-adds in one block than the product has, and may
 * spill: for those Code.spills is asked alone. */
static void
untuned_layers_keep_to_registers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cores / sizeof *cores; i++) {
		Target target;
		Err e = {0};
		Emit *m;

		assert_int_equal(target_named(cores[i], &target, &e), OK);
		assert_int_equal(emit_open("llvm", &target, &m, &e), OK);
		for (size_t k = 0; k < sizeof layers / sizeof *layers; k++)
			check_layer(k, m);
		emit_close(m);
	}
}

/* Other machines have other words for everything: the counter alone is asked. */
static void
other_untuned_layers_keep_to_registers(void **state)
{
	static const char *const names[] = {"armv7",      "cortex-a7", "cortex-a9",
					    "cortex-a15", "rv64gc",    "rv64gcv"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		Target target;
		Err e = {0};
		Emit *m;

		assert_int_equal(target_named(names[i], &target, &e), OK);
		assert_int_equal(emit_open("llvm", &target, &m, &e), OK);
		for (size_t k = 0; k < sizeof layers / sizeof *layers; k++) {
			Arena *a = arena_new();
			TaskForm f;
			Lowered l;
			Task *t;

			if (task_parse(layers[k].task, a, &t, &e) ||
			    task_form_parse(layers[k].form, t, a, &f, &e) ||
			    lowered_estimate(a, t, &f, m, TOLERANCE_DEFAULT, "k", &l, &e))
				fail_msg("%s", e.msg);
			if (l.code.spills)
				fail_msg("layer %zu on %s: %d spills: %s", k, names[i],
					 l.code.spills, l.text);
			arena_free(a);
		}
		emit_close(m);
	}
}

/* Tiles that fit and tiles that do not, told apart from the object alone. */
static void
objects_tell_their_spills(void **state)
{
	static const struct {
		const char *target, *sched;
		bool spills;
	} list[] = {
		{"neoverse-n1", "direct\nnest vec=n n:8 m:8 | k:4\n", false},
		{"neoverse-n1", "direct\nnest vec=n n:12 m:10 | k:4\n", true},
		{"cortex-a15", "direct\nnest vec=n n:8 m:3 | k:4\n", false},
		{"cortex-a15", "direct\nnest vec=n n:12 m:6 | k:4\n", true},
		{"armv7", "direct\nnest vec=n n:8 m:8 | k:4\n", true},
		{"rv64gcv", "direct\nnest vec=n n:8 m:8 | k:4\n", false},
		{"rv64gcv", "direct\nnest vec=n n:16 m:9 | k:4\n", true},
		{"rv64gc", "direct\nnest vec=n n:4 m:4 | k:1\n", false},
		{"rv64gc", "direct\nnest vec=n n:8 m:6 | k:1\n", true},
		{"x86-64-v4", "direct\nnest vec=n n:48 m:8 | k:1\n", false},
		{"x86-64-v4", "direct\nnest vec=n n:64 m:9 | k:1\n", true},
		{"x86-64-v3", "direct\nnest vec=n n:16 m:5 | k:2\n", false},
		{"x86-64-v3", "direct\nnest vec=n n:32 m:5 | k:2\n", true},
		{"x86-64", "direct\nnest vec=n n:16 m:8 | k:1\n", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		Arena *a = arena_new();
		char why[LOWER_WHY_MAX];
		Target target;
		TaskForm f;
		Lowered l;
		Code code;
		Err e = {0};
		Emit *m;
		Task *t;

		assert_int_equal(target_named(list[i].target, &target, &e), OK);
		assert_int_equal(emit_open("llvm", &target, &m, &e), OK);
		assert_int_equal(task_parse(cases[2].task, a, &t, &e), OK);
		assert_int_equal(task_form_parse(cases[2].form, t, a, &f, &e), OK);
		assert_int_equal(lowered_from_text(a, t, &f, list[i].sched, &target, &l, why, &e),
				 OK);
		assert_int_equal(emit(m, l.loop, "k", a, &code, &e), OK);
		if ((code.spills > 0) != list[i].spills)
			fail_msg("%s, %s: %d spills", list[i].target, l.text, code.spills);
		emit_close(m);
		arena_free(a);
	}
}

/* The counter sees what the test is about. */
static void
counter_sees_spills_and_splats(void **state)
{
	Count c = hot_loop("k:\n\tfmla\tv1.4s, v2.4s, v3.4s\n.LBB0_1:\n"
			   "\tldr\tq1, [sp, #16]\n\tdup\tv2.4s, w3\n\tfmla\tv1.4s, v2.4s, v3.s[1]\n"
			   "\tfmla\tv1.4s, v2.4s, v3.4s\n\tstp\tq1, q2, [sp]\n\tb.lo\t.LBB0_1\n");

	(void)state;
	assert_int_equal(c.fmla, 2);
	assert_int_equal(c.lane, 1);
	assert_int_equal(c.dup, 1);
	assert_int_equal(c.spill, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counter_sees_spills_and_splats),
		cmocka_unit_test(hot_loops_multiply_by_lanes),
		cmocka_unit_test(untuned_layers_keep_to_registers),
		cmocka_unit_test(other_untuned_layers_keep_to_registers),
		cmocka_unit_test(objects_tell_their_spills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
