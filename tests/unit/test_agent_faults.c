/* Hostile and broken kernels: each gets the row it deserves, the agent lives, and what comes after
 * it in the batch is measured. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/unit/hostile.h"
#include "tests/unit/process.h"

static char *good[] = {"good"};

/* The agent is the same before and after. */
static void
assert_agent_lives(pid_t agent)
{
	assert_int_equal(process_child(getpid(), "rpc_server"), agent);
}

static void
each_gets_its_row_and_the_rest_goes_on(void **state)
{
	RpcClient *c = case_agent();
	pid_t agent = process_child(getpid(), "rpc_server");
	unsigned descriptors = process_settled_descriptors(agent);
	Str source = {0};
	AgentCase a;
	Outcomes o;

	(void)state;
	hostile_source(&source);
	case_init(&a, c, source.s);
	for (uint32_t i = 0; i < hostiles; i++) {
		hostile_add(&a, i);
		case_add(&a, good);
	}
	case_run(&a, c, &o);
	for (uint32_t i = 0; i < hostiles; i++) {
		print_message("%-22s %s: %s\n", hostile[i].name,
			      status_name(o.result[2 * i].status), o.result[2 * i].reason);
		hostile_expect(&o, 2 * i, i);
		case_expect(&o, 2 * i + 1, STATUS_OK, "");
	}
	assert_agent_lives(agent);
	assert_true(process_await_no_child(agent, "hone_runner"));
	assert_true(process_await_descriptors(agent, descriptors));
	outcomes_fini(&o);
	str_fini(&source);
	rpc_close(c);
	assert_true(process_all_gone()); /* the children that were left behind too */
}

static void
prepare_entries_may_fail_too(void **state)
{
	RpcClient *c = case_agent();
	char *prepare[] = {"bad_prepare"};
	Str source = {0};
	AgentCase a;
	Outcomes o;

	(void)state;
	hostile_source(&source);
	case_init(&a, c, source.s);
	case_add(&a, good)->prepare.v = prepare;
	case_add(&a, good);
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_CRASH, "instruction at image+0x");
	case_expect(&o, 1, STATUS_OK, "");
	outcomes_fini(&o);
	str_fini(&source);
	rpc_close(c);
}

/* A kernel that goes bad in the middle of a race costs its own row only. */
static void
a_race_goes_on_without_the_hostile(void **state)
{
	char *late_crash[] = {"late_crash"}, *endless[] = {"endless_later"};
	RpcClient *c = case_agent();
	Str source = {0};
	AgentCase a;
	Outcomes o;

	(void)state;
	hostile_source(&source);
	str_add(&source, "KERNEL(late_crash) { static int runs; if (runs++ == 50) "
			 "*(volatile int *)16 = 1; return good(in, out, scratch, 0, 1); }\n");
	case_init(&a, c, source.s);
	case_add(&a, good);
	case_add(&a, late_crash);
	case_add(&a, endless)->deadline_ms = 300;
	case_add(&a, good);
	a.batch.measure.race_rounds = 20;
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_OK, "");
	case_expect(&o, 1, STATUS_CRASH, "SIGSEGV");
	case_expect(&o, 2, STATUS_HANG, "");
	case_expect(&o, 3, STATUS_OK, "");
	assert_int_equal(o.result[3].samples.n, 20);
	outcomes_fini(&o);
	str_fini(&source);
	rpc_close(c);
}

static void
what_is_unwritten_or_too_fast_is_found(void **state)
{
	char *gap[] = {"gap"}, *nan[] = {"nan"};
	RpcClient *c = case_agent();
	AgentCase a;
	Outcomes o;

	(void)state;
	case_init(
		&a, c,
		"KERNEL(gap) { for (int i = 0; i < N; i++) if (i != 500) Y[i] = X[i] * W[i % NW];\n"
		"  return 0; }\n"
		"KERNEL(nan) { good(in, out, scratch, 0, 1); Y[5] = __builtin_nanf(\"\");\n"
		"  return 0; }\n");
	case_add(&a, gap);
	case_add(&a, nan);
	case_add(&a, good)->floor_ns = 1e9;
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_WRONG, "element 500 of buffer 2 is nan");
	assert_true(isfinite(o.result[0].max_error)); /* else no log would take the row */
	case_expect(&o, 1, STATUS_WRONG, "element 5 of buffer 2 is nan");
	case_expect(&o, 2, STATUS_IMPLAUSIBLE, "at least 1000000000");
	outcomes_fini(&o);

	a.batch.checks.v = &a.check[1]; /* without expectations: was everything written? */
	a.batch.checks.n = 1;
	a.batch.id++;
	a.candidate[2].floor_ns = 0;
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_WRONG, "element 500 of buffer 2 is not written");
	case_expect(&o, 1, STATUS_OK, "");
	case_expect(&o, 2, STATUS_OK, "");
	outcomes_fini(&o);
	rpc_close(c);
}

/* Someone kills the runner from outside: the candidate it ran may be tried again, the rest runs. */
static void
a_killed_runner_costs_one_candidate(void **state)
{
	RpcClient *c = case_agent();
	pid_t agent = process_child(getpid(), "rpc_server");
	uint32_t lost = 0;
	AgentCase a;
	Outcomes o;
	Err e = {0};

	(void)state;
	case_init(&a, c, "");
	for (int i = 0; i < 30; i++)
		case_add(&a, good)->deadline_ms = 20000;
	a.batch.measure.max_runs = a.batch.measure.min_runs = 3000; /* 60 ms each */
	assert_int_equal(rpc_submit(c, &a.batch, &e), OK);
	for (int i = 0; i < 3; i++) {
		pid_t runner = process_await_child(agent, "hone_runner");

		assert_true(runner > 0);
		clock_sleep_ns(150000000);
		assert_int_equal(process_child(agent, "hone_runner"), runner);
		kill(runner, SIGKILL);
		while (process_child(agent, "hone_runner") == runner)
			clock_sleep_ns(1000000);
	}
	case_collect(&a, c, &o);
	for (uint32_t i = 0; i < a.batch.candidates.n; i++) {
		if (o.result[i].status == STATUS_LOST)
			lost++;
		else
			case_expect(&o, i, STATUS_OK, "");
	}
	assert_int_equal(lost, 3);
	assert_agent_lives(agent);
	outcomes_fini(&o);
	rpc_close(c);
	assert_true(process_all_gone());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_gets_its_row_and_the_rest_goes_on),
		cmocka_unit_test(prepare_entries_may_fail_too),
		cmocka_unit_test(a_race_goes_on_without_the_hostile),
		cmocka_unit_test(what_is_unwritten_or_too_fast_is_found),
		cmocka_unit_test(a_killed_runner_costs_one_candidate),
	};

	process_adopt_orphans();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
