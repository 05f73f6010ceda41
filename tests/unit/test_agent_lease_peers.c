/* Leases between a real agent and peers of other kinds: connections that break, clients and agents
 * from before there were leases, agents without keys. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "rpc_client/link.h"
#include "tests/unit/lease_case.h"

/* As every client was before there were leases. */
static void
a_client_without_leases_is_served(void **state)
{
	static char *good[] = {"good"};
	RpcClient *old, *c;
	RpcEvent event;
	Waiter second;
	Outcomes o;
	AgentCase k;
	Err e = {0};
	Agent a;

	(void)state;
	start(&a, ARGS(NULL));
	old = open_or_fail(path);
	submit_endless(&k, old, 1);
	wait_start(&second);
	await_queue(1);
	assert_int_equal(rpc_cancel(old, 1, &e), OK);
	wait_end(&second, "position 1, held by user "); /* from its first batch to its last */
	event = next_event(old, RPC_RESULT);
	assert_false(event.result.stale);
	result_fini(&event.result);
	next_event(old, RPC_BATCH_DONE);
	case_init(&k, old, "");
	case_add(&k, good);
	assert_int_equal(rpc_submit(old, &k.batch, &e), OK);
	assert_int_equal(rpc_wait(old, 100, &event, &e), NOT_APPLICABLE); /* after the holder */
	case_works(second.c);
	c = open_or_fail(path);
	expect_busy(c, "position 2");
	assert_int_equal(rpc_lease_end(second.c, &e), OK);
	case_collect(&k, old, &o);
	case_expect(&o, 0, STATUS_OK, "");
	assert_false(o.result[0].stale);
	assert_int_equal(o.result[0].epoch, 3);
	outcomes_fini(&o);
	rpc_close(c);
	rpc_close(second.c);
	rpc_close(old);
	stop(&a);
}

/* --- connections that break --- */

/* A client that can go without a word. */
typedef struct Raw {
	int fd;
	Link l;
} Raw;

static void
raw_move(Raw *r)
{
	struct pollfd p = {.fd = r->fd, .events = POLLIN};
	const uint8_t *data;
	size_t n = peer_output(&r->l.peer, &data);
	char in[4096];
	ssize_t got;

	if (n && send(r->fd, data, n, MSG_NOSIGNAL) == (ssize_t)n)
		peer_sent(&r->l.peer, n);
	if (poll(&p, 1, 10) > 0 && (got = recv(r->fd, in, sizeof in, 0)) > 0)
		link_feed(&r->l, in, (size_t)got, clock_ns());
}

/* Connects and asks, to come back to lease id unless it is 0. */
static void
raw_ask(Raw *r, unsigned port, uint64_t id)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	LeaseAsk wish = {.lease = id};
	uint32_t answer;

	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(r->fd, (struct sockaddr *)&to, sizeof to), 0);
	link_init(&r->l, "raw", clock_ns());
	for (int i = 0; i < 500 && !r->l.open; i++)
		raw_move(r);
	assert_int_equal(link_request(&r->l, METHOD_LEASE_ASK, &wish, clock_ns(), &answer, NULL),
			 OK);
	for (int i = 0; i < 500 && r->l.hold.state == HOLD_NONE; i++)
		raw_move(r);
}

static void
raw_break(Raw *r)
{
	close(r->fd);
	link_fini(&r->l);
}

static void
a_lease_outlives_its_connection_for_a_while(void **state)
{
	char address[32];
	Raw first, again, third;
	RpcClient *c;
	uint64_t id;
	unsigned port;
	Agent a;

	(void)state;
	agent_start(&a,
		    ARGS("--listen", "127.0.0.1:0", "--insecure-no-auth", "--lease-grace", "1"));
	assert_true(agent_says(&a, "listening on 127.0.0.1:"));
	port = (unsigned)atoi(strstr(a.said, "listening on") + strlen("listening on 127.0.0.1:"));
	snprintf(address, sizeof address, "127.0.0.1:%u", port);
	raw_ask(&first, port, 0);
	assert_int_equal(first.l.hold.state, HOLD_HELD);
	id = first.l.hold.id;
	raw_break(&first);
	c = open_or_fail(address);
	expect_busy(c, "held by ");
	raw_ask(&again, port, id);
	assert_int_equal(again.l.hold.state, HOLD_HELD);
	assert_int_equal(again.l.hold.epoch, 1);
	raw_ask(&third, port, id); /* before the agent noticed that the other is gone */
	assert_int_equal(third.l.hold.epoch, 1);
	for (int i = 0; i < 500 && !again.l.peer.closed; i++)
		raw_move(&again);
	assert_non_null(strstr(again.l.peer.why, "taken over"));
	raw_break(&again);
	expect_busy(c, "held by ");
	raw_break(&third);
	hold(c, &(RpcWait){.old = id});
	assert_int_equal(rpc_lease_id(c), id);
	rpc_close(c);
	raw_ask(&first, port, 0);
	assert_int_equal(first.l.hold.epoch, 2);
	id = first.l.hold.id;
	raw_break(&first);
	c = open_or_fail(address);
	hold(c, &patient);
	assert_true(agent_says(&a, "its connection did not come back"));
	raw_ask(&first, port, id);
	assert_int_equal(first.l.hold.state, HOLD_WAITING); /* too late */
	raw_break(&first);
	rpc_close(c);
	stop(&a);
}

/* Nobody proves who he is there. */
static void
an_agent_without_keys_is_managed_by_its_user_only(void **state)
{
	char address[32];
	RpcClient *c;
	Err e = {0};
	Agent a;

	(void)state;
	agent_start(&a, ARGS("--listen", "127.0.0.1:0", "--insecure-no-auth"));
	assert_true(agent_says(&a, "listening on 127.0.0.1:"));
	snprintf(address, sizeof address, "127.0.0.1:%d",
		 atoi(strstr(a.said, "listening on") + strlen("listening on 127.0.0.1:")));
	c = open_or_fail(address);
	hold(c, &at_once);
	assert_int_equal(rpc_drain(c, true, &e), ERR_DENIED);
	e = (Err){0};
	assert_int_equal(rpc_kick(c, 0, true, "", &e), ERR_DENIED);
	assert_true(agent_says(&a, "denied 127.0.0.1:"));
	rpc_close(c);
	stop(&a);
}

/* --- an agent from before there were leases --- */

static void
old_agent(int listening)
{
	int fd = accept(listening, NULL, NULL);
	const uint8_t *out;
	const char *why;
	Session s;
	char in[4096];
	ssize_t got;
	size_t n;

	session_init(&s, "old", clock_ns());
	s.capabilities = 0;
	while (!session_closed(&s, &why) && (got = read(fd, in, sizeof in)) > 0) {
		Message m;

		session_feed(&s, in, (size_t)got, clock_ns());
		while (session_next(&s, &m, clock_ns())) {
			DeviceInfo d = {.name = (char *)"old"};
			Result r = {.batch = 1, .candidate = 1};
			Err e = {ERR_UNSUPPORTED, "not known"};

			if (m.method == METHOD_DEVICE)
				session_reply(&s, &m, &d, clock_ns());
			else if (m.method == METHOD_BATCH_SUBMIT)
				session_reply(&s, &m, NULL, clock_ns());
			else
				session_refuse(&s, &m, &e, clock_ns());
			if (m.method == METHOD_BATCH_SUBMIT)
				session_event(&s, METHOD_RESULT, &r, clock_ns());
			message_fini(&m);
		}
		n = peer_output(&s.peer, &out);
		if (n && send(fd, out, n, MSG_NOSIGNAL) != (ssize_t)n)
			break;
		peer_sent(&s.peer, n);
	}
	_exit(0);
}

static void
an_old_agent_works_without_leases(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	Batch b = {.id = 1};
	RpcEvent event;
	RpcClient *c;
	Err e = {0};
	int fd, status;
	pid_t pid;

	(void)state;
	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 1), 0);
	pid = fork();
	if (pid == 0)
		old_agent(fd);
	c = open_or_fail(path);
	hold(c, &at_once);
	assert_false(rpc_lease_lost(c, NULL));
	assert_int_equal(rpc_submit(c, &b, &e), OK);
	event = next_event(c, RPC_RESULT);
	assert_false(event.result.stale);
	result_fini(&event.result);
	assert_int_equal(rpc_drain(c, true, &e), ERR_UNSUPPORTED);
	assert_int_equal(rpc_lease_end(c, &e), OK);
	rpc_close(c);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fd);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_without_leases_is_served),
		cmocka_unit_test(a_lease_outlives_its_connection_for_a_while),
		cmocka_unit_test(an_agent_without_keys_is_managed_by_its_user_only),
		cmocka_unit_test(an_old_agent_works_without_leases),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
