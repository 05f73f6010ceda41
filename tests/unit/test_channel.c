/* Channels between holders of one key: however the network cuts the bytes, what goes in comes out,
 * and what was cut off, changed or invented does not. */
#include "tests/unit/channel_case.h"

static void
send_all(Pair *p, End *from, End *to, const uint8_t *data, size_t n, size_t piece)
{
	size_t at = 0;

	to->n = 0;
	while (at < n) {
		at += channel_write(from->c, data + at, n - at);
		pair_move(from, to, piece);
	}
	pair_expect(p, CHANNEL_OPEN, CHANNEL_OPEN);
	assert_int_equal(to->n, n);
	assert_memory_equal(to->plain, data, n);
}

static void
bytes_arrive_whatever_the_pieces(void **state)
{
	static const size_t piece[] = {1, 2, 7, 100, 16384, 65536};
	size_t n = 300000;
	uint8_t *data = malloc(n);
	Pair *p = *state;

	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	for (size_t i = 0; i < sizeof piece / sizeof *piece; i++) {
		pair_open(p);
		assert_int_equal(channel_write(p->client.c, "early", 5), 0);
		pair_shuttle(p, piece[i]);
		pair_expect(p, CHANNEL_OPEN, CHANNEL_OPEN);
		send_all(p, &p->client, &p->server, data, piece[i] < 100 ? 20000 : n, piece[i]);
		send_all(p, &p->server, &p->client, data, piece[i] < 100 ? 20000 : n, piece[i]);
	}
	free(data);
}

static void
the_server_knows_who_it_is(void **state)
{
	Pair *p = *state;

	for (int i = 0; i < 2; i++) {
		const Key *k = ring_at(p->ring, i);

		p->key = *k;
		pair_open(p);
		assert_null(channel_key(p->server.c));
		pair_shuttle(p, 65536);
		pair_expect(p, CHANNEL_OPEN, CHANNEL_OPEN);
		assert_string_equal(channel_key(p->server.c)->name, k->name);
		assert_int_equal(channel_key(p->server.c)->role, k->role);
		assert_string_equal(channel_claimed(p->server.c), k->name);
		assert_null(channel_key(p->client.c));
	}
}

/* What one end says until it waits for the other. */
static size_t
said_by(End *end, uint8_t *out, size_t room)
{
	const uint8_t *data;
	size_t n, at = 0;

	while ((n = channel_output(end->c, &data)) > 0) {
		assert_true(at + n <= room);
		memcpy(out + at, data, n);
		channel_sent(end->c, n);
		at += n;
	}
	return at;
}

/* The handshake's flights, cut off after every byte: neither end ever takes it for complete. */
static void
what_is_cut_off_is_never_open(void **state)
{
	uint8_t hello[4096], answer[4096];
	Pair *p = *state;
	size_t n, m;

	pair_open(p);
	n = said_by(&p->client, hello, sizeof hello);
	for (size_t cut = 0; cut < n; cut++) {
		pair_open(p);
		channel_feed(p->server.c, hello, cut, pair_take, &p->server);
		assert_int_equal(channel_state(p->server.c), CHANNEL_SHAKING);
		assert_int_equal(said_by(&p->server, answer, sizeof answer), 0);
	}
	for (size_t cut = 0;; cut++) {
		pair_open(p);
		n = said_by(&p->client, hello, sizeof hello);
		channel_feed(p->server.c, hello, n, pair_take, &p->server);
		m = said_by(&p->server, answer, sizeof answer);
		assert_int_equal(channel_state(p->server.c), CHANNEL_SHAKING);
		if (cut == m)
			break;
		channel_feed(p->client.c, answer, cut, pair_take, &p->client);
		assert_int_equal(channel_state(p->client.c), CHANNEL_SHAKING);
	}
	channel_feed(p->client.c, answer, m, pair_take, &p->client);
	assert_int_equal(channel_state(p->client.c), CHANNEL_OPEN);
	n = said_by(&p->client, hello, sizeof hello);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(channel_state(p->server.c), CHANNEL_SHAKING);
		channel_feed(p->server.c, hello + i, 1, pair_take, &p->server);
	}
	assert_int_equal(channel_state(p->server.c), CHANNEL_OPEN);
}

/* Every byte of the handshake changed, one at a time: it never completes at both ends. */
static void
what_is_changed_is_refused(void **state)
{
	Pair *p = *state;
	size_t total = 4096;

	for (size_t at = 0; at < total; at++) {
		size_t seen = 0;
		bool any = true;

		pair_open(p);
		while (any) {
			any = false;
			for (int side = 0; side < 2; side++) {
				End *from = side ? &p->server : &p->client;
				End *to = side ? &p->client : &p->server;
				uint8_t text[4096];
				size_t n = said_by(from, text, sizeof text);

				if (at >= seen && at < seen + n)
					text[at - seen] ^= 0x20;
				channel_feed(to->c, text, n, pair_take, to);
				seen += n;
				any |= n > 0;
			}
		}
		if (at >= seen) { /* that many there were */
			total = seen;
			pair_expect(p, CHANNEL_OPEN, CHANNEL_OPEN);
			assert_true(total > 300);
			break;
		}
		if (channel_state(p->server.c) == CHANNEL_OPEN &&
		    channel_state(p->client.c) == CHANNEL_OPEN)
			/* the version in a record's head is not looked at, by the standard */
			continue;
		assert_int_not_equal(channel_state(p->server.c), CHANNEL_OPEN);
	}
}

static void
a_changed_record_ends_the_channel(void **state)
{
	uint8_t text[256];
	Pair *p = *state;
	size_t n;

	for (size_t at = 5;; at++) {
		pair_open(p);
		pair_shuttle(p, 65536);
		assert_int_equal(channel_write(p->client.c, "twelve bytes", 12), 12);
		n = said_by(&p->client, text, sizeof text);
		if (at == n)
			break;
		text[at] ^= 1;
		channel_feed(p->server.c, text, n, pair_take, &p->server);
		assert_int_equal(channel_state(p->server.c), CHANNEL_FAILED);
		assert_int_equal(p->server.n, 0);
		assert_null(channel_key(p->server.c));
		assert_int_equal(channel_write(p->server.c, "x", 1), 0);
	}
	channel_feed(p->server.c, text, n, pair_take, &p->server); /* unchanged */
	assert_int_equal(p->server.n, 12);
	channel_feed(p->server.c, text, n, pair_take, &p->server); /* the same again */
	assert_int_equal(channel_state(p->server.c), CHANNEL_FAILED);
	assert_int_equal(p->server.n, 12);
}

/* An end whose peer reads nothing takes only so much. */
static void
output_is_bounded(void **state)
{
	static uint8_t zero[1 << 16];
	Pair *p = *state;
	size_t total = 0, n;

	pair_open(p);
	pair_shuttle(p, 65536);
	while ((n = channel_write(p->server.c, zero, sizeof zero)) > 0)
		total += n;
	assert_in_range(total, 1 << 14, 1 << 17);
	pair_expect(p, CHANNEL_OPEN, CHANNEL_OPEN);
	pair_shuttle(p, 65536);
	assert_int_equal(p->client.n, total);
	assert_true(channel_write(p->server.c, zero, sizeof zero) > 0);
}

static void
a_stranger_says_only_so_much(void **state)
{
	uint8_t hello[4096];
	Pair *p = *state;
	Err e = {0};
	size_t n;

	pair_open(p);
	n = said_by(&p->client, hello, sizeof hello);
	side_free(p->server_side);
	channel_free(p->server.c);
	assert_int_equal(side_accepting(p->ring, n - 1, &p->server_side, &e), OK);
	p->server.c = channel_new(p->server_side);
	for (size_t i = 0; i < n; i++)
		channel_feed(p->server.c, hello + i, 1, pair_take, &p->server);
	assert_int_equal(channel_state(p->server.c), CHANNEL_FAILED);
	assert_non_null(strstr(channel_why(p->server.c), "too many bytes"));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, pair_setup, pair_teardown)
	const struct CMUnitTest tests[] = {
		TEST(bytes_arrive_whatever_the_pieces),  TEST(the_server_knows_who_it_is),
		TEST(what_is_cut_off_is_never_open),     TEST(what_is_changed_is_refused),
		TEST(a_changed_record_ends_the_channel), TEST(output_is_bounded),
		TEST(a_stranger_says_only_so_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
