/* The text of Tasks: reading back what was printed, canonical form, what is refused and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "graph/task.h"
#include "task_case.h"
#include "tests/support/draw.h"

static const char everything[] =
	"task\n"
	"  in x f16[2,9]\n"
	"  in i i64[3]\n"
	"  const w f32[4,9]\n"
	"  lit m f32[2,2] = 1 -0.5 0 inf\n"
	"  tmp t f32[4]\n"
	"  out y f32[4,3]\n"
	"  out n i64[2]\n"
	"  stage a:4 | b:9\n"
	"    acc f32 max w[a,b] * x[1,b]\n"
	"    t[a] = acc + m[1,0]\n"
	"  stage a:4 c:3\n"
	"    y[a,c] = select(t[a] < 0.5, exp(t[a] - 1), x[@i[c],2*a-3 else -1]) * in(a-c,0,2):f32\n"
	"  stage a:2 | b:9\n"
	"    acc i32 argmin x[a,b]\n"
	"    n[a] = i64(acc) + index(2*a+1):i64\n";

static void
print_gives_back_the_text(void **state)
{
	Arena *a = arena_new();
	Str out = {0};

	(void)state;
	task_print(parse_task(a, everything), &out);
	assert_string_equal(str_get(&out), everything);
	str_fini(&out);
	arena_free(a);
}

/* Parentheses, signs and blanks that mean nothing disappear; those that mean something stay. */
static void
expressions_keep_their_structure(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"((x[a]))", "x[a]"},
		{"(x[a] + 1) + 2", "x[a] + 1 + 2"},
		{"x[a] + (1 + 2)", "x[a] + (1 + 2)"},
		{"x[a] - (1 - 2)", "x[a] - (1 - 2)"},
		{"(x[a]+1)*2", "(x[a] + 1) * 2"},
		{"x[a] / (2 * x[a])", "x[a] / (2 * x[a])"},
		{"f32(x[a])", "x[a]"},
		{"f32(i32(x[a]))", "f32(i32(x[a]))"},
		{"x[ a ]", "x[a]"},
		{"x[0+a-0]", "x[a]"},
		{"x[2*a-a]", "x[a]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Arena *a = arena_new();
		Str text = {0}, out = {0};
		const char *head = "task\n  in x f32[4]\n  out y f32[4]\n  stage a:4\n    y[a] = ";

		str_printf(&text, "%s%s\n", head, cases[i].in);
		task_print(parse_task(a, text.s), &out);
		assert_string_equal(out.s + strlen(head), arena_printf(a, "%s\n", cases[i].out));
		str_fini(&text);
		str_fini(&out);
		arena_free(a);
	}
}

static void
random_tasks_read_back(void **state)
{
	Rng r;

	(void)state;
	rng_init(&r, 3);
	for (int i = 0; i < 500; i++) {
		Arena *a = arena_new();
		Str text = {0}, once = {0}, twice = {0};
		Digest d, e;
		Task *t;

		draw_task(&r, &text);
		t = parse_task(a, text.s);
		task_print(t, &once);
		task_print(parse_task(a, once.s), &twice);
		assert_string_equal(once.s, twice.s);
		d = task_digest(t);
		e = task_digest(parse_task(a, once.s));
		assert_true(digest_equal(&d, &e));
		d = task_digest(task_copy(a, t));
		assert_true(digest_equal(&d, &e));
		str_fini(&text);
		str_fini(&once);
		str_fini(&twice);
		arena_free(a);
	}
}

static void
equal_tasks_simplify_equally(void **state)
{
	const char *one = "task\n in p f32[1,8,5]\n const q f32[8]\n in unused f32[3]\n"
			  " tmp dead f32[8]\n out r f32[8,5]\n"
			  " stage a:8\n  dead[a] = q[a] * 2\n"
			  " stage n:1 k:8 c:5 | z:1\n  acc f32 sum p[n,k,c]\n"
			  "  r[k,c] = acc + q[k]\n";
	const char *two = "task\n out out f32[8,5]\n const bias f32[8]\n in data f32[1,8,5]\n"
			  " stage k:8 c:5\n  out[k,c] = data[0,k,c] + bias[k]\n";
	Arena *a = arena_new();
	Task *t = parse_task(a, one), *u = parse_task(a, two);
	Digest d, e;
	int map[5];

	(void)state;
	d = task_digest(t);
	e = task_digest(u);
	assert_false(digest_equal(&d, &e));
	task_simplify(t, map);
	task_simplify(u, NULL);
	d = task_digest(t);
	e = task_digest(u);
	assert_true(digest_equal(&d, &e));
	assert_string_equal(t->tensor.v[map[0]].name, "x0");
	assert_int_equal(map[2], TASK_NONE);
	assert_int_equal(map[3], TASK_NONE);
	arena_free(a);
}

/* Rest of a Task over x f32[4,5], w f32[4], y f32[4]; a part of the message. */
static const struct {
	const char *text, *message;
} refused[] = {
	{"stage a:4\n y[a] = x[a]\n", "x has rank 2"},
	{"stage a:4\n y[a] = x[a,5]\n", "index 1 of x runs from 5 to 5, the extent is 5"},
	{"stage a:4\n y[a] = x[a-1,0]\n", "index 0 of x runs from -1 to 2"},
	{"stage a:4\n y[a] = z[a]\n", "no tensor 'z'"},
	{"stage a:4\n y[b] = w[a]\n", "no axis 'b'"},
	{"stage a:4 a:2\n y[a] = w[a]\n", "axis a twice"},
	{"stage a:4\n y[a] = acc\n", "acc outside a final expression"},
	{"stage a:4 | b:5\n acc f32 sum acc\n y[a] = acc\n", "acc outside a final expression"},
	{"stage a:4 | b:5\n y[a] = w[a]\n", "a combiner goes with reduction axes"},
	{"stage a:4\n acc f32 sum w[a]\n y[a] = acc\n", "a combiner goes with reduction axes"},
	{"stage a:4 | b:5\n acc f32 mean x[a,b]\n y[a] = acc\n", "'mean' is not a combiner"},
	{"stage a:4 | b:4\n acc f32 sum x[a,b]\n y[b] = acc\n", "reduction axis b indexes y"},
	{"stage a:4 | b:5\n acc f32 sum x[a,b]\n y[a] = acc + x[a,b]\n", "a reduction axis occurs"},
	{"stage a:4 | b:5\n acc f32 argmax x[a,b]\n y[a] = acc\n", "argmax has an i32"},
	{"stage a:4\n y[a] = w[a] + 1:i32\n", "add of f32 and i32"},
	{"stage a:4\n y[a] = w[a] < 0\n", "y is f32, stored is bool"},
	{"stage a:4\n y[a] = and(w[a], w[a])\n", "and wants bool"},
	{"stage a:4\n y[a] = f32(exp(i32(w[a])))\n", "exp wants a float"},
	{"stage a:4\n y[a] = select(w[a], 1, 2)\n", "select wants a bool"},
	{"stage a:4\n y[a] = sine(w[a])\n", "no function or type 'sine'"},
	{"stage a:4\n y[a] = x[@w[a],0]\n", "index through a tensor of f32"},
	{"stage a:4\n y[a] = w[a] w[a]\n", "expected the end of the line"},
	{"stage a:4\n w[a] = x[a,0]\n stage a:4\n y[a] = w[a]\n", "const w depends on an input"},
	{"in j i32[4]\n const u f32[4]\n stage a:4\n u[a] = w[@j[a]]\n stage a:4\n y[a] = u[a]\n",
	 "const u depends on an input"},
	{"stage a:4\n x[a,0] = w[a]\n stage a:4\n y[a] = w[a]\n",
	 "a stage writes x, which is an input"},
	{"stage a:0\n y[a] = w[a]\n", "0"},
	{"tmp t f32[4]\n stage a:4\n y[a] = t[a]\n stage a:4\n t[a] = w[a]\n",
	 "t is read before a stage writes it"},
	{"in w f32[3]\n stage a:4\n y[a] = w[a]\n", "tensor w twice"},
	{"out z f32[3]\n stage a:4\n y[a] = w[a]\n", "no stage writes z"},
	{"lit l f32[2] = 1\n stage a:4\n y[a] = w[a]\n", "number"},
	{"in v f31[2]\n", "'f31' is not an element type"},
	{"in v f32[2,0]\n", "0"},
	{"in v f32[65536,65536]\n stage a:4\n y[a] = w[a]\n", "too many elements"},
	{"", "no stage writes y"},
};

static void
errors_name_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		Arena *a = arena_new();
		Str text = {0};
		Err e = {0};
		Task *t;

		str_printf(&text, "task\n in x f32[4,5]\n const w f32[4]\n out y f32[4]\n %s",
			   refused[i].text);
		assert_int_equal(task_parse(text.s, a, &t, &e), ERR_INPUT);
		if (!strstr(e.msg, refused[i].message))
			fail_msg("%s: got '%s', expected '%s'", refused[i].text, e.msg,
				 refused[i].message);
		str_fini(&text);
		arena_free(a);
	}
}

/* Nesting and counts have limits, so that hostile text is refused instead of overflowing. */
static void
hostile_text_is_refused(void **state)
{
	Arena *a = arena_new();
	Str text = {0};
	Err e = {0};
	Task *t;

	(void)state;
	str_add(&text, "task\n out y f32[4]\n stage a:4\n y[a] = ");
	for (int i = 0; i < 100000; i++)
		str_add(&text, "(");
	assert_int_equal(task_parse(text.s, a, &t, &e), ERR_INPUT);
	str_clear(&text);
	str_add(&text, "task\n out y f32[4]\n stage a:4\n y[a] = 1");
	for (int i = 0; i < 100000; i++)
		str_add(&text, "+1");
	assert_int_equal(task_parse(text.s, a, &t, &e), ERR_INPUT);
	str_clear(&text);
	str_add(&text, "task\n");
	for (int i = 0; i < 100000; i++)
		str_printf(&text, " in x%d f32[4]\n", i);
	assert_int_equal(task_parse(text.s, a, &t, &e), ERR_INPUT);
	str_fini(&text);
	arena_free(a);
}

static void
work_is_counted(void **state)
{
	Arena *a = arena_new();
	Task *t = parse_task(
		a, "task\n in x f32[4,5]\n const w f32[5,3]\n out y f32[4,3]\n"
		   " stage m:4 n:3 | k:5\n  acc f32 sum x[m,k] * w[k,n]\n  y[m,n] = acc\n");

	(void)state;
	assert_int_equal(stage_macs(&t->stage.v[0]), 60);
	assert_string_equal(task_axes(t, a), "m:4 n:3 | k:5");
	assert_true(task_flops(t) == 120);
	assert_true(task_bytes(t) == 4 * (20 + 15 + 12));
	assert_true(stage_reads(t, 0, 0));
	assert_false(stage_reads(t, 0, 2));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(print_gives_back_the_text),
		cmocka_unit_test(expressions_keep_their_structure),
		cmocka_unit_test(random_tasks_read_back),
		cmocka_unit_test(equal_tasks_simplify_equally),
		cmocka_unit_test(errors_name_what_is_wrong),
		cmocka_unit_test(hostile_text_is_refused),
		cmocka_unit_test(work_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
