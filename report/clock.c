/* Calibrations beside the rows: did the clock stay what it was. Thinned to so many points that a
 * picture shows; the least and the most of what a point stands for are kept. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/median.h"
#include "report/parts.h"

/* Before and after differ by more, or are so far below what is usual. */
static const double APART = 0.05, BELOW = 0.10;

typedef struct Reading {
	double seconds, before, after;
	int64_t id;
} Reading;

static int
by_seconds(const void *a, const void *b)
{
	const Reading *x = a, *y = b;
	int d = (x->seconds > y->seconds) - (x->seconds < y->seconds);

	return d ? d : (x->id > y->id) - (x->id < y->id);
}

static bool
is_disturbed(const Reading *r, double usual)
{
	double most = fmax(r->before, r->after), least = fmin(r->before, r->after);

	return most - least > APART * most || least < (1 - BELOW) * usual;
}

static ReportDrift
drift_of(const Reading *r, int n, double *room)
{
	ReportDrift d = {r[n / 2].seconds, INFINITY, 0, 0};

	for (int i = 0; i < n; i++) {
		d.least = fmin(d.least, fmin(r[i].before, r[i].after));
		d.most = fmax(d.most, fmax(r[i].before, r[i].after));
		room[2 * i] = r[i].before;
		room[2 * i + 1] = r[i].after;
	}
	d.median = median_sorting(room, 2 * n);
	return d;
}

void
report_clock(ReportClock *c, const ReportRuns *runs, const LogRow *const *row, int n, Arena *a)
{
	Reading *r = ARENA_ARRAY(a, Reading, n + 1);
	double *room = ARENA_ARRAY(a, double, 2 * n + 1);
	int m = 0, points;

	for (int i = 0; i < n; i++)
		if (row[i]->calibration_before > 0 && row[i]->calibration_after > 0) {
			room[m] = row[i]->calibration_before;
			r[m++] = (Reading){report_seconds(runs, row[i]), row[i]->calibration_before,
					   row[i]->calibration_after, row[i]->id};
		}
	c->rows = m;
	c->median = median_sorting(room, m);
	qsort(r, (size_t)m, sizeof *r, by_seconds);
	points = m < REPORT_DRIFT_POINTS ? m : REPORT_DRIFT_POINTS;
	for (int i = 0; i < points; i++) {
		int from = (int)((int64_t)i * m / points),
		    to = (int)((int64_t)(i + 1) * m / points);

		vec_push(a, &c->point, drift_of(r + from, to - from, room));
	}
	for (int i = 0; i < m; i++) {
		if (!is_disturbed(&r[i], c->median))
			continue;
		c->disturbed++;
		vec_push(a, &c->mark,
			 ((ReportMark){r[i].seconds, r[i].before, r[i].after, r[i].id}));
	}
	if (c->mark.n > REPORT_DRIFT_MARKS) {
		for (int i = 0; i < REPORT_DRIFT_MARKS; i++)
			c->mark.v[i] = c->mark.v[(int64_t)i * c->mark.n / REPORT_DRIFT_MARKS];
		c->mark.n = REPORT_DRIFT_MARKS;
	}
}
