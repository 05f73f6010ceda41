/* What this machine is, for DeviceInfo. */
#ifndef RPC_SERVER_HARDWARE_H
#define RPC_SERVER_HARDWARE_H

#include <stdint.h>

#include "base/err.h"
#include "wire/batch.h"

/* Fills every field that describes the machine (not version, protocol, runners, sandbox,
 * insecure) from the processor and from the files under root ("" = the real ones; another prefix
 * lets tests replay a recorded tree). What cannot be read is "" or 0, governor "none". The caller
 * frees with device_fini, also after an error. Errors: ERR_NOMEM. */
int hardware_read(const char *root, DeviceInfo *d, Err *e);

uint64_t hardware_free_memory(void); /* bytes available without swapping */

#endif
