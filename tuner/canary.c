/* What the times of the canaries mean. No clock, no boards. */
#include "tuner/canary.h"

#include <math.h>

static bool
has_time(const CanaryTime *x)
{
	return x->counts && x->now_ns > 0 && x->start_ns > 0;
}

/* How many come before i in the order of their times. */
static int
rank(const CanaryTime *v, int n, int i)
{
	int before = 0;

	for (int k = 0; k < n; k++)
		before += has_time(&v[k]) &&
			  (v[k].now_ns < v[i].now_ns || (v[k].now_ns == v[i].now_ns && k < i));
	return before;
}

/* The lower median; -1: nobody has a time. */
static int
reference_of(const CanaryTime *v, int n)
{
	int known = 0;

	for (int i = 0; i < n; i++)
		known += has_time(&v[i]);
	for (int i = 0; i < n; i++)
		if (has_time(&v[i]) && rank(v, n, i) == (known - 1) / 2)
			return i;
	return -1;
}

void
canary_judge(const CanaryTime *v, int n, CanaryVerdict *out)
{
	int reference = reference_of(v, n);
	bool any = false;

	for (int i = 0; i < n; i++) {
		CanaryVerdict *x = &out[i];

		*x = (CanaryVerdict){.reference = reference};
		if (!has_time(&v[i]))
			continue;
		x->drift = v[i].now_ns / v[i].start_ns - 1;
		x->off = v[i].now_ns / v[reference].now_ns - 1;
		x->fit = fabs(x->drift) <= CANARY_STEP && fabs(x->off) <= CANARY_STEP;
		any |= x->fit;
	}
	for (int i = 0; i < n; i++)
		out[i].races = v[i].counts &&
			       (reference < 0 || out[i].fit ||
				(!any && has_time(&v[i]) && fabs(out[i].off) <= CANARY_STEP));
}
