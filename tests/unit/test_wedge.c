/* A runner that was killed and does not end. A tracer that does not wait for its tracee keeps it
 * from its parent, which sees what a process stuck in a driver looks like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/unit/agent_process.h"

static char folder[] = "/tmp/hone-test-XXXXXX", socket_path[64], hook_path[64];

static size_t
hook_bytes(void)
{
	struct stat st;

	return stat(hook_path, &st) ? 0 : (size_t)st.st_size;
}

/* Waits until the device says that it is wedged, or is not. */
static void
await_state(bool wedged)
{
	for (int i = 0; i < 2000; i++) {
		RpcClient *c = open_or_fail(socket_path);
		bool is = *rpc_device(c)->wedged != 0;

		rpc_close(c);
		if (is == wedged)
			return;
		clock_sleep_ns(10000000);
	}
	fail_msg("it is%s wedged", wedged ? " not" : "");
}

/* The runner of the agent, traced; 0 where this may not be. */
static pid_t
hold_runner(const Agent *a)
{
	pid_t runner = process_await_child(a->pid, "hone_runner");

	assert_true(runner > 0);
	return ptrace(PTRACE_SEIZE, runner, NULL, NULL) ? 0 : runner;
}

static void
a_device_is_wedged_until_the_process_ends(void **state)
{
	static char *good[] = {"good"}, *endless[] = {"endless"};
	static AgentCase a, b;
	char command[96];
	RpcClient *c;
	Outcomes o;
	pid_t runner;
	Agent agent;
	Err e = {0};

	(void)state;
	snprintf(command, sizeof command, "echo $HONE_WEDGED_PID >>%s", hook_path);
	agent_start(&agent,
		    ARGS("--socket", socket_path, "--sandbox", "none", "--on-wedged", command));
	assert_true(agent_says(&agent, "listening on"));
	c = open_or_fail(socket_path);
	case_init(&a, c, CASE_ENDLESS);
	case_add(&a, endless)->deadline_ms = 500;
	case_add(&a, good);
	case_init(&b, c, "");
	case_add(&b, good);
	b.batch.id = 2;
	assert_int_equal(rpc_submit(c, &a.batch, &e), OK);
	runner = hold_runner(&agent);
	if (!runner) {
		print_message("no tracing here\n");
		rpc_close(c);
		agent_kill(&agent);
		skip();
	}
	assert_int_equal(rpc_submit(c, &b.batch, &e), OK);
	case_collect(&a, c, &o);
	case_expect(&o, 0, STATUS_HANG, "does not end");
	case_expect(&o, 1, STATUS_LOST, "wedged");
	outcomes_fini(&o);
	case_collect(&b, c, &o); /* waited behind it */
	case_expect(&o, 0, STATUS_LOST, "wedged");
	outcomes_fini(&o);
	b.batch.id = 3;
	assert_int_equal(rpc_submit(c, &b.batch, &e), ERR_BUSY);
	assert_non_null(strstr(e.msg, "was killed"));
	await_state(true);
	assert_true(agent_says(&agent, "wedged: process"));
	for (int i = 0; i < 500 && !hook_bytes(); i++)
		clock_sleep_ns(10000000);

	assert_int_equal(waitpid(runner, NULL, __WALL), runner); /* lets it go */
	await_state(false);
	case_run(&b, c, &o);
	case_expect(&o, 0, STATUS_OK, "");
	outcomes_fini(&o);
	rpc_close(c);
	assert_in_range(hook_bytes(), 2, 8); /* one line: it ran once */
	kill(agent.pid, SIGTERM);
	assert_int_equal(agent_exit_code(&agent), 0);
	assert_true(process_all_gone());
}

static int
setup(void **state)
{
	(void)state;
	process_adopt_orphans();
	if (!mkdtemp(folder))
		return -1;
	snprintf(socket_path, sizeof socket_path, "%s/agent", folder);
	snprintf(hook_path, sizeof hook_path, "%s/hook", folder);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(socket_path);
	unlink(hook_path);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_is_wedged_until_the_process_ends),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
