/* Report -> one page that needs nothing else: no network, no scripts but its own, no fonts. It is
 * written so that it says everything without scripts; page.js adds tooltips, sorting and choosing.
 *
 * What a log can make long is cut, and the page says what it left out. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "report/charts.h"
#include "report/page_source.h"
#include "report/svg.h"
#include "report/text.h"

enum {
	TABLE_ROWS_MAX = 2000, /* of all sections */
	CHARTS_MAX = 300,      /* Tasks with charts, of all sections */
	FAILURES_MAX = 30,
	CHOICES_MAX = 10, /* of a kind */
	TEXT_MAX = 300,
	SCHED_MAX = 4000,
};

typedef struct Page {
	Str *out;
	int rows, charts; /* left to write */
} Page;

/* "A, B and 3 more" */
static void
add_words(Str *out, const char *const *word, int n)
{
	enum { SHOWN = 4 };
	bool some = false;

	for (int i = 0; i < n && i < SHOWN; i++) {
		if (!*word[i])
			continue;
		str_add(out, some ? ", " : "");
		add_text(out, word[i], TEXT_MAX);
		some = true;
	}
	if (n > SHOWN)
		str_printf(out, " and %d more", n - SHOWN);
	if (!some)
		str_add(out, "not known");
}

/* --- head of a section --- */

static void
section_name(const ReportSection *s, Str *out)
{
	if (*s->model)
		add_text(out, s->model, 80);
	else
		str_add(out, *s->graph ? "model" : "tasks of no known model");
	str_add(out, " on ");
	add_text(out, *s->key.device ? s->key.device : "a device without a name", 80);
	if (s->threads > 1)
		str_printf(out, ", %d threads", s->threads);
}

static void
fact(Str *out, const char *name, const char *text)
{
	str_printf(out, "<dt>%s</dt><dd>", name);
	add_text(out, text, 700);
	str_add(out, "</dd>\n");
}

static void
facts(const ReportSection *s, Str *out)
{
	static const char minute[] = "%Y-%m-%d %H:%M UTC";
	char a[CLOCK_TEXT], b[CLOCK_TEXT];

	str_add(out, "<dl class=facts>\n");
	if (*s->graph)
		fact(out, "graph", s->graph);
	fact(out, "device", s->key.device);
	fact(out, "target", s->key.target);
	str_printf(out, "<dt>measured</dt><dd>%d thread%s, ", s->threads,
		   s->threads > 1 ? "s" : "");
	add_text(out, s->key.mode, 40);
	str_add(out, " constants, tolerance ");
	add_text(out, s->key.tolerance, 40);
	str_add(out, ", runner ");
	add_text(out, s->key.runner, 40);
	str_add(out, "</dd>\n<dt>versions</dt><dd>hone ");
	add_words(out, s->generator.v, s->generator.n);
	str_add(out, "; ");
	add_words(out, s->llvm.v, s->llvm.n);
	str_printf(out, "</dd>\n<dt>dates</dt><dd>%s to %s</dd>\n", clock_text(a, minute, s->first),
		   clock_text(b, minute, s->last));
	str_printf(out,
		   "<dt>rows</dt><dd>%lld in %d session%s: %lld candidates measured, %lld of them "
		   "right, %lld in races</dd>\n</dl>\n",
		   (long long)s->rows, s->session.n, s->session.n == 1 ? "" : "s",
		   (long long)s->measured, (long long)s->right, (long long)s->races);
}

static void
warnings(const ReportSection *s, Str *out)
{
	if (s->insecure)
		str_printf(out,
			   "<p class=warn>insecure: %lld rows were measured by an agent without "
			   "authentication. Anybody could have been that agent.</p>\n",
			   (long long)s->insecure);
	if (s->unboxed)
		str_printf(out,
			   "<p class=warn>sandbox: %lld rows ran in none, or were written before "
			   "the log said in which.</p>\n",
			   (long long)s->unboxed);
	if (*s->lacking) {
		str_add(out, "<p class=warn>sandbox: some rows ran without these layers: ");
		add_text(out, s->lacking, TEXT_MAX);
		str_add(out, ".</p>\n");
	}
	if (s->emulated)
		str_add(out, "<p class=warn>emulated: these times are those of an emulator and say "
			     "nothing of a real device.</p>\n");
	if (s->stale)
		str_printf(out,
			   "<p class=warn>stale: %lld rows were measured while somebody else held "
			   "the device. They count for nothing.</p>\n",
			   (long long)s->stale);
	if (!*s->graph)
		str_add(out, "<p class=note>The log does not say of which model these tasks are: "
			     "<code>--model FILE</code> tells.</p>\n");
	if (s->absent)
		str_printf(out, "<p class=warn>%d tasks of the model have no row.</p>\n",
			   s->absent);
	if (s->clock.disturbed)
		str_printf(out,
			   "<p class=warn>clock: %d of %d rows were measured while it was not what "
			   "it usually is.</p>\n",
			   s->clock.disturbed, s->clock.rows);
}

static void
card(Str *out, const char *value, const char *name)
{
	str_printf(out, "<div class=card><b>%s</b><span>%s</span></div>\n", value, name);
}

static void
cards(const ReportSection *s, Str *out)
{
	char a[NUMBER_TEXT], b[NUMBER_TEXT], text[3 * NUMBER_TEXT];
	const char *of = *s->graph ? "the model" : "all tasks, once each";

	str_add(out, "<div class=cards>\n");
	if (s->summed) {
		snprintf(text, sizeof text, "%s &rarr; %s", duration_text(a, s->untuned_ns),
			 duration_text(b, s->best_ns));
		card(out, text, of);
		snprintf(text, sizeof text, "%.2f &times;", s->untuned_ns / s->best_ns);
		card(out, text, "faster than untuned");
	}
	snprintf(text, sizeof text, "%d", s->ntask);
	card(out, text, "tasks");
	card(out, number_text(a, (double)s->measured), "candidates measured");
	snprintf(text, sizeof text, "%.0f s", s->seconds);
	card(out, text, "of tuning");
	if (s->seconds > 0) {
		snprintf(text, sizeof text, "%.3g", (double)s->measured / s->seconds);
		card(out, text, "candidates a second");
	}
	str_add(out, "</div>\n");
}

static const char key_line[] = "<p class=key><i class=kb></i>untuned<i class=ka></i>winner<i "
			       "class=kl></i>best so far</p>\n";

static void
model_curve(const ReportSection *s, Str *out)
{
	if (s->curve.n < 2)
		return;
	str_printf(out, "<h3>%s, best so far</h3>\n",
		   *s->graph ? "Time of the model" : "Time of all tasks");
	str_add(out, key_line);
	str_add(out, "<div class=pair><div>");
	chart_model(s, CHART_SECONDS, out);
	str_add(out, "</div><div>");
	chart_model(s, CHART_TRIALS, out);
	str_printf(out,
		   "</div></div>\n<p class=note>Sum over %d tasks%s by the least times of the "
		   "search; a task that was not begun counts as untuned. Drawn are the %d "
		   "seconds in which it got faster, of %lld candidates. Times of rows are whole "
		   "seconds; pauses "
		   "between sessions are left out.</p>\n",
		   s->summed, *s->graph ? ", as often as the model uses them," : "", s->curve.n - 1,
		   (long long)s->measured);
}

static void
roofline(const ReportSection *s, int number, int charts, Str *out)
{
	size_t before;

	str_add(out, "<h3>Roofline</h3>\n");
	str_add(out,
		"<p class=key><i class=kb></i>untuned<i class=ka></i>winner</p>\n<div class=wide>");
	before = out->n;
	chart_roofline(s, number, charts, out);
	if (out->n == before)
		str_add(out,
			"<p class=note>Nothing to draw: no task with arithmetic has a time.</p>");
	str_add(out, "</div>\n<p class=note>Operations as the task is written over bytes of its "
		     "inputs, constants and outputs. An algorithm that needs fewer operations "
		     "(Winograd) may lie above the peak. ");
	str_add(out, s->fma_gflops > 0
			     ? "The lines are the newest calibration of a session, times threads."
			     : "The log has no calibration of a session, so there are no lines.");
	str_add(out, "</p>\n");
}

/* --- table --- */

static void
number_cell(Str *out, double v, const char *text)
{
	str_printf(out, "<td data-v=%.6g>%s</td>", isfinite(v) ? v : 0, v > 0 ? text : "-");
}

static void
gain_cell(Str *out, const ReportTask *t)
{
	char text[2 * NUMBER_TEXT];

	if (t->ratio.ratio > 0)
		snprintf(text, sizeof text, "%.2f &times; (%.2f-%.2f)", 1 / t->ratio.ratio,
			 1 / t->ratio.hi, 1 / t->ratio.lo);
	else
		snprintf(text, sizeof text, "%.2f &times;", task_gain(t));
	number_cell(out, task_gain(t), text);
}

static void
percent_cell(Str *out, double share)
{
	char text[160];
	double width = share > 1 ? 100 : 100 * share;

	snprintf(text, sizeof text, "%.1f %%<span class=bar><i style='width:%.0f%%'></i></span>",
		 100 * share, width);
	number_cell(out, share, text);
}

static void
table_row(Page *p, const ReportSection *s, int section, int number, bool linked)
{
	const ReportTask *t = &s->task[number];
	char text[NUMBER_TEXT];
	Str *out = p->out;

	str_add(out, "<tr><td class='text long'>");
	if (linked)
		str_printf(out, "<a href='#s%dt%d'>", section, number);
	add_text(out, t->label, TEXT_MAX);
	str_add(out, linked ? "</a></td>" : "</td>");
	str_printf(out, "<td data-v=%d>%s</td>", t->uses,
		   t->uses ? number_text(text, t->uses) : "-");
	str_printf(out, "<td data-v=%d>%d</td>", t->measured, t->measured);
	number_cell(out, t->untuned_ns, duration_text(text, t->untuned_ns));
	number_cell(out, t->best_ns, duration_text(text, t->best_ns));
	gain_cell(out, t);
	number_cell(out, task_speed(t, t->best_ns), number_text(text, task_speed(t, t->best_ns)));
	percent_cell(out, task_share(t));
	percent_cell(out, task_weight(s, t));
	str_add(out, "<td class=text>");
	add_text(out, t->algorithm, 40);
	str_add(out, "</td></tr>\n");
}

static void
table(Page *p, const ReportSection *s, int section, int charts)
{
	static const char *const head[] = {"uses",        "trials", "untuned",     "best",
					   "gain (95 %)", "GFLOPS", "of roofline", "of the time"};
	int n = s->ntask < p->rows ? s->ntask : p->rows;

	str_add(p->out,
		"<h3>Tasks</h3>\n<div class=scroll><table class=sort><thead><tr><th>task</th>");
	for (size_t i = 0; i < sizeof head / sizeof *head; i++)
		str_printf(p->out, "<th>%s</th>", head[i]);
	str_add(p->out, "<th class=text>algorithm</th></tr></thead><tbody>\n");
	for (int i = 0; i < n; i++)
		table_row(p, s, section, i, i < charts);
	str_add(p->out,
		"</tbody></table></div>\n<p class=note>Gain is the race's ratio with its 95 "
		"% interval; without a race, of the least times of the search.");
	if (n < s->ntask)
		str_printf(p->out, " %d tasks that take less time are left out.", s->ntask - n);
	str_add(p->out, "</p>\n");
	p->rows -= n;
}

/* --- each task --- */

static void
task_race(const ReportTask *t, Str *out)
{
	char a[NUMBER_TEXT], b[NUMBER_TEXT];

	str_printf(out, "<p>untuned %s, winner %s", duration_text(a, t->untuned_ns),
		   duration_text(b, t->best_ns));
	if (t->ratio.ratio > 0 && t->best_row && t->best_ns == t->untuned_ns)
		str_add(out, "; in the race nothing was faster beyond doubt");
	else if (t->ratio.ratio > 0)
		str_printf(out, "; race: %.3f of the untuned time, 95 %% interval %.3f to %.3f",
			   t->ratio.ratio, t->ratio.lo, t->ratio.hi);
	else
		str_add(out, "; not raced");
	if (task_share(t) > 0)
		str_printf(out, "; %.0f %% of its roofline", 100 * task_share(t));
	str_printf(out, ". %d candidates measured, %d right.</p>\n", t->measured, t->ok);
}

static void
task_details(const ReportSection *s, int section, int number, Str *out)
{
	const ReportTask *t = &s->task[number];
	char text[NUMBER_TEXT];

	str_printf(out, "<details class=task id=s%dt%d%s><summary><b>", section, number,
		   number < 3 ? " open" : "");
	add_text(out, t->label, TEXT_MAX);
	str_printf(out, "</b><span>%s, %.2f &times;</span></summary>\n",
		   duration_text(text, t->best_ns), task_gain(t));
	task_race(t, out);
	str_add(out, "<div class=pair><div>");
	chart_task(t, CHART_TRIALS, out);
	str_add(out, "</div><div>");
	chart_task(t, CHART_SECONDS, out);
	str_printf(out, "</div></div>\n<p class=note>%d improvements are drawn, of %d candidates.",
		   t->curve.n, t->measured);
	str_add(out,
		" Curves show the least time of each; before and after are medians of the race "
		"where there was one.</p>\n<pre>");
	add_text(out, t->sched, SCHED_MAX);
	str_add(out, "</pre>\n<p class=note>task ");
	add_text(out, t->task, 40);
	str_add(out, ", form ");
	add_text(out, t->form, 40);
	str_add(out, "</p></details>\n");
}

static void
tasks(Page *p, const ReportSection *s, int section, int n)
{
	str_printf(p->out, "<h3>Each task</h3>\n<div>%s<p class=picker data-section=%d></p>\n",
		   key_line, section);
	for (int i = 0; i < n; i++)
		task_details(s, section, i, p->out);
	str_add(p->out, "</div>\n");
	if (n < s->ntask)
		str_printf(p->out,
			   "<p class=note>%d tasks that take less time have no charts here.</p>\n",
			   s->ntask - n);
}

/* --- failures, choices, clock --- */

static void
failures(const ReportSection *s, Str *out)
{
	int n = s->failure.n < FAILURES_MAX ? s->failure.n : FAILURES_MAX, most;

	str_add(out, "<h3>Failures</h3>\n");
	if (!n) {
		str_add(out, "<p>None.</p>\n");
		return;
	}
	most = s->failure.v[0].n;
	str_add(out, "<div class=scroll><table class=sort><thead><tr><th>status</th><th class=text>"
		     "reason</th><th>rows</th></tr></thead><tbody>\n");
	for (int i = 0; i < n; i++) {
		const ReportFailure *f = &s->failure.v[i];

		str_add(out, "<tr><td>");
		add_text(out, f->status, 40);
		str_add(out, "</td><td class='text long'>");
		add_text(out, f->reason, TEXT_MAX);
		str_printf(out,
			   "</td><td data-v=%d>%d<span class=bar><i "
			   "style='width:%.0f%%;background:var(--bad)'></i></span></td></tr>\n",
			   f->n, f->n, 100. * f->n / most);
	}
	str_add(out, "</tbody></table></div>\n");
	if (n < s->failure.n)
		str_printf(out, "<p class=note>%d rarer kinds are left out.</p>\n",
			   s->failure.n - n);
}

static void
choice_row(const ReportSection *s, const ReportChoice *c, Str *out)
{
	double tried = s->right ? (double)c->tried / (double)s->right : 0;

	str_add(out, "<tr><td>");
	str_add(out, choice_text(c->kind));
	str_add(out, "</td><td class=text>");
	add_text(out, c->value, 80);
	str_printf(out, "</td><td data-v=%d>%d</td>", c->tried, c->tried);
	percent_cell(out, tried);
	str_printf(out, "<td data-v=%d>%d of %d</td>", c->won, c->won, c->tasks);
	percent_cell(out, s->winners ? (double)c->won / s->winners : 0);
	str_add(out, "</tr>\n");
}

static void
choices(const ReportSection *s, Str *out)
{
	int of_kind = 0, left = 0;

	str_add(out, "<h3>What winners have in common</h3>\n");
	if (!s->winners) {
		str_add(out, "<p>No task with more than one right candidate.</p>\n");
		return;
	}
	str_add(out, "<div class=scroll><table class=sort><thead><tr><th>choice</th><th class=text>"
		     "value</th><th>tried</th><th>of the candidates</th><th>won, of tasks that "
		     "tried it</th><th>of the winners</th></tr></thead><tbody>\n");
	for (int i = 0; i < s->choice.n; i++) {
		of_kind = i && s->choice.v[i - 1].kind == s->choice.v[i].kind ? of_kind + 1 : 0;
		if (of_kind < CHOICES_MAX)
			choice_row(s, &s->choice.v[i], out);
		else
			left++;
	}
	str_printf(out,
		   "</tbody></table></div>\n<p class=note>Over %d tasks with more than one right "
		   "candidate. Nests are those of the first stage that sums. ",
		   s->winners);
	if (left)
		str_printf(out, "%d rarer values are left out.", left);
	str_add(out, "</p>\n");
}

static void
clock_drift(const ReportSection *s, Str *out)
{
	const ReportClock *c = &s->clock;

	str_add(out, "<h3>Clock</h3>\n");
	if (!c->rows) {
		str_add(out, "<p>No row has calibrations.</p>\n");
		return;
	}
	str_add(out, "<p class=key><i class=kl></i>calibrated peak<i class=kx></i>disturbed row</p>"
		     "<div class=wide>");
	chart_clock(s, out);
	str_printf(
		out,
		"</div>\n<p class=note>Calibrations before and after each of %d rows, in %d "
		"points: least, median and most of each. %d rows are disturbed: before and after "
		"differ by more than 5 %%, or the lower one is more than 10 %% below the usual "
		"%.4g GFLOPS",
		c->rows, c->point.n, c->disturbed, c->median);
	if (c->mark.n < c->disturbed)
		str_printf(out, "; %d of them are drawn", c->mark.n);
	str_add(out, ".</p>\n");
}

static void
costs(const ReportSection *s, Str *out)
{
	if (!s->costed)
		return;
	str_add(out, "<h3>Where the time went</h3>\n<div class=scroll><table class=sort><thead><tr>"
		     "<th>part</th><th>seconds</th><th>of all</th></tr></thead><tbody>\n");
	for (int i = 0; i < s->cost.n; i++) {
		const ReportCost *c = &s->cost.v[i];
		bool within = *c->text == ' ';

		str_printf(out, "<tr><td class=text>%s%s</td><td data-v=%g>%.2f</td>",
			   within ? "&emsp;" : "", c->text + strspn(c->text, " "), c->seconds,
			   c->seconds);
		percent_cell(out, s->cost_seconds > 0 ? c->seconds / s->cost_seconds : 0);
		str_add(out, "</tr>\n");
	}
	str_printf(out,
		   "</tbody></table></div>\n<p class=note>Of %.1f s in %d of %d sessions; the "
		   "others recorded none. The device works while the host compiles.</p>\n",
		   s->cost_seconds, s->costed, s->session.n);
}

static void
section(Page *p, const ReportSection *s, int number)
{
	int charts = s->ntask < p->charts ? s->ntask : p->charts;

	str_printf(p->out, "<section>\n<h2 id=s%d>", number);
	section_name(s, p->out);
	str_add(p->out, "</h2>\n");
	warnings(s, p->out);
	cards(s, p->out);
	facts(s, p->out);
	model_curve(s, p->out);
	roofline(s, number, charts, p->out);
	table(p, s, number, charts);
	tasks(p, s, number, charts);
	failures(s, p->out);
	choices(s, p->out);
	costs(s, p->out);
	clock_drift(s, p->out);
	str_add(p->out, "</section>\n");
	p->charts -= charts;
}

static void
contents(const Report *r, Str *out)
{
	char a[NUMBER_TEXT], b[NUMBER_TEXT];

	if (r->section.n < 2)
		return;
	str_add(out, "<ul>\n");
	for (int i = 0; i < r->section.n; i++) {
		const ReportSection *s = &r->section.v[i];

		str_printf(out, "<li><a href='#s%d'>", i);
		section_name(s, out);
		str_printf(out, "</a>: %d tasks, %s &rarr; %s\n", s->ntask,
			   duration_text(a, s->untuned_ns), duration_text(b, s->best_ns));
	}
	str_add(out, "</ul>\n");
}

void
report_html(const Report *r, Str *out)
{
	Page p = {out, TABLE_ROWS_MAX, CHARTS_MAX};

	str_add(out, "<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n"
		     "<meta name=viewport content='width=device-width, initial-scale=1'>\n"
		     "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
		     "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>");
	str_add(out, "Tuning report: ");
	add_text(out, r->name, TEXT_MAX);
	str_add(out, "</title>\n<style>\n");
	str_addn(out, (const char *)page_css, (size_t)(page_css_end - page_css));
	str_add(out, "</style>\n<h1>Tuning report: ");
	add_text(out, r->name, TEXT_MAX);
	str_printf(out, "</h1>\n<p class=note>%lld rows in the log</p>\n", (long long)r->rows);
	contents(r, out);
	for (int i = 0; i < r->section.n; i++)
		section(&p, &r->section.v[i], i);
	str_add(out, "<script>\n");
	str_addn(out, (const char *)page_js, (size_t)(page_js_end - page_js));
	str_add(out, "</script>\n");
}
