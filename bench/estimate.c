/* estimate: what the analytic model chooses for layers that nobody looked at while it was written,
 * against the best of a search, both in one race with cold constants. Forty seeded layers: dense
 * and depthwise convolutions, channels last with the border their padding wants, and matrix
 * products with constant weights.
 *
 * Usage: estimate [--json] [--trials N] [--target NAME] [--seed S] [--from I] [--count N]
 *                 [--kept FILE]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "bench/layers.h"
#include "bench/support.h"

enum { COUNT = 40, SEED = 20 };

static const double MEAN_GATE = 90, WORST_GATE = 70;
static const double FLOPS_MIN = 2e6, FLOPS_MAX = 6e8;

typedef struct Layer {
	const char *name, *task, *form;
	double flops;
} Layer;

static int64_t
one_of(Rng *r, const int64_t *list, int n)
{
	return list[rng_below(r, (uint64_t)n)];
}

#define ONE_OF(r, ...)                            \
	one_of(r, (const int64_t[]){__VA_ARGS__}, \
	       (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))

/* Channels as networks have them, and some that are no multiple of a vector. */
static int64_t
channels(Rng *r, int64_t most)
{
	int64_t c;

	do
		c = ONE_OF(r, 8, 16, 24, 32, 40, 48, 64, 72, 80, 96, 112, 128, 160, 184, 192, 240,
			   256, 320, 384, 480, 512, 672, 768, 1000, 1024);
	while (c > most);
	return c;
}

static Layer
convolution(Arena *a, Rng *r, bool depthwise)
{
	long long c = channels(r, depthwise ? 1024 : 512), k = depthwise ? c : channels(r, 1024);
	long long n =
		ONE_OF(r, 6, 7, 10, 12, 13, 14, 20, 24, 26, 28, 35, 40, 48, 52, 56, 80, 96, 112);
	long long i = depthwise ? ONE_OF(r, 3, 3, 3, 5) : ONE_OF(r, 1, 1, 1, 3, 3, 5);
	long long s = ONE_OF(r, 1, 1, 1, 2), pad = i / 2, m = (n + 2 * pad - i) / s + 1;
	const char *x = depthwise ? "k" : "c";
	Layer l = {.flops = 2. * (double)(k * m * m * i * i) * (double)(depthwise ? 1 : c)};

	l.name = arena_printf(a, "%s %lldx%lld/%lld %lld->%lld @%lld",
			      depthwise ? "depthwise" : "conv", i, i, s, c, k, n);
	l.task = arena_printf(
		a,
		"task\n in x f32[%lld,%lld,%lld]\n const w f32[%lld,%lld,%lld,%lld]\n"
		" const b f32[%lld]\n out y f32[%lld,%lld,%lld]\n"
		" stage k:%lld p:%lld q:%lld |%s i:%lld j:%lld\n"
		"  acc f32 sum x[%s,%lld*p+i-%lld,%lld*q+j-%lld else 0] * w[k,%s,i,j]\n"
		"  y[k,p,q] = max(acc + b[k], 0)\n",
		c, n, n, k, depthwise ? 1 : c, i, i, k, k, m, m, k, m, m,
		depthwise ? "" : arena_printf(a, " c:%lld", c), i, i, x, s, pad, s, pad,
		depthwise ? "0" : "c");
	l.form = arena_printf(a, "form\n x bca border 0,%lld,%lld/0,%lld,%lld = 0\n y bca\n", pad,
			      pad, pad, pad);
	return l;
}

static Layer
product(Arena *a, Rng *r)
{
	long long m = ONE_OF(r, 1, 4, 10, 16, 49, 64, 100, 128, 196, 256, 384, 512);
	long long n = ONE_OF(r, 10, 48, 64, 100, 128, 200, 256, 384, 512, 768, 1000, 1536, 2048);
	long long k = ONE_OF(r, 32, 64, 100, 128, 256, 384, 512, 768, 1024, 1280, 2048);

	return (Layer){
		.name = arena_printf(a, "product %lldx%lldx%lld", m, n, k),
		.flops = 2. * (double)(m * n) * (double)k,
		.task = arena_printf(a,
				     "task\n in x f32[%lld,%lld]\n const w f32[%lld,%lld]\n"
				     " const b f32[%lld]\n out y f32[%lld,%lld]\n"
				     " stage m:%lld n:%lld | k:%lld\n"
				     "  acc f32 sum x[m,k] * w[k,n]\n  y[m,n] = acc + b[n]\n",
				     m, k, k, n, n, m, n, m, n, k),
		.form = "form\n"};
}

/* Two dense convolutions to a depthwise one and a product; sizes that a model may have. */
static Layer
draw(Arena *a, Rng *r, int number)
{
	Layer l;

	do
		l = number % 4 == 3 ? product(a, r) : convolution(a, r, number % 4 == 2);
	while (l.flops < (number % 4 == 2 ? FLOPS_MIN / 4 : FLOPS_MIN) || l.flops > FLOPS_MAX);
	return l;
}

static void
print(const Layer *l, const LayerTime *best, const LayerTime *untuned, bool json)
{
	double share = best->ns / untuned->ns, peak = l->flops / best->ns / best->peak;
	char a[160], b[160];

	bench_one_line(untuned->text, a, sizeof a);
	bench_one_line(best->text, b, sizeof b);
	if (json)
		printf("{\"rung\":\"estimate\",\"name\":\"layer\",\"layer\":\"%s\",\"share\":%.4f,"
		       "\"us\":%.2f,\"peak_share\":%.3f,\"untuned\":\"%s\",\"tuned\":\"%s\"}\n",
		       l->name, share, best->ns / 1e3, peak, a, b);
	else
		printf("%-30s %5.1f %%  %8.1f us, %5.1f %% of peak  [%s] -> [%s]\n", l->name,
		       100 * share, best->ns / 1e3, 100 * peak, a, b);
	fflush(stdout);
}

static int
run(Layers *l, const Layer *layer, int n, int trials, bool json, Err *e)
{
	double sum = 0, worst = 100;
	bool ok;

	for (int i = 0; i < n; i++) {
		LayerTime best, untuned;
		int rc = layer_search(l, i, "", MEASURE_COLD, trials, &best, &untuned, e);

		if (rc || !best.text)
			return rc ? rc : err_set(e, ERR_CHECK, "%s: no kernel", layer[i].name);
		print(&layer[i], &best, &untuned, json);
		sum += 100 * best.ns / untuned.ns;
		worst = 100 * best.ns / untuned.ns < worst ? 100 * best.ns / untuned.ns : worst;
	}
	ok = sum / n >= MEAN_GATE && worst >= WORST_GATE;
	printf(json ? "{\"rung\":\"estimate\",\"name\":\"%s\",\"layers\":%d,\"mean\":%.4f,"
		      "\"worst\":%.4f,\"mean_gate\":%.2f,\"worst_gate\":%.2f,\"ok\":%s}\n"
		    : "%s, %d layers: mean %.4g, worst %.4g of tuned; gates %.2g and %.2g: %s\n",
	       l->target.name, n, sum / n / 100, worst / 100, MEAN_GATE / 100, WORST_GATE / 100,
	       ok     ? json ? "true" : "ok"
	       : json ? "false"
		      : "below");
	return OK;
}

int
main(int argc, char **argv)
{
	bool json = bench_flag(&argc, argv, "--json");
	int trials = bench_number(&argc, argv, "--trials", 64), n, rc;
	int from = bench_number(&argc, argv, "--from", 0);
	int count = bench_number(&argc, argv, "--count", COUNT);
	int seed = bench_number(&argc, argv, "--seed", SEED);
	const char *target = bench_text(&argc, argv, "--target");
	const char *kept = bench_text(&argc, argv, "--kept");
	const char *task[COUNT], *form[COUNT];
	Layer layer[COUNT];
	Err e = {0};
	Layers l;
	Rng r;

	rng_init(&r, (uint64_t)seed);
	rc = layers_open(&l, target, &e);
	for (n = 0; n < COUNT && n < from + count; n++) {
		layer[n] = draw(l.arena, &r, n);
		task[n] = layer[n].task;
		form[n] = layer[n].form;
	}
	from = from < n ? from : n;
	l.kept = kept;
	if (!rc && !(rc = layers_of_texts(&l, n - from, task + from, form + from, &e)) && n > from)
		rc = run(&l, layer + from, n - from, trials, json, &e);
	if (rc)
		fprintf(stderr, "estimate: %s\n", e.msg);
	layers_close(&l);
	return rc ? err_exit_code(rc) : 0;
}
