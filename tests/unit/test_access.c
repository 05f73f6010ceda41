/* Who may use a real agent, over real sockets, and what it says of those who may not. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/median.h"
#include "base/str.h"
#include "rpc_client/lease.h"
#include "rpc_client/registry.h"
#include "tests/unit/agent_process.h"
#include "trust/ring.h"

static char folder[32], keys[64], address[64];

/* An agent with keys on a port of its own; address is set. more: options, NULL at the end. */
static void
start(Agent *a, const char *const more[])
{
	const char *args[ARGS_MAX] = {"--listen", "127.0.0.1:0", "--keys", keys};
	const char *at;
	int n = 4;

	while (*more)
		args[n++] = *more++;
	agent_start(a, args);
	assert_true(agent_says(a, "listening on 127.0.0.1:"));
	at = strstr(a->said, "listening on ") + strlen("listening on ");
	snprintf(address, sizeof address, "%.*s", (int)strcspn(at, "\n"), at);
}

static void
stop(Agent *a)
{
	kill(a->pid, SIGTERM);
	assert_int_equal(agent_exit_code(a), 0);
	assert_true(process_all_gone());
}

static void
key_path(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s.key", keys, name);
}

static void
add_key(const char *name, KeyRole role)
{
	Err e = {0};
	Ring *r;

	assert_int_equal(ring_open(keys, &r, &e), OK);
	if (ring_add(r, name, role, &e))
		fail_msg("%s", e.msg);
	ring_close(r);
}

/* The workstation knows the agent under the key's name. */
static void
know(const char *name, Key *changed)
{
	KnownDevice d = {.keyed = true};
	char path[128];
	Err e = {0};

	key_path(name, path);
	snprintf(d.name, sizeof d.name, "%s", name);
	snprintf(d.address, sizeof d.address, "%s", address);
	if (changed)
		d.key = *changed;
	else if (key_read(path, &d.key, &e))
		fail_msg("%s", e.msg);
	if (registry_add(&d, true, &e))
		fail_msg("%s", e.msg);
}

static void
expect_open(const char *name, int rc, const char *text)
{
	RpcClient *c;
	Err e = {0};
	int got = rpc_open(name, &c, &e);

	if (got != rc || (rc && !strstr(e.msg, text)))
		fail_msg("%s: %d '%s', expected %d '%s'", name, got, e.msg, rc, text);
	rpc_close(c);
}

static void
the_first_start_makes_a_key_that_works(void **state)
{
	char path[128];
	struct stat st;
	RpcClient *c;
	Agent a;

	(void)state;
	start(&a, ARGS(NULL));
	key_path("default", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(agent_says(&a, "hone device add NAME 127.0.0.1:"));
	know("default", NULL);
	c = open_or_fail("default");
	case_works(c);
	assert_false(rpc_device(c)->insecure);
	assert_string_equal(rpc_device(c)->role, "tune");
	assert_string_equal(rpc_device(c)->holder, "");
	assert_true(agent_says(&a, "accepted 127.0.0.1:"));
	rpc_close(c);
	stop(&a);
	start(&a, ARGS(NULL)); /* again: the same key */
	know("default", NULL);
	expect_open("default", OK, "");
	stop(&a);
}

static void
others_see_who_holds_it(void **state)
{
	char *endless[] = {"endless"};
	RpcClient *c, *d;
	AgentCase k;
	Err e = {0};
	Agent a;

	(void)state;
	start(&a, ARGS(NULL));
	know("default", NULL);
	c = open_or_fail("default");
	case_init(&k, c, CASE_ENDLESS);
	case_add(&k, endless)->deadline_ms = 60000;
	assert_int_equal(rpc_submit(c, &k.batch, &e), OK);
	k.batch.id++;
	assert_int_equal(rpc_submit(c, &k.batch, &e), OK);
	d = open_or_fail("default");
	assert_string_equal(rpc_device(d)->holder, "default");
	assert_int_equal(rpc_device(d)->waiting, 1);
	rpc_close(d);
	rpc_close(c);
	stop(&a);
}

static void
a_reader_may_only_look(void **state)
{
	Batch empty = {.id = 1, .runner = (char *)"null"};
	Calibration found;
	Digest none = {{1}};
	RpcClient *c;
	void *data;
	size_t size;
	Agent a;

	(void)state;
	add_key("looker", KEY_READ_ONLY);
	start(&a, ARGS(NULL));
	know("looker", NULL);
	c = open_or_fail("looker");
	assert_string_equal(rpc_device(c)->role, "read-only");
	for (int i = 0; i < 8; i++) {
		Err e = {0};
		int rc = i == 0   ? rpc_put_blob(c, "x", 1, NULL, &e)
			 : i == 1 ? rpc_get_blob(c, &none, &data, &size, &e)
			 : i == 2 ? rpc_submit(c, &empty, &e)
			 : i == 3 ? rpc_cancel(c, 1, &e)
			 : i == 4 ? rpc_lease(c, &(RpcWait){0}, &e)
			 : i == 5 ? rpc_drain(c, true, &e)
			 : i == 6 ? rpc_kick(c, 0, true, "", &e)
				  : rpc_calibrate(c, NULL, NULL, &found, &e);

		assert_int_equal(rc, ERR_DENIED);
		assert_non_null(strstr(e.msg, "key 'looker' is read-only"));
	}
	assert_true(agent_says(&a, "denied 127.0.0.1:"));
	rpc_close(c);
	stop(&a);
}

static void
deleting_a_key_ends_its_connections(void **state)
{
	char *endless[] = {"endless"}, path[128];
	uint64_t began;
	RpcClient *c, *other;
	RpcEvent event;
	AgentCase k;
	Err e = {0};
	Agent a;

	(void)state;
	start(&a, ARGS(NULL));
	know("default", NULL);
	add_key("visitor", KEY_TUNE); /* while it runs: works at once */
	know("visitor", NULL);
	other = open_or_fail("default");
	c = open_or_fail("visitor");
	case_init(&k, c, CASE_ENDLESS);
	case_add(&k, endless)->deadline_ms = 60000;
	assert_int_equal(rpc_submit(c, &k.batch, &e), OK);
	key_path("visitor", path);
	began = clock_ns();
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rpc_wait(c, -1, &event, &e), ERR_DEVICE);
	assert_true(clock_ns() - began < 20000000000u);
	assert_non_null(strstr(e.msg, "revoked"));
	rpc_close(c);
	expect_open("visitor", ERR_DENIED, "the key was refused");
	assert_true(agent_says(&a, "key 'visitor' revoked"));
	assert_true(agent_says(&a, "key 'visitor': unknown key"));
	case_works(other); /* who has another one is not disturbed */
	rpc_close(other);
	stop(&a);
}

static void
refusals_are_named_and_noted(void **state)
{
	char path[128];
	Err e = {0};
	Agent a, open;
	Key k;

	(void)state;
	start(&a, ARGS("--handshake-ms", "300"));
	key_path("default", path);
	assert_int_equal(key_read(path, &k, &e), OK);
	k.secret[7] ^= 1;
	know("default", &k);
	expect_open("default", ERR_DENIED, "the key was refused");
	assert_true(agent_says(&a, "key 'default': wrong secret"));
	expect_open(address, ERR_DEVICE, "if it wants a key");
	assert_true(agent_says(&a, "it does not speak TLS"));

	agent_start(&open, ARGS("--listen", "127.0.0.1:0", "--insecure-no-auth"));
	assert_true(agent_says(&open, "listening on "));
	k.secret[7] ^= 1;
	snprintf(address, sizeof address, "%.*s",
		 (int)strcspn(strstr(open.said, "listening on ") + 13, "\n"),
		 strstr(open.said, "listening on ") + 13);
	know("default", &k);
	expect_open("default", ERR_DENIED, "does not speak TLS");
	agent_kill(&open);
	stop(&a);
}

static int
knock(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

static unsigned
count_lines(const char *text, const char *word)
{
	unsigned n = 0;

	while ((text = strstr(text, word))) {
		n++;
		text += strlen(word);
	}
	return n;
}

/* Wrong in every byte of the secret, and other languages: each is refused, and each has its line.
 */
static void
every_refusal_has_its_line(void **state)
{
	static const char *const said[] = {"GET / HTTP/1.1\r\n\r\n",   "SSH-2.0-client\r\n",
					   "\x10\x20\x30\x40\x50\x60", "\x80\x2e\1\3\1",
					   "EHLO board\r\n",           "\x16\3\1\xff\xff\1"};
	char path[128];
	Err e = {0};
	Agent a;
	Key k;

	(void)state;
	start(&a, ARGS("--handshake-ms", "200"));
	key_path("default", path);
	assert_int_equal(key_read(path, &k, &e), OK);
	for (int i = 0; i < KEY_BYTES; i++) {
		k.secret[i] ^= 0x80;
		know("default", &k);
		expect_open("default", ERR_DENIED, "the key was refused");
		k.secret[i] ^= 0x80;
	}
	for (int i = 0; i < KEY_BYTES; i++) {
		const char *text = said[i % 6];
		int fd = knock();
		char end;

		assert_true(send(fd, text, strlen(text), MSG_NOSIGNAL) > 0);
		while (read(fd, &end, 1) > 0) { /* an alert, at most */
		}
		close(fd);
	}
	assert_true(agent_says(&a, "refused"));
	stop(&a);
	assert_int_equal(count_lines(a.said, " refused 127.0.0.1:"), 2 * KEY_BYTES);
	assert_int_equal(count_lines(a.said, "wrong secret"), KEY_BYTES);
	assert_int_equal(count_lines(a.said, " accepted "), 0);
}

/* Connections that say nothing, far more than there is room for, and new ones all the time: a key
 * holder gets in all the same, and they are gone when their time is over. HONE_HONEST: so many
 * handshakes, at least 100. */
static void
silence_keeps_nobody_out(void **state)
{
	enum { SILENT = 1000, FRESH = 10, HONEST = 100, HONEST_MAX = 10000 };
	const char *wanted = getenv("HONE_HONEST");
	int honest = wanted ? atoi(wanted) : HONEST, oldest = 0;
	struct rlimit files = {4096, 4096};
	static double ms[HONEST_MAX];
	static int fd[SILENT];
	unsigned before;
	RpcClient *c;
	Agent a;

	(void)state;
	if (setrlimit(RLIMIT_NOFILE, &files))
		skip();
	assert_in_range(honest, HONEST, HONEST_MAX);
	start(&a, ARGS("--handshake-ms", "2000", "--notes-per-minute", "50"));
	before = process_settled_descriptors(a.pid);
	know("default", NULL);
	expect_open("default", OK, "");
	for (int i = 0; i < SILENT; i++)
		fd[i] = knock();
	for (int i = 0; i < honest; i++) {
		uint64_t began;

		for (int k = 0; k < FRESH; k++, oldest = (oldest + 1) % SILENT) {
			close(fd[oldest]);
			fd[oldest] = knock();
		}
		began = clock_ns();
		expect_open("default", OK, "");
		ms[i] = (double)(clock_ns() - began) * 1e-6;
	}
	qsort(ms, (size_t)honest, sizeof *ms, by_double);
	print_message("%d silent, %d honest: median %.1f ms, p99 %.1f ms, worst %.1f ms\n", SILENT,
		      honest, ms[honest / 2], ms[honest * 99 / 100], ms[honest - 1]);
	assert_true(ms[honest * 99 / 100] < 1000);
	c = open_or_fail("default");
	case_works(c);
	assert_true(process_descriptors(a.pid) < before + 128);
	rpc_close(c);
	assert_true(process_await_descriptors(a.pid, before));
	for (int i = 0; i < SILENT; i++)
		close(fd[i]);
	stop(&a);
	assert_true(strlen(a.said) < 50 * 120);
}

/* One byte now and then does not buy time: the deadline is for the whole handshake. */
static void
dripping_bytes_buy_no_time(void **state)
{
	uint64_t began;
	char end;
	int fd;
	Agent a;

	(void)state;
	start(&a, ARGS("--handshake-ms", "500"));
	fd = knock();
	began = clock_ns();
	for (int i = 0; i < 100; i++) {
		char byte = i == 0 ? 0x16 : i == 1 ? 3 : 1;
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (send(fd, &byte, 1, MSG_NOSIGNAL) < 0 || poll(&p, 1, 50))
			break;
	}
	assert_in_range(clock_ns() - began, 300000000u, 2000000000u);
	assert_true(read(fd, &end, 1) <= 0); /* not a byte for strangers */
	close(fd);
	assert_true(agent_says(&a, "no HELLO in time"));
	stop(&a);
}

/* Its notes go to a pipe that is full and not read. */
static void
notes_that_nobody_reads_stop_nobody(void **state)
{
	enum { STRANGERS = 200 };
	Agent a;

	(void)state;
	start(&a, ARGS("--notes-per-minute", "1000000"));
	know("default", NULL);
	assert_true(fcntl(a.out, F_SETPIPE_SZ, 4096) >= 4096);
	for (int i = 0; i < STRANGERS; i++)
		close(knock());
	for (int i = 0; i < 10; i++)
		expect_open("default", OK, "");
	agent_kill(&a);
}

static void
keys_that_are_not_private_stop_the_start(void **state)
{
	char path[128];
	Agent a;

	(void)state;
	add_key("loose", KEY_TUNE);
	key_path("loose", path);
	chmod(path, 0644);
	agent_start(&a, ARGS("--listen", "127.0.0.1:0", "--keys", keys));
	assert_true(agent_says(&a, "loose.key: mode 0644, expected 0600"));
	assert_int_equal(agent_exit_code(&a), 2);
	chmod(path, 0600);
	chmod(keys, 0777);
	agent_start(&a, ARGS("--listen", "127.0.0.1:0", "--keys", keys));
	assert_true(agent_says(&a, "mode 0777"));
	assert_int_equal(agent_exit_code(&a), 2);
	chmod(keys, 0700);
	unlink(path);
}

static void
a_command_leads_to_an_agent(void **state)
{
	static const char two_pipes[] = "exec:cat | " AGENT " --stdio 2>/dev/null | cat";
	RpcClient *c;
	Err e = {0};

	(void)state;
	c = open_or_fail("exec:" AGENT " --stdio 2>/dev/null");
	case_works(c);
	assert_false(rpc_device(c)->insecure);
	rpc_close(c);
	c = open_or_fail(two_pipes);
	case_works(c);
	if (reopen(&c, (RpcWay){.address = two_pipes}, 1000, &e))
		fail_msg("%s", e.msg);
	case_works(c);
	rpc_close(c);
	assert_true(process_all_gone());
}

/* Only root can pretend to be somebody else. */
static void
a_socket_is_for_its_user(void **state)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	pid_t child;
	int status;
	Agent a;

	(void)state;
	if (geteuid() != 0)
		skip();
	snprintf(to.sun_path, sizeof to.sun_path, "%s/agent", folder);
	agent_start(&a, ARGS("--socket", to.sun_path));
	assert_true(agent_says(&a, "listening on"));
	chmod(to.sun_path, 0777); /* as if the file's mode did not help */
	chmod(folder, 0711);
	child = fork();
	if (child == 0) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		char byte;

		_exit(setuid(65534) || connect(fd, (struct sockaddr *)&to, sizeof to) ||
		      read(fd, &byte, 1) > 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(agent_says(&a, "refused user 65534"));
	expect_open(to.sun_path, OK, "");
	chmod(folder, 0700);
	stop(&a);
}

static int
make_folder(void **state)
{
	(void)state;
	process_adopt_orphans();
	strcpy(folder, "/tmp/hone-access-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	setenv("XDG_CONFIG_HOME", folder, 1);
	return 0;
}

/* Keys of its own for every test. */
static int
other_keys(void **state)
{
	static int n;

	(void)state;
	snprintf(keys, sizeof keys, "%s/keys%d", folder, n++);
	return 0;
}

static int
remove_folder(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, other_keys)
	const struct CMUnitTest tests[] = {
		TEST(the_first_start_makes_a_key_that_works),
		TEST(others_see_who_holds_it),
		TEST(a_reader_may_only_look),
		TEST(deleting_a_key_ends_its_connections),
		TEST(refusals_are_named_and_noted),
		TEST(every_refusal_has_its_line),
		TEST(silence_keeps_nobody_out),
		TEST(dripping_bytes_buy_no_time),
		TEST(notes_that_nobody_reads_stop_nobody),
		TEST(keys_that_are_not_private_stop_the_start),
		TEST(a_command_leads_to_an_agent),
		TEST(a_socket_is_for_its_user),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
