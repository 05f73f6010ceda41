/* What the agent's program does with keys besides serving: makes the first one, adds, lists. It
 * prints for people. */
#ifndef RPC_SERVER_KEYS_H
#define RPC_SERVER_KEYS_H

#include <stdbool.h>

#include "base/err.h"

/* Makes a key in an empty folder; *made says so. Errors: of ring_open and ring_add. */
int keys_first(const char *folder, bool *made, Err *e);

/* What to do on the workstation with a key of that name, the agent being at address. */
void keys_tell(const char *folder, const char *name, const char *address);

int keys_add(const char *folder, const char *name, const char *role, Err *e);
int keys_list(const char *folder, Err *e);

#define KEYS_FIRST "default"

#endif
