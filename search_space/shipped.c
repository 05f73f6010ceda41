/* The table of cost models that ship. */
#include "search_space/shipped.h"

#include <stddef.h>
#include <string.h>

extern const char cost_x86_64[]; /* shipped_source.S */

static const struct {
	const char *begins, *text;
} table[] = {
	{SHIPPED_X86_64, cost_x86_64},
};

const char *
shipped_model(const char *triple)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (!strncmp(triple, table[i].begins, strlen(table[i].begins)))
			return table[i].text;
	return NULL;
}
