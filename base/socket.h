/* What the system is told about a TCP connection. */
#ifndef BASE_SOCKET_H
#define BASE_SOCKET_H

/* A connection that is not acknowledged for so long is broken, whether bytes wait or not. The
 * peer's system acknowledges, so this finds lost machines and cables; a peer that hangs is found by
 * what it says (wire/pulse.h). Without it the system keeps for a quarter of an hour what cannot be
 * delivered. Best effort: other sockets are left alone. */
void socket_expect(int fd, unsigned silence_ms);

#endif
