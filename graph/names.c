/* Open addressing with linear probing; at most half full. */
#include "graph/names.h"

#include <string.h>

#include "base/hash.h"

static struct NameSlot *
find(const Names *t, const char *key)
{
	size_t mask = (size_t)t->cap - 1, i = hash64(key, strlen(key), 0) & mask;

	while (t->slot[i].key && strcmp(t->slot[i].key, key))
		i = (i + 1) & mask;
	return &t->slot[i];
}

int
names_get(const Names *t, const char *key)
{
	const struct NameSlot *s = t->cap ? find(t, key) : NULL;

	return s && s->key ? s->value : NAME_UNKNOWN;
}

static void
grow(Arena *a, Names *t)
{
	Names old = *t;

	t->cap = old.cap ? 2 * old.cap : 64;
	t->slot = ARENA_ARRAY(a, struct NameSlot, t->cap);
	for (int i = 0; i < old.cap; i++)
		if (old.slot[i].key)
			*find(t, old.slot[i].key) = old.slot[i];
}

void
names_put(Arena *a, Names *t, const char *key, int value)
{
	struct NameSlot *s;

	if (2 * (t->n + 1) > t->cap)
		grow(a, t);
	s = find(t, key);
	t->n += !s->key;
	*s = (struct NameSlot){key, value};
}
