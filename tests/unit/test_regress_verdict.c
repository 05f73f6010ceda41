/* Rules: pairs so far -> an answer or more pairs; the repeat; canaries; the exit status; and whole
 * comparisons on simulated boards, few of them (bench/regress_noise.c runs many). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "regress/exit.h"
#include "tests/support/noise.h"

enum { PAIRS = 60 };

/* Ratios around `ratio`, from half of `spread` below to half above; every dozen is balanced. */
static void
make(RegressPair *pair, int n, double ratio, double spread)
{
	for (int i = 0; i < n; i++)
		pair[i] = (RegressPair){
			.baseline_ns = 1000,
			.new_ns = 1000 * ratio * exp(spread * (i * 7 % 12 / 11. - .5)),
		};
}

/* Verdict of so many pairs; REGRESS_VERDICTS: it wants more. */
static RegressVerdict
judged(int n, double ratio, double spread, int *more)
{
	static RegressPair pair[PAIRS];
	VerdictEntry v = {.pair = pair, .npair = n, .threshold = .03};
	Arena *a = arena_new();
	RegressPolicy p;
	int open;

	regress_policy_init(&p);
	make(pair, n, ratio, spread);
	open = verdict_round(&v, 1, &p, a);
	assert_int_equal(open, !v.decided);
	assert_true(v.decided ? v.more == 0 && *v.reason : v.more > 0);
	if (more)
		*more = v.more;
	arena_free(a);
	return v.decided ? v.verdict : REGRESS_VERDICTS;
}

static void
pairs_give_an_answer_or_ask_for_more(void **state)
{
	int more;

	(void)state;
	assert_int_equal(judged(0, 1, .01, &more), REGRESS_VERDICTS);
	assert_int_equal(more, 12);
	assert_int_equal(judged(7, 1.5, .01, &more), REGRESS_VERDICTS);
	assert_int_equal(more, 5);
	assert_int_equal(judged(12, 1.05, .02, NULL), REGRESS_REGRESSED);
	assert_int_equal(judged(12, 1.00, .02, NULL), REGRESS_OK);
	assert_int_equal(judged(12, 1.02, .005, NULL), REGRESS_OK);
	assert_int_equal(judged(12, 0.90, .02, NULL), REGRESS_IMPROVED);
	assert_int_equal(judged(12, 1.028, .04, &more), REGRESS_VERDICTS);
	assert_int_equal(more, 6);
	assert_int_equal(judged(28, 1.028, .04, &more), REGRESS_VERDICTS);
	assert_int_equal(more, 2);
	assert_int_equal(judged(30, 1.028, .04, NULL), REGRESS_INCONCLUSIVE);
	/* so much noise that 3 % could not be seen: never OK */
	assert_int_equal(judged(30, 0.97, .5, NULL), REGRESS_INCONCLUSIVE);
}

static void
a_suite_needs_more_pairs_than_one_kernel(void **state)
{
	enum { KERNELS = 100 };
	static RegressPair pair[PAIRS];
	VerdictEntry v[KERNELS] = {0};
	Arena *a = arena_new();
	RegressPolicy p;

	(void)state;
	regress_policy_init(&p);
	make(pair, PAIRS, 1.05, .02);
	for (int i = 0; i < KERNELS; i++)
		v[i] = (VerdictEntry){.decided = i > 0,
				      .pair = pair,
				      .npair = 12,
				      .threshold = .03,
				      .est = {.p = 1}};
	assert_int_equal(verdict_least_pairs(&p, KERNELS), 17);
	assert_int_equal(verdict_round(v, KERNELS, &p, a), 1);
	assert_true(v[0].est.p < p.family_error && v[0].est.p_holm > p.family_error);
	v[0].npair += v[0].more;
	assert_int_equal(verdict_round(v, KERNELS, &p, a), 0);
	assert_int_equal(v[0].verdict, REGRESS_REGRESSED);
	arena_free(a);
}

/* A budget that no regression could be proven with is told, whatever the pairs say. */
static void
a_budget_that_is_too_small_is_told(void **state)
{
	static RegressPair pair[PAIRS];
	VerdictEntry v = {.pair = pair, .npair = 6, .threshold = .03};
	Arena *a = arena_new();
	RegressPolicy p;

	(void)state;
	regress_policy_init(&p);
	p.pairs_first = p.pairs_most = 6;
	for (int i = 0; i < 2; i++) {
		make(pair, 6, i ? 1.5 : 1, .02);
		v.decided = false;
		assert_int_equal(verdict_round(&v, 1, &p, a), 0);
		assert_int_equal(v.verdict, REGRESS_INCONCLUSIVE);
		assert_non_null(strstr(v.reason, "one of 1 kernels takes 8"));
	}
	arena_free(a);
}

static void
who_is_decided_stays_decided(void **state)
{
	static RegressPair pair[PAIRS];
	VerdictEntry v = {.pair = pair, .npair = 12, .threshold = .03};
	Arena *a = arena_new();
	RegressPolicy p;

	(void)state;
	regress_policy_init(&p);
	make(pair, 12, 1, .02);
	assert_int_equal(verdict_round(&v, 1, &p, a), 0);
	make(pair, 12, 2, .02);
	assert_int_equal(verdict_round(&v, 1, &p, a), 0);
	assert_int_equal(v.verdict, REGRESS_OK);
	assert_true(v.est.ratio < 1.5);
	arena_free(a);
}

static void
a_disturbed_kernel_ends(void **state)
{
	static RegressPair pair[PAIRS];
	VerdictEntry v = {.pair = pair, .npair = 40, .threshold = .03};
	Arena *a = arena_new();
	RegressPolicy p;

	(void)state;
	regress_policy_init(&p);
	make(pair, 40, 1.05, .02);
	for (int i = 0; i < 31; i++)
		pair[i].drop = i < 20 ? REGRESS_DROP_LOAD : REGRESS_DROP_CLOCK;
	assert_int_equal(verdict_round(&v, 1, &p, a), 0);
	assert_int_equal(v.verdict, REGRESS_INCONCLUSIVE);
	assert_non_null(strstr(v.reason, "31 of 40"));
	assert_non_null(strstr(v.reason, regress_drop_text(REGRESS_DROP_LOAD)));
	arena_free(a);
}

static void
only_twice_is_regressed(void **state)
{
	Arena *a = arena_new();
	const char *reason;

	(void)state;
	for (int x = REGRESS_REGRESSED; x < REGRESS_VERDICTS; x++) {
		for (int y = REGRESS_REGRESSED; y < REGRESS_VERDICTS; y++) {
			VerdictEntry first = {.verdict = (RegressVerdict)x, .reason = "one"};
			VerdictEntry second = {.verdict = (RegressVerdict)y, .reason = "two"};
			RegressVerdict got = verdict_confirm(&first, &second, a, &reason);

			assert_true(*reason);
			assert_int_equal(got, x != REGRESS_REGRESSED   ? x
					      : y != REGRESS_REGRESSED ? REGRESS_INCONCLUSIVE
								       : REGRESS_REGRESSED);
		}
	}
	arena_free(a);
}

static void
a_canary_that_changed_voids_the_session(void **state)
{
	RegressCanary c[] = {{"steady", 100, 120, 110}, {"gone", 100, 0, 131}};
	Arena *a = arena_new();
	RegressKernel k[3];
	RegressResult r;
	RegressPolicy p;

	(void)state;
	regress_policy_init(&p);
	assert_string_equal(verdict_canaries(c, 1, &p, a), "");
	assert_non_null(strstr(verdict_canaries(c, 2, &p, a), "gone"));
	c[1].end_ns = 0;
	assert_string_equal(verdict_canaries(c, 2, &p, a), "");
	regress_result_init(&r);
	for (int i = 0; i < 3; i++)
		regress_kernel_init(&k[i]);
	k[0].verdict = REGRESS_REGRESSED;
	k[1].verdict = REGRESS_WRONG;
	k[2].verdict = REGRESS_UNCHANGED;
	r.kernel = k;
	r.nkernel = 3;
	verdict_void(&r, "it changed");
	assert_int_equal(k[0].verdict, REGRESS_INCONCLUSIVE);
	assert_int_equal(k[1].verdict, REGRESS_WRONG);
	assert_int_equal(k[2].verdict, REGRESS_UNCHANGED);
	arena_free(a);
}

/* --- exit status --- */

/* What a set of verdicts (bits) should answer, written without the program's tables. */
static int
wanted(unsigned set, int inconclusive)
{
	bool soft = set & (1u << REGRESS_INCONCLUSIVE | 1u << REGRESS_STALE);

	if (!set)
		return 4;
	if (set & (1u << REGRESS_WRONG | 1u << REGRESS_CRASH))
		return 7;
	if (set & 1u << REGRESS_REGRESSED || (soft && inconclusive == 1))
		return 1;
	if (set & 1u << REGRESS_NO_BOARD)
		return 4;
	return soft && inconclusive == 6 ? 6 : 0;
}

/* Every set of verdicts under every mapping. */
static void
the_most_severe_wins(void **state)
{
	static const int mapping[] = {6, 0, 1};
	RegressKernel k[REGRESS_VERDICTS];
	RegressResult r;

	(void)state;
	regress_result_init(&r);
	r.kernel = k;
	for (int m = 0; m < 3; m++) {
		r.policy.inconclusive = mapping[m];
		for (unsigned set = 0; set < 1u << REGRESS_VERDICTS; set++) {
			r.nkernel = 0;
			for (int v = 0; v < REGRESS_VERDICTS; v++) {
				if (!(set & 1u << v))
					continue;
				regress_kernel_init(&k[r.nkernel]);
				k[r.nkernel++].verdict = (RegressVerdict)v;
			}
			assert_int_equal(regress_exit(&r), wanted(set, mapping[m]));
		}
	}
	assert_string_equal(regress_exit_text(3), "");
	assert_true(*regress_exit_text(0) && *regress_exit_text(6) && *regress_exit_text(7));
}

static void
words_read_back(void **state)
{
	RegressVerdict v;

	(void)state;
	for (int i = 0; i < REGRESS_VERDICTS; i++) {
		assert_true(regress_verdict_of(regress_verdict_fact((RegressVerdict)i)->word, &v));
		assert_int_equal(v, i);
	}
	assert_false(regress_verdict_of("regressed", &v));
}

/* --- whole comparisons --- */

static double
share(const char *board, double slower, RegressVerdict v)
{
	enum { TRIALS = 200, FAMILY = 40 };
	RegressPolicy p;
	NoiseRates r;

	regress_policy_init(&p);
	r = noise_rates(noise_named(board), slower, FAMILY, &p, TRIALS);
	return (double)r.of[v] / TRIALS;
}

static void
simulated_boards_are_judged_rightly(void **state)
{
	(void)state;
	for (int i = 0; noise_at(i); i++)
		assert_true(share(noise_at(i)->name, 1, REGRESS_REGRESSED) == 0);
	assert_true(share("desk", 1.05, REGRESS_REGRESSED) >= .95);
	assert_true(share("desk", 1.10, REGRESS_REGRESSED) >= .99);
	assert_true(share("calm", 1.00, REGRESS_OK) >= .95);
	assert_true(share("desk", 0.90, REGRESS_IMPROVED) >= .95);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_give_an_answer_or_ask_for_more),
		cmocka_unit_test(a_suite_needs_more_pairs_than_one_kernel),
		cmocka_unit_test(a_budget_that_is_too_small_is_told),
		cmocka_unit_test(who_is_decided_stays_decided),
		cmocka_unit_test(a_disturbed_kernel_ends),
		cmocka_unit_test(only_twice_is_regressed),
		cmocka_unit_test(a_canary_that_changed_voids_the_session),
		cmocka_unit_test(the_most_severe_wins),
		cmocka_unit_test(words_read_back),
		cmocka_unit_test(simulated_boards_are_judged_rightly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
