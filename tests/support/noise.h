/* Boards that are simulated: times with all that keeps them from being the same, and whole
 * comparisons on them. The same seed gives the same times. */
#ifndef TESTS_SUPPORT_NOISE_H
#define TESTS_SUPPORT_NOISE_H

#include "base/rng.h"
#include "regress/verdict.h"

/* name, drift: deviation of the board's slow level; hold: how much of it stays from one process to
 * the next; process: deviation between processes; repeat: within one; spikes: share of repeats that
 * are disturbed; spike: by up to so much; throttled: share of sessions with an episode; throttle:
 * by so much; modes: share of processes in a second mode; mode: slower by so much; burst: share of
 * processes at which a neighbour begins, who stays for some processes; load: by up to so much */
#define NOISE_LIST(X)                                                        \
	X(desk, .02, .98, .012, .008, .03, .5, .10, .25, 0, 0, 0, 0)         \
	X(calm, .005, .98, .003, .002, .01, .2, .02, .25, 0, 0, 0, 0)        \
	X(restless, .02, .90, .030, .020, .10, 1, .30, .25, 0, 0, 0, 0)      \
	X(two_modes, .02, .98, .005, .008, .03, .5, .10, .25, .5, .10, 0, 0) \
	X(neighbour, .02, .98, .012, .008, .03, .5, .10, .25, 0, 0, .10, .6)

typedef struct Noise {
	const char *name;
	double drift, hold, process, repeat, spikes, spike, throttled, throttle, modes, mode, burst,
		load;
} Noise;

const Noise *noise_at(int i);               /* NULL behind the last */
const Noise *noise_named(const char *name); /* NULL: there is none */

/* One session on the board. */
typedef struct NoiseSession {
	const Noise *noise;
	Rng rng;
	double level; /* of the drift */
	int process;  /* how many ran */
	int throttle_from, throttle_to;
	int loaded; /* processes until the neighbour goes */
	double load;
} NoiseSession;

void noise_begin(NoiseSession *s, const Noise *n, uint64_t seed);
/* Median of the repeats of one fresh process, ns. */
double noise_process(NoiseSession *s, double ns);
/* Both sides in an order drawn by chance; slower: ratio of the new side. */
RegressPair noise_pair(NoiseSession *s, double slower);

/* A whole comparison of one kernel: rounds, looks, confirmation. Everything but `slower` and
 * `family` is as in a real one. */
typedef struct NoiseTrial {
	RegressVerdict verdict;
	RegressEstimate est; /* of the first round */
	int pairs;           /* of both rounds */
} NoiseTrial;

/* family: kernels of the suite; the others are as much in the way as they can be. a is reset. */
NoiseTrial noise_trial(const Noise *n, double slower, int family, const RegressPolicy *p,
		       uint64_t seed, Arena *a);

/* A whole suite of equal kernels; whether any of them is REGRESSED in the end. a is reset. */
bool noise_suite_alarms(const Noise *n, int kernels, const RegressPolicy *p, uint64_t seed,
			Arena *a);

/* Shares of many trials. */
typedef struct NoiseRates {
	int trials;
	int of[REGRESS_VERDICTS];
	double pairs, sees; /* means; sees: the slowdown that the first round says it can see */
} NoiseRates;

NoiseRates noise_rates(const Noise *n, double slower, int family, const RegressPolicy *p,
		       int trials);

#endif
