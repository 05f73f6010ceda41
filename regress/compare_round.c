/* One round: pairs until everybody has an answer or the time is over.
 *
 * A sweep takes one pair of each who needs one, in an order drawn anew: what drifts meets all of
 * them alike. Disturbed pairs are measured again, up to the policy's bound. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "regress/contest.h"

#define CANARY_ENOUGH 1.025

/* --- canaries --- */

/* What disturbs a board makes it slow: the least of some tries is what it can do, and a time that
 * is that of the start needs no other. 0: no time. */
static int
time_canary(Compare *c, const Canary *x, double *ns, Err *e)
{
	double enough = x->out->start_ns * CANARY_ENOUGH;
	int rc = OK;

	*ns = 0;
	for (int i = 0; i < COMPARE_TRIES && !rc && !(*ns > 0 && *ns <= enough); i++) {
		Process p;

		rc = process_run(c->device, &x->parcel, 1, c->opt->stop, c->opt->self, &p, e);
		if (!rc && p.end == PROCESS_OK && (*ns == 0 || p.ns < *ns))
			*ns = p.ns;
	}
	return rc;
}

static int
take_canaries(Compare *c, size_t offset, Err *e)
{
	int rc = OK;

	for (int i = 0; i < c->out->ncanary && !rc; i++)
		rc = time_canary(c, &c->canary[i], (double *)((char *)c->canary[i].out + offset),
				 e);
	return rc;
}

/* --- one pair --- */

void
contest_end(Compare *c, Contest *x, RegressVerdict v, const char *reason)
{
	x->over = true;
	x->want = 0;
	x->out->verdict = v;
	x->out->reason = arena_strdup(c->a, reason);
}

/* Ends that are not of the clock. The old side worked when the baseline was set: if it does not
 * now, the baseline is of no use here, and the new side is judged all the same. */
static void
judge_ends(Compare *c, Contest *x, const Process p[SIDES])
{
	static const RegressVerdict verdict[] = {
		[PROCESS_WRONG] = REGRESS_WRONG,
		[PROCESS_CRASH] = REGRESS_CRASH,
		[PROCESS_REFUSED] = REGRESS_CRASH,
		[PROCESS_SHORT] = REGRESS_INCONCLUSIVE,
	};

	if (p[SIDE_NEW].end != PROCESS_OK && p[SIDE_NEW].end != PROCESS_LOST)
		contest_end(c, x, verdict[p[SIDE_NEW].end], p[SIDE_NEW].reason);
	else if (p[SIDE_OLD].end != PROCESS_OK && p[SIDE_OLD].end != PROCESS_LOST)
		contest_end(c, x, REGRESS_STALE,
			    arena_printf(c->a, "the baseline's code does not run here: %s",
					 p[SIDE_OLD].reason));
}

/* A process of each side. */
static int
take_both(Compare *c, Contest *x, bool new_first, Process p[SIDES], Err *e)
{
	Parcel *order[SIDES] = {x->side[new_first ? SIDE_NEW : SIDE_OLD],
				x->side[new_first ? SIDE_OLD : SIDE_NEW]};
	Process done[SIDES];
	int rc = process_run(c->device, order, SIDES, c->opt->stop, c->opt->self, done, e);

	if (rc)
		return rc;
	p[SIDE_NEW] = done[!new_first];
	p[SIDE_OLD] = done[new_first];
	judge_ends(c, x, p);
	return x->over || x->out->kind != REGRESS_MODEL ? OK : compare_outputs(c, x, p, e);
}

/* Old, new, new, old, or the other way round: what drifts meanwhile cancels, and the better process
 * of a side counts, for what disturbs one makes it slow. */
static int
take_pair(Compare *c, Contest *x, Err *e)
{
	bool new_first = rng_below(&c->rng, 2);
	Process p[SIDES], again[SIDES];
	RegressPair pair;
	int rc = take_both(c, x, new_first, p, e);

	if (!rc && !x->over)
		rc = take_both(c, x, !new_first, again, e);
	if (rc || x->over)
		return rc;
	for (int i = 0; i < SIDES; i++)
		p[i] = *process_better(&p[i], &again[i]);
	pair = process_pair(&p[SIDE_OLD], &p[SIDE_NEW], new_first);
	vec_push(c->a, &x->pair, pair);
	c->measured++;
	if (pair.drop)
		x->dropped++;
	else
		x->want--;
	if (x->dropped > c->opt->policy->dropped_most)
		x->want = 0;
	return OK;
}

/* --- sweeps --- */

static void
shuffle(Compare *c, Contest **v, int n)
{
	for (int i = n; i > 1; i--) {
		int k = (int)rng_below(&c->rng, (uint64_t)i);
		Contest *x = v[k];

		v[k] = v[i - 1];
		v[i - 1] = x;
	}
}

static int
needed(Contest *const *v, int n)
{
	int most = 0;

	for (int i = 0; i < n; i++)
		most = v[i]->want > most ? v[i]->want : most;
	return most;
}

/* One pair of each who needs one. */
static int
sweep(Compare *c, Contest *const *v, int n, uint64_t ends, Err *e)
{
	Arena *tmp = arena_new();
	Contest **order = ARENA_ARRAY(tmp, Contest *, n + 1);
	int rc = OK;

	memcpy(order, v, (size_t)n * sizeof(Contest *));
	shuffle(c, order, n);
	for (int i = 0; i < n && !rc && clock_ns() < ends; i++)
		if (order[i]->want > 0)
			rc = take_pair(c, order[i], e);
	arena_free(tmp);
	return rc;
}

/* Sweeps until nobody needs a pair; the middle's canaries come when half of them are there. */
static int
sweep_all(Compare *c, Contest *const *v, int n, uint64_t ends, bool *middle, Err *e)
{
	int half = needed(v, n) / 2, rc = OK;

	while (needed(v, n) && clock_ns() < ends && !rc) {
		if (*middle && needed(v, n) <= half) {
			*middle = false;
			rc = take_canaries(c, offsetof(RegressCanary, middle_ns), e);
		}
		if (!rc)
			rc = sweep(c, v, n, ends, e);
	}
	return rc;
}

/* --- looks --- */

static bool
contends(const Contest *x)
{
	return !x->over && !x->control;
}

static void
load(Contest *x)
{
	x->entry.pair = x->pair.v;
	x->entry.npair = x->pair.n;
	x->entry.threshold = x->out->threshold;
}

/* Judges those of one kind together; returns how many need more. */
static int
look(Compare *c, Contest *const *v, int n, bool controls)
{
	VerdictEntry *all = ARENA_ARRAY(c->a, VerdictEntry, n + 1);
	int m = 0, open;

	for (int i = 0; i < n; i++)
		if (controls ? v[i]->control && !v[i]->over : contends(v[i])) {
			load(v[i]);
			all[m++] = v[i]->entry;
		}
	open = verdict_round(all, m, c->opt->policy, c->a);
	m = 0;
	for (int i = 0; i < n; i++)
		if (controls ? v[i]->control && !v[i]->over : contends(v[i])) {
			v[i]->entry = all[m++];
			if (!controls)
				v[i]->want = v[i]->entry.decided ? 0 : v[i]->entry.more;
		}
	return open;
}

static void
end_of_time(Contest *const *v, int n)
{
	for (int i = 0; i < n; i++)
		if (contends(v[i]) && !v[i]->entry.decided) {
			v[i]->entry.decided = true;
			v[i]->entry.verdict = REGRESS_INCONCLUSIVE;
			v[i]->entry.reason = "the time for measuring was over before it was clear; "
					     "see --budget";
		}
}

static void
tell(Compare *c, int open)
{
	char text[96];

	if (!c->opt->progress || !open)
		return;
	snprintf(text, sizeof text, "%d pairs measured, %d not decided", c->measured, open);
	c->opt->progress(c->opt->self, text);
}

int
compare_round(Compare *c, Contest *const *v, int n, bool canaries, Err *e)
{
	uint64_t ends = clock_ns() + (uint64_t)(c->opt->budget_s * 1e9);
	int open = n, rc = canaries ? take_canaries(c, offsetof(RegressCanary, start_ns), e) : OK;
	bool middle = canaries;

	for (int i = 0; i < n; i++) {
		v[i]->want = c->opt->policy->pairs_first;
		v[i]->dropped = 0;
	}
	while (!rc && open) {
		rc = sweep_all(c, v, n, ends, &middle, e);
		if (rc)
			return rc;
		open = look(c, v, n, false);
		tell(c, open);
		if (clock_ns() >= ends)
			break;
	}
	if (rc)
		return rc;
	end_of_time(v, n);
	look(c, v, n, true);
	return canaries ? take_canaries(c, offsetof(RegressCanary, end_ns), e) : OK;
}
