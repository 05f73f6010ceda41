/* Heartbeat of a connection: a peer is gone only if the owner had time to read after the silence.
 */
#include "wire/pulse.h"

static bool
is_doubted(const Pulse *u, const Peer *p)
{
	return u->doubted > p->heard;
}

uint64_t
pulse_deadline(const Pulse *u, const Peer *p)
{
	uint64_t dead = is_doubted(u, p) ? u->doubted + PULSE_DOUBT_NS : p->heard + u->silence;
	uint64_t ping = p->said + u->heartbeat;

	return ping < dead ? ping : dead;
}

bool
pulse_tick(Pulse *u, Peer *p, uint64_t now)
{
	if (is_doubted(u, p) && now >= u->doubted + PULSE_DOUBT_NS)
		return false;
	if (!is_doubted(u, p) && now >= p->heard + u->silence)
		u->doubted = now;
	if (now >= p->said + u->heartbeat)
		peer_send(p, MESSAGE_REQUEST, 0, METHOD_PING, NULL, now, NULL);
	return true;
}
