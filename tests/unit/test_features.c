/* Features of picks: numbers that a model can learn from. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "search_space/features.h"
#include "search_space/shipped.h"
#include "search_space/options.h"
#include "search_space/trees.h"
#include "tests/unit/space_case.h"

enum { PICKS = 500 };

static const char *const tasks[] = {
	CONV3X3,
	"task\n in x f32[12,77]\n tmp m f32[12]\n tmp e f32[12,77]\n tmp s f32[12]\n"
	" out y f32[12,77]\n stage r:12 | c:77\n  acc f32 max x[r,c]\n  m[r] = acc\n"
	" stage r:12 c:77\n  e[r,c] = exp(x[r,c] - m[r])\n"
	" stage r:12 | c:77\n  acc f32 sum e[r,c]\n  s[r] = acc\n"
	" stage r:12 c:77\n  y[r,c] = e[r,c] / s[r]\n",
	"task\n in x f32[]\n out y f32[]\n stage\n  y[] = x[] + 1\n",
};

static void
all_are_finite_and_do_not_depend_on_the_order_of_questions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
		float x[PICKS][FEATURES], again[FEATURES];
		Features *one, *other;
		Pick pick[PICKS];
		Fixture f;
		Rng rng;

		start(&f, tasks[i], "x86-64-v4");
		one = features_new(f.a, &f.s);
		other = features_new(f.a, &f.s);
		rng_init(&rng, i);
		for (int k = 0; k < PICKS; k++) {
			pick[k] = space_random(&f.s, &rng);
			features_of(one, &pick[k], x[k]);
			for (int c = 0; c < FEATURES; c++)
				assert_true(isfinite(x[k][c]));
		}
		for (int k = PICKS - 1; k >= 0; k--) {
			features_of(other, &pick[k], again);
			assert_memory_equal(x[k], again, sizeof again);
		}
		stop(&f);
	}
}

/* Of a Task of one stage the first features are the knobs themselves. */
static void
knobs_are_features(void **state)
{
	float x[FEATURES];
	Features *features;
	Fixture f;

	(void)state;
	start(&f, CONV3X3, "x86-64-v4");
	features = features_new(f.a, &f.s);
	for (int v = 0; v < f.s.variant.n; v++) {
		const Variant *variant = &f.s.variant.v[v];

		for (int i = 0; i < variant->stage[0].option.n && variant->task->stage.n == 1;
		     i++) {
			features_of(features, &(Pick){.variant = v, .option = {i}}, x);
			for (int k = 0; k < KNOB_COUNT; k++)
				assert_true(x[k] == variant->stage[0].option.v[i].knob[k]);
		}
	}
	stop(&f);
}

static void
the_cheapest_pick_costs_nothing_more(void **state)
{
	float x[FEATURES];
	Fixture f;

	(void)state;
	start(&f, CONV3X3, "x86-64-v4");
	features_of(features_new(f.a, &f.s), &(Pick){0}, x);
	assert_true(x[FEATURE_cost] == 0);
	assert_true(x[FEATURE_width] == 16);
	stop(&f);
}

static void
names_are_words_of_their_own(void **state)
{
	(void)state;
	assert_true((int)FEATURES <= (int)TREES_COLUMNS_MAX);
	for (int i = 0; i < FEATURES; i++) {
		assert_string_not_equal(feature_name[i], "leaf");
		for (int k = 0; k < i; k++)
			assert_string_not_equal(feature_name[i], feature_name[k]);
	}
}

/* A model that ships has the features of today, and has learnt something. bench/costmodel.sh makes
 * it anew. */
static void
the_model_that_ships_is_of_these_features(void **state)
{
	float x[FEATURES];
	Features *features;
	Fixture f;
	Trees t;
	double first, second;

	(void)state;
	start(&f, CONV3X3, "x86-64-v4");
	assert_null(shipped_model("aarch64-unknown-linux-gnu"));
	if (trees_parse(shipped_model(f.target.triple), feature_name, FEATURES, f.a, &t, &f.e))
		fail_msg("%s", f.e.msg);
	features = features_new(f.a, &f.s);
	features_of(features, &(Pick){0}, x);
	first = trees_predict(&t, x);
	features_of(features, &(Pick){.option = {100}}, x);
	second = trees_predict(&t, x);
	assert_true(isfinite(first) && isfinite(second));
	assert_true(first < second || first > second);
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_finite_and_do_not_depend_on_the_order_of_questions),
		cmocka_unit_test(knobs_are_features),
		cmocka_unit_test(the_cheapest_pick_costs_nothing_more),
		cmocka_unit_test(names_are_words_of_their_own),
		cmocka_unit_test(the_model_that_ships_is_of_these_features),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
