/* Pauses between attempts, and the sum of all outages since something was achieved. */
#include "rpc_client/backoff.h"

void
backoff_init(Backoff *b, uint64_t total, uint64_t seed)
{
	*b = (Backoff){.first = BACKOFF_FIRST_NS, .most = BACKOFF_MOST_NS, .total = total};
	rng_init(&b->rng, seed);
}

void
backoff_reset(Backoff *b)
{
	b->pause = b->spent = 0;
}

void
backoff_begin(Backoff *b, uint64_t now)
{
	b->out = true;
	b->began = now;
}

void
backoff_end(Backoff *b, uint64_t now)
{
	b->spent += now - b->began;
	b->out = false;
}

uint64_t
backoff_left(const Backoff *b, uint64_t now)
{
	uint64_t spent = b->spent + (b->out ? now - b->began : 0);

	return spent < b->total ? b->total - spent : 0;
}

bool
backoff_next(Backoff *b, uint64_t now, uint64_t *wait)
{
	uint64_t left = backoff_left(b, now), half = b->pause / 2;

	*wait = b->pause ? half + rng_below(&b->rng, half + 1) : 0;
	if (!left)
		return false;
	if (*wait > left)
		*wait = left;
	b->pause = !b->pause ? b->first : 2 * b->pause < b->most ? 2 * b->pause : b->most;
	return true;
}
