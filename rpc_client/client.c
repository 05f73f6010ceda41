/* The synchronous face: callers put requests into the link under the lock, ring the bell of the
 * thread that moves bytes, and wait for `changed`. The thread owns Net, and Local until it is
 * connected; the lock guards Link and the flags. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"
#include "rpc_client/client_parts.h"

#define WHO "hone " HONE_VERSION

enum {
	WINDOW = 4, /* chunks of a blob that are under way at a time */
	SSH_S = 60, /* for ssh to get there */
};

/* --- in the thread --- */

static void
refused(RpcClient *c, int code, const char *why)
{
	if (!c->failed.code && !c->link.open)
		err_set(&c->failed, code, "agent: %s", why);
	peer_close(&c->link.peer, false, "%s", why);
}

static void
take_plain(void *self, const void *data, size_t n)
{
	RpcClient *c = self;

	link_feed(&c->link, data, n, clock_ns());
}

static void
on_received(void *self, const void *data, size_t n)
{
	RpcClient *c = self;

	pthread_mutex_lock(&c->lock);
	if (c->channel)
		channel_feed(c->channel, data, n, take_plain, c);
	else
		take_plain(c, data, n);
	if (c->channel && channel_state(c->channel) == CHANNEL_FAILED)
		refused(c, ERR_DENIED, channel_why(c->channel));
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

/* An agent that wants a key says nothing to those without. */
static void
on_closed(void *self, const char *why)
{
	RpcClient *c = self;

	pthread_mutex_lock(&c->lock);
	if (c->place.kind == PLACE_TCP && c->connected && !c->link.open)
		peer_close(&c->link.peer, false,
			   "%s; if it wants a key: hone device add, see rpc_server --add-key", why);
	peer_close(&c->link.peer, false, "%s", why);
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

/* What waits for the network. */
static size_t
output(RpcClient *c, const uint8_t **data)
{
	Peer *p = &c->link.peer;
	size_t n = peer_output(p, data), taken;

	while (c->channel && n && (taken = channel_write(c->channel, *data, n)) > 0) {
		peer_sent(p, taken);
		n = peer_output(p, data);
	}
	return c->channel ? channel_output(c->channel, data) : n;
}

static void
sent(RpcClient *c, size_t n)
{
	c->connected = true;
	if (c->channel)
		channel_sent(c->channel, n);
	else
		peer_sent(&c->link.peer, n);
}

static bool
on_settle(void *self, uint64_t *wake)
{
	RpcClient *c = self;
	Peer *p = &c->link.peer;
	const uint8_t *data;
	ptrdiff_t gone_out = 0;
	bool go_on;
	size_t n;

	pthread_mutex_lock(&c->lock);
	link_tick(&c->link, clock_ns());
	while ((n = output(c, &data)) && (gone_out = rpc_net_send(c->net, data, n)) > 0)
		sent(c, (size_t)gone_out);
	if (gone_out < 0)
		peer_close(p, false, "connection broken");
	go_on = !p->closed;
	*wake = link_deadline(&c->link);
	if (!go_on)
		pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return go_on;
}

/* Starts what is at the other end, where that is a process; *fd is its connection, or stays -1. */
static int
start_process(RpcClient *c, int *fd, Err *e)
{
	Place *p = &c->place;
	char *shell[] = {"/bin/sh", "-c", p->text, NULL};
	char *ssh[] = {"ssh",      "-T",      "-o", "BatchMode=yes", "--", p->text,
		       p->program, "--stdio", NULL};

	if (c->server_path)
		return local_start(&c->local, c->server_path, fd, e);
	if (p->kind == PLACE_EXEC || p->kind == PLACE_SSH)
		return local_exec(&c->local, p->kind == PLACE_SSH ? ssh : shell, fd, e);
	return OK;
}

static int
start_channel(RpcClient *c, Err *e)
{
	int rc;

	if (c->server_path || c->place.kind != PLACE_TLS)
		return OK;
	rc = side_connecting(&c->place.key, CHANNEL_STRANGER_MAX, &c->side, e);
	if (!rc && !(c->channel = channel_new(c->side)))
		rc = err_set(e, ERR_NOMEM, "agent: out of memory");
	place_wipe(&c->place);
	return rc;
}

static void *
run(void *self)
{
	RpcClient *c = self;
	NetHooks hooks = {c, on_received, on_closed, on_settle,
			  (unsigned)(c->pulse.silence / MS_NS)};
	Err e = {0};
	int rc = start_channel(c, &e), fd = -1;

	if (!rc)
		rc = start_process(c, &fd, &e);
	pthread_mutex_lock(&c->lock);
	link_init(&c->link, WHO, clock_ns());
	c->link.pulse = c->pulse;
	if (fd >= 0 && !c->server_path)
		c->link.patience = SSH_S * SECOND_NS;
	if (rc == OK)
		rc = rpc_net_open(&c->net, &c->place, fd, &hooks, &e);
	if (rc)
		peer_close(&c->link.peer, false, "%.200s", e.msg);
	c->failed = e;
	c->begun = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	if (rc == OK)
		rpc_net_run(c->net);
	return NULL;
}

/* --- in the callers' threads; the static ones expect the lock to be held --- */

void
client_wait(RpcClient *c, uint64_t end)
{
	struct timespec t = {(time_t)(end / SECOND_NS), (long)(end % SECOND_NS)};

	if (end == UINT64_MAX)
		pthread_cond_wait(&c->changed, &c->lock);
	else
		pthread_cond_timedwait(&c->changed, &c->lock, &t);
}

int
client_gone(const RpcClient *c, Err *e)
{
	return err_set(e, ERR_DEVICE, "agent: %s", c->link.peer.why);
}

static int
send_request(RpcClient *c, Method method, const void *args, uint32_t *id, Err *e)
{
	int rc = link_request(&c->link, method, args, clock_ns(), id, e);

	rpc_net_ring(c->net);
	return rc;
}

/* Waits for the answer to a request. OK: *m is a response, and the caller calls message_fini. */
static int
await(RpcClient *c, uint32_t id, Message *m, Err *e)
{
	int code;

	while (!link_take_answer(&c->link, id, m)) {
		if (c->link.peer.closed)
			return client_gone(c, e);
		client_wait(c, UINT64_MAX);
	}
	if (m->kind == MESSAGE_RESPONSE)
		return OK;
	code = failure_code(&m->u.failure);
	err_set(e, code, "agent: %.700s", m->u.failure.text);
	message_fini(m);
	return code;
}

int
client_ask(RpcClient *c, Method method, const void *args, Message *m, Err *e)
{
	uint32_t id;
	int rc = send_request(c, method, args, &id, e);

	return rc ? rc : await(c, id, m, e);
}

int
client_tell(RpcClient *c, Method method, const void *args, Err *e)
{
	Message m;
	int rc;

	pthread_mutex_lock(&c->lock);
	rc = client_ask(c, method, args, &m, e);
	pthread_mutex_unlock(&c->lock);
	if (rc == OK)
		message_fini(&m);
	return rc;
}

/* The link has said HELLO; asks what the device is. Takes the lock itself. */
static int
meet(RpcClient *c, Err *e)
{
	Message m;
	int rc;

	pthread_mutex_lock(&c->lock);
	while (!c->begun || (!c->link.open && !c->link.peer.closed))
		client_wait(c, UINT64_MAX);
	if (c->failed.code)
		rc = err_set(e, c->failed.code, "%s", c->failed.msg);
	else if (c->link.refused)
		rc = err_set(e, c->link.refused, "%s", c->link.peer.why);
	else if (c->link.peer.closed)
		rc = client_gone(c, e);
	else
		rc = client_ask(c, METHOD_DEVICE, NULL, &m, e);
	pthread_mutex_unlock(&c->lock);
	if (rc == OK)
		c->device = m.u.device; /* moved: the message is not freed */
	if (c->place.kind == PLACE_TCP)
		c->device.insecure = true;
	return rc;
}

static int
start(const RpcWay *way, const Place *place, RpcClient **out, Err *e)
{
	RpcClient *c = calloc(1, sizeof *c);
	pthread_condattr_t attr;
	int rc;

	*out = NULL;
	if (!c)
		return err_set(e, ERR_NOMEM, "agent: out of memory");
	c->place = *place;
	c->pulse =
		(Pulse){.heartbeat = way->heartbeat_ms ? way->heartbeat_ms * MS_NS : HEARTBEAT_NS,
			.silence = way->silence_ms ? way->silence_ms * MS_NS : SILENCE_NS};
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->changed, &attr);
	pthread_condattr_destroy(&attr);
	c->server_path = way->address ? NULL : strdup(way->server_path);
	if (!way->address && !c->server_path)
		rc = err_set(e, ERR_NOMEM, "agent: out of memory");
	else
		rc = thread_start(&c->thread, run, c, "agent", e);
	if (rc) {
		free(c->server_path);
		free(c);
		return rc;
	}
	rc = meet(c, e);
	if (rc)
		rpc_close(c);
	else
		*out = c;
	return rc;
}

int
rpc_open_way(const RpcWay *way, RpcClient **c, Err *e)
{
	Place place = {0};
	int rc = way->address ? place_find(way->address, &place, e) : OK;

	*c = NULL;
	if (!rc)
		rc = start(way, &place, c, e);
	place_wipe(&place);
	if (rc && way->address)
		err_prefix(e, "%s: ", way->address);
	return rc;
}

int
rpc_open(const char *address, RpcClient **c, Err *e)
{
	return rpc_open_way(&(RpcWay){.address = address}, c, e);
}

int
rpc_start_local(const char *server_path, RpcClient **c, Err *e)
{
	return rpc_open_way(&(RpcWay){.server_path = server_path}, c, e);
}

void
rpc_close(RpcClient *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	peer_close(&c->link.peer, true, "done");
	if (c->net)
		rpc_net_ring(c->net);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	rpc_net_close(c->net);
	local_stop(&c->local);
	channel_free(c->channel);
	side_free(c->side);
	place_wipe(&c->place);
	link_fini(&c->link);
	device_fini(&c->device);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c->server_path);
	free(c);
}

const DeviceInfo *
rpc_device(const RpcClient *c)
{
	return &c->device;
}

uint64_t
rpc_instance(const RpcClient *c)
{
	return c->link.instance;
}

/* Sends all chunks (one, when there are no bytes), at most WINDOW of them without an answer. After
 * an error the answers under way are still taken, so that nobody else meets them. */
static int
upload(RpcClient *c, const uint8_t *data, size_t size, const Digest *d, Err *e)
{
	uint32_t id[WINDOW], sent = 0, answered = 0;
	size_t at = 0;
	int rc = OK;

	for (;;) {
		bool more = rc == OK && (at < size || sent == 0);
		size_t n = size - at < CHUNK_MAX ? size - at : CHUNK_MAX;
		Message m;

		if (more && sent - answered < WINDOW) {
			BlobChunk chunk = {*d, size, at, {(uint8_t *)data + at, (uint32_t)n}};

			rc = send_request(c, METHOD_BLOB_PUT, &chunk, &id[sent % WINDOW], e);
			sent += rc == OK;
			at += n;
		} else if (answered < sent) {
			int one = await(c, id[answered++ % WINDOW], &m, e);

			if (one == OK)
				message_fini(&m);
			rc = rc ? rc : one;
		} else {
			return rc;
		}
	}
}

int
rpc_put_blob(RpcClient *c, const void *data, size_t size, Digest *d, Err *e)
{
	Digest own = digest_of(data, size);
	Digests offer = {{&own, 1}};
	bool missing = false;
	Message m;
	int rc;

	if (d)
		*d = own;
	pthread_mutex_lock(&c->lock);
	rc = client_ask(c, METHOD_BLOB_HAVE, &offer, &m, e);
	if (rc == OK) {
		missing = m.u.digests.list.n > 0;
		message_fini(&m);
	}
	if (missing)
		rc = upload(c, data, size, &own, e);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

/* Adds the next chunk; *data grows with the first one. Frees the message. */
static int
append(Message *m, uint8_t **data, uint64_t *size, uint64_t *have, Err *e)
{
	const BlobChunk *k = &m->u.chunk;
	int rc = OK;

	if (!*data) {
		*size = k->size;
		*data = malloc(k->size ? k->size : 1);
	}
	if (!*data)
		rc = err_set(e, ERR_NOMEM, "no memory for a blob of %llu bytes",
			     (unsigned long long)k->size);
	else if (k->size != *size || k->offset != *have || k->bytes.n > *size - *have ||
		 (!k->bytes.n && *have < *size))
		rc = err_set(e, ERR_DEVICE, "agent: chunk of a blob out of order");
	else if (k->bytes.n)
		memcpy(*data + *have, k->bytes.v, k->bytes.n);
	*have += k->bytes.n;
	message_fini(m);
	return rc;
}

int
rpc_get_blob(RpcClient *c, const Digest *d, void **data, size_t *size, Err *e)
{
	BlobAsk next = {.digest = *d};
	uint8_t *bytes = NULL;
	uint64_t total = 0;
	Digest got;
	int rc;

	pthread_mutex_lock(&c->lock);
	do {
		Message m;

		rc = client_ask(c, METHOD_BLOB_GET, &next, &m, e);
		if (rc == OK)
			rc = append(&m, &bytes, &total, &next.offset, e);
	} while (rc == OK && next.offset < total);
	pthread_mutex_unlock(&c->lock);
	if (rc == OK) {
		got = digest_of(bytes, total);
		if (!digest_equal(&got, d))
			rc = err_set(e, ERR_DEVICE, "agent: blob does not match its digest");
	}
	if (rc) {
		free(bytes);
		return rc;
	}
	*data = bytes;
	*size = (size_t)total;
	return OK;
}

int
rpc_submit(RpcClient *c, const Batch *b, Err *e)
{
	Batch own = *b;

	pthread_mutex_lock(&c->lock);
	own.epoch = c->link.hold.state == HOLD_NONE ? 0 : c->link.hold.epoch;
	pthread_mutex_unlock(&c->lock);
	return client_tell(c, METHOD_BATCH_SUBMIT, &own, e);
}

int
rpc_cancel(RpcClient *c, uint64_t batch, Err *e)
{
	BatchRef ref = {batch};

	return client_tell(c, METHOD_BATCH_CANCEL, &ref, e);
}

int
rpc_wait(RpcClient *c, int timeout_ms, RpcEvent *event, Err *e)
{
	uint64_t end = timeout_ms < 0 ? UINT64_MAX : clock_ns() + (uint64_t)timeout_ms * MS_NS;
	int rc = OK;
	Message m;

	pthread_mutex_lock(&c->lock);
	while (rc == OK && !link_take_event(&c->link, &m)) {
		if (c->link.peer.closed)
			rc = client_gone(c, e);
		else if (clock_ns() >= end)
			rc = NOT_APPLICABLE;
		else
			client_wait(c, end);
	}
	pthread_mutex_unlock(&c->lock);
	if (rc)
		return rc;
	*event = (RpcEvent){.kind = RPC_LEASE_LOST};
	if (m.method == METHOD_RESULT)
		*event = (RpcEvent){.kind = RPC_RESULT, .result = m.u.result}; /* moved */
	else if (m.method == METHOD_BATCH_DONE)
		*event = (RpcEvent){.kind = RPC_BATCH_DONE, .done = m.u.done};
	else
		message_fini(&m);
	return OK;
}

int
rpc_calibrate(RpcClient *c, bool (*stop)(void *self), void *self, Calibration *out, Err *e)
{
	/* The runner runs nothing: it is the machine that is measured. */
	Batch b = {.id = UINT64_MAX, .runner = (char *)"null", .calibrate = true};
	RpcEvent ev = {0};
	int rc = rpc_submit(c, &b, e);

	do {
		if (!rc && stop && stop(self))
			return err_set(e, ERR_CANCELLED, "calibration: stopped");
		if (!rc)
			rc = rpc_wait(c, ASK_MS, &ev, e);
		rc = rc == NOT_APPLICABLE ? OK : rc;
	} while (!rc && ev.kind != RPC_BATCH_DONE);
	if (rc)
		return err_prefix(e, "calibration: "), rc;
	*out = ev.done.calibration;
	return out->fma_gflops > 0
		       ? OK
		       : err_set(e, ERR_DEVICE, "calibration: the measuring process died of it");
}
