/* A connection's bytes as they come: framing, greeting, the order of messages. The first byte
 * chooses the end that is attacked, whether an honest greeting came before, and the size of pieces.
 * Whatever comes, what a peer keeps is bounded, and one that is closed takes nothing more. */
#include <stdlib.h>

#include "rpc_client/link.h"
#include "wire/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct End {
	bool client;
	Session session;
	Link link;
	uint64_t now;
} End;

static Peer *
peer_of(End *e)
{
	return e->client ? &e->link.peer : &e->session.peer;
}

/* Every request is refused; every event taken. */
static void
feed(End *e, const void *data, size_t n)
{
	Err why = {0};
	Message m;

	err_set(&why, ERR_UNSUPPORTED, "no");
	e->now += SECOND_NS / 4;
	if (e->client) {
		link_feed(&e->link, data, n, e->now);
		link_tick(&e->link, e->now);
		while (link_take_event(&e->link, &m))
			message_fini(&m);
		return;
	}
	session_feed(&e->session, data, n, e->now);
	while (session_next(&e->session, &m, e->now)) {
		session_refuse(&e->session, &m, &why, e->now);
		message_fini(&m);
	}
	session_tick(&e->session, e->now);
}

/* At most one incomplete frame is kept, and output that fits. */
static void
check(End *e)
{
	const Peer *p = peer_of(e);
	const uint8_t *out;

	if (p->in.n - p->in_at > FRAME_HEAD + (size_t)FRAME_MAX && !p->closed)
		abort();
	if (peer_output(p, &out) > p->out_max + FRAME_FIRST_MAX)
		abort();
}

static void
greet(End *e)
{
	Hello hello = {.version = PROTOCOL_OLDEST, .newest = PROTOCOL_VERSION};
	Bytes b = {0};

	if (!message_encode(&b, e->client ? MESSAGE_RESPONSE : MESSAGE_REQUEST, 1, METHOD_HELLO,
			    &hello, NULL))
		feed(e, b.p, b.n);
	bytes_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	End e = {.now = SECOND_NS};
	size_t at = 1, piece;
	uint32_t id;

	if (!size)
		return 0;
	e.client = data[0] & 1;
	session_init(&e.session, "agent", e.now);
	link_init(&e.link, "client", e.now);
	if (data[0] & 2)
		greet(&e);
	if (e.link.open)
		link_request(&e.link, METHOD_DEVICE, NULL, e.now, &id, NULL);
	piece = 1 + (data[0] >> 2);
	while (at < size) {
		bool closed = peer_of(&e)->closed;
		size_t n = piece < size - at ? piece : size - at, before = peer_of(&e)->in.n;

		feed(&e, data + at, n);
		if (closed && peer_of(&e)->in.n > before)
			abort();
		check(&e);
		at += n;
	}
	session_fini(&e.session);
	link_fini(&e.link);
	return 0;
}
