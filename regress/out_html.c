/* Result -> one page that needs nothing else: what the exit status rests on, and of each kernel its
 * pairs and its history. Toolkit, styles and scripts are those of the tuning report. What a suite
 * can make long is cut, and the page says what it left out. */
#include <math.h>

#include "regress/exit.h"
#include "regress/words.h"
#include "report/page_source.h"
#include "report/svg.h"
#include "report/text.h"

enum { ROWS_MAX = 2000, CHARTS_MAX = 300, OPEN_MAX = 3 };
enum { PLOT_WIDTH = 420, PLOT_HEIGHT = 200 };

typedef struct Page {
	const RegressResult *r;
	Arena *a;
	Str *out;
} Page;

static void
text(const Page *p, const char *words)
{
	text_escape(p->out, words_clean(p->a, words));
}

static bool
bad(RegressVerdict v)
{
	return regress_verdict_fact(v)->exit_code != 0;
}

/* --- charts --- */

static double
ratio_of(const RegressPair *p)
{
	return p->baseline_ns > 0 && p->new_ns > 0 ? p->new_ns / p->baseline_ns : 0;
}

/* The interval of a round as a box behind its pairs. */
static void
band(const Plot *plot, const RegressEstimate *e, double from, double to, Str *out)
{
	PlotPath path;

	if (!(e->low > 0) || !isfinite(e->high))
		return;
	path = path_begin(plot, false, "band", out);
	path_to(&path, from, e->low);
	path_to(&path, to, e->low);
	path_to(&path, to, e->high);
	path_to(&path, from, e->high);
	str_add(out, "Z");
	path_end(&path);
	plot_line(plot, from, e->ratio, to, e->ratio, "l", out);
}

static void
pair_dot(const Page *p, const Plot *plot, int x, const RegressPair *pair)
{
	const char *tip;

	if (!(ratio_of(pair) > 0))
		return;
	tip = arena_printf(p->a, "baseline %s, new %s: %.3f\n%s first%s%s",
			   words_ns(p->a, pair->baseline_ns), words_ns(p->a, pair->new_ns),
			   ratio_of(pair), pair->new_first ? "new" : "baseline",
			   pair->drop == REGRESS_DROP_KEPT ? "" : "\ndoes not count: ",
			   regress_drop_text(pair->drop));
	plot_dot(plot, x, ratio_of(pair), 3, pair->drop == REGRESS_DROP_KEPT ? "d" : "before", tip,
		 p->out);
}

static void
pairs_chart(const Page *p, const RegressKernel *k)
{
	Extent y = {0};
	int n = 0, from = 1;
	Plot plot;

	extent_add(&y, 1);
	extent_add(&y, 1 + k->threshold);
	for (int i = 0; i < k->nround; i++) {
		for (int j = 0; j < k->round[i].npair; j++)
			extent_add(&y, ratio_of(&k->round[i].pair[j]));
		n += k->round[i].npair;
	}
	plot = plot_init(PLOT_WIDTH, PLOT_HEIGHT, (PlotRange){false, 0, n + 1, "pair"},
			 (PlotRange){false, y.lo - 0.01, y.hi + 0.01, "new / baseline"});
	plot_begin(&plot, "ratio of each pair", p->out);
	plot_line(&plot, 0, 1, n + 1, 1, "x", p->out);
	plot_line(&plot, 0, 1 + k->threshold, n + 1, 1 + k->threshold, "u", p->out);
	for (int i = 0; i < k->nround; i++) {
		const RegressRound *round = &k->round[i];

		band(&plot, &round->est, from - 0.5, from + round->npair - 0.5, p->out);
		for (int j = 0; j < round->npair; j++)
			pair_dot(p, &plot, from + j, &round->pair[j]);
		from += round->npair;
	}
	plot_end(p->out);
}

static void
history_chart(const Page *p, const RegressKernel *k)
{
	int n = k->npast + (k->est.new_ns > 0);
	Extent y = {0};
	Plot plot;

	for (int i = 0; i < k->npast; i++)
		extent_add(&y, k->past[i].ns);
	extent_add(&y, k->est.new_ns);
	plot = plot_init(PLOT_WIDTH, PLOT_HEIGHT, (PlotRange){false, 0, n + 1, "comparison"},
			 (PlotRange){false, 0.95e-3 * y.lo, 1.05e-3 * y.hi, "us"});
	plot_begin(&plot, "time in earlier comparisons", p->out);
	for (int i = 0; i < n; i++) {
		bool now = i == k->npast;
		double ns = now ? k->est.new_ns : k->past[i].ns;
		RegressVerdict v = now ? k->verdict : k->past[i].verdict;

		plot_dot(&plot, i + 1, ns / 1e3, now ? 4.5 : 3,
			 bad(v)                  ? "bad"
			 : v == REGRESS_IMPROVED ? "after"
						 : "d",
			 arena_printf(p->a, "%s: %s, %s",
				      now ? "now" : words_time(p->a, k->past[i].time),
				      words_ns(p->a, ns), regress_verdict_fact(v)->word),
			 p->out);
	}
	plot_end(p->out);
}

/* --- head --- */

static void
card(const Page *p, const char *value, const char *name)
{
	str_printf(p->out, "<div class=card><b>%s</b><span>%s</span></div>\n", value, name);
}

static void
cards(const Page *p)
{
	int status = regress_exit(p->r);

	str_add(p->out, "<div class=cards>\n");
	card(p, arena_printf(p->a, "%d", status), regress_exit_text(status));
	for (int v = 0; v < REGRESS_VERDICTS; v++) {
		int n = regress_count(p->r, (RegressVerdict)v);

		if (n)
			card(p, arena_printf(p->a, "%d", n),
			     regress_verdict_fact((RegressVerdict)v)->word);
	}
	str_add(p->out, "</div>\n");
}

static void
fact(const Page *p, const char *name, const char *value)
{
	if (!*value)
		return;
	str_add(p->out, "<dt>");
	text(p, name);
	str_add(p->out, "</dt><dd>");
	text(p, value);
	str_add(p->out, "</dd>\n");
}

static void
facts(const Page *p)
{
	const RegressResult *r = p->r;

	str_add(p->out, "<dl class=facts>\n");
	fact(p, "baseline", *r->baseline_file ? r->baseline_file : r->suite);
	fact(p, "board", r->board);
	for (int i = 0; i < r->nboard_fact; i++)
		fact(p, r->board_fact[i].name, r->board_fact[i].value);
	fact(p, "hone", r->version);
	for (int i = 0; i < r->ntoolchain_fact; i++)
		fact(p, r->toolchain_fact[i].name, r->toolchain_fact[i].value);
	fact(p, "graph", r->graph);
	fact(p, "started", words_time(p->a, r->started));
	fact(p, "took",
	     arena_printf(p->a, "%.0f s, %d comparisons, seed %llu", r->seconds, r->attempts,
			  (unsigned long long)r->seed));
	fact(p, "policy",
	     arena_printf(p->a, "threshold %.3g %%, %d to %d pairs, error of the suite %.3g %%",
			  100 * r->policy.threshold, r->policy.pairs_first, r->policy.pairs_most,
			  100 * r->policy.family_error));
	fact(p, "again", r->command);
	str_add(p->out, "</dl>\n");
}

static void
warn(void *self, const char *words)
{
	const Page *p = self;

	str_add(p->out, "<p class=warn>");
	text(p, words);
	str_add(p->out, "</p>\n");
}

/* --- table --- */

static void
number_cell(const Page *p, double v, const char *words)
{
	str_printf(p->out, "<td data-v=%.6g>%s</td>", isfinite(v) ? v : 0, words);
}

static void
row(const Page *p, const RegressKernel *k, int number, bool linked)
{
	const RegressVerdictFact *f = regress_verdict_fact(k->verdict);
	const RegressEstimate *e = &k->est;

	str_printf(p->out, "<tr><td data-v=%d>%s</td><td class='text long'>", f->severity, f->word);
	if (linked)
		str_printf(p->out, "<a href='#k%d'>", number);
	text(p, k->name);
	str_add(p->out, linked ? "</a></td>" : "</td>");
	number_cell(p, k->uses, arena_printf(p->a, "%d", k->uses));
	number_cell(p, e->baseline_ns, words_ns(p->a, e->baseline_ns));
	number_cell(p, e->new_ns, words_ns(p->a, e->new_ns));
	number_cell(p, e->ratio, words_ratio(p->a, e));
	number_cell(p, e->low, words_interval(p->a, e));
	number_cell(p, e->detectable, words_sees(p->a, e));
	number_cell(p, e->used, arena_printf(p->a, "%d", e->used));
	str_add(p->out, "<td class='text long'>");
	text_escape(p->out, words_why(p->a, k));
	str_add(p->out, "</td></tr>\n");
}

static void
table(const Page *p, const RegressKernel **k)
{
	static const char *const head[] = {"uses", "baseline", "new", "ratio", "interval (95 %)",
					   "sees", "pairs"};
	int n = p->r->nkernel < ROWS_MAX ? p->r->nkernel : ROWS_MAX;

	str_add(p->out, "<h3>Kernels</h3>\n<div class=scroll><table class=sort><thead><tr><th>"
			"verdict</th><th class=text>kernel</th>");
	for (size_t i = 0; i < sizeof head / sizeof *head; i++)
		str_printf(p->out, "<th>%s</th>", head[i]);
	str_add(p->out, "<th class=text>why</th></tr></thead><tbody>\n");
	for (int i = 0; i < n; i++)
		row(p, k[i], i, i < CHARTS_MAX);
	str_add(p->out, "</tbody></table></div>\n<p class=note>Ratio: new time / baseline time, "
			"Hodges-Lehmann over pairs. Sees: the smallest slowdown that this board "
			"would find 95 times of 100.</p>\n");
	if (n < p->r->nkernel)
		str_printf(p->out, "<p class=note>%d more kernels are left out.</p>\n",
			   p->r->nkernel - n);
}

/* --- each kernel --- */

static void
details(const Page *p, const RegressKernel *k, int number)
{
	str_printf(p->out, "<details class=task id=k%d%s><summary><b>", number,
		   number < OPEN_MAX && bad(k->verdict) ? " open" : "");
	text(p, k->name);
	str_printf(p->out, "</b><span>%s, %s</span></summary>\n<p>",
		   regress_verdict_fact(k->verdict)->word, words_ratio(p->a, &k->est));
	text_escape(p->out, words_why(p->a, k));
	if (k->nround)
		str_printf(p->out, ". %d pairs count, %d do not; p %.2g, after Holm %.2g",
			   k->est.used, k->est.dropped, k->est.p, k->est.p_holm);
	str_add(p->out, ".</p>\n");
	if (*k->command) {
		str_add(p->out, "<pre>");
		text(p, k->command);
		str_add(p->out, "</pre>\n");
	}
	str_add(p->out, "<div class=pair>");
	if (k->nround) {
		str_add(p->out, "<div>");
		pairs_chart(p, k);
		str_add(p->out, "</div>");
	}
	if (k->npast) {
		str_add(p->out, "<div>");
		history_chart(p, k);
		str_add(p->out, "</div>");
	}
	str_add(p->out, "</div>\n<p class=note>task ");
	text(p, k->task);
	str_add(p->out, ", baseline ");
	text(p, k->baseline_code);
	str_add(p->out, ", new ");
	text(p, k->new_code);
	str_add(p->out, "</p></details>\n");
}

static void
each(const Page *p, const RegressKernel **k)
{
	int n = p->r->nkernel < CHARTS_MAX ? p->r->nkernel : CHARTS_MAX;

	if (!n)
		return;
	str_add(p->out,
		"<h3>Each kernel</h3>\n<div><p class=picker data-section=0></p>\n<p "
		"class=note>Pairs in the order they were measured; the band is the interval "
		"of a round, the dashed line the limit, hollow dots do not count.</p>\n");
	for (int i = 0; i < n; i++)
		details(p, k[i], i);
	str_add(p->out, "</div>\n");
	if (n < p->r->nkernel)
		str_printf(p->out, "<p class=note>%d more kernels have no charts here.</p>\n",
			   p->r->nkernel - n);
}

static void
canaries(const Page *p)
{
	if (!p->r->ncanary)
		return;
	str_add(p->out, "<h3>Canaries</h3>\n<div class=scroll><table class=sort><thead><tr><th>"
			"kernel</th><th>start</th><th>middle</th><th>end</th></tr></thead><tbody>"
			"\n");
	for (int i = 0; i < p->r->ncanary; i++) {
		const RegressCanary *c = &p->r->canary[i];

		str_add(p->out, "<tr><td>");
		text(p, c->name);
		str_add(p->out, "</td>");
		number_cell(p, c->start_ns, words_ns(p->a, c->start_ns));
		number_cell(p, c->middle_ns, words_ns(p->a, c->middle_ns));
		number_cell(p, c->end_ns, words_ns(p->a, c->end_ns));
		str_add(p->out, "</tr>\n");
	}
	str_add(p->out, "</tbody></table></div>\n");
}

void
regress_html(const RegressResult *r, const RegressView *v, Arena *a, Str *out)
{
	const RegressKernel **k = regress_ordered(r, a);
	Page p = {r, a, out};

	(void)v;
	str_add(out, "<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n"
		     "<meta name=viewport content='width=device-width, initial-scale=1'>\n"
		     "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
		     "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>hone "
		     "regress: ");
	text(&p, words_what(a, r));
	str_add(out, "</title>\n<style>\n");
	str_addn(out, (const char *)page_css, (size_t)(page_css_end - page_css));
	str_add(out, "</style>\n<h1>");
	text(&p, words_what(a, r));
	str_printf(out, "</h1>\n<p><b>%s</b>: %s</p>\n", words_answer(r), words_counts(a, r));
	words_warnings(a, r, warn, &p);
	cards(&p);
	facts(&p);
	table(&p, k);
	each(&p, k);
	canaries(&p);
	str_add(out, "<script>\n");
	str_addn(out, (const char *)page_js, (size_t)(page_js_end - page_js));
	str_add(out, "</script>\n");
}
