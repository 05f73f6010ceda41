/* Any bytes as a model: the import answers, and what it makes is a graph that prints and reads
 * back. */
#include <stdlib.h>
#include <string.h>

#include "graph/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ImportOptions opt = {.fold_bytes_max = 1 << 20, .fold_work_max = 1 << 20};
	ImportReport rep;
	Graph *g, *again;
	Str text = {0}, text_again = {0};
	Err e = {0};

	import_report_init(&rep);
	if (graph_import_memory(data, size, NULL, &opt, &g, &rep, &e)) {
		if (e.code == ERR_INTERNAL || !e.msg[0])
			abort();
	} else {
		graph_print(g, &text);
		if (graph_parse(str_get(&text), &again, &e))
			abort();
		graph_print(again, &text_again);
		if (strcmp(str_get(&text), str_get(&text_again)))
			abort();
		graph_free(again);
		graph_free(g);
	}
	str_fini(&text);
	str_fini(&text_again);
	import_report_fini(&rep);
	return 0;
}
