/* The client's end of a lease, without sockets or clock: signs of life, results that do not count,
 * agents that know no leases, words that cross on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rpc_client/link.h"

#define S SECOND_NS

typedef struct Pair {
	Session s;
	Link l;
	uint64_t now;
	int signs;   /* of life that reached the agent */
	bool refuse; /* them */
} Pair;

static void
serve(Pair *p, const Message *m)
{
	LeaseInfo held = {.state = LEASE_HELD, .lease = 77, .epoch = 5, .seconds = 30};
	Err e = {0};

	if (m->method == METHOD_LEASE_RENEW) {
		assert_int_equal(m->u.lease_ref.lease, 77);
		p->signs++;
	}
	if (m->method == METHOD_LEASE_RENEW && p->refuse) {
		err_set(&e, ERR_BUSY, "the lease is over");
		session_refuse(&p->s, m, &e, p->now);
	} else if (m->method == METHOD_LEASE_END) {
		session_reply(&p->s, m, NULL, p->now);
	} else {
		session_reply(&p->s, m, &held, p->now);
	}
}

static void
run(Pair *p)
{
	const uint8_t *data;
	Message m;
	size_t n;

	for (int i = 0; i < 4; i++) {
		n = peer_output(&p->l.peer, &data);
		session_feed(&p->s, data, n, p->now);
		peer_sent(&p->l.peer, n);
		while (session_next(&p->s, &m, p->now)) {
			serve(p, &m);
			message_fini(&m);
		}
		n = peer_output(&p->s.peer, &data);
		link_feed(&p->l, data, n, p->now);
		peer_sent(&p->s.peer, n);
	}
	assert_false(p->l.peer.closed);
}

static void
ask(Pair *p)
{
	uint32_t id;
	Message m;

	assert_int_equal(link_request(&p->l, METHOD_LEASE_ASK, &(LeaseAsk){0}, p->now, &id, NULL),
			 OK);
	run(p);
	assert_true(link_take_answer(&p->l, id, &m));
	message_fini(&m);
}

static void
init(Pair *p)
{
	*p = (Pair){.now = S};
	session_init(&p->s, "agent", p->now);
	link_init(&p->l, "client", p->now);
	run(p);
	assert_true(p->l.open);
	assert_true(p->l.capabilities & CAPABILITY_LEASES);
}

static void
fini(Pair *p)
{
	session_fini(&p->s);
	link_fini(&p->l);
}

static void
say(Pair *p, uint32_t state, uint64_t epoch)
{
	LeaseInfo i = {.state = state, .lease = 77, .epoch = epoch, .why = (char *)"why not"};

	session_event(&p->s, METHOD_LEASE, &i, p->now);
	run(p);
}

/* A result of that epoch arrives; whether it counts. */
static bool
counts(Pair *p, uint64_t epoch, bool stale)
{
	Result r = {.batch = 1, .epoch = epoch, .stale = stale};
	Message m;
	bool fine;

	session_event(&p->s, METHOD_RESULT, &r, p->now);
	run(p);
	assert_true(link_take_event(&p->l, &m));
	assert_int_equal(m.method, METHOD_RESULT);
	fine = !m.u.result.stale;
	message_fini(&m);
	return fine;
}

static void
expect_loss(Pair *p, const char *why)
{
	Message m;

	assert_true(link_take_event(&p->l, &m));
	assert_int_equal(m.method, METHOD_LEASE);
	message_fini(&m);
	assert_int_equal(p->l.hold.state, HOLD_LOST);
	assert_string_equal(p->l.hold.why, why);
}

static void
signs_of_life_go_while_the_caller_is_busy(void **state)
{
	Pair p;

	(void)state;
	init(&p);
	ask(&p);
	assert_int_equal(p.l.hold.state, HOLD_HELD);
	for (int i = 0; i < 60; i++) {
		p.now += S;
		link_tick(&p.l, p.now);
		run(&p);
	}
	assert_int_equal(p.signs, 6);
	assert_int_equal(p.l.arrivals, 0);
	fini(&p);
}

static void
late_results_do_not_count(void **state)
{
	Pair p;

	(void)state;
	init(&p);
	assert_true(counts(&p, 0, false)); /* of a client that never asked */
	assert_true(counts(&p, 3, false));
	assert_false(counts(&p, 3, true));
	ask(&p);
	assert_true(counts(&p, 5, false));
	assert_false(counts(&p, 5, true));  /* the agent says so */
	assert_false(counts(&p, 4, false)); /* from before */
	assert_false(counts(&p, 6, false));
	assert_false(counts(&p, 0, false));
	say(&p, LEASE_LOST, 5);
	expect_loss(&p, "why not");
	assert_false(counts(&p, 5, false)); /* late */
	say(&p, LEASE_WAITING, 0);
	assert_false(counts(&p, 5, false));
	assert_int_equal(p.l.arrivals, 0); /* a position is no event */
	say(&p, LEASE_HELD, 8);
	assert_false(counts(&p, 5, false)); /* replayed */
	assert_true(counts(&p, 8, false));
	fini(&p);
}

/* What came before the loss was measured under the lease, whenever the caller takes it. */
static void
results_before_a_loss_count(void **state)
{
	Result r = {.batch = 1, .epoch = 5};
	Message m;
	Pair p;

	(void)state;
	init(&p);
	ask(&p);
	session_event(&p.s, METHOD_RESULT, &r, p.now);
	say(&p, LEASE_LOST, 5);
	assert_true(link_take_event(&p.l, &m));
	assert_false(m.u.result.stale);
	message_fini(&m);
	expect_loss(&p, "why not");
	fini(&p);
}

static void
a_refused_sign_of_life_is_a_loss(void **state)
{
	Pair p;

	(void)state;
	init(&p);
	ask(&p);
	p.refuse = true;
	p.now += 12 * S;
	link_tick(&p.l, p.now);
	run(&p);
	expect_loss(&p, "the lease is over");
	p.now += 12 * S;
	link_tick(&p.l, p.now);
	run(&p);
	assert_int_equal(p.signs, 1); /* there is none to keep */
	assert_int_equal(p.l.arrivals, 0);
	fini(&p);
}

static void
words_about_a_lease_given_back_are_late(void **state)
{
	Pair p;

	(void)state;
	init(&p);
	ask(&p);
	hold_end(&p.l.hold);
	say(&p, LEASE_LOST, 5);
	say(&p, LEASE_HELD, 5);
	assert_int_equal(p.l.hold.state, HOLD_NONE);
	assert_int_equal(p.l.arrivals, 0);
	fini(&p);
}

static void
an_old_agent_is_known_by_its_hello(void **state)
{
	Pair p = {.now = S};

	(void)state;
	session_init(&p.s, "agent", p.now);
	p.s.capabilities = 0;
	link_init(&p.l, "client", p.now);
	run(&p);
	assert_true(p.l.open);
	assert_false(p.l.capabilities & CAPABILITY_LEASES);
	assert_true(counts(&p, 0, false));
	fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_of_life_go_while_the_caller_is_busy),
		cmocka_unit_test(late_results_do_not_count),
		cmocka_unit_test(results_before_a_loss_count),
		cmocka_unit_test(a_refused_sign_of_life_is_a_loss),
		cmocka_unit_test(words_about_a_lease_given_back_are_late),
		cmocka_unit_test(an_old_agent_is_known_by_its_hello),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
