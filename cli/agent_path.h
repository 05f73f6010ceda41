/* Where the program of a private agent is. */
#ifndef CLI_AGENT_PATH_H
#define CLI_AGENT_PATH_H

#include "base/err.h"

enum { AGENT_PATH_BYTES = 4096 };

/* rpc_server beside this program, or hone-rpc-server, as packages call it, where that is there. The
 * first may not be there. Errors: ERR_IO. */
int agent_path(char path[AGENT_PATH_BYTES], Err *e);

#endif
