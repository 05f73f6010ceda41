/* Progress of a search: on a terminal one line per Task at work and a total, rewritten in place; in
 * a pipe one line per decided Task. */
#include "cli/tune_view.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/json_out.h"
#include "cli/plain.h"
#include "report/text.h"

enum { REDRAW_NS = 100000000, LABEL_WIDTH = 38, TEXT_MAX = NUMBER_TEXT };

/* Ratio of times as a gain: "1.25x". */
static const char *
gain(char out[TEXT_MAX], double before, double after)
{
	if (before > 0 && after > 0)
		snprintf(out, TEXT_MAX, "%.2fx", before / after);
	else
		snprintf(out, TEXT_MAX, "-");
	return out;
}

/* Of a Task: by its race, whose ratio is paired; else by its times. */
static const char *
task_gain(char out[TEXT_MAX], const TuneTask *t)
{
	bool raced = t->ratio.ratio > 0;

	return gain(out, raced ? 1 : t->before_ns, raced ? t->ratio.ratio : t->after_ns);
}

void
tune_view_init(TuneView *v, int trials)
{
	*v = (TuneView){.live = isatty(STDERR_FILENO), .trials = trials, .began = clock_ns()};
}

static void
erase(TuneView *v)
{
	for (; v->lines; v->lines--)
		fprintf(stderr, "\033[A\033[2K");
}

static void
draw_task(const TuneTask *t)
{
	char best[TEXT_MAX];

	fprintf(stderr, "  %-*.*s %-8s %4d trials, best %s\n", LABEL_WIDTH, LABEL_WIDTH, t->label,
		task_state_text(t->state), t->trials, duration_text(best, t->best_ns));
}

static bool
is_open(const TuneTask *t)
{
	return t->state == TASK_SEARCHING || t->state == TASK_RACING;
}

static void
draw_total(const TuneView *v, const TuneReport *r)
{
	double seconds = (double)(clock_ns() - v->began) * 1e-9, before = 0, after = 0;
	double rate = (double)r->trials / (seconds > 0 ? seconds : 1), left = 0;
	char one[TEXT_MAX], two[TEXT_MAX], eta[TEXT_MAX] = "-";
	int done = 0;

	for (int i = 0; i < r->ntask; i++) {
		const TuneTask *t = &r->task[i];

		if (t->state == TASK_WAITING || is_open(t))
			left += v->trials > t->trials ? v->trials - t->trials : 0;
		else
			done++;
		if (t->before_ns > 0 && t->after_ns > 0) {
			before += t->uses * t->before_ns;
			after += t->uses * t->after_ns;
		}
	}
	if (rate > 0)
		snprintf(eta, sizeof eta, "%d:%02d", (int)(left / rate) / 60,
			 (int)(left / rate) % 60);
	fprintf(stderr, "%d/%d tasks, %lld trials, %.1f/s, ETA %s, so far %s, gain %s\n", done,
		r->ntask, (long long)r->trials, rate, eta, duration_text(one, after),
		gain(two, before, after));
}

/* Lines are cut where the terminal ends: one that wraps could not be erased. */
static void
draw(TuneView *v, const TuneReport *r)
{
	erase(v);
	fputs("\033[?7l", stderr);
	for (int i = 0; i < r->ntask; i++)
		if (is_open(&r->task[i])) {
			draw_task(&r->task[i]);
			v->lines++;
		}
	draw_total(v, r);
	fputs("\033[?7h", stderr);
	v->lines++;
	v->shown = clock_ns();
}

static void
line_of_task(const TuneReport *r, int i)
{
	const TuneTask *t = &r->task[i];
	char a[TEXT_MAX], b[TEXT_MAX], c[TEXT_MAX];
	int done = 0;

	for (int k = 0; k < r->ntask; k++)
		done += r->task[k].state != TASK_WAITING && !is_open(&r->task[k]);
	plain_note("[%d/%d] %-*s %d trials, %s -> %s, %s%s%s", done, r->ntask, LABEL_WIDTH,
		   t->label, t->trials, duration_text(a, t->before_ns),
		   duration_text(b, t->after_ns), task_gain(c, t), t->why ? ": " : "",
		   t->why ? t->why : "");
}

static bool
is_decided(const TuneTask *t)
{
	return t->state == TASK_DONE || t->state == TASK_OLD || t->state == TASK_FAILED;
}

void
tune_view_event(TuneView *v, const TuneEvent *ev)
{
	const TuneReport *r = ev->report;

	switch (ev->kind) {
	case TUNE_BEGIN:
		plain_note("%d tasks, %d extern steps on %s", r->ntask, r->nextern, r->device);
		break;
	case TUNE_TEXT:
		erase(v);
		plain_note("%s", ev->text);
		break;
	case TUNE_TASK:
		if (!is_decided(&r->task[ev->task]))
			break;
		erase(v);
		line_of_task(r, ev->task);
		break;
	default: break;
	}
	if (v->live && r->ntask && (!v->lines || clock_ns() - v->shown > REDRAW_NS))
		draw(v, r);
}

void
tune_view_end(TuneView *v)
{
	erase(v);
}

static double
gflops(const TuneTask *t)
{
	return t->after_ns > 0 ? t->flops / t->after_ns : 0;
}

static double
roofline_share(const TuneTask *t)
{
	return t->after_ns > 0 ? t->floor_ns / t->after_ns : 0;
}

/* What of the peak of the same minute the arithmetic as written comes to. */
static double
peak_share(const TuneTask *t)
{
	return t->peak_gflops > 0 ? gflops(t) / t->peak_gflops : 0;
}

/* The interval of a gain: "1.21-1.29". */
static const char *
interval(char out[TEXT_MAX], const RaceRatio *r)
{
	*out = 0;
	if (r->lo > 0 && r->hi > 0)
		snprintf(out, TEXT_MAX, "%.2f-%.2f", 1 / r->hi, 1 / r->lo);
	return out;
}

static void
table_failures(const TuneReport *r)
{
	for (int i = 0; i < r->failure.n; i++)
		printf("%6lld candidates: %s%s%s\n", (long long)r->failure.v[i].n,
		       status_text(r->failure.v[i].status), *r->failure.v[i].reason ? ": " : "",
		       r->failure.v[i].reason);
	for (int i = 0; i < r->ntask; i++)
		if (r->task[i].state == TASK_FAILED)
			printf("%s: %s\n", r->task[i].label, r->task[i].why);
}

/* How one of several boards did. */
static void
table_boards(const TuneReport *r)
{
	char now[TEXT_MAX];

	for (int i = 0; i < r->nboard && r->nboard > 1; i++) {
		const TuneBoard *b = &r->board[i];

		printf("board %s: %lld trials, canary %s", b->name, (long long)b->trials,
		       duration_text(now, b->canary_ns));
		if (b->canary_ns > 0)
			printf(" (%+.1f %% since the start)",
			       100 * (b->canary_ns / b->start_ns - 1));
		printf("%s%s%s\n", b->apart ? ", out of races for a time or for good" : "",
		       b->why ? ", lost: " : "", b->why ? b->why : "");
	}
}

void
tune_table(const TuneReport *r)
{
	char a[TEXT_MAX], b[TEXT_MAX], c[TEXT_MAX], d[TEXT_MAX];

	printf("%-*s %4s %9s %9s %7s %-9s %8s %5s %5s  %s\n", LABEL_WIDTH, "task", "uses", "before",
	       "after", "gain", "95 %", "GFLOPS", "peak", "roof", "algorithm");
	for (int i = 0; i < r->ntask; i++) {
		const TuneTask *t = &r->task[i];

		printf("%-*.*s %4d %9s %9s %7s %-9s %8.1f %4.0f%% %4.0f%%  %-10s%s\n", LABEL_WIDTH,
		       LABEL_WIDTH, t->label, t->uses, duration_text(a, t->before_ns),
		       duration_text(b, t->after_ns), task_gain(c, t), interval(d, &t->ratio),
		       gflops(t), 100 * peak_share(t), 100 * roofline_share(t),
		       t->algorithm ? t->algorithm : "",
		       t->state == TASK_DONE ? "" : task_state_text(t->state));
	}
	table_failures(r);
	table_boards(r);
	printf("%lld trials in %.1f s, %.1f/s", (long long)r->trials, r->seconds,
	       (double)r->trials / (r->seconds > 0 ? r->seconds : 1));
	if (r->lost)
		printf(", %d connections lost", r->lost);
	printf("\n");
	if (r->decided && !(r->ratio.ratio > 0))
		printf("model: %s over %d of %d tasks, not raced\n", duration_text(b, r->after_ns),
		       r->decided, r->ntask);
	else if (r->decided)
		printf("model: untuned %s, tuned %s over %d of %d tasks: ratio %.3f, 95 %% "
		       "interval %.3f to %.3f\n",
		       duration_text(a, r->before_ns), duration_text(b, r->after_ns), r->decided,
		       r->ntask, r->ratio.ratio, r->ratio.lo, r->ratio.hi);
}

/* Of the boards' time. */
static double
busy_share(const TuneReport *r)
{
	return r->nboard && r->seconds > 0 ? TUNE_BUSY(&r->cost) / (r->seconds * r->nboard) : 0;
}

void
tune_stats(const TuneReport *r)
{
	const TuneCosts *c = &r->cost;
	int tasks = 0, warm = 0;

	for (int i = 0; i < r->ntask; i++) {
		tasks += r->task[i].warm > 0;
		warm += r->task[i].warm;
	}
	printf("%11d          first proposals that were known elsewhere, of %d tasks\n", warm,
	       tasks);
#define X(name, text) printf("%9.2f s %5.1f %%  %s\n", c->name, 100 * c->name / r->seconds, text);
	TUNE_COST_LIST(X)
#undef X
	printf("%s busy %.0f %% of the time\n", r->nboard > 1 ? "boards" : "board",
	       100 * busy_share(r));
}

static void
json_costs(Json *in, const TuneCosts *c)
{
	Json *j = json_object(in, "costs_s");

#define X(name, text) json_number(j, #name, c->name);
	TUNE_COST_LIST(X)
#undef X
}

static void
json_ratio(Json *in, const RaceRatio *x)
{
	Json *j = json_object(in, "ratio");

	json_number(j, "ratio", x->ratio);
	json_number(j, "low", x->lo);
	json_number(j, "high", x->hi);
}

static void
json_task(Json *list, const TuneTask *t)
{
	Json *one = json_object(list, NULL);

	json_text(one, "task", t->label);
	json_text(one, "key", t->key);
	json_text(one, "form", t->form);
	json_text(one, "state", task_state_text(t->state));
	json_number(one, "uses", t->uses);
	json_number(one, "trials", t->trials);
	json_number(one, "warm", t->warm);
	json_number(one, "before_ns", t->before_ns);
	json_number(one, "after_ns", t->after_ns);
	json_ratio(one, &t->ratio);
	json_number(one, "gflops", gflops(t));
	json_number(one, "peak_gflops", t->peak_gflops);
	json_number(one, "peak_share", peak_share(t));
	json_number(one, "roofline_share", roofline_share(t));
	json_text(one, "algorithm", t->algorithm ? t->algorithm : "");
	json_text(one, "sched", t->sched ? t->sched : "");
	json_text(one, "why", t->why ? t->why : "");
}

static void
json_boards(Json *top, const TuneReport *r)
{
	Json *list = json_array(top, "boards");

	for (int i = 0; i < r->nboard; i++) {
		const TuneBoard *b = &r->board[i];
		Json *one = json_object(list, NULL);

		json_text(one, "board", b->name);
		json_number(one, "trials", (double)b->trials);
		json_number(one, "connections_lost", b->lost);
		json_number(one, "canary_ns", b->canary_ns);
		json_number(one, "canary_start_ns", b->start_ns);
		json_bool(one, "apart", b->apart);
		json_text(one, "why", b->why ? b->why : "");
	}
}

void
tune_json(const TuneReport *r)
{
	Json *top = json_object(NULL, NULL), *list, *failures;

	json_text(top, "device", r->device ? r->device : "");
	json_number(top, "trials", (double)r->trials);
	json_number(top, "seconds", r->seconds);
	json_costs(top, &r->cost);
	json_number(top, "busy_share", busy_share(r));
	json_number(top, "before_ns", r->before_ns);
	json_number(top, "after_ns", r->after_ns);
	json_ratio(top, &r->ratio);
	json_number(top, "decided", r->decided);
	json_number(top, "externs", r->nextern);
	json_bool(top, "stopped", r->stopped);
	json_number(top, "connections_lost", r->lost);
	failures = json_array(top, "failures");
	for (int i = 0; i < r->failure.n; i++) {
		Json *one = json_object(failures, NULL);

		json_text(one, "status", status_name(r->failure.v[i].status));
		json_text(one, "reason", r->failure.v[i].reason);
		json_number(one, "candidates", (double)r->failure.v[i].n);
	}
	json_boards(top, r);
	list = json_array(top, "tasks");
	for (int i = 0; i < r->ntask; i++)
		json_task(list, &r->task[i]);
	json_out(top);
}
