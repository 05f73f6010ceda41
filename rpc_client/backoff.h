/* Backoff: how long to wait between attempts to get a connection back, and when to give up. The
 * first attempt is made at once; then the pauses double from `first` to `most`, each drawn between
 * a half and the whole of it, so that clients of one agent do not come back together. Time is an
 * argument.
 *
 * What counts against `total` are outages: from backoff_begin until backoff_end. They add up, and
 * the pauses go on growing, until backoff_reset: a connection that breaks again and again before
 * anything was achieved is no connection.
 */
#ifndef RPC_CLIENT_BACKOFF_H
#define RPC_CLIENT_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"

#define BACKOFF_FIRST_NS UINT64_C(100000000)
#define BACKOFF_MOST_NS  UINT64_C(5000000000)

typedef struct Backoff {
	uint64_t first, most, total; /* ns */
	Rng rng;
	uint64_t pause, began, spent;
	bool out; /* of connection */
} Backoff;

void backoff_init(Backoff *b, uint64_t total, uint64_t seed); /* with the usual pauses */
void backoff_reset(Backoff *b);                               /* something was achieved */

void backoff_begin(Backoff *b, uint64_t now);
void backoff_end(Backoff *b, uint64_t now);

/* How long to wait before the next attempt of this outage, which fits into what is left. False:
 * nothing is left. */
bool backoff_next(Backoff *b, uint64_t now, uint64_t *wait);

uint64_t backoff_left(const Backoff *b, uint64_t now);

#endif
