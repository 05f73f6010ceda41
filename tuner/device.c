/* Parcels in flight and what to do when the connection breaks.
 *
 * Invariants: batch ids are never used twice, so results of a connection that is gone cannot be
 * mistaken; a parcel is sent at most ATTEMPTS times, then what is missing counts as LOST. What the
 * agent itself calls lost is sent again when its batch is done. */
#include "tuner/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { ATTEMPTS = 3, OPEN_TRIES = 20, OPEN_PAUSE_MS = 100, RECONNECT_MS = 60000 };

/* The agent may be just about to start, or to be replaced: two seconds are given to it. */
int
device_open(Device *d, const char *address, const char *server_path, DeviceHooks hooks, Err *e)
{
	Err own = {0};
	int rc = ERR_DEVICE;

	*d = (Device){.hooks = hooks};
	for (int i = 0; i < OPEN_TRIES && rc == ERR_DEVICE; i++) {
		if (i)
			clock_sleep_ns(OPEN_PAUSE_MS * 1000000ull);
		own = (Err){0};
		rc = address ? rpc_open(address, &d->client, &own)
			     : rpc_start_local(server_path, &d->client, &own);
	}
	return rc ? err_set(e, rc, "%s", own.msg) : OK;
}

void
device_close(Device *d)
{
	rpc_close(d->client);
	for (int i = 0; i < d->nflight; i++)
		parcel_free(d->flight[i]);
	*d = (Device){0};
}

const DeviceInfo *
device_info(const Device *d)
{
	return rpc_device(d->client);
}

int
device_calibrate(Device *d, Calibration *out, Err *e)
{
	return rpc_calibrate(d->client, d->hooks.stop, d->hooks.self, out, e);
}

/* Sends what is missing of a parcel as a batch of its own. */
static int
submit(Device *d, Parcel *p, Err *e)
{
	Batch b = p->batch;
	int rc = OK;

	b.id = p->batch_id = ++d->last_batch;
	b.candidates.n = 0;
	b.candidates.v = malloc(p->batch.candidates.n * sizeof *b.candidates.v);
	if (!b.candidates.v)
		return err_set(e, ERR_NOMEM, "batch");
	for (uint32_t i = 0; i < p->batch.candidates.n; i++)
		if (!p->item[p->batch.candidates.v[i].id].back)
			b.candidates.v[b.candidates.n++] = p->batch.candidates.v[i];
	p->attempts++;
	for (int i = 0; i < p->blob.n && !rc; i++)
		rc = rpc_put_blob(d->client, p->blob.v[i].data, p->blob.v[i].size, NULL, e);
	if (!rc)
		rc = rpc_submit(d->client, &b, e);
	free(b.candidates.v);
	return rc;
}

/* Sends again what is missing of a parcel; what cannot be had is settled. Errors: ERR_DEVICE. */
static int
send_again(Device *d, Parcel *p, Err *e)
{
	Err own = {0};

	if (p->attempts < ATTEMPTS) {
		parcel_forget(p);
		if (!submit(d, p, &own))
			return OK;
		if (own.code == ERR_DEVICE)
			return err_set(e, ERR_DEVICE, "%s", own.msg);
	}
	p->attempts = ATTEMPTS;
	for (int i = 0; i < p->n; i++)
		if (!p->item[i].back)
			parcel_settle(p, i, STATUS_LOST,
				      own.code ? own.msg : "it was lost each time it was sent");
	return OK;
}

/* Whether nothing more will come for a parcel, or is worth another attempt. */
static bool
is_settled(const Parcel *p)
{
	return parcel_complete(p) && (p->attempts >= ATTEMPTS || !parcel_lost(p));
}

/* A new connection to the same kind of machine, tried for a while. */
static int
reconnect(Device *d, Err *e)
{
	char *cpu = strdup(device_info(d)->cpu);
	Err own = {0};
	int rc = OK;

	if (rpc_reopen(&d->client, RECONNECT_MS, d->hooks.stop, d->hooks.self, &own))
		rc = err_set(e, ERR_DEVICE, "%s", own.msg);
	else if (!cpu)
		rc = err_set(e, ERR_NOMEM, "device: out of memory");
	else if (strcmp(device_info(d)->cpu, cpu))
		rc = err_set(e, ERR_DEVICE, "the agent that answers now runs on '%s', not '%s'",
			     device_info(d)->cpu, cpu);
	free(cpu);
	return rc;
}

static void
notice(Device *d, const char *why)
{
	char text[ERR_TEXT_MAX + 64];

	snprintf(text, sizeof text, "connection lost (%s); connecting again", why);
	if (d->hooks.notice)
		d->hooks.notice(d->hooks.self, text);
}

/* After a loss: connects again and sends what was in flight. Errors: ERR_DEVICE, ERR_NOMEM. */
static int
recover(Device *d, const Err *why, Err *e)
{
	Err own = *why;

	while (own.code) {
		int rc;

		d->lost++;
		notice(d, own.msg);
		own = (Err){0};
		if ((rc = reconnect(d, e)))
			return rc;
		for (int i = 0; i < d->nflight && !own.code; i++)
			if (!is_settled(d->flight[i]))
				send_again(d, d->flight[i], &own);
	}
	return OK;
}

static void
forget(Device *d, int i)
{
	memmove(&d->flight[i], &d->flight[i + 1],
		(size_t)(d->nflight - i - 1) * sizeof d->flight[0]);
	d->nflight--;
}

int
device_send(Device *d, Parcel *p, Err *e)
{
	Err own = {0};
	int rc;

	d->flight[d->nflight++] = p;
	rc = submit(d, p, &own);
	if (rc == ERR_DEVICE)
		rc = recover(d, &own, e);
	else if (rc)
		err_set(e, rc, "%s", own.msg);
	if (rc)
		forget(d, d->nflight - 1);
	return rc;
}

/* The parcel that was sent under this number, or NULL. */
static Parcel *
find(const Device *d, uint64_t batch)
{
	for (int i = 0; i < d->nflight; i++)
		if (d->flight[i]->batch_id == batch)
			return d->flight[i];
	return NULL;
}

static int
handle(Device *d, RpcEvent *ev, Err *e)
{
	bool result = ev->kind == RPC_RESULT;
	Parcel *p = find(d, result ? ev->result.batch : ev->done.batch);

	if (result && p)
		parcel_store(p, &ev->result);
	else if (result)
		result_fini(&ev->result);
	else if (p && !is_settled(p))
		return send_again(d, p, e);
	return OK;
}

int
device_take(Device *d, int timeout_ms, Parcel **out, Err *e)
{
	for (;;) {
		Err own = {0};
		RpcEvent ev;
		int rc;

		for (int i = 0; i < d->nflight; i++)
			if (is_settled(d->flight[i])) {
				*out = d->flight[i];
				forget(d, i);
				return OK;
			}
		rc = d->nflight ? rpc_wait(d->client, timeout_ms, &ev, &own) : NOT_APPLICABLE;
		if (rc == NOT_APPLICABLE)
			return rc;
		if (!rc)
			rc = handle(d, &ev, &own);
		if (rc == ERR_DEVICE)
			rc = recover(d, &own, e);
		if (rc)
			return rc;
	}
}

void
device_cancel(Device *d)
{
	for (int i = 0; i < d->nflight; i++) {
		d->flight[i]->attempts = ATTEMPTS;
		rpc_cancel(d->client, d->flight[i]->batch_id, NULL);
	}
}
