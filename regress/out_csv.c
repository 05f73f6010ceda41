/* Result -> CSV (RFC 4180), a row a kernel, in the order of the suite. A text that a spreadsheet
 * would take for a formula has an apostrophe before it. */
#include <math.h>
#include <string.h>

#include "regress/words.h"

static void
text(Str *out, Arena *a, const char *v)
{
	str_add(out, "\"");
	if (*v && strchr("=+-@\t\r", *v))
		str_add(out, "'");
	for (const char *s = words_clean(a, v); *s; s++) {
		if (*s == '"')
			str_add(out, "\"");
		str_addn(out, s, 1);
	}
	str_add(out, "\",");
}

/* Nothing where it is not known. */
static void
number(Str *out, double v, const char *end)
{
	if (v > 0 && isfinite(v))
		str_printf(out, "%.9g", v);
	str_add(out, end);
}

void
regress_csv(const RegressResult *r, const RegressView *v, Arena *a, Str *out)
{
	(void)v;
	str_add(out, "suite,board,kind,kernel,task,verdict,ratio,low,high,p,p_holm,pairs,dropped,"
		     "detectable,baseline_ns,new_ns,threshold,rounds,started\r\n");
	for (int i = 0; i < r->nkernel; i++) {
		const RegressKernel *k = &r->kernel[i];

		text(out, a, r->suite);
		text(out, a, r->board);
		text(out, a, regress_kind_word(k->kind));
		text(out, a, k->name);
		text(out, a, k->task);
		text(out, a, regress_verdict_fact(k->verdict)->word);
		number(out, k->est.ratio, ",");
		number(out, k->est.low, ",");
		number(out, k->est.high, ",");
		number(out, k->nround ? k->est.p : 0, ",");
		number(out, k->nround ? k->est.p_holm : 0, ",");
		str_printf(out, "%d,%d,", k->est.used, k->est.dropped);
		number(out, k->est.detectable, ",");
		number(out, k->est.baseline_ns, ",");
		number(out, k->est.new_ns, ",");
		number(out, k->threshold, ",");
		str_printf(out, "%d,%s\r\n", k->nround, words_time(a, r->started));
	}
}
