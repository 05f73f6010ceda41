/* What people and other programs hand to `hone regress`: policies and earlier results. The first
 * byte chooses. What is taken can be worked with. */
#include <stdlib.h>
#include <string.h>

#include "regress/history.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
policy(const char *text, Arena *a)
{
	RegressPolicy p;

	if (regress_policy_parse(text, a, &p, NULL))
		return;
	if (p.pairs_first > p.pairs_most || p.pairs_step < 1 || !(p.threshold > 0) ||
	    !(regress_policy_threshold(&p, text) > 0))
		abort();
}

static void
history(const char *text, Arena *a)
{
	RegressView view = {.width = 80};
	History *h = history_new();
	RegressResult r;
	Str out = {0};

	/* twice: equal times, and a series of its own */
	if (history_add(h, text, NULL) == OK && history_add(h, text, NULL) == OK)
		history_terminal(h, &view, a, &out);
	regress_result_init(&r);
	history_past(h, &r, 10);
	str_fini(&out);
	history_free(h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;
	Arena *a;

	if (!size)
		return 0;
	a = arena_new();
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	if (*data == 'p')
		policy(text, a);
	else
		history(text, a);
	free(text);
	arena_free(a);
	return 0;
}
