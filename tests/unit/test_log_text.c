/* db: exported text, and what import makes of it and of worse. */
#include "base/hash.h"
#include "tests/unit/log_case.h"

static void
exported_text_imports_again(void **state)
{
	Bench *b = *state;
	Log *l = opened(b), *other;
	LogRow r = row("direct\nvec=k k:16\n", 1e6 / 3), crash = row("a\\b\tc\x01\n", 0);
	Str first = {0}, second = {0}, best = {0};
	char path[72];
	LogImport in;
	Err e = {0};

	crash.status = "CRASH";
	crash.nsample = 0;
	added(l, &crash);
	added(l, &r);
	add_timed(l, "b\n", 5, 1, "s1", "race");
	assert_int_equal(log_export(l, false, &first, &e), OK);
	assert_int_equal(log_export(l, true, &best, &e), OK);
	assert_int_equal(log_import(l, str_get(&first), first.n, &in, &e), OK);
	assert_int_equal(in.known, 3);
	assert_int_equal(in.added + in.refused, 0);
	str_fini(&in.reasons);
	snprintf(path, sizeof path, "%s.2", b->path);
	assert_int_equal(log_open(path, &other, &e), OK);
	assert_int_equal(log_import(other, str_get(&first), first.n, &in, &e), OK);
	assert_int_equal(in.added, 3);
	assert_string_equal(str_get(&in.reasons), "");
	str_fini(&in.reasons);
	assert_int_equal(log_export(other, false, &second, &e), OK);
	assert_string_equal(str_get(&first), str_get(&second));
	assert_non_null(strstr(str_get(&first), "sched=a\\\\b\\x09c\\x01\\n"));
	assert_non_null(strstr(str_get(&best), "sched=b\\n"));
	assert_null(strstr(str_get(&best), "vec=k"));
	log_close(l);
	log_close(other);
	str_fini(&first);
	str_fini(&second);
	str_fini(&best);
}

/* Texts go along with the rows that name them, and must be what their digests say. */
static void
texts_travel_with_rows(void **state)
{
	static const char body[] = "in x\tf32\n";
	Bench *b = *state;
	Log *l = opened(b), *other;
	char path[72], hex[DIGEST_TEXT];
	LogRow r = row("a\n", 5);
	Str text = {0}, damaged = {0};
	const char *got;
	LogImport in;
	Err e = {0};

	digest_name(body, hex);
	r.key.task = hex;
	added(l, &r);
	assert_int_equal(log_put_text(l, "task", hex, body, &e), OK);
	assert_int_equal(log_put_text(l, "task", "nobody's", "else", &e), OK);
	assert_int_equal(log_export(l, true, &text, &e), OK);
	assert_null(strstr(str_get(&text), "nobody's"));
	snprintf(path, sizeof path, "%s.2", b->path);
	assert_int_equal(log_open(path, &other, &e), OK);
	str_printf(&damaged, "hone log 1\nkind=task\tdigest=%s\tbody=other\n", hex);
	str_printf(&damaged, "kind=plan\tdigest=%s\tbody=other\n", hex);
	str_printf(&damaged, "kind=task\tbody=other\nkind=task\n");
	str_printf(&damaged, "kind=task\tdigest=%s\tbody=other\tcode=c\n", hex);
	assert_int_equal(log_import(other, str_get(&damaged), damaged.n, &in, &e), OK);
	assert_int_equal(in.refused, 5);
	assert_non_null(strstr(str_get(&in.reasons), "line 2: digest: "));
	assert_non_null(
		strstr(str_get(&in.reasons), "line 3: kind: 'plan', expected task or form"));
	assert_non_null(strstr(str_get(&in.reasons), "line 4: 'body', expected digest="));
	assert_non_null(strstr(str_get(&in.reasons), "line 5: 'nothing', expected digest="));
	assert_non_null(strstr(str_get(&in.reasons), "line 6: body: 'code=c', expected no more"));
	str_fini(&in.reasons);
	assert_int_equal(log_get_text(other, b->a, "task", hex, &got, &e), NOT_APPLICABLE);
	assert_int_equal(log_import(other, str_get(&text), text.n, &in, &e), OK);
	assert_int_equal(in.added, 1);
	assert_int_equal(in.refused, 0);
	str_fini(&in.reasons);
	assert_int_equal(log_get_text(other, b->a, "task", hex, &got, &e), OK);
	assert_string_equal(got, body);
	log_close(l);
	log_close(other);
	str_fini(&text);
	str_fini(&damaged);
}

/* Import sorts rows of two races into one another. */
static void
the_newest_race_counts_after_an_import_too(void **state)
{
	Bench *b = *state;
	Log *l = opened(b), *other;
	LogKey k = key();
	Str text = {0};
	char path[72];
	LogImport in;
	LogBest best;
	Err e = {0};

	for (int race = 1; race <= 2; race++)
		for (int i = 0; i < 4; i++) {
			char sched[] = {(char)('a' + 2 * i + race % 2), '\n', 0};
			LogRow r = row(sched, 10 * race + i);

			r.race = 1;
			r.session = race == 1 ? "s1" : "s2";
			r.stage = i == 2 ? LOG_STAGE_WINNER : "race";
			r.time += race;
			added(l, &r);
		}
	assert_int_equal(log_best(l, b->a, &k, NULL, &best, &e), OK);
	assert_string_equal(best.row.sched, "e\n");
	assert_int_equal(log_export(l, false, &text, &e), OK);
	snprintf(path, sizeof path, "%s.2", b->path);
	assert_int_equal(log_open(path, &other, &e), OK);
	assert_int_equal(log_import(other, str_get(&text), text.n, &in, &e), OK);
	str_fini(&in.reasons);
	assert_int_equal(log_best(other, b->a, &k, NULL, &best, &e), OK);
	assert_string_equal(best.row.sched, "e\n");
	log_close(l);
	log_close(other);
	str_fini(&text);
}

#define GOOD "task=t\tform=f\ttarget=x\tsched=s\\n\tstatus=CRASH\ttime=1"

static void
bad_lines_are_refused_one_by_one(void **state)
{
	static const struct {
		const char *line, *reason;
	} bad[] = {
		{"task", "NAME=VALUE"},
		{GOOD "\ttime=2", "second field 'time'"},
		{GOOD "\tcolour=red", "unknown field 'colour'"},
		{GOOD "\tbest_ns=fast", "best_ns: 'fast', expected a finite number"},
		{GOOD "\tbest_ns=1e999", "best_ns"},
		{GOOD "\tbest_ns=1x", "best_ns"},
		{GOOD "\tseed=1.5", "seed: '1.5', expected an integer"},
		{GOOD "\tseed=99999999999999999999", "seed"},
		{GOOD "\tsamples=1,,2", "samples"},
		{GOOD "\tsamples=1,-2", "samples: -2"},
		{GOOD "\treason=a\\q", "reason: '\\q', expected \\n, \\\\ or \\xHH"},
		{GOOD "\treason=\\x00", "reason"},
		{GOOD "\tcode=", "code: '', expected a value"},
		{"task=t\tform=f\ttarget=x\tsched=s\tstatus=CRASH", "time: nothing"},
		{"task=t\tform=f\ttarget=x\tsched=s\tstatus=OK\ttime=1", "best_ns 0"},
		{"task=t\ttarget=x\tsched=s\tstatus=OK\ttime=1", "form: nothing"},
	};
	enum { BAD = sizeof bad / sizeof *bad };
	Log *l = opened(*state);
	Str text = {0};
	LogImport in;
	Err e = {0};
	char head[32];

	assert_int_equal(log_import(l, GOOD "\n", sizeof GOOD, &in, &e), ERR_INPUT); /* no head */
	str_fini(&in.reasons);
	str_add(&text, "hone log 1\n# by hand\n\n" GOOD "\n");
	for (int i = 0; i < BAD; i++)
		str_printf(&text, "%s\n", bad[i].line);
	str_add(&text, GOOD "\n" GOOD "\tseed=5");
	e = (Err){0};
	assert_int_equal(log_import(l, str_get(&text), text.n, &in, &e), OK);
	assert_int_equal(in.added, 2);
	assert_int_equal(in.known, 1);
	assert_int_equal(in.refused, BAD);
	for (int i = 0; i < BAD; i++) {
		const char *line;

		snprintf(head, sizeof head, "line %d: ", i + 5);
		line = strstr(str_get(&in.reasons), head);
		assert_non_null(line);
		assert_memory_equal(line, head, strlen(head));
		if (!strstr(line, bad[i].reason) ||
		    strstr(line, bad[i].reason) > strchr(line, '\n'))
			fail_msg("%s: %s", bad[i].reason, line);
	}
	str_fini(&in.reasons);
	str_fini(&text);
	log_close(l);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(exported_text_imports_again),
		CASE(texts_travel_with_rows),
		CASE(the_newest_race_counts_after_an_import_too),
		CASE(bad_lines_are_refused_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
