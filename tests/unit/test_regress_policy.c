/* Policy files: what is said is read, what is not known or makes no sense is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "regress/policy.h"

static bool
is_default(const RegressPolicy *p)
{
	RegressPolicy d;

	regress_policy_init(&d);
	return p->threshold == d.threshold && p->pairs_first == d.pairs_first &&
	       p->pairs_step == d.pairs_step && p->pairs_most == d.pairs_most &&
	       p->dropped_most == d.dropped_most && p->family_error == d.family_error &&
	       p->canary_limit == d.canary_limit && p->inconclusive == d.inconclusive &&
	       p->noverride == 0;
}

static void
everything_is_read(void **state)
{
	static const char text[] =
		"{\"version\": 1, \"threshold\": 0.04, \"family_error\": 0.05,\n"
		" \"pairs\": {\"first\": 8, \"step\": 4, \"most\": 40, \"dropped\": 5},\n"
		" \"canary_limit\": 0.2, \"inconclusive\": 1,\n"
		" \"kernel\": [{\"match\": \"conv*\", \"threshold\": 0.1},\n"
		"  {\"match\": \"*/add_?\", \"threshold\": 0.2}]}";
	Arena *a = arena_new();
	RegressPolicy p;
	Err e = {0};

	(void)state;
	assert_int_equal(regress_policy_parse(text, a, &p, &e), OK);
	assert_true(p.threshold == .04 && p.family_error == .05 && p.canary_limit == .2);
	assert_true(p.pairs_first == 8 && p.pairs_step == 4 && p.pairs_most == 40);
	assert_true(p.dropped_most == 5 && p.inconclusive == 1 && p.noverride == 2);
	assert_true(regress_policy_threshold(&p, "conv1") == .1);
	assert_true(regress_policy_threshold(&p, "conv1/add_2") == .2);
	assert_true(regress_policy_threshold(&p, "add_2") == .04);
	assert_true(regress_policy_threshold(&p, "") == .04);
	arena_free(a);
}

static void
what_is_missing_is_the_default(void **state)
{
	Arena *a = arena_new();
	RegressPolicy p;
	Err e = {0};

	(void)state;
	assert_int_equal(regress_policy_parse("{\"version\":1}", a, &p, &e), OK);
	assert_true(is_default(&p));
	arena_free(a);
}

static void
mistakes_are_named(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", "JSON"},
		{"[1]", "version"},
		{"{}", "version"},
		{"{\"version\": 2}", "only 1"},
		{"{\"version\": \"1\"}", "only 1"},
		{"{\"version\": 1, \"treshold\": 0.1}", "treshold: there is no such"},
		{"{\"version\": 1, \"threshold\": 0}", "threshold: a number from 0.001"},
		{"{\"version\": 1, \"threshold\": -1}", "threshold"},
		{"{\"version\": 1, \"threshold\": 1e400}", "threshold"},
		{"{\"version\": 1, \"threshold\": \"3 %\"}", "threshold"},
		{"{\"version\": 1, \"threshold\": 0.1, \"threshold\": 0.2}", "said twice"},
		{"{\"version\": 1, \"pairs\": 3}", "pairs: an object"},
		{"{\"version\": 1, \"pairs\": {}}", "pairs: an object"},
		{"{\"version\": 1, \"pairs\": [1]}", "pairs: an object"},
		{"{\"version\": 1, \"pairs\": {\"first\": 0}}", "first: a number"},
		{"{\"version\": 1, \"pairs\": {\"first\": 2.5}}", "first: a whole"},
		{"{\"version\": 1, \"pairs\": {\"last\": 2}}", "last: there is no"},
		{"{\"version\": 1, \"pairs\": {\"first\": 40}}", "more than most"},
		{"{\"version\": 1, \"inconclusive\": 2}", "6, 0 or 1"},
		{"{\"version\": 1, \"kernel\": {\"match\": 1}}", "kernel: a list"},
		{"{\"version\": 1, \"kernel\": [1]}", "kernel 1: match"},
		{"{\"version\": 1, \"kernel\": [{\"match\": \"\"}]}", "kernel 1: match"},
		{"{\"version\": 1, \"kernel\": [{\"match\": \"a\"}]}", "kernel 1"},
		{"{\"version\": 1, \"kernel\": [{\"match\": \"a\", \"threshold\": 0}]}",
		 "kernel 1: threshold"},
		{"{\"version\": 1, \"kernel\": [{\"match\": \"a\", \"threshold\": 1, \"b\": "
		 "1}]}",
		 "nothing else"},
	};
	Arena *a = arena_new();
	RegressPolicy p;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		Err e = {0};

		assert_int_equal(regress_policy_parse(bad[i].text, a, &p, &e), ERR_INPUT);
		if (!strstr(e.msg, bad[i].says))
			fail_msg("%s: says \"%s\"", bad[i].text, e.msg);
		assert_true(is_default(&p));
	}
	arena_free(a);
}

static void
files_are_read_whole(void **state)
{
	char path[] = "/tmp/policyXXXXXX";
	int fd = mkstemp(path);
	Arena *a = arena_new();
	RegressPolicy p;
	Err e = {0};

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "{\"version\": 1}\0{", 16), 16);
	close(fd);
	assert_int_equal(regress_policy_read(path, a, &p, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, path));
	assert_int_equal(truncate(path, 14), 0);
	assert_int_equal(regress_policy_read(path, a, &p, NULL), OK);
	unlink(path);
	assert_int_equal(regress_policy_read(path, a, &p, NULL), ERR_IO);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_read),
		cmocka_unit_test(what_is_missing_is_the_default),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(files_are_read_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
