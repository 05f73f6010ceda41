/* A process for a connection. What a private agent says comes through a pipe: the line that says it
 * listens, or why not. */
#include "rpc_client/local.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { START_MS = 10000, STOP_MS = 2000, SAID_MAX = 512 };

extern char **environ;

/* both: standard input and output; said: standard error, -1 for the caller's. */
static int
spawn(Local *l, char *const argv[], int both, int said)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;
	int rc = posix_spawn_file_actions_init(&files);

	if (rc)
		return rc;
	rc = posix_spawnattr_init(&attr);
	if (rc) {
		posix_spawn_file_actions_destroy(&files);
		return rc;
	}
	sigemptyset(&none); /* this thread blocks all */
	posix_spawnattr_setsigmask(&attr, &none);
	/* A process group of its own: Ctrl-C on a terminal is for the program, which ends its agent
	 * when it has what it wants. */
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	rc = posix_spawn_file_actions_adddup2(&files, both, 0);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&files, both, 1);
	if (!rc && said >= 0)
		rc = posix_spawn_file_actions_adddup2(&files, said, 2);
	if (!rc)
		rc = posix_spawnp(&l->pid, argv[0], &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

/* Reads what the agent says until it says that it listens; false when it ends or stays silent. */
static bool
wait_until_it_listens(int in, char said[SAID_MAX])
{
	uint64_t end = clock_ns() + (uint64_t)START_MS * 1000000;
	size_t n = 0;

	said[0] = 0;
	while (!strstr(said, "listening on") || !strchr(said, '\n')) {
		uint64_t now = clock_ns();
		struct pollfd p = {.fd = in, .events = POLLIN};
		ssize_t got;

		if (now >= end || n == SAID_MAX - 1 ||
		    poll(&p, 1, (int)((end - now) / MS_NS) + 1) < 0)
			return false;
		got = p.revents ? read(in, said + n, SAID_MAX - 1 - n) : 0;
		if (got <= 0 && p.revents)
			return false;
		n += (size_t)got;
		said[n] = 0;
	}
	return true;
}

/* Starts an agent there, and reads what it says. */
static int
start(Local *l, const char *server_path, int both, Err *e)
{
	char *argv[] = {(char *)server_path, "--stdio", NULL};
	char said[SAID_MAX] = "";
	int pair[2], rc;

	if (pipe2(pair, O_CLOEXEC))
		return err_set(e, ERR_DEVICE, "private agent: %s", strerror(errno));
	rc = spawn(l, argv, both, pair[1]);
	close(pair[1]);
	if (rc) {
		l->pid = 0;
		rc = err_set(e, ERR_DEVICE, "private agent %s: %s", server_path, strerror(rc));
	} else if (!wait_until_it_listens(pair[0], said)) {
		said[strcspn(said, "\n")] = 0;
		rc = err_set(e, ERR_DEVICE, "private agent %s: %s", server_path,
			     *said ? said : "says nothing");
	}
	close(pair[0]);
	return rc;
}

/* A pair of sockets; ours is *fd. */
static int
open_pair(Local *l, int *fd, int *theirs, Err *e)
{
	int pair[2];

	*l = (Local){0};
	*fd = *theirs = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return err_set(e, ERR_DEVICE, "agent: %s", strerror(errno));
	*fd = pair[0];
	*theirs = pair[1];
	return OK;
}

static int
end_start(Local *l, int *fd, int theirs, int rc)
{
	close(theirs);
	if (rc) {
		close(*fd);
		*fd = -1;
		local_stop(l);
	}
	return rc;
}

int
local_start(Local *l, const char *server_path, int *fd, Err *e)
{
	int theirs = -1, rc = open_pair(l, fd, &theirs, e);

	return rc ? rc : end_start(l, fd, theirs, start(l, server_path, theirs, e));
}

int
local_exec(Local *l, char *const argv[], int *fd, Err *e)
{
	int theirs = -1, rc = open_pair(l, fd, &theirs, e);

	if (rc)
		return rc;
	rc = spawn(l, argv, theirs, -1);
	if (rc) {
		l->pid = 0;
		rc = err_set(e, ERR_DEVICE, "%s: %s", argv[0], strerror(rc));
	}
	return end_start(l, fd, theirs, rc);
}

void
local_stop(Local *l)
{
	uint64_t end = clock_ns() + (uint64_t)STOP_MS * 1000000;

	if (l->pid)
		kill(-l->pid, SIGTERM); /* with what a shell started */
	while (l->pid && waitpid(l->pid, NULL, WNOHANG) == 0) {
		if (clock_ns() > end)
			kill(-l->pid, SIGKILL);
		clock_sleep_ns(MS_NS);
	}
	*l = (Local){0};
}
