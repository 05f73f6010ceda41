/* A bundle on a device: the same numbers as in this process, layers too, and times. */
#include "base/rng.h"
#include "deploy/compile.h"
#include "deploy/execute.h"
#include "deploy/remote.h"
#include "import_case.h"

typedef struct Case {
	Fixture f;
	Arena *a;
	Bundle b;
	RpcClient *client;
	void *in[1], *out[2], *here[2], *activations;
} Case;

static void
open_case(Case *c, const char *dims)
{
	CompileOptions opt = {.name = "net", .keep = true};
	float w[12];

	*c = (Case){.a = arena_new()};
	start(&c->f, 13);
	rng_fill(DT_F32, w, 12, 1, -1, 1);
	onnx_make_input(&c->f.make, "x", DT_F32, dims);
	onnx_make_const(&c->f.make, "w", DT_F32, "4,3", w);
	onnx_make_node(&c->f.make, "MatMul", "x w", "m");
	onnx_make_node(&c->f.make, "Sin", "m", "s");
	onnx_make_node(&c->f.make, "Exp", "s", "y");
	onnx_make_output(&c->f.make, "y");
	onnx_make_output(&c->f.make, "m");
	if (import(&c->f) || rpc_start_local(HONE_BIN "/rpc_server", &c->client, &c->f.e) ||
	    compile(c->f.g, c->a, &opt, &c->b, &c->f.e))
		fail_msg("%s", c->f.e.msg);
	c->in[0] = arena_alloc64(c->a, c->b.input[0].bytes);
	rng_fill(DT_F32, c->in[0], c->b.input[0].bytes / sizeof(float), 2, -1, 1);
	for (int i = 0; i < 2; i++) {
		c->out[i] = arena_alloc64(c->a, c->b.output[i].bytes);
		c->here[i] = arena_alloc64(c->a, c->b.output[i].bytes);
	}
	c->activations = arena_alloc64(c->a, c->b.activations_bytes);
}

static void
close_case(Case *c)
{
	rpc_close(c->client);
	arena_free(c->a);
	stop(&c->f);
}

static void
the_device_gives_the_same(void **state)
{
	RemoteTimes times = {0};
	Executable *x;
	Case c;

	(void)state;
	open_case(&c, "5,4");
	if (executable_open(&c.b, &x, &c.f.e) ||
	    executable_run(x, (const void *const *)c.in, c.here, &c.f.e))
		fail_msg("%s", c.f.e.msg);
	for (int runs = 0; runs <= 20; runs += 20) {
		if (remote_run(c.client, &c.b, (const void *const *)c.in, c.out, c.activations,
			       runs, c.a, &times, &c.f.e))
			fail_msg("%s", c.f.e.msg);
		assert_int_equal(times.n, runs);
		for (int i = 0; i < 2; i++)
			assert_memory_equal(c.out[i], c.here[i], c.b.output[i].bytes);
	}
	for (int i = 0; i < times.n; i++)
		assert_true(times.ns[i] > 0);
	assert_int_equal(c.b.nlayer, 3);
	for (int i = 0; i < c.b.nlayer; i++) {
		const Graph *g = c.f.g;
		void *far = bundle_layer(&c.b, i, c.out, c.activations, g, c.a);
		void *near = bundle_layer(&c.b, i, c.here, executable_activations(x), g, c.a);

		assert_memory_equal(far, near, value_bytes(&g->value.v[c.b.layer[i].value]));
	}
	executable_close(x);
	close_case(&c);
}

static void
what_a_device_cannot_take_is_refused(void **state)
{
	Case c;

	(void)state;
	open_case(&c, "0,4");
	assert_int_equal(remote_run(c.client, &c.b, (const void *const *)c.in, c.out, c.activations,
				    0, c.a, NULL, &c.f.e),
			 ERR_UNSUPPORTED);
	assert_non_null(strstr(c.f.e.msg, "'x' has no elements"));
	close_case(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_device_gives_the_same),
		cmocka_unit_test(what_a_device_cannot_take_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
