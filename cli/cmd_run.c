/* hone run: a model or bundle on given inputs, outputs into files. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/runnable.h"

enum { FILE_NAME_MAX = 200 };

static const ArgOption options[] = {
	RUNNABLE_OPTIONS,
	{.name = "output-dir",
	 .kind = ARG_TEXT,
	 .value = "DIR",
	 .help = "folder for INDEX_NAME.npy of each output; this one unless given"},
	{0},
};

/* "DIR/0_probs.npy": characters that not every file system holds become '_'. */
static const char *
output_path(Arena *a, const char *folder, int i, const char *name)
{
	char safe[FILE_NAME_MAX];
	size_t n = 0;

	for (; name[n] && n < sizeof safe - 1; n++) {
		unsigned char c = (unsigned char)name[n];

		safe[n] = (char)(isalnum(c) || strchr("._-", c) ? c : '_');
	}
	safe[n] = 0;
	return arena_printf(a, "%s/%d_%s.npy", folder, i, safe);
}

static int
write_output(const Runnable *r, int i, const char *folder, Err *e)
{
	const BundleTensor *t = &r->bundle.output[i];
	const char *path = output_path(r->arena, folder, i, t->name);
	Npy npy = {.type = t->type, .rank = t->rank, .data = r->output[i]};
	Str shape = {0};
	int rc;

	memcpy(npy.dim, t->dim, sizeof npy.dim);
	rc = npy_write(path, &npy, e);
	if (!rc) {
		shape_print(&shape, t->type, t->rank, t->dim);
		printf("%s %s\n", path, str_get(&shape));
	}
	str_fini(&shape);
	return rc;
}

static int
run(const Args *a, Err *e)
{
	const char *folder = args_text(a, "output-dir", ".");
	Runnable r;
	int rc;

	rc = runnable_open(&r, a->operand.v[0], a, false, e);
	if (!rc)
		rc = runnable_need_inputs(&r, e);
	if (!rc)
		rc = runnable_run(&r, 0, NULL, e);
	if (!rc)
		rc = dir_make(folder, e);
	for (int i = 0; !rc && i < r.bundle.noutput; i++)
		rc = write_output(&r, i, folder, e);
	runnable_close(&r);
	return rc;
}

const Command cmd_run = {
	.name = "run",
	.summary = "Run a model or bundle on given inputs",
	.operands = "MODEL.onnx|BUNDLE",
	.min = 1,
	.max = 1,
	.text = "BUNDLE is the folder that compile wrote, or the .json in it. Inputs whose values\n"
		"the shapes of a model depend on become constants; they are named.",
	.option = options,
	.run = run,
};
