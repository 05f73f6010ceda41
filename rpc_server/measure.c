/* Timing loop: warm-up, which also finds how many runs make a sample; then samples. */
#include "rpc_server/measure.h"

#include <stdlib.h>

#include "base/rng.h"

uint64_t
measure_tick(const Meter *m)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 16; i++) {
		uint64_t a = m->now(m->self), b = a;

		while (b == a)
			b = m->now(m->self);
		if (b - a < least)
			least = b - a;
	}
	return least;
}

static bool
run(const Meter *m, uint32_t candidate, Timing *t, uint64_t *ns)
{
	if (m->run(m->self, candidate, t->inner, ns) == 0)
		return true;
	t->status = STATUS_WRONG;
	return false;
}

/* Runs the candidate `warmup` times, then grows t->inner until a sample is long enough. */
static void
warm_up(const Meter *m, const MeasureSpec *spec, uint32_t candidate, Timing *t)
{
	uint64_t need = SAMPLE_TICKS * measure_tick(m), began = m->now(m->self), ns;

	if (need < SAMPLE_NS)
		need = SAMPLE_NS;
	*t = (Timing){.inner = 1, .samples = t->samples, .room = t->room};
	for (uint32_t i = 0; i == 0 || i < spec->warmup; i++) {
		if (!run(m, candidate, t, &ns))
			return;
		if (spec->max_time_ns && m->now(m->self) - began > spec->max_time_ns)
			break;
	}
	while (ns < need) {
		uint64_t want = ns ? t->inner * need / ns + 1 : INNER_MAX;

		if (t->inner == INNER_MAX) {
			t->status = STATUS_BELOW_RESOLUTION;
			return;
		}
		if (want < 2 * (uint64_t)t->inner)
			want = 2 * (uint64_t)t->inner;
		t->inner = want < INNER_MAX ? (uint32_t)want : INNER_MAX;
		if (!run(m, candidate, t, &ns))
			return;
	}
}

static bool
take_sample(const Meter *m, uint32_t candidate, Timing *t)
{
	uint64_t ns;

	if (t->n == t->room || !run(m, candidate, t, &ns))
		return false;
	t->samples[t->n++] = (double)ns / t->inner;
	return true;
}

/* elapsed: ns since the first sample began */
static bool
enough(const MeasureSpec *spec, const Timing *t, uint64_t elapsed)
{
	if (t->n == 0)
		return false;
	if (t->n == 1 && spec->stop_above_ns > 0 && t->samples[0] > spec->stop_above_ns)
		return true;
	if ((spec->max_runs && t->n >= spec->max_runs) ||
	    (spec->max_time_ns && elapsed >= spec->max_time_ns))
		return true;
	return t->n >= spec->min_runs && elapsed >= spec->min_time_ns;
}

void
measure_search(const Meter *m, const MeasureSpec *spec, uint32_t candidate, Timing *t)
{
	uint64_t began;

	warm_up(m, spec, candidate, t);
	began = m->now(m->self);
	while (t->status == STATUS_OK && !enough(spec, t, m->now(m->self) - began))
		if (!take_sample(m, candidate, t))
			break;
}

void
measure_race(const Meter *m, const MeasureSpec *spec, uint64_t seed, const uint32_t *candidates,
	     uint32_t n, Timing *t)
{
	uint32_t order[CANDIDATES_MAX];
	Rng r;

	rng_init(&r, seed);
	for (uint32_t i = 0; i < n; i++) {
		order[i] = i;
		warm_up(m, spec, candidates[i], &t[i]);
	}
	for (uint32_t round = 0; round < spec->race_rounds; round++) {
		for (uint32_t i = n; i > 1; i--) {
			uint32_t k = (uint32_t)rng_below(&r, i), other = order[k];

			order[k] = order[i - 1];
			order[i - 1] = other;
		}
		for (uint32_t i = 0; i < n; i++)
			if (t[order[i]].status == STATUS_OK)
				take_sample(m, candidates[order[i]], &t[order[i]]);
	}
}
