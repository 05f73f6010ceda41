/* Event loop of the client, on libuv. At most one write is in flight; what does not fit stays with
 * the owner. */
#include "rpc_client/net.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "base/clock.h"
#include "base/socket.h"

enum { READ_BYTES = 256 * 1024, WRITE_BYTES = 64 * 1024, HOST_MAX = 256 };

struct Net {
	uv_loop_t loop;
	NetHooks hooks;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	} s;
	uv_connect_t connect;
	uv_getaddrinfo_t resolve;
	uv_write_t write;
	uv_prepare_t settle;
	uv_timer_t alarm;
	uv_async_t bell;
	bool connected, closed, writing;
	char in[READ_BYTES], out[WRITE_BYTES];
};

static void
end_connection(Net *n, int why)
{
	if (n->closed)
		return;
	n->closed = true;
	n->connected = false;
	uv_close(&n->s.handle, NULL);
	n->hooks.closed(n->hooks.self,
			why == UV_EOF ? "the agent closed the connection" : uv_strerror(why));
}

static void
give_buffer(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	Net *n = h->data;

	(void)suggested;
	*buf = uv_buf_init(n->in, sizeof n->in);
}

static void
on_read(uv_stream_t *s, ssize_t size, const uv_buf_t *buf)
{
	Net *n = s->data;

	if (size > 0)
		n->hooks.received(n->hooks.self, buf->base, (size_t)size);
	else if (size < 0)
		end_connection(n, (int)size);
}

static void
on_connected(uv_connect_t *c, int status)
{
	Net *n = c->data;
	int fd;

	if (status == 0 && !uv_fileno(&n->s.handle, &fd))
		socket_expect(fd, n->hooks.silence_ms);
	if (status == 0)
		status = uv_read_start(&n->s.stream, give_buffer, on_read);
	if (status < 0)
		end_connection(n, status);
	else
		n->connected = true;
}

static void
on_written(uv_write_t *w, int status)
{
	Net *n = w->data;

	n->writing = false;
	if (status < 0)
		end_connection(n, status);
}

ptrdiff_t
rpc_net_send(Net *n, const void *data, size_t size)
{
	uv_buf_t buf = uv_buf_init((char *)data, size > 1u << 30 ? 1u << 30 : (unsigned)size);
	int rc;

	if (!n->connected || n->writing || !size)
		return 0;
	rc = uv_try_write(&n->s.stream, &buf, 1);
	if (rc == UV_EAGAIN) { /* hand a piece to the loop: it knows when there is room */
		buf = uv_buf_init(n->out, size < sizeof n->out ? (unsigned)size : sizeof n->out);
		memcpy(n->out, data, buf.len);
		rc = uv_write(&n->write, &n->s.stream, &buf, 1, on_written);
		n->writing = rc == 0;
		rc = rc < 0 ? rc : (int)buf.len;
	}
	return rc;
}

/* Only wakes the loop. */
static void
on_alarm(uv_timer_t *t)
{
	(void)t;
}

static void
on_bell(uv_async_t *a)
{
	(void)a;
}

static void
on_settle(uv_prepare_t *p)
{
	Net *n = p->data;
	uint64_t wake = UINT64_MAX, now;

	if (!n->hooks.settle(n->hooks.self, &wake)) {
		uv_stop(&n->loop);
		return;
	}
	now = clock_ns();
	uv_update_time(&n->loop);
	if (wake == UINT64_MAX)
		uv_timer_stop(&n->alarm);
	else
		uv_timer_start(&n->alarm, on_alarm,
			       wake > now ? (wake - now + 999999) / 1000000 : 0, 0);
}

static void
connect_to(Net *n, const struct sockaddr *a)
{
	int rc = uv_tcp_connect(&n->connect, &n->s.tcp, a, on_connected);

	if (rc)
		end_connection(n, rc);
}

/* One is tried: of several the first of the older kind, where most agents listen. */
static const struct sockaddr *
choose(const struct addrinfo *found)
{
	for (const struct addrinfo *a = found; a; a = a->ai_next)
		if (a->ai_family == AF_INET)
			return a->ai_addr;
	return found->ai_addr;
}

static void
on_resolved(uv_getaddrinfo_t *r, int status, struct addrinfo *found)
{
	Net *n = r->data;

	if (!n->closed && status)
		end_connection(n, status);
	else if (!n->closed)
		connect_to(n, choose(found));
	uv_freeaddrinfo(found);
}

/* "host:port"; the host may be a name, 1.2.3.4 or [::1]. */
static int
connect_tcp(Net *n, const char *address, Err *e)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	const char *colon = strrchr(address, ':');
	size_t size = (size_t)(colon - address);
	bool six = size > 2 && address[0] == '[' && address[size - 1] == ']';
	struct sockaddr_in a;
	char host[HOST_MAX] = "";
	long port = strtol(colon + 1, NULL, 10);
	int rc = 0;

	size -= six ? 2 : 0;
	if (size >= HOST_MAX || port < 1 || port > 65535)
		return err_set(e, ERR_INPUT, "expected HOST:PORT");
	memcpy(host, address + six, size);
	uv_tcp_init(&n->loop, &n->s.tcp);
	uv_tcp_nodelay(&n->s.tcp, 1);
	n->s.handle.data = n;
	if (!uv_ip4_addr(host, (int)port, &a))
		connect_to(n, (struct sockaddr *)&a);
	else
		rc = uv_getaddrinfo(&n->loop, &n->resolve, on_resolved, host, colon + 1, &hints);
	return rc ? err_set(e, ERR_NOMEM, "%s: %s", host, uv_strerror(rc)) : OK;
}

static int
connect_place(Net *n, const Place *p, Err *e)
{
	if (p->kind == PLACE_TCP || p->kind == PLACE_TLS)
		return connect_tcp(n, p->text, e);
	uv_pipe_init(&n->loop, &n->s.pipe, 0);
	n->s.handle.data = n;
	uv_pipe_connect(&n->connect, &n->s.pipe, p->text, on_connected);
	return OK;
}

static int
adopt(Net *n, int fd, Err *e)
{
	int rc;

	uv_pipe_init(&n->loop, &n->s.pipe, 0);
	n->s.handle.data = n;
	rc = uv_pipe_open(&n->s.pipe, fd);
	if (rc)
		close(fd);
	else
		rc = uv_read_start(&n->s.stream, give_buffer, on_read);
	n->connected = rc == 0;
	return rc ? err_set(e, ERR_DEVICE, "agent: %s", uv_strerror(rc)) : OK;
}

int
rpc_net_open(Net **out, const Place *place, int fd, const NetHooks *hooks, Err *e)
{
	Net *n = calloc(1, sizeof *n);
	int rc;

	*out = NULL;
	if (!n || uv_loop_init(&n->loop)) {
		if (fd >= 0)
			close(fd);
		free(n);
		return err_set(e, ERR_NOMEM, "event loop: out of memory");
	}
	n->hooks = *hooks;
	n->connect.data = n->write.data = n->resolve.data = n;
	uv_timer_init(&n->loop, &n->alarm);
	uv_async_init(&n->loop, &n->bell, on_bell);
	uv_prepare_init(&n->loop, &n->settle);
	n->settle.data = n;
	uv_prepare_start(&n->settle, on_settle);
	rc = fd < 0 ? connect_place(n, place, e) : adopt(n, fd, e);
	if (rc)
		rpc_net_close(n);
	else
		*out = n;
	return rc;
}

void
rpc_net_run(Net *n)
{
	uv_run(&n->loop, UV_RUN_DEFAULT);
}

void
rpc_net_ring(Net *n)
{
	uv_async_send(&n->bell);
}

static void
close_rest(uv_handle_t *h, void *unused)
{
	(void)unused;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

void
rpc_net_close(Net *n)
{
	if (!n)
		return;
	n->closed = true;
	uv_walk(&n->loop, close_rest, NULL);
	uv_run(&n->loop, UV_RUN_DEFAULT);
	uv_loop_close(&n->loop);
	free(n);
}
