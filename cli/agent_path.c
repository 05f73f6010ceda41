/* The programs of a build lie in one folder, and so do installed ones, where the agent has a longer
 * name; this one asks the kernel for its own. */
#include "cli/agent_path.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int
agent_path(char path[AGENT_PATH_BYTES], Err *e)
{
	static const char name[] = "rpc_server", installed[] = "hone-rpc-server";
	ssize_t n = readlink("/proc/self/exe", path, AGENT_PATH_BYTES - sizeof installed - 1);
	char *end;

	if (n < 0)
		return err_set(e, ERR_IO, "/proc/self/exe: %s", strerror(errno));
	path[n] = 0;
	end = strrchr(path, '/');
	end = end ? end + 1 : path;
	memcpy(end, installed, sizeof installed);
	if (access(path, X_OK))
		memcpy(end, name, sizeof name);
	return OK;
}
