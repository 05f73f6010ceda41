/* The agent bounds times by the Target's roofline, which is an assumption about the machine; here
 * is what the machine did in the milliseconds before and after. */
#include "tuner/doubt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the time at the peak. A part of the arithmetic that a Task states may be over borders and is
 * never done, and a calibration can be disturbed. */
static const double LEAST = 0.4;

void
doubt_peaks(const Work *w, Parcel *p)
{
	for (int i = 0; i < p->n; i++) {
		Result *r = &p->item[i].result;
		double peak = fmax(r->calibration_before, r->calibration_after);
		double ns = result_least(r), needs = w->space.floor_flops / ns;
		char text[REASON_MAX + 1];

		if (r->status != STATUS_OK || !(peak > 0) || needs * LEAST <= peak)
			continue;
		snprintf(text, sizeof text,
			 "a run of %.1f ns needs %.4g GFLOPS a thread, the machine did %.4g", ns,
			 needs, peak);
		free(r->reason);
		r->reason = strdup(text);
		r->status = STATUS_IMPLAUSIBLE;
		r->samples.n = 0;
	}
}

/* Time in the race over time in the search; 0: not known. */
static double
ratio_of(const Work *w, const ParcelItem *x)
{
	int at = work_find(w, x->text);
	double was = at >= 0 ? w->trial.v[at].best_ns : 0;

	if (x->result.status != STATUS_OK || !(was > 0))
		return 0;
	return result_least(&x->result) / was;
}

double
doubt_drift(const Work *w, const Parcel *p, int item)
{
	double all[FINALISTS_MAX + 1], own = ratio_of(w, &p->item[item]);
	int n = 0;

	for (int i = 0; i < p->n && n <= FINALISTS_MAX; i++)
		if (ratio_of(w, &p->item[i]) > 0)
			all[n++] = ratio_of(w, &p->item[i]);
	return own > 0 && n > 1 ? own / median_of(all, n) : 0;
}
