/* Folders from the environment. A variable that holds no absolute path does not count, as the
 * specification wants it. */
#include "base/folders.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *
absolute(const char *variable)
{
	const char *v = getenv(variable);

	return v && v[0] == '/' ? v : NULL;
}

static int
join(const char *base, const char *middle, const char *name, char path[FOLDER_MAX], Err *e)
{
	if (!base)
		return err_set(e, ERR_INPUT, "HOME is not set: where do files go?");
	return snprintf(path, FOLDER_MAX, "%s/%s%s", base, middle, name) < FOLDER_MAX
		       ? OK
		       : err_set(e, ERR_INPUT, "%s: too long", base);
}

int
folder_config(const char *name, char path[FOLDER_MAX], Err *e)
{
	const char *own = absolute("XDG_CONFIG_HOME");

	return own ? join(own, "hone/", name, path, e)
		   : join(absolute("HOME"), ".config/hone/", name, path, e);
}

int
folder_cache(const char *name, char path[FOLDER_MAX], Err *e)
{
	const char *own = absolute("XDG_CACHE_HOME");

	return own ? join(own, "hone/", name, path, e)
		   : join(absolute("HOME"), ".cache/hone/", name, path, e);
}

int
folder_state(const char *name, char path[FOLDER_MAX], Err *e)
{
	const char *service = absolute("STATE_DIRECTORY"), *own = absolute("XDG_STATE_HOME");

	if (service)
		return join(service, "", name, path, e);
	if (own)
		return join(own, "hone/", name, path, e);
	if (geteuid() == 0)
		return join("/var/lib/hone", "", name, path, e);
	return join(absolute("HOME"), ".local/state/hone/", name, path, e);
}
