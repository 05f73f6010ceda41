/* The agent as a service: what it tells its manager, and a log that stays within its bound. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/clock.h"
#include "rpc_server/log_file.h"
#include "rpc_server/notify.h"
#include "tests/unit/agent_case.h"
#include "tests/unit/agent_process.h"

static char folder[] = "/tmp/test_service.XXXXXX";
static char manager_path[64], log_path[64], log_old[64], socket_path[64], blob_folder[64];

/* A manager: its end of the socket. */
static int
manager(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = 20};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	unlink(manager_path);
	snprintf(at.sun_path, sizeof at.sun_path, "%s", manager_path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setenv("NOTIFY_SOCKET", manager_path, 1);
	return fd;
}

static void
expect(int fd, const char *state)
{
	char text[256];
	ssize_t n = recv(fd, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = 0;
	assert_string_equal(text, state);
}

static void
states_are_sent_when_due(void **state)
{
	int fd = manager();
	Notify n;

	(void)state;
	setenv("WATCHDOG_USEC", "2000", 1);
	notify_open(&n);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	notify_say(&n, "READY=1");
	expect(fd, "READY=1");
	assert_int_equal(notify_beat(&n, 5000000), 6000000);
	expect(fd, "WATCHDOG=1");
	assert_int_equal(notify_beat(&n, 5999999), 6000000);
	assert_int_equal(notify_beat(&n, 6000001), 7000001);
	expect(fd, "WATCHDOG=1");
	assert_int_equal(recv(fd, (char[8]){0}, 8, MSG_DONTWAIT), -1);
	close(fd);
	notify_say(&n, "STOPPING=1"); /* nobody reads: no harm */
	notify_close(&n);
}

static void
no_manager_is_no_matter(void **state)
{
	static const char *const list[][3] = {
		{NULL, "1000000", NULL}, {"", "1000000", NULL},     {"relative", "1", NULL},
		{"/nowhere", "1", NULL}, {manager_path, "x", NULL}, {manager_path, "1000", "1"},
	};
	int fd = manager();

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		Notify n;

		unsetenv("NOTIFY_SOCKET");
		if (list[i][0])
			setenv("NOTIFY_SOCKET", list[i][0], 1);
		setenv("WATCHDOG_USEC", list[i][1], 1);
		if (list[i][2])
			setenv("WATCHDOG_PID", list[i][2], 1);
		notify_open(&n);
		assert_int_equal(notify_beat(&n, clock_ns()), UINT64_MAX);
		notify_say(&n, "READY=1");
		notify_close(&n);
	}
	close(fd);
}

/* An agent that does nothing all the same says that it lives. */
static void
an_agent_tells_its_manager(void **state)
{
	int fd = manager();
	Agent a;

	(void)state;
	setenv("WATCHDOG_USEC", "20000", 1);
	agent_start(&a, ARGS("--socket", socket_path));
	expect(fd, "READY=1");
	for (int i = 0; i < 5; i++)
		expect(fd, "WATCHDOG=1");
	kill(a.pid, SIGTERM);
	for (;;) {
		char text[32] = "";

		assert_true(recv(fd, text, sizeof text - 1, 0) > 0);
		if (!strcmp(text, "STOPPING=1"))
			break;
		assert_string_equal(text, "WATCHDOG=1");
	}
	assert_int_equal(agent_exit_code(&a), 0);
	close(fd);
}

static off_t
size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

static void
a_log_stays_within_its_bound(void **state)
{
	char line[3000];
	LogFile l;

	(void)state;
	assert_int_equal(log_file_open(&l, log_path, 4096, NULL), OK);
	for (int i = 0; i < 500; i++) {
		snprintf(line, sizeof line, "line %d %0*d", i, i * 5, 0);
		log_file_line(&l, line);
		assert_true(size_of(log_path) <= 4096);
		assert_true(size_of(log_old) <= 4096);
	}
	log_file_close(&l);
	assert_int_equal(log_file_open(&l, log_path, 4096, NULL), OK); /* goes on where it was */
	assert_int_equal(l.size, size_of(log_path));
	assert_true(l.size > 0);
	/* Where it cannot be renamed the bound still holds. */
	unlink(log_old);
	assert_int_equal(mkdir(log_old, 0700), 0);
	for (int i = 0; i < 20; i++)
		log_file_line(&l, line);
	assert_true(size_of(log_path) <= 4096);
	log_file_close(&l);
	rmdir(log_old);
	unlink(log_path);
}

static void
a_log_is_a_file(void **state)
{
	LogFile l;
	Err e = {0};

	(void)state;
	assert_int_equal(log_file_open(&l, "/nowhere/log", 4096, &e), ERR_IO);
	assert_non_null(strstr(e.msg, "/nowhere/log: No such file"));
	e = (Err){0};
	assert_int_equal(log_file_open(&l, "/dev/null", 4096, &e), ERR_IO);
	assert_non_null(strstr(e.msg, "not a regular file"));
}

static bool
has_line(const char *path, const char *text)
{
	char line[1024];
	FILE *f = fopen(path, "r");
	bool found = false;

	while (f && !found && fgets(line, sizeof line, f))
		found = strstr(line, text);
	if (f)
		fclose(f);
	return found;
}

static void
await_line(const char *path, const char *text)
{
	for (int i = 0; !has_line(path, text); i++) {
		if (i == 10000)
			fail_msg("%s has no '%s'", path, text);
		usleep(1000);
	}
}

/* A stranger who speaks nonsense is noted. */
static void
knock(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(at.sun_path, sizeof at.sun_path, "%s", socket_path);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	close(fd);
}

static void
a_moved_log_is_opened_anew(void **state)
{
	Agent a;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	agent_start(&a, ARGS("--socket", socket_path, "--log-file", log_path));
	assert_true(agent_says(&a, "listening on"));
	knock();
	await_line(log_path, "left without HELLO");
	assert_int_equal(rename(log_path, log_old), 0);
	kill(a.pid, SIGHUP);
	for (int i = 0; access(log_path, F_OK) && i < 10000; i++)
		usleep(1000);
	knock();
	await_line(log_path, "left without HELLO");
	kill(a.pid, SIGTERM);
	assert_int_equal(agent_exit_code(&a), 0);
	unlink(log_path);
	unlink(log_old);
}

/* Cuts every blob file to half of it; how many there are. */
static int
cut_blobs(void)
{
	DIR *d = opendir(blob_folder);
	struct dirent *x;
	int n = 0;

	assert_non_null(d);
	while ((x = readdir(d))) {
		char path[512];

		if (!strstr(x->d_name, ".blob"))
			continue;
		snprintf(path, sizeof path, "%s/%s", blob_folder, x->d_name);
		assert_int_equal(truncate(path, size_of(path) / 2), 0);
		n++;
	}
	closedir(d);
	return n;
}

/* An agent that was killed has what was uploaded, and does not fall for what became of it. */
static void
blobs_outlive_an_agent(void **state)
{
	int blobs[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		RpcClient *c;
		Agent a;

		agent_start(&a, ARGS("--socket", socket_path, "--blob-folder", blob_folder));
		assert_true(agent_says(&a, "listening on"));
		c = open_or_fail(socket_path);
		case_works(c);
		if (i)
			assert_true(agent_says(&a, "which is not what its name says"));
		rpc_close(c);
		agent_kill(&a);
		blobs[i] = cut_blobs();
		assert_int_equal(blobs[i], blobs[0]);
	}
	assert_true(blobs[0] > 0);
	unlink(socket_path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_are_sent_when_due),
		cmocka_unit_test(no_manager_is_no_matter),
		cmocka_unit_test(an_agent_tells_its_manager),
		cmocka_unit_test(a_log_stays_within_its_bound),
		cmocka_unit_test(a_log_is_a_file),
		cmocka_unit_test(a_moved_log_is_opened_anew),
		cmocka_unit_test(blobs_outlive_an_agent),
	};
	char command[64];
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(manager_path, sizeof manager_path, "%s/manager", folder);
	snprintf(log_path, sizeof log_path, "%s/log", folder);
	snprintf(log_old, sizeof log_old, "%s/log.1", folder);
	snprintf(blob_folder, sizeof blob_folder, "%s/blobs", folder);
	snprintf(socket_path, sizeof socket_path, "%s/agent", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command) ? 1 : failed;
}
