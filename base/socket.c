/* Options of TCP connections: keep-alive while nothing waits, a time limit while something does. */
#include "base/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { PROBES = 3 };

void
socket_expect(int fd, unsigned silence_ms)
{
	int on = 1, probes = PROBES, every = (int)(silence_ms / 1000 / (PROBES + 1));

	if (every < 1)
		every = 1;
	if (setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof silence_ms))
		return;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &every, sizeof every);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}
