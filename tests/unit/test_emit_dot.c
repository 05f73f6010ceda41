/* Dot products of bytes as instructions, in objects for any machine made on any host: the hot loop
 * of a product has those of its Target, as many as the tile asks for, takes lanes of vectors where
 * the machine can, and keeps everything in registers; the analytic model chooses them where there
 * are some, and machines without get code without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codegen/lowered.h"

#define CONV(x, w)                                                                   \
	"task\n in x " x "[64,28,28]\n const w " w "[64,64,3,3]\n const b i32[64]\n" \
	" out y i32[64,28,28]\n stage k:64 p:28 q:28 | c:64 i:3 j:3\n"               \
	"  acc i32 sum x[c,p+i-1,q+j-1 else 0] * w[k,c,i,j]\n  y[k,p,q] = acc + b[k]\n"
#define PRODUCT(x, w)                                                                \
	"task\n in x " x "[128,256]\n const w " w "[256,512]\n out y i32[128,512]\n" \
	" stage m:128 n:512 | k:256\n  acc i32 sum x[m,k] * w[k,n]\n  y[m,n] = acc\n"
#define BORDERED "form\n x bca border 0,1,1/0,1,1 = 0\n y bca\n"
#define ROWS     "form\n x ab\n y ab\n"

static int
count_of(const char *text, const char *word)
{
	int n = 0;

	for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
		n++;
	return n;
}

typedef struct Made {
	Arena *a;
	Emit *m;
	Target target;
	Task *t;
	TaskForm f;
	Str text; /* assembly */
	Code code;
} Made;

static void
begin(Made *x, const char *target, const char *task, const char *form)
{
	Err e = {0};

	*x = (Made){.a = arena_new()};
	if (target_named(target, &x->target, &e) || emit_open("llvm", &x->target, &x->m, &e) ||
	    task_parse(task, x->a, &x->t, &e) || task_form_parse(form, x->t, x->a, &x->f, &e))
		fail_msg("%s", e.msg);
}

static void
emit_both(Made *x, const Loop *l)
{
	Err e = {0};

	if (emit_print(x->m, l, "k", &x->text, &e) || emit(x->m, l, "k", x->a, &x->code, &e))
		fail_msg("%s", e.msg);
}

static void
end(Made *x)
{
	str_fini(&x->text);
	emit_close(x->m);
	arena_free(x->a);
}

static const struct {
	const char *target, *task, *form, *sched;
	const char *word; /* of the instruction and its operands */
	int count;
	const char *never; /* "" nothing */
} cases[] = {
	{"cortex-a76", PRODUCT("i8", "i8"), ROWS, "direct\nnest vec=n dot=k n:8 m:8 | k:16\n",
	 "\tsdot\t", 64, "dup"},
	{"cortex-a76", PRODUCT("i8", "i8"), ROWS, "direct\nnest vec=n dot=k n:8 m:8 | k:16\n",
	 ".4b[", 64, "dup"},
	{"cortex-a55", PRODUCT("u8", "u8"), ROWS, "direct\nnest vec=n dot=k n:8 m:8 | k:16\n",
	 "\tudot\t", 64, "dup"},
	{"cortex-x1", PRODUCT("u8", "i8"), ROWS, "signs\nnest vec=n dot=k n:8 m:8 | k:16\n",
	 "\tsdot\t", 64, "dup"},
	{"neoverse-v1", PRODUCT("u8", "i8"), ROWS, "direct\nnest vec=n dot=k n:8 m:8 | k:16\n",
	 "\tsudot\t", 64, "dup"},
	{"neoverse-v1", PRODUCT("i8", "u8"), ROWS, "direct\nnest vec=n dot=k n:8 m:8 | k:16\n",
	 "\tusdot\t", 64, "dup"},
	{"neoverse-n1", CONV("i8", "i8"), BORDERED,
	 "direct\nnest vec=k dot=c k:8 p:1 q:7 | c:16 i:1 j:1\n", "\tsdot\t", 56, "dup"},
	{"cascadelake", PRODUCT("u8", "i8"), ROWS, "direct\nnest vec=n dot=k n:32 m:8 | k:4\n",
	 "\tvpdpbusd\t", 16, "vpmulld"},
	{"cascadelake", PRODUCT("i8", "i8"), ROWS, "signs\nnest vec=n dot=k n:32 m:8 | k:4\n",
	 "\tvpdpbusd\t", 16, "vpmulld"},
	{"cascadelake", PRODUCT("u8", "u8"), ROWS, "signs\nnest vec=n dot=k n:32 m:8 | k:4\n",
	 "\tvpdpbusd\t", 16, "vpmulld"},
	{"alderlake", PRODUCT("u8", "i8"), ROWS, "direct\nnest vec=n dot=k n:16 m:4 | k:4\n",
	 "vpdpbusd\t", 8, "zmm"},
};

static void
tiles_become_instructions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char why[LOWER_WHY_MAX] = "";
		Lowered l;
		Err e = {0};
		Made x;
		int n;

		begin(&x, cases[i].target, cases[i].task, cases[i].form);
		if (lowered_from_text(x.a, x.t, &x.f, cases[i].sched, &x.target, &l, why, &e))
			fail_msg("case %zu: %s%s", i, why, e.msg);
		assert_int_equal(loop_check(l.loop, &e), OK);
		emit_both(&x, l.loop);
		n = count_of(x.text.s, cases[i].word);
		if (n != cases[i].count || strstr(x.text.s, cases[i].never) || x.code.spills)
			fail_msg("case %zu on %s: %d of '%s', %d spills\n%s", i, cases[i].target, n,
				 cases[i].word, x.code.spills, x.text.s);
		assert_int_equal(x.code.inner.n > 0 ? x.code.inner.v[0].products : 0,
				 cases[i].count);
		end(&x);
	}
}

/* Every machine, every pair of signs: what the model chooses has the machine's instructions, if
 * there are any. */
static void
the_untuned_choice_has_them(void **state)
{
	static const struct {
		const char *target, *word; /* NULL: none of all */
	} machines[] = {
		{"cortex-a76", "dot\t"},   {"neoverse-v1", "dot\t"}, {"cascadelake", "vpdpbusd"},
		{"alderlake", "vpdpbusd"}, {"cortex-a53", NULL},     {"cortex-a72", NULL},
		{"x86-64-v3", NULL},       {"x86-64-v4", NULL},      {"armv7", NULL},
		{"rv64gcv", NULL},
	};
	static const char *const tasks[] = {CONV("u8", "i8"), CONV("i8", "i8"), CONV("u8", "u8"),
					    CONV("i8", "u8")};
	static const char *const words[] = {"dot\t", "vpdp", "dot."};

	bool quick = getenv("HONE_TEST_QUICK") != NULL;

	(void)state;
	for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
		for (size_t k = quick ? i % 4 : 0; k < sizeof tasks / sizeof *tasks;
		     k += quick ? 4 : 1) {
			const char *word = machines[i].word;
			Lowered l;
			Err e = {0};
			Made x;

			begin(&x, machines[i].target, tasks[k], BORDERED);
			if (lowered_estimate(x.a, x.t, &x.f, x.m, TOLERANCE_DEFAULT, "k", &l, &e))
				fail_msg("%s", e.msg);
			emit_both(&x, l.loop);
			if (word && (!strstr(x.text.s, word) || x.code.spills))
				fail_msg("%s, task %zu: %s", machines[i].target, k, l.text);
			for (int w = 0; w < 3 && !word; w++)
				if (strstr(x.text.s, words[w]))
					fail_msg("%s, task %zu: %s", machines[i].target, k, l.text);
			end(&x);
		}
}

/* With reasons: not products of bytes, signs that the machine lacks, terms apart, lanes outside. */
static void
refusals_say_why(void **state)
{
	static const struct {
		const char *target, *task, *form, *sched, *why;
	} list[] = {
		{"cortex-a53", PRODUCT("i8", "i8"), ROWS,
		 "direct\nnest vec=n dot=k n:8 m:8 | k:16\n", "no instruction for these signs"},
		{"cortex-a76", PRODUCT("u8", "i8"), ROWS,
		 "direct\nnest vec=n dot=k n:8 m:8 | k:16\n", "no instruction for these signs"},
		{"cortex-a76", PRODUCT("i16", "i8"), ROWS,
		 "direct\nnest vec=n dot=k n:8 m:8 | k:16\n", "sums no products of bytes"},
		{"cortex-a76", PRODUCT("i8", "i8"), "form\n x ba\n y ab\n",
		 "direct\nnest vec=n dot=k n:8 m:8 | k:16\n", "do not lie side by side"},
		{"cortex-a76", PRODUCT("i8", "i8"), ROWS,
		 "direct\nnest vec=n dot=k n:8 m:8 | k:6\n", "no multiple of 4"},
		{"cortex-a76", CONV("i8", "i8"), "form\n x abc\n y abc\n",
		 "direct\nnest vec=q dot=c k:1 p:1 q:4 | c:4 i:1 j:1\n",
		 "differs between lanes shared with terms"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		char why[LOWER_WHY_MAX] = "";
		Lowered l;
		Err e = {0};
		Made x;
		int rc;

		begin(&x, list[i].target, list[i].task, list[i].form);
		rc = lowered_from_text(x.a, x.t, &x.f, list[i].sched, &x.target, &l, why, &e);
		if (rc != NOT_APPLICABLE || !strstr(why, list[i].why))
			fail_msg("case %zu: %d '%s' %s", i, rc, why, e.msg);
		end(&x);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tiles_become_instructions),
		cmocka_unit_test(the_untuned_choice_has_them),
		cmocka_unit_test(refusals_say_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
