/* What the agent says of its device when it starts. */
#include "rpc_server/describe.h"

#include <stdlib.h>
#include <string.h>

#include "rpc_server/cold.h"
#include "rpc_server/probe.h"
#include "rpc_server/runner.h"
#include "wire/message.h"

int
describe_device(const ServerConfig *c, DeviceInfo *d, Err *e)
{
	const Runner *r;
	int rc = hardware_read("", c->core, d, e);

	if (rc)
		return rc;
	if (c->name) {
		free(d->name);
		d->name = strdup(c->name);
	}
	d->version = strdup(HONE_VERSION);
	d->protocol = PROTOCOL_VERSION;
	d->insecure = c->insecure;
	d->streams = COLD_COPIES;
	while (runner_at(d->runners.n))
		d->runners.n++;
	d->runners.v = calloc(d->runners.n, sizeof *d->runners.v);
	for (unsigned i = 0; d->runners.v && (r = runner_at(i)); i++)
		d->runners.v[i] = strdup(r->name);
	if (!d->name || !d->version || !d->runners.v || !d->runners.v[d->runners.n - 1])
		return err_set(e, ERR_NOMEM, "device: out of memory");
	return OK;
}

int
describe_sandbox(const ServerConfig *c, DeviceInfo *d, Err *e)
{
	SandboxReport report;
	Err ignored = {0};
	int rc;

	probe_sandbox(c->program, c->sandbox, &report, &ignored);
	rc = probe_describe(&report, c->sandbox, d, e);
	return rc ? rc : probe_require(&report, c->sandbox_required, d, e);
}
