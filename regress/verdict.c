/* Pairs -> verdicts. An entry is decided as soon as its pairs allow it: slower or faster beyond
 * doubt and by more than the threshold, or surely not slower than that. Everything else wants more
 * pairs until the budget is spent. */
#include <math.h>
#include <string.h>

#include "regress/verdict.h"

/* Levels between 0 and the threshold that pass for OK need no test of their own: the interval lies
 * below the threshold as a whole. */
typedef struct Look {
	const RegressPolicy *p;
	int looks, n; /* n: entries of the family */
	double shift; /* what the budget's pairs can see, see stats_shift */
	Arena *a;
} Look;

static int
looks_of(const RegressPolicy *p)
{
	return 1 + (p->pairs_most - p->pairs_first + p->pairs_step - 1) / p->pairs_step;
}

int
verdict_least_pairs(const RegressPolicy *p, int n)
{
	double alpha = p->family_error / (looks_of(p) * (double)(n > 0 ? n : 1));
	int pairs = 1;

	while (ldexp(1, 1 - pairs) >= alpha)
		pairs++;
	return pairs;
}

static void
measure(VerdictEntry *v, const Look *l)
{
	double *d = ARENA_ARRAY(l->a, double, v->npair + 1), found;
	int used;

	v->est = stats_estimate(v->pair, v->npair, l->a);
	used = stats_log_ratios(v->pair, v->npair, d);
	found = stats_detectable(d, used, l->shift, l->a);
	v->est.detectable = found > 0 ? exp(found) : 0;
	v->two_modes = stats_two_modes(d, used, l->a);
}

static double
percent(double share)
{
	return 100 * share;
}

static const char *
disturbed(const VerdictEntry *v, Arena *a)
{
	int of[REGRESS_DROPS] = {0}, most = REGRESS_DROP_FAILED;

	for (int i = 0; i < v->npair; i++)
		of[v->pair[i].drop]++;
	for (int i = REGRESS_DROP_KEPT + 1; i < REGRESS_DROPS; i++)
		most = of[i] > of[most] ? i : most;
	return arena_printf(a, "%d of %d pairs were disturbed, most of them because %s",
			    v->est.dropped, v->npair, regress_drop_text((RegressDrop)most));
}

/* Why the budget was not enough. */
static const char *
unclear(const VerdictEntry *v, const Look *l)
{
	double limit = 1 + v->threshold;

	if (v->est.detectable <= 0)
		return arena_printf(l->a,
				    "%d pairs are too few: to tell one of %d kernels takes %d",
				    v->est.used, l->n, verdict_least_pairs(l->p, l->n));
	if (v->est.detectable > limit)
		return arena_printf(
			l->a,
			"this board cannot see %.3g %% here: with %d pairs it would find "
			"a slowdown of %.1f %% or more%s",
			percent(v->threshold), l->p->pairs_most, percent(v->est.detectable - 1),
			v->two_modes ? "; times fall into two groups" : "");
	return arena_printf(l->a,
			    "%d pairs put it between %.3f and %.3f times the baseline, and the "
			    "limit is %.3f",
			    v->est.used, v->est.low, v->est.high, limit);
}

static void
decide(VerdictEntry *v, RegressVerdict verdict, const char *reason)
{
	v->decided = true;
	v->verdict = verdict;
	v->more = 0;
	v->reason = reason;
}

static const char *
times_text(const VerdictEntry *v, Arena *a)
{
	return arena_printf(a, "%.3f times the baseline (%.3f to %.3f)", v->est.ratio, v->est.low,
			    v->est.high);
}

static void
judge(VerdictEntry *v, const Look *l)
{
	double limit = 1 + v->threshold;
	bool sure = v->est.p_holm < l->p->family_error, spent = v->est.used >= l->p->pairs_most;
	bool faster = v->est.used && v->est.ratio < 1 / limit;

	v->more = 0;
	if (v->est.used < l->p->pairs_first)
		v->more = l->p->pairs_first - v->est.used;
	else if (sure && v->est.ratio > limit)
		decide(v, REGRESS_REGRESSED, times_text(v, l->a));
	else if (sure && faster)
		decide(v, REGRESS_IMPROVED, times_text(v, l->a));
	else if (v->est.high < limit && v->est.detectable > 0 && v->est.detectable <= limit &&
		 (!faster || spent))
		decide(v, REGRESS_OK, times_text(v, l->a));
	else if (spent)
		decide(v, REGRESS_INCONCLUSIVE, unclear(v, l));
	else
		v->more = l->p->pairs_step;
	if (v->est.used + v->more > l->p->pairs_most)
		v->more = l->p->pairs_most - v->est.used;
	if (v->more && v->est.dropped > l->p->dropped_most)
		decide(v, REGRESS_INCONCLUSIVE, disturbed(v, l->a));
}

int
verdict_round(VerdictEntry *v, int n, const RegressPolicy *p, Arena *a)
{
	Look l = {.p = p, .looks = looks_of(p), .n = n, .a = a};
	double *holm = ARENA_ARRAY(a, double, n + 1);
	int open = 0;

	/* of one entry in the worst case: Holm's first step */
	l.shift = stats_shift(p->family_error / (l.looks * (double)(n > 0 ? n : 1)), p->pairs_most,
			      a);
	for (int i = 0; i < n; i++) {
		if (!v[i].decided)
			measure(&v[i], &l);
		holm[i] = v[i].est.p * l.looks;
	}
	stats_holm(holm, n, a);
	for (int i = 0; i < n; i++) {
		if (v[i].decided)
			continue;
		v[i].est.p_holm = holm[i];
		judge(&v[i], &l);
		open += !v[i].decided;
	}
	return open;
}

RegressVerdict
verdict_confirm(const VerdictEntry *first, const VerdictEntry *second, Arena *a,
		const char **reason)
{
	if (first->verdict != REGRESS_REGRESSED) {
		*reason = first->reason;
		return first->verdict;
	}
	if (second->verdict == REGRESS_REGRESSED) {
		*reason = arena_printf(a, "%s, and %.3f times when it was repeated",
				       times_text(first, a), second->est.ratio);
		return REGRESS_REGRESSED;
	}
	*reason = arena_printf(a,
			       "%.3f times the baseline at first, not confirmed in new processes: "
			       "%s, %s",
			       first->est.ratio, regress_verdict_fact(second->verdict)->word,
			       second->reason);
	return REGRESS_INCONCLUSIVE;
}

const char *
verdict_canaries(const RegressCanary *c, int n, const RegressPolicy *p, Arena *a)
{
	for (int i = 0; i < n; i++) {
		double t[] = {c[i].start_ns, c[i].middle_ns, c[i].end_ns}, low = 0, high = 0;

		for (int k = 0; k < 3; k++) {
			if (!(t[k] > 0))
				continue;
			low = low > 0 && low < t[k] ? low : t[k];
			high = high > t[k] ? high : t[k];
		}
		if (high > low * (1 + p->canary_limit))
			return arena_printf(a,
					    "the canary %s changed by %.0f %% while the session "
					    "lasted, more than %.0f %%",
					    c[i].name, percent(high / low - 1),
					    percent(p->canary_limit));
	}
	return "";
}

void
verdict_void(RegressResult *r, const char *reason)
{
	r->void_reason = reason;
	for (int i = 0; i < r->nkernel; i++) {
		RegressKernel *k = &r->kernel[i];

		if (k->verdict != REGRESS_REGRESSED && k->verdict != REGRESS_IMPROVED &&
		    k->verdict != REGRESS_OK)
			continue;
		k->verdict = REGRESS_INCONCLUSIVE;
		k->reason = reason;
	}
}

void
verdict_keep(RegressKernel *k, const VerdictEntry *v)
{
	RegressRound *round = &k->round[k->nround];

	if (k->nround == REGRESS_ROUNDS)
		return;
	k->nround++;
	round->pair = (RegressPair *)v->pair;
	round->npair = v->npair;
	round->est = v->est;
	round->verdict = v->verdict;
	k->est = v->est;
	k->verdict = v->verdict;
	k->threshold = v->threshold;
	k->two_modes = k->two_modes || v->two_modes;
	k->reason = v->reason ? v->reason : "";
}
