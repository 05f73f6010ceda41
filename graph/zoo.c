/* The table of the zoo's models, and their entry. */
#include "graph/zoo.h"

#include <string.h>

#include "base/str.h"
#include "graph/zoo_net.h"

static const ZooModel model[] = {
#define X(name, text) {#name, text, zoo_##name},
	ZOO_LIST(X)
#undef X
};

enum { COUNT = sizeof model / sizeof *model };

const ZooModel *
zoo_list(int *count)
{
	*count = COUNT;
	return model;
}

static int
unknown(const char *name, Err *e)
{
	Str names = {0};

	for (int i = 0; i < COUNT; i++)
		str_printf(&names, "%s%s", i ? ", " : "", model[i].name);
	err_set(e, ERR_INPUT, "the zoo has no model '%s'; it has %s", name, str_get(&names));
	str_fini(&names);
	return ERR_INPUT;
}

int
zoo_build(const char *name, uint64_t seed, Arena *a, const void **bytes, size_t *size, Err *e)
{
	ZooNet z;
	int i = 0;

	while (i < COUNT && strcmp(model[i].name, name))
		i++;
	if (i == COUNT)
		return unknown(name, e);
	zoo_net_init(&z, a, name, seed);
	model[i].build(&z);
	*bytes = onnx_write_pack(&z.onnx, size);
	return OK;
}
