/* Leases of a real agent: clients that wait, die, stop and are kicked; results that come too late.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/lease_case.h"

static bool
always(void *self)
{
	(void)self;
	return true;
}

static void
the_second_waits_for_the_end_of_the_first(void **state)
{
	RpcWait impatient = {.seconds = 20, .stop = always};
	char holder[128];
	Waiter second, third;
	DeviceInfo d;
	RpcClient *c;
	Err e = {0};
	Agent a;

	(void)state;
	setenv("USER", "al\x1b[2Jice", 1); /* other people see it */
	start(&a, ARGS("--lease-queue", "2"));
	c = open_or_fail(path);
	hold(c, &at_once);
	hold(c, &at_once); /* it does */
	wait_start(&second);
	await_queue(1);
	wait_start(&third);
	await_queue(2);
	d = look(holder);
	assert_int_equal(d.lease_epoch, 1);
	assert_true(!strncmp(holder, "al?[2Jice@", 10) && strstr(holder, "(user "));
	assert_false(d.draining);
	assert_int_equal(rpc_lease_end(c, &e), OK);
	wait_end(&second, "position 1, held by al?[2Jice@");
	await_queue(1);
	assert_int_equal(look(holder).lease_epoch, 2);
	expect_busy(c, "position 2 in line");
	assert_int_equal(rpc_lease(c, &impatient, &e), ERR_CANCELLED);
	await_queue(1); /* neither stayed in line */
	rpc_close(second.c);
	wait_end(&third, "position 1, held by al?[2Jice@");
	rpc_close(third.c);
	rpc_close(c);
	assert_true(agent_says(&a, "lease 3: held by al?[2Jice@"));
	stop(&a);
	setenv("USER", "alice", 1);
}

/* A process that holds the device; it ends with 0 when it is told that it lost its lease. */
static pid_t
start_holder(Agent *a)
{
	pid_t pid = fork();
	RpcEvent event;
	RpcClient *c;
	Err e = {0};

	if (pid == 0) {
		if (rpc_open(path, &c, &e) || rpc_lease(c, &at_once, &e))
			_exit(1);
		_exit(rpc_wait(c, -1, &event, &e) || event.kind != RPC_LEASE_LOST ||
		      !rpc_lease_lost(c, NULL));
	}
	assert_true(agent_says(a, "lease 1: held by"));
	return pid;
}

static void
a_holder_that_dies_is_followed_at_once(void **state)
{
	uint64_t began;
	Waiter second;
	pid_t first;
	Agent a;

	(void)state;
	start(&a, ARGS(NULL));
	first = start_holder(&a);
	wait_start(&second);
	await_queue(1);
	began = clock_ns();
	kill(first, SIGKILL);
	wait_end(&second, "position 1");
	assert_true(clock_ns() - began < 10000000000ull); /* the lease would have lasted 30 s */
	rpc_close(second.c);
	stop(&a);
}

static void
a_holder_that_stops_is_followed_in_time(void **state)
{
	int status;
	Waiter second;
	pid_t first;
	Agent a;

	(void)state;
	start(&a, ARGS("--lease-seconds", "1"));
	first = start_holder(&a);
	wait_start(&second);
	await_queue(1);
	kill(first, SIGSTOP);
	wait_end(&second, "position 1");
	assert_true(agent_says(&a, "lease 1: lost by"));
	assert_true(agent_says(&a, "no sign of life for 1 s"));
	kill(first, SIGCONT);
	assert_int_equal(waitpid(first, &status, 0), first);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0); /* it was told */
	clock_sleep_ns(1300 * 1000000ull);
	assert_false(
		rpc_lease_lost(second.c, NULL)); /* signs of life go while this thread sleeps */
	rpc_close(second.c);
	stop(&a);
}

static void
a_kicked_client_hears_why_and_may_ask_again(void **state)
{
	char why[REASON_MAX + 1], holder[128];
	RpcClient *c, *other;
	RpcEvent event;
	AgentCase k;
	Err e = {0};
	Agent a;

	(void)state;
	start(&a, ARGS(NULL));
	c = open_or_fail(path);
	other = open_or_fail(path);
	assert_int_equal(rpc_kick(other, 0, false, "", &e), ERR_INPUT);
	hold(c, &at_once);
	submit_endless(&k, c, 1);
	submit_endless(&k, c, 2);
	e = (Err){0};
	assert_int_equal(rpc_kick(other, 9, false, "", &e), ERR_INPUT); /* another's lease */
	assert_int_equal(rpc_kick(other, 1, false, "lunch", &e), OK);
	next_event(c, RPC_LEASE_LOST);
	assert_true(rpc_lease_lost(c, why));
	assert_true(!strncmp(why, "kicked by ", 10) && strstr(why, ": lunch"));
	for (uint64_t id = 1; id <= 2; id++) {
		event = next_event(c, RPC_RESULT);
		assert_int_equal(event.result.status, STATUS_CANCELLED);
		assert_int_equal(event.result.batch, id);
		assert_true(event.result.stale);
		result_fini(&event.result);
		next_event(c, RPC_BATCH_DONE);
	}
	e = (Err){0};
	assert_int_equal(rpc_submit(c, &k.batch, &e), ERR_BUSY);
	assert_non_null(strstr(e.msg, "the lease is over"));
	assert_int_equal(look(holder).lease_epoch, 0);
	hold(c, &at_once);
	case_works(c);
	assert_int_equal(look(holder).lease_epoch, 2);
	assert_true(agent_says(&a, "lease 1: lost by"));
	rpc_close(other);
	rpc_close(c);
	stop(&a);
}

static void
a_drained_device_ends_what_it_has(void **state)
{
	RpcClient *c, *old;
	Waiter second;
	AgentCase k;
	Err e = {0};
	Agent a;

	(void)state;
	start(&a, ARGS(NULL));
	c = open_or_fail(path);
	old = open_or_fail(path);
	hold(c, &at_once);
	assert_int_equal(rpc_drain(old, true, &e), OK);
	case_works(c);
	wait_start(&second);
	await_queue(1);
	assert_int_equal(rpc_lease_end(c, &e), OK);
	expect_busy(c, "being drained, nobody holds it");
	case_init(&k, old, "");
	case_add(&k, (char *[]){"good"});
	assert_int_equal(rpc_submit(old, &k.batch, &e), ERR_BUSY);
	assert_non_null(strstr(e.msg, "drained"));
	assert_int_equal(rpc_drain(c, false, NULL), OK);
	wait_end(&second, "being drained, held by");
	rpc_close(second.c);
	rpc_close(old);
	rpc_close(c);
	assert_true(agent_says(&a, "drain on by user"));
	assert_true(agent_says(&a, "drain off by user"));
	stop(&a);
}

/* --- results that come too late --- */

/* The agent stands still for longer than a lease while a kernel is timed: whatever it tells of that
 * batch afterwards is marked. */
static void
what_was_under_way_when_a_lease_ended_does_not_count(void **state)
{
	static char *good[] = {"good"};
	int results = 0;
	RpcEvent event;
	RpcClient *c;
	AgentCase k;
	Err e = {0};
	Agent a;

	(void)state;
	start(&a, ARGS("--lease-seconds", "1"));
	c = open_or_fail(path);
	case_init(&k, c, "");
	case_add(&k, good);
	case_add(&k, good);
	k.batch.measure = (MeasureSpec){.warmup = 1, .min_runs = 1, .min_time_ns = 300000000};
	hold(c, &at_once);
	if (rpc_submit(c, &k.batch, &e))
		fail_msg("%s", e.msg);
	event = next_event(c, RPC_RESULT);
	assert_false(event.result.stale);
	assert_int_equal(event.result.epoch, 1);
	result_fini(&event.result);
	kill(a.pid, SIGSTOP);
	clock_sleep_ns(1300 * 1000000ull);
	kill(a.pid, SIGCONT);
	do {
		if (rpc_wait(c, 10000, &event, &e))
			fail_msg("%s", e.msg);
		if (event.kind != RPC_RESULT)
			continue;
		assert_true(event.result.stale);
		result_fini(&event.result);
		results++;
	} while (event.kind != RPC_BATCH_DONE);
	assert_int_equal(results, 1);
	assert_true(agent_says(&a, "lease 1: lost by"));
	hold(c, &patient);
	while (rpc_wait(c, 100, &event, &e) == OK) /* the loss, if it came behind */
		assert_int_equal(event.kind, RPC_LEASE_LOST);
	case_works(c);
	rpc_close(c);
	stop(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_holder_that_dies_is_followed_at_once),
		cmocka_unit_test(a_holder_that_stops_is_followed_in_time),
		cmocka_unit_test(the_second_waits_for_the_end_of_the_first),
		cmocka_unit_test(a_kicked_client_hears_why_and_may_ask_again),
		cmocka_unit_test(a_drained_device_ends_what_it_has),
		cmocka_unit_test(what_was_under_way_when_a_lease_ended_does_not_count),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
