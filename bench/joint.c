/* joint: the language's promise, measured. Dense and depthwise convolution and a matrix product,
 * as stages of one Task language through one lowering, hot, on one core, as a share of the peak of
 * the same minute. A figure below its gate is printed as such; the exit code is 0 unless a kernel
 * is wrong: timings are not tests.
 *
 * Usage: joint [--json] [NAME...]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench/support.h"
#include "tests/support/kernel_run.h"

typedef struct Case {
	const char *name;
	double gate; /* share of the FMA peak */
	const char *task, *form;
	const char *sched[8]; /* candidates; the best counts */
} Case;

#define CONV(k, c, n, r, pad)                                                          \
	"task\n in x f32[" #c "," #n "," #n "]\n const w f32[" #k "," #c "," #r "," #r \
	"]\n const b f32[" #k "]\n out y f32[" #k "," #n "," #n "]\n"                  \
	" stage k:" #k " p:" #n " q:" #n " | c:" #c " i:" #r " j:" #r "\n"             \
	"  acc f32 sum x[c,p+i-" #pad ",q+j-" #pad " else 0] * w[k,c,i,j]\n"           \
	"  y[k,p,q] = max(acc + b[k], 0)\n"
#define BORDERED "form\n x Abc16a border 0,1,1/0,1,1 = 0\n y Abc16a border 0,1,1/0,1,1 = 0\n"
#define BLOCKED  "form\n x Abc16a\n y Abc16a\n"
#define LAST     "form\n x bca border 0,1,1/0,1,1 = 0\n y bca border 0,1,1/0,1,1 = 0\n"

static const Case cases[] = {
	{"conv3x3_64_56",
	 93,
	 CONV(64, 64, 56, 3, 1),
	 BORDERED,
	 {"direct\nnest vec=k k:64 p:4 q:1 | c:16 i:1 j:1 c:1\n",
	  "direct\nnest vec=k k:32 p:2 q:4 | c:16 i:1 j:1 c:1\n",
	  "direct\nnest vec=k k:32 p:1 q:8 | c:16 i:1 j:1 c:2\n",
	  "direct\nnest vec=k k:32 p:1 q:7 | c:16 i:1 j:1 c:1\n"}},
	{"conv3x3_64_56_nhwc",
	 93,
	 CONV(64, 64, 56, 3, 1),
	 LAST,
	 {"direct\nnest vec=k k:32 p:2 q:4 | c:16 i:1 j:1 c:4\n",
	  "direct\nnest vec=k k:64 p:4 q:1 | c:16 i:1 j:1 c:1\n"}},
	{"conv1x1_256_64_56",
	 93,
	 CONV(64, 256, 56, 1, 0),
	 BLOCKED,
	 {"direct\nnest vec=k p:4 k:32 p:1 q:7 | c:16 c:1\n",
	  "direct\nnest vec=k k:32 p:1 q:7 | c:16 c:1\n",
	  "direct\nnest vec=k k:32 p:2 q:4 | c:16 c:2\n",
	  "direct\nnest vec=k p:4 k:32 p:1 q:8 | c:16 c:2\n"}},
	{"gemm_512",
	 93,
	 "task\n in a f32[512,512]\n const b f32[512,512]\n out y f32[512,512]\n"
	 " stage m:512 n:512 | k:512\n  acc f32 sum a[m,k] * b[k,n]\n  y[m,n] = acc\n",
	 "form\n a ab\n y ab\n",
	 {"direct\nnest vec=n n:48 m:9 | k:2\n", "direct\nnest vec=n n:48 m:8 | k:2\n",
	  "direct\nnest vec=n n:64 m:6 | k:2\n", "direct\nnest vec=n n:32 m:8 | k:4\n",
	  "direct\nnest vec=n n:32 m:12 | k:2\n"}},
	{"depthwise3x3_144_56",
	 85,
	 "task\n in x f32[144,56,56]\n const w f32[144,3,3]\n const b f32[144]\n"
	 " out y f32[144,56,56]\n stage k:144 p:56 q:56 | i:3 j:3\n"
	 "  acc f32 sum x[k,p+i-1,q+j-1 else 0] * w[k,i,j]\n  y[k,p,q] = acc + b[k]\n",
	 BORDERED,
	 {"direct\nnest vec=k k:16 p:2 q:5\n", "direct\nnest vec=k k:16 p:2 q:4\n",
	  "direct\nnest vec=k k:16 p:2 q:7\n", "direct\nnest vec=k k:16 p:1 q:14\n"}},
};

typedef struct Figure {
	double gflops, peak; /* the best of each over all rounds */
	const char *sched;   /* that gave gflops */
	bool wrong;
} Figure;

static double
time_call(KernelRun *r)
{
	double best = 1e9;

	for (int i = 0; i < 60; i++) {
		uint64_t t = clock_ns();

		kernel_run_call(r);
		t = clock_ns() - t;
		if ((double)t < best)
			best = (double)t;
	}
	return best;
}

/* Runs one candidate, alternating with the peak. A round that something else disturbed lowers one
 * of the two, so both keep their best. */
static int
measure(const Case *c, const char *text, Emit *m, Figure *best, Err *e)
{
	Arena *a = arena_new();
	char why[LOWER_WHY_MAX];
	KernelCheck check;
	KernelRun r;
	TaskForm f;
	Task *t;
	int rc;

	if ((rc = task_parse(c->task, a, &t, e)) || (rc = task_form_parse(c->form, t, a, &f, e)) ||
	    (rc = kernel_run_open(&r, a, m, t, &f, text, GUARD_BEFORE, 1, why, e))) {
		if (rc == NOT_APPLICABLE)
			rc = err_set(e, ERR_INTERNAL, "%s: %s", c->name, why);
		arena_free(a);
		return rc;
	}
	kernel_run_poison(&r);
	kernel_run_call(&r);
	check = kernel_run_check(&r, 500, 7);
	best->wrong |= !(check.worst <= 1);
	for (int round = 0; round < 5; round++) {
		double peak = bench_peak_gflops(), gflops = task_flops(t) / time_call(&r);

		if (peak > best->peak)
			best->peak = peak;
		if (gflops > best->gflops) {
			best->gflops = gflops;
			best->sched = text;
		}
	}
	kernel_run_close(&r);
	arena_free(a);
	return OK;
}

static void
print(const Case *c, const Figure *f, bool json)
{
	double share = f->gflops / f->peak;
	char sched[128];

	bench_one_line(f->sched, sched, sizeof sched);
	if (json)
		printf("{\"rung\":\"joint\",\"name\":\"%s\",\"gflops\":%.1f,\"peak\":%.1f,"
		       "\"share\":%.3f,"
		       "\"gate\":%.2f,\"ok\":%s,\"sched\":\"%s\"}\n",
		       c->name, f->gflops, f->peak, share, c->gate / 100,
		       f->wrong ? "false" : "true", sched);
	else
		printf("%-22s %7.1f GFLOPS  %5.1f %% of %5.1f  gate %2.0f %%  %s  [%s]\n", c->name,
		       f->gflops, 100 * share, f->peak, c->gate,
		       f->wrong                 ? "WRONG"
		       : 100 * share >= c->gate ? "ok   "
						: "below",
		       sched);
}

int
main(int argc, char **argv)
{
	bool json = argc > 1 && !strcmp(argv[1], "--json"), wrong = false;
	Target target;
	Err e = {0};
	Emit *m;

	if (target_host(&target, &e) || emit_open("llvm", &target, &m, &e)) {
		fprintf(stderr, "joint: %s\n", e.msg);
		return err_exit_code(e.code);
	}
	for (size_t i = 0; i < sizeof cases / sizeof *cases && !e.code; i++) {
		Figure best = {0};

		if (!bench_wanted(cases[i].name, argc - 1 - json, argv + 1 + json))
			continue;
		for (int k = 0; k < 8 && cases[i].sched[k] && !e.code; k++)
			measure(&cases[i], cases[i].sched[k], m, &best, &e);
		if (!e.code)
			print(&cases[i], &best, json);
		wrong |= best.wrong;
	}
	emit_close(m);
	if (e.code)
		fprintf(stderr, "joint: %s\n", e.msg);
	return e.code ? err_exit_code(e.code) : wrong ? 7 : 0;
}
