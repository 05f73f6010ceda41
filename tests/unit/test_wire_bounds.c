/* What decoding takes, of memory above all: frames that announce much and hold little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <msgpack.h>

#include "base/clock.h"
#include "wire/message.h"

/* --- the linker sends every allocation of the code under test here --- */

static size_t asked; /* bytes, with what an allocator adds; never less */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

static void
count(size_t n)
{
	asked += n + 16;
}

void *
__wrap_malloc(size_t n)
{
	count(n);
	return __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	count(n * size);
	return __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	count(n);
	return __real_realloc(p, n);
}

char *
__wrap_strdup(const char *s)
{
	count(strlen(s) + 1);
	return __real_strdup(s);
}

char *
__wrap_strndup(const char *s, size_t n)
{
	count(strnlen(s, n) + 1);
	return __real_strndup(s, n);
}

/* --- frames --- */

typedef void Bomb(msgpack_packer *pk, uint32_t n);

/* Of a field that is not known: small values. */
static void
unknown_values(msgpack_packer *pk, uint32_t n)
{
	msgpack_pack_map(pk, 1);
	msgpack_pack_int(pk, 99);
	msgpack_pack_array(pk, n);
	while (n--)
		msgpack_pack_int(pk, 1);
}

static void
unknown_nesting(msgpack_packer *pk, uint32_t n)
{
	msgpack_pack_map(pk, 1);
	msgpack_pack_int(pk, 99);
	msgpack_pack_array(pk, n / 8);
	for (n /= 8; n--;) {
		for (int depth = 0; depth < 7; depth++)
			msgpack_pack_array(pk, 1);
		msgpack_pack_nil(pk);
	}
}

static void
empty_candidates(msgpack_packer *pk, uint32_t n)
{
	n = n < CANDIDATES_MAX ? n : CANDIDATES_MAX;
	msgpack_pack_map(pk, 1);
	msgpack_pack_int(pk, 6);
	msgpack_pack_array(pk, n);
	while (n--)
		msgpack_pack_map(pk, 0);
}

/* Candidates with as many empty names as they may have. */
static void
empty_names(msgpack_packer *pk, uint32_t n)
{
	n = n / PHASES_MAX < CANDIDATES_MAX ? n / PHASES_MAX : CANDIDATES_MAX;
	msgpack_pack_map(pk, 1);
	msgpack_pack_int(pk, 6);
	msgpack_pack_array(pk, n);
	while (n--) {
		msgpack_pack_map(pk, 1);
		msgpack_pack_int(pk, 2);
		msgpack_pack_array(pk, PHASES_MAX);
		for (int i = 0; i < PHASES_MAX; i++)
			msgpack_pack_str_with_body(pk, "", 0);
	}
}

/* Nests of rank 0, two bytes each. */
static void
small_nests(msgpack_packer *pk, uint32_t n)
{
	uint32_t each = n / 2 / CHECKS_MAX < NESTS_MAX ? n / 2 / CHECKS_MAX : NESTS_MAX;

	msgpack_pack_map(pk, 1);
	msgpack_pack_int(pk, 5);
	msgpack_pack_array(pk, CHECKS_MAX);
	for (int k = 0; k < CHECKS_MAX; k++) {
		msgpack_pack_map(pk, 1);
		msgpack_pack_int(pk, 7);
		msgpack_pack_array(pk, each);
		for (uint32_t i = 0; i < each; i++) {
			msgpack_pack_array(pk, 1);
			msgpack_pack_int(pk, 0);
		}
	}
}

enum { MOST = 64 * 1024 };

static const struct {
	const char *name;
	Bomb *pack;
} bomb[] = {{"unknown values", unknown_values},
	    {"unknown nesting", unknown_nesting},
	    {"empty candidates", empty_candidates},
	    {"empty names", empty_names},
	    {"small nests", small_nests}};

enum { BOMBS = sizeof bomb / sizeof *bomb };

static void
make(size_t which, uint32_t n, msgpack_sbuffer *sb)
{
	msgpack_packer pk;

	msgpack_sbuffer_init(sb);
	msgpack_packer_init(&pk, sb, msgpack_sbuffer_write);
	msgpack_pack_array(&pk, 4);
	msgpack_pack_int(&pk, MESSAGE_REQUEST);
	msgpack_pack_int(&pk, 7);
	msgpack_pack_int(&pk, METHOD_BATCH_SUBMIT);
	bomb[which].pack(&pk, n);
}

/* Taken or refused: everything asked for, freed or not. */
static void
decoding_takes_little_memory(void **state)
{
	int refused = 0;

	(void)state;
	for (size_t i = 0; i < BOMBS; i++)
		for (uint32_t n = 64; n <= MOST; n *= 4) {
			msgpack_sbuffer sb;
			Message m;
			int rc;

			make(i, n, &sb);
			asked = 0;
			rc = message_decode(sb.data, sb.size, &scan_later, &m, NULL);
			if (asked > 4 * sb.size + 64 * 1024)
				fail_msg("%s, %zu bytes: %zu", bomb[i].name, sb.size, asked);
			refused += rc != OK;
			if (rc == OK)
				message_fini(&m);
			msgpack_sbuffer_destroy(&sb);
		}
	assert_in_range(refused, 1, 12);
}

/* Not judged, for machines differ. */
static void
decoding_takes_time_in_proportion(void **state)
{
	(void)state;
	for (size_t i = 0; i < BOMBS; i++)
		for (uint32_t n = MOST / 4; n <= MOST; n *= 4) {
			uint64_t best = UINT64_MAX;
			msgpack_sbuffer sb;

			make(i, n, &sb);
			for (int times = 0; times < 20; times++) {
				uint64_t began = clock_ns(), took;
				Message m;

				if (message_decode(sb.data, sb.size, &scan_later, &m, NULL) == OK)
					message_fini(&m);
				took = clock_ns() - began;
				best = took < best ? took : best;
			}
			print_message("%s, %zu bytes: %.0f us, %.1f ns a byte\n", bomb[i].name,
				      sb.size, (double)best * 1e-3, (double)best / (double)sb.size);
			msgpack_sbuffer_destroy(&sb);
		}
}

/* What one end may say, the other takes: the bound is the same when written. */
static void
what_takes_too_much_is_not_sent(void **state)
{
	static Nest nest[NESTS_MAX];
	static CheckSpec check[CHECKS_MAX];
	Batch b = {.checks = {check, 1}};
	Bytes out = {0};
	Message m;
	Err e = {0};
	int sent = 0, rc = OK;

	(void)state;
	for (int i = 0; i < CHECKS_MAX; i++) {
		check[i].nests.v = nest;
		check[i].nests.n = 64;
	}
	for (b.checks.n = 1; rc == OK && b.checks.n < CHECKS_MAX; b.checks.n++) {
		out.n = 0;
		rc = message_encode(&out, MESSAGE_REQUEST, 1, METHOD_BATCH_SUBMIT, &b, &e);
		if (rc)
			break;
		assert_int_equal(message_decode(out.p + FRAME_HEAD, out.n - FRAME_HEAD, &scan_later,
						&m, NULL),
				 OK);
		message_fini(&m);
		sent++;
	}
	assert_int_equal(rc, ERR_INPUT);
	assert_non_null(strstr(e.msg, "4 times its length"));
	assert_true(sent > 4);
	bytes_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding_takes_little_memory),
		cmocka_unit_test(decoding_takes_time_in_proportion),
		cmocka_unit_test(what_takes_too_much_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
