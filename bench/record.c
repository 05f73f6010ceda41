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
 * Usage: record MODEL [NUMBER NAME FILE] [--rows N] [--trials N] [--seconds S]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/layers.h"
#include "bench/support.h"
#include "tuner/recorded.h"
#include "tuner/search.h"

enum {
	ROUND = 15,
	ROWS = 2500,
	TRIALS = 128,
	AGAIN = 500, /* rows that are timed again */
	SECONDS = 100,
	GO_ON = 75, /* exit status */
	PART_BYTES_MAX = 1 << 26,
	WAIT_MS = 60000,
	GRID_MAX = 2048
};

static const double STOP_ABOVE = 1.3, IMPLAUSIBLE = .25, LIGHT = .15;

typedef struct Recorder {
	Layers *l;
	const PlanTask *task;
	Problem problem;
	ObjectCache object;
	Space space;
	int spills;              /* of the untuned choice */
	double best_us, peak[2]; /* least and most GFLOPS of the calibrations */
	Recorded out;
	Recorded keep; /* those rows of out that are wanted; none: all */
	uint64_t began, ends;
} Recorder;

static double
ms_since(uint64_t t)
{
	return (double)(clock_ns() - t) * 1e-6;
}

/* Lowers and emits a candidate into the cache; ms of the whole, and of the lowering, which
 * parcel_build does again. */
static double
compile_one(Recorder *r, const char *text, double *lower_ms)
{
	char why[LOWER_WHY_MAX] = "";
	uint64_t began = clock_ns();
	Arena *a = arena_new();
	Err unsaid = {0};
	Lowered low;
	Objects code;
	int rc = lowered_from_text(a, r->task->task, &r->task->form, text, &r->l->target, &low, why,
				   &unsaid);
	double ms;

	*lower_ms = ms_since(began);
	if (!rc)
		objects_emit(&r->object, r->l->emit, low.loop, a, &code, &unsaid);
	ms = ms_since(began);
	arena_free(a);
	return ms;
}

static double
sum_ms(const Result *x)
{
	double sum = 0;

	for (uint32_t i = 0; i < x->samples.n; i++)
		sum += x->samples.v[i] * 1e-6;
	return sum;
}

static double
least_us(const Result *x)
{
	double least = INFINITY;

	for (uint32_t i = 0; i < x->samples.n; i++)
		least = fmin(least, x->samples.v[i] * 1e-3);
	return x->status == STATUS_OK && isfinite(least) ? least : 0;
}

/* Builds, sends, waits. Times in ms of all of it. */
static int
run_parcel(Recorder *r, const char *const *text, int n, Parcel **out, double *build,
	   double *measure, Err *e)
{
	ParcelSpec spec = {.problem = &r->problem,
			   .emit = r->l->emit,
			   .object = &r->object,
			   .text = text,
			   .n = n,
			   .spills = r->spills,
			   .floor_ns = r->space.floor_ns * IMPLAUSIBLE,
			   .deadline_ms = WAIT_MS};
	uint64_t began = clock_ns();
	Parcel *p;
	int rc;

	spec.measure = (MeasureSpec){.mode = MEASURE_COLD,
				     .warmup = 1,
				     .min_runs = 5,
				     .max_runs = 100,
				     .min_time_ns = 3000000,
				     .max_time_ns = 100000000,
				     .stop_above_ns = r->best_us * 1e3 * STOP_ABOVE};
	*measure = 0;
	if ((rc = parcel_build(&spec, &p, e)))
		return rc;
	*build = ms_since(began);
	*out = p;
	if (parcel_complete(p))
		return OK;
	began = clock_ns();
	if ((rc = device_send(&r->l->device, p, e))) {
		parcel_free(p);
		return rc;
	}
	rc = device_take(&r->l->device, WAIT_MS, out, e);
	*measure = ms_since(began);
	return rc == NOT_APPLICABLE ? err_set(e, ERR_DEVICE, "no answer") : rc;
}

/* Four digits are more than the clock gives. */
static double
rounded(double x)
{
	char text[32];

	snprintf(text, sizeof text, "%.4g", x);
	return strtod(text, NULL);
}

static void
add_row(Recorder *r, const ParcelItem *x, double compile_ms, double measure_ms)
{
	RecordedRow row = {.sched = arena_strdup(r->l->arena, x->text),
			   .status = x->result.status,
			   .us = rounded(least_us(&x->result)),
			   .compile_ms = rounded(compile_ms),
			   .measure_ms = rounded(measure_ms)};

	if (x->result.calibration_before > 0) {
		r->peak[0] = fmin(r->peak[0], x->result.calibration_before);
		r->peak[1] = fmax(r->peak[1], x->result.calibration_before);
	}
	recorded_add(&r->out, r->l->arena, row);
	if (row.us > 0 && (r->best_us == 0 || row.us < r->best_us))
		r->best_us = row.us;
}

/* Of what they have in common every candidate gets the same share. */
static int
record_round(Recorder *r, const char *const *text, int n, Err *e)
{
	double compile[ROUND], lower, build, measure, own = 0, lowering = 0;
	int sent = 0, rc;
	Parcel *p;

	for (int i = 0; i < n; i++) {
		compile[i] = compile_one(r, text[i], &lower);
		lowering += lower;
	}
	if ((rc = run_parcel(r, text, n, &p, &build, &measure, e)))
		return rc;
	for (int i = 0; i < n; i++) {
		own += sum_ms(&p->item[i].result);
		sent += p->item[i].result.samples.n > 0;
	}
	for (int i = 0; i < n; i++) {
		double ms = sum_ms(&p->item[i].result);

		add_row(r, &p->item[i], compile[i] + fmax(build - lowering, 0) / n,
			ms > 0 ? ms + fmax(measure - own, 0) / sent : 0);
	}
	parcel_free(p);
	return OK;
}

/* Records those of the texts that have no row. */
static int
record_texts(Recorder *r, const char *const *text, int n, Err *e)
{
	const char *round[ROUND];
	int k = 0, rc = OK;

	for (int i = 0; i <= n && !rc; i++) {
		if (i < n && !recorded_find(&r->out, text[i]))
			round[k++] = text[i];
		if (k && clock_ns() > r->ends)
			return err_set(e, ERR_CANCELLED, "%d rows so far", r->out.row.n);
		if (k == ROUND || (i == n && k)) {
			rc = record_round(r, round, k, e);
			k = 0;
		}
	}
	return rc;
}

/* --- which picks --- */

/* A search of the whole Space; its best pick of every variant, option[0] -1: none. */
static int
search(Recorder *r, int trials, Pick *best, double *best_us, Err *e)
{
	const Search *s = search_named(NULL);
	SearchOptions opt = {.trials = trials};
	void *state = s->start(r->l->arena, &r->space, &opt);
	Proposal p[ROUND];
	int n;

	for (int left = trials; left > 0 && (n = s->propose(state, ROUND, p)) > 0; left -= n) {
		const char *text[ROUND];
		int rc;

		for (int i = 0; i < n; i++)
			text[i] = space_text(&r->space, r->l->arena, &p[i].pick);
		if ((rc = record_texts(r, text, n, e)))
			return rc;
		for (int i = 0; i < n; i++) {
			const RecordedRow *row = recorded_find(&r->out, text[i]);
			int v = p[i].pick.variant;

			s->report(state, &p[i].pick, row->us > 0 ? row->us * 1e3 : INFINITY);
			if (row->us > 0 && row->us < best_us[v]) {
				best_us[v] = row->us;
				best[v] = p[i].pick;
			}
		}
	}
	return OK;
}

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
	if ((rc = record_texts(r, text.v, text.n, e)))
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
	if ((rc = search(r, trials, best, us, e)))
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
	return record_texts(r, text, n, e);
}

static int
by_us(const void *a, const void *b)
{
	const RecordedRow *x = *(RecordedRow *const *)a, *y = *(RecordedRow *const *)b;

	return x->us < y->us ? -1 : x->us > y->us;
}

/* Times the rows again, AGAIN at most, that took at most `limit` times the best, in rounds of other
 * neighbours each time. What disturbs makes slower, so the least counts. */
static int
again(Recorder *r, double limit, int passes, Err *e)
{
	RecordedRow **row = ARENA_ARRAY(r->l->arena, RecordedRow *, r->out.row.n + 1);
	const char *text[ROUND];
	int n = 0, rc = OK;

	for (int i = 0; i < r->out.row.n; i++)
		if (r->out.row.v[i].us > 0 && r->out.row.v[i].us <= limit * r->best_us)
			row[n++] = &r->out.row.v[i];
	qsort(row, (size_t)n, sizeof *row, by_us);
	n = n < AGAIN ? n : AGAIN;
	for (int pass = 0; pass < passes && clock_ns() < r->ends; pass++)
		for (int from = 0, step = n / ROUND + 1; from < step && !rc; from++) {
			double build, measure;
			Parcel *p;
			int k = 0;

			for (int i = from; i < n; i += step)
				text[k++] = row[i]->sched;
			if (!k || (rc = run_parcel(r, text, k, &p, &build, &measure, e)))
				break;
			for (int i = 0; i < k; i++) {
				double us = rounded(least_us(&p->item[i].result));

				if (us > 0)
					row[from + i * step]->us =
						fmin(us, row[from + i * step]->us);
				if (us > 0)
					r->best_us = fmin(us, r->best_us);
			}
			parcel_free(p);
		}
	return rc;
}

/* --- one Task --- */

static int
start(Recorder *r, Layers *l, int number, const char *name, Err *e)
{
	Lowered untuned;
	int rc;

	*r = (Recorder){.l = l,
			.began = clock_ns(),
			.task = &l->plan->task.v[number],
			.object = {.arena = l->arena}};
	r->peak[0] = INFINITY;
	if ((rc = space_build(l->arena, r->task->task, &r->task->form, &l->target,
			      TOLERANCE_DEFAULT, &r->space, e)) ||
	    (rc = lowered_estimate_in(l->arena, &r->space, r->task->task, &r->task->form, l->emit,
				      &r->object, &untuned, e)))
		return rc;
	r->spills = untuned.code.spills;
	r->out = (Recorded){
		.name = name, .target = l->target, .task = r->task->task, .form = r->task->form};
	r->out.device = arena_printf(l->arena, "%s, one thread, constants cold",
				     device_info(&l->device)->cpu);
	return problem_build(l->arena, r->task->task, &r->task->form, &r->problem, e);
}

static void
read_part(Recorder *r, const char *part)
{
	Recorded before;
	char *text;
	size_t size;
	Err none = {0};

	if (file_read(part, PART_BYTES_MAX, &text, &size, &none))
		return;
	if (!recorded_parse(text, r->l->arena, &before, &none))
		for (int i = 0; i < before.row.n; i++) {
			double us = before.row.v[i].us;

			recorded_add(&r->out, r->l->arena, before.row.v[i]);
			if (us > 0 && (r->best_us == 0 || us < r->best_us))
				r->best_us = us;
		}
	free(text);
}

static int
write_rows(const Recorder *r, const char *file, Err *e)
{
	Str text = {0};
	int rc;

	recorded_print(&r->out, &text);
	rc = file_write(file, text.s, text.n, e);
	str_fini(&text);
	return rc;
}

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

	read_part(r, part);
	rc = record_rows(r, rows, trials, e);
	if (rc == ERR_CANCELLED)
		return write_rows(r, part, e) ? ERR_IO : rc;
	if (rc)
		return rc;
	keep_wanted(r);
	if ((rc = again(r, 2, 3, e)) || (rc = again(r, 1.15, 3, e)) ||
	    (rc = write_rows(r, file, e)))
		return rc;
	remove(part);
	printf("%-34s %5d rows, best %.4g us, peak %.0f to %.0f GFLOPS, %.0f s\n", r->out.name,
	       r->out.row.n, r->best_us, r->peak[0], r->peak[1], ms_since(r->began) * 1e-3);
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

int
main(int argc, char **argv)
{
	int rows = bench_number(&argc, argv, "--rows", ROWS), rc;
	int trials = bench_number(&argc, argv, "--trials", TRIALS), number;
	int seconds = bench_number(&argc, argv, "--seconds", SECONDS);
	Err e = {0};
	Recorder r;
	Layers l;

	if (argc != 2 && argc != 5) {
		fprintf(stderr, "usage: record MODEL [NUMBER NAME FILE] [--rows N] [--trials N] "
				"[--seconds S]\n");
		return 2;
	}
	if (!(rc = layers_open(&l, NULL, &e)))
		rc = layers_of_model(&l, argv[1], NULL, &e);
	number = argc == 5 ? atoi(argv[2]) : 0;
	if (!rc && (number < 0 || number >= l.plan->task.n))
		rc = err_set(&e, ERR_INPUT, "%s has no Task %s", argv[1], argv[2]);
	if (!rc && argc == 5 && !(rc = start(&r, &l, number, argv[3], &e))) {
		r.ends = r.began + (uint64_t)seconds * SECOND_NS;
		rc = record(&r, argv[4], rows, trials, &e);
	} else if (!rc)
		list(&l);
	if (rc)
		fprintf(stderr, "record: %s\n", e.msg);
	layers_close(&l);
	return rc == ERR_CANCELLED ? GO_ON : rc ? err_exit_code(rc) : 0;
}
