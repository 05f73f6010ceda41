/* hone: finds the subcommand, parses its arguments, runs it, turns its error into an exit status.
 * Results go to stdout, messages to stderr. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/plain.h"

static const Command *const commands[] = {
#define X(name) &cmd_##name,
	COMMAND_LIST(X)
#undef X
		NULL,
};

static const ArgOption options[] = {
	{.name = "version", .help = "print the version"},
	{0},
};

static const Command hone = {
	.name = "hone",
	.summary = "Turns ONNX models into native libraries tuned on the device they run on",
	.text = "Exit status: 0 ok; 1 a check failed; 2 usage or bad input; 3 the model needs\n"
		"something unsupported; 4 device or network; 5 internal error. Of regress: 6\n"
		"inconclusive; 7 wrong result or crash.",
	.sub = commands,
	.option = options,
};

static const Command *
find_sub(const Command *c, const char *name)
{
	for (int i = 0; c->sub[i]; i++)
		if (!strcmp(c->sub[i]->name, name))
			return c->sub[i];
	return NULL;
}

/* Runs c on argv; path is how it was reached and grows while going down to a subcommand. */
static int
dispatch(const Command *c, char path[64], int argc, char **argv, Arena *arena, Err *e)
{
	size_t n = strlen(path);
	const Command *sub = c->sub && argc ? find_sub(c, argv[0]) : NULL;
	Args args;
	int rc;

	if (c->sub && !c->run && !sub && argc && argv[0][0] != '-')
		return err_set(e, ERR_INPUT, "no command '%s'; --help lists them", argv[0]);
	if (sub) {
		snprintf(path + n, 64 - n, " %s", sub->name);
		return dispatch(sub, path, argc - 1, argv + 1, arena, e);
	}
	rc = args_parse(&args, c, arena, argc, argv, e);
	if (rc)
		return rc;
	if (args.help) {
		args_help(c, path, stdout);
		return OK;
	}
	if (c == &hone && args_has(&args, "version")) {
		printf("hone %s\n", HONE_VERSION);
		return OK;
	}
	if (!c->run)
		return err_set(e, ERR_INPUT, "which command? --help lists them");
	return c->run(&args, e);
}

static bool
reader_left(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&p, 1, 0) > 0 && p.revents & POLLERR;
}

/* Whether everything written to stdout got there. A reader that went away is its own affair. */
static int
flush_output(Err *e)
{
	errno = 0; /* of a write that failed earlier nobody knows the reason */
	if ((!fflush(stdout) && !ferror(stdout)) || reader_left())
		return OK;
	return err_set(e, ERR_IO, "standard output: %s",
		       errno ? strerror(errno) : "not everything was written");
}

enum { KEPT_BYTES = 1 << 29, MAPPED_BYTES = 1 << 25 };

/* Searches make and drop Spaces and modules of some MB all the time; memory that went back to the
 * system in between would be cleared anew, page by page. */
static void
keep_memory(void)
{
#if defined(M_TRIM_THRESHOLD)
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
#endif
}

int
main(int argc, char **argv)
{
	char path[64] = "hone";
	Err e = {0};
	Arena *arena;
	int rc;

	keep_memory();
	arena = arena_new();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit is an error like a full disk */
	rc = dispatch(&hone, path, argc - 1, argv + 1, arena, &e);
	if (!rc)
		rc = flush_output(&e);
	if (rc)
		plain_note("%s: %s", path, *e.msg ? e.msg : err_text(rc));
	arena_free(arena);
	return err_exit_code(rc);
}
