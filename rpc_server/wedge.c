/* Waiting for a process that cannot be killed, and telling somebody who can do more about it. */
#include "rpc_server/wedge.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "rpc_server/proc.h"

static const uint64_t LOOK_NS = 500000000, HOOK_NS = 60000000000;

/* Its output goes where the agent's own notes go. 0 when it does not start. */
static pid_t
start_hook(const char *command, pid_t stuck)
{
	char variable[40],
		path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *argv[] = {"sh", "-c", (char *)command, NULL}, *env[] = {variable, path, NULL};
	posix_spawn_file_actions_t files;
	pid_t pid = 0;

	if (posix_spawn_file_actions_init(&files))
		return 0;
	snprintf(variable, sizeof variable, "HONE_WEDGED_PID=%ld", (long)stuck);
	if (posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0) ||
	    posix_spawn_file_actions_adddup2(&files, 2, 1) ||
	    proc_start(&pid, "/bin/sh", argv, env, &files))
		pid = 0;
	posix_spawn_file_actions_destroy(&files);
	return pid;
}

void
wedge_begin(Wedge *w, pid_t pid, const char *command, uint64_t now)
{
	*w = (Wedge){.pid = pid, .hook = w->hook, .since = now, .next = now + LOOK_NS};
	if (command && !w->hook)
		w->hook = start_hook(command, pid);
}

/* Whether that child has ended; reaps it. */
static bool
gone(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) != 0;
}

bool
wedge_look(Wedge *w, uint64_t now)
{
	bool over = w->pid && gone(w->pid);

	w->next = now + LOOK_NS;
	if (w->hook && now - w->since > HOOK_NS)
		kill(-w->hook, SIGKILL);
	if (w->hook && gone(w->hook))
		w->hook = 0;
	if (over)
		w->pid = 0;
	return over;
}

uint64_t
wedge_deadline(const Wedge *w)
{
	return w->pid || w->hook ? w->next : UINT64_MAX;
}

void
wedge_text(const Wedge *w, uint64_t now, char text[WEDGE_TEXT])
{
	*text = 0;
	if (w->pid)
		snprintf(text, WEDGE_TEXT, "process %ld was killed %llu s ago and does not end",
			 (long)w->pid, (unsigned long long)((now - w->since) / SECOND_NS));
}
