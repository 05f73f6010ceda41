/* The table of runners. */
#include "rpc_server/runner.h"

#include <string.h>

static const Runner *const table[] = {
#define X(name) &runner_##name,
	RUNNER_LIST(X)
#undef X
};

const Runner *
runner_at(unsigned i)
{
	return i < sizeof table / sizeof *table ? table[i] : NULL;
}

const Runner *
runner_find(const char *name)
{
	const Runner *r;

	if (!*name)
		return table[0];
	for (unsigned i = 0; (r = runner_at(i)); i++)
		if (!strcmp(r->name, name))
			return r;
	return NULL;
}

const uint8_t *
work_blob(const Work *w, const Digest *d, size_t *bytes)
{
	for (uint32_t i = 0; i < w->plan->blobs; i++) {
		const PlanBlob *b = &w->plan->blob[i];

		if (digest_equal(&b->digest, d)) {
			*bytes = (size_t)b->bytes;
			return w->segment + b->at;
		}
	}
	return NULL;
}
