/* Session (agent) and Link (client) back to back, without sockets or clock: whole conversations
 * byte by byte, deadlines, damaged and cut streams, strangers, readers that do not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "rpc_client/link.h"
#include "wire/session.h"

typedef struct Pair {
	Session s;
	Link l;
	uint64_t now;
	size_t piece;  /* bytes moved at a time; 0 = all */
	int64_t flip;  /* byte of the client's stream to damage; -1 = none */
	int64_t cut;   /* byte after which the client's stream ends; -1 = never */
	int64_t moved; /* bytes of the client's stream so far */
	int requests;  /* that reached the agent's owner */
} Pair;

static void
pair_init(Pair *p)
{
	*p = (Pair){.now = 1000, .flip = -1, .cut = -1};
	session_init(&p->s, "agent", p->now);
	link_init(&p->l, "client", p->now);
}

static void
pair_fini(Pair *p)
{
	session_fini(&p->s);
	link_fini(&p->l);
}

/* The agent's owner: answers every request with something fixed. */
static void
serve(Pair *p)
{
	Message m;

	while (session_next(&p->s, &m, p->now)) {
		p->requests++;
		if (m.method == METHOD_DEVICE) {
			DeviceInfo d = {.name = "board", .cores = 4};

			session_reply(&p->s, &m, &d, p->now);
		} else if (m.method == METHOD_BATCH_SUBMIT) {
			Result r = {.batch = m.u.batch.id, .candidate = 5};
			BatchDone done = {.batch = m.u.batch.id};

			session_reply(&p->s, &m, NULL, p->now);
			session_event(&p->s, METHOD_RESULT, &r, p->now);
			session_event(&p->s, METHOD_BATCH_DONE, &done, p->now);
		} else {
			Err e = {0};

			err_set(&e, ERR_INPUT, "not today");
			session_refuse(&p->s, &m, &e, p->now);
		}
		message_fini(&m);
	}
}

static bool
client_to_agent(Pair *p)
{
	const uint8_t *data;
	size_t n = peer_output(&p->l.peer, &data);
	uint8_t *copy;

	if (p->piece && n > p->piece)
		n = p->piece;
	if (p->cut >= 0 && p->moved + (int64_t)n > p->cut)
		n = (size_t)(p->cut - p->moved);
	if (!n)
		return false;
	copy = malloc(n);
	memcpy(copy, data, n);
	if (p->flip >= p->moved && p->flip < p->moved + (int64_t)n)
		copy[p->flip - p->moved] ^= (uint8_t)(1 << p->flip % 8);
	p->moved += (int64_t)n;
	session_feed(&p->s, copy, n, p->now);
	free(copy);
	peer_sent(&p->l.peer, n);
	serve(p);
	return true;
}

static bool
agent_to_client(Pair *p)
{
	const uint8_t *data;
	size_t n = peer_output(&p->s.peer, &data);

	if (p->piece && n > p->piece)
		n = p->piece;
	if (!n)
		return false;
	link_feed(&p->l, data, n, p->now);
	peer_sent(&p->s.peer, n);
	return true;
}

static void
run(Pair *p)
{
	bool moved = true;

	while (moved) {
		moved = client_to_agent(p);
		moved |= agent_to_client(p);
	}
}

static void
assert_closed(Pair *p, const char *why)
{
	const char *text;

	assert_true(session_closed(&p->s, &text));
	assert_non_null(strstr(text, why));
}

/* A whole conversation; returns how much of it worked. */
static int
converse(Pair *p)
{
	Batch b = {.id = 11};
	BatchRef ref = {3};
	uint32_t device, submit, cancel;
	int done = 0;
	Message m;

	run(p);
	if (!p->l.open || link_request(&p->l, METHOD_DEVICE, NULL, p->now, &device, NULL) ||
	    link_request(&p->l, METHOD_BATCH_SUBMIT, &b, p->now, &submit, NULL) ||
	    link_request(&p->l, METHOD_BATCH_CANCEL, &ref, p->now, &cancel, NULL))
		return done;
	run(p);
	if (link_take_answer(&p->l, cancel, &m)) { /* out of order */
		done += m.kind == MESSAGE_FAILURE && !strcmp(m.u.failure.text, "not today") &&
			m.u.failure.code == -ERR_INPUT;
		message_fini(&m);
	}
	if (link_take_answer(&p->l, device, &m)) {
		done += m.kind == MESSAGE_RESPONSE && !strcmp(m.u.device.name, "board");
		message_fini(&m);
	}
	if (link_take_answer(&p->l, submit, &m)) {
		done += m.kind == MESSAGE_RESPONSE;
		message_fini(&m);
	}
	if (link_take_event(&p->l, &m)) {
		done += m.method == METHOD_RESULT && m.u.result.candidate == 5;
		message_fini(&m);
	}
	if (link_take_event(&p->l, &m)) {
		done += m.method == METHOD_BATCH_DONE && m.u.done.batch == 11;
		message_fini(&m);
	}
	done += !link_take_event(&p->l, &m);
	return done;
}

static void
a_conversation_works_in_pieces_of_any_size(void **state)
{
	(void)state;
	for (size_t piece = 0; piece < 40; piece++) {
		Pair p;

		pair_init(&p);
		p.piece = piece;
		assert_int_equal(converse(&p), 6);
		assert_int_equal(p.requests, 3);
		pair_fini(&p);
	}
}

static int64_t
conversation_bytes(void)
{
	int64_t n;
	Pair p;

	pair_init(&p);
	converse(&p);
	n = p.moved;
	pair_fini(&p);
	return n;
}

/* Each single bit of the client's stream damaged: both machines survive, and a closed session takes
 * nothing more. */
static void
damaged_streams_are_survived(void **state)
{
	int64_t n = conversation_bytes();
	int closed = 0;

	(void)state;
	for (int64_t i = 0; i < n; i++) {
		const char *why;
		int requests;
		Pair p;

		pair_init(&p);
		p.flip = i;
		converse(&p);
		if (session_closed(&p.s, &why)) {
			assert_true(why[0] != 0);
			closed++;
			requests = p.requests;
			session_feed(&p.s, "\x05\0\0\0\x94\0\1\1\x80", 9, p.now);
			serve(&p);
			assert_int_equal(p.requests, requests);
		}
		pair_fini(&p);
	}
	assert_true(closed > n / 4);
}

static void
cut_streams_end_by_deadline(void **state)
{
	int64_t n = conversation_bytes();
	uint64_t began;

	(void)state;
	for (int64_t i = 0; i < n; i++) {
		Pair p;

		pair_init(&p);
		p.cut = i;
		converse(&p);
		began = p.now;
		while (!p.s.peer.closed && p.now < began + 60 * SECOND_NS) {
			p.now = session_deadline(&p.s) - 1;
			session_tick(&p.s, p.now);
			assert_false(p.s.peer.closed);
			p.now++;
			session_tick(&p.s, p.now);
		}
		assert_closed(&p, p.s.open ? "silent" : "no HELLO");
		assert_int_equal(p.now - began,
				 p.s.open ? SILENCE_NS + PULSE_DOUBT_NS : HANDSHAKE_NS);
		pair_fini(&p);
	}
}

static void
the_handshake_deadline_cannot_be_stretched(void **state)
{
	Pair p;

	(void)state;
	pair_init(&p);
	p.piece = 1;
	for (int i = 0; i < 9; i++) { /* one byte now and then is not a sign of life */
		client_to_agent(&p);
		p.now += HANDSHAKE_NS / 8;
		session_tick(&p.s, p.now);
	}
	assert_closed(&p, "no HELLO");
	pair_fini(&p);
}

static void
heartbeats_keep_a_quiet_connection(void **state)
{
	Pair p;

	(void)state;
	pair_init(&p);
	run(&p);
	for (int i = 0; i < 1000; i++) {
		p.now += SECOND_NS;
		link_tick(&p.l, p.now);
		session_tick(&p.s, p.now);
		run(&p);
	}
	assert_false(p.s.peer.closed);
	assert_false(p.l.peer.closed);
	assert_int_equal(converse(&p), 6);
	for (int i = 0; i < 20; i++) { /* now the agent stops answering */
		p.now += SECOND_NS;
		link_tick(&p.l, p.now);
	}
	assert_true(p.l.peer.closed);
	assert_non_null(strstr(p.l.peer.why, "silent"));
	pair_fini(&p);
}

/* An agent that answers PING but nothing else is given up, with the name of what it owes; one that
 * answers in time, however often, is not. */
static void
who_lives_but_does_not_answer_is_given_up(void **state)
{
	Pair p;
	uint32_t id;

	(void)state;
	pair_init(&p);
	run(&p);
	for (int i = 0; i < 4; i++) {
		p.now += (LINK_ANSWER_S - 1) * SECOND_NS;
		p.l.peer.heard = p.now;
		assert_int_equal(converse(&p), 6);
	}
	assert_int_equal(link_request(&p.l, METHOD_DEVICE, NULL, p.now, &id, NULL), OK);
	for (int i = 0; i < LINK_ANSWER_S; i++) {
		assert_false(p.l.peer.closed);
		p.now += SECOND_NS;
		p.l.peer.heard = p.now; /* PING */
		link_tick(&p.l, p.now);
	}
	assert_true(p.l.peer.closed);
	assert_non_null(strstr(p.l.peer.why, "has not answered DEVICE for 60 s"));
	pair_fini(&p);
}

/* Either side alone keeps it alive, when the other only answers. */
static void
both_sides_say_ping(void **state)
{
	(void)state;
	for (int quiet = 0; quiet < 2; quiet++) {
		Pair p;

		pair_init(&p);
		run(&p);
		if (quiet)
			p.l.pulse.heartbeat = UINT64_MAX / 2;
		else
			p.s.pulse.heartbeat = UINT64_MAX / 2;
		for (int i = 0; i < 100; i++) {
			p.now += SECOND_NS;
			link_tick(&p.l, p.now);
			session_tick(&p.s, p.now);
			run(&p);
		}
		assert_false(p.s.peer.closed);
		assert_false(p.l.peer.closed);
		pair_fini(&p);
	}
}

/* A side that was stopped for a minute finds what the other said meanwhile before it judges. */
static void
who_was_away_does_not_blame_the_other(void **state)
{
	Pair p;

	(void)state;
	for (int agent = 0; agent < 2; agent++) {
		pair_init(&p);
		run(&p);
		p.now += 3 * SECOND_NS;
		if (agent) /* the client speaks, the agent does not get to it */
			link_tick(&p.l, p.now);
		else
			session_tick(&p.s, p.now);
		p.now += 60 * SECOND_NS;
		if (agent)
			session_tick(&p.s, p.now);
		else
			link_tick(&p.l, p.now);
		run(&p);
		p.now += PULSE_DOUBT_NS;
		session_tick(&p.s, p.now);
		assert_false(p.s.peer.closed);
		assert_false(p.l.peer.closed);
		assert_int_equal(converse(&p), 6);
		pair_fini(&p);
	}
}

static void
feed_message(Pair *p, MessageKind kind, Method method, const void *args)
{
	Bytes b = {0};

	assert_int_equal(message_encode(&b, kind, 1, method, args, NULL), OK);
	session_feed(&p->s, b.p, b.n, p->now);
	serve(p);
	bytes_fini(&b);
}

static void
strangers_get_nowhere(void **state)
{
	static const char big[] = {0, 0x40, 1, 0}, small[] = {0, 0x40, 0, 0};
	Hello old = {.version = 99, .who = "future"};
	BatchRef ref = {1};
	Pair p;

	(void)state;
	pair_init(&p);
	feed_message(&p, MESSAGE_REQUEST, METHOD_DEVICE, NULL);
	assert_closed(&p, "unexpected DEVICE");
	pair_fini(&p);

	pair_init(&p);
	feed_message(&p, MESSAGE_EVENT, METHOD_BYE, &(Bye){"x"});
	assert_closed(&p, "client left: x");
	pair_fini(&p);

	pair_init(&p);
	feed_message(&p, MESSAGE_RESPONSE, METHOD_HELLO, &old);
	assert_closed(&p, "unexpected HELLO");
	pair_fini(&p);

	pair_init(&p); /* another version is told so */
	feed_message(&p, MESSAGE_REQUEST, METHOD_HELLO, &old);
	assert_closed(&p, "version 99 to 99");
	agent_to_client(&p);
	assert_true(p.l.peer.closed);
	assert_non_null(strstr(p.l.peer.why, "1 to 2 by this agent (agent): the agent is too old"));
	assert_int_equal(p.l.refused, ERR_UNSUPPORTED);
	pair_fini(&p);

	pair_init(&p); /* 80 KiB before HELLO */
	session_feed(&p.s, small, 4, p.now);
	serve(&p);
	assert_false(p.s.peer.closed);
	pair_fini(&p);
	pair_init(&p);
	session_feed(&p.s, big, 4, p.now);
	serve(&p);
	assert_closed(&p, "at most 16384");
	pair_fini(&p);

	pair_init(&p); /* HELLO twice */
	run(&p);
	feed_message(&p, MESSAGE_REQUEST, METHOD_HELLO, &old);
	assert_closed(&p, "unexpected HELLO");
	pair_fini(&p);

	pair_init(&p); /* and after HELLO, something only an agent says */
	run(&p);
	feed_message(&p, MESSAGE_RESPONSE, METHOD_BATCH_SUBMIT, NULL);
	assert_closed(&p, "unexpected BATCH_SUBMIT");
	pair_fini(&p);
	pair_init(&p);
	run(&p);
	feed_message(&p, MESSAGE_REQUEST, METHOD_BATCH_CANCEL, &ref);
	assert_false(p.s.peer.closed);
	pair_fini(&p);
}

static void
unknown_requests_are_answered(void **state)
{
	/* [0, 9, 77, {}] */
	static const char frame[] = {5, 0, 0, 0, (char)0x94, 0, 9, 77, (char)0x80};
	const uint8_t *out;
	size_t n;
	Message m;
	Pair p;

	(void)state;
	pair_init(&p);
	run(&p);
	session_feed(&p.s, frame, sizeof frame, p.now);
	serve(&p);
	assert_false(p.s.peer.closed);
	n = peer_output(&p.s.peer, &out);
	assert_int_equal(message_decode(out + FRAME_HEAD, n - FRAME_HEAD, &scan_later, &m, NULL),
			 OK);
	assert_int_equal(m.kind, MESSAGE_FAILURE);
	assert_int_equal(m.id, 9);
	assert_string_equal(m.u.failure.text, "method 77 is not known");
	message_fini(&m);
	pair_fini(&p);
}

static void
readers_that_do_not_read_are_dropped(void **state)
{
	static double samples[10000];
	Result r = {.samples = {samples, 10000}};
	Pair p;
	int sent = 0;

	(void)state;
	pair_init(&p);
	run(&p);
	while (!p.s.peer.closed && sent < 1000) {
		session_event(&p.s, METHOD_RESULT, &r, p.now);
		sent++;
	}
	assert_closed(&p, "output is not read");
	assert_true(sent > 80 && sent < 120); /* 8 MiB at 90 kB each */
	pair_fini(&p);
}

static void
answers_nobody_asked_for_end_the_link(void **state)
{
	Bytes b = {0};
	uint32_t id;
	Pair p;

	(void)state;
	pair_init(&p);
	run(&p);
	message_encode(&b, MESSAGE_RESPONSE, 1234, METHOD_BATCH_SUBMIT, NULL, NULL);
	link_feed(&p.l, b.p, b.n, p.now);
	assert_true(p.l.peer.closed);
	pair_fini(&p);

	pair_init(&p); /* the right number, but of another kind */
	run(&p);
	b.n = 0;
	assert_int_equal(link_request(&p.l, METHOD_DEVICE, NULL, p.now, &id, NULL), OK);
	message_encode(&b, MESSAGE_RESPONSE, id, METHOD_BATCH_SUBMIT, NULL, NULL);
	link_feed(&p.l, b.p, b.n, p.now);
	assert_true(p.l.peer.closed);
	bytes_fini(&b);
	pair_fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_conversation_works_in_pieces_of_any_size),
		cmocka_unit_test(damaged_streams_are_survived),
		cmocka_unit_test(cut_streams_end_by_deadline),
		cmocka_unit_test(the_handshake_deadline_cannot_be_stretched),
		cmocka_unit_test(heartbeats_keep_a_quiet_connection),
		cmocka_unit_test(who_lives_but_does_not_answer_is_given_up),
		cmocka_unit_test(both_sides_say_ping),
		cmocka_unit_test(who_was_away_does_not_blame_the_other),
		cmocka_unit_test(strangers_get_nowhere),
		cmocka_unit_test(unknown_requests_are_answered),
		cmocka_unit_test(readers_that_do_not_read_are_dropped),
		cmocka_unit_test(answers_nobody_asked_for_end_the_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
