/* record: times the candidates of one Task of a zoo model, one thread, constants cold, and writes
 * the rows that `hone replay` reads (tuner/recorded.h). Without a number it lists the model's
 * Tasks.
 *
 * A Space of at most ROWS picks is recorded whole. Of a larger one, where several stages multiply,
 * a few options of every stage are, and then all their combinations, so that what is left is a
 * Space again: more options of the variants in which a search of the whole Space found its best,
 * near that best, cheap by the model, and random. Rows that are not slow are timed several times.
 *
 * What took longer than SECONDS is left in FILE.part with exit status 75: called again, it goes on.
 *
 * With --like, the Task is that of a set that was recorded before, and only a search of so many
 * trials is recorded, on a Target of the built-in table that this machine can run: what a log of
 * `hone tune` would know.
 *
 * Usage: record MODEL [NUMBER NAME FILE] [--rows N] [--trials N] [--seconds S]
 *        record --like SET --target NAME FILE [--trials N]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench/recorder.h"
#include "bench/support.h"

enum {
	ROWS = 2500,
	TRIALS = 128,
	SECONDS = 100,
	GO_ON = 75, /* exit status */
	SET_BYTES_MAX = 1 << 26,
	GRID_MAX = 2048
};

static const double LIGHT = .15;

/* --- which picks --- */

static bool
among(const int *list, int n, int x)
{
	for (int i = 0; i < n; i++)
		if (list[i] == x)
			return true;
	return false;
}

/* Options of a stage: the best pick's, the cheapest, then in turns its neighbours, cheap ones and
 * random ones. */
static int
choose_options(const StageOptions *s, int best, int want, Rng *rng, int *out)
{
	int n = 0, near = 0, cheap = 0, turn = 0;

	want = want < s->option.n ? want : s->option.n;
	out[n++] = best;
	while (n < want) {
		int x = (int)rng_below(rng, (uint64_t)s->option.n);

		if (turn % 3 == 0)
			x = cheap < s->option.n ? cheap++ : x;
		while (turn % 3 == 1 && near < s->option.n &&
		       options_apart(&s->option.v[near], &s->option.v[best]) != 1)
			near++;
		if (turn % 3 == 1 && near < s->option.n)
			x = near++;
		turn++;
		if (!among(out, n, x))
			out[n++] = x;
	}
	return n;
}

/* How many options of each stage make about `rows` picks: two where it takes little time. */
static void
size_grid(const Variant *v, int rows, int *want)
{
	double total = 0, room = rows;
	int heavy = 0;

	for (int s = 0; s < v->task->stage.n; s++)
		total += v->stage[s].option.v[0].ns;
	for (int s = 0; s < v->task->stage.n; s++) {
		bool light = v->stage[s].option.v[0].ns < LIGHT * total;

		want[s] = v->stage[s].option.n == 1 ? 1 : light ? 2 : 0;
		heavy += !want[s];
		room /= want[s] ? want[s] : 1;
	}
	for (int s = 0; s < v->task->stage.n; s++)
		if (!want[s])
			want[s] = (int)fmax(1, pow(room, 1. / heavy));
	for (int s = 0; rows == 1 && s < v->task->stage.n; s++)
		want[s] = 1;
}

/* Records all combinations of some options of a variant. */
static int
record_grid(Recorder *r, const Pick *best, int rows, Err *e)
{
	const Variant *v = &r->space.variant.v[best->variant];
	int option[TASK_STAGES_MAX][GRID_MAX], n[TASK_STAGES_MAX], want[TASK_STAGES_MAX], rc;
	VEC(const char *) text = {0};
	Pick p = *best;
	int total = 1;
	Rng rng;

	rng_init(&rng, (uint64_t)best->variant);
	size_grid(v, rows, want);
	for (int s = 0; s < v->task->stage.n; s++) {
		n[s] = choose_options(&v->stage[s], best->option[s], want[s], &rng, option[s]);
		total *= n[s];
	}
	for (int i = 0; i < total; i++) {
		int at = i;

		for (int s = 0; s < v->task->stage.n; s++) {
			p.option[s] = option[s][at % n[s]];
			at /= n[s];
		}
		vec_push(r->l->arena, &text, space_text(&r->space, r->l->arena, &p));
	}
	if ((rc = recorder_texts(r, text.v, text.n, e)))
		return rc;
	for (int i = 0; i < text.n; i++)
		recorded_add(&r->keep, r->l->arena, *recorded_find(&r->out, text.v[i]));
	return OK;
}

/* Of the variants, the fastest ones get the most rows; what the model holds for hopeless one. */
static int
record_part(Recorder *r, int rows, int trials, Err *e)
{
	static const double share[] = {.32, .16, .1, .06};
	int nvariant = r->space.variant.n, rc;
	Pick *best = ARENA_ARRAY(r->l->arena, Pick, nvariant);
	double *us = ARENA_ARRAY(r->l->arena, double, nvariant), floor, fastest = 0;
	bool *done = ARENA_ARRAY(r->l->arena, bool, nvariant);

	for (int v = 0; v < nvariant; v++) {
		best[v] = (Pick){.variant = v};
		us[v] = 1e9 + space_cost(&r->space, &best[v]); /* not measured: by the model */
	}
	floor = 2.5 * space_cost(&r->space, &best[0]);
	if ((rc = recorder_search(r, trials, best, us, e)))
		return rc;
	for (int rank = 0; rank < nvariant; rank++) {
		int next = -1, n = (int)(rows * (rank < 4 ? share[rank] : .03));

		for (int v = 0; v < nvariant; v++)
			if (!done[v] && (next < 0 || us[v] < us[next]))
				next = v;
		done[next] = true;
		fastest = rank ? fastest : us[next];
		if (space_cost(&r->space, &(Pick){.variant = next}) > floor &&
		    us[next] > 1.5 * fastest)
			n = 1;
		if ((rc = record_grid(r, &best[next], n, e)))
			return rc;
	}
	return OK;
}

static int
record_all(Recorder *r, int n, Err *e)
{
	Pick *pick = ARENA_ARRAY(r->l->arena, Pick, n + 1);
	const char **text = ARENA_ARRAY(r->l->arena, const char *, n + 1);

	n = space_top(&r->space, n, pick);
	for (int i = 0; i < n; i++)
		text[i] = space_text(&r->space, r->l->arena, &pick[i]);
	return recorder_texts(r, text, n, e);
}

/* --- one Task --- */

typedef struct Wanted {
	int rows, trials, seconds;
} Wanted;

/* Every row that is wanted, timed once. */
static int
record_rows(Recorder *r, int rows, int trials, Err *e)
{
	int known = r->out.row.n;
	int rc = space_rows(&r->space) <= rows ? record_all(r, rows, e)
					       : record_part(r, rows, trials, e);

	/* timing again takes about as long as half of this */
	if (!rc && r->out.row.n > known && clock_ns() > (r->began + r->ends) / 2)
		return err_set(e, ERR_CANCELLED, "all %d rows", r->out.row.n);
	return rc;
}

/* Lets go of the rows that the search looked at and nobody wants. */
static void
keep_wanted(Recorder *r)
{
	if (!r->keep.row.n)
		return;
	r->out.row.n = r->out.nslot = 0;
	for (int i = 0; i < r->keep.row.n; i++)
		recorded_add(&r->out, r->l->arena, r->keep.row.v[i]);
}

static int
record(Recorder *r, const char *file, int rows, int trials, Err *e)
{
	const char *part = arena_printf(r->l->arena, "%s.part", file);
	int rc;

	recorder_read(r, part);
	rc = record_rows(r, rows, trials, e);
	if (rc == ERR_CANCELLED)
		return recorder_write(r, part, e) ? ERR_IO : rc;
	if (rc)
		return rc;
	keep_wanted(r);
	if ((rc = recorder_again(r, 2, 3, e)) || (rc = recorder_again(r, 1.15, 3, e)) ||
	    (rc = recorder_write(r, file, e)))
		return rc;
	remove(part);
	printf("%-34s %5d rows, best %.4g us, peak %.0f to %.0f GFLOPS, %.0f s\n", r->out.name,
	       r->out.row.n, r->best_us, r->peak[0], r->peak[1], recorder_ms(r->began) * 1e-3);
	return OK;
}

static void
list(const Layers *l)
{
	for (int i = 0; i < l->plan->task.n; i++) {
		const PlanTask *t = &l->plan->task.v[i];
		Err e = {0};
		Space s;

		if (!space_build(l->arena, t->task, &t->form, &l->target, TOLERANCE_DEFAULT, &s,
				 &e))
			printf("%3d %-40s %10.4g rows, %d variants\n", i, layers_label(l, i),
			       space_rows(&s), s.variant.n);
	}
}

/* Records a search of the Task of another set. */
static int
record_like(Layers *l, const char *set, const char *target, const char *file, int trials, Err *e)
{
	const char *task, *form;
	Recorded like;
	Str text = {0};
	Recorder r;
	char *all;
	size_t size;
	int rc = layers_open(l, target, e);

	if (rc || (rc = file_read(set, SET_BYTES_MAX, &all, &size, e)))
		return rc;
	rc = recorded_parse(all, l->arena, &like, e);
	free(all);
	if (rc)
		return rc;
	task_print(like.task, &text);
	task = arena_strdup(l->arena, str_get(&text));
	str_clear(&text);
	task_form_print(like.task, &like.form, &text);
	form = arena_strdup(l->arena, str_get(&text));
	str_fini(&text);
	if ((rc = layers_of_texts(l, 1, &task, &form, e)) ||
	    (rc = recorder_start(&r, l, 0, like.name, e)))
		return rc;
	r.ends = r.began + (uint64_t)SECONDS * SECOND_NS;
	if ((rc = recorder_search(&r, trials, NULL, NULL, e)) ||
	    (rc = recorder_again(&r, 1.15, 2, e)) || (rc = recorder_write(&r, file, e)))
		return rc;
	printf("%-34s %5d rows, best %.4g us\n", like.name, r.out.row.n, r.best_us);
	return OK;
}

static int
record_number(Layers *l, int number, const char *name, const char *file, const Wanted *w, Err *e)
{
	Recorder r;
	int rc;

	if (number < 0 || number >= l->plan->task.n)
		return err_set(e, ERR_INPUT, "the model has no Task %d", number);
	if ((rc = recorder_start(&r, l, number, name, e)))
		return rc;
	r.ends = r.began + (uint64_t)w->seconds * SECOND_NS;
	return record(&r, file, w->rows, w->trials, e);
}

int
main(int argc, char **argv)
{
	Wanted w = {.rows = bench_number(&argc, argv, "--rows", ROWS),
		    .trials = bench_number(&argc, argv, "--trials", TRIALS),
		    .seconds = bench_number(&argc, argv, "--seconds", SECONDS)};
	const char *like = bench_text(&argc, argv, "--like");
	const char *target = bench_text(&argc, argv, "--target");
	Err e = {0};
	Layers l;
	int rc;

	if (like ? argc != 2 : argc != 2 && argc != 5) {
		fprintf(stderr, "usage: record MODEL [NUMBER NAME FILE] [--rows N] [--trials N] "
				"[--seconds S]\n"
				"       record --like SET --target NAME FILE [--trials N]\n");
		return 2;
	}
	if (like)
		rc = record_like(&l, like, target, argv[1], w.trials, &e);
	else if (!(rc = layers_open(&l, NULL, &e)) &&
		 !(rc = layers_of_model(&l, argv[1], NULL, &e))) {
		if (argc == 5)
			rc = record_number(&l, atoi(argv[2]), argv[3], argv[4], &w, &e);
		else
			list(&l);
	}
	if (rc)
		fprintf(stderr, "record: %s\n", e.msg);
	layers_close(&l);
	return rc == ERR_CANCELLED ? GO_ON : rc ? err_exit_code(rc) : 0;
}
