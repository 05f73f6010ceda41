/* Places: named memory of the runner, so that a fault can be told as "64 bytes past the end of
 * buffer 2". The signal handler reads it: entries are only added and cleared between runs. */
#ifndef RPC_SERVER_PLACES_H
#define RPC_SERVER_PLACES_H

#include "rpc_server/plan.h"

enum { PLACES_MAX = 4096 };

typedef struct PlaceEntry {
	const uint8_t *base, *data; /* base .. base + span covers the guards too */
	size_t span;
	uint32_t place, index;
} PlaceEntry;

typedef struct Places {
	PlaceEntry entry[PLACES_MAX];
	uint32_t n;
} Places;

/* Silently full: then a fault there has no name. */
void places_add(Places *p, Place place, uint32_t index, const void *base, size_t span,
		const void *data);
void places_remove(Places *p, const void *base);

/* Fatal signals are written to control->fault, with their place, before they take their course.
 * Once per process; both arguments live until it ends. Errors: ERR_NOMEM. */
int places_watch(Places *p, Control *control, Err *e);

#endif
