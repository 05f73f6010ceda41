/* Result -> JUnit XML, one test case a kernel. There is no one schema; this keeps to what the
 * readers of continuous-integration servers agree on: order of elements, attributes that all know.
 */
#include "regress/words.h"
#include "report/text.h"

/* What a verdict is for a test: nothing, or an element. */
static const char *
element_of(const RegressResult *r, const RegressKernel *k)
{
	static const char *const element[] = {
		[REGRESS_WRONG] = "failure",        [REGRESS_CRASH] = "error",
		[REGRESS_REGRESSED] = "failure",    [REGRESS_NO_BOARD] = "error",
		[REGRESS_INCONCLUSIVE] = "skipped", [REGRESS_STALE] = "skipped",
		[REGRESS_NEW] = "skipped",          [REGRESS_MISSING] = "skipped",
		[REGRESS_UNCHANGED] = NULL,
	};

	/* A pipeline that fails because of it has to show why. */
	if (regress_verdict_fact(k->verdict)->exit_code == 6 && r->policy.inconclusive == 1)
		return "failure";
	return element[k->verdict];
}

static int
count(const RegressResult *r, const char *element)
{
	int n = 0;

	for (int i = 0; i < r->nkernel; i++) {
		const char *e = element_of(r, &r->kernel[i]);

		n += e && *e == *element;
	}
	return n;
}

static void
attribute(Str *out, const char *name, const char *value)
{
	str_printf(out, " %s=\"", name);
	text_escape(out, value);
	str_add(out, "\"");
}

static void
counts(const RegressResult *r, Str *out)
{
	str_printf(out, " tests=\"%d\" failures=\"%d\" errors=\"%d\"", r->nkernel,
		   count(r, "failure"), count(r, "error"));
}

static void
property(Str *out, Arena *a, const char *name, const char *value)
{
	if (!*value)
		return;
	str_add(out, "      <property");
	attribute(out, "name", words_clean(a, name));
	attribute(out, "value", words_clean(a, value));
	str_add(out, "/>\n");
}

static void
properties(const RegressResult *r, Arena *a, Str *out)
{
	str_add(out, "    <properties>\n");
	property(out, a, "hone", r->version);
	property(out, a, "board", r->board);
	for (int i = 0; i < r->nboard_fact; i++)
		property(out, a, r->board_fact[i].name, r->board_fact[i].value);
	for (int i = 0; i < r->ntoolchain_fact; i++)
		property(out, a, r->toolchain_fact[i].name, r->toolchain_fact[i].value);
	property(out, a, "graph", r->graph);
	property(out, a, "threshold", arena_printf(a, "%g", r->policy.threshold));
	property(out, a, "seed", arena_printf(a, "%llu", (unsigned long long)r->seed));
	property(out, a, "comparisons", arena_printf(a, "%d", r->attempts));
	property(out, a, "command", r->command);
	str_add(out, "    </properties>\n");
}

/* What a person reads who opens the case. */
static const char *
details(const RegressKernel *k, Arena *a)
{
	return arena_printf(a,
			    "%s\nratio %s, interval %s, baseline %s, new %s, %d pairs, %d dropped, "
			    "sees %s\ntask %s\n%s%s",
			    words_why(a, k), words_ratio(a, &k->est), words_interval(a, &k->est),
			    words_ns(a, k->est.baseline_ns), words_ns(a, k->est.new_ns),
			    k->est.used, k->est.dropped, words_sees(a, &k->est),
			    words_clean(a, k->task), *k->command ? "again: " : "",
			    words_clean(a, k->command));
}

static void
test_case(const RegressResult *r, const RegressKernel *k, Arena *a, Str *out)
{
	const RegressVerdictFact *fact = regress_verdict_fact(k->verdict);
	const char *element = element_of(r, k);

	str_add(out, "    <testcase");
	attribute(out, "classname",
		  arena_printf(a, "regress.%s.%s", words_clean(a, r->suite),
			       regress_kind_word(k->kind)));
	attribute(out, "name", words_clean(a, k->name));
	str_printf(out, " time=\"%.9f\">\n", k->est.new_ns / 1e9);
	if (element) {
		str_printf(out, "      <%s", element);
		if (*element != 's')
			attribute(out, "type", fact->word);
		attribute(out, "message", arena_printf(a, "%s: %s", fact->word, words_why(a, k)));
		str_add(out, ">");
		text_escape(out, details(k, a));
		str_printf(out, "</%s>\n", element);
	} else {
		str_add(out, "      <system-out>");
		text_escape(out, arena_printf(a, "%s: %s", fact->word, details(k, a)));
		str_add(out, "</system-out>\n");
	}
	str_add(out, "    </testcase>\n");
}

static void
warn(void *self, const char *text)
{
	text_escape(self, text);
	str_add(self, "\n");
}

void
regress_junit(const RegressResult *r, const RegressView *v, Arena *a, Str *out)
{
	const char *suite = arena_printf(a, "regress.%s", words_clean(a, r->suite));

	(void)v;
	str_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
	attribute(out, "name", "hone regress");
	counts(r, out);
	str_printf(out, " time=\"%.3f\">\n  <testsuite", r->seconds);
	attribute(out, "name", suite);
	counts(r, out);
	/* Without the Z: the schemas want a time without a zone. */
	str_printf(out, " skipped=\"%d\" time=\"%.3f\" timestamp=\"%.19s\"", count(r, "skipped"),
		   r->seconds, words_time(a, r->started));
	attribute(out, "hostname", words_clean(a, *r->board ? r->board : "none"));
	str_add(out, ">\n");
	properties(r, a, out);
	for (int i = 0; i < r->nkernel; i++)
		test_case(r, &r->kernel[i], a, out);
	str_add(out, "    <system-out>");
	text_escape(out, words_counts(a, r));
	str_add(out, "\n");
	words_warnings(a, r, warn, out);
	str_add(out, "</system-out>\n  </testsuite>\n</testsuites>\n");
}
