/* Poison: the list of candidates that took this device down, as text that a person can edit. */
#ifndef RPC_SERVER_POISON_H
#define RPC_SERVER_POISON_H

#include <stdbool.h>

#include "base/hash.h"

enum {
	POISON_MAX = 1024, /* entries; the oldest suspect goes when there is no room */
	POISON_RESETS = 2, /* as many make a suspect one that is never run again */
	POISON_KILLS = 3,  /* of the agent, which people do as well */
	POISON_LINE = 128,
	POISON_TEXT = (POISON_MAX + 2) * POISON_LINE,
	POISON_BOOT = 9, /* as much of a boot id as is kept, with the NUL */
	POISON_WHEN = 24,
};

typedef struct PoisonEntry {
	Digest digest;
	uint32_t resets, kills; /* of the board, of the agent, while it ran */
	char boot[POISON_BOOT]; /* the board's life that its last reset ended; "-": none */
	char when[POISON_WHEN]; /* the last time; a label without blanks */
} PoisonEntry;

/* In the order of their last time. */
typedef struct PoisonList {
	unsigned n;
	PoisonEntry entry[POISON_MAX];
} PoisonList;

/* Reads what can be read; of what is damaged, `why` names the first. True when nothing is: a
 * list that was cut off or changed by accident is never taken for a whole one. A line may be a
 * digest alone, by hand: never run it. */
bool poison_parse(PoisonList *l, const char *text, size_t size, char why[POISON_LINE]);
size_t poison_print(const PoisonList *l, char text[POISON_TEXT]); /* bytes */

const PoisonEntry *poison_find(const PoisonList *l, const Digest *d); /* NULL: not there */
bool poison_fatal(const PoisonEntry *p); /* is not run again; p may be NULL */
unsigned poison_fatal_count(const PoisonList *l);

/* Counts one more kill of the agent for d, or a reset that ended that life of the board, and makes
 * it the newest. The same reset counts once. False when an entry that was fatal had to go. */
bool poison_kill(PoisonList *l, const Digest *d, const char *when);
bool poison_reset(PoisonList *l, const Digest *d, const char *boot, const char *when);
void poison_remove(PoisonList *l, const Digest *d);

#endif
