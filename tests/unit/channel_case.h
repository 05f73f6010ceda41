/* Two ends of a channel in one process, and a folder of keys for them. */
#ifndef TESTS_UNIT_CHANNEL_CASE_H
#define TESTS_UNIT_CHANNEL_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "trust/channel.h"

enum { PLAIN_MAX = 1 << 20 };

typedef struct End {
	Channel *c;
	uint8_t *plain; /* that arrived */
	size_t n;
} End;

typedef struct Pair {
	char folder[32];
	Ring *ring;
	Side *server_side, *client_side;
	End server, client;
	Key key; /* the client's */
} Pair;

static inline void
pair_take(void *self, const void *data, size_t n)
{
	End *end = self;

	assert_true(end->n + n <= PLAIN_MAX);
	memcpy(end->plain + end->n, data, n);
	end->n += n;
}

/* Moves what one end has to say to the other, so many bytes at a time; true when there was any. */
static inline bool
pair_move(End *from, End *to, size_t piece)
{
	const uint8_t *data;
	bool any = false;
	size_t n;

	while ((n = channel_output(from->c, &data)) > 0) {
		uint8_t copy[70000];

		n = n < piece ? n : piece;
		assert_true(n <= sizeof copy);
		memcpy(copy, data, n);
		channel_sent(from->c, n);
		channel_feed(to->c, copy, n, pair_take, to);
		any = true;
	}
	return any;
}

static inline void
pair_shuttle(Pair *p, size_t piece)
{
	while (pair_move(&p->client, &p->server, piece) |
	       pair_move(&p->server, &p->client, piece)) {
	}
}

/* A ring with keys "alice" (tune) and "bob" (read-only); the client holds alice's. */
static inline int
pair_setup(void **state)
{
	Pair *p = calloc(1, sizeof *p);
	Err e = {0};

	strcpy(p->folder, "/tmp/hone-keys-XXXXXX");
	if (!mkdtemp(p->folder) || ring_open(p->folder, &p->ring, &e) ||
	    ring_add(p->ring, "alice", KEY_TUNE, &e) ||
	    ring_add(p->ring, "bob", KEY_READ_ONLY, &e)) {
		fprintf(stderr, "%s\n", e.msg);
		return -1;
	}
	p->key = *ring_find(p->ring, "alice", 5);
	p->server.plain = malloc(PLAIN_MAX);
	p->client.plain = malloc(PLAIN_MAX);
	*state = p;
	return 0;
}

static inline void
pair_close(Pair *p)
{
	channel_free(p->server.c);
	channel_free(p->client.c);
	side_free(p->server_side);
	side_free(p->client_side);
	p->server.c = p->client.c = NULL;
	p->server_side = p->client_side = NULL;
	p->server.n = p->client.n = 0;
}

static inline int
pair_teardown(void **state)
{
	Pair *p = *state;
	char path[128];

	pair_close(p);
	for (int i = 0; i < ring_count(p->ring); i++) {
		snprintf(path, sizeof path, "%s/%s.key", p->folder, ring_at(p->ring, i)->name);
		unlink(path);
	}
	ring_close(p->ring);
	free(p->server.plain);
	free(p->client.plain);
	if (rmdir(p->folder))
		return -1;
	free(p);
	return 0;
}

/* Both ends, nothing exchanged yet; the client uses p->key. */
static inline void
pair_open(Pair *p)
{
	Err e = {0};

	pair_close(p);
	assert_int_equal(side_accepting(p->ring, CHANNEL_STRANGER_MAX, &p->server_side, &e), OK);
	assert_int_equal(side_connecting(&p->key, CHANNEL_STRANGER_MAX, &p->client_side, &e), OK);
	p->server.c = channel_new(p->server_side);
	p->client.c = channel_new(p->client_side);
	assert_non_null(p->server.c);
	assert_non_null(p->client.c);
}

static inline void
pair_expect(const Pair *p, ChannelState server, ChannelState client)
{
	if (channel_state(p->server.c) != server || channel_state(p->client.c) != client)
		fail_msg("server %d '%s', client %d '%s'", channel_state(p->server.c),
			 channel_why(p->server.c), channel_state(p->client.c),
			 channel_why(p->client.c));
}

#endif
