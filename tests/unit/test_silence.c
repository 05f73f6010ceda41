/* Ends that hang without closing anything: stopped processes, and those that are only busy. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/chaos_case.h"

/* An endless candidate of that deadline, under way. */
static void
run_endless(Bench *b, RpcClient *c, AgentCase *k, unsigned deadline_ms)
{
	static char *endless[] = {"endless"};
	Err e = {0};

	case_init(k, c, CASE_ENDLESS);
	case_add(k, endless)->deadline_ms = deadline_ms;
	assert_int_equal(rpc_submit(c, &k->batch, &e), OK);
	assert_true(process_await_child(b->agent.pid, "hone_runner") > 0);
}

static RpcClient *
open_direct(const Bench *b)
{
	char address[32];
	RpcWay way = {address, NULL, HEARTBEAT_MS, SILENCE_MS};
	RpcClient *c;
	Err e = {0};

	snprintf(address, sizeof address, "127.0.0.1:%u", b->port);
	if (rpc_open_way(&way, &c, &e))
		fail_msg("%s", e.msg);
	return c;
}

static void
a_stopped_agent_is_noticed(void **state)
{
	uint64_t began;
	RpcEvent event;
	AgentCase k;
	RpcClient *c;
	Bench b;
	Err e = {0};

	(void)state;
	start(&b);
	c = open_direct(&b);
	run_endless(&b, c, &k, 60000);
	kill(b.agent.pid, SIGSTOP);
	began = clock_ns();
	assert_int_equal(rpc_wait(c, -1, &event, &e), ERR_DEVICE);
	assert_non_null(strstr(e.msg, "agent is silent"));
	assert_in_range(clock_ns() - began, SILENCE_MS * 500000u, 3000000000u);
	kill(b.agent.pid, SIGCONT);
	rpc_close(c);
	nothing_is_left(&b);
	c = open_direct(&b);
	case_works(c);
	rpc_close(c);
	stop(&b);
}

/* The machine of the tuner is frozen: the agent drops the batch and serves others. */
static void
a_stopped_client_is_noticed(void **state)
{
	RpcClient *c;
	pid_t child;
	Bench b;

	(void)state;
	start(&b);
	child = fork();
	if (!child) {
		AgentCase k;

		c = open_direct(&b);
		run_endless(&b, c, &k, 60000);
		raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
	assert_true(process_await_no_child(b.agent.pid, "hone_runner"));
	c = open_direct(&b);
	case_works(c);
	rpc_close(c);
	nothing_is_left(&b);
	kill(child, SIGKILL);
	stop(&b);
}

/* The caller computes, the kernel takes long: both ends keep answering. */
static void
who_is_busy_is_not_dropped(void **state)
{
	volatile uint64_t sum = 0;
	uint64_t end;
	RpcClient *c;
	AgentCase k;
	Outcomes o;
	Bench b;

	(void)state;
	start(&b);
	c = open_direct(&b);
	run_endless(&b, c, &k, 2 * SILENCE_MS);
	for (end = clock_ns() + 2 * SILENCE_MS * 1000000ull; clock_ns() < end;)
		sum++;
	case_collect(&k, c, &o);
	case_expect(&o, 0, STATUS_HANG, "");
	outcomes_fini(&o);
	rpc_close(c);
	stop(&b);
}

/* The client's socket is one of this process: the system knows how long to wait for the other. */
static void
the_system_gives_up_too(void **state)
{
	unsigned found = 0;
	RpcClient *c;
	Bench b;

	(void)state;
	start(&b);
	c = open_direct(&b);
	for (int fd = 3; fd < 256; fd++) {
		struct sockaddr_in a = {0};
		unsigned ms = 0;
		int on = 0;
		socklen_t size = sizeof a, n = sizeof ms, m = sizeof on;

		if (getpeername(fd, (struct sockaddr *)&a, &size) || a.sin_family != AF_INET ||
		    ntohs(a.sin_port) != b.port)
			continue;
		assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &n), 0);
		assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &m), 0);
		assert_true(ms == SILENCE_MS && on);
		found++;
	}
	assert_int_equal(found, 1);
	rpc_close(c);
	stop(&b);
}

static int
adopt(void **state)
{
	(void)state;
	process_adopt_orphans();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stopped_agent_is_noticed),
		cmocka_unit_test(a_stopped_client_is_noticed),
		cmocka_unit_test(who_is_busy_is_not_dropped),
		cmocka_unit_test(the_system_gives_up_too),
	};

	return cmocka_run_group_tests(tests, adopt, NULL);
}
