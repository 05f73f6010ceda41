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

/* Blocks wherever they fit, for half of the graphs; else whatever comes. */
static double
any_ns(void *self, const Task *t, const TaskForm *f)
{
	uint64_t seed = *(const uint64_t *)self;
	Digest d = task_form_digest(t, f);
	double ns = 1 + d.b[0];

	for (int i = 0; i < f->n && seed % 2 == 0; i++)
		ns = f->v[i].block_dim == TASK_NONE ? ns + 1e6 : ns;
	return ns;
}

static void
plans_of_random_graphs_compute_them(void **state)
{
	const char *one = getenv("SEED");
	uint64_t first = one ? strtoull(one, NULL, 10) : 1, last = one ? first : GRAPHS;
	int tasks = 0, nodes = 0, blocked = 0, strips = 0;

	(void)state;
	for (uint64_t seed = first; seed <= last; seed++) {
		Arena *a = arena_new();
		Graph *g = graph_random(seed);
		PlanCheck c = {0};
		PlanMemory memory = {seed % 3 == 0, 1}; /* any, or a byte: what strips can save */
		FormCost cost = {&seed, any_ns, 2 + (int)(seed / 2 % 2), 2};
		Err e = {0};

		if (graph_check(g, &e))
			fail_with_text(g, seed, e.msg);
		if (!plan_check(g, a, graph_random_inputs(g, a, seed), SAMPLES, &cost, memory, &c))
			fail_with_text(g, seed, c.e.msg);
		tasks += c.tasks;
		nodes += g->node.n;
		blocked += c.blocked;
		strips += c.strips;
		graph_free(g);
		arena_free(a);
	}
	assert_true(one || tasks * 4 < nodes * 3); /* something was fused */
	if (!one && (blocked < GRAPHS / 100 || strips < GRAPHS / 100))
		fail_msg("%d buffers of blocked values, %d tasks in strips", blocked, strips);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_of_random_graphs_compute_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
