/* The linker as a subprocess. HONE_LLD names it at build time; $HONE_LLD replaces it. Objects lie
 * in files without a name, which it opens through its own descriptors, and it writes to its
 * standard output: nothing is left on a disk, however this process ends. */
#include "codegen/link.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codegen/join.h"

extern char **environ;

enum { TEXT_MAX = 4096, FIRST_FD = 10 };

/* Files of a run: file[i] is descriptor FIRST_FD + i of the linker, out its standard output. */
typedef struct Files {
	int *file, n, out;
} Files;

static int
spawn(char **argv, const Files *f, int err, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc)
		return rc;
	rc = posix_spawn_file_actions_adddup2(&actions, f->out, STDOUT_FILENO);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
	for (int i = 0; i < f->n && !rc; i++)
		rc = posix_spawn_file_actions_adddup2(&actions, f->file[i], FIRST_FD + i);
	if (!rc)
		rc = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* Runs the program; text is what it wrote to stderr, cut to TEXT_MAX. */
static int
run(char **argv, const Files *f, char text[TEXT_MAX], Err *e)
{
	int pipe_fd[2], status = 0, rc;
	size_t n = 0;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC))
		return err_set(e, ERR_IO, "pipe: %s", strerror(errno));
	rc = spawn(argv, f, pipe_fd[1], &pid);
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

/* The program to run. */
static char *
linker(Arena *a)
{
	const char *lld = getenv("HONE_LLD");

	return arena_strdup(a, lld && *lld ? lld : HONE_LLD);
}

static char **
arguments(int n, LinkKind kind, Arena *a)
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
	VEC(char *) v = {0};

	vec_push(a, &v, linker(a));
	for (; *flag; flag++)
		vec_push(a, &v, arena_strdup(a, *flag));
	vec_push(a, &v, arena_strdup(a, "-o"));
	vec_push(a, &v, arena_strdup(a, "-"));
	for (int i = 0; i < n; i++)
		vec_push(a, &v, arena_printf(a, "/proc/self/fd/%d", FIRST_FD + i));
	vec_push(a, &v, NULL);
	return v.v;
}

/* A file without a name that holds these bytes; its number is beyond those of the linker, so that
 * none is overwritten while they are handed over. */
static int
file_new(const void *bytes, size_t size, int beyond, int *fd, Err *e)
{
	int made = memfd_create("hone-link", MFD_CLOEXEC);

	*fd = made < 0 ? -1 : fcntl(made, F_DUPFD_CLOEXEC, beyond);
	if (made >= 0)
		close(made);
	return *fd < 0 || !fd_write(*fd, bytes, size)
		       ? err_set(e, ERR_IO, "file in memory: %s", strerror(errno))
		       : OK;
}

static int
read_result(int fd, Arena *a, const void **bytes, size_t *size, Err *e)
{
	struct stat s;
	void *map;

	if (fstat(fd, &s) || s.st_size == 0)
		return err_set(e, ERR_INTERNAL, "the linker wrote nothing");
	map = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return err_set(e, ERR_IO, "result of the linker: %s", strerror(errno));
	*size = (size_t)s.st_size;
	*bytes = arena_copy(a, map, *size);
	munmap(map, *size);
	return OK;
}

static int
run_linker(const LinkInput *in, int n, LinkKind kind, Arena *a, const void **bytes, size_t *size,
	   Err *e)
{
	Files f = {.file = ARENA_ARRAY(a, int, n + 1)};
	char text[TEXT_MAX];
	int rc = file_new(NULL, 0, FIRST_FD + n, &f.out, e);

	for (; f.n < n && !rc; f.n++)
		rc = file_new(in[f.n].bytes, in[f.n].size, FIRST_FD + n, &f.file[f.n], e);
	if (!rc)
		rc = run(arguments(n, kind, a), &f, text, e);
	if (!rc)
		rc = read_result(f.out, a, bytes, size, e);
	for (int i = 0; i < f.n; i++)
		if (f.file[i] >= 0)
			close(f.file[i]);
	if (f.out >= 0)
		close(f.out);
	return rc;
}

int
link_objects(const LinkInput *in, int n, LinkKind kind, Arena *a, const void **bytes, size_t *size,
	     Err *e)
{
	if (kind == LINK_IMAGE && !join_objects(in, n, a, bytes, size))
		return OK;
	return run_linker(in, n, kind, a, bytes, size, e);
}

static int
line_length(const char *text, size_t size)
{
	const char *end = memchr(text, '\n', size);

	return (int)(end ? (size_t)(end - text) : size);
}

int
link_version(Arena *a, const char **text, Err *e)
{
	char *argv[] = {linker(a), arena_strdup(a, "--version"), NULL}, said[TEXT_MAX];
	const void *bytes;
	size_t size;
	Files f = {0};
	int rc = file_new(NULL, 0, FIRST_FD, &f.out, e);

	if (!rc)
		rc = run(argv, &f, said, e);
	if (!rc)
		rc = read_result(f.out, a, &bytes, &size, e);
	if (!rc)
		*text = arena_printf(a, "%.*s", line_length(bytes, size), (const char *)bytes);
	if (f.out >= 0)
		close(f.out);
	return rc;
}
