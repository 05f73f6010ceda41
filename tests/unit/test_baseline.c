/* regress: baselines as text, folders, one file; boards and what differs between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "regress/baseline.h"

static Digest
put(Baseline *b, Arena *a, const char *text)
{
	return baseline_put(b, a, text, strlen(text));
}

static BaselineKernel
kernel(Baseline *b, Arena *a, const char *name)
{
	BaselineKernel k = {.name = name,
			    .task = digest_of_text(name),
			    .form = digest_of_text("form"),
			    .uses = 2,
			    .algorithm = "direct",
			    .grade = "exact",
			    .slack = 1.5,
			    .sched = "direct\n\nnest vec=k k:16 | c:1\n"};

	k.call.image = put(b, a, arena_printf(a, "image of %s", name));
	k.call.pack = put(b, a, "pack");
	k.call.pool = 4096;
	k.call.scratch = 64;
	k.call.chunks = 1;
	vec_push(a, &k.call.phase, "k0_0");
	vec_push(a, &k.call.phase, "k0_1");
	vec_push(a, &k.call.prepare, "p_winograd_0");
	vec_push(a, &k.call.derived, 2304);
	vec_push(a, &k.call.literal, ((BaselineLiteral){DT_F32, put(b, a, "literal")}));
	vec_push(a, &k.ns, 1234.5);
	vec_push(a, &k.ns, 1e9);
	return k;
}

static Baseline
example(Arena *a)
{
	Baseline b = {.name = "digits \"7\\\n",
		      .graph = "9f86d081884c7d659a2feaa0c55ad015",
		      .hone = "0.1.0",
		      .generator = "LLVM 22.1.0",
		      .tolerance = "default",
		      .board = {.cpu = "Some Core(TM) 2",
				.target = "x86_64-pc-linux-gnu",
				.cores = 2,
				.threads = 1,
				.governor = "",
				.smt = "on",
				.boost = "",
				.kernel = "6.1",
				.agent = "0.1.0"},
		      .model = {.name = "model", .weights_bytes = 1 << 20, .scratch = 4096}};

	b.plan = put(&b, a, "the plan");
	b.model.image = put(&b, a, "image of the model");
	vec_push(a, &b.model.in, ((BaselineTensor){DT_F32, 256}));
	vec_push(a, &b.model.out, ((BaselineTensor){DT_U8, 40}));
	vec_push(a, &b.kernel, kernel(&b, a, "conv1"));
	vec_push(a, &b.kernel, kernel(&b, a, "conv2"));
	baseline_sort(&b);
	return b;
}

static void
same_text(const Baseline *x, const Baseline *y)
{
	Str s = {0}, t = {0};

	baseline_print(x, &s);
	baseline_print(y, &t);
	assert_string_equal(str_get(&s), str_get(&t));
	str_fini(&s);
	str_fini(&t);
}

static void
text_reads_back(void **state)
{
	Arena *a = arena_new();
	Baseline b = example(a), again;
	Str s = {0};
	Err e = {0};

	(void)state;
	baseline_print(&b, &s);
	if (baseline_parse("file", str_get(&s), a, &again, &e))
		fail_msg("%s", e.msg);
	same_text(&b, &again);
	assert_string_equal(b.name, again.name);
	assert_string_equal(again.kernel.v[0].sched, b.kernel.v[0].sched);
	assert_int_equal(again.model.line, 25);
	assert_non_null(baseline_kernel(&again, &b.kernel.v[1].task, &b.kernel.v[1].form));
	str_fini(&s);
	arena_free(a);
}

/* Every line taken out, and every line changed in its first letter. */
static void
damage_is_named(void **state)
{
	Arena *a = arena_new();
	Baseline b = example(a), again;
	Str s = {0};

	(void)state;
	baseline_print(&b, &s);
	for (const char *line = s.s; *line; line = strchr(line, '\n') + 1) {
		const char *end = strchr(line, '\n') + 1;
		const char *without = arena_printf(a, "%.*s%s", (int)(line - s.s), s.s, end);
		const char *other =
			arena_printf(a, "%.*s%c%s", (int)(line - s.s), s.s, '?', line + 1);
		Err e = {0};

		assert_int_equal(baseline_parse("here.txt", other, a, &again, &e), ERR_INPUT);
		assert_ptr_equal(strstr(e.msg, "here.txt:"), e.msg);
		e = (Err){0};
		if (line[0] == '\t' && line[1] == '\t')
			continue; /* of a schedule: the rest of it is one as well */
		assert_int_equal(baseline_parse("here.txt", without, a, &again, &e), ERR_INPUT);
		assert_ptr_equal(strstr(e.msg, "here.txt:"), e.msg);
	}
	str_fini(&s);
	arena_free(a);
}

static void
refuses(Arena *a, const char *text, const char *from, const char *to, const char *says)
{
	const char *at = strstr(text, from);
	Baseline again;
	Err e = {0};

	assert_non_null(at);
	text = arena_printf(a, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	assert_int_equal(baseline_parse("f", text, a, &again, &e), ERR_INPUT);
	if (!strstr(e.msg, says))
		fail_msg("'%s' does not say '%s'", e.msg, says);
}

static void
bad_values_are_refused(void **state)
{
	Arena *a = arena_new();
	Baseline b = example(a);
	Str s = {0};

	(void)state;
	baseline_print(&b, &s);
	refuses(a, s.s, "baseline 1", "baseline 2", "f:1: baseline: '2', expected 1");
	refuses(a, s.s, "\tcores 2", "\tcores two", "cores: 'two', expected a number");
	refuses(a, s.s, "\tcores 2", "\tcores 02", "cores: '02'");
	refuses(a, s.s, "\tslack 1.5", "\tslack 0", "slack: '0', expected a number above 0");
	refuses(a, s.s, "\tslack 1.5", "\tslack nan", "slack");
	refuses(a, s.s, "f32:", "f31:", "a type of elements");
	refuses(a, s.s, "k0_0 k0_1", "k0_0  k0_1", "a word between blanks");
	refuses(a, s.s, "digits", "digits\\x0", "name: '\\x0");
	refuses(a, s.s, "\tphase k0_0 k0_1", "\tphase", "a phase at least");
	b.kernel.v[1] = b.kernel.v[0];
	str_clear(&s);
	baseline_print(&b, &s);
	refuses(a, s.s, "baseline 1", "baseline 1", "each once");
	str_fini(&s);
	arena_free(a);
}

static void
in_folder(void (*test)(const char *folder, Arena *a))
{
	char folder[] = "/tmp/hone-baseline-XXXXXX", command[64];
	Arena *a = arena_new();

	assert_non_null(mkdtemp(folder));
	test(folder, a);
	snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
	arena_free(a);
}

static const char *
path_of(Arena *a, const char *folder, const Digest *d)
{
	char hex[DIGEST_TEXT];

	digest_print(d, hex);
	return arena_printf(a, "%s/blobs/%s", folder, hex);
}

static void
folder_case(const char *folder, Arena *a)
{
	Baseline b = example(a), again;
	Digest old = b.kernel.v[0].call.image;
	Err e = {0};

	assert_int_equal(baseline_write(&b, folder, &e), OK);
	if (baseline_read(folder, a, &again, &e))
		fail_msg("%s", e.msg);
	same_text(&b, &again);
	assert_int_equal(again.blob.n, b.blob.n);

	/* what is named no more goes */
	again.kernel.v[0].call.image = put(&again, a, "another image");
	b.blob.n = 0;
	for (int i = 0; i < again.blob.n; i++)
		if (!digest_equal(&again.blob.v[i].digest, &old))
			vec_push(a, &b.blob, again.blob.v[i]);
	b.kernel.v = again.kernel.v;
	assert_int_equal(baseline_write(&b, folder, &e), OK);
	assert_int_equal(baseline_read(folder, a, &again, &e), OK);
	assert_int_not_equal(access(path_of(a, folder, &old), F_OK), 0);

	old = b.kernel.v[0].call.image;
	assert_int_equal(file_write(path_of(a, folder, &old), "other", 5, &e), OK);
	assert_int_equal(baseline_read(folder, a, &again, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "its contents have the digest"));
	assert_non_null(strstr(e.msg, "kernel 'conv"));
	e = (Err){0};
	unlink(path_of(a, folder, &old));
	assert_int_equal(baseline_read(folder, a, &again, &e), ERR_IO);
}

/* Setting a baseline again mends what became of its blobs. */
static void
damaged_case(const char *folder, Arena *a)
{
	Baseline b = example(a), again;
	const char *cut = path_of(a, folder, &b.kernel.v[0].call.image);
	const char *other = path_of(a, folder, &b.model.image);
	Err e = {0};

	assert_int_equal(baseline_write(&b, folder, &e), OK);
	assert_int_equal(file_write(cut, "", 0, &e), OK);
	assert_int_equal(file_write(other, "IMAGE of the model", 18, &e), OK);
	assert_int_equal(baseline_read(folder, a, &again, NULL), ERR_INPUT);
	assert_int_equal(baseline_write(&b, folder, &e), OK);
	if (baseline_read(folder, a, &again, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(again.blob.n, b.blob.n);
}

static void
damaged_blobs_are_replaced(void **state)
{
	(void)state;
	in_folder(damaged_case);
}

static void
folders_read_back(void **state)
{
	(void)state;
	in_folder(folder_case);
}

static void
one_file_reads_back(void **state)
{
	Arena *a = arena_new();
	Baseline b = example(a), again;
	Str s = {0};
	Err e = {0};

	(void)state;
	baseline_pack(&b, &s);
	if (baseline_unpack("file", s.s, s.n, a, &again, &e))
		fail_msg("%s", e.msg);
	same_text(&b, &again);
	assert_int_equal(again.blob.n, b.blob.n);
	for (size_t n = 0; n < s.n; n++) {
		char *cut = arena_copy(a, s.s, n + 1);

		cut[n] = 0;
		e = (Err){0};
		assert_int_equal(baseline_unpack("file", cut, n, a, &again, &e), ERR_INPUT);
		assert_true(*e.msg);
	}
	str_fini(&s);
	arena_free(a);
}

static void
boards_are_told_apart(void **state)
{
	Arena *a = arena_new();
	Board x = example(a).board, y = x;
	Err e = {0};

	(void)state;
	assert_int_equal(board_compare(&x, &y, &e), OK);
	y.kernel = "6.5";
	assert_int_equal(board_compare(&x, &y, &e), OK);
	assert_string_equal(board_news(&x, &y, a), "kernel '6.1', now '6.5'");
	y.cores = 4;
	y.governor = "powersave";
	assert_int_equal(board_compare(&x, &y, &e), ERR_DEVICE);
	assert_non_null(strstr(e.msg, "cores 2, here 4; governor '', here 'powersave'"));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_reads_back),
		cmocka_unit_test(damage_is_named),
		cmocka_unit_test(bad_values_are_refused),
		cmocka_unit_test(folders_read_back),
		cmocka_unit_test(damaged_blobs_are_replaced),
		cmocka_unit_test(one_file_reads_back),
		cmocka_unit_test(boards_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
