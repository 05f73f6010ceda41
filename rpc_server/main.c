/* rpc_server: offers this machine to tuners. Options here, everything else in server.c. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/folders.h"
#include "base/hardware.h"
#include "base/str.h"
#include "rpc_server/keys.h"
#include "rpc_server/plan.h"
#include "rpc_server/runner_main.h"
#include "rpc_server/server.h"
#include "trust/channel.h"
#include "wire/sandbox.h"

static const char usage[] =
	"usage: rpc_server --listen ADDRESS:PORT | --socket PATH | --stdio\n"
	"       rpc_server --add-key NAME [--role ROLE] | --list-keys\n"
	"Offers this machine to tuners: runs, checks and times the kernels they send.\n"
	"\n"
	"  --listen ADDR:PORT   listen on TCP, encrypted, for those who hold a key\n"
	"  --socket PATH        listen on a Unix socket that only this user may use\n"
	"  --stdio              serve the one client at standard input and output, as over ssh\n"
	"  --insecure-no-auth   TCP without keys: whoever reaches the port runs code here\n"
	"  --keys DIR           where keys lie; default: $XDG_STATE_HOME/hone/keys, or\n"
	"                       /var/lib/hone/keys for root. Deleting NAME.key revokes it\n"
	"  --add-key NAME       make a key and say what to do with it\n"
	"  --role ROLE          of that key: tune (default), or read-only\n"
	"  --list-keys          names, roles and fingerprints\n"
	"  --runner PATH        the program that runs kernels; default: this one, called "
	"as " RUNNER_NAME "\n"
	"  --name NAME          how to call this device; default: the host's name\n"
	"  --core N             keep kernels on processor N\n"
	"  --sandbox LIST       layers to run kernels in, where there are: 'all' (default), "
	"'none',\n"
	"                       or words as hone doctor prints them: all,-pid-ns\n"
	"  --require-sandbox LIST   do not start, and run nothing, without these\n"
	"  --blob-bytes N       memory for uploaded data; default: the lesser of 1 GiB and a "
	"quarter\n"
	"                       of what is free\n";

/* Places of the limits in their list. */
enum {
#define X(field, option, usual, least, most, text) LIMIT_##field,
	LIMIT_LIST(X)
#undef X
};

enum {
	OPT_SOCKET = 1,
	OPT_LISTEN,
	OPT_INSECURE,
	OPT_KEYS,
	OPT_ADD_KEY,
	OPT_ROLE,
	OPT_LIST_KEYS,
	OPT_RUNNER,
	OPT_NAME,
	OPT_CORE,
	OPT_BLOB_BYTES,
	OPT_SANDBOX,
	OPT_REQUIRE_SANDBOX,
	OPT_STDIO,
	OPT_HELP,
	OPT_VERSION,
	OPT_LIMIT = 1000 /* and what follows: the limits in their order; getopt says 63 */
};

static const struct option options[] = {
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"listen", required_argument, NULL, OPT_LISTEN},
	{"insecure-no-auth", no_argument, NULL, OPT_INSECURE},
	{"keys", required_argument, NULL, OPT_KEYS},
	{"add-key", required_argument, NULL, OPT_ADD_KEY},
	{"role", required_argument, NULL, OPT_ROLE},
	{"list-keys", no_argument, NULL, OPT_LIST_KEYS},
	{"runner", required_argument, NULL, OPT_RUNNER},
	{"name", required_argument, NULL, OPT_NAME},
	{"core", required_argument, NULL, OPT_CORE},
	{"blob-bytes", required_argument, NULL, OPT_BLOB_BYTES},
	{"sandbox", required_argument, NULL, OPT_SANDBOX},
	{"require-sandbox", required_argument, NULL, OPT_REQUIRE_SANDBOX},
	{"stdio", no_argument, NULL, OPT_STDIO},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
#define X(field, option, usual, least, most, text) \
	{option, required_argument, NULL, OPT_LIMIT + LIMIT_##field},
	LIMIT_LIST(X)
#undef X
		{0},
};

static const struct {
	const char *option, *text;
	uint32_t usual, least, most;
	size_t offset;
} limits[] = {
#define X(field, option, usual, least, most, text) \
	{option, text, usual, least, most, offsetof(Limits, field)},
	LIMIT_LIST(X)
#undef X
};
enum { LIMITS = sizeof limits / sizeof *limits };

typedef struct Args {
	ServerConfig config;
	const char *socket, *listen, *keys, *add_key, *role;
	bool stdio, list_keys, help, version;
	bool made_key;
	char folder[FOLDER_MAX];
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

static uint32_t *
limit_of(Args *a, int i)
{
	return (uint32_t *)(void *)((char *)&a->config.limits + limits[i].offset);
}

static int
take_limit(Args *a, int i, Err *e)
{
	uint64_t n;
	int rc = parse_number(optarg, limits[i].most, &n, e);

	if (!rc && n < limits[i].least)
		rc = err_set(e, ERR_INPUT, "--%s %s: expected %u to %u", limits[i].option, optarg,
			     limits[i].least, limits[i].most);
	if (!rc)
		*limit_of(a, i) = (uint32_t)n;
	return rc;
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
	case OPT_KEYS: a->keys = optarg; break;
	case OPT_ADD_KEY: a->add_key = optarg; break;
	case OPT_ROLE: a->role = optarg; break;
	case OPT_LIST_KEYS: a->list_keys = true; break;
	case OPT_RUNNER: a->config.program = optarg; break;
	case OPT_NAME: a->config.name = optarg; break;
	case OPT_CORE:
		rc = parse_number(optarg, 1023, &n, e);
		a->config.core = (int)n;
		break;
	case OPT_BLOB_BYTES:
		rc = parse_number(optarg, SIZE_MAX / 2, &a->config.blob_bytes, e);
		break;
	case OPT_SANDBOX: rc = sandbox_parse(optarg, &a->config.sandbox, e); break;
	case OPT_REQUIRE_SANDBOX: rc = sandbox_parse(optarg, &a->config.sandbox_required, e); break;
	case OPT_STDIO: a->stdio = true; break;
	case OPT_HELP: a->help = true; break;
	case OPT_VERSION: a->version = true; break;
	default:
		rc = option >= OPT_LIMIT ? take_limit(a, option - OPT_LIMIT, e)
					 : err_set(e, ERR_INPUT, "try --help");
	}
	return rc;
}

/* What was asked for is one thing, and it is complete. */
static int
check_job(const Args *a, Err *e)
{
	if (!!a->socket + !!a->listen + a->stdio + !!a->add_key + a->list_keys != 1)
		return err_set(e, ERR_INPUT,
			       "expected --listen ADDRESS:PORT or --socket PATH or --stdio");
	if (a->role && !a->add_key)
		return err_set(e, ERR_INPUT, "--role goes with --add-key");
	if (a->config.insecure && !a->listen)
		return err_set(e, ERR_INPUT, "--insecure-no-auth goes with --listen");
	if (a->listen && (strchr(a->listen, '/') || !strchr(a->listen, ':')))
		return err_set(e, ERR_INPUT, "--listen %.100s: expected ADDRESS:PORT", a->listen);
	if (a->listen && !a->config.insecure && !channel_supported())
		return err_set(e, ERR_UNSUPPORTED,
			       "--listen needs a key: without one, whoever reaches the port runs "
			       "code on this machine. This build knows no keys (HONE_TLS=OFF); use "
			       "--socket or --stdio, or --insecure-no-auth on a network where that "
			       "is fine");
	if (a->socket && strchr(a->socket, ':') && !strchr(a->socket, '/'))
		return err_set(e, ERR_INPUT, "--socket %.100s: write ./%.100s if that is a path",
			       a->socket, a->socket);
	return OK;
}

static int
parse(int argc, char **argv, Args *a, Err *e)
{
	int option, rc = OK;

	for (int i = 0; i < LIMITS; i++)
		*limit_of(a, i) = limits[i].usual;
	while (rc == OK && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
		rc = take_option(a, option, e);
	if (rc || a->help || a->version)
		return rc;
	if (optind < argc)
		return err_set(e, ERR_INPUT, "'%.100s': not an option; try --help", argv[optind]);
	rc = check_job(a, e);
	a->config.address = a->socket ? a->socket : a->listen;
	if (rc || !((a->listen && !a->config.insecure) || a->add_key || a->list_keys))
		return rc;
	if (!a->keys)
		rc = folder_state("keys", a->folder, e);
	else if (snprintf(a->folder, sizeof a->folder, "%s", a->keys) >= (int)sizeof a->folder)
		rc = err_set(e, ERR_INPUT, "--keys: too long");
	return rc;
}

static void
help(void)
{
	fputs(usage, stdout);
	printf("\nLimits, each with its default:\n");
	for (int i = 0; i < LIMITS; i++)
		printf("  --%s N (%u): %s\n", limits[i].option, limits[i].usual, limits[i].text);
	printf("\n  --help, --version\n\n"
	       "Exit codes: 0 ended as asked, 2 usage, 3 not in this build, 4 address in use or\n"
	       "network failed, 5 internal\n");
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

/* Standard output belongs to the client where it is its connection. */
static void
ready(void *self, const char *address)
{
	const Args *a = self;
	FILE *out = a->stdio ? stderr : stdout;

	fprintf(out, "rpc_server " HONE_VERSION ": listening on %s\n", address);
	fflush(out);
	if (a->made_key)
		keys_tell(a->folder, KEYS_FIRST, address);
}

static void
note(const char *line)
{
	char when[32] = "";
	time_t now = time(NULL);
	struct tm t;

	if (gmtime_r(&now, &t))
		strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &t);
	fprintf(stderr, "rpc_server: %s %s\n", when, line);
}

static int
prepare_keys(Args *a, Err *e)
{
	int rc;

	prctl(PR_SET_DUMPABLE, 0); /* keys go into no core file, and to no debugger */
	a->config.keys = a->folder;
	rc = keys_first(a->folder, &a->made_key, e);
	if (!rc) {
		printf("keys in %s:\n", a->folder);
		rc = keys_list(a->folder, e);
	}
	return rc;
}

static int
serve(Args *a, Err *e)
{
	char path[4096];
	int rc;

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
	rc = a->listen && !a->config.insecure ? prepare_keys(a, e) : OK;
	if (rc)
		return rc;
	if (!a->stdio)
		a->config.note = note;
	signal(SIGPIPE, SIG_IGN);
	return server_run(&a->config, ready, a, e);
}

static int
run(Args *a, Err *e)
{
	if (a->help)
		help();
	else if (a->version)
		printf("rpc_server " HONE_VERSION "\n");
	else if (a->add_key)
		return keys_add(a->folder, a->add_key, a->role ? a->role : "tune", e);
	else if (a->list_keys)
		return keys_list(a->folder, e);
	else
		return serve(a, e);
	return OK;
}

int
main(int argc, char **argv)
{
	Args a = {.config = {.core = -1, .sandbox = SANDBOX_ALL}};
	Err e = {0};
	int rc;

	if (called_as_runner(argv[0]))
		return runner_main();
	rc = parse(argc, argv, &a, &e);
	if (rc == OK)
		rc = run(&a, &e);
	if (rc)
		fprintf(stderr, "rpc_server: %s\n", e.msg);
	return err_exit_code(rc);
}
