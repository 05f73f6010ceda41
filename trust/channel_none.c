/* A build without TLS: nothing can be accepted or connected, and that is said. */
#include "trust/channel.h"

struct Side {
	char unused;
};

struct Channel {
	char unused;
};

static const char why[] = "this build has no TLS (HONE_TLS=OFF)";

bool
channel_supported(void)
{
	return false;
}

int
side_accepting(const Ring *ring, size_t stranger_max, Side **s, Err *e)
{
	(void)ring;
	(void)stranger_max;
	*s = NULL;
	return err_set(e, ERR_UNSUPPORTED, "%s", why);
}

int
side_connecting(const Key *key, size_t stranger_max, Side **s, Err *e)
{
	(void)key;
	(void)stranger_max;
	*s = NULL;
	return err_set(e, ERR_UNSUPPORTED, "%s", why);
}

void
side_free(Side *s)
{
	(void)s;
}

Channel *
channel_new(Side *s)
{
	(void)s;
	return NULL;
}

void
channel_free(Channel *c)
{
	(void)c;
}

void
channel_feed(Channel *c, const void *data, size_t n, ChannelTake *take, void *self)
{
	(void)c;
	(void)data;
	(void)n;
	(void)take;
	(void)self;
}

size_t
channel_write(Channel *c, const void *data, size_t n)
{
	(void)c;
	(void)data;
	(void)n;
	return 0;
}

size_t
channel_output(Channel *c, const uint8_t **data)
{
	(void)c;
	*data = NULL;
	return 0;
}

void
channel_sent(Channel *c, size_t n)
{
	(void)c;
	(void)n;
}

ChannelState
channel_state(const Channel *c)
{
	(void)c;
	return CHANNEL_FAILED;
}

const char *
channel_why(const Channel *c)
{
	(void)c;
	return why;
}

const Key *
channel_key(const Channel *c)
{
	(void)c;
	return NULL;
}

const char *
channel_claimed(const Channel *c)
{
	(void)c;
	return "";
}
