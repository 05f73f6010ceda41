/* Memory of compiled models: sharing it changes no output, and the zoo's need little more than what
 * lives at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "deploy/compile.h"
#include "deploy/execute.h"
#include "graph/import.h"
#include "graph/zoo.h"
#include "tests/support/graph_random.h"

enum { GRAPHS = 60, QUICK = 15 };

/* Outputs of the graph, and the bytes of its activations. */
static void **
outputs(const Graph *g, Arena *a, uint64_t seed, bool keep, size_t *bytes)
{
	const CompileOptions opt = {.scalar = true, .keep = keep, .name = "random"};
	const void **in = graph_random_inputs(g, a, seed);
	void **out = ARENA_ARRAY(a, void *, g->output.n + 1);
	Executable *x;
	Bundle b;
	Err e = {0};

	if (compile(g, a, &opt, &b, &e) || executable_open(&b, &x, &e))
		fail_msg("seed %llu: %s", (unsigned long long)seed, e.msg);
	for (int i = 0; i < g->output.n; i++)
		out[i] = arena_alloc64(a, b.output[i].bytes + 1);
	if (executable_run(x, in, out, &e))
		fail_msg("seed %llu: %s", (unsigned long long)seed, e.msg);
	*bytes = b.activations_bytes;
	executable_close(x);
	return out;
}

static void
shared_memory_changes_nothing(void **state)
{
	uint64_t n = getenv("HONE_TEST_QUICK") ? QUICK : GRAPHS;
	size_t all = 0, kept = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= n; seed++) {
		Graph *g = graph_random(seed);
		Arena *a = arena_new();
		size_t small, large;
		void **x = outputs(g, a, seed, false, &small);
		void **y = outputs(g, a, seed, true, &large);

		for (int i = 0; i < g->output.n; i++) {
			const Value *v = &g->value.v[g->output.v[i]];

			if (memcmp(x[i], y[i], value_bytes(v)))
				fail_msg("seed %llu: %s changes", (unsigned long long)seed,
					 v->name);
		}
		all += small;
		kept += large;
		arena_free(a);
		graph_free(g);
	}
	assert_true(all < kept);
}

static void
check_zoo(const char *name)
{
	Arena *a = arena_new();
	ImportReport report;
	const void *bytes;
	size_t size;
	Graph *g;
	Bundle b;
	Err e = {0};

	import_report_init(&report);
	if (zoo_build(name, 1, a, &bytes, &size, &e) ||
	    graph_import_memory(bytes, size, NULL, NULL, &g, &report, &e) ||
	    compile(g, a, NULL, &b, &e))
		fail_msg("%s: %s", name, e.msg);
	printf("%-14s activations %9zu bytes, at least %9zu\n", name, b.activations_bytes,
	       b.activations_bound);
	assert_true((double)b.activations_bytes <= 1.1 * (double)b.activations_bound);
	import_report_fini(&report);
	graph_free(g);
	arena_free(a);
}

static void
zoo_models_need_what_lives_at_once(void **state)
{
	static const char *const name[] = {
		"ds_cnn",       "tiny_resnet8", "vww_mobilenet", "conv_1d",  "squeezenet1_1",
		"mobilenet_v1", "mobilenet_v2", "resnet18",      "resnet50", "vgg16"};
	size_t n = getenv("HONE_NIGHTLY") ? sizeof name / sizeof *name : 4;

	(void)state;
	for (size_t i = 0; i < n; i++)
		check_zoo(name[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_memory_changes_nothing),
		cmocka_unit_test(zoo_models_need_what_lives_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
