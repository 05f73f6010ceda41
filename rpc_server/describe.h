/* Describe: the part of DeviceInfo that stays as long as the agent runs. */
#ifndef RPC_SERVER_DESCRIBE_H
#define RPC_SERVER_DESCRIBE_H

#include "base/hardware.h"
#include "rpc_server/server.h"

/* The caller frees *d, also after an error. Errors: ERR_NOMEM. */
int describe_device(const ServerConfig *c, DeviceInfo *d, Err *e);

/* Tries the sandbox. A runner that does not start is no reason to end, unless something is required
 * of it: errors of probe_require; ERR_NOMEM. */
int describe_sandbox(const ServerConfig *c, DeviceInfo *d, Err *e);

#endif
