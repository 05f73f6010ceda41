/* Result -> SARIF 2.1.0 for code scanning: what makes the exit status other than 0 is a result, at
 * its line of the baseline. A rule is a verdict. */
#include <string.h>

#include "base/json.h"
#include "regress/exit.h"
#include "regress/words.h"

/* Services show five thousand results of a run. */
enum { RESULTS_MAX = 5000 };

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

static const char *
level_of(RegressVerdict v)
{
	return v == REGRESS_INCONCLUSIVE || v == REGRESS_STALE ? "warning" : "error";
}

static void
message(Json *in, const char *key, const char *text)
{
	json_text(json_object(in, key), "text", text);
}

/* The verdicts that can be results, in the order of the enum; at[v]: index of v's. */
static void
rules(Json *driver, int at[REGRESS_VERDICTS])
{
	Json *list = json_array(driver, "rules");
	int n = 0;

	for (int v = 0; v < REGRESS_VERDICTS; v++) {
		const RegressVerdictFact *fact = regress_verdict_fact((RegressVerdict)v);
		Json *o;

		at[v] = -1;
		if (!fact->exit_code)
			continue;
		at[v] = n++;
		o = json_object(list, NULL);
		json_text(o, "id", fact->word);
		message(o, "shortDescription", fact->text);
		json_text(json_object(o, "defaultConfiguration"), "level",
			  level_of((RegressVerdict)v));
	}
}

/* A path as a relative reference: what is not plain is percent-encoded. */
static const char *
uri_of(const char *path, Arena *a)
{
	Str s = {0};
	const char *uri;

	while (!strncmp(path, "./", 2))
		path += 2;
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("/-._~", c))
			str_addn(&s, path, 1);
		else
			str_printf(&s, "%%%02X", c);
	}
	uri = arena_strdup(a, str_get(&s));
	str_fini(&s);
	return uri;
}

static void
location(Json *in, const RegressResult *r, const RegressKernel *k, Arena *a)
{
	Json *o = json_object(json_array(in, "locations"), NULL);
	Json *at = json_object(o, "physicalLocation");
	const char *file = *r->baseline_file ? r->baseline_file : r->suite;

	json_text(json_object(at, "artifactLocation"), "uri", uri_of(*file ? file : "baseline", a));
	json_number(json_object(at, "region"), "startLine", k->line > 0 ? k->line : 1);
}

static void
result(Json *in, const RegressResult *r, const RegressKernel *k, int rule, Arena *a)
{
	const char *word = regress_verdict_fact(k->verdict)->word;
	Json *o = json_object(in, NULL), *more;

	json_text(o, "ruleId", word);
	json_number(o, "ruleIndex", rule);
	json_text(o, "level", level_of(k->verdict));
	message(o, "message",
		arena_printf(a, "%s: %s%s%s", words_clean(a, k->name), words_why(a, k),
			     *k->command ? "; again: " : "", words_clean(a, k->command)));
	location(o, r, k, a);
	json_text(json_object(o, "partialFingerprints"), "honeKernel/v1",
		  arena_printf(a, "%s %s %s", word, words_clean(a, k->task),
			       words_clean(a, k->name)));
	more = json_object(o, "properties");
	json_number(more, "ratio", k->est.ratio);
	json_number(more, "low", k->est.low);
	json_number(more, "high", k->est.high);
	json_number(more, "pairs", k->est.used);
}

static void
invocation(Json *run, const RegressResult *r, Arena *a)
{
	int status = regress_exit(r);
	Json *o = json_object(json_array(run, "invocations"), NULL);

	json_bool(o, "executionSuccessful", status != 4);
	json_number(o, "exitCode", status);
	json_text(o, "exitCodeDescription", regress_exit_text(status));
	json_text(o, "startTimeUtc", words_time(a, r->started));
	json_text(o, "endTimeUtc", words_time(a, r->started + (int64_t)r->seconds));
	if (*r->command)
		json_text(o, "commandLine", words_clean(a, r->command));
}

void
regress_sarif(const RegressResult *r, const RegressView *v, Arena *a, Str *out)
{
	Json *o = json_object(NULL, NULL), *run, *driver, *list;
	const RegressKernel **k = regress_ordered(r, a);
	int at[REGRESS_VERDICTS], n = 0;

	(void)v;
	json_text(o, "$schema", SCHEMA);
	json_text(o, "version", "2.1.0");
	run = json_object(json_array(o, "runs"), NULL);
	driver = json_object(json_object(run, "tool"), "driver");
	json_text(driver, "name", "hone regress");
	json_text(driver, "version", words_clean(a, *r->version ? r->version : "unknown"));
	rules(driver, at);
	json_text(json_object(run, "automationDetails"), "id",
		  arena_printf(a, "hone-regress/%s/", words_clean(a, r->suite)));
	invocation(run, r, a);
	list = json_array(run, "results");
	for (int i = 0; i < r->nkernel && n < RESULTS_MAX; i++) {
		if (at[k[i]->verdict] < 0)
			continue;
		result(list, r, k[i], at[k[i]->verdict], a);
		n++;
	}
	json_print(o, out);
	json_free(o);
}
