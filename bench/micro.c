/* micro: register tiles of a matrix product, hot, through the one lowering, as a share of the peak
 * of the same moment, with the spills of their loops. A tile is a whole kernel, repeated four times
 * over the same operands so that a call costs little; the reduction has 256 terms.
 *
 * Which order the row operand has in memory, and how many terms an iteration takes, are tried and
 * the best counts. Figures are no tests: the exit code is 0 unless a kernel is wrong.
 *
 * Usage: micro [--json] [TILE...]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/median.h"
#include "bench/support.h"
#include "tests/support/kernel_run.h"

enum { ROUNDS = 11, PARTS = 5, PART_NS = 200000, REPEAT = 4, TERMS = 256 };

static const double GATE = 95;

static const struct Tile {
	int rows, columns;
} tiles[] = {{6, 32}, {8, 32},  {9, 48},  {4, 96},  {5, 80},  {6, 64},
	     {8, 48}, {12, 32}, {13, 32}, {14, 32}, {24, 16}, {28, 16}};

static const int unrolls[] = {1, 2, 4, 8};

typedef struct Figure {
	double share, gflops, peak;
	int spills, unroll;
	bool by_term, wrong; /* the row operand lies by term */
} Figure;

/* GFLOPS of one part: calls that fill PART_NS; the best of PARTS, as the calibration takes it. */
static double
kernel_gflops(KernelRun *r, double flops)
{
	int calls = (int)(PART_NS / (flops / 250)) + 1;
	double best = 0;

	for (int i = 0; i < PARTS; i++) {
		uint64_t began = clock_ns(), ns;

		for (int k = 0; k < calls; k++)
			kernel_run_call(r);
		ns = clock_ns() - began;
		best = fmax(best, flops * calls / (double)(ns ? ns : 1));
	}
	return best;
}

/* Paired with the peak in every round; the median counts. */
static void
measure(KernelRun *r, double flops, Figure *f)
{
	double share[ROUNDS], gflops[ROUNDS], peak[ROUNDS];

	kernel_gflops(r, flops);
	for (int i = 0; i < ROUNDS; i++) {
		double before = bench_peak_gflops();

		gflops[i] = kernel_gflops(r, flops);
		peak[i] = (before + bench_peak_gflops()) / 2;
		share[i] = 100 * gflops[i] / peak[i];
	}
	f->share = median_sorting(share, ROUNDS);
	f->gflops = median_sorting(gflops, ROUNDS);
	f->peak = median_sorting(peak, ROUNDS);
}

static const char *
task_text(Arena *a, const struct Tile *t, bool by_term)
{
	return arena_printf(a,
			    "task\n in a f32[%d,%d]\n const b f32[%d,%d]\n out y f32[%d,%d,%d]\n"
			    " stage r:%d m:%d n:%d | k:%d\n"
			    "  acc f32 sum a[%s] * b[k,n]\n  y[r,m,n] = acc\n",
			    by_term ? TERMS : t->rows, by_term ? t->rows : TERMS, TERMS, t->columns,
			    REPEAT, t->rows, t->columns, REPEAT, t->rows, t->columns, TERMS,
			    by_term ? "k,m" : "m,k");
}

static int
count_spills(Emit *m, const Loop *l, Err *e, int *spills)
{
	Str s = {0};
	int rc = emit_print(m, l, "k", &s, e);

	*spills = rc ? 0 : bench_spills(str_get(&s));
	str_fini(&s);
	return rc;
}

static int
try(Emit *m, const struct Tile *tile, Figure *f, Err *e)
{
	Arena *a = arena_new();
	const char *sched = arena_printf(a, "direct\nnest vec=n r:1 | k:%d\n", f->unroll);
	char why[LOWER_WHY_MAX];
	TaskForm form;
	KernelRun r;
	Task *t;
	int rc;

	if (!(rc = task_parse(task_text(a, tile, f->by_term), a, &t, e)) &&
	    !(rc = task_form_parse("form\n", t, a, &form, e)) &&
	    !(rc = kernel_run_open(&r, a, m, t, &form, sched, GUARD_BEFORE, 1, why, e))) {
		kernel_run_poison(&r);
		kernel_run_call(&r);
		f->wrong = !(kernel_run_check(&r, 500, 7).worst <= 1);
		rc = count_spills(m, r.loop, e, &f->spills);
		measure(&r, task_flops(t), f);
		kernel_run_close(&r);
	} else if (rc == NOT_APPLICABLE) {
		rc = err_set(e, ERR_INTERNAL, "%dx%d: %s", tile->rows, tile->columns, why);
	}
	arena_free(a);
	return rc;
}

static void
print(const char *name, const Figure *f, bool json)
{
	const char *ok = f->share >= GATE && !f->spills && !f->wrong ? "true" : "false";

	if (json)
		printf("{\"rung\":\"micro\",\"name\":\"%s\",\"share\":%.4f,\"gate\":%.2f,"
		       "\"ok\":%s,\"gflops\":%.1f,\"peak\":%.1f,\"spills\":%d,\"unroll\":%d,"
		       "\"rows\":\"%s\",\"wrong\":%s}\n",
		       name, f->share / 100, GATE / 100, ok, f->gflops, f->peak, f->spills,
		       f->unroll, f->by_term ? "by term" : "by row", f->wrong ? "true" : "false");
	else
		printf("%-6s %6.1f GFLOPS  %5.1f %% of %5.1f  %2d spills  gate %2.0f %%  %-5s  "
		       "[k:%d, rows %s]\n",
		       name, f->gflops, f->share, f->peak, f->spills, GATE,
		       f->wrong     ? "WRONG"
		       : *ok == 't' ? "ok"
				    : "below",
		       f->unroll, f->by_term ? "by term" : "by row");
	fflush(stdout);
}

/* The best of all ways, one without spills before one with. */
static int
tile_figure(Emit *m, const struct Tile *tile, Figure *best, Err *e)
{
	int rc = OK;

	for (size_t u = 0; u < sizeof unrolls / sizeof *unrolls && !rc; u++)
		for (int by_term = 0; by_term < 2 && !rc; by_term++) {
			Figure f = {.unroll = unrolls[u], .by_term = by_term};

			rc = try(m, tile, &f, e);
			f.wrong |= best->wrong;
			if (!best->unroll || (f.share > best->share && f.spills <= best->spills) ||
			    f.spills < best->spills)
				*best = f;
		}
	return rc;
}

int
main(int argc, char **argv)
{
	bool json = argc > 1 && !strcmp(argv[1], "--json"), wrong = false;
	Target target;
	Err e = {0};
	Emit *m;

	if (target_host(&target, &e) || emit_open("llvm", &target, &m, &e)) {
		fprintf(stderr, "micro: %s\n", e.msg);
		return err_exit_code(e.code);
	}
	for (size_t i = 0; i < sizeof tiles / sizeof *tiles && !e.code; i++) {
		Figure best = {0};
		char name[16];

		snprintf(name, sizeof name, "%dx%d", tiles[i].rows, tiles[i].columns);
		if (!bench_wanted(name, argc - 1 - json, argv + 1 + json))
			continue;
		if (!tile_figure(m, &tiles[i], &best, &e))
			print(name, &best, json);
		wrong |= best.wrong;
	}
	emit_close(m);
	if (e.code)
		fprintf(stderr, "micro: %s\n", e.msg);
	return e.code ? err_exit_code(e.code) : wrong ? 7 : 0;
}
