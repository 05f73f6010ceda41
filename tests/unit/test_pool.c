/* The pool: every chunk once, nothing before the fork and nothing after the join, whether workers
 * spin or sleep. Run under the thread sanitizer as well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/hone_pool.h"

enum { CHUNKS = 64, TURNS = 3000, THREADS = 4 };

typedef struct Counts {
	int run[CHUNKS];
	int chunks;
} Counts;

static void
count(void *context, int chunk, int chunks)
{
	Counts *c = context;

	c->run[chunk]++; /* no other chunk touches it */
	assert_int_equal(chunks, c->chunks);
}

static void
check_turns(int threads, int chunks, int turns, uint64_t pause_ns)
{
	hone_pool *p = hone_pool_start(threads, NULL);
	hone_parallel with;
	Counts c = {.chunks = chunks};

	assert_non_null(p);
	with = hone_pool_parallel(p);
	for (int i = 1; i <= turns; i++) {
		with.parallel_for(with.self, count, &c, chunks);
		for (int k = 0; k < CHUNKS; k++)
			assert_int_equal(c.run[k], k < chunks ? i : 0);
		if (pause_ns)
			clock_sleep_ns(pause_ns);
	}
	hone_pool_stop(p);
}

static void
every_chunk_runs_once(void **state)
{
	static const int chunks[] = {1, 2, 3, THREADS, THREADS + 1, CHUNKS};

	(void)state;
	for (int threads = 1; threads <= THREADS; threads++)
		for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++)
			check_turns(threads, chunks[i], TURNS / 10, 0);
	check_turns(2, 2, TURNS, 0);
}

/* Long enough that all have gone to sleep, and about as long as it takes to. */
static void
sleepers_are_woken(void **state)
{
	(void)state;
	check_turns(THREADS, THREADS, 20, 3000000);
	check_turns(2, 2, TURNS / 5, 50000);
}

static void
wait_long(void *context, int chunk, int chunks)
{
	(void)chunks;
	if (chunk)
		clock_sleep_ns(2000000);
	((Counts *)context)->run[chunk]++;
}

static void
join_sleeps_too(void **state)
{
	hone_pool *p = hone_pool_start(3, NULL);
	hone_parallel with = hone_pool_parallel(p);
	Counts c = {.chunks = 3};

	(void)state;
	for (int i = 1; i <= 20; i++) {
		with.parallel_for(with.self, wait_long, &c, 3);
		assert_true(c.run[0] == i && c.run[1] == i && c.run[2] == i);
	}
	hone_pool_stop(p);
}

static void
starts_and_stops(void **state)
{
	const int core[] = {0, 0};

	(void)state;
	assert_null(hone_pool_start(0, NULL));
	assert_null(hone_pool_start(100000, NULL));
	for (int i = 0; i < 50; i++)
		hone_pool_stop(hone_pool_start(1 + i % 5, NULL));
	hone_pool_stop(hone_pool_start(3, core));
	hone_pool_stop(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_chunk_runs_once),
		cmocka_unit_test(sleepers_are_woken),
		cmocka_unit_test(join_sleeps_too),
		cmocka_unit_test(starts_and_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
