/* Chaos: a relay between a client and an agent, for tests, that breaks connections on command: at a
 * byte of either direction, in several ways; or slows them down. Connections are numbered from 0 in
 * the order they come; a rule is for one of them, and without one a connection is relayed as it is.
 * The same rules break the same bytes. */
#ifndef TESTS_SUPPORT_CHAOS_H
#define TESTS_SUPPORT_CHAOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ChaosSide { CHAOS_TO_AGENT, CHAOS_TO_CLIENT } ChaosSide;

typedef enum ChaosEnd {
	CHAOS_NEVER,  /* breaks nothing */
	CHAOS_CLOSE,  /* both ends see the end of the stream */
	CHAOS_RESET,  /* both see a reset */
	CHAOS_SILENT, /* nothing is relayed any more, and nothing closed */
} ChaosEnd;

typedef struct ChaosRule {
	ChaosEnd end;
	ChaosSide side;
	size_t after;      /* bytes of that side that still pass */
	size_t piece;      /* most bytes moved at a time; 0: as they come */
	unsigned pause_ms; /* after each piece */
	bool repeat;       /* every RESULT that passes is sent twice, behind those of connection 0;
			    * for connections that are not encrypted */
} ChaosRule;

typedef struct Chaos Chaos;

/* Listens on a port of this machine and leads to another. rules are copied: rule[i] is for
 * connection i. NULL when there are no sockets. */
Chaos *chaos_open(unsigned port, const ChaosRule *rule, unsigned n);
void chaos_close(Chaos *c); /* NULL is fine */

unsigned chaos_port(const Chaos *c);
unsigned chaos_connections(Chaos *c); /* that came so far */

/* What passed on connection 0; stays valid until chaos_close, and no more is added when both ends
 * are gone. At most CHAOS_LOG bytes. */
enum { CHAOS_LOG = 1 << 16 };
size_t chaos_passed(Chaos *c, ChaosSide side, const uint8_t **bytes);

#endif
