/* Waiting for a lease. The thread that moves bytes keeps it alive (rpc_client/link.c). */
#include "rpc_client/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "rpc_client/client_parts.h"

enum { LINE_MAX_BYTES = 640 };

/* For people; a key says it better. */
static void
name_self(char who[WHO_MAX + 1])
{
	const char *user = getenv("USER");
	char host[64] = "";

	gethostname(host, sizeof host - 1);
	snprintf(who, WHO_MAX + 1, "%.40s@%.60s", user && *user ? user : "somebody", host);
}

static void
print_duration(uint32_t s, char text[24])
{
	if (s < 120)
		snprintf(text, 24, "%u s", s);
	else if (s < 7200)
		snprintf(text, 24, "%u min", s / 60);
	else
		snprintf(text, 24, "%u h", s / 3600);
}

/* "held by alice since 3 min" */
static void
print_state(const Hold *h, char text[LINE_MAX_BYTES])
{
	char since[24];

	print_duration(h->held_s, since);
	if (*h->holder)
		snprintf(text, LINE_MAX_BYTES, "%sheld by %s since %s",
			 h->draining ? "being drained, " : "", h->holder, since);
	else
		snprintf(text, LINE_MAX_BYTES, "%s",
			 h->draining ? "being drained, nobody holds it" : "about to be free");
}

static const char *
name_of(const RpcWait *w)
{
	return w->name ? w->name : "the agent";
}

/* Says where in line it is, without the lock. */
static void
tell_position(RpcClient *c, const RpcWait *w)
{
	char state[LINE_MAX_BYTES], text[2 * LINE_MAX_BYTES];

	print_state(&c->link.hold, state);
	snprintf(text, sizeof text, "waiting for '%s': position %u, %s", name_of(w),
		 c->link.hold.position, state);
	pthread_mutex_unlock(&c->lock);
	w->told(w->self, text);
	pthread_mutex_lock(&c->lock);
}

static int
ask_for_it(RpcClient *c, const RpcWait *w, Err *e)
{
	char who[WHO_MAX + 1];
	LeaseAsk a = {.who = who, .lease = w->old};
	Message m;
	int rc;

	if (!a.lease && getrandom(&a.lease, sizeof a.lease, 0) != sizeof a.lease)
		return err_set(e, ERR_INTERNAL, "no random numbers");
	c->link.hold.id = a.lease; /* also when the answer does not come */
	name_self(who);
	rc = client_ask(c, METHOD_LEASE_ASK, &a, &m, e); /* link.hold learns it */
	if (!rc)
		message_fini(&m);
	return rc;
}

static void
give_back(RpcClient *c)
{
	LeaseRef ref = {c->link.hold.id};
	Message m;

	hold_end(&c->link.hold);
	if (!client_ask(c, METHOD_LEASE_END, &ref, &m, NULL))
		message_fini(&m);
}

static int
give_up(RpcClient *c, const RpcWait *w, int code, Err *e)
{
	char state[LINE_MAX_BYTES];

	print_state(&c->link.hold, state);
	if (code == ERR_CANCELLED)
		err_set(e, code, "waiting for '%s': stopped", name_of(w));
	else
		err_set(e, code, "'%s' is %s; position %u in line", name_of(w), state,
			c->link.hold.position);
	give_back(c);
	return code;
}

/* From WAITING to what comes of it. */
static int
wait_in_line(RpcClient *c, const RpcWait *w, Err *e)
{
	uint64_t end = w->seconds < 0 ? UINT64_MAX : clock_ns() + (uint64_t)(w->seconds * 1e9);
	const Hold *h = &c->link.hold;
	unsigned shown = h->changes - 1;

	while (h->state == HOLD_WAITING) {
		uint64_t now = clock_ns();

		if (c->link.peer.closed)
			return client_gone(c, e);
		if (now >= end)
			return give_up(c, w, ERR_BUSY, e);
		if (w->stop && w->stop(w->self))
			return give_up(c, w, ERR_CANCELLED, e);
		if (shown != h->changes && w->told) {
			shown = h->changes;
			tell_position(c, w);
			continue;
		}
		client_wait(c, end < now + ASK_MS * MS_NS ? end : now + ASK_MS * MS_NS);
	}
	return h->state == HOLD_HELD
		       ? OK
		       : err_set(e, ERR_BUSY, "'%s': sent away: %s", name_of(w), h->why);
}

int
rpc_lease(RpcClient *c, const RpcWait *w, Err *e)
{
	int rc = OK;

	pthread_mutex_lock(&c->lock);
	if (c->link.hold.state != HOLD_HELD && (c->link.capabilities & CAPABILITY_LEASES)) {
		rc = ask_for_it(c, w, e);
		if (!rc)
			rc = wait_in_line(c, w, e);
	}
	pthread_mutex_unlock(&c->lock);
	return rc;
}

int
rpc_lease_end(RpcClient *c, Err *e)
{
	int rc = OK;

	pthread_mutex_lock(&c->lock);
	if (c->link.peer.closed)
		rc = client_gone(c, e);
	else if (c->link.hold.id)
		give_back(c);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

uint64_t
rpc_lease_id(RpcClient *c)
{
	uint64_t id;

	pthread_mutex_lock(&c->lock);
	id = c->link.hold.id;
	pthread_mutex_unlock(&c->lock);
	return id;
}

bool
rpc_lease_lost(RpcClient *c, char *why)
{
	bool lost;

	pthread_mutex_lock(&c->lock);
	lost = c->link.hold.state == HOLD_LOST;
	if (lost && why)
		memcpy(why, c->link.hold.why, REASON_MAX + 1);
	pthread_mutex_unlock(&c->lock);
	return lost;
}

/* Without the bit an agent does not know these either. */
static int
manage(RpcClient *c, Method method, const void *args, Err *e)
{
	if (!(c->link.capabilities & CAPABILITY_LEASES))
		return err_set(e, ERR_UNSUPPORTED, "the agent is too old to know leases");
	return client_tell(c, method, args, e);
}

int
rpc_drain(RpcClient *c, bool on, Err *e)
{
	Drain d = {on};

	return manage(c, METHOD_DRAIN, &d, e);
}

int
rpc_kick(RpcClient *c, uint64_t epoch, bool all, const char *why, Err *e)
{
	char text[REASON_MAX + 1];
	Kick k = {epoch, all, text};

	snprintf(text, sizeof text, "%.*s", REASON_MAX, why);
	return manage(c, METHOD_KICK, &k, e);
}
