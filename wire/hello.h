/* What two peers agree on when they meet. A client names the versions it speaks, from `version`
 * (the oldest) to `newest`; the agent answers with the newest that both speak, or refuses with
 * ERR_UNSUPPORTED and a sentence. A peer of version 1 names one version and knows no range.
 *
 *   version   is new in it
 *   1         HELLO to BYE; PING is said by the client
 *   2         HELLO tells a range of versions and which run of the agent it is; both say PING
 *
 * What is added needs no version of its own: keys that a peer does not know are skipped, requests
 * are refused with ERR_UNSUPPORTED, events are skipped. A version is for what an older peer would
 * misunderstand; its session then gets what its version has (a new word in an old enumeration,
 * say).
 */
#ifndef WIRE_HELLO_H
#define WIRE_HELLO_H

#include "wire/message.h"

typedef struct Versions {
	uint32_t oldest, newest;
} Versions;

extern const Versions versions_spoken; /* by this program */

/* The newest version that a peer who says *theirs and one who speaks `mine` have in common; 0:
 * none.
 */
uint32_t hello_agree(const Hello *theirs, Versions mine);

/* The sentence of a refusal: what is spoken on both sides, and who is to be replaced. */
void hello_refusal(const Hello *theirs, Versions mine, const char *me, Err *e);

/* Whether an agent that answers so can be talked to. */
bool hello_accepted(const Hello *answer, Versions mine);

#endif
