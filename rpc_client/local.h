/* Local: a private agent: its process and the folder of its socket. */
#ifndef RPC_CLIENT_LOCAL_H
#define RPC_CLIENT_LOCAL_H

#include <sys/types.h>

#include "base/err.h"

enum { LOCAL_PATH_MAX = 96 };

typedef struct Local {
	pid_t pid;
	char dir[LOCAL_PATH_MAX], socket[LOCAL_PATH_MAX];
} Local;

/* Starts rpc_server and returns when it listens at l->socket. It ends with the calling thread, or
 * when its one client has left. Errors: ERR_DEVICE with what the agent said, with nothing to stop;
 * ERR_IO. */
int local_start(Local *l, const char *server_path, Err *e);

/* Removes socket and folder, once connected: nothing is left of them however this process ends. */
void local_hide(Local *l);

void local_stop(Local *l); /* a zeroed Local is fine */

#endif
