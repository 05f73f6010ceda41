/* hone zoo: well-known topologies with random weights, as ONNX files. */
#include <stdio.h>

#include "base/str.h"
#include "cli/commands.h"
#include "graph/zoo.h"

static const ArgOption options[] = {
	{.name = "output",
	 .letter = 'o',
	 .kind = ARG_TEXT,
	 .value = "FILE.onnx",
	 .help = "where the model goes"},
	{.name = "seed",
	 .kind = ARG_INTEGER,
	 .min = 0,
	 .max = 1e15,
	 .value = "N",
	 .help = "draws other weights; 0 unless given"},
	{0},
};

static void
list_models(void)
{
	int n;
	const ZooModel *m = zoo_list(&n);

	for (int i = 0; i < n; i++)
		printf("%-16s %s\n", m[i].name, m[i].text);
}

static int
run(const Args *a, Err *e)
{
	const char *path = args_text(a, "output", NULL);
	const void *bytes;
	size_t size;
	int rc;

	if (!a->operand.n) {
		list_models();
		return OK;
	}
	if (!path)
		return err_set(e, ERR_INPUT, "--output: nothing, expected FILE.onnx");
	rc = zoo_build(a->operand.v[0], (uint64_t)args_integer(a, "seed", 0), a->arena, &bytes,
		       &size, e);
	return rc ? rc : file_write(path, bytes, size, e);
}

const Command cmd_zoo = {
	.name = "zoo",
	.summary = "Write a well-known topology with seeded random weights as ONNX",
	.operands = "[NAME]",
	.max = 1,
	.text = "Without NAME, lists what there is. The same name and seed give the same bytes.",
	.option = options,
	.run = run,
};
