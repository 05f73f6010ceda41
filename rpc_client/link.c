/* The client's end of a connection. */
#include "rpc_client/link.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "wire/hello.h"

enum {
	HELLO_ID = 1,
	PATIENCE_TIMES = 6, /* until HELLO is answered in all, however many bytes drip in */
};

void
link_init(Link *l, const char *who, uint64_t now)
{
	Hello hello = {.version = versions_spoken.oldest,
		       .newest = versions_spoken.newest,
		       .capabilities = CAPABILITY_LEASES,
		       .who = (char *)who};

	*l = (Link){.last_id = HELLO_ID,
		    .patience = HANDSHAKE_NS,
		    .started = now,
		    .pulse = {HEARTBEAT_NS, SILENCE_NS, 0}};
	peer_init(&l->peer, SESSION_OUT_MAX, now);
	if (peer_send(&l->peer, MESSAGE_REQUEST, HELLO_ID, METHOD_HELLO, &hello, now, NULL))
		peer_close(&l->peer, false, "out of memory");
}

void
link_fini(Link *l)
{
	for (uint32_t i = 0; i < l->arrivals; i++)
		message_fini(&l->arrived[i]);
	free(l->arrived);
	peer_fini(&l->peer);
}

int
failure_code(const Failure *f)
{
	return f->code >= -ERR_CHECK && f->code <= -ERR_DENIED ? -(int)f->code : ERR_DEVICE;
}

static void
greeted(Link *l, const Message *m)
{
	if (m->id != HELLO_ID || m->method != METHOD_HELLO || m->kind == MESSAGE_EVENT ||
	    m->kind == MESSAGE_REQUEST)
		peer_close(&l->peer, true, "expected an answer to HELLO");
	else if (m->kind == MESSAGE_FAILURE) {
		l->refused = failure_code(&m->u.failure);
		peer_close(&l->peer, false, "agent refused: %.230s", m->u.failure.text);
	} else if (!hello_accepted(&m->u.hello, versions_spoken)) {
		l->refused = ERR_UNSUPPORTED;
		peer_close(&l->peer, true,
			   "agent (%.64s) speaks protocol version %u, this program %u to %u",
			   m->u.hello.who, m->u.hello.version, versions_spoken.oldest,
			   versions_spoken.newest);
	} else {
		l->open = true;
		l->instance = m->u.hello.instance;
		l->capabilities = m->u.hello.capabilities;
		l->peer.limits = &scan_later;
	}
}

/* Moves *m to the arrived ones. */
static void
keep(Link *l, Message *m)
{
	uint32_t room = l->room ? 2 * l->room : 16;

	if (l->arrivals == l->room) {
		Message *v =
			room <= 2 * LINK_EVENTS_MAX ? realloc(l->arrived, room * sizeof *v) : NULL;

		if (!v) {
			message_fini(m);
			peer_close(&l->peer, true, "too many messages wait");
			return;
		}
		l->arrived = v;
		l->room = room;
	}
	l->arrived[l->arrivals++] = *m;
}

static bool
answers_a_request(Link *l, const Message *m, uint64_t now)
{
	for (uint32_t i = 0; i < l->waits; i++)
		if (l->waiting[i].id == m->id &&
		    (m->kind == MESSAGE_FAILURE || l->waiting[i].method == m->method)) {
			l->waiting[i] = l->waiting[--l->waits];
			l->answered = now;
			return true;
		}
	return false;
}

/* A sign of life was refused: *m becomes the event that the lease is over. False when that is
 * known. */
static bool
becomes_loss(Link *l, Message *m, uint64_t now)
{
	LeaseInfo lost = {.state = LEASE_LOST, .epoch = l->hold.epoch};

	if (l->hold.state != HOLD_HELD)
		return false;
	lost.why = m->u.failure.text; /* moved */
	*m = (Message){.kind = MESSAGE_EVENT, .method = METHOD_LEASE, .u.lease = lost};
	hold_take(&l->hold, &lost, now);
	return true;
}

/* What an answer or event says of the lease. True: there is nothing more in it. */
static bool
take_lease(Link *l, Message *m, uint64_t now)
{
	bool renewal = m->method == METHOD_LEASE_RENEW && m->kind != MESSAGE_EVENT;

	if (m->kind == MESSAGE_FAILURE)
		return renewal && !becomes_loss(l, m, now);
	if (m->kind == MESSAGE_EVENT && m->method == METHOD_RESULT) {
		m->u.result.stale |= !hold_counts(&l->hold, &m->u.result);
		return false;
	}
	if (!renewal && m->method != METHOD_LEASE_ASK && m->method != METHOD_LEASE)
		return false;
	if (m->method != METHOD_LEASE_ASK && l->hold.state == HOLD_NONE)
		return true; /* of one that was given back meanwhile */
	hold_take(&l->hold, &m->u.lease, now);
	return m->method != METHOD_LEASE_ASK && l->hold.state != HOLD_LOST;
}

static void
take_in(Link *l, Message *m, uint64_t now)
{
	bool is_answer = m->kind == MESSAGE_RESPONSE || m->kind == MESSAGE_FAILURE;

	if (m->kind == MESSAGE_EVENT && m->method == METHOD_BYE) {
		peer_close(&l->peer, false, "agent left: %.200s", m->u.bye.why);
	} else if (!l->open) {
		greeted(l, m);
	} else if (m->kind == MESSAGE_REQUEST && m->method == METHOD_PING) {
		peer_send(&l->peer, MESSAGE_RESPONSE, m->id, METHOD_PING, NULL, now, NULL);
	} else if (is_answer && m->method == METHOD_PING) {
		/* heard is all that counts */
	} else if (l->open && m->kind != MESSAGE_REQUEST && take_lease(l, m, now)) {
		/* is in hold */
	} else if (m->kind == MESSAGE_EVENT || (is_answer && answers_a_request(l, m, now))) {
		keep(l, m);
		return;
	} else {
		peer_close(&l->peer, true, "unexpected %s", method_name(m->method));
	}
	message_fini(m);
}

void
link_feed(Link *l, const void *data, size_t n, uint64_t now)
{
	Message m;

	peer_feed(&l->peer, data, n, now);
	while (peer_next(&l->peer, &m, now) == OK)
		take_in(l, &m, now);
}

/* The agent still speaks, but not of what it was asked. Judged by what was heard: whoever was kept
 * from reading for a while may find the answer in what has long been there. */
static bool
is_owed(const Link *l)
{
	return l->waits && l->peer.heard >= l->answered + LINK_ANSWER_S * SECOND_NS;
}

uint64_t
link_deadline(const Link *l)
{
	uint64_t dead = l->peer.heard + l->patience,
		 last = l->started + PATIENCE_TIMES * l->patience;
	uint64_t pulse = pulse_deadline(&l->pulse, &l->peer), sign = hold_deadline(&l->hold);

	if (l->open && is_owed(l))
		return 0;
	if (l->open)
		return sign < pulse ? sign : pulse;
	return dead < last ? dead : last;
}

static void
give_sign(Link *l, uint64_t now)
{
	LeaseRef ref = {l->hold.id};

	peer_send(&l->peer, MESSAGE_REQUEST, 0, METHOD_LEASE_RENEW, &ref, now, NULL);
	hold_renewed(&l->hold, now);
}

void
link_tick(Link *l, uint64_t now)
{
	if (l->peer.closed || now < link_deadline(l))
		return;
	if (!l->open || !pulse_tick(&l->pulse, &l->peer, now))
		peer_close(&l->peer, true, "agent is silent");
	else if (is_owed(l))
		peer_close(&l->peer, true, "agent lives, but has not answered %s for %d s",
			   method_name(l->waiting[0].method), LINK_ANSWER_S);
	else if (now >= hold_deadline(&l->hold))
		give_sign(l, now);
}

int
link_request(Link *l, Method method, const void *args, uint64_t now, uint32_t *id, Err *e)
{
	int rc;

	if (l->waits == LINK_WAITING_MAX)
		return err_set(e, ERR_BUSY, "%d requests wait for an answer", LINK_WAITING_MAX);
	*id = ++l->last_id;
	rc = peer_send(&l->peer, MESSAGE_REQUEST, *id, method, args, now, e);
	if (rc == OK) {
		l->answered = l->waits ? l->answered : now;
		l->waiting[l->waits].id = *id;
		l->waiting[l->waits++].method = method;
	}
	return rc;
}

static void
take(Link *l, uint32_t i, Message *m)
{
	*m = l->arrived[i];
	l->arrivals--;
	memmove(&l->arrived[i], &l->arrived[i + 1], (l->arrivals - i) * sizeof *m);
}

bool
link_take_answer(Link *l, uint32_t id, Message *m)
{
	for (uint32_t i = 0; i < l->arrivals; i++)
		if (l->arrived[i].kind != MESSAGE_EVENT && l->arrived[i].id == id) {
			take(l, i, m);
			return true;
		}
	return false;
}

bool
link_take_event(Link *l, Message *m)
{
	for (uint32_t i = 0; i < l->arrivals; i++)
		if (l->arrived[i].kind == MESSAGE_EVENT) {
			take(l, i, m);
			return true;
		}
	return false;
}
