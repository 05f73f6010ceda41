/* The charts of the page, one function each. */
#ifndef REPORT_CHARTS_H
#define REPORT_CHARTS_H

#include "report/report.h"

/* Against what best-so-far curves are drawn. */
typedef enum ChartAxis { CHART_TRIALS, CHART_SECONDS } ChartAxis;

void chart_task(const ReportTask *t, ChartAxis axis, Str *out);
void chart_model(const ReportSection *s, ChartAxis axis, Str *out);
/* linked: the first so many tasks have charts of their own, which their dots lead to. */
void chart_roofline(const ReportSection *s, int section, int linked, Str *out);
void chart_clock(const ReportSection *s, Str *out);

/* Text of a log for a page, cut after so many bytes. */
void add_text(Str *out, const char *text, size_t max);

/* GFLOPS of so long a run; 0 when not known. */
double task_speed(const ReportTask *t, double ns);
/* Of the roofline; 0 when not known. */
double task_share(const ReportTask *t);
/* Of the time of all tasks, as often as they are used; 0 when not known. */
double task_weight(const ReportSection *s, const ReportTask *t);
/* How much faster than untuned, by the race if there was one: 1.25; 0 when not known. */
double task_gain(const ReportTask *t);

#endif
