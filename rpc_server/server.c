/* Sessions on one side, batches on the other (batches.c). Runs in the event loop's thread only,
 * never runs foreign code, never waits. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hardware.h"
#include "rpc_server/describe.h"
#include "rpc_server/server_parts.h"

#define WHO "rpc_server " HONE_VERSION

/* --- what a client asks for --- */

static int
on_device(Client *c, Message *m, Err *e)
{
	const Server *s = c->server;
	DeviceInfo d = s->device;
	char wedged[WEDGE_TEXT];
	uint64_t now = clock_ns();

	(void)e;
	wedge_text(&s->wedge, now, wedged);
	d.wedged = wedged;
	d.memory_free = hardware_free_memory();
	d.load = hardware_load();
	lease_describe(s, &d, now);
	d.waiting = s->queued;
	d.poisoned = journal_refused(s->config->journal);
	d.role = c->pass.key.name[0] ? (char *)key_role_word(c->pass.key.role) : NULL;
	session_reply(&c->session, m, &d, now);
	return OK;
}

static int
on_blob_have(Client *c, Message *m, Err *e)
{
	Digests *d = &m->u.digests;
	uint32_t missing = 0;

	(void)e;
	for (uint32_t i = 0; i < d->list.n; i++)
		if (!blobs_have(c->server->blobs, &d->list.v[i]))
			d->list.v[missing++] = d->list.v[i];
	d->list.n = missing;
	session_reply(&c->session, m, d, clock_ns());
	return OK;
}

static int
on_blob_put(Client *c, Message *m, Err *e)
{
	int rc = blobs_chunk(c->server->blobs, c->uploads, &m->u.chunk, e);

	if (rc == OK)
		session_reply(&c->session, m, NULL, clock_ns());
	return rc;
}

static int
on_blob_get(Client *c, Message *m, Err *e)
{
	Blob *b = blobs_hold(c->server->blobs, &m->u.ask.digest);
	uint64_t at = m->u.ask.offset;
	BlobChunk chunk = {.digest = m->u.ask.digest, .offset = at};

	if (!b || at > b->size) {
		blobs_drop(b);
		return err_set(e, ERR_INPUT, "blob: %s", b ? "offset beyond its end" : "not here");
	}
	chunk.size = b->size;
	chunk.bytes.v = b->data + at;
	chunk.bytes.n = b->size - at < CHUNK_MAX ? (uint32_t)(b->size - at) : CHUNK_MAX;
	session_reply(&c->session, m, &chunk, clock_ns());
	blobs_drop(b);
	return OK;
}

static Handler *
handler_of(uint32_t method)
{
	static Handler *const table[] = {
		[METHOD_DEVICE] = on_device,          [METHOD_BLOB_HAVE] = on_blob_have,
		[METHOD_BLOB_PUT] = on_blob_put,      [METHOD_BLOB_GET] = on_blob_get,
		[METHOD_BATCH_SUBMIT] = batch_submit, [METHOD_BATCH_CANCEL] = batch_recall,
	};
	return method < sizeof table / sizeof *table && table[method] ? table[method]
								      : lease_handler(method);
}

static void
refuse(Client *c, const Message *m, Err *e)
{
	if (e->code == ERR_DENIED)
		access_note(&c->server->access, clock_ns(), "denied %s: %s", c->pass.from, e->msg);
	session_refuse(&c->session, m, e, clock_ns());
}

static void
on_plain(void *client, const void *data, size_t n)
{
	Client *c = client;
	Message m;

	session_feed(&c->session, data, n, clock_ns());
	while (session_next(&c->session, &m, clock_ns())) {
		Handler *handle = handler_of(m.method);
		Err e = {0};

		if (!handle)
			err_set(&e, ERR_UNSUPPORTED, "%s is no request", method_name(m.method));
		if (!handle || access_allows(&c->pass, m.method, &e) || handle(c, &m, &e))
			refuse(c, &m, &e);
		message_fini(&m);
	}
}

static void
on_received(void *client, const void *data, size_t n)
{
	Client *c = client;

	access_feed(&c->pass, data, n, clock_ns(), on_plain, c);
}

/* --- connections --- */

typedef struct Crowd {
	unsigned here, strangers; /* at that address; all that have not said HELLO */
	Client *oldest_here, *oldest;
} Crowd;

static Crowd
count(const Server *s, const NetPeer *peer)
{
	Crowd n = {0};

	for (Client *c = s->clients; c; c = c->next) { /* newest first */
		bool here = peer->kind == NET_TCP && !strcmp(c->pass.peer.host, peer->host);

		n.here += here;
		if (c->session.open)
			continue;
		n.strangers++;
		n.oldest = c;
		if (here)
			n.oldest_here = c;
	}
	return n;
}

/* Makes room by sending the oldest stranger away, of the same address where that has its share;
 * false when everybody in the way is known. */
static bool
make_room(Server *s, const NetPeer *peer)
{
	const Limits *l = &s->config->limits;
	Crowd n = count(s, peer);
	bool full_here = n.here >= l->per_address;
	Client *goes = full_here ? n.oldest_here : n.oldest;

	if (!full_here && s->count < l->clients && n.strangers < l->strangers)
		return true;
	if (goes)
		net_drop(goes->conn);
	else
		access_note(&s->access, clock_ns(), "refused %s: %u connections, %u of them there",
			    *peer->host ? peer->host : "a client", s->count, n.here);
	return goes != NULL;
}

static void *
on_opened(void *self, NetConn *conn, const NetPeer *peer)
{
	Server *s = self;
	Client *c;

	if (!make_room(s, peer))
		return NULL;
	c = calloc(1, sizeof *c);
	if (!c || !access_admit(&s->access, peer, &c->pass, clock_ns())) {
		free(c);
		return NULL;
	}
	session_init(&c->session, WHO, clock_ns());
	c->session.handshake_ns = s->config->limits.handshake_ms * MS_NS;
	c->session.out_max = s->config->limits.send_bytes;
	c->session.pulse.heartbeat = s->config->limits.heartbeat_ms * MS_NS;
	c->session.pulse.silence = s->config->limits.silence_ms * MS_NS;
	c->session.instance = s->instance;
	c->conn = conn;
	c->server = s;
	c->next = s->clients;
	s->clients = c;
	s->count++;
	return c;
}

static void
on_closed(void *client)
{
	Client *c = client, **link = &c->server->clients;
	Server *s = c->server;

	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	s->count--;
	if (!c->session.open && !access_failed(&c->pass))
		access_note(&s->access, clock_ns(), "refused %s: %s", c->pass.from,
			    c->session.peer.closed ? c->session.peer.why : "left without HELLO");
	batches_left(c);
	lease_left(c, clock_ns());
	blobs_forget(s->blobs, c->uploads);
	session_fini(&c->session);
	access_release(&c->pass);
	free(c);
}

static size_t
on_output(void *client, const uint8_t **data)
{
	Client *c = client;

	return access_output(&c->pass, &c->session.peer, data);
}

static void
on_sent(void *client, size_t n)
{
	Client *c = client;

	access_sent(&c->pass, &c->session.peer, n);
}

static bool
on_finished(void *client)
{
	Client *c = client;
	const char *why;

	return access_failed(&c->pass) || session_closed(&c->session, &why);
}

/* Keys came or went. */
static void
expel(Server *s)
{
	s->access.changed = false;
	for (Client *c = s->clients; c; c = c->next) {
		if (access_valid(&c->pass) || c->session.peer.closed)
			continue;
		access_note(&s->access, clock_ns(), "dropped %s: key '%s' revoked", c->pass.from,
			    c->pass.key.name);
		peer_close(&c->session.peer, true, "key '%s' was revoked", c->pass.key.name);
	}
}

/* --- the loop --- */

static void
on_readable(void *self)
{
	Server *s = self;

	if (s->running)
		batch_readable(s->running);
}

static void
on_child(void *self)
{
	batches_child_ended(self);
}

static void
on_stop(void *self)
{
	net_stop(((Server *)self)->net);
}

static void
on_hangup(void *self)
{
	const ServerConfig *c = ((Server *)self)->config;

	c->hangup(c->self);
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
on_settle(void *self)
{
	Server *s = self;
	uint64_t wake = UINT64_MAX, now = clock_ns();

	if (s->count)
		wake = access_refresh(&s->access, now);
	if (s->config->due)
		wake = sooner(wake, s->config->due(s->config->self, now));
	if (s->access.changed)
		expel(s);
	for (Client *c = s->clients; c; c = c->next) {
		session_tick(&c->session, now);
		wake = sooner(wake, session_deadline(&c->session));
	}
	batches_settle(s, now);
	wake = sooner(wake, wedge_deadline(&s->wedge));
	wake = sooner(wake, lease_deadline(&s->leases));
	if (s->running)
		wake = sooner(wake, batch_deadline(s->running));
	else if (!s->wedge.pid) /* whoever turns the power off then ends what runs */
		journal_idle(s->config->journal);
	if (!s->config->address && !s->count)
		net_stop(s->net);
	return wake;
}

/* --- start and end --- */

static int
open_blobs(Server *s, Err *e)
{
	const ServerConfig *c = s->config;
	BlobFiles *files = NULL;
	int rc = c->blob_folder ? blob_files_open(&files, c->blob_folder, c->blob_bytes, c->note,
						  c->self, e)
				: OK;

	if (rc)
		return rc;
	s->blobs = blobs_new(c->blob_bytes, files);
	return s->blobs ? OK : err_set(e, ERR_NOMEM, "server: out of memory");
}

int
server_run(const ServerConfig *config, void (*ready)(void *self, const char *address), Err *e)
{
	Server *s = calloc(1, sizeof *s);
	NetHooks hooks = {s,
			  on_opened,
			  on_received,
			  on_output,
			  on_sent,
			  on_finished,
			  on_closed,
			  on_readable,
			  on_child,
			  on_stop,
			  on_settle,
			  config->hangup ? on_hangup : NULL,
			  config->limits.silence_ms};
	int rc;

	if (!s)
		return err_set(e, ERR_NOMEM, "server: out of memory");
	s->config = config;
	s->instance = (uint64_t)clock_wall_s() << 32 ^ (uint64_t)getpid() << 40 ^ clock_ns();
	lease_init(&s->leases, config->limits.lease_queue, config->limits.lease_seconds,
		   config->limits.lease_grace * SECOND_NS);
	rc = open_blobs(s, e);
	if (rc == OK)
		rc = describe_device(config, &s->device, e);
	if (rc == OK)
		rc = describe_sandbox(config, &s->device, e);
	if (rc == OK)
		rc = access_open(&s->access, config->keys, &config->limits, config->note,
				 config->self, e);
	if (rc == OK)
		rc = net_open(&s->net, config->address, &hooks, e);
	if (rc == OK) {
		ready(config->self, net_address(s->net));
		net_run(s->net);
	}
	if (s->running)
		net_watch(s->net, -1);
	batch_free(s->running);
	s->running = NULL;
	net_close(s->net); /* frees the clients and what they queued */
	access_close(&s->access);
	blobs_free(s->blobs);
	device_fini(&s->device);
	free(s);
	return rc;
}
