/* The noise model, and comparisons on it. Disturbed pairs are not told: the guards of a real board
 * would drop some of what the ranks have to bear here. */
#include <math.h>
#include <string.h>

#include "tests/support/noise.h"

enum { REPEATS = 10, SESSION_PROCESSES = 60, BURST_PROCESSES = 8 };

static const Noise table[] = {
#define X(name, ...) {#name, __VA_ARGS__},
	NOISE_LIST(X)
#undef X
		{0},
};

const Noise *
noise_at(int i)
{
	return table[i].name ? &table[i] : NULL;
}

const Noise *
noise_named(const char *name)
{
	for (int i = 0; table[i].name; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

void
noise_begin(NoiseSession *s, const Noise *n, uint64_t seed)
{
	*s = (NoiseSession){.noise = n, .throttle_from = -1, .throttle_to = -1};
	rng_init(&s->rng, seed);
	s->level = n->drift * rng_normal(&s->rng);
	if (rng_unit(&s->rng) >= n->throttled)
		return;
	s->throttle_from = (int)rng_below(&s->rng, SESSION_PROCESSES);
	s->throttle_to = s->throttle_from + 1 + (int)rng_below(&s->rng, SESSION_PROCESSES);
}

static void
neighbour(NoiseSession *s)
{
	if (s->loaded) {
		s->loaded--;
	} else if (rng_unit(&s->rng) < s->noise->burst) {
		s->loaded = 1 + (int)rng_below(&s->rng, BURST_PROCESSES);
		s->load = s->noise->load * rng_unit(&s->rng);
	}
}

double
noise_process(NoiseSession *s, double ns)
{
	const Noise *n = s->noise;
	double keep = n->hold, own, v[REPEATS];

	s->level = keep * s->level + sqrt(1 - keep * keep) * n->drift * rng_normal(&s->rng);
	own = s->level + n->process * rng_normal(&s->rng);
	if (s->process >= s->throttle_from && s->process < s->throttle_to)
		own += log(1 + n->throttle);
	if (rng_unit(&s->rng) < n->modes)
		own += log(1 + n->mode);
	neighbour(s);
	if (s->loaded)
		own += log(1 + s->load);
	s->process++;
	for (int i = 0; i < REPEATS; i++) {
		double t = own + n->repeat * rng_normal(&s->rng), k;
		int at = i;

		if (rng_unit(&s->rng) < n->spikes)
			t += log(1 + n->spike * rng_unit(&s->rng));
		/* kept ascending */
		for (k = t; at > 0 && v[at - 1] > k; at--)
			v[at] = v[at - 1];
		v[at] = k;
	}
	return ns * exp((v[REPEATS / 2 - 1] + v[REPEATS / 2]) / 2);
}

RegressPair
noise_pair(NoiseSession *s, double slower)
{
	RegressPair p = {.new_first = rng_below(&s->rng, 2)};

	if (p.new_first)
		p.new_ns = noise_process(s, 1e5 * slower);
	p.baseline_ns = noise_process(s, 1e5);
	if (!p.new_first)
		p.new_ns = noise_process(s, 1e5 * slower);
	return p;
}

/* One round: entry 0 is the kernel, the others say nothing. */
static VerdictEntry
one_round(const Noise *n, double slower, int family, const RegressPolicy *p, uint64_t seed,
	  Arena *a)
{
	VerdictEntry *v = ARENA_ARRAY(a, VerdictEntry, family);
	RegressPair *pair = ARENA_ARRAY(a, RegressPair, p->pairs_most);
	NoiseSession s;

	noise_begin(&s, n, seed);
	for (int i = 1; i < family; i++)
		v[i] = (VerdictEntry){.decided = true, .est = {.p = 1}};
	v[0] = (VerdictEntry){.pair = pair, .threshold = p->threshold, .more = p->pairs_first};
	while (!v[0].decided) {
		for (int i = 0; i < v[0].more; i++)
			pair[v[0].npair++] = noise_pair(&s, slower);
		verdict_round(v, family, p, a);
	}
	return v[0];
}

NoiseTrial
noise_trial(const Noise *n, double slower, int family, const RegressPolicy *p, uint64_t seed,
	    Arena *a)
{
	VerdictEntry first, second = {0};
	NoiseTrial t;
	const char *reason;

	arena_reset(a);
	first = one_round(n, slower, family, p, 2 * seed, a);
	t = (NoiseTrial){first.verdict, first.est, first.npair};
	if (first.verdict == REGRESS_REGRESSED) {
		second = one_round(n, slower, 1, p, 2 * seed + 1, a);
		t.pairs += second.npair;
	}
	t.verdict = verdict_confirm(&first, &second, a, &reason);
	return t;
}

/* Pairs for each that is not decided, from one session; then a look at all. */
static void
suite_round(NoiseSession *s, VerdictEntry *v, int n, const RegressPolicy *p, Arena *a)
{
	int most = 0;

	for (int i = 0; i < n; i++)
		most = v[i].more > most ? v[i].more : most;
	for (int round = 0; round < most; round++)
		for (int i = 0; i < n; i++)
			if (round < v[i].more)
				((RegressPair *)v[i].pair)[v[i].npair++] = noise_pair(s, 1);
	verdict_round(v, n, p, a);
}

bool
noise_suite_alarms(const Noise *n, int kernels, const RegressPolicy *p, uint64_t seed, Arena *a)
{
	NoiseSession s;
	VerdictEntry *v;
	bool open = true, alarm = false;

	arena_reset(a);
	v = ARENA_ARRAY(a, VerdictEntry, kernels);
	noise_begin(&s, n, seed);
	for (int i = 0; i < kernels; i++)
		v[i] = (VerdictEntry){.pair = ARENA_ARRAY(a, RegressPair, p->pairs_most),
				      .threshold = p->threshold,
				      .more = p->pairs_first};
	while (open) {
		suite_round(&s, v, kernels, p, a);
		open = false;
		for (int i = 0; i < kernels; i++)
			open = open || !v[i].decided;
	}
	for (int i = 0; i < kernels; i++)
		alarm = alarm || v[i].verdict == REGRESS_REGRESSED;
	return alarm;
}

NoiseRates
noise_rates(const Noise *n, double slower, int family, const RegressPolicy *p, int trials)
{
	NoiseRates r = {.trials = trials};
	Arena *a = arena_new();

	for (int i = 0; i < trials; i++) {
		NoiseTrial t = noise_trial(n, slower, family, p, (uint64_t)i, a);

		r.of[t.verdict]++;
		r.pairs += (double)t.pairs / trials;
		r.sees += t.est.detectable / trials;
	}
	arena_free(a);
	return r;
}
