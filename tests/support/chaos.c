/* A thread that polls. A connection is read only when its rule lets a byte pass and its pause is
 * over; what was read is written at once, so nothing waits in here. */
#include "tests/support/chaos.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "wire/message.h"

enum { PAIRS_MAX = 64, PIECE_MAX = 16 * 1024, WAIT_MS = 1000 };

typedef struct Pair {
	int fd[2]; /* the client's, the agent's; -1 */
	ChaosRule rule;
	unsigned number;
	size_t passed[2];
	uint64_t next[2]; /* when that side may move again */
	uint8_t held[PIECE_MAX];
	size_t n; /* of an incomplete frame, where results are repeated */
	bool silent;
} Pair;

struct Chaos {
	pthread_t thread;
	pthread_mutex_t lock; /* of what is told */
	int listener, bell[2];
	unsigned port, target, rules, count;
	ChaosRule *rule;
	Pair pair[PAIRS_MAX];
	unsigned pairs;
	uint8_t log[2][CHAOS_LOG];
	size_t logged[2];
};

static struct sockaddr_in
at_port(unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET};

	a.sin_port = htons((uint16_t)port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static int
dial(unsigned port)
{
	struct sockaddr_in a = at_port(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void
hang_up(Pair *p, bool reset)
{
	struct linger hard = {1, 0};

	for (int i = 0; i < 2; i++) {
		if (p->fd[i] < 0)
			continue;
		if (reset)
			setsockopt(p->fd[i], SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
		close(p->fd[i]);
		p->fd[i] = -1;
	}
}

/* The agent may not be there: the client is then refused as by nobody. */
static void
take_in(Chaos *c)
{
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC), on = 1;
	Pair *p = &c->pair[c->pairs];

	if (fd < 0)
		return;
	memset(p, 0, sizeof *p);
	p->fd[0] = fd;
	p->fd[1] = c->pairs < PAIRS_MAX - 1 ? dial(c->target) : -1;
	pthread_mutex_lock(&c->lock);
	p->number = c->count++;
	pthread_mutex_unlock(&c->lock);
	if (p->fd[1] < 0) {
		hang_up(p, true);
		return;
	}
	for (int i = 0; i < 2; i++)
		setsockopt(p->fd[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (p->number < c->rules)
		p->rule = c->rule[p->number];
	c->pairs++;
}

static bool
write_all(int fd, const uint8_t *data, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		data += sent;
		n -= (size_t)sent;
	}
	return true;
}

static void
note(Chaos *c, const Pair *p, int side, const uint8_t *data, size_t n)
{
	size_t room = CHAOS_LOG - c->logged[side];

	if (p->number)
		return;
	pthread_mutex_lock(&c->lock);
	n = n < room ? n : room;
	memcpy(c->log[side] + c->logged[side], data, n);
	c->logged[side] += n;
	pthread_mutex_unlock(&c->lock);
}

/* Bytes of the frame at data, or 0 when it is not complete. */
static size_t
frame_at(const uint8_t *data, size_t n)
{
	size_t body = n < FRAME_HEAD ? 0
				     : (size_t)data[0] | (size_t)data[1] << 8 |
					       (size_t)data[2] << 16 | (size_t)data[3] << 24;

	return n >= FRAME_HEAD && n - FRAME_HEAD >= body ? FRAME_HEAD + body : 0;
}

static bool
is_result(const uint8_t *frame, size_t n)
{
	bool result;
	Message m;

	if (message_decode(frame + FRAME_HEAD, n - FRAME_HEAD, &scan_later, &m, NULL))
		return false;
	result = m.kind == MESSAGE_EVENT && m.method == METHOD_RESULT;
	message_fini(&m);
	return result;
}

static bool
write_old_results(const Chaos *c, int fd)
{
	const uint8_t *at = c->log[CHAOS_TO_CLIENT];
	size_t left = c->logged[CHAOS_TO_CLIENT], n;
	bool fine = true;

	for (; fine && (n = frame_at(at, left)); at += n, left -= n)
		if (is_result(at, n))
			fine = write_all(fd, at, n);
	return fine;
}

/* Whole frames; a result comes twice, and those of connection 0 before it. */
static bool
write_twice(Chaos *c, Pair *p, const uint8_t *data, size_t n)
{
	size_t frame, at = 0;
	bool fine = true;

	if (n > sizeof p->held - p->n)
		return false;
	memcpy(p->held + p->n, data, n);
	p->n += n;
	while (fine && (frame = frame_at(p->held + at, p->n - at))) {
		bool result = is_result(p->held + at, frame);

		if (result && p->number)
			fine = write_old_results(c, p->fd[0]);
		for (int i = 0; i <= result && fine; i++)
			fine = write_all(p->fd[0], p->held + at, frame);
		at += frame;
	}
	p->n -= at;
	memmove(p->held, p->held + at, p->n);
	return fine;
}

static size_t
allowed(const Pair *p, int side)
{
	size_t most = p->rule.piece && p->rule.piece < PIECE_MAX ? p->rule.piece : PIECE_MAX;
	size_t left = p->rule.after - p->passed[side];

	if (p->rule.end == CHAOS_NEVER || (int)p->rule.side != side)
		return most;
	return left < most ? left : most;
}

static void
break_off(Pair *p)
{
	if (p->rule.end == CHAOS_SILENT)
		p->silent = true;
	else
		hang_up(p, p->rule.end == CHAOS_RESET);
}

static void
relay(Chaos *c, Pair *p, int side)
{
	uint8_t data[PIECE_MAX];
	ssize_t got = recv(p->fd[side], data, p->silent ? sizeof data : allowed(p, side), 0);
	int to = p->fd[!side];
	bool fine;

	if (got <= 0) {
		hang_up(p, got < 0);
		return;
	}
	if (p->silent)
		return; /* lost on the way */
	note(c, p, side, data, (size_t)got);
	fine = side == CHAOS_TO_CLIENT && p->rule.repeat ? write_twice(c, p, data, (size_t)got)
							 : write_all(to, data, (size_t)got);
	if (!fine)
		hang_up(p, true);
	p->passed[side] += (size_t)got;
	p->next[side] = clock_ns() + p->rule.pause_ms * UINT64_C(1000000);
}

static bool
is_due(const Pair *p)
{
	return p->fd[0] >= 0 && !p->silent && p->rule.end != CHAOS_NEVER &&
	       p->passed[p->rule.side] >= p->rule.after;
}

/* Moves what may be moved; what is to break breaks as soon as its last byte has passed. */
static void
turn(Chaos *c)
{
	struct pollfd f[2 + 2 * PAIRS_MAX] = {{.fd = c->bell[0], .events = POLLIN},
					      {.fd = c->listener, .events = POLLIN}};
	unsigned n = c->pairs;
	uint64_t now = clock_ns();
	int wait = WAIT_MS;

	for (unsigned i = 0; i < 2 * n; i++) {
		const Pair *p = &c->pair[i / 2];
		uint64_t next = p->next[i % 2];

		f[2 + i] = (struct pollfd){.fd = next > now ? -1 : p->fd[i % 2], .events = POLLIN};
		if (next > now && (int)((next - now) / 1000000) + 1 < wait)
			wait = (int)((next - now) / 1000000) + 1;
	}
	poll(f, 2 + 2 * n, wait);
	for (unsigned i = 0; i < 2 * n; i++) {
		Pair *p = &c->pair[i / 2];

		if (f[2 + i].revents && p->fd[i % 2] >= 0)
			relay(c, p, (int)(i % 2));
		if (is_due(p))
			break_off(p);
	}
	for (unsigned i = n; i-- > 0;)
		if (c->pair[i].fd[0] < 0)
			c->pair[i] = c->pair[--c->pairs];
	if (f[1].revents) {
		take_in(c);
		if (c->pairs && is_due(&c->pair[c->pairs - 1]))
			break_off(&c->pair[c->pairs - 1]);
	}
}

static void *
run(void *self)
{
	Chaos *c = self;
	struct pollfd bell = {.fd = c->bell[0], .events = POLLIN};

	while (poll(&bell, 1, 0) == 0)
		turn(c);
	for (unsigned i = 0; i < c->pairs; i++)
		hang_up(&c->pair[i], true);
	return NULL;
}

static bool
begin(Chaos *c)
{
	struct sockaddr_in a = at_port(0);
	socklen_t size = sizeof a;

	c->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->listener < 0 || bind(c->listener, (struct sockaddr *)&a, sizeof a) ||
	    listen(c->listener, 16) || getsockname(c->listener, (struct sockaddr *)&a, &size) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, c->bell))
		return false;
	c->port = ntohs(a.sin_port);
	return pthread_create(&c->thread, NULL, run, c) == 0;
}

Chaos *
chaos_open(unsigned port, const ChaosRule *rule, unsigned n)
{
	Chaos *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	pthread_mutex_init(&c->lock, NULL);
	c->target = port;
	c->rule = calloc(n + 1, sizeof *rule);
	if (c->rule && n)
		memcpy(c->rule, rule, n * sizeof *rule);
	c->rules = c->rule ? n : 0;
	if (begin(c))
		return c;
	free(c->rule);
	free(c);
	return NULL;
}

void
chaos_close(Chaos *c)
{
	if (!c)
		return;
	close(c->bell[1]);
	pthread_join(c->thread, NULL);
	close(c->bell[0]);
	close(c->listener);
	pthread_mutex_destroy(&c->lock);
	free(c->rule);
	free(c);
}

unsigned
chaos_port(const Chaos *c)
{
	return c->port;
}

unsigned
chaos_connections(Chaos *c)
{
	unsigned n;

	pthread_mutex_lock(&c->lock);
	n = c->count;
	pthread_mutex_unlock(&c->lock);
	return n;
}

size_t
chaos_passed(Chaos *c, ChaosSide side, const uint8_t **bytes)
{
	size_t n;

	pthread_mutex_lock(&c->lock);
	n = c->logged[side];
	pthread_mutex_unlock(&c->lock);
	*bytes = c->log[side];
	return n;
}
