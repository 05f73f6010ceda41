/* Names: a hash table from text to a number, in an arena. Keys are not copied. */
#ifndef GRAPH_NAMES_H
#define GRAPH_NAMES_H

#include "base/arena.h"

enum { NAME_UNKNOWN = -3 };

typedef struct Names {
	struct NameSlot {
		const char *key; /* NULL: empty */
		int value;
	} * slot;
	int n, cap;
} Names;

int names_get(const Names *t, const char *key);                 /* NAME_UNKNOWN when absent */
void names_put(Arena *a, Names *t, const char *key, int value); /* adds or replaces */

#endif
