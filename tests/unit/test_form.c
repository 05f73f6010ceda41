/* Forms: text, layouts computed by hand, what is refused and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "graph/form.h"
#include "task_case.h"
#include "tests/support/draw.h"

static const char task_text[] =
	"task\n in x f32[2,20,5,7]\n const w f32[20]\n out y f32[2,20,5,7]\n"
	" out s f32[]\n stage n:2 c:20 p:5 q:7\n"
	"  y[n,c,p,q] = x[n,c,p,q] * w[c]\n stage\n  s[] = 1\n";

static void
print_gives_back_the_text(void **state)
{
	static const char text[] = "form\n"
				   "  x aBcd16b border 0,16,1,2/0,0,1,3 foreign 2 = -inf\n"
				   "  y acdb border 0,0,1,1/0,0,0,0 = 3\n"
				   "  s scalar\n";
	Arena *a = arena_new();
	Task *t = parse_task(a, task_text);
	Str out = {0};
	Err e = {0};
	TaskForm f;

	(void)state;
	assert_int_equal(task_form_parse(text, t, a, &f, &e), OK);
	task_form_print(t, &f, &out);
	assert_string_equal(out.s, text);
	assert_true(form_is_plain(&f.v[1]));
	assert_false(form_equal(&f.v[0], &f.v[2]));
	str_fini(&out);
	arena_free(a);
}

/* Tensors that are not named are plain, and the digest is that of the whole. */
static void
missing_lines_mean_plain(void **state)
{
	Arena *a = arena_new();
	Task *t = parse_task(a, task_text);
	TaskForm f, plain = task_form_plain(a, t);
	Err e = {0};
	Digest d, p;

	(void)state;
	assert_int_equal(task_form_parse("form\n", t, a, &f, &e), OK);
	d = task_form_digest(t, &f);
	p = task_form_digest(t, &plain);
	assert_true(digest_equal(&d, &p));
	assert_int_equal(task_form_parse("form\n x acdb\n", t, a, &f, &e), OK);
	d = task_form_digest(t, &f);
	assert_false(digest_equal(&d, &p));
	arena_free(a);
}

static void
layouts_are_as_computed_by_hand(void **state)
{
	const int64_t dim[] = {2, 20, 5, 7}, at[] = {1, 17, 3, 6};
	Form f = form_plain(4);
	Layout l = form_layout(&f, dim, DT_F32, 0);

	(void)state;
	assert_int_equal(layout_at(&l, at), ((1 * 20 + 17) * 5 + 3) * 7 + 6);
	assert_int_equal(l.count, 1400);

	f = form_channels_last(4);
	l = form_layout(&f, dim, DT_F32, 0);
	assert_int_equal(layout_at(&l, at), ((1 * 5 + 3) * 7 + 6) * 20 + 17);

	/* two blocks of 16 for 20 channels: 17 is lane 1 of the second */
	f = form_blocked(4, 1, 16);
	l = form_layout(&f, dim, DT_F32, 0);
	assert_int_equal(layout_at(&l, at), (((1 * 2 + 1) * 5 + 3) * 7 + 6) * 16 + 1);
	assert_int_equal(l.count, 2 * 2 * 5 * 7 * 16);

	/* a border of one row above, two columns on the right */
	f = form_plain(4);
	f.lo[2] = 1;
	f.hi[3] = 2;
	l = form_layout(&f, dim, DT_F32, 0);
	assert_int_equal(layout_at(&l, at), ((1 * 20 + 17) * 6 + 4) * 9 + 6);
	assert_int_equal(l.count, 2 * 20 * 6 * 9);

	/* a part of a concatenation: one block of others before */
	f = form_blocked(4, 1, 16);
	f.lo[1] = 16;
	f.foreign = 2;
	l = form_layout(&f, dim, DT_F32, 0);
	assert_int_equal(layout_at(&l, at), (((1 * 3 + 2) * 5 + 3) * 7 + 6) * 16 + 1);
	assert_false(form_has_border(&f));
}

/* Lines 1 KiB apart fall into one cache set: temporaries get a vector more. */
static void
temporaries_avoid_powers_of_two(void **state)
{
	const int64_t dim[] = {4, 256};
	Form f = form_plain(2);
	Layout l = form_layout(&f, dim, DT_F32, 16);

	(void)state;
	assert_int_equal(l.stride[0], 256 + 16);
	l = form_layout(&f, dim, DT_F32, 0);
	assert_int_equal(l.stride[0], 256);
}

/* No two elements of a tensor share memory, and none lies outside the buffer. */
static void
random_layouts_are_injective(void **state)
{
	Rng r;

	(void)state;
	rng_init(&r, 5);
	for (int round = 0; round < 300; round++) {
		Arena *a = arena_new();
		Str text = {0}, again = {0};
		Task *t = parse_task(a, task_text);
		Err e = {0};
		TaskForm f;

		draw_form(&r, draw_chance(&r, 20) ? 4096 : 0, t, &text);
		assert_int_equal(task_form_parse(text.s, t, a, &f, &e), OK);
		task_form_print(t, &f, &again);
		assert_int_equal(task_form_parse(again.s, t, a, &f, &e), OK);
		for (int i = 0; i < t->tensor.n; i++) {
			const TaskTensor *x = &t->tensor.v[i];
			Layout l = form_layout(&f.v[i], x->dim, x->type, 0);
			char *seen = arena_alloc(a, (size_t)l.count);
			int64_t n = tensor_count(x), ix[TASK_RANK_MAX];

			memset(seen, 0, (size_t)l.count);
			for (int64_t k = 0; k < n; k++) {
				int64_t rest = k, where;

				for (int d = x->rank - 1; d >= 0; d--) {
					ix[d] = rest % x->dim[d];
					rest /= x->dim[d];
				}
				where = layout_at(&l, ix);
				assert_in_range(where, 0, l.count - 1);
				assert_false(seen[where]++);
			}
		}
		str_fini(&text);
		str_fini(&again);
		arena_free(a);
	}
}

static const struct {
	const char *text, *message;
} refused[] = {
	{"x abc", "rank 3"},
	{"x abcc", "not a permutation"},
	{"x abce", "not a permutation"},
	{"x aBcd", "without a block size"},
	{"x abcd16b", "bad block"},
	{"x aBcd16c", "bad block"},
	{"x aBcd1b", "block of 1"},
	{"x aBcd65b", "block of 65"},
	{"x aBCd16b", "block"},
	{"x abcd border 1,0,0/0,0,0,0 = 0", "expected"},
	{"x abcd border -1,0,0,0/0,0,0,0 = 0", "-1"},
	{"x aBcd16b border 0,16,0,0/0,0,0,0 = 0", "border on the blocked dimension"},
	{"x aBcd16b border 0,8,0,0/0,0,0,0 foreign 2 = 0", "not whole blocks"},
	{"x aBcd16b border 0,0,0,0/0,16,0,0 foreign 2 = 0", "in the middle of a block"},
	{"x abcd border 2147483647,0,0,0/0,0,0,0 = 0", "too many elements"},
	{"x abcd border 0,0,0,0/0,0,0,0 foreign 16 = 0", "foreign"},
	{"x abcd y abcd", "end of the line"},
	{"w b", "no in or out tensor 'w'"},
	{"z ab", "no in or out tensor 'z'"},
};

static void
errors_name_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		Arena *a = arena_new();
		Task *t = parse_task(a, task_text);
		Err e = {0};
		TaskForm f;

		if (!task_form_parse(arena_printf(a, "form\n %s\n", refused[i].text), t, a, &f,
				     &e) ||
		    !strstr(e.msg, refused[i].message))
			fail_msg("%s: got '%s', expected '%s'", refused[i].text, e.msg,
				 refused[i].message);
		arena_free(a);
	}
}

/* Whether y may take the memory of x. */
static void
inputs_that_may_be_overwritten(void **state)
{
	static const struct {
		bool may;
		const char *rest, *form;
	} list[] = {
		{true, "stage a:4 b:6\n y[a,b] = x[a,b] + z[a,b]\n", ""},
		{true, "stage a:4 b:6\n y[a,b] = x[a,b] * x[a,b]\n", "x ba\n y ba\n"},
		{true, "stage a:4 b:6 | c:6\n acc f32 sum z[a,c]\n y[a,b] = acc + x[a,b]\n", ""},
		{false, "stage a:4 b:6\n y[a,b] = x[a,b] + z[a,b]\n", "x ba\n"},
		{false, "stage a:4 b:6\n y[a,b] = x[a,b] + z[a,b]\n",
		 "x ab border 0,1/0,0 foreign 2 = 0\n y ab border 0,1/0,0 foreign 2 = 0\n"},
		{false, "stage a:4 b:6\n y[a,b] = x[a,0] + z[a,b]\n", ""},
		{false, "stage a:4 b:6\n y[a,b] = x[a,-1*b+5] + z[a,b]\n", ""},
		{false, "stage a:4 b:6 | c:6\n acc f32 sum x[a,c]\n y[a,b] = acc + z[a,b]\n", ""},
		{false, "stage a:4 b:6 c:2\n y[a,b] = x[a,b] + z[a,c]\n", ""},
		{false, "stage a:4 b:3 c:2\n y[a,2*b+c] = x[a,2*b+c]\n", ""},
		{false, "stage a:4 b:3\n y[a,b] = x[a,b]\n stage a:4 b:3\n y[a,b+3] = x[a,b+3]\n",
		 ""},
		{false,
		 "tmp t f32[4,6]\n stage a:4 b:6\n t[a,b] = x[a,b]\n"
		 "stage a:4 b:6\n y[a,b] = x[a,b] + t[a,0]\n",
		 ""},
	};
	Arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		const char *text = arena_printf(a,
						"task\n in x f32[4,6]\n in z f32[4,6]\n "
						"out y f32[4,6]\n %s",
						list[i].rest);
		TaskForm f;
		Err e = {0};
		Task *t;

		if (task_parse(text, a, &t, &e) ||
		    task_form_parse(arena_printf(a, "form\n %s", list[i].form), t, a, &f, &e))
			fail_msg("%s: %s", text, e.msg);
		if (task_may_overwrite(t, &f, 0, 2) != list[i].may)
			fail_msg("%s%s", text, list[i].form);
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(print_gives_back_the_text),
		cmocka_unit_test(missing_lines_mean_plain),
		cmocka_unit_test(layouts_are_as_computed_by_hand),
		cmocka_unit_test(temporaries_avoid_powers_of_two),
		cmocka_unit_test(random_layouts_are_injective),
		cmocka_unit_test(errors_name_what_is_wrong),
		cmocka_unit_test(inputs_that_may_be_overwritten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
