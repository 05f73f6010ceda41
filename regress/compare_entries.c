/* Who is compared with whom: entries of the result, and a Contest for each that needs the board. */
#include <stdio.h>
#include <string.h>

#include "regress/contest.h"

static bool
wanted(const Compare *c, const char *name)
{
	return !c->opt->kernel || !strcmp(c->opt->kernel, name);
}

/* The command that compares this entry alone. */
static const char *
command_for(const Compare *c, const char *name)
{
	Str out = {0};
	const char *text;

	str_printf(&out, "%s --kernel ", c->opt->command);
	str_quoted(&out, name);
	text = arena_strdup(c->a, str_get(&out));
	str_fini(&out);
	return text;
}

static RegressKernel *
add_entry(Compare *c, const char *name, RegressKind kind)
{
	RegressKernel *k = &c->out->kernel[c->out->nkernel++];

	regress_kernel_init(k);
	k->kind = kind;
	k->name = name;
	k->uses = 1;
	k->threshold = regress_policy_threshold(c->opt->policy, name);
	if (c->opt->command && *c->opt->command)
		k->command = c->opt->kernel ? c->opt->command : command_for(c, name);
	return k;
}

static void
settle(RegressKernel *k, RegressVerdict v, const char *reason)
{
	k->verdict = v;
	k->reason = reason;
}

Contest *
compare_add(Compare *c, RegressKernel *k, Parcel *old, Parcel *now)
{
	Contest *x = ARENA_NEW(c->a, Contest);

	*x = (Contest){.out = k, .side = {old, now}};
	vec_push(c->a, &c->contest, x);
	return x;
}

/* --- kernels --- */

static bool
same_words(const char *const *x, int nx, const char *const *y, int ny)
{
	if (nx != ny)
		return false;
	for (int i = 0; i < nx; i++)
		if (strcmp(x[i], y[i]) != 0)
			return false;
	return true;
}

static bool
same_literals(const BaselineCall *x, const BaselineCall *y)
{
	if (x->literal.n != y->literal.n)
		return false;
	for (int i = 0; i < x->literal.n; i++)
		if (x->literal.v[i].type != y->literal.v[i].type ||
		    !digest_equal(&x->literal.v[i].blob, &y->literal.v[i].blob))
			return false;
	return true;
}

/* The same code, called in the same way with constants packed alike. */
static bool
same_call(const BaselineCall *x, const BaselineCall *y)
{
	if (!digest_equal(&x->image, &y->image) || x->scratch != y->scratch ||
	    x->chunks != y->chunks || x->pool != y->pool ||
	    (x->pool && !digest_equal(&x->pack, &y->pack)) || x->derived.n != y->derived.n)
		return false;
	for (int i = 0; i < x->derived.n; i++)
		if (x->derived.v[i] != y->derived.v[i])
			return false;
	return same_words(x->phase.v, x->phase.n, y->phase.v, y->phase.n) &&
	       same_words(x->prepare.v, x->prepare.n, y->prepare.v, y->prepare.n) &&
	       same_literals(x, y);
}

/* A kernel that both have. */
static int
match_kernel(Compare *c, const SuiteKernel *k, const BaselineKernel *old, RegressKernel *out,
	     int *controls, Err *e)
{
	bool same = same_call(&k->call, &old->call);
	Parcel *p;
	Err own = {0};
	int rc;

	out->baseline_code = arena_digest(c->a, &old->call.image);
	out->new_code = arena_digest(c->a, &k->call.image);
	out->line = old->line;
	if (same)
		settle(out, REGRESS_UNCHANGED, "the same code");
	if (same && *controls == COMPARE_CONTROLS)
		return OK;
	rc = suite_old_kernel(k, c->base, old, &p, &own);
	if (rc == ERR_INPUT)
		settle(out, REGRESS_STALE,
		       arena_printf(c->a, "the baseline's kernel: %s", own.msg));
	if (rc)
		return rc == ERR_INPUT ? OK : err_set(e, rc, "%s: %s", k->name, own.msg);
	*controls += same;
	compare_add(c, out, p, k->parcel)->control = same;
	return OK;
}

static int
add_kernel(Compare *c, const SuiteKernel *k, int *controls, Err *e)
{
	const PlanTask *t = k->task;
	const BaselineKernel *old = baseline_kernel(c->base, &t->task_key, &t->form_key);
	RegressKernel *out;

	if (!k->parcel || !wanted(c, k->name))
		return OK; /* what no device takes is in no baseline either */
	out = add_entry(c, k->name, REGRESS_KERNEL);
	out->task = arena_digest(c->a, &t->task_key);
	out->uses = t->uses;
	if (old)
		return match_kernel(c, k, old, out, controls, e);
	out->new_code = arena_digest(c->a, &k->call.image);
	settle(out, REGRESS_NEW, "no such kernel in the baseline");
	return OK;
}

static const SuiteKernel *
in_suite(const Suite *s, const BaselineKernel *k)
{
	for (int i = 0; i < s->nkernel; i++)
		if (s->kernel[i].parcel && digest_equal(&s->kernel[i].task->task_key, &k->task) &&
		    digest_equal(&s->kernel[i].task->form_key, &k->form))
			return &s->kernel[i];
	return NULL;
}

static bool
name_taken(const Compare *c, const char *name)
{
	for (int i = 0; i < c->out->nkernel; i++)
		if (!strcmp(c->out->kernel[i].name, name))
			return true;
	return !strcmp(name, SUITE_MODEL);
}

/* A kernel of the baseline that the model has no more, under a name that nobody has. */
static void
add_missing(Compare *c, const BaselineKernel *k)
{
	const char *name = k->name;
	RegressKernel *out;

	if (in_suite(c->suite, k) || !wanted(c, k->name))
		return;
	for (int n = 2; name_taken(c, name); n++)
		name = arena_printf(c->a, "%s (baseline %d)", k->name, n);
	out = add_entry(c, name, REGRESS_KERNEL);
	out->task = arena_digest(c->a, &k->task);
	out->uses = (int)k->uses;
	out->line = k->line;
	out->baseline_code = arena_digest(c->a, &k->call.image);
	settle(out, REGRESS_MISSING, "no such kernel in the model any more");
}

/* --- the model --- */

static void
add_model(Compare *c)
{
	const BaselineModel *old = &c->base->model, *now = &c->suite->as_model;
	RegressKernel *out;
	const char *why = "";
	Parcel *p;

	if (!wanted(c, SUITE_MODEL))
		return;
	out = add_entry(c, SUITE_MODEL, REGRESS_MODEL);
	out->task = c->suite->bundle.graph;
	out->line = old->line;
	out->baseline_code = arena_digest(c->a, &old->image);
	out->new_code = arena_digest(c->a, &now->image);
	if (digest_equal(&old->image, &now->image) && digest_equal(&old->weights, &now->weights))
		settle(out, REGRESS_UNCHANGED, "the same code and weights");
	else if (suite_old_model(c->suite, c->base, c->a, &p, &why))
		settle(out, REGRESS_STALE, why);
	else
		compare_add(c, out, p, c->suite->model);
}

/* --- canaries --- */

static double
middle_ns(const BaselineKernel *k, Arena *a)
{
	return stats_median(k->ns.v, k->ns.n, a);
}

/* The dearest kernel of the baseline that the model still has, and the cheapest that is long
 * enough: caches and memory, and the processor. */
static const BaselineKernel *
choose_canary(const Compare *c, bool dear, const BaselineKernel *but)
{
	static const double long_enough_ns = 20000;
	const BaselineKernel *best = NULL;
	double best_ns = 0;

	for (int i = 0; i < c->base->kernel.n; i++) {
		const BaselineKernel *k = &c->base->kernel.v[i];
		double ns = middle_ns(k, c->a);

		if (k == but || !in_suite(c->suite, k) || (!dear && ns < long_enough_ns))
			continue;
		if (!best || (dear ? ns > best_ns : ns < best_ns)) {
			best = k;
			best_ns = ns;
		}
	}
	return best;
}

static void
add_canaries(Compare *c)
{
	const BaselineKernel *had = NULL;

	for (int i = 0; i < COMPARE_CANARIES; i++) {
		const BaselineKernel *k = choose_canary(c, i == 0, had);
		Canary *x = &c->canary[c->out->ncanary];

		if (!k)
			continue;
		had = k;
		if (suite_old_kernel(in_suite(c->suite, k), c->base, k, &x->parcel, NULL))
			continue;
		x->out = &c->out->canary[c->out->ncanary++];
		x->out->name = k->name;
	}
}

/* --- */

int
compare_entries(Compare *c, Err *e)
{
	const Suite *s = c->suite;
	int controls = 0, rc = OK;

	c->out->kernel = ARENA_ARRAY(c->a, RegressKernel, s->nkernel + c->base->kernel.n + 1);
	add_model(c);
	for (int i = 0; i < s->nkernel && !rc; i++)
		rc = add_kernel(c, &s->kernel[i], &controls, e);
	for (int i = 0; i < c->base->kernel.n && !rc; i++)
		add_missing(c, &c->base->kernel.v[i]);
	if (!rc && !c->out->nkernel)
		rc = err_set(e, ERR_INPUT, "--kernel: '%s', which neither model nor baseline has",
			     c->opt->kernel ? c->opt->kernel : "");
	if (!rc)
		add_canaries(c);
	return rc;
}

void
compare_fini(Compare *c)
{
	for (int i = 0; i < c->contest.n; i++)
		parcel_free(c->contest.v[i]->side[SIDE_OLD]);
	for (int i = 0; i < COMPARE_CANARIES; i++)
		parcel_free(c->canary[i].parcel);
}
