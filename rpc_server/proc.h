/* Proc: a runner process: spawned, spoken to over a socket, killed, reaped. Never blocks. */
#ifndef RPC_SERVER_PROC_H
#define RPC_SERVER_PROC_H

#include <spawn.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "rpc_server/plan.h"

typedef struct Proc {
	pid_t pid; /* 0: none */
	int fd;    /* readable when a reply is there or the runner is gone; -1: closed */
} Proc;

/* Starts a program as the agent starts every child: in a session of its own, all signals as the
 * system has them. files: its descriptors. Returns 0 and *pid, or what errno says. */
int proc_start(pid_t *pid, const char *path, char *const argv[], char *const env[],
	       const posix_spawn_file_actions_t *files);

/* Starts the program, called as RUNNER_NAME, in a session of its own, without environment, and
 * sends its orders. Errors: ERR_DEVICE, with nothing to clean up. */
int proc_spawn(Proc *p, const char *program, const Orders *orders, Err *e);

/* fd: a descriptor to hand over; -1: none. False when the runner does not take it. */
bool proc_send(Proc *p, const Command *c, int fd);

/* OK: *r is a reply; NOT_APPLICABLE: none is there; ERR_DEVICE: the runner is gone or talks
 * nonsense. */
int proc_receive(Proc *p, Reply *r);

void proc_hang_up(Proc *p); /* an idle runner then ends by itself */
void proc_kill(Proc *p);    /* with everything in its session's process group */

/* True once it has ended: *status is as waitpid gives it, its whole group has been killed, and *p
 * is free for the next spawn. */
bool proc_reap(Proc *p, int *status);

/* One that cannot be reaped (stuck in the kernel) is given up; returns its pid, a child still. */
pid_t proc_abandon(Proc *p);

#endif
