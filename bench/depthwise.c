/* depthwise: MobileNetV2's depthwise layers of stride 1, hot, each with the best kernel of a search
 * of its own, as a share of the multiply-add peak around its measurement. The gate is of the median
 * over the layers of the network; a layer that occurs twice counts twice.
 *
 * Usage: depthwise [--json] [--trials N] [--kept FILE]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/median.h"
#include "bench/layers.h"
#include "bench/support.h"

enum { LAYERS_MAX = 64 };

static const double GATE = 75;

static bool
is_depthwise(const Node *n)
{
	const KAttr *strides;

	if (n->op != OP_Conv || node_int(n, ATTR_group) < 2)
		return false;
	strides = node_attr(n, ATTR_strides);
	return strides && strides->n == 2 && strides->i[0] == 1 && strides->i[1] == 1;
}

static void
print(const char *label, int uses, double flops, const LayerTime *best, const LayerTime *untuned,
      bool json)
{
	double share = 100 * flops / best->ns / best->peak;
	char sched[160];

	bench_one_line(best->text, sched, sizeof sched);
	if (json)
		printf("{\"rung\":\"depthwise\",\"name\":\"%s\",\"uses\":%d,\"share\":%.4f,"
		       "\"us\":%.3f,\"gflops\":%.1f,\"peak\":%.1f,\"untuned_us\":%.3f,"
		       "\"sched\":\"%s\"}\n",
		       label, uses, share / 100, best->ns / 1e3, flops / best->ns, best->peak,
		       untuned->ns / 1e3, sched);
	else
		printf("%-30s x%d %8.2f us %6.1f GFLOPS  %5.1f %% of %5.1f  untuned %5.1f %%  "
		       "[%s]\n",
		       label, uses, best->ns / 1e3, flops / best->ns, share, best->peak,
		       100 * flops / untuned->ns / untuned->peak, sched);
	fflush(stdout);
}

static int
run(Layers *l, int trials, bool json, Err *e)
{
	double share[LAYERS_MAX], median;
	int n = 0, rc = OK;

	for (int i = 0; i < l->plan->task.n && !rc; i++) {
		LayerTime best, untuned;
		double flops = layers_flops(l, i);
		int uses = l->plan->task.v[i].uses;

		if (!is_depthwise(layers_node(l, i)))
			continue;
		rc = layer_search(l, i, "", MEASURE_HOT, trials, &best, &untuned, e);
		if (!rc && !best.text)
			rc = err_set(e, ERR_CHECK, "%s: no kernel is right", layers_label(l, i));
		if (rc)
			break;
		print(layers_label(l, i), uses, flops, &best, &untuned, json);
		for (int k = 0; k < uses && n < LAYERS_MAX; k++)
			share[n++] = 100 * flops / best.ns / best.peak;
	}
	median = median_sorting(share, n);
	if (!rc && json)
		printf("{\"rung\":\"depthwise\",\"name\":\"median\",\"share\":%.4f,\"gate\":%.2f,"
		       "\"ok\":%s,\"layers\":%d}\n",
		       median / 100, GATE / 100, median >= GATE ? "true" : "false", n);
	else if (!rc)
		printf("median of %d layers %.1f %%  gate %.0f %%  %s\n", n, median, GATE,
		       median >= GATE ? "ok" : "below");
	return rc;
}

int
main(int argc, char **argv)
{
	bool json = bench_flag(&argc, argv, "--json");
	int trials = bench_number(&argc, argv, "--trials", 64), rc;
	const char *kept = bench_text(&argc, argv, "--kept");
	Err e = {0};
	Layers l;

	if (!(rc = layers_open(&l, NULL, &e)))
		rc = layers_of_model(&l, "mobilenet_v2", NULL, &e);
	l.kept = kept;
	if (!rc)
		rc = run(&l, trials, json, &e);
	if (rc)
		fprintf(stderr, "depthwise: %s\n", e.msg);
	layers_close(&l);
	return rc ? err_exit_code(rc) : 0;
}
