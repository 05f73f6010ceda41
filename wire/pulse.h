/* Pulse: is the other end of a connection alive? Both ends say something at least every heartbeat
 * (PING where there is nothing else) and give the other up when nothing came for `silence`. Shared
 * by Session and Link; time is an argument.
 *
 * Who was kept from reading (a stopped process, a long call in the loop) comes late and must not
 * take its own absence for the other's: after the silence the peer is first doubted, and there is
 * PULSE_DOUBT_NS for the loop to read what has long been there.
 */
#ifndef WIRE_PULSE_H
#define WIRE_PULSE_H

#include "base/clock.h"
#include "wire/peer.h"

#define HEARTBEAT_NS   (2 * SECOND_NS)
#define SILENCE_NS     (10 * SECOND_NS)
#define PULSE_DOUBT_NS (SECOND_NS / 5)

typedef struct Pulse {
	uint64_t heartbeat, silence; /* ns; HEARTBEAT_NS, SILENCE_NS unless changed */
	uint64_t doubted;            /* since when; what is heard later clears it */
} Pulse;

/* When to tick next. */
uint64_t pulse_deadline(const Pulse *u, const Peer *p);

/* Says PING when it is time; false: the peer is gone. */
bool pulse_tick(Pulse *u, Peer *p, uint64_t now);

#endif
