/* Result -> JSON: everything in it, every pair. docs/regress_forms.md says what each member means
 * and when the version changes. */
#include <math.h>

#include "base/json.h"
#include "regress/exit.h"
#include "regress/out_json.h"
#include "regress/words.h"

static void
text(Json *in, const char *key, Arena *a, const char *v)
{
	json_text(in, key, words_clean(a, v));
}

/* null where it is not known. */
static void
known(Json *in, const char *key, double v)
{
	json_number(in, key, v > 0 ? v : NAN);
}

static void
facts(Json *in, const char *key, const RegressFact *f, int n, Arena *a)
{
	Json *o = json_object(in, key);

	for (int i = 0; i < n; i++)
		text(o, words_clean(a, f[i].name), a, f[i].value);
}

static void
policy(Json *in, const RegressPolicy *p, Arena *a)
{
	Json *o = json_object(in, "policy"), *pairs, *list;

	json_number(o, "version", REGRESS_POLICY_VERSION);
	json_number(o, "threshold", p->threshold);
	pairs = json_object(o, "pairs");
	json_number(pairs, "first", p->pairs_first);
	json_number(pairs, "step", p->pairs_step);
	json_number(pairs, "most", p->pairs_most);
	json_number(pairs, "dropped", p->dropped_most);
	json_number(o, "family_error", p->family_error);
	json_number(o, "canary_limit", p->canary_limit);
	json_number(o, "inconclusive", p->inconclusive);
	list = json_array(o, "kernel");
	for (int i = 0; i < p->noverride; i++) {
		Json *one = json_object(list, NULL);

		text(one, "match", a, p->override[i].match);
		json_number(one, "threshold", p->override[i].threshold);
	}
}

static void
estimate(Json *o, const RegressEstimate *e)
{
	known(o, "ratio", e->ratio);
	known(o, "low", e->low);
	known(o, "high", e->high);
	json_number(o, "p", e->p);
	json_number(o, "p_holm", e->p_holm);
	known(o, "detectable", e->detectable);
	known(o, "baseline_ns", e->baseline_ns);
	known(o, "new_ns", e->new_ns);
	json_number(o, "used", e->used);
	json_number(o, "dropped", e->dropped);
}

static void
round_of(Json *in, const RegressRound *r)
{
	Json *o = json_object(in, NULL), *list;

	json_text(o, "verdict", regress_verdict_fact(r->verdict)->word);
	estimate(o, &r->est);
	list = json_array(o, "pair");
	for (int i = 0; i < r->npair; i++) {
		const RegressPair *p = &r->pair[i];
		Json *one = json_object(list, NULL);

		known(one, "baseline_ns", p->baseline_ns);
		known(one, "new_ns", p->new_ns);
		json_bool(one, "new_first", p->new_first);
		json_text(one, "dropped", regress_drop_text(p->drop));
	}
}

static void
kernel(Json *in, const RegressKernel *k, Arena *a)
{
	Json *o = json_object(in, NULL), *list;

	json_text(o, "kind", regress_kind_word(k->kind));
	text(o, "name", a, k->name);
	text(o, "task", a, k->task);
	text(o, "baseline_code", a, k->baseline_code);
	text(o, "new_code", a, k->new_code);
	json_number(o, "uses", k->uses);
	json_number(o, "line", k->line);
	json_text(o, "verdict", regress_verdict_fact(k->verdict)->word);
	json_text(o, "reason", words_why(a, k));
	json_number(o, "threshold", k->threshold);
	json_bool(o, "two_modes", k->two_modes);
	text(o, "command", a, k->command);
	estimate(o, &k->est);
	list = json_array(o, "round");
	for (int i = 0; i < k->nround; i++)
		round_of(list, &k->round[i]);
}

static void
canaries(Json *in, const RegressResult *r, Arena *a)
{
	Json *list = json_array(in, "canary");

	for (int i = 0; i < r->ncanary; i++) {
		Json *o = json_object(list, NULL);

		text(o, "name", a, r->canary[i].name);
		known(o, "start_ns", r->canary[i].start_ns);
		known(o, "middle_ns", r->canary[i].middle_ns);
		known(o, "end_ns", r->canary[i].end_ns);
	}
}

static void
warn(void *self, const char *words)
{
	json_text(self, NULL, words);
}

void
regress_json(const RegressResult *r, const RegressView *v, Arena *a, Str *out)
{
	Json *o = json_object(NULL, NULL), *list;

	(void)v;
	json_text(o, "format", REGRESS_JSON_FORMAT);
	json_number(o, "version", REGRESS_JSON_VERSION);
	text(o, "hone", a, r->version);
	text(o, "suite", a, r->suite);
	text(o, "baseline", a, r->baseline_file);
	text(o, "model", a, r->model);
	text(o, "graph", a, r->graph);
	text(o, "board", a, r->board);
	text(o, "board_key", a, r->board_key);
	facts(o, "board_facts", r->board_fact, r->nboard_fact, a);
	facts(o, "toolchain", r->toolchain_fact, r->ntoolchain_fact, a);
	policy(o, &r->policy, a);
	/* A text: a number of JSON may have but 53 bits. */
	json_text(o, "seed", arena_printf(a, "%llu", (unsigned long long)r->seed));
	json_text(o, "started", words_time(a, r->started));
	json_number(o, "seconds", r->seconds);
	json_number(o, "comparisons", r->attempts);
	json_number(o, "exit", regress_exit(r));
	json_text(o, "answer", words_answer(r));
	text(o, "void", a, r->void_reason);
	text(o, "command", a, r->command);
	canaries(o, r, a);
	list = json_array(o, "warning");
	words_warnings(a, r, warn, list);
	list = json_array(o, "kernel");
	for (int i = 0; i < r->nkernel; i++)
		kernel(list, &r->kernel[i], a);
	json_print(o, out);
	json_free(o);
}
