/* Result -> Markdown for the summary of a pipeline's step: what needs a look in a table, the worst
 * first, with its commands; the others folded away. A summary may have a megabyte; this stays well
 * below. */
#include <string.h>

#include "regress/exit.h"
#include "regress/words.h"

enum { SUMMARY_BYTES = 900000, COMMANDS = 20 };

/* A text from outside within a table: nothing in it is markup. */
static void
escaped(Str *out, Arena *a, const char *text)
{
	for (const char *s = words_clean(a, text); *s; s++) {
		if (*s == '<')
			str_add(out, "&lt;");
		else if (*s == '>')
			str_add(out, "&gt;");
		else if (*s == '&')
			str_add(out, "&amp;");
		else if (strchr("\\`*_{}[]#!|~@:", *s))
			str_printf(out, "\\%c", *s);
		else
			str_addn(out, s, 1);
	}
}

static bool
needs_a_look(const RegressKernel *k)
{
	return k->verdict != REGRESS_OK && k->verdict != REGRESS_UNCHANGED;
}

static void
row(const RegressKernel *k, Arena *a, Str *out)
{
	str_printf(out, "| %s | ", regress_verdict_fact(k->verdict)->word);
	escaped(out, a, k->name);
	str_printf(out, " | %s | %s | %s | %s | %s | ", words_ns(a, k->est.baseline_ns),
		   words_ns(a, k->est.new_ns), words_ratio(a, &k->est), words_interval(a, &k->est),
		   words_sees(a, &k->est));
	if (regress_verdict_fact(k->verdict)->exit_code)
		escaped(out, a, words_why(a, k));
	str_add(out, " |\n");
}

/* Rows of one half; at most so many bytes in all. */
static void
table(const RegressKernel **k, int n, bool look, Arena *a, Str *out)
{
	int left = 0;

	str_add(out, "\n| verdict | kernel | baseline | new | ratio | interval | sees | why |\n"
		     "|---|---|---:|---:|---:|---|---:|---|\n");
	for (int i = 0; i < n; i++) {
		if (needs_a_look(k[i]) != look)
			continue;
		if (out->n < SUMMARY_BYTES)
			row(k[i], a, out);
		else
			left++;
	}
	if (left)
		str_printf(out, "\n%d more are left out here.\n", left);
}

/* The command as code, in a fence that it cannot close. */
static void
code(const char *text, Arena *a, Str *out)
{
	const char *line = words_clean(a, text);
	int longest = 2;

	for (const char *s = line; *s; s++) {
		int n = (int)strspn(s, "`");

		longest = n > longest ? n : longest;
	}
	for (int turn = 0; turn < 2; turn++) {
		for (int i = 0; i <= longest; i++)
			str_add(out, "`");
		str_printf(out, "%s\n", turn ? "" : "sh");
		if (!turn)
			str_printf(out, "%s\n", line);
	}
}

static void
commands(const RegressKernel **k, int n, Arena *a, Str *out)
{
	for (int i = 0, shown = 0; i < n && shown < COMMANDS; i++) {
		if (!*k[i]->command || !regress_verdict_fact(k[i]->verdict)->exit_code)
			continue;
		if (!shown++)
			str_add(out, "\nAgain:\n\n");
		if (out->n < SUMMARY_BYTES)
			code(k[i]->command, a, out);
	}
}

typedef struct Notes {
	Arena *a;
	Str *out;
} Notes;

static void
warn(void *self, const char *text)
{
	const Notes *n = self;

	str_add(n->out, "\n> warning: ");
	escaped(n->out, n->a, text);
	str_add(n->out, "\n");
}

void
regress_markdown(const RegressResult *r, const RegressView *v, Arena *a, Str *out)
{
	const RegressKernel **k = regress_ordered(r, a);
	Notes notes = {a, out};
	int look = 0;

	(void)v;
	for (int i = 0; i < r->nkernel; i++)
		look += needs_a_look(k[i]);
	str_add(out, "### hone regress: ");
	escaped(out, a, words_what(a, r));
	str_printf(out, "\n\n**%s** (exit status %d): %s\n", words_answer(r), regress_exit(r),
		   words_counts(a, r));
	words_warnings(a, r, warn, &notes);
	if (look)
		table(k, r->nkernel, true, a, out);
	commands(k, r->nkernel, a, out);
	if (look < r->nkernel) {
		str_printf(out, "\n<details><summary>%d without a finding</summary>\n",
			   r->nkernel - look);
		table(k, r->nkernel, false, a, out);
		str_add(out, "\n</details>\n");
	}
	str_printf(out,
		   "\nSees: the smallest slowdown that this board would find 95 times of 100. "
		   "Threshold %.3g "
		   "%%, %.0f s, seed %llu, %d comparison%s.\n",
		   100 * r->policy.threshold, r->seconds, (unsigned long long)r->seed, r->attempts,
		   r->attempts == 1 ? "" : "s");
}
