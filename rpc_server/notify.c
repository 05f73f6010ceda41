/* Datagrams to the service manager, as sd_notify(3) describes them. One that cannot be sent is
 * lost: a manager that does not read must not hold the agent up. */
#include "rpc_server/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or '@' and a name without one. */
static int
connect_to(const char *name)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = name ? strlen(name) : 0;
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	int fd;

	if (n < 2 || n >= sizeof to.sun_path || (name[0] != '/' && name[0] != '@'))
		return -1;
	memcpy(to.sun_path, name, n);
	if (name[0] == '@')
		to.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, size)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* ns between signs of life: half the time after which the manager would end this process. */
static uint64_t
interval(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	char *end;
	uint64_t n;

	if (!usec || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	n = strtoull(usec, &end, 10);
	return *usec < '0' || *usec > '9' || *end || n > UINT64_MAX / 1000 ? 0 : n * 1000 / 2;
}

void
notify_open(Notify *n)
{
	n->fd = connect_to(getenv("NOTIFY_SOCKET"));
	n->every = n->fd < 0 ? 0 : interval();
	n->said = 0;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void
notify_close(Notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

void
notify_say(const Notify *n, const char *state)
{
	if (n->fd >= 0)
		(void)!send(n->fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
}

uint64_t
notify_beat(Notify *n, uint64_t now)
{
	if (!n->every)
		return UINT64_MAX;
	if (!n->said || now - n->said >= n->every) {
		notify_say(n, "WATCHDOG=1");
		n->said = now;
	}
	return n->said + n->every;
}
