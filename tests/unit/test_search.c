/* Search strategies over a made-up space whose true cost is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "search_space/features.h"
#include "tuner/search.h"

enum { A = 8, B = 8, C = 16, ROUND = 4, TRIALS = 320 };

/* The truth: best at a 5, b 2, c 11, whatever the model says. */
static double
truth(const Space *s, const Pick *p)
{
	const Variant *v = &s->variant.v[p->variant];
	const int16_t *ab = v->stage[0].option.v[p->option[0]].knob;
	const int16_t *c = v->stage[1].option.v[p->option[1]].knob;

	return 1000 + pow(ab[0] - 5, 2) + pow(ab[1] - 2, 2) + pow(c[0] - 11, 2) + 50 * p->variant;
}

static int
by_ns(const void *a, const void *b)
{
	const Option *x = a, *y = b;

	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

static void
add_options(Arena *a, StageOptions *o, int na, int nb, double ns)
{
	for (int i = 0; i < na; i++)
		for (int k = 0; k < nb; k++) {
			Option x = {.ns = ns + i + 2 * (nb - k)};

			x.knob[0] = (int16_t)i;
			x.knob[1] = (int16_t)k;
			vec_push(a, &o->option, x);
		}
	qsort(o->option.v, (size_t)o->option.n, sizeof *o->option.v, by_ns);
}

/* Two variants of two stages: knobs a and b, and knob c. The model prefers a 0, b 7, c 0. */
static Space
make_space(Arena *a)
{
	int64_t dim[] = {1};
	Space s = {.arena = a};

	for (int i = 0; i < 2; i++) {
		Task *t = task_new(a);
		int y = task_tensor(t, TENSOR_OUT, "y", DT_F32, 1, dim);
		Variant v = {.rewrite = "direct", .name = "direct", .task = t, .slack = 1};

		task_stage(t, y);
		task_stage(t, y);
		v.stage = ARENA_ARRAY(a, StageOptions, 2);
		add_options(a, &v.stage[0], A, B, 20);
		add_options(a, &v.stage[1], C, 1, 20);
		vec_push(a, &s.variant, v);
	}
	return s;
}

typedef struct Run {
	Pick pick[2 * A * B * C];
	int n, last; /* last: the round in which the best was found */
	double best;
	int stages[5]; /* top, descent, random, trees, prior */
} Run;

static const char *const strategies[] = {
#define X(name, text) #name,
	SEARCH_LIST(X)
#undef X
};
enum { STRATEGIES = sizeof strategies / sizeof *strategies };

static void
note(Run *r, const Space *s, const Proposal *p)
{
	static const char *const name[] = {"top", "descent", "random", "trees", "prior"};
	const Variant *v = &s->variant.v[p->pick.variant];

	assert_in_range(p->pick.variant, 0, s->variant.n - 1);
	for (int i = 0; i < v->task->stage.n; i++)
		assert_in_range(p->pick.option[i], 0, v->stage[i].option.n - 1);
	for (int i = 0; i < r->n; i++)
		assert_false(pick_equal(s, &r->pick[i], &p->pick));
	r->pick[r->n++] = p->pick;
	for (int i = 0; i < 5; i++)
		r->stages[i] += !strcmp(p->stage, name[i]);
}

/* fails: a = 5 never works. */
static Run
run_with(const Space *s, const char *name, SearchOptions opt, bool fails)
{
	const Search *how = search_named(name);
	int trials = opt.trials;
	Arena *a = arena_new();
	void *state = how->start(a, s, &opt);
	Run r = {.best = INFINITY};
	Proposal p[ROUND];
	int n = ROUND;

	while (r.n < trials && (n = how->propose(state, ROUND, p)) > 0) {
		assert_true(n <= ROUND);
		for (int i = 0; i < n; i++) {
			double ns = truth(s, &p[i].pick);

			note(&r, s, &p[i]);
			if (fails && s->variant.v[p[i].pick.variant]
						     .stage[0]
						     .option.v[p[i].pick.option[0]]
						     .knob[0] == 5)
				ns = INFINITY;
			how->report(state, &p[i].pick, ns);
			r.best = fmin(r.best, ns);
		}
	}
	arena_free(a);
	return r;
}

static Run
run(const Space *s, const char *name, int trials, uint64_t seed, bool fails)
{
	return run_with(s, name, (SearchOptions){.trials = trials, .seed = seed}, fails);
}

static void
descent_finds_the_best_of_a_separable_cost(void **state)
{
	Arena *a = arena_new();
	Space s = make_space(a);

	(void)state;
	for (uint64_t seed = 0; seed < 8; seed++) {
		Run r = run(&s, "descent", TRIALS, seed, false);

		assert_int_equal(r.n, TRIALS);
		assert_float_equal(r.best, 1000, 0);
		assert_true(r.stages[0] >= 4 && r.stages[1] >= 40);
		assert_true(r.stages[2] >= TRIALS / 12);
	}
	arena_free(a);
}

static void
every_variant_is_tried_first(void **state)
{
	Arena *a = arena_new();
	Space s = make_space(a);
	Run r = run(&s, NULL, 4, 1, false);
	bool seen[2] = {false, false};

	(void)state;
	for (int i = 0; i < r.n; i++)
		seen[r.pick[i].variant] = true;
	assert_true(seen[0] && seen[1]);
	arena_free(a);
}

static bool
same_proposals(const Space *s, const Run *a, const Run *b)
{
	if (a->n != b->n)
		return false;
	for (int i = 0; i < a->n; i++)
		if (!pick_equal(s, &a->pick[i], &b->pick[i]))
			return false;
	return true;
}

static void
same_seed_gives_the_same_proposals(void **state)
{
	Arena *a = arena_new();
	Space s = make_space(a);

	(void)state;
	for (int i = 0; i < STRATEGIES; i++) {
		Run r = run(&s, strategies[i], 60, 7, false);
		Run again = run(&s, strategies[i], 60, 7, false);
		Run other = run(&s, strategies[i], 60, 8, false);

		assert_in_range(r.n, 60, 60 + ROUND - 1);
		assert_true(same_proposals(&s, &r, &again));
		assert_int_equal(same_proposals(&s, &r, &other), !strcmp(strategies[i], "model"));
	}
	arena_free(a);
}

static void
one_proposal_in_ten_is_random(void **state)
{
	static const char *const name[] = {"mixed", "descent", "trees"};
	Arena *a = arena_new();
	Space s = make_space(a);

	(void)state;
	for (int i = 0; i < 3; i++)
		for (int trials = 64; trials <= 192; trials += 128) {
			Run r = run(&s, name[i], trials, 2, false);

			assert_true(r.stages[2] >= (trials - 16) / 10);
		}
	arena_free(a);
}

static void
trees_learn_what_the_model_does_not_know(void **state)
{
	Arena *a = arena_new();
	Space s = make_space(a);

	(void)state;
	for (uint64_t seed = 0; seed < 3; seed++) {
		Run trees = run(&s, "trees", 128, seed, false);
		Run mixed = run(&s, "mixed", 128, seed, false);
		Run model = run(&s, "model", 128, seed, false);

		assert_true(trees.best <= 1002 && mixed.best <= 1002);
		assert_true(model.best > 1010);
		assert_true(trees.stages[3] >= 64 && mixed.stages[3] >= 16 &&
			    mixed.stages[1] >= 16);
	}
	arena_free(a);
}

/* A prior that knows which knobs are best is asked first. */
static void
a_prior_is_used_for_four_picks(void **state)
{
	static const char text[] = "tree\nvec 4.5\nleaf 0\nvec 5.5\nlanes 1.5\nleaf 0\n"
				   "lanes 2.5\nleaf 9\nleaf 0\nleaf 0\n";
	Arena *a = arena_new();
	Space s = make_space(a);
	Str whole = {0};
	Err e = {0};
	Trees prior;
	Run r;

	(void)state;
	str_add(&whole, "trees\ncolumns");
	for (int i = 0; i < FEATURES; i++)
		str_printf(&whole, " %s", feature_name[i]);
	str_printf(&whole, "\nbase 0\n%s", text);
	if (trees_parse(str_get(&whole), feature_name, FEATURES, a, &prior, &e))
		fail_msg("%s", e.msg);
	r = run_with(&s, "mixed", (SearchOptions){.trials = 32, .prior = &prior}, false);
	assert_int_equal(r.stages[4], 4);
	str_fini(&whole);
	arena_free(a);
}

/* Whatever learns begins with them, in their order, and comes to them only once. */
static void
warm_proposals_come_first(void **state)
{
	static const char *const learns[] = {"mixed", "descent", "trees"};
	Arena *a = arena_new();
	Space s = make_space(a);
	Proposal warm[3] = {{{.variant = 1, .option = {3, 2}}, "other form"},
			    {{.variant = 0, .option = {7, 1}}, "near shape"},
			    {{.variant = 1, .option = {3, 2}}, "again"}};

	(void)state;
	for (size_t i = 0; i < sizeof learns / sizeof *learns; i++) {
		SearchOptions opt = {.trials = 64, .warm = warm, .nwarm = 3};
		Run r = run_with(&s, learns[i], opt, false);

		for (int k = 0; k < 2; k++)
			assert_true(pick_equal(&s, &r.pick[k], &warm[k].pick));
		assert_true(r.n >= 64);
	}
	arena_free(a);
}

static bool
has_pick(const Space *s, const Run *r, const Pick *p)
{
	for (int i = 0; i < r->n; i++)
		if (pick_equal(s, &r->pick[i], p))
			return true;
	return false;
}

/* Who knows eight picks from elsewhere knows what the variants are worth. */
static void
where_much_is_known_no_variant_has_to_be_tried(void **state)
{
	Arena *a = arena_new();
	Space s = make_space(a);
	Pick other = {.variant = 1};
	Proposal warm[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		warm[i] = (Proposal){{.option = {i, 3}}, "other target"};
	for (int n = 7; n <= 8; n++) {
		SearchOptions opt = {.trials = 16, .warm = warm, .nwarm = n};
		Run r = run_with(&s, "mixed", opt, false);

		assert_int_equal(has_pick(&s, &r, &other), n == 7);
	}
	arena_free(a);
}

static void
failures_are_no_centres(void **state)
{
	Arena *a = arena_new();
	Space s = make_space(a);
	Run r = run(&s, "descent", TRIALS, 3, true);

	(void)state;
	assert_float_equal(r.best, 1001, 0);
	arena_free(a);
}

static void
a_space_is_used_up_without_repeating(void **state)
{
	Arena *a = arena_new();
	Space s = make_space(a);
	Run *r = malloc(sizeof *r);

	(void)state;
	for (int i = 0; i < 2; i++) {
		s.variant.v[i].stage[0].option.n = 5;
		s.variant.v[i].stage[1].option.n = 3;
	}
	for (int i = 0; i < STRATEGIES; i++) {
		*r = run(&s, strategies[i], 1000, 1, false);
		assert_true(r->n <= 30 && r->n >= 28);
	}
	free(r);
	arena_free(a);
}

static void
unknown_strategies_are_unknown(void **state)
{
	(void)state;
	assert_null(search_named("guess"));
	assert_string_equal(search_named(NULL)->name, "mixed");
}

static void
all_gives_every_pick_once_in_order(void **state)
{
	Arena *a = arena_new();
	Space s = make_space(a);
	SearchOptions opt = {.trials = 1 << 20};
	const Search *all = search_named("model");
	void *search = all->start(a, &s, &opt);
	VEC(Pick) seen = {0};
	Proposal p[ROUND];
	int n;

	(void)state;
	while ((n = all->propose(search, ROUND, p)) > 0)
		for (int i = 0; i < n; i++) {
			for (int k = 0; k < seen.n; k++)
				assert_false(pick_equal(&s, &seen.v[k], &p[i].pick));
			if (seen.n)
				assert_true(space_cost(&s, &seen.v[seen.n - 1]) <=
					    space_cost(&s, &p[i].pick));
			vec_push(a, &seen, p[i].pick);
			all->report(search, &p[i].pick, INFINITY);
		}
	assert_int_equal(seen.n, (int)space_rows(&s));
	opt.trials = 5;
	search = all->start(a, &s, &opt);
	assert_int_equal(all->propose(search, ROUND, p), ROUND);
	assert_int_equal(all->propose(search, ROUND, p), 5 - ROUND);
	assert_int_equal(all->propose(search, ROUND, p), 0);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descent_finds_the_best_of_a_separable_cost),
		cmocka_unit_test(every_variant_is_tried_first),
		cmocka_unit_test(same_seed_gives_the_same_proposals),
		cmocka_unit_test(one_proposal_in_ten_is_random),
		cmocka_unit_test(trees_learn_what_the_model_does_not_know),
		cmocka_unit_test(a_prior_is_used_for_four_picks),
		cmocka_unit_test(warm_proposals_come_first),
		cmocka_unit_test(where_much_is_known_no_variant_has_to_be_tried),
		cmocka_unit_test(failures_are_no_centres),
		cmocka_unit_test(a_space_is_used_up_without_repeating),
		cmocka_unit_test(unknown_strategies_are_unknown),
		cmocka_unit_test(all_gives_every_pick_once_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
