/* Parcels in flight and what to do when the connection breaks.
 *
 * Invariants: batch ids are never used twice, so results of a connection that is gone cannot be
 * mistaken, and a result that comes twice is not taken twice (parcel_store). A parcel's attempts
 * are those that ended without its results though the network held: the agent called them lost, or
 * was another one when it could be reached again while this parcel was the first in its queue.
 * After ATTEMPTS of them what is missing counts as LOST. A lost lease is no attempt: whatever was
 * in flight waits for the next lease. */
#include "tuner/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "rpc_client/lease.h"

/* The agent may be just about to start, or to be replaced: so long is given to it at first. */
#define OPEN_NS UINT64_C(2000000000)

static void
on_waiting(void *self, const char *text)
{
	Device *d = self;

	if (d->hooks.notice)
		d->hooks.notice(d->hooks.self, text);
}

static bool
on_stop(void *self)
{
	Device *d = self;

	return d->hooks.stop && d->hooks.stop(d->hooks.self);
}

int
device_open(Device *d, const RpcWay *way, uint64_t reconnect_ns, DeviceHooks hooks, Err *e)
{
	uint64_t seed = clock_ns() ^ (uint64_t)getpid() << 32;
	int rc;

	*d = (Device){.hooks = hooks, .name = way->address};
	d->reopen = (Reopen){.way = *way, .self = d, .stop = on_stop};
	backoff_init(&d->reopen.backoff, OPEN_NS, seed);
	rc = rpc_reopen(&d->reopen, &d->client, e);
	d->reopen.waiting = on_waiting;
	if (!rc) {
		d->cpu = strdup(device_info(d)->cpu);
		d->instance = rpc_instance(d->client);
		rc = d->cpu ? OK : err_set(e, ERR_NOMEM, "device: out of memory");
	}
	backoff_init(&d->reopen.backoff, reconnect_ns ? reconnect_ns : RECONNECT_NS, seed);
	return rc;
}

void
device_close(Device *d)
{
	rpc_close(d->client);
	for (int i = 0; i < d->nflight; i++)
		parcel_free(d->flight[i]);
	free(d->cpu);
	*d = (Device){0};
}

const DeviceInfo *
device_info(const Device *d)
{
	return rpc_device(d->client);
}

static void
notice(Device *d, const char *what, const char *why, const char *then)
{
	char text[ERR_TEXT_MAX + 64];

	snprintf(text, sizeof text, "%s (%s); %s", what, why, then);
	on_waiting(d, text);
}

int
device_lease(Device *d, Err *e)
{
	RpcWait w = {.name = d->name,
		     .old = d->lease,
		     .seconds = d->hooks.wait_s,
		     .told = on_waiting,
		     .stop = on_stop,
		     .self = d};
	char why[REASON_MAX + 1];

	if (!d->name)
		return OK;
	if (rpc_lease_lost(d->client, why))
		notice(d, "lease lost", why, "asking again");
	return rpc_lease(d->client, &w, e);
}

int
device_calibrate(Device *d, Calibration *out, Err *e)
{
	int rc = device_lease(d, e);

	if (rc)
		return rc;
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
	for (int i = 0; i < p->blob.n && !rc; i++)
		rc = rpc_put_blob(d->client, p->blob.v[i].data, p->blob.v[i].size, NULL, e);
	if (!rc)
		rc = rpc_submit(d->client, &b, e);
	free(b.candidates.v);
	return rc;
}

/* Sends again what is missing of a parcel; what cannot be had is settled. Errors: ERR_DEVICE, also
 * when the agent may be able to take it later; ERR_BUSY when the lease is lost. */
static int
send_again(Device *d, Parcel *p, Err *e)
{
	Err own = {0};

	if (p->attempts < ATTEMPTS) {
		parcel_forget(p);
		if (!submit(d, p, &own))
			return OK;
		if (rpc_lease_lost(d->client, NULL))
			return err_set(e, ERR_BUSY, "%s", own.msg);
		if (reopen_may_pass(own.code))
			return err_set(e, ERR_DEVICE, "%s", own.msg);
	}
	p->attempts = ATTEMPTS;
	parcel_settle_rest(p, STATUS_LOST,
			   own.code ? own.msg : "it was lost each time it was sent");
	return OK;
}

/* Whether nothing more will come for a parcel, or is worth another attempt. */
static bool
is_settled(const Parcel *p)
{
	return parcel_complete(p) && (p->attempts >= ATTEMPTS || !parcel_lost(p));
}

/* A new connection to the same kind of machine. *same: to the same run of the agent. */
static int
reconnect(Device *d, bool *same, Err *e)
{
	Err own = {0};
	int rc;

	if (d->client && rpc_lease_id(d->client))
		d->lease = rpc_lease_id(d->client);
	rc = rpc_reopen(&d->reopen, &d->client, &own);
	if (rc)
		return err_set(e, rc == ERR_CANCELLED ? rc : ERR_DEVICE, "%s", own.msg);
	if (strcmp(device_info(d)->cpu, d->cpu))
		return err_set(e, ERR_DEVICE, "the agent that answers now runs on '%s', not '%s'",
			       device_info(d)->cpu, d->cpu);
	*same = d->instance && rpc_instance(d->client) == d->instance;
	d->instance = rpc_instance(d->client);
	return OK;
}

/* What the agent may have died of: the first that it had not finished. */
static void
blame(Device *d)
{
	for (int i = 0; i < d->nflight; i++)
		if (!is_settled(d->flight[i])) {
			d->flight[i]->attempts++;
			return;
		}
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

/* A result that was waited for: whatever went wrong before, it has come to something. Not so those
 * of a race, which are taken together or not at all. */
static void
store(Device *d, Parcel *p, Result *r)
{
	bool progress = r->status != STATUS_LOST && !p->batch.measure.race_rounds;

	if (!parcel_store(p, r))
		return;
	if (progress || parcel_complete(p))
		backoff_reset(&d->reopen.backoff);
	if (progress && p->attempts < ATTEMPTS)
		p->attempts = 0;
}

static void
take_result(Device *d, Result *r)
{
	Parcel *p = find(d, r->batch);

	if (p)
		store(d, p, r);
	else
		result_fini(r);
}

/* Comes to hold the device, takes what came before, stale results among it, and sends what was in
 * flight. */
static int
send_all(Device *d, Err *e)
{
	RpcEvent ev;
	int rc = device_lease(d, e);

	while (!rc && rpc_wait(d->client, 0, &ev, NULL) == OK)
		if (ev.kind == RPC_RESULT)
			take_result(d, &ev.result);
	for (int i = 0; i < d->nflight && !rc; i++)
		if (!is_settled(d->flight[i]))
			rc = send_again(d, d->flight[i], e);
	return rc;
}

/* Nothing more is wanted: what is not back will not come. */
static void
settle_all(Device *d)
{
	for (int i = 0; i < d->nflight; i++)
		parcel_settle_rest(d->flight[i], STATUS_CANCELLED, "cancelled");
}

/* After the loss of the connection or of the lease, until what was in flight is on its way again.
 * Errors: *why where it is neither; of rpc_lease; ERR_DEVICE, ERR_CANCELLED, ERR_NOMEM, and then
 * there may be no client any more. */
static int
recover(Device *d, const Err *why, Err *e)
{
	Err own = *why;

	while (own.code) {
		bool same = true;
		int rc;

		if (own.code != ERR_DEVICE && !rpc_lease_lost(d->client, NULL))
			return err_set(e, own.code, "%s", own.msg);
		if (d->cancelled) {
			settle_all(d);
			return OK;
		}
		if (own.code == ERR_DEVICE) {
			d->lost++;
			notice(d, "connection lost", own.msg, "connecting again");
			if ((rc = reconnect(d, &same, e)))
				return rc;
		}
		own = (Err){0};
		if (!same)
			blame(d);
		send_all(d, &own);
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
	rc = device_lease(d, &own);
	if (!rc)
		rc = submit(d, p, &own);
	if (rc)
		rc = recover(d, &own, e);
	if (rc)
		forget(d, d->nflight - 1);
	return rc;
}

static int
handle(Device *d, RpcEvent *ev, Err *e)
{
	Parcel *p;

	if (ev->kind == RPC_LEASE_LOST)
		return rpc_lease_lost(d->client, NULL) ? err_set(e, ERR_BUSY, "lease lost") : OK;
	if (ev->kind == RPC_RESULT) {
		take_result(d, &ev->result);
		return OK;
	}
	p = find(d, ev->done.batch);
	if (!p)
		return OK;
	if (!parcel_complete(p) || parcel_lost(p))
		p->attempts++;
	return is_settled(p) ? OK : send_again(d, p, e);
}

int
device_take(Device *d, int timeout_ms, Parcel **out, Err *e)
{
	uint64_t end = clock_ns() + (uint64_t)timeout_ms * MS_NS, now;

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
		now = clock_ns();
		rc = d->nflight ? rpc_wait(d->client, now < end ? (int)((end - now) / MS_NS) : 0,
					   &ev, &own)
				: NOT_APPLICABLE;
		if (rc == NOT_APPLICABLE)
			return rc;
		if (!rc)
			rc = handle(d, &ev, &own);
		if (rc)
			rc = recover(d, &own, e);
		if (rc)
			return rc;
	}
}

int
device_surrender(Device *d, Parcel *out[FLIGHT_MAX])
{
	int n = d->nflight;

	if (!d->client)
		blame(d);
	for (int i = 0; i < n; i++) {
		out[i] = d->flight[i];
		if (d->client)
			rpc_cancel(d->client, out[i]->batch_id, NULL);
	}
	d->nflight = 0;
	return n;
}

int
device_mend(Device *d, Err *e)
{
	int rc = ERR_DEVICE;

	for (bool broken = !d->client; rc == ERR_DEVICE; broken = true) {
		Err own = {0};
		bool same;

		if (broken && (rc = reconnect(d, &same, e)))
			return rc;
		if ((rc = device_lease(d, &own)))
			err_set(e, rc, "%s", own.msg);
	}
	return rc;
}

void
device_cancel(Device *d)
{
	d->cancelled = true;
	for (int i = 0; i < d->nflight && d->client; i++) {
		d->flight[i]->attempts = ATTEMPTS;
		rpc_cancel(d->client, d->flight[i]->batch_id, NULL);
	}
}
