/* Objects: code of Loops, a phase each, that was made before. Candidates of a search often differ
 * in one stage only, and a Sched that is looked at twice is compiled once. */
#ifndef CODEGEN_OBJECTS_H
#define CODEGEN_OBJECTS_H

#include "base/hash.h"
#include "codegen/link.h"

enum { KERNEL_NAME_MAX = 24 };

/* Name of a Sched in short. */
void kernel_name(const char *sched, char name[KERNEL_NAME_MAX]);

/* Zero but for the arena. For one back end. */
typedef struct ObjectCache {
	Arena *arena;
	VEC(Digest) key; /* of each phase */
	VEC(Code *) code;
} ObjectCache;

/* Code of a Loop: an object for each phase, with one function that is called by what it computes.
 * Equal phases are one object, also of different Loops. */
typedef struct Objects {
	int n;
	const Code **phase; /* in the cache's arena, until that is released */
	const char **symbol;
	int spills;
	Digest digest; /* of all bytes */
} Objects;

typedef VEC(LinkInput) LinkInputs;

/* Adds its objects, in a, but for those that are there. */
void objects_add(const Objects *o, Arena *a, LinkInputs *to);

/* Out of the cache, or made and kept there; arrays are in a. Errors: of emit. */
int objects_emit(ObjectCache *c, Emit *m, const Loop *l, Arena *a, Objects *out, Err *e);

#endif
