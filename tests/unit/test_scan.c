/* wire/scan: each limit at its edge, every kind of head, every truncation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "wire/scan.h"

static const ScanLimits limits = {.bytes = 4096, .depth = 4, .elements = 100, .keys = 8};

/* A frame written as a C string of bytes. */
#define SCAN(bytes) scan(bytes, sizeof(bytes) - 1, &limits)

static void
every_head_is_understood(void **state)
{
	static const struct {
		const char *p;
		size_t n;
	} good[] = {
#define G(bytes) {bytes, sizeof(bytes) - 1}
		G("\x00"), /* fixint, then nil, false, true, negative fixint */
		G("\x7f"),
		G("\xc0"),
		G("\xc2"),
		G("\xc3"),
		G("\xe0"),
		G("\xcc\xff"), /* unsigned */
		G("\xcd\xff\xff"),
		G("\xce\xff\xff\xff\xff"),
		G("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
		G("\xd0\xff"), /* signed */
		G("\xd1\xff\xff"),
		G("\xd2\xff\xff\xff\xff"),
		G("\xd3\xff\xff\xff\xff\xff\xff\xff\xff"),
		G("\xca\x3f\x80\x00\x00"), /* floats */
		G("\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"),
		G("\xa3"
		  "abc"), /* texts */
		G("\xd9\x03"
		  "abc"),
		G("\xda\x00\x03"
		  "abc"),
		G("\xdb\x00\x00\x00\x03"
		  "abc"),
		G("\xc4\x02\x80\xff"), /* binaries */
		G("\xc5\x00\x02\x80\xff"),
		G("\xc6\x00\x00\x00\x02\x80\xff"),
		G("\x92\x01\x02"), /* arrays */
		G("\xdc\x00\x02\x01\x02"),
		G("\xdd\x00\x00\x00\x02\x01\x02"),
		G("\x81\x01\x90"), /* maps */
		G("\xde\x00\x01\x01\x90"),
		G("\xdf\x00\x00\x00\x01\x01\x90"),
#undef G
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		char longer[16] = {0};

		assert_int_equal(scan(good[i].p, good[i].n, &limits), SCAN_FINE);
		for (size_t n = 0; n < good[i].n; n++) {
			char *exact = malloc(n + 1); /* so that a sanitizer sees an over-read */

			memcpy(exact, good[i].p, n);
			exact = realloc(exact, n ? n : 1);
			assert_int_equal(scan(exact, n, &limits), SCAN_TRUNCATED);
			free(exact);
		}
		memcpy(longer, good[i].p, good[i].n);
		assert_int_equal(scan(longer, good[i].n + 1, &limits), SCAN_TRAILING);
	}
}

static void
reserved_and_extension_types_are_refused(void **state)
{
	static const uint8_t bad[] = {0xc1, 0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8};

	(void)state;
	for (size_t i = 0; i < sizeof bad; i++) {
		uint8_t frame[32] = {bad[i], 1};

		assert_int_equal(scan(frame, sizeof frame, &limits), SCAN_BAD_TYPE);
	}
}

static void
depth_is_bounded(void **state)
{
	ScanLimits deep = limits;
	uint8_t bomb[4096];

	(void)state;
	assert_int_equal(SCAN("\x91\x91\x91\x91\x01"), SCAN_FINE);
	assert_int_equal(SCAN("\x91\x91\x91\x91\x91\x01"), SCAN_TOO_DEEP);
	assert_int_equal(SCAN("\x81\x01\x81\x01\x81\x01\x81\x01\x81\x01\x01"), SCAN_TOO_DEEP);
	memset(bomb, 0x91, sizeof bomb);
	assert_int_equal(scan(bomb, sizeof bomb, &limits), SCAN_TOO_DEEP);
	deep.depth = 1000; /* the hard limit holds whatever the caller asks for */
	deep.elements = 100000;
	assert_int_equal(scan(bomb, sizeof bomb, &deep), SCAN_TOO_DEEP);
}

static void
counts_are_bounded_in_total(void **state)
{
	uint8_t frame[512] = {0xdc, 0, 99};

	(void)state;
	assert_int_equal(scan(frame, 3 + 99, &limits), SCAN_FINE);
	frame[2] = 100;
	assert_int_equal(scan(frame, 3 + 100, &limits), SCAN_TOO_MANY);
	/* headers alone announce 4 billion */
	assert_int_equal(SCAN("\xdd\xff\xff\xff\xff"), SCAN_TOO_MANY);
	/* many small ones, nested: 10 x 10 */
	frame[0] = 0x9a;
	for (int i = 0; i < 10; i++) {
		frame[1 + 11 * i] = 0x9a;
		memset(frame + 2 + 11 * i, 1, 10);
	}
	assert_int_equal(scan(frame, 111, &limits), SCAN_TOO_MANY);
	assert_int_equal(SCAN("\x89\x01\x01\x02\x01\x03\x01\x04\x01\x05\x01\x06\x01\x07\x01\x08\x01"
			      "\x09\x01"),
			 SCAN_TOO_MANY_KEYS);
	assert_int_equal(SCAN("\xdf\xff\xff\xff\xff"), SCAN_TOO_MANY_KEYS);
}

static void
length_is_bounded(void **state)
{
	static uint8_t frame[8192] = {0xc5, 0x0f, 0xfd};

	(void)state;
	assert_int_equal(scan(frame, 4096, &limits), SCAN_FINE);
	assert_int_equal(scan(frame, 4097, &limits), SCAN_TOO_LONG);
	assert_int_equal(SCAN("\xc6\xff\xff\xff\xff"), SCAN_TRUNCATED);
}

static void
text_is_utf8(void **state)
{
	(void)state;
	assert_int_equal(SCAN("\xa2\xc3\xa4"), SCAN_FINE);         /* two bytes */
	assert_int_equal(SCAN("\xa3\xe2\x82\xac"), SCAN_FINE);     /* three */
	assert_int_equal(SCAN("\xa4\xf0\x9f\x98\x80"), SCAN_FINE); /* four */
	assert_int_equal(SCAN("\xa4\xf4\x8f\xbf\xbf"), SCAN_FINE); /* U+10FFFF */
	assert_int_equal(SCAN("\xa1\x80"), SCAN_BAD_TEXT);         /* continuation first */
	assert_int_equal(SCAN("\xa1\xff"), SCAN_BAD_TEXT);
	assert_int_equal(SCAN("\xa2\xc0\x80"), SCAN_BAD_TEXT); /* overlong */
	assert_int_equal(SCAN("\xa3\xe0\x80\x80"), SCAN_BAD_TEXT);
	assert_int_equal(SCAN("\xa3\xed\xa0\x80"), SCAN_BAD_TEXT);     /* surrogate */
	assert_int_equal(SCAN("\xa4\xf4\x90\x80\x80"), SCAN_BAD_TEXT); /* above U+10FFFF */
	assert_int_equal(SCAN("\xa2\xc3\x41"), SCAN_BAD_TEXT);
	assert_int_equal(SCAN("\x92\xa1\xc3\xa4"), SCAN_BAD_TEXT); /* cut in a text */
}

static void
garbage_always_gets_a_verdict(void **state)
{
	Rng r;

	(void)state;
	rng_init(&r, 7);
	for (int i = 0; i < 200000; i++) {
		size_t n = rng_below(&r, 64);
		uint8_t *p = malloc(n ? n : 1);

		for (size_t k = 0; k < n; k++)
			p[k] = (uint8_t)rng_next(&r);
		assert_true(scan(p, n, &limits) < SCAN_COUNT);
		free(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_head_is_understood),
		cmocka_unit_test(reserved_and_extension_types_are_refused),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(counts_are_bounded_in_total),
		cmocka_unit_test(length_is_bounded),
		cmocka_unit_test(text_is_utf8),
		cmocka_unit_test(garbage_always_gets_a_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
