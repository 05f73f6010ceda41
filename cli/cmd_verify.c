/* hone verify: the outputs of a model against expected ones, and on request every layer against
 * the reference kernels. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/runnable.h"
#include "deploy/compare.h"

#define RTOL 1e-3
#define ATOL 1e-4

static const ArgOption options[] = {
	RUNNABLE_OPTIONS,
	{.name = "expect",
	 .kind = ARG_TEXT,
	 .repeat = true,
	 .value = "FILE.npy",
	 .help = "expected outputs, in the model's order"},
	{.name = "rtol",
	 .kind = ARG_NUMBER,
	 .min = 0,
	 .max = 1e9,
	 .value = "R",
	 .help = "see above; 1e-3 unless given"},
	{.name = "atol",
	 .kind = ARG_NUMBER,
	 .min = 0,
	 .max = 1e9,
	 .value = "A",
	 .help = "see above; 1e-4 unless given"},
	{.name = "layers",
	 .help = "compare the value after each step with the reference kernels' too"},
	{0},
};

static void
print_line(const char *what, const char *name, const Comparison *c)
{
	printf("%s %s: largest error %.3g of values up to %.3g, %.3g of the tolerance%s", what,
	       name, c->error, c->largest, c->worst, c->worst <= 1 ? "\n" : ": WRONG");
	if (!(c->worst <= 1))
		printf(", %zu elements, the worst is [%zu]: %.9g, expected %.9g\n", c->wrong, c->at,
		       c->got, c->want);
}

static int
check_output(const Runnable *r, int i, const char *path, Tolerance tol, bool *right, Err *e)
{
	const BundleTensor *t = &r->bundle.output[i];
	char what[32];
	Comparison c;
	Npy want;
	int rc = npy_read(path, &want, e);

	if (rc)
		return rc;
	if (want.type != t->type || npy_bytes(&want) != t->bytes) {
		Str got = {0}, found = {0};

		shape_print(&got, t->type, t->rank, t->dim);
		shape_print(&found, want.type, want.rank, want.dim);
		rc = err_set(e, ERR_INPUT, "%s: holds %s, output '%s' is %s", path, str_get(&found),
			     t->name, str_get(&got));
		str_fini(&got);
		str_fini(&found);
	} else {
		c = compare_tensors(t->type, r->output[i], want.data, (size_t)npy_count(&want),
				    tol);
		snprintf(what, sizeof what, "output %d", i);
		print_line(what, t->name, &c);
		*right &= c.worst <= 1;
	}
	npy_fini(&want);
	return rc;
}

static int
check_outputs(const Runnable *r, const Args *a, Tolerance tol, Err *e)
{
	int n = 0, rc = OK;
	bool right = true;

	while (args_nth(a, "expect", n))
		n++;
	if (n != r->bundle.noutput && (n || !args_has(a, "layers")))
		return err_set(e, ERR_INPUT,
			       "--expect: %d files, expected one for each of the %d "
			       "outputs",
			       n, r->bundle.noutput);
	for (int i = 0; i < n && !rc; i++)
		rc = check_output(r, i, args_nth(a, "expect", i), tol, &right, e);
	if (!rc && !right)
		rc = err_set(e, ERR_CHECK, "outputs are not as expected");
	return rc;
}

static int
check_layers(Runnable *r, Tolerance tol, bool *right, Err *e)
{
	const Graph *g = r->model.graph;
	const void **input = ARENA_ARRAY(r->arena, const void *, r->bundle.ninput + 1);
	void **all = ARENA_ARRAY(r->arena, void *, g->value.n + 1);
	int rc;

	for (int i = 0; i < r->bundle.ninput; i++)
		input[i] = r->input[i].data;
	if ((rc = graph_run(g, r->arena, input, all, e)))
		return rc;
	for (int i = 0; i < r->bundle.nlayer; i++) {
		const Value *v = &g->value.v[r->bundle.layer[i].value];
		const void *got =
			bundle_layer(&r->bundle, i, r->output, r->activations, g, r->arena);
		Comparison c = compare_tensors(v->type, got, all[r->bundle.layer[i].value],
					       (size_t)value_count(v), tol);

		print_line("layer", r->bundle.layer[i].name, &c);
		*right &= c.worst <= 1;
	}
	return OK;
}

static int
run(const Args *a, Err *e)
{
	Tolerance tol = {args_number(a, "rtol", RTOL), args_number(a, "atol", ATOL)};
	bool layers = args_has(a, "layers"), alone = layers && !args_has(a, "expect"), right = true;
	Runnable r;
	int rc = runnable_open(&r, a->operand.v[0], a, layers, e);

	if (!rc)
		rc = alone ? runnable_invent_inputs(&r, e) : runnable_need_inputs(&r, e);
	if (!rc)
		rc = runnable_run(&r, 0, NULL, e);
	if (!rc && layers)
		rc = check_layers(&r, tol, &right, e);
	if (!rc)
		rc = check_outputs(&r, a, tol, e);
	if (!rc && alone && !right)
		rc = err_set(e, ERR_CHECK, "layers are not as the reference kernels have them");
	runnable_close(&r);
	return rc;
}

const Command cmd_verify = {
	.name = "verify",
	.summary = "Compare a model's outputs with expected ones",
	.operands = "MODEL.onnx|BUNDLE",
	.min = 1,
	.max = 1,
	.text = "An element a passes against the expected b if\n"
		"  |a - b| <= A * max |b| + R * |b|\n"
		"with the maximum over the output, R = 1e-3 and A = 1e-4 unless given. Prints the\n"
		"largest error of each output; exit status 0 when all pass, 1 when not.\n"
		"With --expect, layers are shown to find the place of an error and do not count.\n"
		"Without it they are what is checked, and inputs without --input hold seeded\n"
		"random numbers, or zeros for types that are no floats.",
	.option = options,
	.run = run,
};
