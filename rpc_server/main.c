/* rpc_server: offers this machine to tuners. What an operator asks for is in settings.c, what a
 * client asks for in server.c. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/hardware.h"
#include "rpc_server/keys.h"
#include "rpc_server/log_file.h"
#include "rpc_server/notify.h"
#include "rpc_server/plan.h"
#include "rpc_server/runner_main.h"
#include "rpc_server/settings.h"

static const char usage[] =
	"usage: rpc_server --listen ADDRESS:PORT | --socket PATH | --stdio [SETTING]...\n"
	"       rpc_server --config FILE [SETTING]...\n"
	"       rpc_server --add-key NAME [--role ROLE] | --list-keys | --print-config\n"
	"Offers this machine to tuners: runs, checks and times the kernels they send.\n"
	"\n";

typedef struct Agent {
	Settings settings;
	LogFile log;
	Notify notify;
	bool made_key;
} Agent;

static void
help(void)
{
	fputs(usage, stdout);
	settings_help(stdout);
	printf("\nExit codes: 0 ended as asked, 2 usage, 3 not in this build, 4 address in use or\n"
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
	const Agent *a = self;
	FILE *out = a->settings.stdio ? stderr : stdout;

	fprintf(out, "rpc_server " HONE_VERSION ": listening on %s\n", address);
	fflush(out);
	if (a->made_key)
		keys_tell(a->settings.keys, KEYS_FIRST, address);
	notify_say(&a->notify, "READY=1");
}

static void
note(void *self, const char *line)
{
	log_file_line(&((Agent *)self)->log, line);
}

static void
reopen_log(void *self)
{
	log_file_reopen(&((Agent *)self)->log);
}

static uint64_t
beat(void *self, uint64_t now)
{
	return notify_beat(&((Agent *)self)->notify, now);
}

static int
prepare_keys(Agent *a, Err *e)
{
	Settings *s = &a->settings;
	int rc;

	prctl(PR_SET_DUMPABLE, 0); /* keys go into no core file, and to no debugger */
	s->config.keys = s->keys;
	rc = keys_first(s->keys, &a->made_key, e);
	if (!rc) {
		printf("keys in %s:\n", s->keys);
		rc = keys_list(s->keys, e);
	}
	return rc;
}

/* A folder that was asked for must do; without the usual one, boards are still of use. */
static int
open_journal(Agent *a, Err *e)
{
	const Settings *s = &a->settings;
	JournalConfig c = {s->state, s->boot_id, a, s->config.note};
	char folder[FOLDER_MAX];
	Err why = {0};
	int rc;

	if (s->state)
		return journal_open(&c, &a->settings.config.journal, e);
	if (!s->listen)
		return OK;
	c.folder = folder;
	rc = folder_state("agent", folder, &why);
	if (!rc)
		rc = journal_open(&c, &a->settings.config.journal, &why);
	if (rc)
		fprintf(stderr, "rpc_server: warning: no journal: %s\n", why.msg);
	return OK;
}

static int
serve(Agent *a, Err *e)
{
	ServerConfig *c = &a->settings.config;
	char path[4096];
	int rc;

	if (!c->program) {
		if (!default_runner(path, sizeof path))
			return err_set(e, ERR_INPUT, "expected --runner PATH");
		c->program = path;
	}
	if (access(c->program, X_OK))
		return err_set(e, ERR_INPUT, "runner %s cannot be executed", c->program);
	if (!c->blob_bytes) {
		uint64_t quarter = hardware_free_memory() / 4;

		c->blob_bytes = quarter < 1u << 30 ? quarter : 1u << 30;
	}
	if (c->insecure)
		fprintf(stderr,
			"rpc_server: warning: no authentication: whoever reaches %s runs "
			"code as this user\n",
			c->address);
	rc = a->settings.listen && !c->insecure ? prepare_keys(a, e) : OK;
	if (rc)
		return rc;
	c->self = a;
	if (!a->settings.stdio) {
		c->note = note;
		c->hangup = reopen_log;
		c->due = beat;
	}
	signal(SIGPIPE, SIG_IGN);
	rc = log_file_open(&a->log, a->settings.log_file, a->settings.log_bytes, e);
	if (rc)
		return rc;
	rc = open_journal(a, e);
	if (rc == OK) {
		notify_open(&a->notify);
		rc = server_run(c, ready, e);
		notify_say(&a->notify, "STOPPING=1");
		notify_close(&a->notify);
	}
	journal_close(c->journal);
	log_file_close(&a->log);
	return rc;
}

static int
run(Agent *a, Err *e)
{
	const Settings *s = &a->settings;

	if (s->help)
		help();
	else if (s->version)
		printf("rpc_server " HONE_VERSION "\n");
	else if (s->print_config)
		settings_print(s, stdout);
	else if (s->add_key)
		return keys_add(s->keys, s->add_key, s->role ? s->role : "tune", e);
	else if (s->list_keys)
		return keys_list(s->keys, e);
	else
		return serve(a, e);
	return OK;
}

int
main(int argc, char **argv)
{
	Agent a = {0};
	Err e = {0};
	int rc;

	if (called_as_runner(argv[0]))
		return runner_main();
	signal(SIGXFSZ, SIG_IGN); /* a limit is an error like a full disk */
	settings_init(&a.settings);
	rc = settings_parse(&a.settings, argc, argv, &e);
	if (rc == OK)
		rc = run(&a, &e);
	if (rc)
		fprintf(stderr, "rpc_server: %s\n", e.msg);
	settings_fini(&a.settings);
	return err_exit_code(rc);
}
