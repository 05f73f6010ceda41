/* Place: where an agent is and how one gets in: an address as users write it, taken apart. */
#ifndef RPC_CLIENT_PLACE_H
#define RPC_CLIENT_PLACE_H

#include "rpc_client/registry.h"

/* kind, how it is written */
#define PLACE_KIND_LIST(X)                                                                  \
	X(SOCKET, "/path, ./path or unix:path")                                             \
	X(TCP, "HOST:PORT, without a key")                                                  \
	X(TLS, "a registered name with a key")                                              \
	X(EXEC, "exec:COMMAND, a command whose standard input and output lead to an agent") \
	X(SSH, "ssh:HOST or ssh:HOST:PROGRAM, rpc_server --stdio there")

typedef enum PlaceKind {
#define X(name, text) PLACE_##name,
	PLACE_KIND_LIST(X)
#undef X
} PlaceKind;

typedef struct Place {
	PlaceKind kind;
	char text[ADDRESS_MAX];    /* path, "host:port", command or host */
	char program[ADDRESS_MAX]; /* SSH: of the agent there */
	Key key;                   /* TLS */
} Place;

/* Names are looked up in the registry. Errors: ERR_INPUT: neither a name that is registered nor an
 * address; those of registry_find. */
int place_find(const char *address, Place *p, Err *e);
void place_wipe(Place *p);

/* The same for an address that is no name: what `hone device add` checks. */
int place_parse(const char *address, Place *p, Err *e);

#endif
