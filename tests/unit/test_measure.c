/* The timing loop, with a clock that only moves when told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rpc_server/measure.h"

enum { ROOM = 1000, CALLS_MAX = 4000 };

typedef struct Device {
	uint64_t time, tick, runs, fails_at; /* fails_at: the run that returns an error; 0: none */
	uint64_t cost[4];                    /* ns of a run of each candidate */
	uint32_t order[CALLS_MAX], calls;
} Device;

static uint64_t
now(void *self)
{
	Device *d = self;

	d->time += 3; /* asking takes time, too */
	return d->time / d->tick * d->tick;
}

static int
run(void *self, uint32_t candidate, uint32_t times, uint64_t *ns)
{
	Device *d = self;
	uint64_t began = now(d);

	d->time += d->cost[candidate] * times;
	*ns = now(d) - began;
	if (d->calls < CALLS_MAX)
		d->order[d->calls++] = candidate;
	d->runs += times;
	return d->fails_at && d->runs >= d->fails_at;
}

static Timing
search(Device *d, MeasureSpec spec)
{
	static double samples[ROOM];
	Meter m = {d, now, run};
	Timing t = {.samples = samples, .room = ROOM};

	measure_search(&m, &spec, 0, &t);
	return t;
}

static void
a_long_kernel_is_timed_run_by_run(void **state)
{
	Device d = {.tick = 1, .cost = {50000}};
	Timing t = search(&d, (MeasureSpec){.warmup = 3, .min_runs = 7});

	(void)state;
	assert_int_equal(t.status, STATUS_OK);
	assert_int_equal(t.inner, 1);
	assert_int_equal(t.n, 7);
	assert_int_equal(d.runs, 3 + 7);
	for (uint32_t i = 0; i < t.n; i++)
		assert_true(t.samples[i] == 50003);
}

static void
a_short_kernel_runs_back_to_back(void **state)
{
	Device d = {.tick = 1, .cost = {100}};
	Timing t = search(&d, (MeasureSpec){.min_runs = 5});

	(void)state;
	assert_int_equal(t.n, 5);
	assert_true(t.inner >= SAMPLE_NS / 101 && t.inner <= 2 * SAMPLE_NS / 100);
	assert_true(t.samples[0] >= 100 && t.samples[0] < 101);
	assert_true(t.samples[4] * t.inner >= SAMPLE_NS);
}

static void
a_coarse_clock_makes_samples_longer(void **state)
{
	Device d = {.tick = 1000, .cost = {1000}};
	Timing t = search(&d, (MeasureSpec){.min_runs = 5});

	(void)state;
	assert_int_equal(t.status, STATUS_OK);
	assert_true(t.inner >= SAMPLE_TICKS);
	assert_true(t.samples[0] > 980 && t.samples[0] < 1020);
}

static void
what_the_clock_cannot_see_is_said(void **state)
{
	Device d = {.tick = 1, .cost = {1}}, none = {.tick = 1000000, .cost = {500}};
	Device copy = {.tick = 1, .cost = {2}}; /* of a few vectors */

	(void)state;
	assert_int_equal(search(&copy, (MeasureSpec){.min_runs = 5}).status, STATUS_OK);
	assert_int_equal(search(&d, (MeasureSpec){.min_runs = 5}).status, STATUS_BELOW_RESOLUTION);
	assert_int_equal(search(&none, (MeasureSpec){.min_runs = 5}).status,
			 STATUS_BELOW_RESOLUTION);
}

static void
bounds_end_it(void **state)
{
	static const struct {
		MeasureSpec spec;
		uint32_t n;
	} list[] = {
		{{.min_runs = 5, .min_time_ns = 1000000}, 10}, /* both minima */
		{{.min_runs = 50, .max_runs = 20}, 20},
		{{.min_runs = 50, .max_time_ns = 450000}, 5},
		{{.min_runs = 5, .stop_above_ns = 90000}, 1},
		{{.min_runs = 5, .stop_above_ns = 110000}, 5},
		{{.min_runs = 2000}, ROOM}, /* never more than there is room for */
		{{.warmup = 100, .max_time_ns = 450000, .min_runs = 5}, 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		Device d = {.tick = 1, .cost = {100000}};
		Timing t = search(&d, list[i].spec);

		if (t.status != STATUS_OK || t.n != list[i].n)
			fail_msg("%zu: %u samples, expected %u", i, t.n, list[i].n);
		if (list[i].spec.warmup)
			assert_in_range(d.runs - t.n, 1, 6);
	}
}

static void
a_failed_run_ends_it(void **state)
{
	(void)state;
	for (uint64_t at = 1; at < 8; at++) {
		Device d = {.tick = 1, .cost = {50000}, .fails_at = at};
		Timing t = search(&d, (MeasureSpec){.warmup = 2, .min_runs = 6});

		assert_int_equal(t.status, STATUS_WRONG);
		assert_int_equal(d.runs, at);
	}
}

/* Order of candidates in a race after its warm-up. */
static void
race(uint64_t seed, Device *d, Timing t[3])
{
	static double samples[3][ROOM];
	static const uint32_t which[3] = {3, 1, 2};
	MeasureSpec spec = {.race_rounds = 40};
	Meter m = {d, now, run};

	*d = (Device){.tick = 1, .cost = {0, 60000, 1, 70000}};
	for (int i = 0; i < 3; i++)
		t[i] = (Timing){.samples = samples[i], .room = ROOM};
	measure_race(&m, &spec, seed, which, 3, t);
}

static void
a_race_gives_each_a_sample_a_round(void **state)
{
	unsigned first_was_3 = 0;
	Timing t[3];
	Device d, again;
	uint32_t at;

	(void)state;
	race(1, &d, t);
	assert_int_equal(t[0].n, 40);
	assert_int_equal(t[1].n, 40);
	assert_true(t[0].samples[7] == 70003 && t[1].samples[7] == 60003);
	assert_int_equal(t[2].status, STATUS_BELOW_RESOLUTION); /* dropped out */
	assert_int_equal(t[2].n, 0);
	at = d.calls - 80;
	for (uint32_t i = at; i < d.calls; i += 2) {
		assert_int_equal(d.order[i] + d.order[i + 1], 3 + 1);
		first_was_3 += d.order[i] == 3;
	}
	assert_in_range(first_was_3, 8, 32);
	race(1, &again, t);
	assert_memory_equal(d.order, again.order, sizeof d.order);
	race(2, &again, t);
	assert_memory_not_equal(d.order, again.order, sizeof d.order);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_kernel_is_timed_run_by_run),
		cmocka_unit_test(a_short_kernel_runs_back_to_back),
		cmocka_unit_test(a_coarse_clock_makes_samples_longer),
		cmocka_unit_test(what_the_clock_cannot_see_is_said),
		cmocka_unit_test(bounds_end_it),
		cmocka_unit_test(a_failed_run_ends_it),
		cmocka_unit_test(a_race_gives_each_a_sample_a_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
