/* For a static program. libuv knows how to look up home folders, which the agent never asks for; in
 * a static program the C library would load libraries for that which a board may not have. With an
 * answer of ours nothing of it is linked. */
#include <errno.h>
#include <pwd.h>
#include <stddef.h>

int
getpwuid_r(uid_t uid, struct passwd *entry, char *text, size_t size, struct passwd **found)
{
	(void)uid;
	(void)entry;
	(void)text;
	(void)size;
	*found = NULL;
	return ENOSYS;
}
