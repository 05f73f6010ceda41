/* What `hone regress` answers on simulated boards, beside its gates: kernels that did not change, or
 * got slower by so much. Exit status 1 when a gate is missed.
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
		{"desk", 1.00, false, .001}, {"desk", 1.05, true, .95},
		{"desk", 1.10, true, .99},   {"calm", 1.00, false, .001},
		{"calm", 1.05, true, .95},   {"calm", 1.10, true, .99},
		{"restless", 1.00, false, .001}, {"two_modes", 1.00, false, .001},
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

int
main(int argc, char **argv)
{
	int trials = argc > 1 ? atoi(argv[1]) : 3000, family = argc > 2 ? atoi(argv[2]) : 40;
	int missed = 0;
	RegressPolicy p;

	if (trials < 1 || family < 1) {
		fprintf(stderr, "usage: regress_noise [TRIALS [FAMILY]]\n");
		return 2;
	}
	regress_policy_init(&p);
	printf("%d trials each, one kernel of a suite of %d\n%-10s %6s %10s %10s %8s %12s %6s\n",
	       trials, family, "board", "ratio", "REGRESSED", "IMPROVED", "OK", "INCONCLUSIVE",
	       "pairs");
	for (int b = 0; noise_at(b); b++) {
		for (size_t k = 0; k < sizeof ratios / sizeof *ratios; k++) {
			NoiseRates r = noise_rates(noise_at(b), ratios[k], family, &p, trials);
			char text[32];

			missed += gate(noise_at(b)->name, ratios[k], &r, text) == 1;
			printf("%-10s %6.2f %10.4f %10.4f %8.4f %12.4f %6.1f  %s\n",
			       noise_at(b)->name, ratios[k],
			       (double)r.of[REGRESS_REGRESSED] / trials,
			       (double)r.of[REGRESS_IMPROVED] / trials,
			       (double)r.of[REGRESS_OK] / trials,
			       (double)r.of[REGRESS_INCONCLUSIVE] / trials, r.pairs, text);
			fflush(stdout);
		}
	}
	return missed != 0;
}
