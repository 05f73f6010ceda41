/* The Result as plain data: tables of its words, empty values, the order of reports. */
#include <stdlib.h>
#include <string.h>

#include "regress/result.h"

const RegressVerdictFact *
regress_verdict_fact(RegressVerdict v)
{
	static const RegressVerdictFact fact[] = {
#define X(name, word, severity, exit_code, text) {word, severity, exit_code, text},
		REGRESS_VERDICT_LIST(X)
#undef X
	};

	return &fact[v];
}

bool
regress_verdict_of(const char *word, RegressVerdict *out)
{
	for (int v = 0; v < REGRESS_VERDICTS; v++) {
		if (strcmp(regress_verdict_fact((RegressVerdict)v)->word, word))
			continue;
		*out = (RegressVerdict)v;
		return true;
	}
	return false;
}

const char *
regress_kind_word(RegressKind k)
{
	static const char *const word[] = {
#define X(name, text) text,
		REGRESS_KIND_LIST(X)
#undef X
	};

	return word[k];
}

const char *
regress_drop_text(RegressDrop d)
{
	static const char *const drop[] = {
#define X(name, text) text,
		REGRESS_DROP_LIST(X)
#undef X
	};

	return drop[d];
}

void
regress_result_init(RegressResult *r)
{
	memset(r, 0, sizeof *r);
	r->suite = r->baseline_file = r->version = r->board = "";
	r->board_key = r->model = r->graph = "";
	r->void_reason = r->command = "";
	r->attempts = 1;
	regress_policy_init(&r->policy);
}

void
regress_kernel_init(RegressKernel *k)
{
	memset(k, 0, sizeof *k);
	k->name = k->task = k->baseline_code = k->new_code = k->reason = k->command = "";
	k->uses = 1;
	k->verdict = REGRESS_NO_BOARD;
	k->est.p = k->est.p_holm = 1;
}

int
regress_count(const RegressResult *r, RegressVerdict v)
{
	int n = 0;

	for (int i = 0; i < r->nkernel; i++)
		n += r->kernel[i].verdict == v;
	return n;
}

static int
worse_first(const void *x, const void *y)
{
	const RegressKernel *a = *(const RegressKernel *const *)x;
	const RegressKernel *b = *(const RegressKernel *const *)y;
	int by = regress_verdict_fact(b->verdict)->severity -
		 regress_verdict_fact(a->verdict)->severity;

	if (!by)
		by = (b->est.ratio > a->est.ratio) - (b->est.ratio < a->est.ratio);
	return by ? by : strcmp(a->name, b->name);
}

const RegressKernel **
regress_ordered(const RegressResult *r, Arena *a)
{
	const RegressKernel **v = ARENA_ARRAY(a, const RegressKernel *, r->nkernel + 1);

	for (int i = 0; i < r->nkernel; i++)
		v[i] = &r->kernel[i];
	qsort(v, (size_t)r->nkernel, sizeof *v, worse_first);
	return v;
}
