/* The delay is calibrated on the board: kernels with a known number of additions before them say
 * what one costs there. */
#include "regress/selftest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/median.h"
#include "regress/contest.h"
#include "regress/delay.h"

/* Kernels below are too short for a delay of some hundredths to be whole turns. */
#define SLOW_LEAST_NS 5000.0

enum { PROBES = 3 };

typedef struct Test {
	Suite *suite;
	const SelftestOptions *opt;
	Arena *a; /* of one comparison */
	Device *device;
	Selftest *out;
	double *ratio; /* of slower sides that had one */
	int nratio;
} Test;

/* Compares given parcels; the old ones are taken over. */
static int
compare_parcels(Test *t, const char *const *name, Parcel *const *old, Parcel *const *now, int n,
		RegressResult *r, Err *e)
{
	Compare c = {.opt = &t->opt->compare, .suite = t->suite, .a = t->a, .out = r};
	int rc;

	regress_result_init(r);
	r->policy = *t->opt->compare.policy;
	r->kernel = ARENA_ARRAY(t->a, RegressKernel, n + 1);
	rng_init(&c.rng, t->opt->compare.seed + clock_ns());
	for (int i = 0; i < n; i++) {
		RegressKernel *k = &r->kernel[r->nkernel++];

		regress_kernel_init(k);
		k->name = name[i];
		k->threshold = regress_policy_threshold(t->opt->compare.policy, name[i]);
		compare_add(&c, k, old[i], now[i]);
	}
	rc = compare_measure(&c, e);
	compare_fini(&c);
	for (int i = 0; i < n && !rc; i++)
		if (r->kernel[i].verdict == REGRESS_NO_BOARD)
			rc = err_set(e, ERR_DEVICE, "%s", r->kernel[i].reason);
	return rc;
}

/* A line for what came out otherwise than it should. */
static void
tell_kernel(const Test *t, const RegressKernel *k, RegressVerdict should)
{
	const CompareOptions *o = &t->opt->compare;

	if (o->progress && k->verdict != should)
		o->progress(
			o->self,
			arena_printf(t->a, "'%s': %s, %.4f (%.4f to %.4f), %d pairs, %d dropped",
				     k->name, regress_verdict_fact(k->verdict)->word, k->est.ratio,
				     k->est.low, k->est.high, k->est.used, k->est.dropped));
}

/* A kernel that takes part. */
static bool
is_wanted(const Test *t, int k)
{
	const char *only = t->opt->compare.kernel;

	return t->suite->kernel[k].parcel && (!only || !strcmp(only, t->suite->kernel[k].name));
}

/* --- equal sides --- */

/* Up to n kernels, from the first on, against themselves. */
static int
compare_equal(Test *t, int n, Err *e)
{
	const Suite *s = t->suite;
	const char **name = ARENA_ARRAY(t->a, const char *, s->nkernel + 1);
	Parcel **old = ARENA_ARRAY(t->a, Parcel *, s->nkernel + 1);
	Parcel **now = ARENA_ARRAY(t->a, Parcel *, s->nkernel + 1);
	RegressResult r;
	int m = 0, rc = OK;

	for (int i = 0; i < s->nkernel && m < n && !rc; i++) {
		if (!is_wanted(t, i))
			continue;
		rc = suite_delayed(t->suite, i, NULL, &old[m], e);
		name[m] = s->kernel[i].name;
		now[m] = s->kernel[i].parcel;
		m += !rc;
	}
	if (rc) {
		for (int i = 0; i < m; i++)
			parcel_free(old[i]);
		return rc;
	}
	rc = compare_parcels(t, name, old, now, m, &r, e);
	for (int i = 0; i < m && !rc; i++) {
		tell_kernel(t, &r.kernel[i], REGRESS_OK);
		t->out->equal[r.kernel[i].verdict]++;
	}
	return rc;
}

/* --- a slower side --- */

/* Median of some processes; 0: it has none. */
static int
probe(Test *t, Parcel *p, double *ns, Err *e)
{
	double v[PROBES];
	int n = 0, rc = OK;

	for (int i = 0; i < PROBES && !rc; i++) {
		Process x;

		rc = process_run(t->device, &p, 1, t->opt->compare.stop, t->opt->compare.self, &x,
				 e);
		if (!rc && x.end == PROCESS_OK)
			v[n++] = x.ns;
	}
	*ns = median_sorting(v, n);
	return rc;
}

static int
delayed(Test *t, int k, int64_t turns, Parcel **out, Err *e)
{
	Code code;
	int rc = delay_build(t->suite->emit, turns, t->a, &code, e);

	return rc ? rc : suite_delayed(t->suite, k, &code, out, e);
}

/* Kernel k slowed down by the share of its time that was asked for. NOT_APPLICABLE: it is too
 * short. */
static int
slow_down(Test *t, int k, Parcel **out, Err *e)
{
	double plain, slow;
	int64_t turns;
	Parcel *p;
	int rc = probe(t, t->suite->kernel[k].parcel, &plain, e);

	if (rc || plain < SLOW_LEAST_NS)
		return rc ? rc : NOT_APPLICABLE;
	turns = (int64_t)plain; /* about as long as the kernel */
	if ((rc = delayed(t, k, turns, &p, e)))
		return rc;
	rc = probe(t, p, &slow, e);
	parcel_free(p);
	if (rc || slow <= plain)
		return rc ? rc : NOT_APPLICABLE;
	turns = llround(t->opt->by * plain * (double)turns / (slow - plain));
	return delayed(t, k, turns, out, e);
}

static int
compare_slow(Test *t, int k, Err *e)
{
	const char *name = t->suite->kernel[k].name;
	Parcel *old, *now;
	RegressResult r;
	int rc = slow_down(t, k, &now, e);

	if (rc)
		return rc;
	rc = suite_delayed(t->suite, k, NULL, &old, e);
	if (!rc)
		rc = compare_parcels(t, &name, &old, &now, 1, &r, e);
	parcel_free(now);
	if (rc)
		return rc;
	tell_kernel(t, &r.kernel[0], REGRESS_REGRESSED);
	t->out->slow[r.kernel[0].verdict]++;
	if (r.kernel[0].est.ratio > 0)
		t->ratio[t->nratio++] = r.kernel[0].est.ratio;
	return OK;
}

static void
tell(const Test *t, const char *what, int done, int all)
{
	char text[96];

	if (!t->opt->compare.progress)
		return;
	snprintf(text, sizeof text, "%s: %d of %d comparisons", what, done, all);
	t->opt->compare.progress(t->opt->compare.self, text);
}

/* --- */

static int
run_equal(Test *t, Err *e)
{
	int done = 0, rc = OK;

	while (done < t->opt->equal && !rc) {
		int before = done;

		arena_reset(t->a);
		rc = compare_equal(t, t->opt->equal - done, e);
		for (int i = done = 0; i < REGRESS_VERDICTS; i++)
			done += t->out->equal[i];
		if (!rc && done == before)
			return err_set(e, ERR_INPUT, "no such kernel that a device takes");
		tell(t, "equal sides", done, t->opt->equal);
	}
	return rc;
}

static int
run_slow(Test *t, Err *e)
{
	int done = 0, failed = 0, rc = OK;

	for (int k = 0; done < t->opt->slow && !rc; k = (k + 1) % t->suite->nkernel) {
		arena_reset(t->a);
		if (failed == t->suite->nkernel)
			return err_set(e, ERR_INPUT, "no such kernel of more than %g us",
				       SLOW_LEAST_NS / 1e3);
		rc = is_wanted(t, k) ? compare_slow(t, k, e) : NOT_APPLICABLE;
		failed = rc == NOT_APPLICABLE ? failed + 1 : 0;
		done += rc == OK;
		if (rc == NOT_APPLICABLE)
			rc = OK;
		else
			tell(t, "a slower side", done, t->opt->slow);
	}
	return rc;
}

int
selftest_run(Suite *s, const SelftestOptions *opt, Arena *a, Selftest *out, Err *e)
{
	Test t = {s,
		  opt,
		  arena_new(),
		  &opt->compare.device[0],
		  out,
		  ARENA_ARRAY(a, double, opt->slow + 1),
		  0};
	uint64_t began = clock_ns();
	int rc = device_lease(t.device, e);

	*out = (Selftest){0};
	if (!rc)
		rc = run_equal(&t, e);
	if (!rc && s->nkernel)
		rc = run_slow(&t, e);
	out->ratio = median_sorting(t.ratio, t.nratio);
	out->seconds = (double)(clock_ns() - began) * 1e-9;
	arena_free(t.a);
	return rc;
}
