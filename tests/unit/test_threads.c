/* Several threads from end to end: bundles and what they say, a C program with a pool, batches on a
 * private agent. The results are those of one thread, to the last bit. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hardware.h"
#include "base/rng.h"
#include "deploy/compile.h"
#include "deploy/execute.h"
#include "deploy/remote.h"
#include "import_case.h"
#include "tests/unit/agent_case.h"

enum { THREADS = 3 };

/* conv, softmax over channels, and a reference kernel. */
static void
make_model(Fixture *f)
{
	float *w;

	start(f, 13);
	w = arena_alloc(f->make.arena, 216 * sizeof *w);
	rng_fill(DT_F32, w, 216, 3, -0.5, 0.5);
	onnx_make_input(&f->make, "x", DT_F32, "1,3,19,20");
	onnx_make_const(&f->make, "w", DT_F32, "8,3,3,3", w);
	onnx_make_node(&f->make, "Conv", "x w", "c");
	onnx_write_int(&f->make, onnx_make_node(&f->make, "Softmax", "c", "s"), "axis", 1);
	onnx_make_node(&f->make, "Sin", "s", "y");
	onnx_make_output(&f->make, "y");
	if (import(f))
		fail_msg("%s", f->e.msg);
}

/* Every kernel is shared, however short. */
static void
compile_shared(Fixture *f, Arena *a, int threads, Bundle *b)
{
	Target here;
	CompileOptions opt = {.name = "net", .target = &here, .threads = threads};

	if (target_host(&here, &f->e))
		fail_msg("%s", f->e.msg);
	here.fork_ns = 0;
	if (compile(f->g, a, &opt, b, &f->e))
		fail_msg("%s", f->e.msg);
	assert_int_equal(b->threads, threads);
}

static void
a_bundle_says_its_threads(void **state)
{
	Arena *a = arena_new();
	Bundle one, three, back;
	Str text = {0};
	Fixture f;

	(void)state;
	make_model(&f);
	compile_shared(&f, a, 1, &one);
	bundle_header(&one, &text);
	assert_null(strstr(text.s, "THREADS"));
	assert_null(strstr(text.s, "parallel"));
	compile_shared(&f, a, THREADS, &three);
	str_clear(&text);
	bundle_header(&three, &text);
	assert_non_null(strstr(text.s, "#define NET_THREADS 3\n"));
	assert_non_null(strstr(text.s, "int net_parallel("));
	str_clear(&text);
	bundle_manifest(&three, &text);
	assert_int_equal(bundle_parse(text.s, a, &back, &f.e), OK);
	assert_int_equal(back.threads, THREADS);
	str_clear(&text);
	three.threads = 65;
	bundle_manifest(&three, &text);
	assert_int_equal(bundle_parse(text.s, a, &back, &f.e), ERR_INPUT);
	assert_non_null(strstr(f.e.msg, "'threads'"));
	str_fini(&text);
	arena_free(a);
	stop(&f);
}

/* Alone, with a pool, and with a parallel_for that takes the chunks one by one from the last. */
static void
a_program_shares_a_bundle(void **state)
{
	static const char source[] =
		"#include <stdio.h>\n#include <string.h>\n#include \"hone_pool.h\"\n"
		"#include \"net.h\"\n"
		"_Alignas(64) static char w[NET_WEIGHTS_BYTES], m[3][NET_MUTABLE_BYTES];\n"
		"_Alignas(64) static char a[NET_ACTIVATIONS_BYTES];\n"
		"static int forks;\n"
		"static void backwards(void *self, void (*task)(void *, int, int), void *x, int "
		"n)\n"
		"{\n"
		"	(void)self;\n"
		"	forks++;\n"
		"	while (n-- > 0)\n"
		"		task(x, n, NET_THREADS);\n"
		"}\n"
		"int main(void)\n"
		"{\n"
		"	hone_parallel serial = {backwards, 0}, pool;\n"
		"	hone_pool *p = hone_pool_start(NET_THREADS, 0);\n"
		"	FILE *f = fopen(\"net.weights.bin\", \"rb\");\n"
		"	if (!p || !f || fread(w, 1, sizeof w, f) != sizeof w || net_check(w))\n"
		"		return 2;\n"
		"	pool = hone_pool_parallel(p);\n"
		"	for (unsigned i = 0; i < NET_INPUT_0_BYTES / 4; i++)\n"
		"		((float *)(m[0] + NET_INPUT_0_OFFSET))[i] = i % 17 * 0.25f - 2;\n"
		"	memcpy(m[1], m[0], sizeof m[0]);\n"
		"	memcpy(m[2], m[0], sizeof m[0]);\n"
		"	if (net(w, m[0], a) || net_parallel(w, m[2], a, &serial))\n"
		"		return 3;\n"
		"	for (int i = 0; i < 100; i++) {\n"
		"		memset(a, 0xff, sizeof a);\n"
		"		memset(m[1] + NET_OUTPUT_0_OFFSET, 0xff, NET_OUTPUT_0_BYTES);\n"
		"		if (net_parallel(w, m[1], a, &pool) ||\n"
		"		    memcmp(m[0], m[1], sizeof m[0]))\n"
		"			return 4;\n"
		"	}\n"
		"	hone_pool_stop(p);\n"
		"	return memcmp(m[0], m[2], sizeof m[0]) ? 5 : forks < 2 ? 6 : 0;\n"
		"}\n";
	char folder[] = "/tmp/hone-test-XXXXXX", path[256], command[1024];
	Arena *a = arena_new();
	Fixture f;
	Bundle b;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/main.c", folder);
	assert_int_equal(file_write(path, source, strlen(source), NULL), OK);
	make_model(&f);
	compile_shared(&f, a, THREADS, &b);
	assert_int_equal(bundle_write(&b, folder, &f.e), OK);
	assert_int_equal(bundle_write_pool(folder, &f.e), OK);
	snprintf(command, sizeof command,
		 "cd %s && %s -std=c11 -Wall -Wextra -Werror main.c hone_pool.c net.o -pthread "
		 "-o main && ./main",
		 folder, HONE_TEST_CC);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
	arena_free(a);
	stop(&f);
}

/* In this process and on a device, where it has the cores. */
static void
a_bundle_runs_here_and_there(void **state)
{
	int threads = hardware_cores() < 2 ? 1 : 2;
	Arena *a = arena_new();
	void *in[1], *out[3], *no_activations = NULL;
	RpcClient *client = case_agent();
	RemoteTimes times;
	Fixture f;
	Bundle b[2];

	(void)state;
	make_model(&f);
	compile_shared(&f, a, 1, &b[0]);
	compile_shared(&f, a, threads, &b[1]);
	in[0] = arena_alloc64(a, b[0].input[0].bytes);
	rng_fill(DT_F32, in[0], b[0].input[0].bytes / sizeof(float), 2, -1, 1);
	for (int i = 0; i < 3; i++)
		out[i] = arena_alloc64(a, b[0].output[0].bytes);
	for (int i = 0; i < 2; i++) {
		Executable *x;

		if (executable_open(&b[i], &x, &f.e) ||
		    executable_run(x, (const void *const *)in, &out[i], &f.e))
			fail_msg("%s", f.e.msg);
		executable_close(x);
	}
	if (remote_run(client, &b[1], (const void *const *)in, &out[2], no_activations, 10, a,
		       &times, &f.e))
		fail_msg("%s", f.e.msg);
	assert_int_equal(times.n, 10);
	for (int i = 1; i < 3; i++)
		assert_memory_equal(out[0], out[i], b[0].output[0].bytes);
	rpc_close(client);
	arena_free(a);
	stop(&f);
}

static const char kernels[] =
	"KERNEL(part)\n"
	"{ for (int i = N * chunk / chunks; i < N * (chunk + 1) / chunks; i++)\n"
	"    Y[i] = X[i] * W[i % NW];\n"
	"  return 0; }\n"
	"KERNEL(lazy)\n"
	"{ return chunk ? 0 : part(in, out, scratch, 0, chunks); }\n"
	"KERNEL(back)\n" /* what the other chunks left in the scratch of `sum` */
	"{ const float *s = scratch;\n"
	"  for (int i = N * chunk / chunks; i < N * (chunk + 1) / chunks; i++)\n"
	"    Y[i] = s[N - 1 - i];\n"
	"  return 0; }\n"
	"KERNEL(turn)\n"
	"{ float *s = scratch;\n"
	"  for (int i = N * chunk / chunks; i < N * (chunk + 1) / chunks; i++)\n"
	"    s[N - 1 - i] = X[i] * W[i % NW];\n"
	"  return 0; }\n"
	"KERNEL(fails)\n"
	"{ return chunk == chunks - 1 ? 7 : part(in, out, scratch, chunk, chunks); }\n"
	"KERNEL(crashes)\n"
	"{ if (chunk) *(volatile int *)8 = 1;\n"
	"  return part(in, out, scratch, chunk, chunks); }\n";

static void
an_agent_runs_chunks(void **state)
{
	char *part[] = {"part"}, *lazy[] = {"lazy"}, *fails[] = {"fails"},
	     *two[] = {"turn", "back"};
	char *crashes[] = {"crashes"};
	char *const *phases[] = {part, lazy, two, fails, crashes, part};
	RpcClient *c = case_agent();
	uint32_t threads = hardware_cores() < 2 ? 1 : 2;
	AgentCase a;
	Outcomes o;
	Err e = {0};

	(void)state;
	case_init(&a, c, kernels);
	a.batch.threads = threads;
	for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
		Candidate *k = case_add(&a, (char **)phases[i]);

		k->phases.n = phases[i] == two ? 2 : 1;
		k->chunks = threads;
		k->scratch_bytes = sizeof a.y;
	}
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_OK, "");
	case_expect(&o, 1, threads > 1 ? STATUS_WRONG : STATUS_OK, "");
	case_expect(&o, 2, STATUS_OK, "");
	case_expect(&o, 3, STATUS_WRONG, "returned 7");
	case_expect(&o, 4, threads > 1 ? STATUS_CRASH : STATUS_OK, "");
	case_expect(&o, 5, STATUS_OK, "");
	outcomes_fini(&o);

	a.batch.id++;
	a.batch.threads = hardware_cores() + 1;
	assert_int_equal(rpc_submit(c, &a.batch, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "cores"));
	a.batch.threads = 1;
	a.candidate[0].chunks = 2;
	e = (Err){0};
	assert_int_equal(rpc_submit(c, &a.batch, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "2 chunks for 1 threads"));
	rpc_close(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bundle_says_its_threads),
		cmocka_unit_test(a_program_shares_a_bundle),
		cmocka_unit_test(a_bundle_runs_here_and_there),
		cmocka_unit_test(an_agent_runs_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
