/* The table of strategies. */
#include "tuner/search.h"

#include <string.h>

static const Search *const table[] = {
#define X(name, text) &search_##name,
	SEARCH_LIST(X)
#undef X
};

const Search *
search_named(const char *name)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (!name || !strcmp(table[i]->name, name))
			return table[i];
	return NULL;
}
