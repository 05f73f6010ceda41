/* What a service manager wants to hear: that the agent is ready, that it ends, and, at the rate it
 * asks for, that its event loop still turns. The protocol of sd_notify; without a manager nothing
 * is said. */
#ifndef RPC_SERVER_NOTIFY_H
#define RPC_SERVER_NOTIFY_H

#include <stdint.h>

typedef struct Notify {
	int fd; /* -1: nobody listens */
	uint64_t every,
		said; /* ns: half of what the manager waits, 0: it does not; the last time */
} Notify;

/* Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment. What is not right
 * there counts as absent. */
void notify_open(Notify *n);
void notify_close(Notify *n);

void notify_say(const Notify *n, const char *state); /* "READY=1"; never waits */

/* Says that all is well when it is time. Returns when to call again (clock_ns). */
uint64_t notify_beat(Notify *n, uint64_t now);

#endif
