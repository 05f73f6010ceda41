/* A stranger's bytes, and those of somebody on the way: the first byte chooses the end that is
 * attacked and how far an honest handshake comes before; the rest arrives in pieces. Nothing may be
 * taken for plain bytes that no holder of the key has sent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HONEST_STEPS = 4, STEP_PIECE = 113 };

static Side *accepting, *connecting;

static void
set_up(void)
{
	char folder[] = "/tmp/hone-fuzz-XXXXXX", path[64];
	Ring *r;
	Key k;

	if (!mkdtemp(folder) || ring_open(folder, &r, NULL) || ring_add(r, "alice", KEY_TUNE, NULL))
		abort();
	k = *ring_find(r, "alice", 5);
	if (side_accepting(r, CHANNEL_STRANGER_MAX, &accepting, NULL) ||
	    side_connecting(&k, CHANNEL_STRANGER_MAX, &connecting, NULL))
		abort();
	snprintf(path, sizeof path, "%s/alice.key", folder);
	unlink(path);
	rmdir(folder);
}

/* Nobody sent anything. */
static void
forged(void *self, const void *data, size_t n)
{
	(void)self;
	(void)data;
	if (n)
		abort();
}

static void
move(Channel *from, Channel *to, size_t most)
{
	const uint8_t *data;
	size_t n = channel_output(from, &data);

	n = n < most ? n : most;
	if (!n)
		return;
	channel_feed(to, data, n, forged, NULL);
	channel_sent(from, n);
}

static void
drain(Channel *c)
{
	const uint8_t *data;
	size_t n;

	while ((n = channel_output(c, &data)) > 0)
		channel_sent(c, n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Channel *server, *client, *victim;
	size_t at = 1, steps;

	if (!accepting)
		set_up();
	if (!size)
		return 0;
	server = channel_new(accepting);
	client = channel_new(connecting);
	victim = data[0] & 1 ? client : server;
	steps = data[0] >> 1;
	for (size_t i = 0; i < steps; i++) { /* cut anywhere */
		move(client, server, i + 1 == steps ? STEP_PIECE : SIZE_MAX);
		move(server, client, i + 1 == steps ? STEP_PIECE : SIZE_MAX);
		if (i > HONEST_STEPS)
			break;
	}
	drain(victim);
	while (at < size) {
		size_t n = 1 + data[at] % 64;

		n = n < size - at ? n : size - at;
		channel_feed(victim, data + at, n, forged, NULL);
		drain(victim);
		at += n;
	}
	if (steps == 0 && channel_state(victim) == CHANNEL_OPEN)
		abort();
	channel_free(server);
	channel_free(client);
	return 0;
}
