/* hone bench: the time of one run. */
#include <stdio.h>
#include <stdlib.h>

#include "base/median.h"
#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/runnable.h"

enum { RUNS_MIN = 60, RUNS_MAX = 10000 };

static const ArgOption options[] = {
	RUNNABLE_OPTIONS,
	{.name = "runs",
	 .kind = ARG_INTEGER,
	 .min = RUNS_MIN,
	 .max = RUNS_MAX,
	 .value = "N",
	 .help = "timed runs, after a warm-up; 60 to 10000, 100 unless given"},
	{.name = "json", .help = "print JSON"},
	{0},
};

static double
quantile_ms(const RemoteTimes *t, double q)
{
	return t->ns[(int)(q * (t->n - 1) + 0.5)] / 1e6;
}

static void
print_times(RemoteTimes *t, bool json)
{
	Json *top;

	qsort(t->ns, (size_t)t->n, sizeof *t->ns, by_double);
	if (!json) {
		printf("min_ms %.4f median_ms %.4f p95_ms %.4f runs %d\n", quantile_ms(t, 0),
		       quantile_ms(t, 0.5), quantile_ms(t, 0.95), t->n);
		return;
	}
	top = json_object(NULL, NULL);
	json_number(top, "min_ms", quantile_ms(t, 0));
	json_number(top, "median_ms", quantile_ms(t, 0.5));
	json_number(top, "p95_ms", quantile_ms(t, 0.95));
	json_number(top, "runs", t->n);
	json_out(top);
}

static int
run(const Args *a, Err *e)
{
	RemoteTimes times = {0};
	Runnable r;
	int rc = runnable_open(&r, a->operand.v[0], a, false, e);

	if (!rc)
		rc = runnable_invent_inputs(&r, e);
	if (!rc)
		rc = runnable_run(&r, (int)args_integer(a, "runs", 100), &times, e);
	if (!rc)
		print_times(&times, args_has(a, "json"));
	runnable_close(&r);
	return rc;
}

const Command cmd_bench = {
	.name = "bench",
	.summary = "Time a model or bundle",
	.operands = "MODEL.onnx|BUNDLE",
	.min = 1,
	.max = 1,
	.text = "Inputs without --input hold seeded random numbers, or zeros for types that are\n"
		"no floats.",
	.option = options,
	.run = run,
};
