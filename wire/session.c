/* The agent's end of a connection. */
#include "wire/session.h"

#include <string.h>

#include "wire/hello.h"

void
session_init(Session *s, const char *who, uint64_t now)
{
	*s = (Session){.started = now,
		       .pulse = {HEARTBEAT_NS, SILENCE_NS, 0},
		       .handshake_ns = HANDSHAKE_NS,
		       .out_max = SESSION_OUT_MAX,
		       .capabilities = CAPABILITY_LEASES,
		       .who = who};
	peer_init(&s->peer, STRANGER_OUT_MAX, now);
}

void
session_fini(Session *s)
{
	peer_fini(&s->peer);
}

void
session_feed(Session *s, const void *data, size_t n, uint64_t now)
{
	peer_feed(&s->peer, data, n, now);
}

void
session_refuse(Session *s, const Message *request, const Err *why, uint64_t now)
{
	Failure f = {(uint32_t)-why->code, (char *)why->msg};

	peer_send(&s->peer, MESSAGE_FAILURE, request->id, request->method, &f, now, NULL);
}

void
session_reply(Session *s, const Message *request, const void *args, uint64_t now)
{
	Err e = {0};

	if (peer_send(&s->peer, MESSAGE_RESPONSE, request->id, request->method, args, now, &e))
		session_refuse(s, request, &e, now);
}

void
session_event(Session *s, Method method, const void *args, uint64_t now)
{
	Err e = {0};

	/* The client waits for it: a session that cannot deliver an event is of no use. */
	if (peer_send(&s->peer, MESSAGE_EVENT, 0, method, args, now, &e))
		peer_close(&s->peer, true, "%.200s", e.msg);
}

static void
greet(Session *s, const Message *m, uint64_t now)
{
	Hello mine = {
		.capabilities = s->capabilities, .who = (char *)s->who, .instance = s->instance};
	Err e = {0};

	mine.version = s->version = hello_agree(&m->u.hello, versions_spoken);
	if (!s->version) {
		hello_refusal(&m->u.hello, versions_spoken, s->who, &e);
		session_refuse(s, m, &e, now);
		peer_close(&s->peer, false, "%.200s", e.msg);
		return;
	}
	session_reply(s, m, &mine, now);
	s->peer.limits = &scan_later;
	s->peer.out_max = s->out_max;
	s->open = true;
}

/* Deals with what concerns the session itself; false: the message is for the owner. */
static bool
own_message(Session *s, const Message *m, uint64_t now)
{
	if (m->kind == MESSAGE_EVENT && m->method == METHOD_BYE) {
		s->left = true;
		peer_close(&s->peer, false, "client left: %.200s", m->u.bye.why);
	} else if (s->open && m->kind == MESSAGE_RESPONSE && m->method == METHOD_PING) {
		return true; /* that it was heard is all that counts */
	} else if (m->kind != MESSAGE_REQUEST || s->open == (m->method == METHOD_HELLO)) {
		peer_close(&s->peer, true, "unexpected %s", method_name(m->method));
	} else if (m->method == METHOD_HELLO) {
		greet(s, m, now);
	} else if (m->method == METHOD_PING) {
		session_reply(s, m, NULL, now);
	} else {
		return false;
	}
	return true;
}

bool
session_next(Session *s, Message *m, uint64_t now)
{
	while (peer_next(&s->peer, m, now) == OK) {
		if (!own_message(s, m, now))
			return true;
		message_fini(m);
	}
	return false;
}

uint64_t
session_deadline(const Session *s)
{
	return s->open ? pulse_deadline(&s->pulse, &s->peer) : s->started + s->handshake_ns;
}

void
session_tick(Session *s, uint64_t now)
{
	if (s->peer.closed || now < session_deadline(s))
		return;
	if (!s->open)
		peer_close(&s->peer, true, "no HELLO in time");
	else if (!pulse_tick(&s->pulse, &s->peer, now))
		peer_close(&s->peer, true, "silent for too long");
}

bool
session_closed(const Session *s, const char **why)
{
	*why = s->peer.why;
	return s->peer.closed;
}
