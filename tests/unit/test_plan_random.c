/* Random graphs: what the plan's Tasks compute is what the reference kernels compute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/graph_random.h"
#include "tests/support/plan_check.h"

enum { GRAPHS = 1500, SAMPLES = 300 };

static void
fail_with_text(const Graph *g, uint64_t seed, const char *why)
{
	Str text = {0};

	graph_print(g, &text);
	fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, why, text.s);
}

static void
plans_of_random_graphs_compute_them(void **state)
{
	const char *one = getenv("SEED");
	uint64_t first = one ? strtoull(one, NULL, 10) : 1, last = one ? first : GRAPHS;
	int tasks = 0, nodes = 0;

	(void)state;
	for (uint64_t seed = first; seed <= last; seed++) {
		Arena *a = arena_new();
		Graph *g = graph_random(seed);
		PlanCheck c = {0};
		Err e = {0};

		if (graph_check(g, &e))
			fail_with_text(g, seed, e.msg);
		if (!plan_check(g, a, graph_random_inputs(g, a, seed), SAMPLES, &c))
			fail_with_text(g, seed, c.e.msg);
		tasks += c.tasks;
		nodes += g->node.n;
		graph_free(g);
		arena_free(a);
	}
	assert_true(one || tasks * 4 < nodes * 3); /* something was fused */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_of_random_graphs_compute_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
