/* The list of poison: what is read prints to something whole that reads back the same. */
#include <stdlib.h>
#include <string.h>

#include "rpc_server/poison.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static PoisonList l, back;
	static char text[POISON_TEXT];
	char why[POISON_LINE];
	size_t n;

	memset(&l, 0, sizeof l);
	memset(&back, 0, sizeof back);
	if (poison_parse(&l, (const char *)data, size, why) != !*why)
		abort();
	n = poison_print(&l, text);
	if (n >= sizeof text || !poison_parse(&back, text, n, why) || back.n != l.n)
		abort();
	for (unsigned i = 0; i < l.n; i++)
		if (!poison_find(&back, &l.entry[i].digest) ||
		    poison_fatal(&l.entry[i]) !=
			    poison_fatal(poison_find(&back, &l.entry[i].digest)))
			abort();
	return 0;
}
