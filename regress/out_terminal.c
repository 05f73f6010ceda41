/* Result -> a table for a terminal, the worst first; below a kernel that needs a look, why and how
 * to see it again. */
#include "regress/exit.h"
#include "regress/words.h"
#include "report/text.h"

/* Columns; the kernel's name has what remains. A narrow screen goes without the last two. */
enum {
	VERDICT = 13,
	TIME = 10,
	RATIO = 7,
	INTERVAL = 16,
	SEES = 7,
	PAIRS = 6,
	LEAST = 80,
	WIDE = 100
};
enum { NUMBERS = 2 * TIME + RATIO + INTERVAL };

typedef struct Screen {
	const RegressView *view;
	Arena *a;
	Str *out;
	int width, name;
	bool wide;
} Screen;

/* Colour by exit code and gain: sequences of a terminal. */
static const char *
colour(RegressVerdict v)
{
	int severity = regress_verdict_fact(v)->severity;

	if (severity >= regress_verdict_fact(REGRESS_NO_BOARD)->severity)
		return "\033[31m";
	if (severity >= regress_verdict_fact(REGRESS_STALE)->severity)
		return "\033[33m";
	return v == REGRESS_IMPROVED ? "\033[32m" : "";
}

static void
paint(const Screen *s, const char *sequence)
{
	if (s->view->color && *sequence)
		str_add(s->out, sequence);
}

static void
left(const Screen *s, const char *text, int columns)
{
	int used = text_plain(s->out, text, columns - 1);

	str_printf(s->out, "%*s", columns - used, "");
}

/* What is wider than its column still has a blank before it. */
static void
right(const Screen *s, const char *text, int columns)
{
	str_printf(s->out, " %*s", columns - 1, text);
}

/* A sentence below a row, broken between words. */
static void
below(const Screen *s, const char *text)
{
	int at = VERDICT;

	str_printf(s->out, "%*s", VERDICT, "");
	while (*text) {
		size_t n = 0;
		int columns = 0;

		for (; text[n] && text[n] != ' '; n++)
			columns += (text[n] & 0xc0) != 0x80;
		if (at > VERDICT && at + columns + 1 > s->width) {
			str_printf(s->out, "\n%*s", VERDICT, "");
			at = VERDICT;
		} else if (at > VERDICT) {
			str_add(s->out, " ");
			at++;
		}
		str_addn(s->out, text, n);
		at += columns;
		text += n + (text[n] == ' ');
	}
	str_add(s->out, "\n");
}

static void
row(const Screen *s, const RegressKernel *k)
{
	const RegressVerdictFact *fact = regress_verdict_fact(k->verdict);

	paint(s, colour(k->verdict));
	left(s, fact->word, VERDICT);
	paint(s, *colour(k->verdict) ? "\033[0m" : "");
	left(s, k->name, s->name);
	right(s, words_ns(s->a, k->est.baseline_ns), TIME);
	right(s, words_ns(s->a, k->est.new_ns), TIME);
	right(s, words_ratio(s->a, &k->est), RATIO);
	right(s, words_interval(s->a, &k->est), INTERVAL);
	if (s->wide) {
		right(s, words_sees(s->a, &k->est), SEES);
		str_printf(s->out, "%*d", PAIRS, k->est.used);
	}
	str_add(s->out, "\n");
	if (!fact->exit_code)
		return;
	below(s, words_why(s->a, k));
	if (*k->command)
		str_printf(s->out, "%*sagain: %s\n", VERDICT, "", words_clean(s->a, k->command));
}

static void
head(const Screen *s, const RegressResult *r)
{
	str_printf(s->out, "%s, against %s\n\n", words_what(s->a, r),
		   words_clean(s->a, *r->baseline_file ? r->baseline_file : r->suite));
	paint(s, "\033[1m");
	left(s, "verdict", VERDICT);
	left(s, "kernel", s->name);
	right(s, "baseline", TIME);
	right(s, "new", TIME);
	right(s, "ratio", RATIO);
	right(s, "interval", INTERVAL);
	if (s->wide) {
		right(s, "sees", SEES);
		right(s, "pairs", PAIRS);
	}
	paint(s, "\033[0m");
	str_add(s->out, "\n");
}

static void
warn(void *self, const char *text)
{
	const Screen *s = self;

	str_printf(s->out, "warning: %s\n", text);
}

void
regress_terminal(const RegressResult *r, const RegressView *v, Arena *a, Str *out)
{
	int width = v->width < LEAST ? LEAST : v->width;
	Screen s = {.view = v, .a = a, .out = out, .width = width, .wide = width >= WIDE};
	const RegressKernel **k = regress_ordered(r, a);
	int status = regress_exit(r);

	s.name = width - VERDICT - NUMBERS - (s.wide ? SEES + PAIRS : 0);
	head(&s, r);
	for (int i = 0; i < r->nkernel; i++)
		row(&s, k[i]);
	if (s.wide)
		str_add(out, "\nsees: the smallest slowdown that this board would find 95 times of "
			     "100\n");
	else
		str_add(out, "\n");
	words_warnings(a, r, warn, &s);
	str_printf(out, "%s; threshold %.3g %%, %.0f s, seed %llu, %d comparison%s\n",
		   words_counts(a, r), 100 * r->policy.threshold, r->seconds,
		   (unsigned long long)r->seed, r->attempts, r->attempts == 1 ? "" : "s");
	str_printf(out, "%s (exit status %d)\n", regress_exit_text(status), status);
}
