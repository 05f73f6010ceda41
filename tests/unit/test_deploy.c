/* The memory planner, the files of a bundle, and a C program that links two bundles. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/image.h"
#include "base/rng.h"
#include "codegen/link.h"
#include "deploy/compare.h"
#include "deploy/compile.h"
#include "deploy/execute.h"
#include "graph/memory.h"
#include "import_case.h"

enum { ITEMS = 120, STEPS = 40, ROUNDS = 60 };

static size_t
rounded(size_t n)
{
	return (n + MEMORY_ALIGN - 1) / MEMORY_ALIGN * MEMORY_ALIGN;
}

static bool
overlap(const MemoryItem *x, const MemoryItem *y)
{
	return x->bytes && y->bytes && x->first <= y->last && y->first <= x->last &&
	       x->offset < y->offset + y->bytes && y->offset < x->offset + x->bytes;
}

static void
random_lifetimes_never_overlap(void **state)
{
	double worst = 1;
	Rng rng;

	(void)state;
	rng_init(&rng, 11);
	for (int round = 0; round < ROUNDS; round++) {
		MemoryItem item[ITEMS];
		Arena *a = arena_new();
		MemoryPlan p;

		for (int i = 0; i < ITEMS; i++) {
			int first = (int)rng_below(&rng, STEPS);

			item[i] = (MemoryItem){rng_below(&rng, 8) ? rng_below(&rng, 100000) : 0,
					       first, first + (int)rng_below(&rng, 6), 0};
		}
		p = memory_plan(item, ITEMS, a);
		for (int i = 0; i < ITEMS; i++) {
			assert_int_equal(item[i].offset % MEMORY_ALIGN, 0);
			assert_true(!item[i].bytes || item[i].offset + item[i].bytes <= p.bytes);
			for (int k = 0; k < i; k++)
				assert_false(overlap(&item[i], &item[k]));
		}
		assert_true(p.bound <= p.bytes);
		if (memory_efficiency(&p) < worst)
			worst = memory_efficiency(&p);
		arena_free(a);
	}
	assert_true(worst > 0.9);
}

/* A network of one branch needs its two largest neighbours. */
static void
a_chain_needs_two_neighbours(void **state)
{
	MemoryItem item[STEPS];
	Arena *a = arena_new();
	MemoryPlan p;
	Rng rng;

	(void)state;
	rng_init(&rng, 3);
	for (int round = 0; round < ROUNDS; round++) {
		size_t most = 0;

		for (int i = 0; i < STEPS; i++) {
			item[i] = (MemoryItem){1 + rng_below(&rng, 5000), i, i + 1, 0};
			if (i && rounded(item[i].bytes) + rounded(item[i - 1].bytes) > most)
				most = rounded(item[i].bytes) + rounded(item[i - 1].bytes);
		}
		p = memory_plan(item, STEPS, a);
		assert_int_equal(p.bound, most);
		assert_true((double)most >= 0.8 * (double)p.bytes);
	}
	p = memory_plan(NULL, 0, a);
	assert_int_equal(p.bytes, 0);
	arena_free(a);
}

static Bundle
example(void)
{
	static BundleTensor in[] = {{"pixels */ {", DT_U8, 3, {1, 4, 5}, 0, 20}};
	static BundleTensor out[] = {{"scores", DT_F32, 2, {1, 3}, 64, 12},
				     {"class", DT_I64, 0, {0}, 128, 8}};
	static BundleKernel kernel[] = {{"conv_1", "Conv+Relu", "0123", "4567", "direct",
					 "direct\nnest k:8\n", "exact", "", 1500.5, 2e6, 3e4, 2},
					{"lstm", "LSTM", "", "", "extern",
					 "LSTM has a reference kernel only", "estimate", "", 300,
					 10, 0, 1}};

	return (Bundle){.name = "net_1",
			.target = "x86_64-unknown-linux-gnu generic +sse2",
			.graph = "00ff",
			.plan = "logged",
			.version = "0.1.0",
			.generator = "LLVM 22",
			.input = in,
			.output = out,
			.ninput = 1,
			.noutput = 2,
			.weights_bytes = 640,
			.mutable_bytes = 192,
			.activations_bytes = 1280,
			.activations_bound = 1216,
			.weights_hash = UINT64_C(0xfedcba9876543210),
			.object_bytes = 999,
			.threads = 1,
			.kernel = kernel,
			.nkernel = 2};
}

static void
the_header_says_it_all(void **state)
{
	static const char want[] =
		"/* net_1: a model compiled by hone for\n"
		" * x86_64-unknown-linux-gnu generic +sse2\n"
		" *\n"
		" * The caller owns three regions, each aligned to 64 bytes: weights (the\n"
		" * contents of net_1.weights.bin), mutable (inputs and outputs, row-major, at "
		"the\n"
		" * offsets below) and activations. */\n"
		"#ifndef NET_1_BUNDLE_H\n"
		"#define NET_1_BUNDLE_H\n"
		"\n"
		"#define NET_1_ALIGN 64\n"
		"#define NET_1_WEIGHTS_BYTES 640\n"
		"#define NET_1_MUTABLE_BYTES 192\n"
		"#define NET_1_ACTIVATIONS_BYTES 1280\n"
		"#define NET_1_WEIGHTS_HASH 0xfedcba9876543210ull\n"
		"#define NET_1_INPUTS 1\n"
		"#define NET_1_OUTPUTS 2\n"
		"\n"
		"/* u8[1,4,5] pixels * / { */\n"
		"#define NET_1_INPUT_0_OFFSET 0\n"
		"#define NET_1_INPUT_0_BYTES 20\n"
		"\n"
		"/* f32[1,3] scores */\n"
		"#define NET_1_OUTPUT_0_OFFSET 64\n"
		"#define NET_1_OUTPUT_0_BYTES 12\n"
		"\n"
		"/* i64[] class */\n"
		"#define NET_1_OUTPUT_1_OFFSET 128\n"
		"#define NET_1_OUTPUT_1_BYTES 8\n"
		"\n"
		"#ifdef __cplusplus\n"
		"extern \"C\" {\n"
		"#endif\n"
		"\n"
		"/* Runs the model once: reads the inputs and writes the outputs in inout. Needs\n"
		" * nothing of what is in activations, and leaves anything there. Allocates\n"
		" * nothing, has no state: calls may run at once on different inout and\n"
		" * activations. Returns 0. */\n"
		"int net_1(const void *weights, void *inout, void *activations);\n"
		"\n"
		"/* 0 when these are the weights that the code was made with. */\n"
		"int net_1_check(const void *weights);\n"
		"\n"
		"#ifdef __cplusplus\n"
		"}\n"
		"#endif\n"
		"\n"
		"#endif\n";
	Bundle b = example();
	Str got = {0};

	(void)state;
	bundle_header(&b, &got);
	assert_string_equal(str_get(&got), want);
	str_fini(&got);
}

static void
the_manifest_reads_back(void **state)
{
	static const struct {
		const char *from, *to, *error;
	} damage[] = {
		{"\"bundle\":\t1", "\"bundle\":\t2", "of another version"},
		{"\"name\":\t\"net_1\"", "\"name\":\t\"../x\"", "no identifier"},
		{"\"weights_bytes\":\t640", "\"weights_bytes\":\t-1", "'weights_bytes'"},
		{"\"mutable_bytes\":\t192", "\"mutable_bytes\":\t193", "not a multiple of 64"},
		{"\"mutable_bytes\":\t192", "\"mutable_bytes\":\t128", "'class' lies outside"},
		{"\"bytes\":\t20", "\"bytes\":\t24", "the shape says 20"},
		{"\"type\":\t\"u8\"", "\"type\":\t\"u9\"", "'type'"},
		{"[1, 4, 5]", "[1, -4, 5]", "'shape'"},
		{"fedcba9876543210", "fedcba987654321x", "'weights_hash'"},
		{"\"object_bytes\"", "\"object\"", "'object_bytes'"},
	};
	Bundle b = example(), back;
	Arena *a = arena_new();
	Str text = {0}, again = {0};
	Err e = {0};

	(void)state;
	bundle_manifest(&b, &text);
	if (bundle_parse(str_get(&text), a, &back, &e))
		fail_msg("%s", e.msg);
	bundle_manifest(&back, &again);
	assert_string_equal(str_get(&text), str_get(&again));
	for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
		const char *at = strstr(text.s, damage[i].from);

		e = (Err){0};
		str_clear(&again);
		assert_non_null(at);
		str_addn(&again, text.s, (size_t)(at - text.s));
		str_add(&again, damage[i].to);
		str_add(&again, at + strlen(damage[i].from));
		assert_int_equal(bundle_parse(again.s, a, &back, &e), ERR_INPUT);
		if (!strstr(e.msg, damage[i].error))
			fail_msg("'%s' does not say '%s'", e.msg, damage[i].error);
	}
	str_fini(&text);
	str_fini(&again);
	arena_free(a);
}

static void
names_become_identifiers(void **state)
{
	Arena *a = arena_new();
	char longest[200];

	(void)state;
	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = 0;
	assert_string_equal(bundle_identifier(a, "res-net 50"), "res_net_50");
	assert_string_equal(bundle_identifier(a, "50net"), "m50net");
	assert_string_equal(bundle_identifier(a, "main"), "main_model");
	assert_string_equal(bundle_identifier(a, "mains"), "mains");
	assert_string_equal(bundle_identifier(a, ""), "m");
	assert_string_equal(bundle_identifier(a, "\xc3\xa9"), "m__");
	assert_int_equal(strlen(bundle_identifier(a, longest)), BUNDLE_NAME_MAX - 1);
	arena_free(a);
}

/* conv, relu, softmax over channels, and a reference kernel. */
static void
make_model(Fixture *f, uint64_t seed)
{
	float *w;

	start(f, 13);
	w = arena_alloc(f->make.arena, 216 * sizeof *w);
	rng_fill(DT_F32, w, 216, seed, -0.5, 0.5);
	onnx_make_input(&f->make, "x", DT_F32, "1,3,9,10");
	onnx_make_const(&f->make, "w", DT_F32, "8,3,3,3", w);
	onnx_make_node(&f->make, "Conv", "x w", "c");
	onnx_make_node(&f->make, "Relu", "c", "r");
	onnx_write_int(&f->make, onnx_make_node(&f->make, "Softmax", "r", "s"), "axis", 1);
	onnx_make_node(&f->make, "Sin", "s", "y");
	onnx_make_output(&f->make, "y");
	if (import(f))
		fail_msg("%s", f->e.msg);
}

static void
compile_as(Fixture *f, Arena *a, const char *name, Bundle *b)
{
	CompileOptions opt = {.name = name};

	if (compile(f->g, a, &opt, b, &f->e))
		fail_msg("%s", f->e.msg);
}

static void
equal_compilations_give_equal_bytes(void **state)
{
	Arena *a = arena_new();
	Str text[2] = {{0}};
	Bundle b[2];
	Fixture f;

	(void)state;
	make_model(&f, 1);
	for (int i = 0; i < 2; i++) {
		compile_as(&f, a, "same", &b[i]);
		bundle_header(&b[i], &text[i]);
		bundle_manifest(&b[i], &text[i]);
	}
	assert_string_equal(text[0].s, text[1].s);
	assert_int_equal(b[0].object_bytes, b[1].object_bytes);
	assert_memory_equal(b[0].object, b[1].object, b[0].object_bytes);
	assert_memory_equal(b[0].weights, b[1].weights, b[0].weights_bytes);
	str_fini(&text[0]);
	str_fini(&text[1]);
	arena_free(a);
	stop(&f);
}

static void
remove_bundle(const char *folder, const char *name)
{
	static const char *const suffix[] = {".h", ".o", ".weights.bin", ".json"};
	char path[256];

	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s%s", folder, name, suffix[i]);
		unlink(path);
	}
}

static void
bundles_read_back_or_are_refused(void **state)
{
	char folder[] = "/tmp/hone-test-XXXXXX", path[256];
	Arena *a = arena_new();
	unsigned char *weights;
	Bundle b, back;
	Fixture f;

	(void)state;
	assert_non_null(mkdtemp(folder));
	make_model(&f, 2);
	compile_as(&f, a, "net", &b);
	assert_int_equal(bundle_write(&b, folder, &f.e), OK);
	if (bundle_read(folder, a, &back, &f.e))
		fail_msg("%s", f.e.msg);
	assert_memory_equal(back.object, b.object, b.object_bytes);
	assert_memory_equal(back.weights, b.weights, b.weights_bytes);

	weights = arena_copy(a, b.weights, b.weights_bytes);
	weights[b.weights_bytes / 2] ^= 4;
	back = b;
	back.weights = weights;
	assert_int_equal(bundle_write(&back, folder, &f.e), OK);
	assert_int_equal(bundle_read(folder, a, &back, &f.e), ERR_INPUT);
	assert_non_null(strstr(f.e.msg, "net.weights.bin is not the one"));

	f.e = (Err){0};
	snprintf(path, sizeof path, "%s/net.weights.bin", folder);
	assert_int_equal(truncate(path, (off_t)b.weights_bytes - 1), 0);
	assert_int_equal(bundle_read(folder, a, &back, &f.e), ERR_INPUT);
	assert_non_null(strstr(f.e.msg, "the manifest says"));
	remove_bundle(folder, "net");
	f.e = (Err){0};
	assert_int_equal(bundle_read(folder, a, &back, &f.e), ERR_INPUT);
	rmdir(folder);
	arena_free(a);
	stop(&f);
}

static void
a_program_links_two_bundles(void **state)
{
	static const char source[] =
		"#include <stdio.h>\n#include <string.h>\n#include \"one.h\"\n#include \"two.h\"\n"
		"_Alignas(64) static char w1[ONE_WEIGHTS_BYTES], w2[TWO_WEIGHTS_BYTES];\n"
		"_Alignas(64) static char m1[ONE_MUTABLE_BYTES], m2[TWO_MUTABLE_BYTES];\n"
		"_Alignas(64) static char a1[ONE_ACTIVATIONS_BYTES], a2[TWO_ACTIVATIONS_BYTES];\n"
		"static int get(const char *path, void *to, size_t n)\n"
		"{\n"
		"	FILE *f = fopen(path, \"rb\");\n"
		"	return !f || fread(to, 1, n, f) != n || fclose(f);\n"
		"}\n"
		"int main(void)\n"
		"{\n"
		"	float *x = (float *)(m1 + ONE_INPUT_0_OFFSET);\n"
		"	if (get(\"one.weights.bin\", w1, sizeof w1) ||\n"
		"	    get(\"two.weights.bin\", w2, sizeof w2))\n"
		"		return 2;\n"
		"	if (one_check(w1) || two_check(w2) || !one_check(w2) || !two_check(w1))\n"
		"		return 3;\n"
		"	for (unsigned i = 0; i < ONE_INPUT_0_BYTES / sizeof *x; i++)\n"
		"		x[i] = i % 17 * 0.25f - 2;\n"
		"	memcpy(m2, m1, sizeof m1);\n"
		"	memset(a1, 0xff, sizeof a1);\n"
		"	if (one(w1, m1, a1) || two(w2, m2, a2))\n"
		"		return 4;\n"
		"	fwrite(m1 + ONE_OUTPUT_0_OFFSET, 1, ONE_OUTPUT_0_BYTES, stdout);\n"
		"	fwrite(m2 + TWO_OUTPUT_0_OFFSET, 1, TWO_OUTPUT_0_BYTES, stdout);\n"
		"	return 0;\n"
		"}\n";
	static const char *const name[] = {"one", "two"};
	char folder[] = "/tmp/hone-test-XXXXXX", path[256], command[1024], *got;
	float x[3 * 9 * 10];
	Arena *a = arena_new();
	size_t size, at = 0;
	Fixture f[2];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/main.c", folder);
	assert_int_equal(file_write(path, source, strlen(source), NULL), OK);
	for (size_t i = 0; i < sizeof x / sizeof *x; i++)
		x[i] = (float)(i % 17) * 0.25f - 2;
	for (int i = 0; i < 2; i++) {
		Bundle b;

		make_model(&f[i], (uint64_t)i + 5);
		compile_as(&f[i], a, name[i], &b);
		assert_int_equal(bundle_write(&b, folder, &f[i].e), OK);
	}
	snprintf(command, sizeof command,
		 "cd %s && %s -std=c17 -Wall -Werror main.c one.o two.o -o main && ./main > out",
		 folder, HONE_TEST_CC);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof path, "%s/out", folder);
	assert_int_equal(file_read(path, 1 << 20, &got, &size, NULL), OK);
	for (int i = 0; i < 2; i++) {
		const Value *v = &f[i].g->value.v[f[i].g->output.v[0]];
		void **all = ARENA_ARRAY(a, void *, f[i].g->value.n);
		Comparison c;

		assert_int_equal(graph_run(f[i].g, a, (const void *[]){x}, all, &f[i].e), OK);
		assert_true(at + value_bytes(v) <= size);
		c = compare_tensors(DT_F32, got + at, all[f[i].g->output.v[0]],
				    (size_t)value_count(v), (Tolerance){1e-5, 1e-5});
		assert_true(c.worst <= 1);
		at += value_bytes(v);
		remove_bundle(folder, name[i]);
		stop(&f[i]);
	}
	assert_int_equal(at, size);
	free(got);
	snprintf(command, sizeof command, "cd %s && rm -f main.c main out && rmdir %s", folder,
		 folder);
	assert_int_equal(system(command), 0);
	arena_free(a);
}

/* The caller frees it. */
static char *
cc_object(const char *source, size_t *size)
{
	char folder[] = "/tmp/hone-test-XXXXXX", command[512], path[256], *object;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/k.c", folder);
	assert_int_equal(file_write(path, source, strlen(source), NULL), OK);
	snprintf(command, sizeof command, "cd %s && %s -O1 -fPIC -ffreestanding -c k.c", folder,
		 HONE_TEST_CC);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof path, "%s/k.o", folder);
	assert_int_equal(file_read(path, 1 << 20, &object, size, NULL), OK);
	snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
	return object;
}

/* Kernels in C that note their calls in out[0]; the second of the third step answers 7. */
static void
steps_run_in_order_until_one_fails(void **state)
{
	static const char source[] =
		"#define NOTE(name, c, answer) \\\n"
		"int name(const void *const *in, void *const *out, void *s, int k, int n) \\\n"
		"{ \\\n"
		"	char *log = out[0]; \\\n"
		"	while (*log) log++; \\\n"
		"	log[0] = c; \\\n"
		"	log[1] = *(const char *)in[0]; \\\n"
		"	log[2] = s == in[1] ? 's' : '-'; \\\n"
		"	return k == 0 && n == 1 ? answer : 1; \\\n"
		"}\n"
		"NOTE(m_a, 'a', 0)\nNOTE(m_b, 'b', 0)\nNOTE(m_c, 'c', 7)\nNOTE(m_d, 'd', 0)\n";
	static const char *const first[] = {"m_a", "m_b"}, *const second[] = {"m_b", "m_c", "m_d"};
	const Place weights[] = {{REGION_WEIGHTS, 0, 2}, {REGION_ACTIVATIONS, 0, 1}};
	const Place input[] = {{REGION_INPUT, 0, 3}, {REGION_WEIGHTS, 0, 0}};
	const Place out = {REGION_OUTPUT, 0, 0};
	const size_t zero = 0;
	char *object;
	_Alignas(64) char log[64] = "", in[8] = "0123", w[8] = "vwxyz", act[8] = "";
	const void *args[] = {in, w}, *image;
	void *const outs[] = {log}, *symbol;
	Arena *a = arena_new();
	ModelCalls m = {.name = "m",
			.ninput = 1,
			.noutput = 1,
			.input = &zero,
			.output = &zero,
			.weights_bytes = 8};
	Image *loaded;
	Target target;
	Emit *emit;
	Code code;
	size_t size;
	Err e = {0};
	int (*run)(const void *const *, void *const *, void *, int, int);

	(void)state;
	vec_push(a, &m.step,
		 ((ModelStep){.nphase = 2,
			      .phase = first,
			      .nin = 2,
			      .nout = 1,
			      .in = weights,
			      .out = &out,
			      .scratch = weights[1]}));
	vec_push(a, &m.step,
		 ((ModelStep){.nphase = 3,
			      .phase = second,
			      .nin = 2,
			      .nout = 1,
			      .in = input,
			      .out = &out}));
	object = cc_object(source, &size);
	assert_int_equal(target_host(&target, &e), OK);
	assert_int_equal(emit_open("llvm", &target, &emit, &e), OK);
	if (emit_model(emit, &m, a, &code, &e) ||
	    link_objects((LinkInput[]){{object, size}, {code.bytes, code.size}}, 2, LINK_IMAGE, a,
			 &image, &size, &e) ||
	    image_open(image, size, &loaded, &e))
		fail_msg("%s", e.msg);
	symbol = image_symbol(loaded, "m_run");
	memcpy(&run, &symbol, sizeof run);
	assert_int_equal(run(args, outs, act, 0, 1), 7);
	assert_string_equal(log, "axsbxsb3-c3-");
	image_close(loaded);
	emit_close(emit);
	free(object);
	arena_free(a);
}

static void
comparisons_are_strict(void **state)
{
	const float want[] = {1, -2, 0, NAN, INFINITY, 1};
	float got[] = {1, -2, 0, NAN, INFINITY, 1};
	Tolerance t = {0.1, 0.01};
	Comparison c;

	(void)state;
	assert_true(compare_tensors(DT_F32, got, want, 6, t).worst == 0);
	got[0] = 1.11f; /* allowed: 0.1 * 1 + 0.01 * 2 */
	c = compare_tensors(DT_F32, got, want, 6, t);
	assert_true(c.worst > 0.9 && c.worst < 0.93 && c.wrong == 0 && c.at == 0 && c.largest == 2);
	got[0] = 1.13f;
	c = compare_tensors(DT_F32, got, want, 6, t);
	assert_true(c.worst > 1 && c.wrong == 1);
	got[0] = 1;
	got[2] = NAN;
	got[4] = -INFINITY;
	c = compare_tensors(DT_F32, got, want, 6, t);
	assert_true(isinf(c.worst) && c.wrong == 2 && c.at == 2);
	assert_true(compare_tensors(DT_F32, want, want, 0, t).worst == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_lifetimes_never_overlap),
		cmocka_unit_test(a_chain_needs_two_neighbours),
		cmocka_unit_test(the_header_says_it_all),
		cmocka_unit_test(the_manifest_reads_back),
		cmocka_unit_test(names_become_identifiers),
		cmocka_unit_test(equal_compilations_give_equal_bytes),
		cmocka_unit_test(bundles_read_back_or_are_refused),
		cmocka_unit_test(a_program_links_two_bundles),
		cmocka_unit_test(steps_run_in_order_until_one_fails),
		cmocka_unit_test(comparisons_are_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
