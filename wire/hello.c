/* Versions of the protocol: which one a session has. */
#include "wire/hello.h"

const Versions versions_spoken = {PROTOCOL_OLDEST, PROTOCOL_VERSION};

static uint32_t
newest_of(const Hello *h)
{
	return h->newest > h->version ? h->newest : h->version;
}

uint32_t
hello_agree(const Hello *theirs, Versions mine)
{
	uint32_t most = newest_of(theirs) < mine.newest ? newest_of(theirs) : mine.newest;

	return most >= mine.oldest && most >= theirs->version ? most : 0;
}

void
hello_refusal(const Hello *theirs, Versions mine, const char *me, Err *e)
{
	bool newer = theirs->version > mine.newest;

	err_set(e, ERR_UNSUPPORTED,
		"protocol version %u to %u is spoken by the client, %u to %u by this agent (%s): "
		"the %s is too old",
		theirs->version, newest_of(theirs), mine.oldest, mine.newest, me,
		newer ? "agent" : "client");
}

bool
hello_accepted(const Hello *answer, Versions mine)
{
	return answer->version >= mine.oldest && answer->version <= mine.newest;
}
