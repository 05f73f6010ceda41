/* Pauses between attempts to get a connection back, and how long it is tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rpc_client/backoff.h"
#include "wire/pulse.h"

/* The first attempt at once, then pauses between half and all of a length that doubles; the sum of
 * outages is bounded, also of many short ones. */
static void
pauses_grow_and_end(void **state)
{
	const uint64_t total = 60 * SECOND_NS;
	uint64_t now = 7, wait = 1, length = BACKOFF_FIRST_NS, other;
	Backoff b, c;

	(void)state;
	backoff_init(&b, total, 1);
	backoff_begin(&b, now);
	assert_true(backoff_next(&b, now, &wait));
	assert_int_equal(wait, 0);
	while (backoff_left(&b, now) > BACKOFF_MOST_NS) {
		assert_true(backoff_next(&b, now, &wait));
		assert_in_range(wait, length / 2, length);
		now += wait;
		length = 2 * length < BACKOFF_MOST_NS ? 2 * length : BACKOFF_MOST_NS;
	}
	while (backoff_next(&b, now, &wait))
		now += wait;
	assert_int_equal(now, 7 + total);

	backoff_init(&b, total, 1); /* connects each time, and is lost again */
	for (now = 0; backoff_begin(&b, now), backoff_next(&b, now, &wait);) {
		now += wait;
		backoff_end(&b, now);
		now += 1000 * SECOND_NS;
	}
	assert_int_equal(backoff_left(&b, now), 0);
	backoff_reset(&b);
	backoff_begin(&b, now);
	assert_true(backoff_next(&b, now, &wait) && wait == 0);
	assert_int_equal(backoff_left(&b, now), total);

	backoff_init(&b, total, 1); /* two clients do not come back together */
	backoff_init(&c, total, 2);
	backoff_begin(&b, 0);
	backoff_begin(&c, 0);
	for (int i = 0; i < 4; i++) {
		backoff_next(&b, 0, &wait);
		backoff_next(&c, 0, &other);
	}
	assert_int_not_equal(wait, other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_grow_and_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
