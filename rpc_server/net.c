/* Event loop on libuv.
 *
 * Everything that happens ends in the prepare callback before the next wait: the owner settles what
 * is due, waiting output is sent, finished connections end, the alarm is set. So no hook needs to
 * think about sending. A connection has at most one write in flight; what cannot be sent stays with
 * the owner, who bounds it. */
#include "rpc_server/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <uv.h>

#include "base/clock.h"
#include "base/socket.h"

enum { READ_BYTES = 64 * 1024, WRITE_BYTES = 64 * 1024, BACKLOG = 128, ADDRESS_MAX = 128 };

/* How long a socket may outlive its server, and between looks. */
#define GRACE_NS (SECOND_NS)
#define LOOK_NS  (20 * MS_NS)

typedef union Stream {
	uv_handle_t handle;
	uv_stream_t stream;
	uv_pipe_t pipe;
	uv_tcp_t tcp;
} Stream;

struct NetConn {
	Stream s;    /* read from, and written to unless there is a second one */
	Stream *out; /* &s, or standard output's, on the heap */
	uv_write_t write;
	Net *net;
	void *client; /* NULL once closed was called */
	NetConn *next, **link;
	bool writing;
	int handles;            /* that are still to be closed */
	char sent[WRITE_BYTES]; /* what the write in flight sends */
};

struct Net {
	uv_loop_t loop;
	NetHooks hooks;
	Stream listener;
	bool local; /* a Unix socket */
	uv_prepare_t settle;
	uv_timer_t alarm;
	uv_signal_t child, term, interrupt, hangup;
	uv_poll_t *watch;
	NetConn *conns;
	char address[ADDRESS_MAX];
	char in[READ_BYTES];
};

static void
free_handle(uv_handle_t *h)
{
	NetConn *c = h->data;

	if (--c->handles)
		return;
	if (c->out != &c->s)
		free(c->out);
	free(c);
}

/* Frees c when its handles are closed. */
static void
conn_close(NetConn *c)
{
	c->handles = c->out == &c->s ? 1 : 2;
	if (c->out != &c->s)
		uv_close(&c->out->handle, free_handle);
	uv_close(&c->s.handle, free_handle);
}

void
net_drop(NetConn *c)
{
	void *client = c->client;

	if (!client)
		return;
	c->client = NULL;
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	conn_close(c);
	c->net->hooks.closed(client);
}

static void
give_buffer(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	NetConn *c = h->data;

	(void)suggested;
	*buf = uv_buf_init(c->net->in, sizeof c->net->in);
}

static void
on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	NetConn *c = s->data;

	if (n > 0)
		c->net->hooks.received(c->client, buf->base, (size_t)n);
	else if (n < 0)
		net_drop(c);
}

static void
on_written(uv_write_t *w, int status)
{
	NetConn *c = w->data;

	c->writing = false;
	if (status < 0)
		net_drop(c);
}

/* The socket takes no more now: lets the loop send the next piece when it does. */
static void
write_later(NetConn *c, const uint8_t *data, size_t n)
{
	uv_buf_t buf;

	if (n > sizeof c->sent)
		n = sizeof c->sent;
	memcpy(c->sent, data, n);
	buf = uv_buf_init(c->sent, (unsigned)n);
	c->write.data = c;
	if (uv_write(&c->write, &c->out->stream, &buf, 1, on_written)) {
		net_drop(c);
		return;
	}
	c->writing = true;
	c->net->hooks.sent(c->client, n);
}

static void
send_output(NetConn *c)
{
	const uint8_t *data;
	size_t n;

	while (c->client && !c->writing && (n = c->net->hooks.output(c->client, &data))) {
		uv_buf_t buf = uv_buf_init((char *)data, n > 1u << 30 ? 1u << 30 : (unsigned)n);
		int rc = uv_try_write(&c->out->stream, &buf, 1);

		if (rc == UV_EAGAIN)
			write_later(c, data, n);
		else if (rc < 0)
			net_drop(c);
		else
			c->net->hooks.sent(c->client, (size_t)rc);
	}
}

/* Only wakes the loop: settling does the rest. */
static void
on_alarm(uv_timer_t *t)
{
	(void)t;
}

static void
set_alarm(Net *n, uint64_t when)
{
	uint64_t now = clock_ns(), ms = when > now ? (when - now + 999999) / 1000000 : 0;

	uv_update_time(&n->loop);
	if (when == UINT64_MAX)
		uv_timer_stop(&n->alarm);
	else
		uv_timer_start(&n->alarm, on_alarm, ms, 0);
}

static void
on_settle(uv_prepare_t *p)
{
	Net *n = p->data;
	uint64_t when = n->hooks.settle(n->hooks.self);

	for (NetConn *c = n->conns, *next; c; c = next) {
		next = c->next;
		send_output(c);
		if (c->client && n->hooks.finished(c->client))
			net_drop(c);
	}
	set_alarm(n, when);
}

static int
init_stream(Net *n, Stream *s)
{
	return n->local ? uv_pipe_init(&n->loop, &s->pipe, 0) : uv_tcp_init(&n->loop, &s->tcp);
}

static NetConn *
conn_new(Net *n)
{
	NetConn *c = calloc(1, sizeof *c);

	if (c && init_stream(n, &c->s)) {
		free(c);
		c = NULL;
	}
	if (c) {
		c->s.handle.data = c;
		c->out = &c->s;
		c->net = n;
	}
	return c;
}

static void
meet(const NetConn *c, NetPeer *p)
{
	struct sockaddr_storage a = {0};
	struct ucred who;
	socklen_t room = sizeof who;
	int size = sizeof a, fd;

	*p = (NetPeer){.uid = -1};
	if (c->out != &c->s)
		return;
	p->kind = c->net->local ? NET_LOCAL : NET_TCP;
	if (c->net->local && !uv_fileno(&c->s.handle, &fd) &&
	    !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &room))
		p->uid = (long)who.uid;
	if (c->net->local || uv_tcp_getpeername(&c->s.tcp, (struct sockaddr *)&a, &size))
		return;
	if (a.ss_family == AF_INET6) {
		uv_ip6_name((struct sockaddr_in6 *)&a, p->host, sizeof p->host);
		p->port = ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
	} else {
		uv_ip4_name((struct sockaddr_in *)&a, p->host, sizeof p->host);
		p->port = ntohs(((struct sockaddr_in *)&a)->sin_port);
	}
}

/* The stream of c is open unless status says otherwise: introduces the peer to the owner. */
static void
conn_begin(NetConn *c, int status)
{
	Net *n = c->net;
	NetPeer peer;
	int fd;

	if (!status)
		meet(c, &peer);
	if (status || !(c->client = n->hooks.opened(n->hooks.self, c, &peer))) {
		conn_close(c);
		return;
	}
	if (!n->local)
		uv_tcp_nodelay(&c->s.tcp, 1);
	if (!n->local && !uv_fileno(&c->s.handle, &fd))
		socket_expect(fd, n->hooks.silence_ms);
	c->next = n->conns;
	c->link = &n->conns;
	if (c->next)
		c->next->link = &c->next;
	n->conns = c;
	if (uv_read_start(&c->s.stream, give_buffer, on_read))
		net_drop(c);
}

static void
on_connection(uv_stream_t *listener, int status)
{
	NetConn *c = status ? NULL : conn_new(listener->data);

	if (c)
		conn_begin(c, uv_accept(listener, &c->s.stream));
}

static bool
is_channel(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && (S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode));
}

/* The one peer is there already, at standard input and output. */
static int
adopt(Net *n, Err *e)
{
	NetConn *c;
	int rc;

	snprintf(n->address, sizeof n->address, "standard input");
	if (!is_channel(STDIN_FILENO) || !is_channel(STDOUT_FILENO))
		return err_set(e, ERR_INPUT,
			       "standard input and output: expected pipes or connected sockets");
	n->local = true;
	c = conn_new(n);
	if (!c)
		return err_set(e, ERR_NOMEM, "standard input: out of memory");
	c->out = calloc(1, sizeof *c->out);
	if (!c->out || init_stream(n, c->out)) {
		free(c->out);
		c->out = &c->s;
		conn_close(c);
		return err_set(e, ERR_NOMEM, "standard output: out of memory");
	}
	c->out->handle.data = c;
	rc = uv_pipe_open(&c->s.pipe, STDIN_FILENO);
	if (!rc)
		rc = uv_pipe_open(&c->out->pipe, STDOUT_FILENO);
	conn_begin(c, rc);
	return rc ? err_set(e, ERR_INPUT, "standard input: %s", uv_strerror(rc)) : OK;
}

static void
on_signal(uv_signal_t *s, int number)
{
	Net *n = s->data;

	if (number == SIGCHLD)
		n->hooks.child(n->hooks.self);
	else if (number == SIGHUP)
		n->hooks.hangup(n->hooks.self);
	else
		n->hooks.stop(n->hooks.self);
}

static void
on_readable(uv_poll_t *p, int status, int events)
{
	Net *n = p->data;

	(void)status; /* an error is found by reading */
	(void)events;
	n->hooks.readable(n->hooks.self);
}

static void
free_watch(uv_handle_t *h)
{
	free(h);
}

void
net_watch(Net *n, int fd)
{
	if (n->watch)
		uv_close((uv_handle_t *)n->watch, free_watch);
	n->watch = fd < 0 ? NULL : malloc(sizeof *n->watch);
	if (!n->watch)
		return; /* without memory the deadline of what was to be watched comes instead */
	if (uv_poll_init(&n->loop, n->watch, fd)) {
		free(n->watch);
		n->watch = NULL;
		return;
	}
	n->watch->data = n;
	uv_poll_start(n->watch, UV_READABLE, on_readable);
}

/* libuv would blame permissions for a folder that does not exist. */
static int
check_folder(const char *path, Err *e)
{
	const char *slash = strrchr(path, '/');
	char folder[ADDRESS_MAX] = ".";

	if (slash)
		snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path),
			 path);
	return access(folder, W_OK | X_OK)
		       ? err_set(e, ERR_INPUT, "%s: folder %s: %s", path, folder, strerror(errno))
		       : OK;
}

static bool
somebody_listens(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = connect(fd, (const struct sockaddr *)a, sizeof *a) == 0;

	if (fd >= 0)
		close(fd);
	return yes;
}

/* Removes the socket of a server that is gone; refuses when one answers, or when path is something
 * else than a socket. A process that a killed server was about to start holds its socket until it
 * runs, hence the grace. */
static int
make_way(const char *path, Err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	uint64_t until = clock_ns() + GRACE_NS;
	struct stat st;

	if (strlen(path) >= sizeof a.sun_path)
		return err_set(e, ERR_INPUT, "%s: at most %zu bytes", path, sizeof a.sun_path - 1);
	if (lstat(path, &st))
		return check_folder(path, e);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_INPUT, "%s: exists and is not a socket", path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	while (somebody_listens(&a)) {
		if (clock_ns() > until)
			return err_set(e, ERR_BUSY, "%s: another server listens there", path);
		clock_sleep_ns(LOOK_NS);
	}
	unlink(path);
	return OK;
}

static int
bind_local(Net *n, const char *path, Err *e)
{
	mode_t old;
	int rc = make_way(path, e);

	if (rc)
		return rc;
	old = umask(0177); /* nobody else may connect, from the first moment */
	rc = uv_pipe_bind(&n->listener.pipe, path);
	umask(old);
	snprintf(n->address, sizeof n->address, "%s", path);
	return rc ? err_set(e, ERR_DEVICE, "%s: %s", path, uv_strerror(rc)) : OK;
}

/* "1.2.3.4:5" or "[::1]:5" */
static bool
parse_tcp(const char *address, struct sockaddr_storage *a)
{
	const char *colon = strrchr(address, ':');
	char host[NET_HOST_MAX], *end;
	long port = strtol(colon + 1, &end, 10);
	size_t n = (size_t)(colon - address);
	bool six = n > 2 && address[0] == '[' && address[n - 1] == ']';

	snprintf(host, sizeof host, "%.*s", (int)(six ? n - 2 : n), address + six);
	if (*end || end == colon + 1 || port < 0 || port > 65535)
		return false;
	return six ? !uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)a)
		   : !uv_ip4_addr(host, (int)port, (struct sockaddr_in *)a);
}

static int
bind_tcp(Net *n, const char *address, Err *e)
{
	const char *colon = strrchr(address, ':');
	struct sockaddr_storage a = {0};
	int size = sizeof a;

	if (!parse_tcp(address, &a))
		return err_set(e, ERR_INPUT, "%s: expected a numeric address and a port", address);
	if (uv_tcp_bind(&n->listener.tcp, (struct sockaddr *)&a, 0) ||
	    uv_tcp_getsockname(&n->listener.tcp, (struct sockaddr *)&a, &size))
		return err_set(e, ERR_DEVICE, "%s: cannot be used", address);
	/* the port lies at the same place in both kinds of address */
	snprintf(n->address, sizeof n->address, "%.*s:%d", (int)(colon - address), address,
		 ntohs(((struct sockaddr_in *)&a)->sin_port));
	return OK;
}

static int
listen_at(Net *n, const char *address, Err *e)
{
	int rc;

	n->local = strchr(address, '/') || !strchr(address, ':');
	if (init_stream(n, &n->listener))
		return err_set(e, ERR_NOMEM, "%s: no socket", address);
	n->listener.handle.data = n;
	rc = n->local ? bind_local(n, address, e) : bind_tcp(n, address, e);
	if (rc)
		return rc;
	rc = uv_listen(&n->listener.stream, BACKLOG, on_connection);
	return rc ? err_set(e, rc == UV_EADDRINUSE ? ERR_BUSY : ERR_DEVICE, "%s: %s", address,
			    uv_strerror(rc))
		  : OK;
}

static void
start_signal(Net *n, uv_signal_t *s, int number)
{
	uv_signal_init(&n->loop, s);
	s->data = n;
	uv_signal_start(s, on_signal, number);
}

int
net_open(Net **out, const char *address, const NetHooks *hooks, Err *e)
{
	Net *n = calloc(1, sizeof *n);
	int rc;

	*out = NULL;
	if (!n || uv_loop_init(&n->loop)) {
		free(n);
		return err_set(e, ERR_NOMEM, "event loop: out of memory");
	}
	n->hooks = *hooks;
	uv_prepare_init(&n->loop, &n->settle);
	uv_timer_init(&n->loop, &n->alarm);
	n->settle.data = n;
	uv_prepare_start(&n->settle, on_settle);
	start_signal(n, &n->child, SIGCHLD);
	start_signal(n, &n->term, SIGTERM);
	start_signal(n, &n->interrupt, SIGINT);
	if (hooks->hangup)
		start_signal(n, &n->hangup, SIGHUP);
	rc = address ? listen_at(n, address, e) : adopt(n, e);
	if (rc)
		net_close(n);
	else
		*out = n;
	return rc;
}

static void
close_rest(uv_handle_t *h, void *unused)
{
	(void)unused;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

void
net_close(Net *n)
{
	if (!n)
		return;
	while (n->conns)
		net_drop(n->conns);
	net_watch(n, -1);
	uv_walk(&n->loop, close_rest, NULL);
	uv_run(&n->loop, UV_RUN_DEFAULT);
	uv_loop_close(&n->loop);
	free(n);
}

const char *
net_address(const Net *n)
{
	return n->address;
}

void
net_run(Net *n)
{
	uv_run(&n->loop, UV_RUN_DEFAULT);
}

void
net_stop(Net *n)
{
	uv_stop(&n->loop);
}
