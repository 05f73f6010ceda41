/* One holder, and a line behind it.
 *
 * Invariants: if `held`, v[0] is the holder and the only one with an epoch; the others stand in the
 * order they asked; no owner has two; epochs only grow; n <= queue_max + 1. Whoever is kicked or
 * past its deadline counts no more, also before lease_next has said so. */
#include "rpc_server/lease.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void
lease_init(Leases *l, unsigned queue_max, uint32_t seconds_max, uint64_t grace_ns)
{
	*l = (Leases){.queue_max = queue_max < LEASES_MAX ? queue_max : LEASES_MAX - 1,
		      .seconds_max = seconds_max,
		      .grace_ns = grace_ns};
}

static Lease *
find(Leases *l, const void *owner)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->v[i].owner == owner)
			return &l->v[i];
	return NULL;
}

const Lease *
lease_of(const Leases *l, const void *owner)
{
	return find((Leases *)l, owner);
}

const Lease *
lease_holder(const Leases *l)
{
	return l->held ? &l->v[0] : NULL;
}

unsigned
lease_waiting(const Leases *l)
{
	return l->n - l->held;
}

unsigned
lease_position(const Leases *l, const Lease *x)
{
	return (unsigned)(x - l->v) + !l->held;
}

static bool
is_over(const Lease *x, uint64_t now)
{
	return x->kicked || now >= x->deadline;
}

bool
lease_counts(const Leases *l, uint64_t epoch, uint64_t now)
{
	return l->held && l->v[0].epoch == epoch && !is_over(&l->v[0], now);
}

static void
take_out(Leases *l, unsigned i)
{
	if (i == 0)
		l->held = false;
	l->n--;
	memmove(&l->v[i], &l->v[i + 1], (l->n - i) * sizeof *l->v);
}

/* Counts from now on how long it may be silent. */
static void
extend(Lease *x, uint64_t now)
{
	x->deadline = x->epoch && !x->closing ? now + x->seconds * SECOND_NS : UINT64_MAX;
}

static uint32_t
allowed(const Leases *l, uint32_t seconds)
{
	return seconds && seconds < l->seconds_max ? seconds : l->seconds_max;
}

/* The lease that a wish means, if there is one. */
static Lease *
known(Leases *l, const LeaseWish *w, uint64_t now)
{
	Lease *x = find(l, w->owner);

	if (x)
		return x;
	for (unsigned i = 0; i < l->n && w->old; i++)
		if (l->v[i].id == w->old && !strcmp(l->v[i].name, w->name) &&
		    !is_over(&l->v[i], now))
			return &l->v[i];
	return NULL;
}

int
lease_ask(Leases *l, const LeaseWish *w, uint64_t now, Lease **out, void **from, Err *e)
{
	Lease *x = known(l, w, now);

	*from = NULL;
	*out = x;
	if (x && w->closing)
		return OK;
	if (!x && l->n > l->queue_max)
		return err_set(e, ERR_BUSY, "%u wait for this device already", lease_waiting(l));
	if (!x) {
		x = &l->v[l->n++];
		*x = (Lease){.id = w->fresh, .owner = w->owner, .since = now, .told = UINT32_MAX};
		snprintf(x->name, sizeof x->name, "%s", w->name);
		snprintf(x->who, sizeof x->who, "%s", w->who);
	}
	if (x->owner != w->owner)
		*from = x->owner;
	x->owner = w->owner;
	x->closing = w->closing;
	x->seconds = allowed(l, w->seconds);
	if (!x->kicked)
		extend(x, now);
	*out = x;
	return OK;
}

bool
lease_renew(Leases *l, const void *owner, uint64_t id, uint64_t now)
{
	Lease *x = find(l, owner);

	if (!x || x->id != id || !x->epoch || is_over(x, now))
		return false;
	extend(x, now);
	return true;
}

void
lease_end(Leases *l, const void *owner, bool busy)
{
	Lease *x = find(l, owner);

	if (!x)
		return;
	x->closing = true;
	if (!x->kicked)
		x->deadline = UINT64_MAX;
	if (!busy)
		take_out(l, (unsigned)(x - l->v));
}

void
lease_gone(Leases *l, const void *owner, bool grace, uint64_t now)
{
	Lease *x = find(l, owner);

	if (!x)
		return;
	if (!grace || x->closing) {
		take_out(l, (unsigned)(x - l->v));
		return;
	}
	x->owner = NULL;
	if (now + l->grace_ns < x->deadline)
		x->deadline = now + l->grace_ns;
}

bool
lease_kick(Leases *l, uint64_t epoch, bool all, const char *why)
{
	bool any = false;

	for (unsigned i = 0; i < l->n; i++) {
		Lease *x = &l->v[i];

		if (x->epoch ? epoch && epoch != x->epoch : !all)
			continue;
		x->kicked = any = true;
	}
	if (any)
		snprintf(l->why, sizeof l->why, "%.*s", REASON_MAX, why);
	return any;
}

void
lease_drain(Leases *l, bool on)
{
	l->draining = on;
}

static bool
next_lost(Leases *l, uint64_t now, LeaseChange *out)
{
	for (unsigned i = 0; i < l->n; i++) {
		Lease *x = &l->v[i];

		if (!is_over(x, now))
			continue;
		*out = (LeaseChange){.state = LEASE_LOST, .lease = *x};
		if (x->kicked)
			memcpy(out->why, l->why, sizeof out->why);
		else if (!x->owner)
			snprintf(out->why, sizeof out->why, "its connection did not come back");
		else
			snprintf(out->why, sizeof out->why, "no sign of life for %u s", x->seconds);
		take_out(l, i);
		return true;
	}
	return false;
}

/* A holder whose connection is away has what is left of its grace. */
static bool
next_held(Leases *l, uint64_t now, LeaseChange *out)
{
	Lease *x = &l->v[0];

	if (l->held || l->draining || !l->n)
		return false;
	l->held = true;
	x->epoch = ++l->epoch;
	x->since = now;
	x->told = 0;
	if (x->owner)
		extend(x, now);
	*out = (LeaseChange){.state = LEASE_HELD, .lease = *x};
	return true;
}

static bool
next_moved(Leases *l, LeaseChange *out)
{
	for (unsigned i = l->held; i < l->n; i++) {
		unsigned here = 2 * lease_position(l, &l->v[i]) + l->draining;

		if (l->v[i].told == here)
			continue;
		l->v[i].told = here;
		*out = (LeaseChange){.state = LEASE_WAITING, .lease = l->v[i]};
		return true;
	}
	return false;
}

bool
lease_next(Leases *l, uint64_t now, LeaseChange *out)
{
	return next_lost(l, now, out) || next_held(l, now, out) || next_moved(l, out);
}

uint64_t
lease_deadline(const Leases *l)
{
	uint64_t soonest = UINT64_MAX;

	for (unsigned i = 0; i < l->n; i++)
		if (l->v[i].deadline < soonest)
			soonest = l->v[i].deadline;
	return soonest;
}
