/* wire: every message with random contents there and back, unknown keys, limits, damaged frames,
 * and every allocation failing in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <msgpack.h>

#include "base/rng.h"
#include "wire/message.h"
#include "wire/schema.h"

static const struct {
	MessageKind kind;
	Method method;
} all[] = {
	{MESSAGE_REQUEST, METHOD_HELLO},
	{MESSAGE_RESPONSE, METHOD_HELLO},
	{MESSAGE_REQUEST, METHOD_DEVICE},
	{MESSAGE_RESPONSE, METHOD_DEVICE},
	{MESSAGE_REQUEST, METHOD_BLOB_HAVE},
	{MESSAGE_RESPONSE, METHOD_BLOB_HAVE},
	{MESSAGE_REQUEST, METHOD_BLOB_PUT},
	{MESSAGE_RESPONSE, METHOD_BLOB_PUT},
	{MESSAGE_REQUEST, METHOD_BLOB_GET},
	{MESSAGE_RESPONSE, METHOD_BLOB_GET},
	{MESSAGE_REQUEST, METHOD_BATCH_SUBMIT},
	{MESSAGE_RESPONSE, METHOD_BATCH_SUBMIT},
	{MESSAGE_REQUEST, METHOD_BATCH_CANCEL},
	{MESSAGE_RESPONSE, METHOD_BATCH_CANCEL},
	{MESSAGE_EVENT, METHOD_RESULT},
	{MESSAGE_EVENT, METHOD_BATCH_DONE},
	{MESSAGE_REQUEST, METHOD_PING},
	{MESSAGE_RESPONSE, METHOD_PING},
	{MESSAGE_EVENT, METHOD_BYE},
	{MESSAGE_REQUEST, METHOD_LEASE_ASK},
	{MESSAGE_RESPONSE, METHOD_LEASE_ASK},
	{MESSAGE_REQUEST, METHOD_LEASE_RENEW},
	{MESSAGE_RESPONSE, METHOD_LEASE_RENEW},
	{MESSAGE_REQUEST, METHOD_LEASE_END},
	{MESSAGE_RESPONSE, METHOD_LEASE_END},
	{MESSAGE_EVENT, METHOD_LEASE},
	{MESSAGE_REQUEST, METHOD_DRAIN},
	{MESSAGE_RESPONSE, METHOD_DRAIN},
	{MESSAGE_REQUEST, METHOD_KICK},
	{MESSAGE_RESPONSE, METHOD_KICK},
	{MESSAGE_FAILURE, METHOD_BATCH_SUBMIT},
};

enum { ALL = sizeof all / sizeof *all };

/* --- allocation failure: the linker sends every allocation of the code under test here --- */

static int fail_at = -1; /* allocations until one fails; -1 = never */

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

static bool
fails_now(void)
{
	return fail_at >= 0 && fail_at-- == 0;
}

void *
__wrap_malloc(size_t n)
{
	return fails_now() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return fails_now() ? NULL : __real_realloc(p, n);
}

char *
__wrap_strdup(const char *s)
{
	return fails_now() ? NULL : __real_strdup(s);
}

char *
__wrap_strndup(const char *s, size_t n)
{
	return fails_now() ? NULL : __real_strndup(s, n);
}

/* --- random contents, and a comparison that does not use the codec --- */

static void random_struct(Rng *r, const Schema *s, void *data);

static char *
random_text(Rng *r, uint32_t limit)
{
	static const char *const piece[] = {"a", "kernel_0", "\xc3\xa4", "\xe2\x82\xac", " "};
	char *s = calloc(1, 64);

	for (uint64_t n = rng_below(r, 5); n--;) {
		const char *p = piece[rng_below(r, 5)];

		if (strlen(s) + strlen(p) <= limit)
			strcat(s, p);
	}
	return s;
}

static void
random_nest(Rng *r, Nest *n)
{
	*n = (Nest){.offset = (int64_t)rng_next(r), .rank = (uint32_t)rng_below(r, 9)};
	for (uint32_t i = 0; i < n->rank; i++) {
		n->count[i] = (int64_t)rng_next(r) >> rng_below(r, 64);
		n->stride[i] = (int64_t)rng_next(r) >> rng_below(r, 64);
	}
}

static void
random_value(Rng *r, const Field *f, void *v)
{
	uint64_t bits = rng_next(r) >> rng_below(r, 64);

	switch (f->kind) {
	case KIND_U32:
		*(uint32_t *)v = f->limit ? (uint32_t)rng_below(r, f->limit) : (uint32_t)bits;
		break;
	case KIND_U64: *(uint64_t *)v = bits; break;
	case KIND_F64: memcpy(v, &bits, 8); break;
	case KIND_BOOL: *(bool *)v = bits & 1; break;
	case KIND_TEXT: *(char **)v = random_text(r, f->limit); break;
	case KIND_DIGEST: *(Digest *)v = digest_of(&bits, 8); break;
	case KIND_BYTE: *(uint8_t *)v = (uint8_t)bits; break;
	case KIND_NEST: random_nest(r, v); break;
	default: random_struct(r, f->sub, v); break;
	}
}

static void
random_struct(Rng *r, const Schema *s, void *data)
{
	for (uint32_t i = 0; i < s->fields; i++) {
		const Field *f = &s->field[i];
		char *at = (char *)data + f->offset;
		List list;

		if (!f->list) {
			random_value(r, f, at);
			continue;
		}
		list.n = (uint32_t)rng_below(r, 4);
		list.v = list.n ? calloc(list.n, field_size(f)) : NULL;
		for (uint32_t k = 0; k < list.n; k++)
			random_value(r, f, (char *)list.v + k * field_size(f));
		memcpy(at, &list, sizeof list);
	}
}

static void assert_same(const Schema *s, const void *a, const void *b);

static void
assert_same_value(const Field *f, const void *a, const void *b)
{
	if (f->kind == KIND_TEXT)
		assert_string_equal(*(char *const *)a, *(char *const *)b);
	else if (f->kind == KIND_STRUCT)
		assert_same(f->sub, a, b);
	else if (f->kind == KIND_BOOL)
		assert_int_equal(*(const bool *)a, *(const bool *)b);
	else
		assert_memory_equal(a, b, field_size(f));
}

static void
assert_same(const Schema *s, const void *a, const void *b)
{
	for (uint32_t i = 0; i < s->fields; i++) {
		const Field *f = &s->field[i];
		const char *pa = (const char *)a + f->offset, *pb = (const char *)b + f->offset;
		List la, lb;

		if (!f->list) {
			assert_same_value(f, pa, pb);
			continue;
		}
		memcpy(&la, pa, sizeof la);
		memcpy(&lb, pb, sizeof lb);
		assert_int_equal(la.n, lb.n);
		for (uint32_t k = 0; k < la.n; k++)
			assert_same_value(f, (char *)la.v + k * field_size(f),
					  (char *)lb.v + k * field_size(f));
	}
}

static void
random_frame(Rng *r, int which, Message *m, Bytes *frame)
{
	const Schema *s = schema_of(all[which].kind, all[which].method);

	*m = (Message){.kind = all[which].kind, .method = all[which].method};
	m->id = (uint32_t)rng_next(r);
	random_struct(r, s, &m->u);
	assert_int_equal(
		message_encode(frame, all[which].kind, m->id, all[which].method, &m->u, NULL), OK);
}

static void
messages_round_trip(void **state)
{
	Rng r;

	(void)state;
	rng_init(&r, 1);
	for (int round = 0; round < 300; round++)
		for (int i = 0; i < ALL; i++) {
			Message m, back;
			Bytes b = {0};
			Err e = {0};

			random_frame(&r, i, &m, &b);
			assert_int_equal(b.p[0] | b.p[1] << 8 | b.p[2] << 16 | b.p[3] << 24,
					 b.n - FRAME_HEAD);
			assert_int_equal(message_decode(b.p + FRAME_HEAD, b.n - FRAME_HEAD,
							&scan_later, &back, &e),
					 OK);
			assert_int_equal(back.kind, m.kind);
			assert_int_equal(back.id, m.id);
			assert_int_equal(back.method, m.method);
			assert_same(schema_of(m.kind, m.method), &m.u, &back.u);
			message_fini(&m);
			message_fini(&back);
			bytes_fini(&b);
		}
}

/* [0, 7, method, args] by hand; the caller packs args. */
static void
pack_head(msgpack_sbuffer *sb, msgpack_packer *pk, int kind, int method)
{
	msgpack_sbuffer_init(sb);
	msgpack_packer_init(pk, sb, msgpack_sbuffer_write);
	msgpack_pack_array(pk, 4);
	msgpack_pack_int(pk, kind);
	msgpack_pack_int(pk, 7);
	msgpack_pack_int(pk, method);
}

static int
decode_packed(msgpack_sbuffer *sb, Message *m, Err *e)
{
	int rc = message_decode(sb->data, sb->size, &scan_later, m, e);

	msgpack_sbuffer_destroy(sb);
	return rc;
}

static void
unknown_keys_are_skipped(void **state)
{
	msgpack_sbuffer sb;
	msgpack_packer pk;
	Message m;
	Err e = {0};

	(void)state;
	pack_head(&sb, &pk, MESSAGE_REQUEST, METHOD_HELLO);
	msgpack_pack_map(&pk, 5);
	msgpack_pack_int(&pk, 99); /* a later version's field, with structure inside */
	msgpack_pack_array(&pk, 2);
	msgpack_pack_nil(&pk);
	msgpack_pack_map(&pk, 1);
	msgpack_pack_int(&pk, 1);
	msgpack_pack_int(&pk, 2);
	msgpack_pack_int(&pk, 1);
	msgpack_pack_int(&pk, 42);
	msgpack_pack_str_with_body(&pk, "version", 7); /* a text key */
	msgpack_pack_int(&pk, 43);
	msgpack_pack_int(&pk, -1);
	msgpack_pack_int(&pk, 44);
	msgpack_pack_nil(&pk);
	msgpack_pack_int(&pk, 45);
	assert_int_equal(decode_packed(&sb, &m, &e), OK);
	assert_int_equal(m.u.hello.version, 42);
	assert_string_equal(m.u.hello.who, ""); /* absent texts are never NULL */
	message_fini(&m);
}

static void
wrong_fields_are_refused_by_name(void **state)
{
	char expected[64];
	msgpack_sbuffer sb;
	msgpack_packer pk;
	Message m;
	Err e = {0};

	(void)state;
	pack_head(&sb, &pk, MESSAGE_REQUEST, METHOD_HELLO);
	msgpack_pack_map(&pk, 2);
	msgpack_pack_int(&pk, 3);
	msgpack_pack_str_with_body(&pk, "x", 1);
	msgpack_pack_int(&pk, 3);
	msgpack_pack_str_with_body(&pk, "y", 1);
	assert_int_equal(decode_packed(&sb, &m, &e), ERR_INPUT);
	assert_string_equal(e.msg, "hello: who: twice");

	pack_head(&sb, &pk, MESSAGE_EVENT, METHOD_RESULT);
	msgpack_pack_map(&pk, 1);
	msgpack_pack_int(&pk, 3);
	msgpack_pack_int(&pk, STATUS_COUNT);
	e = (Err){0};
	assert_int_equal(decode_packed(&sb, &m, &e), ERR_INPUT);
	snprintf(expected, sizeof expected, "result: status: %d is not known", STATUS_COUNT);
	assert_string_equal(e.msg, expected);

	pack_head(&sb, &pk, MESSAGE_EVENT, METHOD_RESULT);
	msgpack_pack_map(&pk, 1);
	msgpack_pack_int(&pk, 6);
	msgpack_pack_array(&pk, 1);
	msgpack_pack_int(&pk, 1);
	e = (Err){0};
	assert_int_equal(decode_packed(&sb, &m, &e), ERR_INPUT);
	assert_string_equal(e.msg, "result: samples: not a list of F64");

	pack_head(&sb, &pk, 4, METHOD_HELLO);
	msgpack_pack_map(&pk, 0);
	assert_int_equal(decode_packed(&sb, &m, NULL), ERR_INPUT);
}

static void
unknown_methods_are_not_errors(void **state)
{
	msgpack_sbuffer sb;
	msgpack_packer pk;
	Message m;

	(void)state;
	pack_head(&sb, &pk, MESSAGE_REQUEST, 77);
	msgpack_pack_map(&pk, 0);
	assert_int_equal(decode_packed(&sb, &m, NULL), NOT_APPLICABLE);
	assert_int_equal(m.method, 77);
	assert_int_equal(m.id, 7);
	pack_head(&sb, &pk, MESSAGE_EVENT, METHOD_HELLO);
	msgpack_pack_map(&pk, 0);
	assert_int_equal(decode_packed(&sb, &m, NULL), NOT_APPLICABLE);
}

/* What the limits refuse to read is also refused when written, so neither side is surprised. */
static void
limits_hold_when_encoding(void **state)
{
	static char text[1000];
	static double samples[SAMPLES_MAX + 1];
	Result r = {.reason = text};
	Bytes b = {0};
	Message m;
	Err e = {0};

	(void)state;
	memset(text, 'x', REASON_MAX);
	for (int i = 0; i <= SAMPLES_MAX; i++)
		samples[i] = 1 + i * 1e-9;
	r.samples.v = samples;
	r.samples.n = SAMPLES_MAX;
	assert_int_equal(message_encode(&b, MESSAGE_EVENT, 0, METHOD_RESULT, &r, &e), OK);
	assert_int_equal(message_decode(b.p + FRAME_HEAD, b.n - FRAME_HEAD, &scan_later, &m, &e),
			 OK);
	message_fini(&m);
	b.n = 0;
	r.samples.n++;
	assert_int_equal(message_encode(&b, MESSAGE_EVENT, 0, METHOD_RESULT, &r, &e), ERR_INPUT);
	assert_string_equal(e.msg, "result: samples: 16385, at most 16384");
	r.samples.n = 0;
	text[REASON_MAX] = 'x';
	e = (Err){0};
	assert_int_equal(message_encode(&b, MESSAGE_EVENT, 0, METHOD_RESULT, &r, &e), ERR_INPUT);
	assert_string_equal(e.msg, "result: reason: 201 bytes, at most 200");
	assert_int_equal(b.n, 0);
	bytes_fini(&b);
}

static void
broken_text_is_sent_as_question_marks(void **state)
{
	Bye bye = {"cut \xc3"};
	Bytes b = {0};
	Message m;

	(void)state;
	assert_int_equal(message_encode(&b, MESSAGE_EVENT, 0, METHOD_BYE, &bye, NULL), OK);
	assert_int_equal(message_decode(b.p + FRAME_HEAD, b.n - FRAME_HEAD, &scan_later, &m, NULL),
			 OK);
	assert_string_equal(m.u.bye.why, "cut ?");
	message_fini(&m);
	bytes_fini(&b);
}

static void
frames_above_the_limit_are_refused(void **state)
{
	static Candidate c[CANDIDATES_MAX];
	static uint8_t inlined[INLINE_MAX];
	Batch batch = {.candidates = {c, CANDIDATES_MAX}};
	Bytes b = {0};
	Err e = {0};

	(void)state;
	for (int i = 0; i < CANDIDATES_MAX; i++) {
		c[i].pool.inline_.v = inlined;
		c[i].pool.inline_.n = INLINE_MAX;
	}
	assert_int_equal(message_encode(&b, MESSAGE_REQUEST, 1, METHOD_BATCH_SUBMIT, &batch, &e),
			 ERR_INPUT);
	assert_non_null(strstr(e.msg, "at most 1048576"));
	bytes_fini(&b);
}

/* Truncations and flipped bits: an answer every time, nothing leaks, nothing is read outside. */
static void
damaged_frames_are_survived(void **state)
{
	Rng r;
	int accepted = 0;

	(void)state;
	rng_init(&r, 3);
	for (int round = 0; round < 400; round++) {
		Message m, back;
		Bytes b = {0};
		size_t n;
		uint8_t *copy;

		random_frame(&r, (int)rng_below(&r, ALL), &m, &b);
		message_fini(&m);
		n = b.n - FRAME_HEAD;
		for (size_t cut = 0; cut < n; cut += 1 + n / 50) {
			copy = malloc(cut + 1);
			memcpy(copy, b.p + FRAME_HEAD, cut);
			copy = realloc(copy, cut ? cut : 1);
			assert_int_equal(message_decode(copy, cut, &scan_later, &back, NULL),
					 ERR_INPUT);
			free(copy);
		}
		copy = malloc(n);
		for (int i = 0; i < 50; i++) {
			int rc;

			memcpy(copy, b.p + FRAME_HEAD, n);
			for (uint64_t flips = 1 + rng_below(&r, 4); flips--;)
				copy[rng_below(&r, n)] ^= (uint8_t)(1 << rng_below(&r, 8));
			rc = message_decode(copy, n, &scan_later, &back, NULL);
			if (rc == OK) {
				accepted++;
				message_fini(&back);
			}
		}
		free(copy);
		bytes_fini(&b);
	}
	assert_true(accepted > 100); /* most flips of values are harmless: both sides are tested */
}

static void
allocation_failures_are_survived(void **state)
{
	Rng r;

	(void)state;
	for (int i = 0; i < ALL; i++) {
		bool encoded = false, decoded = false;
		Message m, back;
		Bytes b = {0}, twice = {0};

		rng_init(&r, 20 + (uint64_t)i);
		random_frame(&r, i, &m, &b);
		for (int at = 0; !encoded; at++) {
			fail_at = at;
			encoded = message_encode(&twice, all[i].kind, m.id, all[i].method, &m.u,
						 NULL) == OK;
			fail_at = -1;
			if (!encoded)
				assert_int_equal(twice.n, 0);
		}
		assert_int_equal(twice.n, b.n);
		for (int at = 0; !decoded; at++) {
			int rc;

			fail_at = at;
			rc = message_decode(b.p + FRAME_HEAD, b.n - FRAME_HEAD, &scan_later, &back,
					    NULL);
			fail_at = -1;
			decoded = rc == OK;
			assert_true(decoded || rc == ERR_NOMEM);
		}
		message_fini(&back);
		message_fini(&m);
		bytes_fini(&b);
		bytes_fini(&twice);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_round_trip),
		cmocka_unit_test(unknown_keys_are_skipped),
		cmocka_unit_test(wrong_fields_are_refused_by_name),
		cmocka_unit_test(unknown_methods_are_not_errors),
		cmocka_unit_test(limits_hold_when_encoding),
		cmocka_unit_test(broken_text_is_sent_as_question_marks),
		cmocka_unit_test(frames_above_the_limit_are_refused),
		cmocka_unit_test(damaged_frames_are_survived),
		cmocka_unit_test(allocation_failures_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
