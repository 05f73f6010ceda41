/* Numbers -> charts. */
#include "report/charts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/svg.h"
#include "report/text.h"

enum { CURVE_WIDTH = 420, CURVE_HEIGHT = 200, WIDE = 860, ROOF_HEIGHT = 420, CLOCK_HEIGHT = 220 };
enum { LABEL_MAX = 160, CROWD = 60 /* Tasks: their dots are smaller */ };

void
add_text(Str *out, const char *text, size_t max)
{
	size_t n = strlen(text);
	Str cut = {0};

	if (n <= max) {
		text_escape(out, text);
		return;
	}
	for (n = max; n && (text[n] & 0xc0) == 0x80; n--)
		;
	str_addn(&cut, text, n);
	text_escape(out, str_get(&cut));
	str_add(out, "...");
	str_fini(&cut);
}

double
task_speed(const ReportTask *t, double ns)
{
	return ns > 0 ? t->flops / ns : 0;
}

double
task_share(const ReportTask *t)
{
	return t->best_ns > 0 ? t->floor_ns / t->best_ns : 0;
}

double
task_weight(const ReportSection *s, const ReportTask *t)
{
	return s->best_ns > 0 ? t->best_ns * (t->uses ? t->uses : 1) / s->best_ns : 0;
}

double
task_gain(const ReportTask *t)
{
	if (t->ratio.ratio > 0)
		return 1 / t->ratio.ratio;
	return t->best_ns > 0 ? t->untuned_ns / t->best_ns : 0;
}

static double
along(const ReportPoint *p, ChartAxis axis)
{
	return axis == CHART_TRIALS ? p->trials : p->seconds;
}

static PlotRange
axis_range(ChartAxis axis, double lo, double hi)
{
	return (PlotRange){false, lo, hi,
			   axis == CHART_TRIALS ? "candidates measured" : "seconds of tuning"};
}

/* Speed of a point: GFLOPS, or runs a second of what does no arithmetic. */
static double
speed(const ReportTask *t, double ns)
{
	return t->flops > 0 ? t->flops / ns : 1e9 / ns;
}

static void
tip_time(const ReportTask *t, const char *what, double ns, Str *tip)
{
	char text[NUMBER_TEXT], rate[NUMBER_TEXT];

	str_clear(tip);
	str_printf(tip, "%s: %s", what, duration_text(text, ns));
	if (t->flops > 0)
		str_printf(tip, ", %s GFLOPS", number_text(rate, speed(t, ns)));
}

static void
mark_untuned(const Plot *p, const ReportTask *t, ChartAxis axis, Str *out)
{
	double y = speed(t, t->first.ns);
	Str tip = {0};

	tip_time(t, "untuned", t->first.ns, &tip);
	str_printf(out, "<path class='u' d='M%.1f %.1fH%.1f'/>", p->x.from, scale_at(&p->y, y),
		   p->x.to);
	plot_dot(p, along(&t->first, axis), y, 6, "before", str_get(&tip), out);
	str_fini(&tip);
}

static void
mark_winner(const Plot *p, const ReportTask *t, ChartAxis axis, Str *out)
{
	Str tip = {0};

	tip_time(t, "winner, when it was found", t->found.ns, &tip);
	if (t->ratio.ratio > 0)
		str_printf(&tip, "\nrace: %.3f of the untuned time, 95 %% %.3f to %.3f",
			   t->ratio.ratio, t->ratio.lo, t->ratio.hi);
	plot_dot(p, along(&t->found, axis), speed(t, t->found.ns), 4.5, "after", str_get(&tip),
		 out);
	str_fini(&tip);
}

void
chart_task(const ReportTask *t, ChartAxis axis, Str *out)
{
	const ReportPoint *v = t->curve.v;
	int n = t->curve.n;
	double least, most;
	PlotPath line;
	Str tip = {0};
	Plot p;

	if (!n)
		return;
	least = axis == CHART_TRIALS ? 0 : v[0].seconds;
	most = speed(t, v[n - 1].ns);
	p = plot_init(
		CURVE_WIDTH, CURVE_HEIGHT,
		axis_range(axis, least, fmax(along(&t->last, axis), least + 1)),
		(PlotRange){false, 0, most * 1.08, t->flops > 0 ? "GFLOPS" : "runs a second"});
	plot_begin(&p, axis == CHART_TRIALS ? "best so far by candidates" : "best so far by time",
		   out);
	if (t->first.ns > 0)
		mark_untuned(&p, t, axis, out);
	line = path_begin(&p, true, "l", out);
	for (int i = 0; i < n; i++)
		path_to(&line, along(&v[i], axis), speed(t, v[i].ns));
	path_to(&line, along(&t->last, axis), most);
	path_end(&line);
	for (int i = 0; i < n; i++) {
		tip_time(t, "best so far", v[i].ns, &tip);
		plot_dot(&p, along(&v[i], axis), speed(t, v[i].ns), 2, "d", str_get(&tip), out);
	}
	if (t->found.ns > 0)
		mark_winner(&p, t, axis, out);
	plot_end(out);
	str_fini(&tip);
}

void
chart_model(const ReportSection *s, ChartAxis axis, Str *out)
{
	const ReportPoint *v = s->curve.v;
	int n = s->curve.n;
	double end = axis == CHART_TRIALS ? (double)s->measured : s->seconds;
	char text[NUMBER_TEXT];
	double unit;
	PlotPath line;
	Plot p;

	if (n < 2)
		return;
	unit = v[0].ns < 1e6 ? 1e3 : 1e6;
	p = plot_init(CURVE_WIDTH, CURVE_HEIGHT, axis_range(axis, 0, fmax(end, 1)),
		      (PlotRange){false, 0, v[0].ns / unit * 1.05, unit < 1e6 ? "us" : "ms"});
	plot_begin(&p, "time of the model, best so far", out);
	line = path_begin(&p, true, "l", out);
	for (int i = 0; i < n; i++)
		path_to(&line, along(&v[i], axis), v[i].ns / unit);
	path_to(&line, end, v[n - 1].ns / unit);
	path_end(&line);
	duration_text(text, v[0].ns);
	plot_dot(&p, along(&v[0], axis), v[0].ns / unit, 4.5, "before", text, out);
	duration_text(text, v[n - 1].ns);
	plot_dot(&p, along(&v[n - 1], axis), v[n - 1].ns / unit, 4.5, "after", text, out);
	plot_end(out);
}

/* --- roofline --- */

static bool
has_place(const ReportTask *t)
{
	return t->flops > 0 && t->bytes > 0 && t->best_ns > 0;
}

/* The line of a bandwidth up to the peak, and its name at the left. */
static void
roof_slope(const Plot *p, double gbs, double peak, const char *name, Str *out)
{
	double knee = peak / gbs, from = p->x.lo, to = fmin(knee, p->x.hi);
	char rate[NUMBER_TEXT];

	if (!(gbs > 0) || !(peak > 0))
		return;
	from = fmax(from, p->y.lo / gbs);
	if (!(to > from))
		return;
	plot_line(p, from, from * gbs, to, to * gbs, "roof", out);
	str_printf(out,
		   "<text class='t halo' transform='translate(%.1f %.1f) rotate(%.1f)' dy=-4>"
		   "%s %s GB/s</text>",
		   scale_at(&p->x, from * pow(to / from, 0.06)),
		   scale_at(&p->y, from * pow(to / from, 0.06) * gbs),
		   atan2(scale_at(&p->y, to * gbs) - scale_at(&p->y, from * gbs),
			 scale_at(&p->x, to) - scale_at(&p->x, from)) *
			   57.29578,
		   name, number_text(rate, gbs));
}

static void
roof(const Plot *p, const ReportSection *s, double peak, Str *out)
{
	double threads = s->threads, first = s->l1_gbs > 0 ? s->l1_gbs : s->l2_gbs;
	double knee = first > 0 ? peak / (first * threads) : p->x.lo;
	char rate[NUMBER_TEXT];

	if (!(peak > 0))
		return;
	plot_line(p, fmin(fmax(knee, p->x.lo), p->x.hi), peak, p->x.hi, peak, "roof", out);
	str_printf(out, "<text class='t halo' x=%.1f y=%.1f text-anchor=end>peak %s GFLOPS</text>",
		   p->x.to - 4, scale_at(&p->y, peak) - 5, number_text(rate, peak));
	roof_slope(p, s->l1_gbs * threads, peak, "L1", out);
	roof_slope(p, s->l2_gbs * threads, peak, "L2", out);
	roof_slope(p, s->dram_gbs * threads, peak, "memory", out);
}

static void
roof_task(const Plot *p, const ReportSection *s, int number, Str *out)
{
	const ReportTask *t = &s->task[number];
	double size = s->ntask > CROWD ? 0.65 : 1;
	double x = t->flops / t->bytes, after = task_speed(t, t->best_ns);
	double before = task_speed(t, t->untuned_ns);
	char text[NUMBER_TEXT];
	Str tip = {0};

	add_text(&tip, t->label, LABEL_MAX);
	str_printf(&tip, "\nwinner %s, %.1f GFLOPS", duration_text(text, t->best_ns), after);
	if (t->untuned_ns > 0)
		str_printf(&tip, "\nuntuned %s, %.1f GFLOPS", duration_text(text, t->untuned_ns),
			   before);
	if (task_share(t) > 0)
		str_printf(&tip, "\n%.0f %% of its roofline", 100 * task_share(t));
	if (before > 0) {
		plot_line(p, x, before, x, after, "j", out);
		plot_dot(p, x, before, 3.5 * size, "before", str_get(&tip), out);
	}
	plot_dot(p, x, after, 4.5 * size, "after", str_get(&tip), out);
	str_fini(&tip);
}

void
chart_roofline(const ReportSection *s, int section, int linked, Str *out)
{
	double peak = s->fma_gflops * s->threads;
	Extent x = {0}, y = {0};
	int n = 0;
	Plot p;

	extent_add(&y, peak);
	for (int i = 0; i < s->ntask; i++) {
		const ReportTask *t = &s->task[i];

		if (!has_place(t))
			continue;
		n++;
		extent_add(&x, t->flops / t->bytes);
		extent_add(&y, task_speed(t, t->best_ns));
		extent_add(&y, task_speed(t, t->untuned_ns));
	}
	if (!n)
		return;
	p = plot_init(WIDE, ROOF_HEIGHT,
		      (PlotRange){true, x.lo / 1.5, x.hi * 1.5, "operations per byte"},
		      (PlotRange){true, y.lo / 1.5, y.hi * 1.5, "GFLOPS"});
	plot_begin(&p, "roofline: tasks untuned and tuned", out);
	for (int i = 0; i < s->ntask; i++) {
		if (!has_place(&s->task[i]))
			continue;
		if (i < linked)
			str_printf(out, "<a href='#s%dt%d'>", section, i);
		roof_task(&p, s, i, out);
		str_add(out, i < linked ? "</a>" : "");
	}
	roof(&p, s, peak, out);
	plot_end(out);
}

/* --- clock --- */

static void
clock_marks(const Plot *p, const ReportClock *c, Str *out)
{
	for (int i = 0; i < c->mark.n; i++) {
		const ReportMark *m = &c->mark.v[i];
		char tip[160], before[NUMBER_TEXT], after[NUMBER_TEXT];

		snprintf(tip, sizeof tip, "row %lld: %s GFLOPS before, %s after", (long long)m->id,
			 number_text(before, m->before), number_text(after, m->after));
		plot_line(p, m->seconds, m->before, m->seconds, m->after, "w", out);
		plot_dot(p, m->seconds, fmin(m->before, m->after), 3, "bad", tip, out);
	}
}

void
chart_clock(const ReportSection *s, Str *out)
{
	const ReportClock *c = &s->clock;
	Extent y = {0};
	PlotPath path;
	Plot p;
	int n = c->point.n;

	if (!n)
		return;
	for (int i = 0; i < n; i++) {
		extent_add(&y, c->point.v[i].least);
		extent_add(&y, c->point.v[i].most);
	}
	p = plot_init(WIDE, CLOCK_HEIGHT,
		      (PlotRange){false, 0, fmax(s->seconds, 1), "seconds of tuning"},
		      (PlotRange){false, fmin(y.lo, c->median * 0.85) * 0.98, y.hi * 1.03,
				  "GFLOPS of one core"});
	plot_begin(&p, "calibrated peak over time", out);
	path = path_begin(&p, false, "band", out);
	for (int i = 0; i < n; i++)
		path_to(&path, c->point.v[i].seconds, c->point.v[i].most);
	for (int i = n - 1; i >= 0; i--)
		path_to(&path, c->point.v[i].seconds, c->point.v[i].least);
	str_add(out, "Z");
	path_end(&path);
	path = path_begin(&p, false, "l", out);
	for (int i = 0; i < n; i++)
		path_to(&path, c->point.v[i].seconds, c->point.v[i].median);
	path_end(&path);
	clock_marks(&p, c, out);
	plot_end(out);
}
