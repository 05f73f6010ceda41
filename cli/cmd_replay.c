/* hone replay: how soon a search finds what is best among recorded rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/cost_model.h"
#include "cli/json_out.h"
#include "tuner/effort.h"
#include "tuner/learn.h"
#include "tuner/replay.h"

enum { TRIALS = 64, SEEDS = 5, SEEDS_MAX = 64, SET_BYTES_MAX = 64 << 20, TITLE = 26 };

/* Trials after which the share is told, and shares whose trials are. */
static const int marks[] = {1, 8, 16, 32, 64};
static const double goals[] = {.95, .98};

enum { MARKS = sizeof marks / sizeof *marks, GOALS = sizeof goals / sizeof *goals };

/* Of one Task, the mean over the seeds; of all, the mean over the Tasks. */
typedef struct Figures {
	const char *name;
	int rows, offered;
	double best_us, picks, picks_all;
	double share[MARKS];
	double worst[MARKS]; /* least of any seed */
	double trials[GOALS];
	bool missed[GOALS]; /* by a seed, which then counts with all its trials */
	double unrecorded, infeasible, proposed, compile_s, measure_s;
} Figures;

static const ArgOption options[] = {
	{.name = "search",
	 .kind = ARG_TEXT,
	 .value = "NAME",
	 .help = "the strategy; default is that of `hone tune`"},
	{.name = "trials",
	 .kind = ARG_INTEGER,
	 .min = 1,
	 .max = 100000,
	 .value = "N",
	 .help = "candidates per task; default 64"},
	{.name = "seed",
	 .kind = ARG_INTEGER,
	 .repeat = true,
	 .value = "S",
	 .help = "of the search, as often as wanted; default 0 to 4"},
	{.name = "warm",
	 .kind = ARG_TEXT,
	 .repeat = true,
	 .value = "SET",
	 .help = "rows that are known before, as often as wanted: of the same task elsewhere, or "
		 "of "
		 "others; a task's own rows never are"},
	COST_MODEL_OPTION,
	{.name = "learn",
	 .help = "begin each search with a cost model that learnt from the other sets"},
	{.name = "json", .help = "print JSON"},
	{0},
};

static void
add_run(Figures *f, const Replay *r, int trials)
{
	for (int m = 0; m < MARKS; m++) {
		double share = replay_share(r, marks[m]);

		f->share[m] += share;
		f->worst[m] = share < f->worst[m] ? share : f->worst[m];
	}
	for (int g = 0; g < GOALS; g++) {
		int n = replay_trials(r, goals[g]);

		f->trials[g] += n ? n : trials;
		f->missed[g] |= !n;
	}
	f->unrecorded += r->unrecorded;
	f->infeasible += r->infeasible;
	f->proposed += r->proposed;
	f->compile_s += r->compile_s;
	f->measure_s += r->measure_s;
}

/* Sums become means. */
static void
divide(Figures *f, int n)
{
	double *sum[] = {&f->unrecorded, &f->infeasible, &f->proposed, &f->compile_s,
			 &f->measure_s};

	for (int m = 0; m < MARKS; m++)
		f->share[m] /= n;
	for (int g = 0; g < GOALS; g++)
		f->trials[g] /= n;
	for (size_t i = 0; i < sizeof sum / sizeof *sum; i++)
		*sum[i] /= n;
}

static Figures
nothing(const char *name)
{
	Figures f = {.name = name};

	for (int m = 0; m < MARKS; m++)
		f.worst[m] = 1;
	return f;
}

static void
add_task(Figures *all, const Figures *f)
{
	for (int m = 0; m < MARKS; m++) {
		all->share[m] += f->share[m];
		all->worst[m] = f->worst[m] < all->worst[m] ? f->worst[m] : all->worst[m];
	}
	for (int g = 0; g < GOALS; g++) {
		all->trials[g] += f->trials[g];
		all->missed[g] |= f->missed[g];
	}
	all->rows += f->rows;
	all->offered += f->offered;
	all->unrecorded += f->unrecorded;
	all->infeasible += f->infeasible;
	all->proposed += f->proposed;
	all->compile_s += f->compile_s;
	all->measure_s += f->measure_s;
}

/* --- running --- */

typedef struct Set {
	Recorded rows;
	RecordedSpace space;
} Set;

/* What all runs of a command have in common. */
typedef struct Replays {
	const Search *how;
	int trials, nseed;
	uint64_t seed[SEEDS_MAX];
	Arena *arena;
	Set *set, *known; /* replayed; what is known before */
	int nset, nknown;
	Lesson *lesson; /* of the sets, in their order; NULL: nothing is learnt */
	const Trees *model;
} Replays;

static int
read_set(const char *path, Arena *a, Set *out, Err *e)
{
	char *text = NULL;
	size_t size;
	int rc;

	if (!(rc = file_read(path, SET_BYTES_MAX, &text, &size, e)) &&
	    ((rc = recorded_parse(text, a, &out->rows, e)) ||
	     (rc = recorded_space(a, &out->rows, &out->space, e))))
		err_prefix(e, "%s: ", path);
	free(text);
	return rc;
}

static Figures
replay_set(const Replays *r, int number)
{
	const Set *s = &r->set[number];
	Proposal first[WARM_MOST];
	Figures out = nothing(s->rows.name);
	SearchOptions opt = {.trials = r->trials, .prior = r->model, .warm = first};
	Arena *a = arena_new();
	Warm warm = {0};
	Trees learnt;

	out.rows = s->rows.row.n;
	out.offered = s->space.offered;
	out.best_us = s->space.best_us;
	out.picks = s->space.pruned;
	out.picks_all = s->space.all;
	for (int i = 0; i < r->nknown; i++)
		replay_warm(a, &s->rows, &r->known[i].rows, &r->known[i].space.space, &warm);
	opt.nwarm = warm_proposals(&warm, &s->space.space, WARM_MOST, first);
	if (r->lesson) {
		learnt = lesson_train_without(r->lesson, a, number);
		opt.prior = &learnt;
	}
	for (int i = 0; i < r->nseed; i++) {
		Replay one;

		opt.seed = r->seed[i];
		replay_run(a, &s->rows, &s->space, r->how, &opt, &one);
		add_run(&out, &one, r->trials);
	}
	divide(&out, r->nseed);
	arena_free(a);
	return out;
}

/* --- what is printed --- */

static void
print_head(void)
{
	printf("%-*s %6s %9s", TITLE, "task", "rows", "best us");
	for (int m = 0; m < MARKS; m++)
		printf(" %6d", marks[m]);
	for (int g = 0; g < GOALS; g++)
		printf("  to %2.0f%%", 100 * goals[g]);
	printf(" %9s %9s %8s\n", "compile s", "measure s", "no row");
}

static void
print_figures(const Figures *f)
{
	char best[24] = "";

	if (f->best_us > 0)
		snprintf(best, sizeof best, "%.4g", f->best_us);
	printf("%-*.*s %6d %9s", TITLE, TITLE, f->name, f->offered, best);
	for (int m = 0; m < MARKS; m++)
		printf(" %6.1f", 100 * f->share[m]);
	for (int g = 0; g < GOALS; g++)
		printf("  %s%*.1f", f->missed[g] ? ">" : "", f->missed[g] ? 5 : 6, f->trials[g]);
	printf(" %9.2f %9.2f %8.1f\n", f->compile_s, f->measure_s, f->unrecorded);
}

static void
print_table(const Figures *f, int n, const Figures *mean, const char *how, int trials, int nseed)
{
	printf("search %s, %d trials, %d seed%s: %% of the best recorded speed after N trials\n\n",
	       how, trials, nseed, nseed == 1 ? "" : "s");
	print_head();
	for (int i = 0; i < n; i++)
		print_figures(&f[i]);
	print_figures(mean);
	printf("%-*s %6s %9s", TITLE, "worst of any seed", "", "");
	for (int m = 0; m < MARKS; m++)
		printf(" %6.1f", 100 * mean->worst[m]);
	printf("\n");
}

static void
json_figures(Json *one, const Figures *f)
{
	Json *list = json_array(one, "after");

	for (int m = 0; m < MARKS; m++) {
		Json *at = json_object(list, NULL);

		json_number(at, "trials", marks[m]);
		json_number(at, "share", f->share[m]);
		json_number(at, "worst", f->worst[m]);
	}
	list = json_array(one, "to");
	for (int g = 0; g < GOALS; g++) {
		Json *at = json_object(list, NULL);

		json_number(at, "share", goals[g]);
		json_number(at, "trials", f->trials[g]);
		json_bool(at, "always", !f->missed[g]);
	}
	json_number(one, "proposed", f->proposed);
	json_number(one, "infeasible", f->infeasible);
	json_number(one, "unrecorded", f->unrecorded);
	json_number(one, "compile_s", f->compile_s);
	json_number(one, "measure_s", f->measure_s);
}

static void
print_json(const Figures *f, int n, const Figures *mean, const char *how, int trials,
	   const uint64_t *seed, int nseed)
{
	Json *all = json_object(NULL, NULL), *list;

	json_text(all, "search", how);
	json_number(all, "trials", trials);
	list = json_array(all, "seeds");
	for (int i = 0; i < nseed; i++)
		json_number(list, NULL, (double)seed[i]);
	list = json_array(all, "tasks");
	for (int i = 0; i < n; i++) {
		Json *one = json_object(list, NULL);

		json_text(one, "name", f[i].name);
		json_number(one, "rows", f[i].rows);
		json_number(one, "offered", f[i].offered);
		json_number(one, "picks", f[i].picks);
		json_number(one, "space", f[i].picks_all);
		json_number(one, "best_us", f[i].best_us);
		json_figures(one, &f[i]);
	}
	json_figures(json_object(all, "mean"), mean);
	json_out(all);
}

static int
read_seeds(const Args *a, Replays *r, Err *e)
{
	const char *text;

	for (int *n = &r->nseed; (text = args_nth(a, "seed", *n)); ++*n) {
		if (*n == SEEDS_MAX)
			return err_set(e, ERR_INPUT, "--seed: expected at most %d", SEEDS_MAX);
		r->seed[*n] = (uint64_t)strtoll(text, NULL, 10);
	}
	for (int i = 0; !r->nseed && i < SEEDS; i++)
		r->seed[i] = (uint64_t)i;
	r->nseed = r->nseed ? r->nseed : SEEDS;
	return OK;
}

static int
read_sets(const Args *a, Replays *r, Err *e)
{
	int rc = OK;

	r->nset = a->operand.n;
	while (args_nth(a, "warm", r->nknown))
		r->nknown++;
	r->set = ARENA_ARRAY(r->arena, Set, r->nset + 1);
	r->known = ARENA_ARRAY(r->arena, Set, r->nknown + 1);
	for (int i = 0; i < r->nset && !rc; i++)
		rc = read_set(a->operand.v[i], r->arena, &r->set[i], e);
	for (int i = 0; i < r->nknown && !rc; i++)
		rc = read_set(args_nth(a, "warm", i), r->arena, &r->known[i], e);
	return rc;
}

static void
replay_sets(Replays *r, const Args *a)
{
	Figures *f = ARENA_ARRAY(r->arena, Figures, r->nset), mean = nothing("mean");

	for (int i = 0; i < r->nset; i++) {
		f[i] = replay_set(r, i);
		add_task(&mean, &f[i]);
	}
	divide(&mean, r->nset);
	if (args_has(a, "json"))
		print_json(f, r->nset, &mean, r->how->name, r->trials, r->seed, r->nseed);
	else
		print_table(f, r->nset, &mean, r->how->name, r->trials, r->nseed);
}

static int
run(const Args *a, Err *e)
{
	const char *name = args_text(a, "search", effort_named(NULL)->strategy);
	Replays r = {.how = search_named(name),
		     .trials = (int)args_integer(a, "trials", TRIALS),
		     .arena = a->arena};
	Lesson lesson;
	Trees model;
	int rc;

	if (!r.how)
		return err_set(e, ERR_INPUT, "--search: no strategy is called '%s'", name);
	if ((rc = read_seeds(a, &r, e)) || (rc = read_sets(a, &r, e)) ||
	    (rc = cost_model_read(a, &model, &r.model, NULL, e)))
		return rc;
	lesson_init(&lesson);
	for (int i = 0; i < r.nset && args_has(a, "learn"); i++)
		lesson_add(&lesson, &r.set[i].rows, &r.set[i].space);
	r.lesson = args_has(a, "learn") ? &lesson : NULL;
	replay_sets(&r, a);
	lesson_fini(&lesson);
	return OK;
}

const Command cmd_replay = {
	.name = "replay",
	.summary = "See how soon a search finds the best of recorded candidates",
	.operands = "SET...",
	.min = 1,
	.max = 10000,
	.text = "A set holds candidates of one task that were compiled and measured before\n"
		"(bench/record.sh makes them). The search runs over these rows, and what each\n"
		"took to compile and to measure is charged to a simulated clock: the same set,\n"
		"strategy and seed always give the same figures.",
	.option = options,
	.run = run,
};
