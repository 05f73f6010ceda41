/* ONNX's own test cases through the importer and the reference kernels.
 *
 *   ref_conformance DATA [WORD]
 *
 * DATA holds GROUP/CASE/model.onnx and GROUP/CASE/test_data_set_N/{input,output}_K.pb; WORD selects
 * the cases whose name contains it. Prints one line for each case that does not pass, and the sums.
 * Exit: 0 when every case that imports computes what is expected, else 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_case.h"

static Outcome
run_case(OnnxCase *c)
{
	const void **data = onnx_case_inputs(c);
	void **all = ARENA_ARRAY(c->arena, void *, c->g->value.n + 1);
	Outcome out = data ? OUTCOME_PASS : OUTCOME_DATA;
	Err e = {0};

	if (out == OUTCOME_PASS && graph_run(c->g, c->arena, data, all, &e)) {
		snprintf(c->why, sizeof c->why, "%s", e.msg);
		out = OUTCOME_WRONG;
	}
	for (int i = 0; out == OUTCOME_PASS && i < c->nwant && i < c->g->output.n; i++) {
		int v = c->g->output.v[i];

		out = onnx_case_compare(c, i, &c->g->value.v[v], all[v]);
	}
	return out;
}

static void
one_case(void *ctx, const char *name, const char *dir)
{
	OnnxCase *c = calloc(1, sizeof *c);
	Outcome out = OUTCOME_DATA;
	int *count = ctx;

	for (int set = 0, sets = onnx_case_sets(dir); set < sets; set++) {
		out = onnx_case_open(c, dir, set);
		if (out == OUTCOME_PASS)
			out = run_case(c);
		if (out != OUTCOME_PASS)
			printf("%s: %s: %s\n", name, outcome_text(out), c->why);
		onnx_case_close(c);
		if (out != OUTCOME_PASS)
			break;
	}
	count[out]++;
	free(c);
}

int
main(int argc, char **argv)
{
	int count[OUTCOME_COUNT] = {0};

	if (argc < 2) {
		fprintf(stderr, "usage: ref_conformance DATA [WORD]\n");
		return 2;
	}
	onnx_case_walk(argv[1], argc > 2 ? argv[2] : "", one_case, count);
	for (int i = 0; i < OUTCOME_COUNT; i++)
		printf("%5d %s\n", count[i], outcome_text((Outcome)i));
	return count[OUTCOME_WRONG] + count[OUTCOME_REFUSED] + count[OUTCOME_DATA] ? 1 : 0;
}
