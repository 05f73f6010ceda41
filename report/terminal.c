/* Report -> text in columns: for a terminal, and without colours for a pipe. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "report/charts.h"
#include "report/text.h"

enum { FAILURES_SHOWN = 10, CHOICES_SHOWN = 3, BAR = 10, NUMBERS = 57, NAME_COLUMNS = 30 };

/* name, sequence */
#define PAINT_LIST(X)       \
	X(HEAD, "\033[1m")  \
	X(GOOD, "\033[32m") \
	X(BAD, "\033[31m")  \
	X(SOFT, "\033[2m")

typedef enum Paint {
#define X(name, sequence) PAINT_##name,
	PAINT_LIST(X)
#undef X
} Paint;

typedef struct Screen {
	const ReportTerminal *t;
	Str *out;
} Screen;

static void
paint(const Screen *s, Paint p)
{
	static const char *const sequence[] = {
#define X(name, text) text,
		PAINT_LIST(X)
#undef X
	};

	str_add(s->out, s->t->color ? sequence[p] : "");
}

static void
plain(const Screen *s)
{
	str_add(s->out, s->t->color ? "\033[0m" : "");
}

static void
title(const Screen *s, const char *text)
{
	str_add(s->out, "\n");
	paint(s, PAINT_HEAD);
	str_add(s->out, text);
	plain(s);
	str_add(s->out, "\n");
}

/* A text in so many columns, with blanks behind it. */
static void
cell(const Screen *s, const char *text, int columns)
{
	int used = text_plain(s->out, text, columns);

	str_printf(s->out, "%*s", columns - used, "");
}

static void
bar(const Screen *s, double share, Paint p)
{
	int n = (int)((share > 1 ? 1 : share) * BAR + 0.5);

	paint(s, p);
	for (int i = 0; i < BAR; i++)
		str_add(s->out, i < n ? "#" : ".");
	plain(s);
}

static void
warning(const Screen *s, const char *text)
{
	paint(s, PAINT_BAD);
	str_add(s->out, "warning: ");
	text_plain(s->out, text, s->t->width - 9);
	plain(s);
	str_add(s->out, "\n");
}

static void
count_warning(const Screen *s, int64_t n, const char *text)
{
	char line[160];

	snprintf(line, sizeof line, "%lld %s", (long long)n, text);
	if (n)
		warning(s, line);
}

static void
warnings(const Screen *s, const ReportSection *x)
{
	char line[320];

	count_warning(s, x->insecure, "rows of an agent without authentication");
	count_warning(s, x->unboxed, "rows in no sandbox, or it is not known in which");
	snprintf(line, sizeof line, "rows without these layers of the sandbox: %s", x->lacking);
	if (*x->lacking)
		warning(s, line);
	if (x->emulated)
		warning(s, "times of an emulator");
	count_warning(s, x->stale, "rows measured while somebody else held the device");
	count_warning(s, x->absent, "tasks of the model have no row");
}

static void
head(const Screen *s, const ReportSection *x)
{
	static const char minute[] = "%Y-%m-%d %H:%M";
	char a[NUMBER_TEXT], b[NUMBER_TEXT], from[CLOCK_TEXT], to[CLOCK_TEXT];
	Str *out = s->out;

	paint(s, PAINT_HEAD);
	text_plain(out,
		   *x->model   ? x->model
		   : *x->graph ? x->graph
			       : "tasks of no known model",
		   40);
	str_add(out, " on ");
	text_plain(out, x->key.device, NAME_COLUMNS);
	plain(s);
	str_printf(out, ", %d thread%s\n", x->threads, x->threads > 1 ? "s" : "");
	text_plain(out, x->key.target, s->t->width);
	str_add(out, "\n");
	str_printf(out, "%s to %s UTC, hone ", clock_text(from, minute, x->first),
		   clock_text(to, minute, x->last));
	text_plain(out, x->generator.n ? x->generator.v[x->generator.n - 1] : "", 16);
	str_add(out, ", ");
	text_plain(out, x->llvm.n ? x->llvm.v[x->llvm.n - 1] : "", 16);
	str_printf(out, "\n%lld candidates measured in %.0f s of %d session%s, %lld right\n",
		   (long long)x->measured, x->seconds, x->session.n, x->session.n == 1 ? "" : "s",
		   (long long)x->right);
	if (x->summed)
		str_printf(out, "%s: %s -> %s, %.2f times as fast as untuned\n",
			   *x->graph ? "model" : "all tasks, once each",
			   duration_text(a, x->untuned_ns), duration_text(b, x->best_ns),
			   x->untuned_ns / x->best_ns);
	warnings(s, x);
}

/* 0.874 as "87%", 12.3 as "12x": four columns. A calibration that was disturbed gives any share. */
static const char *
share_text(char text[NUMBER_TEXT], double share)
{
	if (share < 9.995)
		snprintf(text, NUMBER_TEXT, "%.0f%%", 100 * share);
	else
		snprintf(text, NUMBER_TEXT, "%.0fx", share < 999 ? share : 999);
	return share > 0 ? text : "-";
}

static void
task_line(const Screen *s, const ReportSection *x, const ReportTask *t, int label)
{
	char text[NUMBER_TEXT], uses[16] = "-";

	if (t->uses)
		snprintf(uses, sizeof uses, "%d", t->uses);
	cell(s, t->label, label);
	str_printf(s->out, " %4s %5d %8s", uses, t->measured, duration_text(text, t->untuned_ns));
	str_printf(s->out, " %8s", duration_text(text, t->best_ns));
	snprintf(text, sizeof text, "%.2fx", task_gain(t));
	str_printf(s->out, " %6s ", task_gain(t) > 0 ? text : "-");
	bar(s, task_share(t), PAINT_GOOD);
	str_printf(s->out, " %4s %3.0f%%\n", share_text(text, task_share(t)),
		   100 * task_weight(x, t));
}

static void
tasks(const Screen *s, const ReportSection *x)
{
	int label = s->t->width - NUMBERS;

	title(s, "tasks");
	paint(s, PAINT_SOFT);
	str_printf(s->out, "%-*s %4s %5s %8s %8s %6s %-15s %4s", label, "", "uses", "tried",
		   "untuned", "best", "gain", "of roofline", "time");
	plain(s);
	str_add(s->out, "\n");
	for (int i = 0; i < x->ntask; i++)
		task_line(s, x, &x->task[i], label);
}

static void
failures(const Screen *s, const ReportSection *x)
{
	if (!x->failure.n)
		return;
	title(s, "failures");
	for (int i = 0; i < x->failure.n && i < FAILURES_SHOWN; i++) {
		str_printf(s->out, "%7d  ", x->failure.v[i].n);
		cell(s, x->failure.v[i].status, 12);
		str_add(s->out, " ");
		text_plain(s->out, x->failure.v[i].reason, s->t->width - 22);
		str_add(s->out, "\n");
	}
	if (x->failure.n > FAILURES_SHOWN)
		str_printf(s->out, "         and %d rarer kinds\n", x->failure.n - FAILURES_SHOWN);
}

static void
choices(const Screen *s, const ReportSection *x)
{
	int shown = 0;

	if (!x->winners)
		return;
	title(s, "what winners have in common");
	for (int i = 0; i < x->choice.n; i++) {
		const ReportChoice *c = &x->choice.v[i];
		bool same = i && x->choice.v[i - 1].kind == c->kind;

		shown = same ? shown + 1 : 0;
		if (shown >= CHOICES_SHOWN || !c->won)
			continue;
		str_printf(s->out, "%-29s ", same ? "" : choice_text(c->kind));
		cell(s, c->value, 14);
		str_add(s->out, " ");
		bar(s, (double)c->won / x->winners, PAINT_GOOD);
		str_printf(s->out, " won %d of %d, tried %d\n", c->won, c->tasks, c->tried);
	}
}

static void
costs(const Screen *s, const ReportSection *x)
{
	if (!x->costed || !(x->cost_seconds > 0))
		return;
	title(s, "where the time went");
	for (int i = 0; i < x->cost.n; i++) {
		const ReportCost *c = &x->cost.v[i];

		str_printf(s->out, "%8.2f s %3.0f%%  ", c->seconds,
			   100 * c->seconds / x->cost_seconds);
		bar(s, c->seconds / x->cost_seconds, PAINT_GOOD);
		str_printf(s->out, " %s\n", c->text);
	}
}

static void
clock_drift(const Screen *s, const ReportSection *x)
{
	const ReportClock *c = &x->clock;
	double least = c->median, most = c->median;

	if (!c->rows)
		return;
	title(s, "clock");
	for (int i = 0; i < c->point.n; i++) {
		least = c->point.v[i].least < least ? c->point.v[i].least : least;
		most = c->point.v[i].most > most ? c->point.v[i].most : most;
	}
	str_printf(s->out, "usually %.4g GFLOPS of one core, from %.4g to %.4g\n", c->median, least,
		   most);
	if (c->disturbed)
		paint(s, PAINT_BAD);
	str_printf(s->out, "%d of %d rows disturbed", c->disturbed, c->rows);
	plain(s);
	str_add(s->out, "\n");
}

void
report_terminal(const Report *r, const ReportTerminal *t, Str *out)
{
	Screen s = {t, out};

	for (int i = 0; i < r->section.n; i++) {
		const ReportSection *x = &r->section.v[i];

		str_add(out, i ? "\n" : "");
		head(&s, x);
		tasks(&s, x);
		failures(&s, x);
		choices(&s, x);
		costs(&s, x);
		clock_drift(&s, x);
	}
}
