/* propose: how long a search thinks. A round of the usual strategy over a space of 10^4 picks or
 * more, when 64 rows of it are measured: trees trained, candidates ranked, picks proposed. Once
 * over the whole Space of a 3x3 convolution, of which a sample is ranked; once over as much of it
 * as is ranked whole, which costs most. Times of the rows are made up.
 *
 * Usage: propose [--json]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/median.h"
#include "base/rng.h"
#include "bench/support.h"
#include "tuner/candidates.h"
#include "tuner/effort.h"

enum { RUNS = 20, TRIALS = 80, MEASURED = 64, ROUND = 15, OTHERS_KEPT = 2 };

static const double GATE_S = .1;

static const char task_text[] =
	"task\n in x f32[64,56,56]\n const w f32[64,64,3,3]\n const b f32[64]\n"
	" out y f32[64,56,56]\n stage k:64 p:56 q:56 | c:64 i:3 j:3\n"
	"  acc f32 sum x[c,p+i-1,q+j-1 else 0] * w[k,c,i,j]\n  y[k,p,q] = max(acc + b[k], 0)\n";
static const char form_text[] = "form\n x bca border 0,1,1/0,1,1 = 0\n y bca\n";

static int
build(Arena *a, const Target *t, Space *out, Err *e)
{
	TaskForm form;
	Task *task;
	int rc;

	if ((rc = task_parse(task_text, a, &task, e)) ||
	    (rc = task_form_parse(form_text, task, a, &form, e)))
		return rc;
	return space_build(a, task, &form, t, TOLERANCE_DEFAULT, out, e);
}

/* Leaves the dearest stage of each variant so many of its options, the others next to none. */
static void
cut(Arena *a, Space *s, int most)
{
	for (int v = 0; v < s->variant.n; v++) {
		Variant *x = &s->variant.v[v];
		StageOptions *stage = ARENA_ARRAY(a, StageOptions, x->task->stage.n);
		int dearest = 0;

		for (int i = 0; i < x->task->stage.n; i++) {
			stage[i] = x->stage[i];
			dearest = stage[i].option.v[0].ns > stage[dearest].option.v[0].ns ? i
											  : dearest;
		}
		for (int i = 0; i < x->task->stage.n; i++) {
			int kept = i == dearest ? most : OTHERS_KEPT;

			if (stage[i].option.n > kept)
				stage[i].option.n = kept;
		}
		x->stage = stage;
	}
}

/* The largest cut that is ranked whole. */
static Space
cut_to_ranked(Arena *a, const Space *whole)
{
	Space best = *whole;

	for (int most = OTHERS_KEPT; most < SPACE_OPTIONS_MAX; most++) {
		Space s = *whole;

		s.variant.v = ARENA_ARRAY(a, Variant, whole->variant.n);
		for (int i = 0; i < whole->variant.n; i++)
			s.variant.v[i] = whole->variant.v[i];
		cut(a, &s, most);
		if (space_rows(&s) > CANDIDATES_WHOLE || space_rows(&s) == space_rows(&best))
			break;
		best = s;
	}
	return best;
}

static double
round_s(const Space *s, uint64_t seed)
{
	const Search *how = search_named(effort_named(NULL)->strategy);
	Arena *a = arena_new();
	SearchOptions opt = {.trials = TRIALS, .seed = seed};
	void *state = how->start(a, s, &opt);
	uint64_t before, after;
	Proposal p[ROUND];
	Rng rng;

	rng_init(&rng, seed);
	for (int done = 0; done < MEASURED;) {
		int left = MEASURED - done;
		int n = how->propose(state, left < ROUND ? left : ROUND, p);

		for (int i = 0; i < n; i++)
			how->report(state, &p[i].pick,
				    space_cost(s, &p[i].pick) * exp2(rng_unit(&rng)));
		if (!n)
			break;
		done += n;
	}
	before = clock_ns();
	how->propose(state, ROUND, p);
	after = clock_ns();
	arena_free(a);
	return (double)(after - before) * 1e-9;
}

static void
measure(const char *name, const Space *s, bool json)
{
	double t[RUNS], worst = 0, middle;

	for (int i = 0; i < RUNS; i++) {
		t[i] = round_s(s, (uint64_t)i);
		worst = fmax(worst, t[i]);
	}
	middle = median_sorting(t, RUNS);
	if (json)
		printf("{\"rung\":\"propose\",\"name\":\"%s\",\"picks\":%.6g,\"runs\":%d,"
		       "\"median\":%.4f,\"most\":%.4f,\"gate\":%g,\"ok\":%s}\n",
		       name, space_rows(s), RUNS, middle, worst, GATE_S,
		       worst < GATE_S ? "true" : "false");
	else
		printf("%-13s %9.4g picks: median %5.1f ms, most %5.1f ms; gate %g ms: %s\n", name,
		       space_rows(s), 1e3 * middle, 1e3 * worst, 1e3 * GATE_S,
		       worst < GATE_S ? "ok" : "above");
}

int
main(int argc, char **argv)
{
	bool json = bench_flag(&argc, argv, "--json");
	Arena *a = arena_new();
	Err e = {0};
	Target t;
	Space s;
	int rc;

	if ((rc = target_named("x86-64-v4", &t, &e)) || (rc = build(a, &t, &s, &e))) {
		fprintf(stderr, "propose: %s\n", e.msg);
	} else {
		Space ranked = cut_to_ranked(a, &s);

		measure("whole space", &s, json);
		measure("ranked whole", &ranked, json);
	}
	arena_free(a);
	return rc ? err_exit_code(rc) : 0;
}
