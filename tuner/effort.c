/* The table of efforts. */
#include "tuner/effort.h"

#include <stddef.h>
#include <string.h>

static const Effort table[] = {
#define X(name, trials, stall, strategy, finalists, least, most, race_s, plans, text) \
	{#name, trials, stall, strategy, finalists, least, most, race_s, plans},
	EFFORT_LIST(X)
#undef X
};

#define X(name, trials, stall, strategy, finalists, ...) \
	_Static_assert(finalists <= FINALISTS_MAX, "room for finalists");
EFFORT_LIST(X)
#undef X

const Effort *
effort_named(const char *name)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (!strcmp(table[i].name, name ? name : "measure"))
			return &table[i];
	return NULL;
}
