/* The comparison from end to end: entries, a first round, the repeat of what is slower, and what
 * canaries and controls say of the session. */
#include "regress/compare.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "regress/contest.h"

static RegressFact *
facts(Arena *a, const Board *b, int *n)
{
	RegressFact *v = ARENA_ARRAY(a, RegressFact, 32);
	char number[24];

	*n = 0;
#define NUMBER(x) (snprintf(number, sizeof number, "%lld", (long long)(x)), number)
#define TEXT_s(x) (x)
#define TEXT_i(x) NUMBER(x)
#define X(type, field, key, text) \
	v[(*n)++] = (RegressFact){#field, arena_strdup(a, TEXT_##type(b->field))};
	BOARD_LIST(X)
#undef X
	return v;
}

static void
fill_head(const CompareOptions *opt, const Baseline *b, Arena *a, RegressResult *out)
{
	RegressFact *tool = ARENA_ARRAY(a, RegressFact, 2);

	out->model = out->suite = b->name;
	out->graph = b->graph;
	out->version = HONE_VERSION;
	out->policy = *opt->policy;
	out->seed = opt->seed;
	out->command = opt->command ? opt->command : "";
	out->board = opt->ndevice ? opt->device_name[0] : "";
	out->board_key = board_key(&b->board, a);
	out->board_fact = facts(a, &b->board, &out->nboard_fact);
	tool[0] = (RegressFact){"baseline", arena_printf(a, "hone %s, %s", b->hone, b->generator)};
	out->toolchain_fact = tool;
	out->ntoolchain_fact = 1;
}

void
compare_nothing(const Baseline *b, const char *reason, const CompareOptions *opt, Arena *a,
		RegressResult *out)
{
	regress_result_init(out);
	fill_head(opt, b, a, out);
	out->kernel = ARENA_ARRAY(a, RegressKernel, b->kernel.n + 1);
	for (int i = 0; i <= b->kernel.n; i++) {
		RegressKernel *k = &out->kernel[out->nkernel++];
		const BaselineKernel *old = i ? &b->kernel.v[i - 1] : NULL;

		regress_kernel_init(k);
		k->kind = old ? REGRESS_KERNEL : REGRESS_MODEL;
		k->name = old ? old->name : SUITE_MODEL;
		k->line = old ? old->line : b->model.line;
		k->uses = old ? (int)old->uses : 1;
		k->threshold = regress_policy_threshold(opt->policy, k->name);
		k->reason = reason;
	}
}

/* --- rounds --- */

/* What was not answered when the board was lost. */
static void
lose_board(Compare *c, Contest *const *v, int n, const char *why)
{
	for (int i = 0; i < n; i++)
		if (!v[i]->over && !v[i]->control && !v[i]->entry.decided)
			contest_end(c, v[i], REGRESS_NO_BOARD, why);
}

/* An error of the board is an answer of those it leaves without one. */
static int
round_on(Compare *c, int device, Contest *const *v, int n, bool canaries, Err *e)
{
	Err own = {0};
	int rc;

	c->device = &c->opt->device[device];
	rc = device_lease(c->device, &own);
	if (!rc)
		rc = compare_round(c, v, n, canaries, &own);
	if (rc == ERR_CANCELLED)
		return err_set(e, rc, "%s", own.msg);
	if (rc)
		lose_board(c, v, n, arena_strdup(c->a, own.msg));
	return OK;
}

static void
keep(Contest *x)
{
	VerdictEntry entry = x->entry;
	RegressVerdict was = x->out->verdict;
	const char *reason = x->out->reason;

	if (x->over && !x->pair.n)
		return;
	entry.pair = x->pair.v;
	entry.npair = x->pair.n;
	verdict_keep(x->out, &entry);
	if (x->over || x->control) {
		x->out->verdict = was;
		x->out->reason = reason;
	}
}

/* Two equal sides that differ, twice: today's times cannot be believed. */
static void
doubt(Compare *c, const Contest *x, const VerdictEntry *first)
{
	if (x->over || !x->entry.decided || x->entry.verdict != first->verdict)
		return;
	c->doubt =
		arena_printf(c->a,
			     "'%s' has the same code on both sides, and yet the times differ, by "
			     "ratios of %.3f and %.3f",
			     x->out->name, first->est.ratio, x->entry.est.ratio);
}

/* What is not believed at once: what is slower, and a control that is not equal. */
static bool
wants_repeat(const Contest *x)
{
	RegressVerdict v = x->entry.verdict;

	return !x->over && x->entry.decided &&
	       (v == REGRESS_REGRESSED || (x->control && v == REGRESS_IMPROVED));
}

/* Once more, in new processes and with pairs of their own. */
static int
confirm(Compare *c, Err *e)
{
	Contest **v = ARENA_ARRAY(c->a, Contest *, c->contest.n + 1);
	VerdictEntry *first = ARENA_ARRAY(c->a, VerdictEntry, c->contest.n + 1);
	int n = 0, rc;

	for (int i = 0; i < c->contest.n; i++) {
		Contest *x = c->contest.v[i];

		if (!wants_repeat(x))
			continue;
		first[n] = x->entry;
		v[n++] = x;
		x->entry = (VerdictEntry){0};
		x->pair.v = NULL;
		x->pair.n = x->pair.cap = 0;
	}
	if (!n)
		return OK;
	c->out->attempts++;
	rc = round_on(c, c->opt->ndevice > 1, v, n, false, e);
	for (int i = 0; i < n && !rc; i++) {
		keep(v[i]);
		if (v[i]->control)
			doubt(c, v[i], &first[i]);
		else if (!v[i]->over)
			v[i]->out->verdict =
				verdict_confirm(&first[i], &v[i]->entry, c->a, &v[i]->out->reason);
	}
	return rc;
}

/* --- what the session is worth --- */

static void
judge_session(Compare *c)
{
	const char *why = verdict_canaries(c->out->canary, c->out->ncanary, c->opt->policy, c->a);

	if (!*why && c->doubt)
		why = c->doubt;
	if (*why)
		verdict_void(c->out, why);
}

int
compare_measure(Compare *c, Err *e)
{
	int rc = c->contest.n ? round_on(c, 0, c->contest.v, c->contest.n, true, e) : OK;

	for (int i = 0; i < c->contest.n && !rc; i++)
		keep(c->contest.v[i]);
	return rc ? rc : confirm(c, e);
}

int
compare_suite(Suite *s, const Baseline *b, const CompareOptions *opt, Arena *a, RegressResult *out,
	      Err *e)
{
	Compare c = {.opt = opt, .suite = s, .base = b, .a = a, .out = out};
	RegressFact *tool;
	uint64_t began = clock_ns();
	int rc;

	regress_result_init(out);
	fill_head(opt, b, a, out);
	tool = (RegressFact *)out->toolchain_fact;
	tool[out->ntoolchain_fact++] = (RegressFact){
		"now", arena_printf(a, "hone %s, %s", s->bundle.version, s->bundle.generator)};
	rng_init(&c.rng, opt->seed);
	rc = compare_entries(&c, e);
	if (!rc)
		rc = compare_measure(&c, e);
	if (!rc)
		judge_session(&c);
	compare_fini(&c);
	out->seconds = (double)(clock_ns() - began) * 1e-9;
	return rc;
}
