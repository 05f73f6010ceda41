/* Every verdict in every form, against the files of tests/golden/regress: one file a form, one part
 * a verdict, and two more parts: all of them together, and texts that would like to be markup.
 *
 * HONE_UPDATE_GOLDEN=1 writes the files instead; look at the difference before it is committed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "regress/outputs.h"
#include "regress/verdict.h"

enum { PAIRS = 12, WIDTH = 120 };

static const RegressFact board_facts[] = {{"cpu", "Cortex-A72"}, {"cores", "4"}};
static const RegressFact toolchain[] = {{"hone", "0.1.0"}, {"llvm", "22.1.0"}};

/* Ratio that a verdict of times has; 0: it was not measured. */
static double
ratio_of(RegressVerdict v)
{
	static const double ratio[REGRESS_VERDICTS] = {
		[REGRESS_REGRESSED] = 1.05,
		[REGRESS_INCONCLUSIVE] = 1.03,
		[REGRESS_IMPROVED] = 0.9,
		[REGRESS_OK] = 1.001,
	};

	return ratio[v];
}

static void
measure(RegressKernel *k, double ratio, bool again, Arena *a)
{
	RegressPair *pair = ARENA_ARRAY(a, RegressPair, PAIRS);
	VerdictEntry v = {.pair = pair, .npair = PAIRS, .threshold = 0.03, .decided = true};

	for (int i = 0; i < PAIRS; i++)
		pair[i] = (RegressPair){.baseline_ns = 12000 + 10 * (i * 7 % 5),
					.new_ns = (12000 + 10 * (i * 5 % 7)) * ratio,
					.new_first = i % 3 == 0,
					.drop = i == 4 ? REGRESS_DROP_CLOCK : REGRESS_DROP_KEPT};
	v.est = stats_estimate(pair, PAIRS, a);
	v.est.p_holm = fmin(1, 40 * v.est.p);
	v.est.detectable = 1.021;
	v.verdict = k->verdict;
	verdict_keep(k, &v);
	if (again)
		measure(k, ratio * .999, false, a);
}

static void
make_kernel(RegressKernel *k, RegressVerdict v, Arena *a)
{
	double ratio = ratio_of(v);

	regress_kernel_init(k);
	k->name = arena_printf(a, "conv_%d conv2d+relu", v);
	k->task = "8f3c1d0a5b6e7f90";
	k->baseline_code = v == REGRESS_NEW ? "" : "11aa22bb33cc44dd";
	k->new_code = v == REGRESS_MISSING ? "" : "55ee66ff77001122";
	k->uses = 2;
	k->line = 10 + v;
	k->verdict = v;
	k->threshold = .03;
	k->command = "hone regress --baseline regress/net --kernel 'conv'";
	if (ratio > 0)
		measure(k, ratio, v == REGRESS_REGRESSED, a);
	k->reason = v == REGRESS_WRONG ? "element 17 of y is 0.5 and should be 0.25" : k->reason;
}

static void
make_result(RegressResult *r, RegressKernel *k, int n)
{
	regress_result_init(r);
	r->suite = "net";
	r->baseline_file = "regress/net/baseline.txt";
	r->version = "0.1.0";
	r->board = "rpi4";
	r->board_key = "a1b2c3";
	r->board_fact = board_facts;
	r->nboard_fact = 2;
	r->toolchain_fact = toolchain;
	r->ntoolchain_fact = 2;
	r->model = "net";
	r->graph = "0123456789abcdef";
	r->seed = 18446744073709551615u;
	r->started = 1767225600;
	r->seconds = 84.5;
	r->attempts = 2;
	r->ncanary = 1;
	r->canary[0] = (RegressCanary){"conv_0", 1000, 1010, 0};
	r->command = "hone regress --baseline regress/net";
	r->kernel = k;
	r->nkernel = n;
}

static void
one(RegressVerdict v, Arena *a, RegressResult *r)
{
	RegressKernel *k = ARENA_NEW(a, RegressKernel);

	make_kernel(k, v, a);
	make_result(r, k, 1);
}

static void
all(Arena *a, RegressResult *r)
{
	static RegressPast past[] = {{1767000000, 12100, REGRESS_OK, "0.1.0"},
				     {1767100000, 12600, REGRESS_REGRESSED, ""}};
	RegressKernel *k = ARENA_ARRAY(a, RegressKernel, REGRESS_VERDICTS + 1);

	for (int v = 0; v < REGRESS_VERDICTS; v++)
		make_kernel(&k[v], (RegressVerdict)v, a);
	make_kernel(&k[REGRESS_VERDICTS], REGRESS_OK, a);
	k[REGRESS_VERDICTS].kind = REGRESS_MODEL;
	k[REGRESS_VERDICTS].name = "model";
	k[REGRESS_OK].past = past;
	k[REGRESS_OK].npast = 2;
	k[REGRESS_INCONCLUSIVE].two_modes = true;
	k[REGRESS_INCONCLUSIVE].est.detectable = 1.05;
	make_result(r, k, REGRESS_VERDICTS + 1);
}

#define HOSTILE "=<script>\"'&]]>|`*_[x](y)\n::error::%0A,:\x1b[31m\xff\xe2\x80\xae```\t--> & -- "

static void
hostile(Arena *a, RegressResult *r)
{
	static const RegressFact facts[] = {{HOSTILE, HOSTILE}};
	RegressKernel *k = ARENA_ARRAY(a, RegressKernel, 2);

	make_kernel(&k[0], REGRESS_REGRESSED, a);
	make_kernel(&k[1], REGRESS_WRONG, a);
	for (int i = 0; i < 2; i++)
		k[i].name = k[i].task = k[i].new_code = k[i].reason = k[i].command = HOSTILE;
	make_result(r, k, 2);
	r->suite = r->baseline_file = r->board = r->model = r->graph = HOSTILE;
	r->board_key = r->version = r->void_reason = r->command = HOSTILE;
	r->board_fact = r->toolchain_fact = facts;
	r->nboard_fact = r->ntoolchain_fact = 1;
	r->canary[0].name = HOSTILE;
}

/* Styles and scripts have their own tests and would hide what is meant here. */
static void
without(Str *page, const char *begin, const char *end)
{
	char *from = strstr(page->s, begin), *to = from ? strstr(from, end) : NULL;

	if (!to)
		return;
	from += strlen(begin);
	memmove(from, to, strlen(to) + 1);
	page->n = strlen(page->s);
}

static void
part(const RegressOutput *o, const char *title, const RegressResult *r, Arena *a, Str *out)
{
	RegressView view = {.width = WIDTH};
	Str page = {0};

	o->write(r, &view, a, &page);
	str_add(&page, "");
	without(&page, "<style>", "</style>");
	without(&page, "<script>\n", "</script>");
	str_printf(out, "==== %s\n%s", title, str_get(&page));
	str_fini(&page);
}

static void
form(const RegressOutput *o, Arena *a, Str *out)
{
	RegressResult r;

	for (int v = 0; v < REGRESS_VERDICTS; v++) {
		one((RegressVerdict)v, a, &r);
		part(o, regress_verdict_fact((RegressVerdict)v)->word, &r, a, out);
	}
	all(a, &r);
	part(o, "all", &r, a, out);
	hostile(a, &r);
	part(o, "hostile", &r, a, out);
}

static void
where_they_differ(const char *path, const char *got, const char *want)
{
	int line = 1, at = 0;

	for (int i = 0; got[i] && got[i] == want[i]; i++) {
		if (got[i] != '\n')
			continue;
		line++;
		at = i + 1;
	}
	fail_msg("%s, line %d: now \"%.*s\"", path, line, (int)strcspn(got + at, "\n"), got + at);
}

static void
every_verdict_in_every_form(void **state)
{
	const RegressOutput *o;

	(void)state;
	for (int i = 0; (o = regress_output(i)); i++) {
		Arena *a = arena_new();
		char path[80], *golden;
		Str now = {0};
		size_t n;
		Err e = {0};

		snprintf(path, sizeof path, "tests/golden/regress/%s.txt", o->name);
		form(o, a, &now);
		if (getenv("HONE_UPDATE_GOLDEN"))
			assert_int_equal(file_write(path, now.s, now.n, &e), OK);
		if (file_read(path, 1 << 24, &golden, &n, &e))
			fail_msg("%s", e.msg);
		if (strcmp(golden, now.s))
			where_they_differ(path, now.s, golden);
		free(golden);
		str_fini(&now);
		arena_free(a);
	}
}

static void
formats_are_found_by_name(void **state)
{
	(void)state;
	for (int i = 0; regress_output(i); i++)
		assert_ptr_equal(regress_output_of(regress_output(i)->name), regress_output(i));
	assert_null(regress_output_of("JSON"));
	assert_null(regress_output(-1));
}

/* Annotations beyond the ninth are counted; a summary stays below a megabyte. */
static void
many_kernels_are_cut(void **state)
{
	enum { MANY = 12000 };
	RegressView view = {.width = WIDTH, .color = true};
	RegressKernel *k = calloc(MANY, sizeof *k);
	Arena *a = arena_new();
	const RegressOutput *o;
	RegressResult r;

	(void)state;
	for (int i = 0; i < MANY; i++)
		make_kernel(&k[i], i % 2 ? REGRESS_WRONG : REGRESS_NEW, a);
	make_result(&r, k, MANY);
	for (int i = 0; (o = regress_output(i)); i++) {
		Str out = {0};

		o->write(&r, &view, a, &out);
		if (!strcmp(o->name, "github"))
			assert_non_null(strstr(out.s, "::error title=hone regress::5991 more"));
		if (!strcmp(o->name, "markdown"))
			assert_in_range(out.n, 800000, 1000000);
		str_fini(&out);
	}
	free(k);
	arena_free(a);
}

/* Whatever the numbers, columns of the table stand apart. */
static void
wide_numbers_stand_apart(void **state)
{
	static const struct {
		double ratio;
		const char *text;
	} list[] = {{29.317, " 29.32  28.46 to 30.60 "},
		    {293.17, " 293.2  284.6 to 306.0 "},
		    {2931.7, " 2932    2846 to 3060 "},
		    {2931700, " 2931700 2846200 to 3060300 "}};
	RegressView view = {.width = WIDTH};
	Arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		double x = list[i].ratio;
		RegressKernel k;
		RegressResult r;
		Str out = {0};

		make_kernel(&k, REGRESS_REGRESSED, a);
		k.est.ratio = x;
		k.est.low = x * 28.462 / 29.317;
		k.est.high = x * 30.603 / 29.317;
		make_result(&r, &k, 1);
		regress_terminal(&r, &view, a, &out);
		if (!strstr(out.s, list[i].text))
			fail_msg("no '%s' in %s", list[i].text, out.s);
		str_fini(&out);
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verdict_in_every_form),
		cmocka_unit_test(formats_are_found_by_name),
		cmocka_unit_test(many_kernels_are_cut),
		cmocka_unit_test(wide_numbers_stand_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
