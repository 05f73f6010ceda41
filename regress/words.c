/* Phrases: numbers with as many digits as mean something, sentences from a Result. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "regress/exit.h"
#include "regress/words.h"
#include "report/text.h"

const char *
words_clean(Arena *a, const char *text)
{
	Str s = {0};
	const char *clean;

	text_plain(&s, text, INT_MAX);
	clean = arena_strdup(a, str_get(&s));
	str_fini(&s);
	return clean;
}

/* Four digits. */
static const char *
ratio_text(Arena *a, double v)
{
	return arena_printf(a, "%.*f", v < 10 ? 3 : v < 100 ? 2 : v < 1000 ? 1 : 0, v);
}

const char *
words_ratio(Arena *a, const RegressEstimate *e)
{
	return e->ratio > 0 ? ratio_text(a, e->ratio) : "-";
}

const char *
words_interval(Arena *a, const RegressEstimate *e)
{
	if (!(e->low > 0) || !isfinite(e->high))
		return "-";
	return arena_printf(a, "%s to %s", ratio_text(a, e->low), ratio_text(a, e->high));
}

const char *
words_sees(Arena *a, const RegressEstimate *e)
{
	return e->detectable > 0 ? arena_printf(a, "%.1f %%", 100 * (e->detectable - 1)) : "-";
}

const char *
words_ns(Arena *a, double ns)
{
	char text[NUMBER_TEXT];

	return arena_strdup(a, duration_text(text, ns));
}

const char *
words_time(Arena *a, int64_t seconds)
{
	char text[CLOCK_TEXT];

	clock_text(text, "%Y-%m-%dT%H:%M:%SZ", seconds);
	return strcmp(text, "-") ? arena_strdup(a, text) : "1970-01-01T00:00:00Z";
}

const char *
words_counts(Arena *a, const RegressResult *r)
{
	const char *text = "";

	for (int v = 0; v < REGRESS_VERDICTS; v++) {
		int n = regress_count(r, (RegressVerdict)v);

		if (n)
			text = arena_printf(a, "%s%s%d %s", text, *text ? ", " : "", n,
					    regress_verdict_fact((RegressVerdict)v)->word);
	}
	return *text ? text : "nothing";
}

const char *
words_answer(const RegressResult *r)
{
	return regress_exit_text(regress_exit(r));
}

const char *
words_why(Arena *a, const RegressKernel *k)
{
	return *k->reason ? words_clean(a, k->reason) : regress_verdict_fact(k->verdict)->text;
}

const char *
words_what(Arena *a, const RegressResult *r)
{
	const char *name = *r->model ? r->model : r->suite;

	return arena_printf(a, "%s on %s", words_clean(a, *name ? name : "a suite"),
			    words_clean(a, *r->board ? r->board : "a board without a name"));
}

void
words_warnings(Arena *a, const RegressResult *r, void (*see)(void *self, const char *text),
	       void *self)
{
	int blind = 0, dropped = 0, used = 0, modes = 0, measured = 0;

	for (int i = 0; i < r->nkernel; i++) {
		const RegressKernel *k = &r->kernel[i];

		blind += k->nround && k->est.detectable > 1 + k->threshold;
		modes += k->two_modes;
		measured += k->nround > 0;
		for (int n = 0; n < k->nround; n++) {
			used += k->round[n].est.used;
			dropped += k->round[n].est.dropped;
		}
	}
	if (*r->void_reason)
		see(self, arena_printf(a, "the session counts for nothing: %s",
				       words_clean(a, r->void_reason)));
	if (blind)
		see(self,
		    arena_printf(a,
				 "%d of %d measured: this board cannot see a slowdown as small "
				 "as the threshold",
				 blind, measured));
	if (modes)
		see(self, arena_printf(a, "%d of %d measured: the times fall into two groups",
				       modes, measured));
	if (dropped * 4 > used)
		see(self, arena_printf(a, "%d of %d pairs were disturbed and measured again",
				       dropped, used + dropped));
}
