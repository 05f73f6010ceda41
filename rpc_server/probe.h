/* Probe: which layers of the sandbox this machine has for runners, found out by a runner that takes
 * them on and ends. */
#ifndef RPC_SERVER_PROBE_H
#define RPC_SERVER_PROBE_H

#include "base/hardware.h"
#include "rpc_server/sandbox.h"

/* Waits for it, for a few milliseconds as a rule and for 5 s at most. Errors: ERR_DEVICE, when the
 * program does not become a runner. */
int probe_sandbox(const char *program, uint64_t wanted, SandboxReport *out, Err *e);

/* Fills the sandbox and its notes in. Errors: ERR_NOMEM. */
int probe_describe(const SandboxReport *r, uint64_t wanted, DeviceInfo *d, Err *e);

/* ERR_UNSUPPORTED, naming each layer and why, unless all that are required are there. */
int probe_require(const SandboxReport *r, uint64_t required, const DeviceInfo *d, Err *e);

#endif
