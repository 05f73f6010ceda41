/* Local: the process at the other end of a connection that is its standard input and output: a
 * private agent, or a program that leads to one elsewhere. */
#ifndef RPC_CLIENT_LOCAL_H
#define RPC_CLIENT_LOCAL_H

#include <sys/types.h>

#include "base/err.h"

typedef struct Local {
	pid_t pid;
} Local;

/* Starts `rpc_server --stdio` at the other end of a socket pair and returns when it listens. It
 * ends when this end, *fd, is closed, which the kernel does however this process ends. Errors:
 * ERR_DEVICE with what the agent said, with nothing to stop; then *fd is -1. */
int local_start(Local *l, const char *server_path, int *fd, Err *e);

/* Starts a program found in PATH whose standard input and output are the connection; what it says
 * on standard error is for the user. Errors: as local_start. */
int local_exec(Local *l, char *const argv[], int *fd, Err *e);

void local_stop(Local *l); /* a zeroed Local is fine */

#endif
