/* Rounds of candidates: compiled one by one, so that each has its own time, then linked, sent and
 * timed together. */
#include "bench/recorder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tuner/search.h"

enum {
	ROUND = 15,
	AGAIN = 500, /* rows that are timed again */
	PART_BYTES_MAX = 1 << 26,
	WAIT_MS = 60000,
};

static const double STOP_ABOVE = 1.3, IMPLAUSIBLE = .25;

double
recorder_ms(uint64_t t)
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

	*lower_ms = recorder_ms(began);
	if (!rc)
		objects_emit(&r->object, r->l->emit, low.loop, a, &code, &unsaid);
	ms = recorder_ms(began);
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
	*build = recorder_ms(began);
	*out = p;
	if (parcel_complete(p))
		return OK;
	began = clock_ns();
	if ((rc = device_send(&r->l->device, p, e))) {
		parcel_free(p);
		return rc;
	}
	rc = device_take(&r->l->device, WAIT_MS, out, e);
	*measure = recorder_ms(began);
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

int
recorder_texts(Recorder *r, const char *const *text, int n, Err *e)
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

int
recorder_search(Recorder *r, int trials, Pick *best, double *best_us, Err *e)
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
		if ((rc = recorder_texts(r, text, n, e)))
			return rc;
		for (int i = 0; i < n; i++) {
			const RecordedRow *row = recorded_find(&r->out, text[i]);
			int v = p[i].pick.variant;

			s->report(state, &p[i].pick, row->us > 0 ? row->us * 1e3 : INFINITY);
			if (best && row->us > 0 && row->us < best_us[v]) {
				best_us[v] = row->us;
				best[v] = p[i].pick;
			}
		}
	}
	return OK;
}

static int
by_us(const void *a, const void *b)
{
	const RecordedRow *x = *(RecordedRow *const *)a, *y = *(RecordedRow *const *)b;

	return x->us < y->us ? -1 : x->us > y->us;
}

int
recorder_again(Recorder *r, double limit, int passes, Err *e)
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

int
recorder_start(Recorder *r, Layers *l, int number, const char *name, Err *e)
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

void
recorder_read(Recorder *r, const char *part)
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

int
recorder_write(const Recorder *r, const char *file, Err *e)
{
	Str text = {0};
	int rc;

	recorded_print(&r->out, &text);
	rc = file_write(file, text.s, text.n, e);
	str_fini(&text);
	return rc;
}
