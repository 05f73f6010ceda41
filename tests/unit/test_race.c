/* Judging races: made-up samples with noise that all entries of a round share. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "tuner/race.h"

enum { ROUNDS = 15 };

/* Times of `ns` with 20 % noise of the round and `own` noise of the entry. */
static void
draw(double *out, double ns, double own, uint64_t seed)
{
	Rng shared, mine;

	rng_init(&shared, 99);
	rng_init(&mine, seed);
	for (int i = 0; i < ROUNDS; i++)
		out[i] = ns * (1 + .2 * rng_unit(&shared)) * (1 + own * rng_normal(&mine));
}

static void
ties_go_to_the_incumbent(void **state)
{
	double a[ROUNDS], b[ROUNDS];
	RaceEntry v[] = {{a, ROUNDS}, {b, ROUNDS}};
	int kept = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		draw(a, 1000, .02, 2 * seed + 1);
		draw(b, 1000, .02, 2 * seed + 2);
		kept += race_winner(v, 2) == 0;
	}
	assert_true(kept >= 90);
	assert_int_equal(race_winner((RaceEntry[]){v[0], v[0]}, 2), 0);
}

static void
a_real_gain_wins_through_shared_noise(void **state)
{
	double a[ROUNDS], b[ROUNDS], c[ROUNDS];
	RaceEntry v[] = {{a, ROUNDS}, {b, ROUNDS}, {c, ROUNDS}};
	RaceRatio r;

	(void)state;
	draw(a, 1000, .01, 1);
	draw(b, 960, .01, 2);
	draw(c, 900, .01, 3);
	assert_int_equal(race_winner(v, 3), 2);
	assert_int_equal(race_winner(v, 2), 1);
	r = race_ratio(&v[2], &v[0]);
	assert_float_equal(r.ratio, .9, .01);
	assert_true(r.lo <= r.ratio && r.ratio <= r.hi && r.hi < .93 && r.lo > .87);
	assert_true(race_faster(r) && !race_faster(race_ratio(&v[0], &v[2])));
}

static void
who_did_not_finish_cannot_win(void **state)
{
	double a[ROUNDS], b[ROUNDS];
	RaceEntry lost = {NULL, 0};

	(void)state;
	draw(a, 1000, .01, 1);
	draw(b, 500, .01, 2);
	assert_int_equal(race_winner((RaceEntry[]){lost, {a, ROUNDS}, lost, {b, ROUNDS}}, 4), 3);
	assert_int_equal(race_winner((RaceEntry[]){lost, lost}, 2), -1);
	assert_int_equal(race_winner(NULL, 0), -1);
	assert_true(race_ratio(&lost, &(RaceEntry){a, ROUNDS}).ratio == 0);
}

static void
a_model_is_the_sum_over_its_uses(void **state)
{
	double a[ROUNDS], b[ROUNDS], c[ROUNDS], d[ROUNDS];
	RacePair v[] = {{{a, ROUNDS}, {b, ROUNDS}, 3}, {{c, ROUNDS}, {d, ROUNDS}, 1}};
	RaceRatio r;

	(void)state;
	draw(a, 100, 0, 1);
	draw(b, 200, 0, 1);
	draw(c, 500, 0, 1);
	draw(d, 500, 0, 1);
	r = race_model(v, 2);
	assert_float_equal(r.ratio, 800. / 1100, 1e-9);
	assert_true(r.lo <= r.ratio && r.ratio <= r.hi && r.lo > .7 && r.hi < .76);
	assert_true(race_model(NULL, 0).ratio == 0);
}

static void
medians(void **state)
{
	(void)state;
	assert_float_equal(median_of((double[]){3, 1, 2}, 3), 2, 0);
	assert_float_equal(median_of((double[]){4, 1, 2, 3}, 4), 2.5, 0);
	assert_float_equal(median_of(NULL, 0), 0, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ties_go_to_the_incumbent),
		cmocka_unit_test(a_real_gain_wins_through_shared_noise),
		cmocka_unit_test(who_did_not_finish_cannot_win),
		cmocka_unit_test(a_model_is_the_sum_over_its_uses),
		cmocka_unit_test(medians),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
