/* The model function as data: its hash of the weights and its text. */
#include "codegen/model.h"

#include <string.h>

uint64_t
model_hash(const void *weights, size_t bytes)
{
	const unsigned char *p = weights;
	uint64_t h = MODEL_HASH_BASIS, word;

	for (size_t i = 0; i < bytes; i += sizeof word) {
		memcpy(&word, p + i, sizeof word);
		h = (h ^ word) * MODEL_HASH_FACTOR;
	}
	return h;
}

static void
print_places(const char *what, const Place *p, int n, Str *out)
{
	static const char *const names[] = {
#define X(name) #name,
		REGION_LIST(X)
#undef X
	};

	str_printf(out, " %s", what);
	for (int i = 0; i < n; i++)
		if (p[i].region == REGION_INPUT || p[i].region == REGION_OUTPUT)
			str_printf(out, " %s%d", names[p[i].region], p[i].index);
		else if (p[i].region == REGION_NONE)
			str_add(out, " -");
		else
			str_printf(out, " %s+%zu", names[p[i].region], p[i].offset);
}

void
model_print(const ModelCalls *m, Str *out)
{
	for (int i = 0; i < m->step.n; i++) {
		const ModelStep *s = &m->step.v[i];

		str_printf(out, "%d", i);
		if (s->node)
			str_printf(out, " %s", op_info(s->node->op)->name);
		for (int p = 0; p < s->nphase; p++)
			str_printf(out, " %s", s->phase[p]);
		if (s->chunks > 1)
			str_printf(out, " x%d", s->chunks);
		print_places("in", s->in, s->nin, out);
		print_places("out", s->out, s->nout, out);
		print_places("scratch", &s->scratch, 1, out);
		str_add(out, "\n");
	}
}
