/* hone device: the devices this user knows by name. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/plain.h"
#include "rpc_client/lease.h"
#include "rpc_client/place.h"

static int
read_stdin(char *text, size_t size, Err *e)
{
	size_t n = 0;
	ssize_t got;

	while (n < size && (got = read(STDIN_FILENO, text + n, size - n)) != 0) {
		if (got < 0 && errno != EINTR)
			return err_set(e, ERR_IO, "standard input: %s", strerror(errno));
		n += got > 0 ? (size_t)got : 0;
	}
	if (n == size)
		return err_set(e, ERR_INPUT, "standard input: longer than a key");
	text[n] = 0;
	return OK;
}

static int
take_key(KnownDevice *d, const char *path, Err *e)
{
	char text[2 * KEY_TEXT_MAX];
	int rc;

	d->keyed = true;
	if (strcmp(path, "-") != 0)
		return key_read(path, &d->key, e);
	rc = read_stdin(text, sizeof text, e);
	if (!rc)
		rc = key_parse(text, &d->key, e);
	explicit_bzero(text, sizeof text);
	return rc;
}

/* A key proves itself over TCP only; elsewhere the system or ssh says who it is. */
static int
check_key_use(const KnownDevice *d, Err *e)
{
	Place p;
	int rc = place_parse(d->address, &p, e);

	if (!rc && d->keyed && p.kind != PLACE_TCP)
		return err_set(e, ERR_INPUT, "--key: only for HOST:PORT, not %s", d->address);
	if (!rc && !d->keyed && p.kind == PLACE_TCP)
		fprintf(stderr,
			"hone device: warning: %s has no key: nobody proves who he is, nothing is "
			"encrypted; only an agent with --insecure-no-auth answers\n",
			d->address);
	return rc;
}

static int
run_add(const Args *a, Err *e)
{
	const char *path = args_text(a, "key", NULL);
	char print[FINGERPRINT_TEXT];
	KnownDevice d = {0};
	int rc;

	if (strlen(a->operand.v[0]) > KEY_NAME_MAX || strlen(a->operand.v[1]) >= ADDRESS_MAX)
		return err_set(e, ERR_INPUT, "name or address too long");
	strcpy(d.name, a->operand.v[0]);
	strcpy(d.address, a->operand.v[1]);
	rc = path ? take_key(&d, path, e) : OK;
	if (!rc)
		rc = check_key_use(&d, e);
	if (!rc)
		rc = registry_add(&d, args_has(a, "replace"), e);
	if (!rc && d.keyed) {
		key_fingerprint(&d.key, print);
		printf("%s: %s, key '%s', fingerprint %s\n", d.name, d.address, d.key.name, print);
	} else if (!rc) {
		printf("%s: %s\n", d.name, d.address);
	}
	known_wipe(&d);
	return rc;
}

static int
run_remove(const Args *a, Err *e)
{
	for (int i = 0; i < a->operand.n; i++) {
		int rc = registry_remove(a->operand.v[i], e);

		if (rc == NOT_APPLICABLE)
			return err_set(e, ERR_INPUT, "%.60s: no device of that name",
				       a->operand.v[i]);
		if (rc)
			return rc;
	}
	return OK;
}

/* --- list --- */

typedef struct Line {
	const char *name, *state;
	KnownDevice known;
	RpcClient *client; /* NULL: no answer */
	Err why;           /* then */
	pthread_t thread;
	bool asked; /* by that thread */
} Line;

static void *
ask(void *self)
{
	Line *l = self;
	int rc = registry_find(l->name, &l->known, &l->why);

	l->state = "damaged";
	if (rc)
		return NULL;
	rc = rpc_open(l->name, &l->client, &l->why);
	l->state = rc == OK ? "reachable" : rc == ERR_DENIED ? "refused key" : "unreachable";
	if (!rc && rpc_device(l->client)->insecure)
		l->state = "INSECURE";
	if (!rc && *rpc_device(l->client)->wedged)
		l->state = "WEDGED";
	return NULL;
}

static void
layers(uint64_t sandbox, char text[24])
{
	if (sandbox)
		snprintf(text, 24, "0x%llx", (unsigned long long)sandbox);
	else
		snprintf(text, 24, "none");
}

enum { HELD_BYTES = 96 };

/* "alice for 3 min, 2 wait, draining" */
static void
print_holder(const DeviceInfo *i, char text[HELD_BYTES])
{
	char since[24] = "", queue[24] = "";

	if (i->lease_epoch)
		snprintf(since, sizeof since, " for %u min", i->lease_held_s / 60);
	if (i->lease_queue)
		snprintf(queue, sizeof queue, ", %u wait", i->lease_queue);
	snprintf(text, HELD_BYTES, "%.24s%s%s%s", *i->holder ? i->holder : "nobody", since, queue,
		 i->draining ? ", draining" : "");
}

static void
print_line(const Line *l)
{
	const DeviceInfo *i = l->client ? rpc_device(l->client) : NULL;
	char load[24] = "", sandbox[24] = "", cores[12] = "", held[HELD_BYTES] = "";

	if (i) {
		snprintf(load, sizeof load, "%.2f", i->load);
		snprintf(cores, sizeof cores, "%u", i->cores);
		print_holder(i, held);
		layers(i->sandbox, sandbox);
	}
	printf("%-14s %-12s %-24s %-28.28s %5s %6s %-12s %s\n", l->name, l->state, l->known.address,
	       i ? i->cpu : "", cores, load, sandbox, held);
}

static void
line_json(const Line *l, Json *all)
{
	const DeviceInfo *i = l->client ? rpc_device(l->client) : NULL;
	Json *one = json_object(all, NULL);

	json_text(one, "name", l->name);
	json_text(one, "address", l->known.address);
	json_text(one, "state", l->state);
	json_bool(one, "key", l->known.keyed);
	if (!i)
		return;
	json_text(one, "device", i->name);
	json_text(one, "cpu", i->cpu);
	json_text(one, "arch", i->arch);
	json_number(one, "cores", i->cores);
	json_number(one, "load", i->load);
	json_text(one, "holder", i->holder);
	json_number(one, "held_s", i->lease_held_s);
	json_number(one, "lease", (double)i->lease_epoch);
	json_number(one, "queue", i->lease_queue);
	json_bool(one, "draining", i->draining);
	json_number(one, "waiting", i->waiting);
	json_number(one, "sandbox", (double)i->sandbox);
	json_bool(one, "insecure", i->insecure);
	json_text(one, "wedged", i->wedged);
	json_number(one, "poisoned", i->poisoned);
	json_text(one, "role", i->role);
	json_text(one, "version", i->version);
}

/* All at once, so that those who do not answer are waited for once. */
static int
list(char *const *name, int n, Json *all, Err *e)
{
	Line *line = calloc((size_t)n + 1, sizeof *line);

	if (!line)
		return err_set(e, ERR_NOMEM, "devices: out of memory");
	for (int i = 0; i < n; i++) {
		line[i].name = name[i];
		line[i].asked = !pthread_create(&line[i].thread, NULL, ask, &line[i]);
	}
	for (int i = 0; i < n; i++) {
		Line *l = &line[i];

		if (l->asked)
			pthread_join(l->thread, NULL);
		else
			ask(l);
		if (all)
			line_json(l, all);
		else
			print_line(l);
		fflush(stdout);
		if (l->why.code)
			plain_note("hone device: %s", l->why.msg);
		rpc_close(l->client);
		known_wipe(&l->known);
	}
	free(line);
	return OK;
}

static int
run_list(const Args *a, Err *e)
{
	Json *all = args_has(a, "json") ? json_array(NULL, NULL) : NULL;
	char **name;
	int n, rc = registry_names(&name, &n, e);

	if (!rc && !all && n)
		printf("%-14s %-12s %-24s %-28s %5s %6s %-12s %s\n", "name", "state", "address",
		       "cpu", "cores", "load", "sandbox", "held by");
	if (!rc)
		rc = list(name, n, all, e);
	for (int i = 0; i < n; i++)
		free(name[i]);
	free(name);
	if (!rc && all)
		json_out(all);
	else
		json_free(all);
	return rc;
}

/* --- who looks after a device --- */

static int
run_drain(const Args *a, Err *e)
{
	bool on = !args_has(a, "off");
	RpcClient *c;
	int rc = rpc_open(a->operand.v[0], &c, e);

	if (!rc)
		rc = rpc_drain(c, on, e);
	if (!rc && on && rpc_device(c)->lease_epoch)
		printf("%s: drained when %s ends\n", a->operand.v[0], rpc_device(c)->holder);
	else if (!rc)
		printf("%s: %s\n", a->operand.v[0], on ? "drained" : "in use again");
	rpc_close(c);
	return rc;
}

/* Who is kicked is who was seen: a later holder is not. */
static int
run_kick(const Args *a, Err *e)
{
	const char *why = args_text(a, "why", ""), *name = a->operand.v[0];
	bool all = args_has(a, "all");
	const DeviceInfo *d;
	RpcClient *c;
	int rc = rpc_open(name, &c, e);

	if (rc)
		return rc;
	d = rpc_device(c);
	if (!d->lease_epoch && !(all && d->lease_queue))
		rc = err_set(e, ERR_INPUT, "%.60s: nobody holds it", name);
	else
		rc = rpc_kick(c, d->lease_epoch, all, why, e);
	if (!rc)
		printf("%s: lease %llu of %s is over\n", name, (unsigned long long)d->lease_epoch,
		       *d->holder ? d->holder : "nobody");
	rpc_close(c);
	return rc;
}

static const ArgOption drain_options[] = {
	{.name = "off", .help = "leases begin again"},
	{0},
};

static const ArgOption kick_options[] = {
	{.name = "all", .help = "those who wait lose their place too"},
	{.name = "why", .kind = ARG_TEXT, .value = "TEXT", .help = "they are told"},
	{0},
};

static const ArgOption add_options[] = {
	{.name = "key",
	 .kind = ARG_TEXT,
	 .value = "FILE",
	 .help = "the key that the agent made, mode 0600; - reads it from standard input"},
	{.name = "replace", .help = "also when there is a device of that name"},
	{0},
};

static const ArgOption list_options[] = {
	{.name = "json", .help = "print JSON"},
	{0},
};

static const Command device_add = {
	.name = "add",
	.summary = "Give a device a name, and the key that opens it",
	.operands = "NAME ADDRESS",
	.min = 2,
	.max = 2,
	.text = "ADDRESS is HOST:PORT, a path of a socket, ssh:HOST or ssh:HOST:PROGRAM (runs\n"
		"`rpc_server --stdio` there), or exec:COMMAND, whose standard input and output "
		"lead\n"
		"to an agent. The key is copied; the file is not needed any more.",
	.option = add_options,
	.run = run_add,
};

static const Command device_list = {
	.name = "list",
	.summary = "Ask every known device how it is and who uses it",
	.option = list_options,
	.run = run_list,
};

static const Command device_remove = {
	.name = "remove",
	.summary = "Forget devices; their keys stay valid until they are deleted on the device",
	.operands = "NAME...",
	.min = 1,
	.max = 1 << 10,
	.run = run_remove,
};

static const Command device_drain = {
	.name = "drain",
	.summary = "Let nobody come to hold a device; who holds it ends by himself",
	.operands = "NAME|ADDRESS",
	.min = 1,
	.max = 1,
	.text = "It lasts until --off, or until the agent is started again. Who asks meanwhile "
		"waits.",
	.option = drain_options,
	.run = run_drain,
};

static const Command device_kick = {
	.name = "kick",
	.summary = "Take a device away from who holds it",
	.operands = "NAME|ADDRESS",
	.min = 1,
	.max = 1,
	.text = "A tuner that is sent away asks again and goes on behind those who wait; `hone "
		"device\n"
		"drain` before keeps it out. What it had measured is in its log.",
	.option = kick_options,
	.run = run_kick,
};

static const Command *const commands[] = {&device_add,   &device_list, &device_remove,
					  &device_drain, &device_kick, NULL};

const Command cmd_device = {
	.name = "device",
	.summary = "Name devices, keep their keys, see how they are",
	.sub = commands,
};
