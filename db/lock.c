/* One owner: an advisory lock on FILE.lock. The kernel drops it with the owner's last descriptor,
 * however the owner ends; the process number in the file only names it. The file stays, because
 * removing it would let two owners hold locks on two files of the same name. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/log_file.h"

static int
refuse(int fd, const char *path, Err *e)
{
	char pid[16] = "";
	ssize_t n = pread(fd, pid, sizeof pid - 1, 0);

	pid[n > 0 ? strspn(pid, "0123456789") : 0] = 0;
	return err_set(e, ERR_BUSY, "%s: process %s is writing to it; expected one writer", path,
		       *pid ? pid : "(unknown)");
}

static int
own(int fd, const char *path, Err *e)
{
	struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char pid[16];
	int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());

	if (fcntl(fd, F_OFD_SETLK, &all)) {
		if (errno == EAGAIN || errno == EACCES)
			return refuse(fd, path, e);
		return err_set(e, ERR_IO, "%s.lock: %s", path, strerror(errno));
	}
	if (ftruncate(fd, 0) || pwrite(fd, pid, (size_t)n, 0) != n)
		return err_set(e, ERR_IO, "%s.lock: %s", path, strerror(errno));
	return OK;
}

int
log_lock(const char *path, int *lock, Err *e)
{
	size_t n = strlen(path);
	char *name = malloc(n + sizeof ".lock");
	int rc;

	if (!name)
		return err_set(e, ERR_NOMEM, "no memory");
	memcpy(name, path, n);
	strcpy(name + n, ".lock");
	*lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	rc = *lock < 0 ? err_set(e, ERR_IO, "%s: %s", name, strerror(errno)) : own(*lock, path, e);
	if (rc && *lock >= 0) {
		close(*lock);
		*lock = -1;
	}
	free(name);
	return rc;
}
