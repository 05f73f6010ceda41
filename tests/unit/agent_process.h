/* Agents that a test starts by hand. */
#ifndef TESTS_UNIT_AGENT_PROCESS_H
#define TESTS_UNIT_AGENT_PROCESS_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc_client/reopen.h"
#include "tests/unit/agent_case.h"
#include "tests/unit/process.h"

enum { ARGS_MAX = 16, SAID_MAX = 65536, SOON_MS = 20000 };

/* An agent started by hand; what it says on both channels comes through one pipe. */
typedef struct Agent {
	pid_t pid;
	int out;
	char said[SAID_MAX];
	size_t n;
} Agent;

static inline void
agent_run(Agent *a, char *argv[], int in)
{
	posix_spawn_file_actions_t files;
	int pair[2];

	*a = (Agent){0};
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in >= 0 ? in : pair[1], 1);
	if (in >= 0)
		posix_spawn_file_actions_adddup2(&files, in, 0);
	posix_spawn_file_actions_adddup2(&files, pair[1], 2);
	assert_int_equal(posix_spawn(&a->pid, argv[0], &files, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&files);
	close(pair[1]);
	a->out = pair[0];
}

static inline void
agent_start(Agent *a, const char *const args[])
{
	char *argv[ARGS_MAX] = {AGENT};

	for (int i = 0; i < ARGS_MAX - 2 && args[i]; i++)
		argv[i + 1] = (char *)args[i];
	agent_run(a, argv, -1);
}

/* Reads what it says until text is in there; false at its end. */
static inline bool
agent_says(Agent *a, const char *text)
{
	while (!strstr(a->said, text)) {
		struct pollfd p = {.fd = a->out, .events = POLLIN};
		ssize_t got = poll(&p, 1, SOON_MS) > 0
				      ? read(a->out, a->said + a->n, SAID_MAX - 1 - a->n)
				      : 0;

		if (got <= 0)
			return false;
		a->n += (size_t)got;
	}
	return true;
}

/* Exit code of an agent that ends by itself soon; -1 if it does not, or of a signal. */
static inline int
agent_exit_code(Agent *a)
{
	uint64_t end = clock_ns() + PROCESS_PATIENCE_NS;
	int status = 0, done;

	agent_says(a, "\xff"); /* to the end */
	while (!(done = waitpid(a->pid, &status, WNOHANG)) && process_look_again(end))
		;
	close(a->out);
	return done == a->pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void
agent_kill(Agent *a)
{
	kill(a->pid, SIGKILL);
	waitpid(a->pid, NULL, 0);
	close(a->out);
}

/* The connection lost, and tried again for so long. */
static inline int
reopen(RpcClient **c, RpcWay way, uint64_t ms, Err *e)
{
	Reopen r = {.way = way};

	backoff_init(&r.backoff, ms * 1000000, 1);
	return rpc_reopen(&r, c, e);
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline RpcClient *
open_or_fail(const char *address)
{
	RpcClient *c;
	Err e = {0};

	if (rpc_open(address, &c, &e))
		fail_msg("%s", e.msg);
	return c;
}

#endif
