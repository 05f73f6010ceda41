/* Runner processes. SOCK_SEQPACKET keeps messages whole and reports the end of the runner. */
#include "rpc_server/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int
proc_start(pid_t *pid, const char *path, char *const argv[], char *const env[],
	   const posix_spawn_file_actions_t *files)
{
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	if (posix_spawnattr_init(&attr))
		return ENOMEM;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(pid, path, files, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	return rc;
}

static int
spawn(Proc *p, const char *program, int child_fd)
{
	char *argv[] = {RUNNER_NAME, NULL}, *env[] = {NULL};
	posix_spawn_file_actions_t files;
	int rc;

	if (posix_spawn_file_actions_init(&files))
		return ENOMEM;
	rc = posix_spawn_file_actions_adddup2(&files, child_fd, RUNNER_FD);
	for (int fd = 0; !rc && fd <= 2; fd++)
		rc = posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
	if (!rc)
		rc = proc_start(&p->pid, program, argv, env, &files);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

int
proc_spawn(Proc *p, const char *program, const Orders *orders, Err *e)
{
	int pair[2], rc;

	*p = (Proc){.fd = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
		return err_set(e, ERR_DEVICE, "runner: %s", strerror(errno));
	fcntl(pair[1], F_SETFL, 0); /* the runner waits for commands */
	rc = send(pair[0], orders, sizeof *orders, MSG_NOSIGNAL) == sizeof *orders ? OK : errno;
	if (!rc)
		rc = spawn(p, program, pair[1]);
	close(pair[1]);
	if (rc) {
		close(pair[0]);
		*p = (Proc){.fd = -1};
		return err_set(e, ERR_DEVICE, "runner %s: %s", program, strerror(rc));
	}
	p->fd = pair[0];
	return OK;
}

bool
proc_send(Proc *p, const Command *c, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} room = {0};
	struct iovec io = {(void *)c, sizeof *c};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};

	if (fd >= 0) {
		struct cmsghdr *h;

		m.msg_control = &room;
		m.msg_controllen = sizeof room;
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(h), &fd, sizeof fd);
	}
	return sendmsg(p->fd, &m, MSG_NOSIGNAL) == sizeof *c;
}

int
proc_receive(Proc *p, Reply *r)
{
	ssize_t n = recv(p->fd, r, sizeof *r, MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return NOT_APPLICABLE;
	if (n != sizeof *r || r->word != PLAN_WORD)
		return ERR_DEVICE;
	r->text[sizeof r->text - 1] = 0;
	return OK;
}

void
proc_hang_up(Proc *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

void
proc_kill(Proc *p)
{
	if (!p->pid)
		return;
	kill(-p->pid, SIGKILL);
	kill(p->pid, SIGKILL); /* in case it has no group yet */
}

static void
forget(Proc *p)
{
	proc_hang_up(p);
	*p = (Proc){.fd = -1};
}

bool
proc_reap(Proc *p, int *status)
{
	siginfo_t info = {0};

	if (!p->pid || waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
	    !info.si_pid)
		return false;
	kill(-p->pid, SIGKILL); /* while the number is still ours */
	waitpid(p->pid, status, 0);
	forget(p);
	return true;
}

pid_t
proc_abandon(Proc *p)
{
	pid_t pid = p->pid;

	proc_kill(p);
	forget(p);
	return pid;
}
