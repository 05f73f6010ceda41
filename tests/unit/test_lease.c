/* Leases as a state machine, by hand and on random walks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "rpc_server/lease.h"

#define S UINT64_C(1000000000)

enum { QUEUE = 5, SECONDS = 30, GRACE = 10 };

static char owner[16]; /* connections are addresses of these */

static void
init(Leases *l)
{
	lease_init(l, QUEUE, SECONDS, GRACE * S);
}

static const Lease *
ask(Leases *l, int who, uint64_t now)
{
	static uint64_t fresh;
	char name[16];
	LeaseWish w = {.owner = &owner[who], .name = name, .who = name, .fresh = ++fresh};
	void *from;
	Lease *x;
	Err e = {0};

	snprintf(name, sizeof name, "user %d", who);
	assert_int_equal(lease_ask(l, &w, now, &x, &from, &e), OK);
	assert_null(from);
	return x;
}

/* The next change concerns that connection, NULL for one that is away. */
static LeaseChange
expect(Leases *l, uint64_t now, LeaseState state, const void *who)
{
	LeaseChange x;

	assert_true(lease_next(l, now, &x));
	assert_int_equal(x.state, state);
	assert_ptr_equal(x.lease.owner, who);
	return x;
}

static void
expect_quiet(Leases *l, uint64_t now)
{
	LeaseChange x;

	assert_false(lease_next(l, now, &x));
}

static void
one_holds_the_others_wait_in_order(void **state)
{
	LeaseChange x;
	Leases l;

	(void)state;
	init(&l);
	for (int i = 0; i < 3; i++)
		ask(&l, i, S);
	assert_null(lease_holder(&l));
	x = expect(&l, S, LEASE_HELD, &owner[0]);
	assert_int_equal(x.lease.epoch, 1);
	expect(&l, S, LEASE_WAITING, &owner[1]);
	expect(&l, S, LEASE_WAITING, &owner[2]);
	expect_quiet(&l, S);
	assert_int_equal(lease_position(&l, lease_of(&l, &owner[2])), 2);
	assert_true(lease_counts(&l, 1, S));
	lease_end(&l, &owner[0], false);
	x = expect(&l, 2 * S, LEASE_HELD, &owner[1]);
	assert_int_equal(x.lease.epoch, 2);
	assert_false(lease_counts(&l, 1, 2 * S));
	expect(&l, 2 * S, LEASE_WAITING, &owner[2]); /* moved up */
	assert_int_equal(lease_position(&l, lease_of(&l, &owner[2])), 1);
	assert_int_equal(lease_waiting(&l), 1);
	expect_quiet(&l, 2 * S);
}

static void
silence_ends_a_lease(void **state)
{
	LeaseChange x;
	Leases l;
	uint64_t id;

	(void)state;
	init(&l);
	id = ask(&l, 0, S)->id;
	expect(&l, S, LEASE_HELD, &owner[0]);
	assert_int_equal(lease_deadline(&l), S + SECONDS * S);
	assert_true(lease_renew(&l, &owner[0], id, 21 * S));
	assert_false(lease_renew(&l, &owner[0], id + 1, 21 * S));
	assert_false(lease_renew(&l, &owner[1], id, 21 * S));
	assert_int_equal(lease_deadline(&l), 21 * S + SECONDS * S);
	ask(&l, 1, 22 * S);
	expect(&l, 22 * S, LEASE_WAITING, &owner[1]);
	assert_true(lease_counts(&l, 1, 51 * S - 1));
	assert_false(lease_counts(&l, 1, 51 * S)); /* before anybody has noticed */
	assert_false(lease_renew(&l, &owner[0], id, 51 * S));
	x = expect(&l, 51 * S, LEASE_LOST, &owner[0]);
	assert_string_equal(x.why, "no sign of life for 30 s");
	x = expect(&l, 51 * S, LEASE_HELD, &owner[1]);
	assert_int_equal(x.lease.epoch, 2);
	expect_quiet(&l, 51 * S);
	assert_null(lease_of(&l, &owner[0]));
}

static int
come_back(Leases *l, int from, int to, uint64_t id, uint64_t now, const Lease **out, void **was)
{
	char name[16];
	LeaseWish w = {.owner = &owner[to],
		       .name = name,
		       .who = name,
		       .fresh = 1000 + (uint64_t)to,
		       .old = id};
	Lease *x;
	int rc;

	snprintf(name, sizeof name, "user %d", from);
	rc = lease_ask(l, &w, now, &x, was, NULL);
	*out = x;
	return rc;
}

static void
a_broken_connection_may_come_back(void **state)
{
	const Lease *x;
	uint64_t id;
	Leases l;
	void *was;

	(void)state;
	init(&l);
	id = ask(&l, 0, S)->id;
	ask(&l, 1, S);
	expect(&l, S, LEASE_HELD, &owner[0]);
	expect(&l, S, LEASE_WAITING, &owner[1]);
	lease_gone(&l, &owner[0], true, 5 * S);
	expect_quiet(&l, 5 * S);
	come_back(&l, 0, 7, id, 6 * S, &x, &was);
	assert_null(was);
	assert_int_equal(x->epoch, 1);
	assert_ptr_equal(x->owner, &owner[7]);
	assert_int_equal(x->deadline, 6 * S + SECONDS * S);
	come_back(&l, 0, 8, id, 7 * S, &x, &was); /* the old one does not know yet */
	assert_ptr_equal(was, &owner[7]);
	assert_int_equal(x->epoch, 1);
	lease_gone(&l, &owner[7], true, 8 * S);   /* no matter */
	come_back(&l, 5, 5, id, 8 * S, &x, &was); /* another's number: a lease of his own */
	assert_int_equal(x->epoch, 0);
	assert_int_equal(lease_position(&l, x), 2);
	lease_gone(&l, &owner[8], true, 9 * S);
	expect(&l, 9 * S, LEASE_WAITING, &owner[5]);
	expect_quiet(&l, 19 * S - 1);
	come_back(&l, 0, 9, id, 19 * S, &x, &was); /* too late */
	assert_int_equal(x->epoch, 0);
	assert_string_equal(expect(&l, 19 * S, LEASE_LOST, NULL).why,
			    "its connection did not come back");
	expect(&l, 19 * S, LEASE_HELD, &owner[1]);
	expect(&l, 19 * S, LEASE_WAITING, &owner[5]);
}

static void
one_that_waits_keeps_its_place_for_a_while(void **state)
{
	const Lease *x;
	uint64_t id;
	Leases l;
	void *was;

	(void)state;
	init(&l);
	ask(&l, 0, S);
	id = ask(&l, 1, S)->id;
	ask(&l, 2, S);
	expect(&l, S, LEASE_HELD, &owner[0]);
	lease_gone(&l, &owner[1], true, 2 * S);
	come_back(&l, 1, 3, id, 3 * S, &x, &was);
	assert_int_equal(lease_position(&l, x), 1);
	lease_gone(&l, &owner[3], true, 4 * S);
	lease_end(&l, &owner[0], false);
	assert_int_equal(expect(&l, 5 * S, LEASE_HELD, NULL).lease.id, id);
	assert_int_equal(lease_deadline(&l), 14 * S); /* what is left of its grace */
}

static void
kicked_is_kicked(void **state)
{
	Leases l;

	(void)state;
	init(&l);
	assert_false(lease_kick(&l, 0, true, "nobody there"));
	for (int i = 0; i < 4; i++)
		ask(&l, i, S);
	expect(&l, S, LEASE_HELD, &owner[0]);
	assert_false(lease_kick(&l, 2, false, "not yet"));
	assert_true(lease_kick(&l, 1, false, "lunch"));
	assert_false(lease_counts(&l, 1, S));
	assert_string_equal(expect(&l, S, LEASE_LOST, &owner[0]).why, "lunch");
	expect(&l, S, LEASE_HELD, &owner[1]);
	for (int i = 2; i < 4; i++)
		expect(&l, S, LEASE_WAITING, &owner[i]);
	assert_true(lease_kick(&l, 0, true, "everybody"));
	for (int i = 1; i < 4; i++)
		expect(&l, S, LEASE_LOST, &owner[i]);
	expect_quiet(&l, S);
	assert_int_equal(l.n, 0);
}

static void
nothing_begins_while_it_is_drained(void **state)
{
	uint64_t id;
	Leases l;

	(void)state;
	init(&l);
	id = ask(&l, 0, S)->id;
	expect(&l, S, LEASE_HELD, &owner[0]);
	lease_drain(&l, true);
	ask(&l, 1, S);
	expect(&l, S, LEASE_WAITING, &owner[1]);
	assert_true(lease_renew(&l, &owner[0], id, 2 * S)); /* what runs ends by itself */
	lease_end(&l, &owner[0], false);
	assert_null(lease_holder(&l));
	assert_int_equal(lease_position(&l, lease_of(&l, &owner[1])), 1);
	expect_quiet(&l, 3 * S);
	lease_drain(&l, false);
	expect(&l, 4 * S, LEASE_HELD, &owner[1]);
}

/* A client that knows no leases: held from its first batch to its last. */
static void
a_batch_takes_a_lease(void **state)
{
	LeaseWish w = {
		.owner = &owner[0], .name = "old", .who = "old", .fresh = 1, .closing = true};
	Leases l;
	Lease *x;
	void *from;

	(void)state;
	init(&l);
	assert_int_equal(lease_ask(&l, &w, S, &x, &from, NULL), OK);
	assert_int_equal(lease_ask(&l, &w, S, &x, &from, NULL), OK); /* its second batch */
	assert_int_equal(l.n, 1);
	expect(&l, S, LEASE_HELD, &owner[0]);
	assert_int_equal(lease_deadline(&l), UINT64_MAX);
	expect_quiet(&l, 1000000 * S);
	w.closing = false; /* it knows them after all */
	assert_int_equal(lease_ask(&l, &w, S, &x, &from, NULL), OK);
	assert_int_equal(x->deadline, S + SECONDS * S);
	lease_end(&l, &owner[0], true); /* a batch is left */
	assert_int_equal(lease_deadline(&l), UINT64_MAX);
	assert_true(lease_counts(&l, 1, 100 * S));
	lease_gone(&l, &owner[0], true, 101 * S);
	assert_int_equal(l.n, 0);
}

static void
the_line_is_bounded(void **state)
{
	LeaseWish w = {.owner = &owner[QUEUE + 1], .name = "one", .who = "one", .fresh = 99};
	Leases l;
	Lease *x;
	void *from;
	Err e = {0};

	(void)state;
	init(&l);
	for (int i = 0; i <= QUEUE; i++)
		ask(&l, i, S);
	assert_int_equal(lease_ask(&l, &w, S, &x, &from, &e), ERR_BUSY);
	assert_null(x);
	assert_int_equal(l.n, QUEUE + 1);
	ask(&l, QUEUE, S); /* whoever is in may ask again */
}

/* --- random walks --- */

enum { CLIENTS = 9, STEPS = 20000 };

typedef struct Walk {
	Rng r;
	Leases l;
	uint64_t now, last_epoch, holder; /* id, 0: nobody, as told */
	uint64_t line[LEASES_MAX];        /* ids that wait, in order, as they asked */
	int n;
	uint64_t id[CLIENTS], old[CLIENTS]; /* of each connection; of one that broke */
} Walk;

static void
leave_line(Walk *w, uint64_t id)
{
	for (int i = 0; i < w->n; i++)
		if (w->line[i] == id) {
			memmove(&w->line[i], &w->line[i + 1],
				(size_t)(--w->n - i) * sizeof *w->line);
			return;
		}
}

static void
forget(Walk *w, uint64_t id)
{
	leave_line(w, id);
	if (w->holder == id)
		w->holder = 0;
	for (int i = 0; i < CLIENTS; i++)
		if (w->id[i] == id)
			w->id[i] = 0;
}

static void
walk_ask(Walk *w, int c)
{
	char name[16];
	LeaseWish wish = {.owner = &owner[c],
			  .name = name,
			  .who = name,
			  .fresh = rng_next(&w->r) | 1,
			  .old = w->old[c],
			  .seconds = (uint32_t)rng_below(&w->r, 40),
			  .closing = rng_below(&w->r, 4) == 0};
	void *from;
	Lease *x;

	snprintf(name, sizeof name, "user %d", c);
	if (lease_ask(&w->l, &wish, w->now, &x, &from, NULL)) {
		assert_int_equal(w->l.n, QUEUE + 1);
		return;
	}
	if (x->id == wish.fresh)
		w->line[w->n++] = x->id;
	w->id[c] = x->id;
}

static void
walk_change(Walk *w, const LeaseChange *x)
{
	if (x->state == LEASE_LOST) {
		assert_true(*x->why);
		forget(w, x->lease.id);
	} else if (x->state == LEASE_HELD) {
		assert_int_equal(w->holder, 0); /* never two */
		assert_false(w->l.draining);
		assert_true(w->n > 0 && w->line[0] == x->lease.id); /* the first that asked */
		assert_true(x->lease.epoch > w->last_epoch);
		w->last_epoch = x->lease.epoch;
		leave_line(w, x->lease.id);
		w->holder = x->lease.id;
	}
}

static void
walk_step(Walk *w)
{
	int c = (int)rng_below(&w->r, CLIENTS);
	bool flag = rng_below(&w->r, 2);

	switch (rng_below(&w->r, 8)) {
	case 0:
	case 1: walk_ask(w, c); break;
	case 2: lease_renew(&w->l, &owner[c], w->id[c], w->now); break;
	case 3:
		if (lease_of(&w->l, &owner[c]) && !flag)
			forget(w, w->id[c]);
		lease_end(&w->l, &owner[c], flag);
		break;
	case 4:
		w->old[c] = w->id[c];
		w->id[c] = 0;
		if (lease_of(&w->l, &owner[c]) && (!flag || lease_of(&w->l, &owner[c])->closing))
			forget(w, w->old[c]);
		lease_gone(&w->l, &owner[c], flag, w->now);
		break;
	case 5:
		if (rng_below(&w->r, 8) == 0)
			lease_kick(&w->l, flag ? w->last_epoch : 0, rng_below(&w->r, 4) == 0, "x");
		break;
	case 6:
		if (rng_below(&w->r, 8) == 0)
			lease_drain(&w->l, flag);
		break;
	default: w->now += rng_below(&w->r, 8 * S); break;
	}
}

static void
walk_check(const Walk *w)
{
	const Leases *l = &w->l;

	assert_true(l->n <= QUEUE + 1);
	assert_int_equal(lease_waiting(l), w->n);
	assert_int_equal(lease_holder(l) ? lease_holder(l)->id : 0, w->holder);
	for (unsigned i = 0; i < l->n; i++) {
		assert_int_equal(l->v[i].epoch != 0, l->held && i == 0);
		if (!l->v[i].epoch)
			assert_int_equal(l->v[i].id, w->line[i - l->held]);
		for (unsigned k = 0; k < i; k++) {
			assert_int_not_equal(l->v[i].id, l->v[k].id);
			assert_true(!l->v[i].owner || l->v[i].owner != l->v[k].owner);
		}
	}
}

static void
random_walks_keep_the_rules(void **state)
{
	uint64_t grants = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		Walk w = {.now = S};
		LeaseChange x;

		rng_init(&w.r, seed);
		init(&w.l);
		for (int i = 0; i < STEPS; i++) {
			walk_step(&w);
			walk_check(&w);
			while (rng_below(&w.r, 3) && lease_next(&w.l, w.now, &x)) {
				walk_change(&w, &x);
				walk_check(&w);
			}
		}
		grants += w.last_epoch;
	}
	assert_true(grants > 2000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_holds_the_others_wait_in_order),
		cmocka_unit_test(silence_ends_a_lease),
		cmocka_unit_test(a_broken_connection_may_come_back),
		cmocka_unit_test(one_that_waits_keeps_its_place_for_a_while),
		cmocka_unit_test(kicked_is_kicked),
		cmocka_unit_test(nothing_begins_while_it_is_drained),
		cmocka_unit_test(a_batch_takes_a_lease),
		cmocka_unit_test(the_line_is_bounded),
		cmocka_unit_test(random_walks_keep_the_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
