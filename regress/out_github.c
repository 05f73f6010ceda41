/* Result -> annotations of GitHub Actions, which are lines of standard output. Only ten of a kind
 * are shown of a step: the nine worst are written, and one that says how many more there are. */
#include <string.h>

#include "regress/words.h"

enum { SHOWN = 9 };

/* What takes part; the others are no news. */
static const char *
kind_of(const RegressKernel *k)
{
	static const char *const kind[] = {
		[REGRESS_WRONG] = "error",          [REGRESS_CRASH] = "error",
		[REGRESS_REGRESSED] = "error",      [REGRESS_NO_BOARD] = "error",
		[REGRESS_INCONCLUSIVE] = "warning", [REGRESS_STALE] = "warning",
		[REGRESS_NEW] = "notice",           [REGRESS_MISSING] = "notice",
		[REGRESS_IMPROVED] = "notice",      [REGRESS_UNCHANGED] = NULL,
	};

	return kind[k->verdict];
}

/* property: commas and colons would end it. */
static void
escaped(Str *out, const char *text, bool property)
{
	for (; *text; text++) {
		if (strchr(property ? "%\r\n:," : "%\r\n", *text))
			str_printf(out, "%%%02X", (unsigned)*text);
		else
			str_addn(out, text, 1);
	}
}

static void
annotate(const RegressResult *r, const RegressKernel *k, Arena *a, Str *out)
{
	str_printf(out, "::%s ", kind_of(k));
	if (*r->baseline_file) {
		str_add(out, "file=");
		escaped(out, words_clean(a, r->baseline_file), true);
		str_printf(out, ",line=%d,", k->line > 0 ? k->line : 1);
	}
	str_printf(out, "title=%s ", regress_verdict_fact(k->verdict)->word);
	escaped(out, words_clean(a, k->name), true);
	str_add(out, "::");
	escaped(out, words_clean(a, k->name), false);
	str_add(out, ": ");
	escaped(out, words_why(a, k), false);
	if (*k->command) {
		str_add(out, "; again: ");
		escaped(out, words_clean(a, k->command), false);
	}
	str_add(out, "\n");
}

void
regress_github(const RegressResult *r, const RegressView *v, Arena *a, Str *out)
{
	static const char *const kinds[] = {"error", "warning", "notice"};
	const RegressKernel **k = regress_ordered(r, a);

	(void)v;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		int n = 0;

		for (int at = 0; at < r->nkernel; at++) {
			const char *kind = kind_of(k[at]);

			if (kind && !strcmp(kind, kinds[i]) && n++ < SHOWN)
				annotate(r, k[at], a, out);
		}
		if (n > SHOWN)
			str_printf(out, "::%s title=hone regress::%d more, see the report\n",
				   kinds[i], n - SHOWN);
	}
}
