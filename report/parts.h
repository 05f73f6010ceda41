/* What the files that make a Report share. */
#ifndef REPORT_PARTS_H
#define REPORT_PARTS_H

#include "report/report.h"

/* A session: a run of the tuner, or what one of its boards did of it. Its rows lie at offset +
 * (time - began) seconds of tuning. */
typedef struct ReportRun {
	const char *name;
	const char *run;        /* name of the whole run */
	const Session *session; /* NULL: the log does not say */
	int64_t began, ended;   /* of the whole run */
	double offset;
	bool again; /* the one before is of the same run */
} ReportRun;

/* Sessions of a section, in the order they began, those of a run together; and by name. */
typedef struct ReportRuns {
	ReportRun *v, *named;
	int n;
	double seconds; /* of all runs */
} ReportRuns;

/* Runs that have rows among these, with their place in the time of tuning. */
ReportRuns report_runs(Log *l, Arena *a, const LogRow *const *row, int n);
double report_seconds(const ReportRuns *runs, const LogRow *r);

bool row_is(const LogRow *r, Status s);
bool row_was_measured(const LogRow *r); /* a candidate of a search that the device ran */

/* Everything of a Task that its rows say; t->row, nrow, task, form are set. */
void report_task(ReportTask *t, const ReportRuns *runs, Arena *a);
/* What it is and its roofline; after the section's calibration. */
void report_roofline(ReportTask *t, const ReportSection *s, Log *l, Arena *a);
/* Best so far of the model. */
void report_model_curve(ReportSection *s, const ReportRuns *runs, Arena *a);
void report_failures(ReportSection *s, const LogRow *const *row, int n, Arena *a);
void report_choices(ReportSection *s, Arena *a);
void report_clock(ReportClock *c, const ReportRuns *runs, const LogRow *const *row, int n,
		  Arena *a);

/* What the runs say of their time. */
void report_costs(ReportSection *s, const ReportRuns *runs, Log *l, Arena *a);

/* The reason with every number in it as "N". */
const char *reason_general(Arena *a, const char *reason);

/* Calls see(kind, value) for every choice that the text of a Sched shows. */
typedef void ChoiceSee(void *self, ChoiceKind kind, const char *value);
void choices_of(const char *sched, ChoiceSee *see, void *self);

#endif
