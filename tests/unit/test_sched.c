/* The text of Scheds, what is refused and how, and the schedule of last resort. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codegen/lower.h"
#include "search_space/rewrite.h"
#include "task_case.h"
#include "tests/support/draw.h"

static const char task_text[] =
	"task\n in x f32[8,9,9]\n const w f32[16,8,3,3]\n tmp t f32[8,9,9]\n out y f32[16,9,9]\n"
	" stage c:8 p:9 q:9\n  t[c,p,q] = max(x[c,p,q], 0)\n"
	" stage k:16 p:9 q:9 | c:8 i:3 j:3\n"
	"  acc f32 sum t[c,p+i-1,q+j-1 else 0] * w[k,c,i,j]\n  y[k,p,q] = acc\n";

static void
print_gives_back_the_text(void **state)
{
	static const char *const texts[] = {
		"direct\nnest c:1 p:1 q:1\nnest k:1 p:1 q:1 | c:1 i:1 j:1\n",
		"direct\ninline\nnest vec=k vl=8 par=2 pf peel p:4 k:16 p:1 q:3 | c:4 c:1 j:1\n",
		"direct\nfuse p:4 q:1\nnest\nnest vec=q k:4\n",
		"direct\nnest vec=c c:8\nnest | c:2\n",
		"direct\nnest\nnest vec=k vl=8 dot=c par=2 k:16 p:1 q:3 | c:4 i:1\n",
		"direct\nnest\nnest vec=k dot=c k:16 p:1 q:3 | c:8\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		Arena *a = arena_new();
		Task *t = parse_task(a, task_text);
		Str out = {0};
		Err e = {0};
		Sched s;

		assert_int_equal(sched_parse(texts[i], t, a, &s, &e), OK);
		sched_print(&s, t, &out);
		assert_string_equal(out.s, texts[i]);
		str_fini(&out);
		arena_free(a);
	}
}

static const struct {
	const char *text, *message;
} refused[] = {
	{"direct\nnest\n", "expected 'nest' or 'inline'"},
	{"direct\nnest\nnest\nnest\n", "more lines than stages"},
	{"direct\nnest z:1\nnest\n", "no axis 'z'"},
	{"direct\nnest c:0\nnest\n", "0"},
	{"direct\nnest c\nnest\n", "':'"},
	{"direct\nnest vec=z\nnest\n", "no axis 'z'"},
	{"direct\nnest vec=c vl=3\nnest\n", "3 lanes, not a power of two"},
	{"direct\nnest vec=c vl=128\nnest\n", "128"},
	{"direct\nnest par=17\nnest\n", "17"},
	{"direct\nnest\nnest vec=k vl=8 dot=z\n", "no axis 'z'"},
	{"direct\nnest\nnest vec=k vl=8 dot=p\n", "dot wants a reduction axis"},
	{"direct\nnest\nnest vec=c vl=8 dot=i\n", "dot wants lanes along a spatial axis"},
	{"direct\nnest\nnest dot=c\n", "dot wants lanes along a spatial axis"},
	{"direct\nnest c:2 c:4\nnest\n", "sched of stage 0: steps of c grow"},
	{"direct\nnest\nnest c:1 k:1\n", "sched of stage 1: spatial axis k inside the reduction"},
	{"direct\nnest c:1 fast\nnest\n", "no axis 'fast'"},
	{"direct\nunroll\nnest\n", "expected 'nest' or 'inline'"},
	{"direct\nfuse a:1 b:1 c:1 d:1 e:1\nnest\nnest\n", "too many shared loops"},
	{"direct nest\nnest\n", "expected"},
	{"", "expected"},
	{"averyverylongnameforarewrite\n", "too long"},
};

static void
errors_name_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		Arena *a = arena_new();
		Task *t = parse_task(a, task_text);
		Err e = {0};
		Sched s;

		if (!sched_parse(refused[i].text, t, a, &s, &e) ||
		    !strstr(e.msg, refused[i].message))
			fail_msg("%s: got '%s', expected '%s'", refused[i].text, e.msg,
				 refused[i].message);
		arena_free(a);
	}
}

static void
too_many_steps_are_refused(void **state)
{
	Arena *a = arena_new();
	Task *t = parse_task(a, task_text);
	Str text = {0};
	Err e = {0};
	Sched s;

	(void)state;
	str_add(&text, "direct\nnest");
	for (int i = 0; i <= SCHED_SPLITS_MAX; i++)
		str_add(&text, " c:1");
	str_add(&text, "\nnest\n");
	assert_int_equal(sched_parse(text.s, t, a, &s, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "more than 24 steps"));
	str_fini(&text);
	arena_free(a);
}

static void
rewrites_are_found_by_name(void **state)
{
	char name[SCHED_REWRITE_MAX];
	Arena *a = arena_new();
	Task *t = parse_task(a, task_text), *to;
	TaskForm f = task_form_plain(a, t), form;
	Err e = {0};

	(void)state;
	assert_int_equal(sched_parse_rewrite("winograd4\nnest\n", name, &e), OK);
	assert_string_equal(name, "winograd4");
	assert_string_equal((*rewrites())->name, "direct");
	assert_non_null(rewrite_named("winograd2"));
	assert_null(rewrite_named("fft"));
	assert_int_equal(rewrite_apply("fft", a, t, &f, &to, &form, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "no rewrite 'fft'"));
	arena_free(a);
}

/* Any Task in any Form lowers with sched_scalar, and so does every rewrite of it. */
static void
last_resort_always_lowers(void **state)
{
	Target target;
	Err e = {0};
	Rng r;

	(void)state;
	assert_int_equal(target_named("x86-64", &target, &e), OK);
	rng_init(&r, 11);
	for (int i = 0; i < 400; i++) {
		Arena *a = arena_new();
		char why[LOWER_WHY_MAX] = "";
		Str task = {0}, form = {0};
		TaskForm f;
		Task *t;

		draw_task(&r, &task);
		t = parse_task(a, task.s);
		draw_form(&r, 0, t, &form);
		assert_int_equal(task_form_parse(form.s, t, a, &f, &e), OK);
		for (const Rewrite *const *w = rewrites(); *w; w++) {
			TaskForm to_form;
			Loop *l;
			Sched s;
			Task *to;

			if ((*w)->apply(a, t, &f, &to, &to_form))
				continue;
			s = sched_scalar(a, to, &to_form, (*w)->name);
			assert_int_equal(sched_check(&s, to, &e), OK);
			if (lower(a, to, &to_form, &s, &target, (LowerOptions){0}, &l, why))
				fail_msg("%s\n%s%s%s", why, (*w)->name, task.s, form.s);
			assert_int_equal(loop_check(l, &e), OK);
		}
		str_fini(&task);
		str_fini(&form);
		arena_free(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(print_gives_back_the_text),
		cmocka_unit_test(errors_name_what_is_wrong),
		cmocka_unit_test(too_many_steps_are_refused),
		cmocka_unit_test(rewrites_are_found_by_name),
		cmocka_unit_test(last_resort_always_lowers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
