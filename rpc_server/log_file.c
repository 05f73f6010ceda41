/* Log files: a line is one write, so that it is whole or absent. `size` is what the file is
 * believed to hold; it is asked for when the file is opened, and nobody else writes there. */
#include "rpc_server/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum { LINE_BYTES = 1024 };

static int
open_file(LogFile *l, Err *e)
{
	struct stat st;

	l->fd = open(l->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
	if (l->fd < 0 || fstat(l->fd, &st))
		return err_set(e, ERR_IO, "%s: %s", l->path, strerror(errno));
	if (!S_ISREG(st.st_mode)) /* the bound would mean nothing */
		return err_set(e, ERR_IO, "%s: not a regular file", l->path);
	l->size = (uint64_t)st.st_size;
	return OK;
}

int
log_file_open(LogFile *l, const char *path, uint64_t most, Err *e)
{
	int rc;

	*l = (LogFile){.path = path, .fd = -1, .most = most};
	rc = path ? open_file(l, e) : OK;
	if (rc)
		log_file_close(l);
	return rc;
}

void
log_file_close(LogFile *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

void
log_file_reopen(LogFile *l)
{
	Err e = {0};

	log_file_close(l);
	if (l->path && open_file(l, &e)) {
		log_file_close(l);
		fprintf(stderr, "rpc_server: %s\n", e.msg);
	}
}

/* PATH becomes PATH.1. Where that cannot be, the file is emptied: its bound is what counts. */
static void
turn(LogFile *l)
{
	char old[4096];

	if (snprintf(old, sizeof old, "%s.1", l->path) >= (int)sizeof old || rename(l->path, old))
		(void)!ftruncate(l->fd, 0);
	log_file_reopen(l);
}

/* A pipe that nobody reads takes no line, or a whole one: the agent never waits for it. */
static void
say(const char *text)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (poll(&out, 1, 0) == 1 && out.revents & POLLOUT)
		fputs(text, stderr);
}

void
log_file_line(LogFile *l, const char *line)
{
	char text[LINE_BYTES], when[CLOCK_TEXT];
	ssize_t put;
	int n;

	clock_text(when, "%Y-%m-%dT%H:%M:%SZ", clock_wall_s());
	n = snprintf(text, sizeof text, "rpc_server: %s %s\n", when, line);
	if (n >= (int)sizeof text) {
		n = sizeof text - 1;
		text[n - 1] = '\n';
	}
	if (l->fd >= 0 && l->size + (uint64_t)n > l->most && l->size)
		turn(l);
	put = l->fd >= 0 ? write(l->fd, text, (size_t)n) : -1;
	if (put > 0)
		l->size += (uint64_t)put;
	if (put != n)
		say(text);
}
