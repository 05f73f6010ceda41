/* Any text as a graph: what parses prints to a text that parses to the same. */
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Graph *
parse(const char *text)
{
	Graph *g;
	Err e = {0};

	return graph_parse(text, &g, &e) ? NULL : g;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str text = {0}, first = {0}, second = {0};
	Graph *g, *again;

	str_addn(&text, (const char *)data, size);
	g = parse(str_get(&text));
	if (g) {
		graph_print(g, &first);
		again = parse(str_get(&first));
		if (!again)
			abort();
		graph_print(again, &second);
		if (strcmp(str_get(&first), str_get(&second)))
			abort();
		graph_free(again);
	}
	graph_free(g);
	str_fini(&text);
	str_fini(&first);
	str_fini(&second);
	return 0;
}
