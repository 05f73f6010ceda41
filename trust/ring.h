/* Ring: the keys that an agent accepts: the files NAME.key of one folder, of mode 0700. Deleting a
 * file revokes its key at the next ring_refresh. */
#ifndef TRUST_RING_H
#define TRUST_RING_H

#include "trust/key.h"

enum { RING_MAX = 128 };

typedef struct Ring Ring;

/* Makes the folder when there is none, and reads it. Errors: ERR_INPUT when others may write there
 * or a key in it is not fit, by name; ERR_IO; ERR_NOMEM. */
int ring_open(const char *folder, Ring **r, Err *e);
void ring_close(Ring *r); /* NULL is fine */

/* Looks whether files came, went or changed, and reads them anew. True when that changed the keys,
 * or something is not fit: then *problem holds a text. What is not fit is left out: its key is
 * revoked. Where the process has no descriptor left nothing is looked at. */
bool ring_refresh(Ring *r, Err *problem);

int ring_count(const Ring *r);
const Key *ring_at(const Ring *r, int i); /* by name; until the next refresh */

/* The key of that name, n bytes as a stranger gave them; NULL when there is none. Takes the same
 * time for every name and outcome. */
const Key *ring_find(const Ring *r, const void *name, size_t n);

/* Whether exactly this key, its secret and role included, is in there. */
bool ring_holds(const Ring *r, const Key *k);

/* Makes a key and its file. Errors: those of key_make and key_write; ERR_INPUT when it is full. */
int ring_add(Ring *r, const char *name, KeyRole role, Err *e);

#endif
