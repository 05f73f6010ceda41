/* What a kernel loads, holds and fetches ahead: constants and residuals. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "codegen/lowered.h"
#include "tests/unit/space_case.h"

static int
prefetches(const Lowered *l)
{
	int n = 0;

	for (int i = 0; i < l->loop->node.n; i++)
		n += l->loop->node.v[i].op == LOOP_PREFETCH;
	return n;
}

/* A slab that several iterations use is followed by prefetches of the next; one that is used once
 * is not. */
static void
slabs_are_prefetched(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} list[] = {
		{"direct\nnest vec=k pf k:16 p:2 q:7 | c:4 i:1 j:1\n", true},
		{"direct\nnest vec=k k:16 p:2 q:7 | c:4 i:1 j:1\n", false},
		{"direct\nnest vec=k pf p:2 q:7 k:16 | c:4 i:1 j:1\n", false},
		{"direct\nnest vec=k pf k:16 p:2 q:5 | c:4 i:1 j:1\n", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		char why[LOWER_WHY_MAX] = "";
		Fixture f;
		Lowered l;

		start(&f, CONV3X3, "x86-64-v4");
		if (lowered_from_text(f.a, f.t, &f.f, list[i].text, &f.target, &l, why, &f.e))
			fail_msg("%s %s", why, f.e.msg);
		assert_int_equal(loop_check(l.loop, &f.e), OK);
		if ((prefetches(&l) > 0) != list[i].want)
			fail_msg("%s: %d prefetches", list[i].text, prefetches(&l));
		stop(&f);
	}
}

/* A residual of 12 vectors is fetched, a line each, before the loop that the weights are read in.
 */
static void
residuals_are_touched(void **state)
{
	static const char *const texts[] = {"direct\nnest vec=k pf k:32 p:6 | c:2\n",
					    "direct\nnest vec=k k:32 p:6 | c:2\n"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		char why[LOWER_WHY_MAX] = "";
		Fixture f;
		Lowered l;
		int n = 0;

		start(&f,
		      "task\n in x f32[48,64]\n const w f32[64,64]\n in z f32[48,64]\n"
		      " out y f32[48,64]\n stage k:64 p:48 | c:64\n"
		      "  acc f32 sum x[p,c] * w[k,c]\n  y[p,k] = acc + z[p,k]\n",
		      "x86-64-v4");
		if (lowered_from_text(f.a, f.t, &f.f, texts[i], &f.target, &l, why, &f.e))
			fail_msg("%s %s", why, f.e.msg);
		assert_int_equal(loop_check(l.loop, &f.e), OK);
		for (int k = 0; k < l.loop->node.n; k++) {
			n += l.loop->node.v[k].op == LOOP_TOUCH;
			assert_true(l.loop->node.v[k].op != LOOP_TOUCH ||
				    l.loop->node.v[k].depth == 2);
		}
		assert_int_equal(n, i == 0 ? 12 : 0);
		stop(&f);
	}
}

/* What is offered with prefetch has some: a slab read by one whole tile and a remainder has not. */
static void
offered_prefetch_is_emitted(void **state)
{
	enum { N = 400 };
	Pick top[N];
	Fixture f;
	int n, with = 0;

	(void)state;
	start(&f, CONV7, "x86-64-v4");
	n = space_top(&f.s, N, top);
	for (int i = 0; i < n; i++) {
		const char *text = space_text(&f.s, f.a, &top[i]);
		char why[LOWER_WHY_MAX] = "";
		Lowered l;

		if (strncmp(text, "direct", 6) || !strstr(text, " pf "))
			continue;
		if (lowered_from_text(f.a, f.t, &f.f, text, &f.target, &l, why, &f.e))
			continue;
		if (!prefetches(&l))
			fail_msg("no prefetch: %s", text);
		with++;
	}
	assert_true(with > 50);
	stop(&f);
}

/* Of a tile's 16 vectors of weights none is loaded outside the loop over pixels, to be held through
 * it, whether its eight terms are the one iteration of a loop or of none. */
static void
many_constants_are_not_held(void **state)
{
	static const char *const texts[] = {"direct\nnest vec=k k:32 p:7 | c:8\n",
					    "direct\nnest vec=k k:32 p:7\n"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		char why[LOWER_WHY_MAX] = "";
		int loads = 0;
		Fixture f;
		Lowered l;

		start(&f,
		      "task\n in x f32[49,8]\n const w f32[64,8]\n out y f32[49,64]\n"
		      " stage k:64 p:49 | c:8\n  acc f32 sum x[p,c] * w[k,c]\n  y[p,k] = acc\n",
		      "x86-64-v4");
		if (lowered_from_text(f.a, f.t, &f.f, texts[i], &f.target, &l, why, &f.e))
			fail_msg("%s %s", why, f.e.msg);
		for (int k = 0; k < l.loop->node.n; k++) {
			const LoopNode *n = &l.loop->node.v[k];

			loads += n->op == LOOP_LOAD && n->lanes == 16;
			assert_false(n->op == LOOP_LOAD && n->lanes == 16 && n->depth < 2);
		}
		assert_int_equal(loads, 16);
		stop(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slabs_are_prefetched),
		cmocka_unit_test(residuals_are_touched),
		cmocka_unit_test(offered_prefetch_is_emitted),
		cmocka_unit_test(many_constants_are_not_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
