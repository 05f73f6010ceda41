/* What `hone regress` answers on simulated boards, beside its gates: kernels that did not change,
 * or got slower by so much. Exit status 1 when a gate is missed.
 *
 * Usage: regress_noise [TRIALS [FAMILY]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/noise.h"

/* board, ratio, gate: at most (false) or at least (true) this share is REGRESSED */
static const struct {
	const char *noise;
	double slower;
	bool least;
	double share;
} gates[] = {
	{"desk", 1.00, false, .001},      {"desk", 1.05, true, .95},
	{"desk", 1.10, true, .99},        {"calm", 1.00, false, .001},
	{"calm", 1.05, true, .95},        {"calm", 1.10, true, .99},
	{"restless", 1.00, false, .001},  {"two_modes", 1.00, false, .001},
	{"neighbour", 1.00, false, .001},
};

static const double ratios[] = {.90, .97, 1.00, 1.01, 1.02, 1.03, 1.04, 1.05, 1.10};

/* 0 met, 1 missed, -1 there is none. */
static int
gate(const char *noise, double slower, const NoiseRates *r, char text[32])
{
	double share = (double)r->of[REGRESS_REGRESSED] / r->trials;

	text[0] = 0;
	for (size_t i = 0; i < sizeof gates / sizeof *gates; i++) {
		bool met = gates[i].least ? share >= gates[i].share : share <= gates[i].share;

		if (strcmp(gates[i].noise, noise) || gates[i].slower != slower)
			continue;
		snprintf(text, 32, "%s %.3f %s", gates[i].least ? ">=" : "<=", gates[i].share,
			 met ? "met" : "MISSED");
		return !met;
	}
	return -1;
}

static void
row(const char *board, double slower, const NoiseRates *r, const char *text)
{
	double n = r->trials;

	printf("%-10s %6.3f %10.4f %10.4f %8.4f %12.4f %6.1f %5.1f%%  %s\n", board, slower,
	       r->of[REGRESS_REGRESSED] / n, r->of[REGRESS_IMPROVED] / n, r->of[REGRESS_OK] / n,
	       r->of[REGRESS_INCONCLUSIVE] / n, r->pairs, 100 * (r->sees - 1), text);
	fflush(stdout);
}

/* A slowdown as small as the board is said to see, without a threshold in the way. */
static void
seen(const Noise *board, double slower, int family, int trials)
{
	RegressPolicy p;
	NoiseRates r;

	regress_policy_init(&p);
	p.threshold = 0.001;
	r = noise_rates(board, slower, family, &p, trials);
	row(board->name, slower, &r, "what it sees, threshold 0.1 %");
}

/* Whole suites without a change, before any repeat; returns 1 when the gate is missed. */
static int
suites(const Noise *board, int trials)
{
	enum { KERNELS = 100 };
	Arena *a = arena_new();
	int alarms = 0;
	RegressPolicy p;
	double share;

	regress_policy_init(&p);
	for (int i = 0; i < trials; i++)
		alarms += noise_suite_alarms(board, KERNELS, &p, (uint64_t)i, a);
	arena_free(a);
	share = (double)alarms / trials;
	printf("%-10s %d suites of %d kernels without a change, no repeat: %.4f with any "
	       "REGRESSED, "
	       "<= 0.010 %s\n",
	       board->name, trials, KERNELS, share, share <= .01 ? "met" : "MISSED");
	return share > .01;
}

/* Returns how many gates are missed. */
static int
board_rows(const Noise *board, int family, int trials)
{
	double sees = 0;
	int missed = 0;
	RegressPolicy p;

	regress_policy_init(&p);
	for (size_t k = 0; k < sizeof ratios / sizeof *ratios; k++) {
		NoiseRates r = noise_rates(board, ratios[k], family, &p, trials);
		char text[32];

		missed += gate(board->name, ratios[k], &r, text) == 1;
		row(board->name, ratios[k], &r, text);
		sees = ratios[k] == 1 ? r.sees : sees;
	}
	seen(board, sees, family, trials);
	return missed;
}

int
main(int argc, char **argv)
{
	int trials = argc > 1 ? atoi(argv[1]) : 3000, family = argc > 2 ? atoi(argv[2]) : 40;
	int missed = 0;

	if (trials < 1 || family < 1) {
		fprintf(stderr, "usage: regress_noise [TRIALS [FAMILY]]\n");
		return 2;
	}
	printf("%d trials each, one kernel of a suite of %d\n%-10s %6s %10s %10s %8s %12s %6s "
	       "%6s\n",
	       trials, family, "board", "ratio", "REGRESSED", "IMPROVED", "OK", "INCONCLUSIVE",
	       "pairs", "sees");
	for (int i = 0; noise_at(i); i++) {
		missed += board_rows(noise_at(i), family, trials);
		missed += suites(noise_at(i), 1 + trials / 10);
	}
	return missed != 0;
}
