/* Wall time that jumps a year at every look, here and in the agent: no deadline comes early or
 * late, no measurement changes, and a search comes to its end. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "db/log.h"
#include "tests/unit/agent_case.h"
#include "tests/unit/log_file.h"
#include "tests/unit/tune_case.h"
#include "tuner/tune.h"

static void
wall_time_jumps(void **state)
{
	time_t a = time(NULL), b = time(NULL);

	(void)state;
	assert_true(llabs((long long)(a - b)) > 300 * 24 * 3600ll);
	assert_true(clock_ns() <= clock_ns());
}

static void
deadlines_and_times_are_the_same(void **state)
{
	static char *good[] = {"good"}, *endless[] = {"endless"};
	RpcClient *c = case_agent();
	uint64_t began;
	RpcEvent ev;
	AgentCase a;
	Outcomes o;
	double s;
	Err e = {0};

	(void)state;
	case_init(&a, c, CASE_ENDLESS);
	case_add(&a, good);
	case_add(&a, endless)->deadline_ms = 500;
	case_add(&a, good);
	began = clock_ns();
	case_run(&a, c, &o);
	s = (double)(clock_ns() - began) * 1e-9;
	assert_true(s >= 0.5 && s < 30);
	case_expect(&o, 0, STATUS_OK, "");
	case_expect(&o, 1, STATUS_HANG, "within 500 ms");
	case_expect(&o, 2, STATUS_OK, "");
	assert_true(o.done.seconds >= 0.5 && o.done.seconds < 30);
	for (uint32_t i = 0; i < o.result[0].samples.n; i++)
		assert_true(o.result[0].samples.v[i] > 0 && o.result[0].samples.v[i] < 1e9);
	outcomes_fini(&o);
	began = clock_ns();
	assert_int_equal(rpc_wait(c, 300, &ev, &e), NOT_APPLICABLE);
	s = (double)(clock_ns() - began) * 1e-9;
	assert_true(s >= 0.3 && s < 10);
	rpc_close(c);
}

static char log_path[] = "/tmp/hone-test-clock-XXXXXX";

static void
a_search_comes_to_its_end(void **state)
{
	TuneOptions opt = {
		.server_path = AGENT, .log = log_path, .trials = 4, .time_limit_s = 60, .seed = 5};
	Graph *g = tune_case_product();
	TuneReport r;
	Err e = {0};

	(void)state;
	if (tune(g, &opt, &r, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(r.decided, 1);
	assert_false(r.stopped); /* the time limit was far */
	assert_int_equal(r.lost, 0);
	assert_true(r.seconds > 0 && r.seconds < 60);
	tune_report_fini(&r);
	graph_free(g);
}

static int
setup(void **state)
{
	int fd = mkstemp(log_path);

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	return fd < 0 || close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	log_file_remove(log_path);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wall_time_jumps),
		cmocka_unit_test(deadlines_and_times_are_the_same),
		cmocka_unit_test(a_search_comes_to_its_end),
	};

	(void)argc;
	if (!getenv("LD_PRELOAD")) { /* for this process and all that it starts */
		setenv("LD_PRELOAD", HONE_TEST_JUMP, 1);
		execv("/proc/self/exe", argv);
		return 1;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
