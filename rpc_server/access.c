/* Who may use the agent. Keys are read again every RING_NS while somebody is connected, and when
 * somebody comes: a new key works at once, a deleted one ends its connections within RING_NS. */
#include "rpc_server/access.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "wire/message.h"
#include "wire/session.h"

#define RING_NS (2 * SECOND_NS)

int
access_open(Access *a, const char *keys, const Limits *limits,
	    void (*note)(void *self, const char *line), void *self, Err *e)
{
	int rc;

	*a = (Access){.limits = limits, .note = note, .self = self, .left = limits->notes};
	if (!keys)
		return OK;
	rc = ring_open(keys, &a->ring, e);
	if (!rc)
		rc = side_accepting(a->ring, limits->stranger_bytes, &a->side, e);
	if (rc)
		access_close(a);
	return rc;
}

void
access_close(Access *a)
{
	side_free(a->side);
	ring_close(a->ring);
	*a = (Access){0};
}

/* A line, unless too many came in this minute; how many were left out is said with the next one. */
void
access_note(Access *a, uint64_t now, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	if (!a->note)
		return;
	if (now - a->filled >= 60 * SECOND_NS) {
		a->filled = now;
		a->left = a->limits->notes;
	}
	if (!a->left) {
		a->unsaid++;
		return;
	}
	a->left--;
	if (a->unsaid) {
		snprintf(line, sizeof line, "%llu lines left out", (unsigned long long)a->unsaid);
		a->note(a->self, line);
		a->unsaid = 0;
	}
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	a->note(a->self, line);
}

static void
name_peer(const NetPeer *peer, char *text, size_t size)
{
	if (peer->kind == NET_TCP)
		snprintf(text, size, strchr(peer->host, ':') ? "[%s]:%u" : "%s:%u", peer->host,
			 peer->port);
	else if (peer->kind == NET_LOCAL)
		snprintf(text, size, "user %ld", peer->uid);
	else
		snprintf(text, size, "standard input");
}

bool
access_admit(Access *a, const NetPeer *peer, Pass *p, uint64_t now)
{
	*p = (Pass){.access = a, .peer = *peer};
	name_peer(peer, p->from, sizeof p->from);
	if (peer->kind == NET_LOCAL && peer->uid != (long)geteuid() && peer->uid != 0) {
		access_note(a, now, "refused %s: the socket is for user %u", p->from,
			    (unsigned)geteuid());
		return false;
	}
	if (peer->kind != NET_TCP || !a->ring)
		return true;
	a->looked = 0; /* whoever made a key and comes at once is not to wait */
	access_refresh(a, now);
	p->channel = channel_new(a->side);
	if (!p->channel)
		access_note(a, now, "refused %s: out of memory", p->from);
	return p->channel != NULL;
}

void
access_release(Pass *p)
{
	channel_free(p->channel);
	key_wipe(&p->key);
	p->channel = NULL;
}

/* The handshake is over: from here on p->key is what counts. A key that went meanwhile is none. */
static void
take_key(Pass *p, uint64_t now)
{
	const Key *k = channel_key(p->channel);
	char print[FINGERPRINT_TEXT];

	if (!k || p->key.name[0] || p->revoked)
		return;
	p->revoked = !ring_holds(p->access->ring, k);
	if (!p->revoked)
		p->key = *k;
	key_fingerprint(k, print);
	access_note(p->access, now, "%s %s: key '%s', %s, %s", p->revoked ? "refused" : "accepted",
		    p->from, k->name, p->revoked ? "revoked" : key_role_word(k->role), print);
}

typedef struct Taking {
	Pass *pass;
	uint64_t now;
	ChannelTake *take;
	void *self;
} Taking;

/* The first bytes may come with the last of the handshake. */
static void
take_plain(void *self, const void *data, size_t n)
{
	Taking *t = self;

	take_key(t->pass, t->now);
	if (!t->pass->revoked)
		t->take(t->self, data, n);
}

static void
note_failure(Pass *p, uint64_t now)
{
	const char *name = channel_claimed(p->channel), *why = channel_why(p->channel);

	if (*name)
		access_note(p->access, now, "refused %s: key '%s': %s", p->from, name, why);
	else
		access_note(p->access, now, "refused %s: %s", p->from, why);
}

void
access_feed(Pass *p, const void *data, size_t n, uint64_t now, ChannelTake *take, void *self)
{
	Taking t = {p, now, take, self};

	if (!p->channel) {
		take(self, data, n);
	} else if (!access_failed(p)) {
		channel_feed(p->channel, data, n, take_plain, &t);
		take_key(p, now);
		if (channel_state(p->channel) == CHANNEL_FAILED)
			note_failure(p, now);
	}
}

size_t
access_output(Pass *p, Peer *peer, const uint8_t **data)
{
	size_t n = peer_output(peer, data), taken;

	if (!p->channel)
		return n;
	while (n && (taken = channel_write(p->channel, *data, n)) > 0) {
		peer_sent(peer, taken);
		n = peer_output(peer, data);
	}
	return channel_output(p->channel, data);
}

void
access_sent(Pass *p, Peer *peer, size_t n)
{
	if (p->channel)
		channel_sent(p->channel, n);
	else
		peer_sent(peer, n);
}

bool
access_failed(const Pass *p)
{
	return p->channel && (p->revoked || channel_state(p->channel) == CHANNEL_FAILED);
}

int
access_allows(const Pass *p, uint32_t method, Err *e)
{
	bool proved = !p->channel || p->key.name[0];
	bool manages = method == METHOD_DRAIN || method == METHOD_KICK;

	if (manages && p->peer.kind == NET_TCP && !p->key.name[0])
		return err_set(e, ERR_DENIED, "%s: for a key, or the agent's own user",
			       method_name(method));
	if (proved && (p->key.role == KEY_TUNE || method == METHOD_DEVICE))
		return OK;
	return err_set(e, ERR_DENIED, "%s: key '%s' is %s", method_name(method), p->key.name,
		       key_role_word(p->key.role));
}

const char *
access_name(const Pass *p)
{
	return p->key.name[0] ? p->key.name : p->from;
}

uint64_t
access_refresh(Access *a, uint64_t now)
{
	Err problem = {0};

	if (!a->ring)
		return UINT64_MAX;
	if (a->looked && now < a->looked + RING_NS)
		return a->looked + RING_NS;
	a->looked = now;
	if (ring_refresh(a->ring, &problem)) {
		a->changed = true;
		access_note(a, now, "keys read anew: %d", ring_count(a->ring));
	}
	if (problem.code)
		access_note(a, now, "left out: %s", problem.msg);
	return now + RING_NS;
}

bool
access_valid(const Pass *p)
{
	return !p->key.name[0] || ring_holds(p->access->ring, &p->key);
}
