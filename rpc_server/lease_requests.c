/* Leases towards the clients: their requests, and what follows when a lease comes or goes. A lease
 * that is lost is told first, then its batches are cancelled: their rows come behind it. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "rpc_server/server_parts.h"

/* Other people read it on their terminals. */
static void
make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

/* What the system or a key proves; the same again when the client comes back. */
static const char *
proved_name(const Client *c)
{
	return c->pass.key.name[0]            ? c->pass.key.name
	       : c->pass.peer.kind == NET_TCP ? c->pass.peer.host
					      : c->pass.from;
}

static void
name_client(const Client *c, const char *says, char who[LEASE_WHO_MAX])
{
	if (c->pass.key.name[0] || !says || !*says)
		snprintf(who, LEASE_WHO_MAX, "%s", access_name(&c->pass));
	else
		snprintf(who, LEASE_WHO_MAX, "%.*s (%.*s)", WHO_MAX, says, LEASE_NAME_MAX,
			 c->pass.from);
	make_printable(who);
}

static int
ask(Client *c, const LeaseAsk *a, bool closing, Err *e)
{
	char who[LEASE_WHO_MAX];
	LeaseWish w = {.owner = c,
		       .name = proved_name(c),
		       .who = who,
		       .old = a->lease,
		       .seconds = a->seconds,
		       .closing = closing};
	Server *s = c->server;
	void *from;
	Lease *x;
	int rc;

	name_client(c, a->who, who);
	w.fresh = a->lease; /* a client that misses the answer knows it all the same */
	if (!w.fresh && getrandom(&w.fresh, sizeof w.fresh, 0) != sizeof w.fresh)
		return err_set(e, ERR_INTERNAL, "no random numbers");
	rc = lease_ask(&s->leases, &w, clock_ns(), &x, &from, e);
	if (!rc && from) /* which has not noticed yet that nobody is there */
		peer_close(&((Client *)from)->session.peer, true, "taken over by '%s' from %s",
			   x->name, c->pass.from);
	return rc;
}

static uint32_t
whole_seconds(uint64_t then, uint64_t now)
{
	return (uint32_t)((now - then) / SECOND_NS);
}

static LeaseInfo
info_of(const Server *s, const Lease *x, uint64_t now)
{
	const Lease *holder = lease_holder(&s->leases);
	LeaseInfo i = {.state = x->epoch ? LEASE_HELD : LEASE_WAITING,
		       .lease = x->id,
		       .epoch = x->epoch,
		       .seconds = x->seconds,
		       .draining = s->leases.draining};

	if (x->epoch)
		return i;
	i.position = lease_position(&s->leases, x);
	if (holder) {
		i.holder = (char *)holder->who;
		i.held_s = whole_seconds(holder->since, now);
	}
	return i;
}

static int
on_ask(Client *c, Message *m, Err *e)
{
	Server *s = c->server;
	uint64_t now = clock_ns();
	LeaseInfo i = {.state = LEASE_LOST};
	const Lease *x;
	int rc = ask(c, &m->u.lease_ask, false, e);

	if (rc)
		return rc;
	s->asking = c;
	lease_settle(s, now);
	s->asking = NULL;
	x = lease_of(&s->leases, c);
	if (x)
		i = info_of(s, x, now);
	session_reply(&c->session, m, &i, now);
	return OK;
}

static int
on_renew(Client *c, Message *m, Err *e)
{
	Server *s = c->server;
	uint64_t now = clock_ns();
	LeaseInfo i;

	if (!lease_renew(&s->leases, c, m->u.lease_ref.lease, now))
		return err_set(e, ERR_BUSY, "the lease is over");
	i = info_of(s, lease_of(&s->leases, c), now);
	session_reply(&c->session, m, &i, now);
	return OK;
}

/* Given back, or its client left: nothing follows that would be noted. */
static void
note_end(Client *c, uint64_t now)
{
	Server *s = c->server;
	const Lease *x = lease_of(&s->leases, c);

	if (x && x->epoch)
		access_note(&s->access, now, "lease %llu: ended by %s",
			    (unsigned long long)x->epoch, x->who);
}

static int
on_end(Client *c, Message *m, Err *e)
{
	Server *s = c->server;
	const Lease *x = lease_of(&s->leases, c);

	(void)e;
	if (x && x->id == m->u.lease_ref.lease) { /* else it is over already */
		note_end(c, clock_ns());
		lease_end(&s->leases, c, batches_busy(s, c));
	}
	session_reply(&c->session, m, NULL, clock_ns());
	return OK;
}

static int
on_drain(Client *c, Message *m, Err *e)
{
	Server *s = c->server;

	(void)e;
	lease_drain(&s->leases, m->u.drain.on);
	access_note(&s->access, clock_ns(), "drain %s by %s", m->u.drain.on ? "on" : "off",
		    access_name(&c->pass));
	session_reply(&c->session, m, NULL, clock_ns());
	return OK;
}

static int
on_kick(Client *c, Message *m, Err *e)
{
	const Kick *k = &m->u.kick;
	const char *by = access_name(&c->pass);
	char why[REASON_MAX + 1];
	Server *s = c->server;

	snprintf(why, sizeof why, "kicked by %.60s%s%.100s", by, *k->why ? ": " : "", k->why);
	make_printable(why);
	if (!lease_kick(&s->leases, k->epoch, k->all, why))
		return err_set(e, ERR_INPUT, "nobody holds %s",
			       k->epoch ? "that lease any more" : "the device");
	session_reply(&c->session, m, NULL, clock_ns());
	return OK;
}

Handler *
lease_handler(uint32_t method)
{
	static Handler *const table[] = {
		[METHOD_LEASE_ASK] = on_ask, [METHOD_LEASE_RENEW] = on_renew,
		[METHOD_LEASE_END] = on_end, [METHOD_DRAIN] = on_drain,
		[METHOD_KICK] = on_kick,
	};
	return method < sizeof table / sizeof *table ? table[method] : NULL;
}

int
lease_admit(Client *c, uint64_t epoch, Err *e)
{
	Server *s = c->server;
	const Lease *x;

	lease_settle(s, clock_ns()); /* a client hears of a loss before its batch is refused */
	x = lease_of(&s->leases, c);
	if (epoch && (!x || x->epoch != epoch || x->kicked))
		return err_set(e, ERR_BUSY, "the lease is over");
	if (!x && s->leases.draining)
		return err_set(e, ERR_BUSY, "the device is being drained");
	return x ? OK : ask(c, &(LeaseAsk){0}, true, e);
}

static void
note_change(Server *s, const LeaseChange *x, uint64_t now)
{
	const Lease *l = &x->lease;
	unsigned long long epoch = l->epoch;

	if (x->state == LEASE_HELD)
		access_note(&s->access, now, "lease %llu: held by %s", epoch, l->who);
	else if (x->state == LEASE_LOST && l->epoch)
		access_note(&s->access, now, "lease %llu: lost by %s: %s", epoch, l->who, x->why);
	else if (x->state == LEASE_LOST)
		access_note(&s->access, now, "%s waits no more: %s", l->who, x->why);
}

static void
tell(Server *s, LeaseChange *x, uint64_t now)
{
	Client *c = x->lease.owner;
	const Lease *here = c ? lease_of(&s->leases, c) : NULL;
	LeaseInfo i;

	note_change(s, x, now);
	if (!c)
		return;
	i = x->state == LEASE_LOST ? (LeaseInfo){.state = LEASE_LOST,
						 .lease = x->lease.id,
						 .epoch = x->lease.epoch,
						 .why = x->why}
				   : info_of(s, here, now);
	if (!x->lease.closing && (c != s->asking || x->state == LEASE_LOST))
		session_event(&c->session, METHOD_LEASE, &i, now);
	if (x->state == LEASE_LOST)
		batches_cancel(s, c, NULL, x->why);
}

/* Clients whose lease only waits for their last batch. */
static void
end_idle(Server *s)
{
	for (unsigned i = s->leases.n; i-- > 0;) {
		const Lease *x = &s->leases.v[i];

		if (!x->closing || batches_busy(s, x->owner))
			continue;
		lease_end(&s->leases, x->owner, false);
	}
}

void
lease_settle(Server *s, uint64_t now)
{
	LeaseChange x;

	end_idle(s);
	while (lease_next(&s->leases, now, &x)) {
		tell(s, &x, now);
		end_idle(s);
	}
}

void
lease_describe(const Server *s, DeviceInfo *d, uint64_t now)
{
	const Lease *x = lease_holder(&s->leases);

	d->holder = x ? (char *)x->who : NULL;
	d->lease_epoch = x ? x->epoch : 0;
	d->lease_held_s = x ? whole_seconds(x->since, now) : 0;
	d->lease_queue = lease_waiting(&s->leases);
	d->draining = s->leases.draining;
}

/* Only over a network does a connection break while its client lives; and one that said BYE, or
 * lost its key, does not come back. */
void
lease_left(Client *c, uint64_t now)
{
	bool grace = c->pass.peer.kind == NET_TCP && !c->session.left && access_valid(&c->pass);

	if (!grace)
		note_end(c, now);
	lease_gone(&c->server->leases, c, grace, now);
}
