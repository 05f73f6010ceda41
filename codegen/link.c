/* The linker as a subprocess. HONE_LLD names it at build time; $HONE_LLD replaces it. */
#include "codegen/link.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { TEXT_MAX = 4096 };

static int
temporary_folder(char *path, size_t size, Err *e)
{
	const char *base = getenv("TMPDIR");

	snprintf(path, size, "%s/hone-link-XXXXXX", base && *base ? base : "/tmp");
	if (!mkdtemp(path))
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	return OK;
}

/* Runs the program and gives back what it wrote to stderr, cut to TEXT_MAX. */
static int
run(char **argv, char text[TEXT_MAX], Err *e)
{
	posix_spawn_file_actions_t actions;
	int pipe_fd[2], status = 0, rc;
	size_t n = 0;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC))
		return err_set(e, ERR_IO, "pipe: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipe_fd[1], STDERR_FILENO);
	rc = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_fd[1]);
	if (rc) {
		close(pipe_fd[0]);
		return err_set(e, ERR_IO, "cannot run the linker '%s': %s", argv[0], strerror(rc));
	}
	for (;;) {
		char chunk[512];
		ssize_t got = read(pipe_fd[0], chunk, sizeof chunk);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		if ((size_t)got > TEXT_MAX - 1 - n)
			got = (ssize_t)(TEXT_MAX - 1 - n);
		memcpy(text + n, chunk, (size_t)got);
		n += (size_t)got;
	}
	text[n] = 0;
	close(pipe_fd[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_set(e, ERR_INTERNAL, "%s failed: %.400s", argv[0], text);
	return OK;
}

static char **
arguments(const char *folder, int n, LinkKind kind, Arena *a)
{
	static const char *const image[] = {"-shared",
					    "--hash-style=sysv",
					    "--build-id=none",
					    "--no-undefined",
					    "-Bsymbolic",
					    "--threads=1",
					    "-z",
					    "noexecstack",
					    "--no-rosegment",
					    NULL};
	static const char *const object[] = {"-r", "--threads=1", NULL};
	const char *const *flag = kind == LINK_IMAGE ? image : object;
	const char *lld = getenv("HONE_LLD");
	VEC(char *) v = {0};

	vec_push(a, &v, arena_strdup(a, lld && *lld ? lld : HONE_LLD));
	for (; *flag; flag++)
		vec_push(a, &v, arena_strdup(a, *flag));
	vec_push(a, &v, arena_strdup(a, "-o"));
	vec_push(a, &v, arena_printf(a, "%s/out", folder));
	for (int i = 0; i < n; i++)
		vec_push(a, &v, arena_printf(a, "%s/%d.o", folder, i));
	vec_push(a, &v, NULL);
	return v.v;
}

int
link_objects(const LinkInput *in, int n, LinkKind kind, Arena *a, const void **bytes, size_t *size,
	     Err *e)
{
	char folder[512], text[TEXT_MAX], *data;
	int rc = temporary_folder(folder, sizeof folder, e);
	char **argv;

	if (rc)
		return rc;
	argv = arguments(folder, n, kind, a);
	for (int i = 0; i < n && !rc; i++)
		rc = file_write(arena_printf(a, "%s/%d.o", folder, i), in[i].bytes, in[i].size, e);
	if (!rc)
		rc = run(argv, text, e);
	if (!rc)
		rc = file_read(arena_printf(a, "%s/out", folder), (size_t)1 << 30, &data, size, e);
	if (!rc) {
		*bytes = arena_copy(a, data, *size);
		free(data);
	}
	for (int i = 0; i < n; i++)
		unlink(arena_printf(a, "%s/%d.o", folder, i));
	unlink(arena_printf(a, "%s/out", folder));
	rmdir(folder);
	return rc;
}
