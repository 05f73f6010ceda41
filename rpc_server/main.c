/* rpc_server: offers this machine to tuners. Options here, everything else in server.c. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hardware.h"
#include "base/str.h"
#include "rpc_server/plan.h"
#include "rpc_server/runner_main.h"
#include "rpc_server/server.h"

static const char usage[] =
	"usage: rpc_server --socket PATH | --listen ADDRESS:PORT --insecure-no-auth | --stdin\n"
	"Offers this machine to tuners: runs, checks and times the kernels they send.\n"
	"\n"
	"  --socket PATH        listen on a Unix socket that only this user may use\n"
	"  --listen ADDR:PORT   listen on TCP; needs a key\n"
	"  --insecure-no-auth   do without the key: whoever reaches the port runs code here\n"
	"  --stdin              serve the one client whose socket is standard input, and end with "
	"it\n"
	"  --runner PATH        the program that runs kernels; default: this one, called "
	"as " RUNNER_NAME "\n"
	"  --name NAME          how to call this device; default: the host's name\n"
	"  --core N             keep kernels on processor N\n"
	"  --blob-bytes N       memory for uploaded data; default: the lesser of 1 GiB and a "
	"quarter\n"
	"                       of what is free\n"
	"  --help, --version\n"
	"\n"
	"Exit codes: 0 ended as asked, 2 usage, 4 address in use or network failed, 5 internal\n";

enum {
	OPT_SOCKET = 1,
	OPT_LISTEN,
	OPT_INSECURE,
	OPT_RUNNER,
	OPT_NAME,
	OPT_CORE,
	OPT_BLOB_BYTES,
	OPT_STDIN,
	OPT_HELP,
	OPT_VERSION
};

static const struct option options[] = {
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"listen", required_argument, NULL, OPT_LISTEN},
	{"insecure-no-auth", no_argument, NULL, OPT_INSECURE},
	{"runner", required_argument, NULL, OPT_RUNNER},
	{"name", required_argument, NULL, OPT_NAME},
	{"core", required_argument, NULL, OPT_CORE},
	{"blob-bytes", required_argument, NULL, OPT_BLOB_BYTES},
	{"stdin", no_argument, NULL, OPT_STDIN},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0},
};

typedef struct Args {
	ServerConfig config;
	const char *socket, *listen;
	bool stdin_client;
	const char *print; /* instead of serving */
} Args;

static int
parse_number(const char *text, uint64_t most, uint64_t *n, Err *e)
{
	char *end;

	*n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || *n > most)
		return err_set(e, ERR_INPUT, "'%.100s': expected a number up to %llu", text,
			       (unsigned long long)most);
	return OK;
}

static int
take_option(Args *a, int option, Err *e)
{
	uint64_t n;
	int rc = OK;

	switch (option) {
	case OPT_SOCKET: a->socket = optarg; break;
	case OPT_LISTEN: a->listen = optarg; break;
	case OPT_INSECURE: a->config.insecure = true; break;
	case OPT_RUNNER: a->config.program = optarg; break;
	case OPT_NAME: a->config.name = optarg; break;
	case OPT_CORE:
		rc = parse_number(optarg, 1023, &n, e);
		a->config.core = (int)n;
		break;
	case OPT_BLOB_BYTES:
		rc = parse_number(optarg, SIZE_MAX / 2, &a->config.blob_bytes, e);
		break;
	case OPT_STDIN: a->stdin_client = true; break;
	case OPT_HELP: a->print = usage; break;
	case OPT_VERSION: a->print = "rpc_server " HONE_VERSION "\n"; break;
	default: rc = err_set(e, ERR_INPUT, "try --help");
	}
	return rc;
}

static int
parse(int argc, char **argv, Args *a, Err *e)
{
	int option, rc = OK;

	while (rc == OK && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
		rc = take_option(a, option, e);
	if (rc || a->print)
		return rc;
	if (optind < argc)
		return err_set(e, ERR_INPUT, "'%.100s': not an option; try --help", argv[optind]);
	if (!!a->socket + !!a->listen + a->stdin_client != 1)
		return err_set(e, ERR_INPUT,
			       "expected --socket PATH or --listen ADDRESS:PORT or --stdin");
	if (a->listen && !a->config.insecure)
		return err_set(e, ERR_INPUT,
			       "--listen needs a key: without one, whoever reaches the port runs "
			       "code on this machine. This version knows no keys; use --socket, or "
			       "--insecure-no-auth on a network where that is fine");
	if (a->listen && (strchr(a->listen, '/') || !strchr(a->listen, ':')))
		return err_set(e, ERR_INPUT, "--listen %.100s: expected ADDRESS:PORT", a->listen);
	if (a->socket && strchr(a->socket, ':') && !strchr(a->socket, '/'))
		return err_set(e, ERR_INPUT, "--socket %.100s: write ./%.100s if that is a path",
			       a->socket, a->socket);
	a->config.address = a->socket ? a->socket : a->listen;
	return OK;
}

/* This program; false when that cannot be told. */
static bool
default_runner(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size);

	if (n < 0 || (size_t)n >= size)
		return false;
	path[n] = 0;
	return true;
}

static bool
called_as_runner(const char *program)
{
	const char *slash = program ? strrchr(program, '/') : NULL;

	return program && !strcmp(slash ? slash + 1 : program, RUNNER_NAME);
}

static void
ready(const char *address)
{
	printf("rpc_server " HONE_VERSION ": listening on %s\n", address);
	fflush(stdout);
}

static int
serve(Args *a, Err *e)
{
	char path[4096];

	if (!a->config.program) {
		if (!default_runner(path, sizeof path))
			return err_set(e, ERR_INPUT, "expected --runner PATH");
		a->config.program = path;
	}
	if (access(a->config.program, X_OK))
		return err_set(e, ERR_INPUT, "runner %s cannot be executed", a->config.program);
	if (!a->config.blob_bytes) {
		uint64_t quarter = hardware_free_memory() / 4;

		a->config.blob_bytes = quarter < 1u << 30 ? quarter : 1u << 30;
	}
	if (a->config.insecure)
		fprintf(stderr,
			"rpc_server: warning: no authentication: whoever reaches %s runs "
			"code as this user\n",
			a->config.address);
	signal(SIGPIPE, SIG_IGN);
	return server_run(&a->config, ready, e);
}

int
main(int argc, char **argv)
{
	Args a = {.config = {.core = -1}};
	Err e = {0};
	int rc;

	if (called_as_runner(argv[0]))
		return runner_main();
	rc = parse(argc, argv, &a, &e);
	if (rc == OK && a.print) {
		fputs(a.print, stdout);
		return 0;
	}
	if (rc == OK)
		rc = serve(&a, &e);
	if (rc)
		fprintf(stderr, "rpc_server: %s\n", e.msg);
	return err_exit_code(rc);
}
