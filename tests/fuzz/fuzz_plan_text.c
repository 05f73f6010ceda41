/* Any text as the plan of a small graph, with and without the line that names the graph: what
 * parses prints to a text that parses to the same.
 */
#include <stdlib.h>
#include <string.h>

#include "graph/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char graph[] =
	"graph g\n"
	"in x f32[1,4,6,5]\n"
	"in w f32[4,4,3,3]\n"
	"node a a f32[1,4,6,5] = Conv(x, w) kernel=[3,3] strides=[1,1] pads=[1,1,1,1] "
	"dilations=[1,1] group=1\n"
	"node b b f32[1,4,6,5] = Relu(a)\n"
	"node c c f32[1,4,6,5] = Conv(b, w) kernel=[3,3] strides=[1,1] pads=[1,1,1,1] "
	"dilations=[1,1] group=1\n"
	"node d d f32[1,4,6,5] = Add(c, b)\n"
	"node e e f32[1,4,30] = Reshape(d)\n"
	"node f f f32[1,4,30] = Sin(e)\n"
	"node g g f32[1,4,30] = Softmax(f) axis=2\n"
	"node h h f32[1,8,6,5] = Concat(b, c) axis=1\n"
	"node i i f32[1,8,6,5] = Relu(h)\n"
	"out g\n"
	"out i\n";

static void
try_text(const char *text, const Graph *g)
{
	Arena *a = arena_new();
	Str first = {0}, second = {0};
	Plan *p, *again;
	Err e = {0};

	if (plan_parse(text, g, a, &p, &e) == OK) {
		plan_print(p, &first);
		if (plan_parse(str_get(&first), g, a, &again, &e))
			abort();
		plan_print(again, &second);
		if (strcmp(str_get(&first), str_get(&second)))
			abort();
	}
	str_fini(&first);
	str_fini(&second);
	arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char digest[DIGEST_TEXT];
	Str text = {0};
	Graph *g;
	Digest d;

	if (graph_parse(graph, &g, NULL))
		abort();
	str_addn(&text, (const char *)data, size);
	try_text(str_get(&text), g);
	str_clear(&text);
	d = graph_digest(g);
	digest_print(&d, digest);
	str_printf(&text, "plan of %s\n", digest);
	str_addn(&text, (const char *)data, size);
	try_text(str_get(&text), g);
	str_fini(&text);
	graph_free(g);
	return 0;
}
