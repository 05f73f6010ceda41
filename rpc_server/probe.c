/* One runner, asked before any client is there. */
#include "rpc_server/probe.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "rpc_server/proc.h"

enum { HELLO_MS = 5000, END_MS = 1000 };

static void
end(Proc *p)
{
	int status;

	proc_hang_up(p);
	for (int i = 0; p->pid && i < 10 * END_MS; i++) {
		if (proc_reap(p, &status))
			return;
		if (i == END_MS)
			proc_kill(p);
		clock_sleep_ns(100000);
	}
	if (p->pid)
		proc_abandon(p);
}

int
probe_sandbox(const char *program, uint64_t wanted, SandboxReport *out, Err *e)
{
	const Orders orders = {.word = PLAN_WORD, .probe = 1, .sandbox = wanted};
	struct pollfd line = {.events = POLLIN};
	int n, rc = ERR_DEVICE;
	Reply r;
	Proc p;

	*out = (SandboxReport){0};
	if (proc_spawn(&p, program, &orders, e))
		return e->code;
	line.fd = p.fd;
	do
		n = poll(&line, 1, HELLO_MS);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		rc = proc_receive(&p, &r);
	if (rc == OK && r.kind == REPLY_HELLO)
		*out = r.sandbox;
	else
		rc = err_set(e, ERR_DEVICE, "runner %s does not start", program);
	end(&p);
	return rc;
}

/* Why layer i is not there, or what there is to say about it; "" for nothing. */
static void
note(const SandboxReport *r, uint64_t wanted, unsigned i, char text[SANDBOX_WORDS_BYTES])
{
	*text = 0;
	if (!(wanted >> i & 1))
		snprintf(text, SANDBOX_WORDS_BYTES, "switched off");
	else if (r->why[i] == ENOPKG)
		snprintf(text, SANDBOX_WORDS_BYTES, "not in this build of rpc_server");
	else if (r->why[i] == ENOSYS)
		snprintf(text, SANDBOX_WORDS_BYTES, "the kernel does not know it");
	else if (r->why[i])
		snprintf(text, SANDBOX_WORDS_BYTES, "%.200s", strerror(r->why[i]));
	else if (!(r->active >> i & 1))
		snprintf(text, SANDBOX_WORDS_BYTES, "the runner does not start");
	else if (r->detail[i])
		snprintf(text, SANDBOX_WORDS_BYTES, "version %d", (int)r->detail[i]);
}

int
probe_describe(const SandboxReport *r, uint64_t wanted, DeviceInfo *d, Err *e)
{
	d->sandbox = r->active;
	d->sandbox_notes.v = calloc(SANDBOX_LAYERS, sizeof *d->sandbox_notes.v);
	if (!d->sandbox_notes.v)
		return err_set(e, ERR_NOMEM, "device: out of memory");
	for (unsigned i = 0; i < SANDBOX_LAYERS; i++) {
		char text[SANDBOX_WORDS_BYTES];

		note(r, wanted, i, text);
		d->sandbox_notes.v[i] = strdup(text);
		if (!d->sandbox_notes.v[i])
			return err_set(e, ERR_NOMEM, "device: out of memory");
		d->sandbox_notes.n = i + 1;
	}
	return OK;
}

int
probe_require(const SandboxReport *r, uint64_t required, const DeviceInfo *d, Err *e)
{
	uint64_t missing = required & ~r->active;
	Str s = {0};
	int rc = OK;

	for (unsigned i = 0; i < SANDBOX_LAYERS; i++)
		if (missing >> i & 1)
			str_printf(&s, "%s%s: %s", s.n ? "; " : "", sandbox_word(i),
				   d->sandbox_notes.v[i]);
	if (missing)
		rc = err_set(e, ERR_UNSUPPORTED, "the sandbox lacks what is required: %s",
			     str_get(&s));
	str_fini(&s);
	return rc;
}
