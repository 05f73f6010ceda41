/* Fresh processes. Every batch has a runner process of its own, so a batch of one candidate is one.
 */
#include "regress/process.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/median.h"

enum { TAKE_MS = 200 };

static const ProcessEnd ends[STATUS_COUNT] = {
	[STATUS_OK] = PROCESS_OK,
	[STATUS_INFEASIBLE] = PROCESS_REFUSED,
	[STATUS_BUILD] = PROCESS_CRASH,
	[STATUS_CRASH] = PROCESS_CRASH,
	[STATUS_HANG] = PROCESS_CRASH,
	[STATUS_WRONG] = PROCESS_WRONG,
	[STATUS_BELOW_RESOLUTION] = PROCESS_SHORT,
	[STATUS_IMPLAUSIBLE] = PROCESS_WRONG,
	[STATUS_LOST] = PROCESS_LOST,
	[STATUS_CANCELLED] = PROCESS_LOST,
	[STATUS_FORBIDDEN] = PROCESS_CRASH,
	[STATUS_POISON] = PROCESS_CRASH,
	[STATUS_STALE] = PROCESS_LOST,
};

/* Sorts the samples. */
static void
summarise(Result *r, Process *x)
{
	uint32_t n = r->samples.n;
	double *v = r->samples.v;

	x->ns = median_sorting(v, (int)n);
	x->spread = v[n - 1 - n / 4] / x->ns - 1;
}

static void
learn(Result *r, Process *x)
{
	double before = r->calibration_before, after = r->calibration_after;

	*x = (Process){.end = r->status < STATUS_COUNT ? ends[r->status] : PROCESS_CRASH};
	snprintf(x->reason, sizeof x->reason, "%s",
		 r->reason && *r->reason ? r->reason : status_text((Status)r->status));
	x->peak_low = before > 0 && after > 0 ? fmin(before, after) : fmax(before, after);
	x->peak_high = fmax(before, after);
	if (x->end == PROCESS_OK && !r->samples.n) {
		x->end = PROCESS_LOST;
		snprintf(x->reason, sizeof x->reason, "the agent gives no times");
	}
	if (x->end == PROCESS_OK)
		summarise(r, x);
	for (uint32_t i = 0; i < r->fetched.n && i < PROCESS_OUTPUTS_MAX; i++)
		x->fetched[x->nfetched++] = r->fetched.v[i];
}

/* Errors that say something of the batch and not of the way to the device. */
static bool
is_refusal(int rc)
{
	return rc == ERR_INPUT || rc == ERR_UNSUPPORTED || rc == ERR_NOMEM;
}

/* Takes what is in flight until nothing is; the parcels hold their results. */
static int
drain(Device *d, bool (*stop)(void *self), void *self, Err *e)
{
	Parcel *back;

	while (d->nflight) {
		int rc = device_take(d, TAKE_MS, &back, e);

		if (rc < 0)
			return rc;
		if (stop && stop(self)) {
			device_cancel(d);
			return err_set(e, ERR_CANCELLED, "stopped");
		}
	}
	return OK;
}

int
process_run(Device *d, Parcel *const *p, int n, bool (*stop)(void *self), void *self, Process *out,
	    Err *e)
{
	Parcel *back[FLIGHT_MAX];
	bool sent[FLIGHT_MAX] = {false};
	int rc = OK;

	for (int i = 0; i < n && !rc; i++) {
		Err own = {0};

		parcel_again(p[i]);
		rc = device_send(d, p[i], &own);
		sent[i] = !rc;
		if (is_refusal(rc)) {
			out[i] = (Process){.end = PROCESS_REFUSED};
			snprintf(out[i].reason, sizeof out[i].reason, "%.*s", REASON_MAX, own.msg);
			rc = OK;
		} else if (rc) {
			err_set(e, rc, "%s", own.msg);
		}
	}
	if (!rc)
		rc = drain(d, stop, self, e);
	if (rc)
		device_surrender(d, back); /* they are the caller's */
	for (int i = 0; i < n && !rc; i++)
		if (sent[i])
			learn(&p[i]->item[0].result, &out[i]);
	return rc;
}

static bool
is_disturbed(const Process *x)
{
	return x->end != PROCESS_OK || x->spread > PROCESS_LOAD_STEP;
}

const Process *
process_better(const Process *a, const Process *b)
{
	if (is_disturbed(a) != is_disturbed(b))
		return is_disturbed(a) ? b : a;
	if (a->end != PROCESS_OK || b->end != PROCESS_OK)
		return a->end == PROCESS_OK ? a : b;
	return b->ns < a->ns ? b : a;
}

static RegressDrop
drop_of(const Process *a, const Process *b)
{
	double low = fmin(a->peak_low, b->peak_low), high = fmax(a->peak_high, b->peak_high);

	if (a->end != PROCESS_OK || b->end != PROCESS_OK)
		return REGRESS_DROP_FAILED;
	if (low > 0 && high > low * (1 + PROCESS_CLOCK_STEP))
		return REGRESS_DROP_CLOCK;
	if (is_disturbed(a) || is_disturbed(b))
		return REGRESS_DROP_LOAD;
	return REGRESS_DROP_KEPT;
}

RegressPair
process_pair(const Process *baseline, const Process *now, bool new_first)
{
	return (RegressPair){baseline->ns, now->ns, new_first, drop_of(baseline, now)};
}
