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

enum { PID_TEXT = 16 };

/* What the lock's file says of its owner; "" when nothing. */
static void
read_owner(int fd, char pid[PID_TEXT])
{
	ssize_t n = pread(fd, pid, PID_TEXT - 1, 0);

	pid[n > 0 ? n : 0] = 0;
	pid[strspn(pid, "0123456789")] = 0;
}

static int
refuse(int fd, const char *path, Err *e)
{
	char pid[PID_TEXT];

	read_owner(fd, pid);
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

/* "FILE.lock"; the caller frees. */
static char *
lock_name(const char *path, Err *e)
{
	size_t n = strlen(path);
	char *name = malloc(n + sizeof ".lock");

	if (!name) {
		err_set(e, ERR_NOMEM, "no memory");
		return NULL;
	}
	memcpy(name, path, n);
	memcpy(name + n, ".lock", sizeof ".lock");
	return name;
}

int
log_owner(const char *path, int64_t *pid, Err *e)
{
	struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char *name = lock_name(path, e), text[PID_TEXT];
	int fd, rc = OK;

	*pid = 0;
	if (!name)
		return ERR_NOMEM;
	fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		rc = err_set(e, ERR_IO, "%s: %s", name, strerror(errno));
	else if (fd >= 0 && fcntl(fd, F_OFD_GETLK, &all))
		rc = err_set(e, ERR_IO, "%s: %s", name, strerror(errno));
	else if (fd >= 0 && all.l_type != F_UNLCK) {
		read_owner(fd, text);
		*pid = strtoll(text, NULL, 10);
	}
	if (fd >= 0)
		close(fd);
	free(name);
	return rc;
}

int
log_lock(const char *path, int *lock, Err *e)
{
	char *name = lock_name(path, e);
	int rc;

	*lock = -1;
	if (!name)
		return ERR_NOMEM;
	*lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	rc = *lock < 0 ? err_set(e, ERR_IO, "%s: %s", name, strerror(errno)) : own(*lock, path, e);
	if (rc && *lock >= 0) {
		close(*lock);
		*lock = -1;
	}
	free(name);
	return rc;
}
