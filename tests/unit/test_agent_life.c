/* How an agent begins and ends, who may reach it, and what a client sees of its end. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/unit/agent_process.h"

static char folder[] = "/tmp/hone-test-XXXXXX", path[64];

static void
agent_start_later(Agent *a)
{
	char *argv[] = {"/bin/sh", "-c", "sleep 0.4; exec \"$0\" --socket \"$1\"",
			AGENT,     path, NULL};

	agent_run(a, argv, -1);
}

static void
usage_is_refused_by_name(void **state)
{
	static const struct {
		const char *args[ARGS_MAX];
		const char *why;
	} list[] = {
		{{"--socket", path, "--insecure-no-auth"}, "--insecure-no-auth goes with"},
		{{"--socket", path, "--role", "tune"}, "--role goes with --add-key"},
		{{"--socket", path, "--strangers", "0"}, "expected 1 to 4096"},
		{{"--add-key", "no/name", "--keys", folder}, "name 'no/name': expected"},
		{{"--add-key", "x", "--role", "admin", "--keys", folder}, "role 'admin'"},
		{{NULL}, "or --socket PATH or --stdio"},
		{{"--socket", path, "--stdio"}, "or --socket PATH or --stdio"},
		{{"--listen", "nowhere", "--insecure-no-auth"}, "expected ADDRESS:PORT"},
		{{"--listen", "host:1", "--insecure-no-auth"}, "expected a numeric address"},
		{{"--listen", "127.0.0.1:66000", "--insecure-no-auth"}, "a numeric address and"},
		{{"--socket", path, "--runner", "/nowhere"}, "/nowhere cannot be executed"},
		{{"--socket", path, "--blob-bytes", "many"}, "expected a number"},
		{{"--socket", "/nowhere/agent"}, "/nowhere: No such file"},
		{{"--socket", "/dev/null"}, "exists and is not a socket"},
		{{"--frobnicate"}, "frobnicate"},
	};
	Agent a;

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		agent_start(&a, list[i].args);
		if (!agent_says(&a, list[i].why))
			fail_msg("%zu: said '%s', expected '%s'", i, a.said, list[i].why);
		assert_in_range(agent_exit_code(&a), 2, 4);
	}
}

static void
tcp_tells_its_port_and_that_it_is_open_to_all(void **state)
{
	char *at, address[64];
	RpcClient *c;
	Agent a;

	(void)state;
	agent_start(&a, ARGS("--listen", "127.0.0.1:0", "--insecure-no-auth"));
	assert_true(agent_says(&a, "warning: no authentication"));
	assert_true(agent_says(&a, "listening on 127.0.0.1:"));
	at = strstr(strstr(a.said, "listening on"), "127.0.0.1:");
	snprintf(address, sizeof address, "%.*s", (int)strcspn(at, "\n"), at);
	assert_string_not_equal(address, "127.0.0.1:0");
	c = open_or_fail(address);
	assert_true(rpc_device(c)->insecure);
	case_works(c);
	rpc_close(c);
	kill(a.pid, SIGTERM);
	assert_int_equal(agent_exit_code(&a), 0);
}

static void
a_socket_has_one_owner(void **state)
{
	Agent a, b;
	struct stat st;
	RpcClient *c;

	(void)state;
	agent_start(&a, ARGS("--socket", path));
	assert_true(agent_says(&a, "listening on"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	agent_start(&b, ARGS("--socket", path));
	assert_true(agent_says(&b, "another server listens there"));
	assert_int_equal(agent_exit_code(&b), 4);
	agent_kill(&a); /* leaves its socket behind */
	assert_int_equal(stat(path, &st), 0);
	agent_start(&a, ARGS("--socket", path));
	assert_true(agent_says(&a, "listening on"));
	c = open_or_fail(path);
	case_works(c);
	rpc_close(c);
	kill(a.pid, SIGTERM);
	assert_int_equal(agent_exit_code(&a), 0);
	assert_int_not_equal(stat(path, &st), 0);
	assert_true(process_all_gone());
}

/* As of a killed agent that was about to start a runner. */
static void
a_socket_may_outlive_its_owner_for_a_moment(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
	pid_t holder;
	Agent a;

	(void)state;
	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 8), 0);
	holder = fork();
	if (!holder) {
		clock_sleep_ns(300 * MS_NS);
		_exit(0);
	}
	close(fd);
	agent_start(&a, ARGS("--socket", path));
	assert_true(agent_says(&a, "listening on"));
	assert_int_equal(waitpid(holder, &status, 0), holder);
	kill(a.pid, SIGTERM);
	assert_int_equal(agent_exit_code(&a), 0);
}

static void
start_at_stdin(Agent *a, int in)
{
	char *argv[] = {AGENT, "--stdio", NULL};

	agent_run(a, argv, in);
	close(in);
}

/* However early it leaves. */
static void
at_standard_input_it_ends_with_its_client(void **state)
{
	Agent a;

	(void)state;
	for (int early = 0; early < 2; early++) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		if (early)
			close(pair[0]);
		start_at_stdin(&a, pair[1]);
		assert_true(agent_says(&a, "listening on standard input"));
		if (!early)
			close(pair[0]);
		assert_int_equal(agent_exit_code(&a), 0);
	}
	start_at_stdin(&a, open("/dev/null", O_RDWR));
	assert_true(agent_says(&a, "expected pipes or connected sockets"));
	assert_int_equal(agent_exit_code(&a), 2);
}

/* A client leaves in the middle of a batch: another one is served at once. */
static void
what_a_client_leaves_behind_is_cleared(void **state)
{
	RpcClient *first, *second;
	Err e = {0};
	AgentCase k;
	Agent a;

	(void)state;
	agent_start(&a, ARGS("--socket", path));
	assert_true(agent_says(&a, "listening on"));
	first = open_or_fail(path);
	case_init(&k, first, CASE_ENDLESS);
	case_add(&k, (char *[]){"endless"})->deadline_ms = 60000;
	assert_int_equal(rpc_submit(first, &k.batch, &e), OK);
	k.batch.id++;
	assert_int_equal(rpc_submit(first, &k.batch, &e), OK);
	assert_true(process_await_child(a.pid, "hone_runner") > 0);
	rpc_close(first);
	second = open_or_fail(path);
	case_works(second);
	assert_true(process_await_no_child(a.pid, "hone_runner"));
	rpc_close(second);
	kill(a.pid, SIGTERM);
	assert_int_equal(agent_exit_code(&a), 0);
	assert_true(process_all_gone());
}

static void
a_private_agent_ends_with_its_parent(void **state)
{
	pid_t parent = fork(), agent;

	(void)state;
	if (parent == 0) {
		RpcClient *c;

		if (rpc_start_local(AGENT, &c, NULL))
			_exit(1);
		pause();
	}
	agent = process_await_child(parent, "rpc_server");
	assert_true(agent > 0);
	clock_sleep_ns(100000000);
	kill(parent, SIGKILL);
	assert_true(process_all_gone());
}

static void *
kill_later(void *pid)
{
	clock_sleep_ns(200000000);
	kill(*(pid_t *)pid, SIGKILL);
	return NULL;
}

static void
blocked_calls_return_when_the_agent_dies(void **state)
{
	RpcClient *c = case_agent();
	pid_t agent = process_child(getpid(), "rpc_server");
	char *endless[] = {"endless"};
	uint64_t began = clock_ns();
	pthread_t killer;
	RpcEvent event;
	AgentCase a;
	Err e = {0};

	(void)state;
	case_init(&a, c, CASE_ENDLESS);
	case_add(&a, endless)->deadline_ms = 60000;
	assert_int_equal(rpc_submit(c, &a.batch, &e), OK);
	assert_int_equal(rpc_wait(c, 20, &event, &e), NOT_APPLICABLE);
	assert_int_equal(pthread_create(&killer, NULL, kill_later, &agent), 0);
	assert_int_equal(rpc_wait(c, -1, &event, &e), ERR_DEVICE);
	assert_true(clock_ns() - began < (uint64_t)SOON_MS * 1000000);
	e = (Err){0};
	assert_int_equal(rpc_put_blob(c, "new", 3, NULL, &e), ERR_DEVICE);
	e = (Err){0};
	assert_int_equal(rpc_submit(c, &a.batch, &e), ERR_DEVICE);
	pthread_join(killer, NULL);
	rpc_close(c);
	assert_true(process_all_gone()); /* its runner too */
}

static void
what_cannot_be_reached_is_said(void **state)
{
	RpcClient *c;
	Err e = {0};

	(void)state;
	assert_int_equal(rpc_open("/nowhere/agent", &c, &e), ERR_DEVICE);
	assert_null(c);
	assert_non_null(strstr(e.msg, "/nowhere/agent: "));
	e = (Err){0};
	assert_int_equal(rpc_open("127.0.0.1:1", &c, &e), ERR_DEVICE);
	e = (Err){0};
	assert_int_equal(rpc_open("host.name:port", &c, &e), ERR_INPUT);
	e = (Err){0};
	assert_int_equal(rpc_open("nobody", &c, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "no device of that name"));
	e = (Err){0};
	assert_int_equal(rpc_open("ssh:-oProxyCommand=true", &c, &e), ERR_INPUT);
	e = (Err){0};
	assert_int_equal(rpc_open("exec:exit 3", &c, &e), ERR_DEVICE);
	e = (Err){0};
	assert_int_equal(rpc_start_local("/nowhere/rpc_server", &c, &e), ERR_DEVICE);
	assert_non_null(strstr(e.msg, "/nowhere/rpc_server"));
	e = (Err){0};
	assert_int_equal(rpc_start_local("/bin/false", &c, &e), ERR_DEVICE);
}

/* Private agents die and are replaced again and again; nothing is left of them. */
static void
reopening_leaks_nothing(void **state)
{
	unsigned descriptors, threads;
	RpcClient *c = case_agent();

	(void)state;
	for (int i = 0; i < 12; i++) {
		Err e = {0};

		if (i == 2) {
			descriptors = process_descriptors(getpid());
			threads = process_threads(getpid());
		}
		if (i % 3) { /* also while it lives */
			pid_t agent = process_child(getpid(), "rpc_server");

			assert_true(agent > 0);
			kill(agent, SIGKILL);
		}
		if (reopen(&c, (RpcWay){.server_path = AGENT}, 1000, &e))
			fail_msg("%s", e.msg);
		case_works(c);
	}
	assert_int_equal(process_descriptors(getpid()), descriptors);
	assert_int_equal(process_threads(getpid()), threads);
	rpc_close(c);
	assert_true(process_all_gone());
}

static void
reopening_waits_for_an_agent_to_return(void **state)
{
	unsigned descriptors = process_descriptors(getpid()), threads = process_threads(getpid());
	RpcClient *c;
	Err e = {0};
	Agent a;

	(void)state;
	agent_start(&a, ARGS("--socket", path));
	assert_true(agent_says(&a, "listening on"));
	c = open_or_fail(path);
	for (int i = 0; i < 3; i++) {
		agent_kill(&a);
		agent_start_later(&a);
		if (reopen(&c, (RpcWay){.address = path}, 10000, &e))
			fail_msg("%s", e.msg);
		case_works(c);
	}
	agent_kill(&a);
	assert_int_equal(reopen(&c, (RpcWay){.address = path}, 300, &e), ERR_DEVICE);
	assert_non_null(strstr(e.msg, "no connection for 0 s in all: "));
	assert_null(c);
	assert_int_equal(process_descriptors(getpid()), descriptors);
	assert_int_equal(process_threads(getpid()), threads);
	assert_true(process_all_gone());
}

static int
make_folder(void **state)
{
	(void)state;
	process_adopt_orphans();
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/agent", folder);
	setenv("TMPDIR", folder, 1); /* removing it fails if a private agent left a trace */
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usage_is_refused_by_name),
		cmocka_unit_test(tcp_tells_its_port_and_that_it_is_open_to_all),
		cmocka_unit_test(a_socket_has_one_owner),
		cmocka_unit_test(a_socket_may_outlive_its_owner_for_a_moment),
		cmocka_unit_test(at_standard_input_it_ends_with_its_client),
		cmocka_unit_test(what_a_client_leaves_behind_is_cleared),
		cmocka_unit_test(a_private_agent_ends_with_its_parent),
		cmocka_unit_test(blocked_calls_return_when_the_agent_dies),
		cmocka_unit_test(what_cannot_be_reached_is_said),
		cmocka_unit_test(reopening_leaks_nothing),
		cmocka_unit_test(reopening_waits_for_an_agent_to_return),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
