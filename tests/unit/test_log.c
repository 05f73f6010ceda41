/* db: rows come back as they went in; grades of a look-up; races; what is refused. */
#include <math.h>
#include <time.h>

#include "tests/unit/log_case.h"

static void
assert_rows_equal(const LogRow *x, const LogRow *y)
{
	assert_int_equal(x->id, y->id);
#define X(field, text) assert_string_equal(x->key.field, y->key.field);
	LOG_KEY_LIST(X)
#undef X
	assert_string_equal(x->algorithm, y->algorithm);
	assert_string_equal(x->sched, y->sched);
	assert_string_equal(x->status, y->status);
	assert_string_equal(x->reason, y->reason);
	assert_int_equal(x->nsample, y->nsample);
	for (int i = 0; i < x->nsample; i++)
		assert_true(x->samples[i] == y->samples[i]);
	assert_true(x->best_ns == y->best_ns && x->median_ns == y->median_ns);
	assert_true(x->max_error == y->max_error && x->expected_ns == y->expected_ns);
	assert_true(x->calibration_before == y->calibration_before);
	assert_true(x->calibration_after == y->calibration_after);
	assert_string_equal(x->code, y->code);
	assert_string_equal(x->generator, y->generator);
	assert_string_equal(x->llvm, y->llvm);
	assert_int_equal(x->insecure, y->insecure);
	assert_string_equal(x->stage, y->stage);
	assert_string_equal(x->session, y->session);
	assert_int_equal(x->seed, y->seed);
	assert_int_equal(x->sandbox, y->sandbox);
	assert_int_equal(x->race, y->race);
	assert_int_equal(x->time, y->time);
}

static void
rows_come_back(void **state)
{
	Bench *b = *state;
	Log *l = opened(b);
	LogRow r[2] = {row("direct\nvec=k k:16\n", 100.125), row("direct\ninline\n", 1)}, *got;
	LogKey any = {0}, other = key();
	Err e = {0};
	int n;

	r[1].status = "CRASH";
	r[1].reason = "signal 11\tat \"x\"";
	r[1].nsample = 0;
	r[1].best_ns = r[1].median_ns = 0;
	r[1].race = 7;
	assert_int_equal(log_add(l, r, 2, &e), OK);
	log_close(l);
	assert_int_equal(log_open_read(b->path, &l, &e), OK);
	assert_int_equal(log_rows(l, b->a, &any, &got, &n, &e), OK);
	assert_int_equal(n, 2);
	assert_rows_equal(&got[0], &r[0]);
	assert_rows_equal(&got[1], &r[1]);
	other.task = NULL;
	other.mode = "hot";
	assert_int_equal(log_rows(l, b->a, &other, &got, &n, &e), OK);
	assert_int_equal(n, 0);
	assert_int_equal(log_add(l, r, 1, &e), ERR_INTERNAL); /* a reader does not write */
	log_close(l);
}

static void
time_is_filled_in(void **state)
{
	Log *l = opened(*state);
	LogRow r = row("direct\n", 5);

	r.time = 0;
	added(l, &r);
	assert_true(llabs((long long)(r.time - (int64_t)time(NULL))) < 5);
	log_close(l);
}

static void
texts_and_plans_come_back(void **state)
{
	Bench *b = *state;
	Log *l = opened(b);
	const char *text;
	LogPlan *plan;
	Err e = {0};
	int n;

	assert_int_equal(log_get_text(l, b->a, "task", "ab", &text, &e), NOT_APPLICABLE);
	assert_int_equal(log_put_text(l, "task", "ab", "task\n  in x\n", &e), OK);
	assert_int_equal(log_put_text(l, "task", "ab", "task\n  in x\n", &e), OK);
	assert_int_equal(log_get_text(l, b->a, "task", "ab", &text, &e), OK);
	assert_string_equal(text, "task\n  in x\n");
	assert_int_equal(log_get_text(l, b->a, "form", "ab", &text, &e), NOT_APPLICABLE);
	assert_int_equal(log_put_plan(l, "g", "t", "one", &e), OK);
	assert_int_equal(log_put_plan(l, "g", "t", "two", &e), OK);
	assert_int_equal(log_get_plan(l, b->a, "g", "t", &text, &e), OK);
	assert_string_equal(text, "two");
	assert_int_equal(log_get_plan(l, b->a, "g", "u", &text, &e), NOT_APPLICABLE);
	assert_int_equal(log_put_plan(l, "g in 1000", "t", "less", &e), OK);
	assert_int_equal(log_put_plan(l, "g2", "t", "another", &e), OK);
	assert_int_equal(log_plans(l, b->a, "g", &plan, &n, &e), OK);
	assert_int_equal(n, 2);
	assert_string_equal(plan[0].text, "two");
	assert_string_equal(plan[1].text, "less");
	log_close(l);
}

static void
grades_fall_and_name_what_differs(void **state)
{
	static const struct {
		LogGrade grade;
		const char *differs;
		LogKey change; /* fields that are set replace those of key() */
	} cases[] = {
		{LOG_EXACT, "", {0}},
		{LOG_TARGET, "tolerance", {.tolerance = "strict"}},
		{LOG_TARGET, "device", {.device = "other", .mode = "hot"}},
		{LOG_FAMILY, "target", {.target = "aarch64", .device = "other"}},
		{LOG_FORM, "form", {.form = "00", .target = "aarch64"}},
		{LOG_NONE, "", {.task = "00"}},
	};
	Bench *b = *state;
	Log *l = opened(b);
	LogRow r = row("direct\n", 5);

	added(l, &r);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		LogKey k = key();
		LogBest best;
		Err e = {0};

#define X(field, text)             \
	if (cases[i].change.field) \
		k.field = cases[i].change.field;
		LOG_KEY_LIST(X)
#undef X
		assert_int_equal(log_best(l, b->a, &k, NULL, &best, &e),
				 cases[i].grade == LOG_NONE ? NOT_APPLICABLE : OK);
		assert_int_equal(best.grade, cases[i].grade);
		assert_string_equal(best.differs, cases[i].differs);
		if (best.grade != LOG_NONE)
			assert_rows_equal(&best.row, &r);
	}
	log_close(l);
}

static const char *
best_sched_of(Log *l, Arena *a, const LogKey *k, LogBest *best)
{
	Err e = {0};

	if (log_best(l, a, k, NULL, best, &e))
		fail_msg("%s", e.msg);
	return best->row.sched;
}

static const char *
best_sched(Log *l, Arena *a, LogBest *best)
{
	LogKey k = key();

	return best_sched_of(l, a, &k, best);
}

static void
a_better_grade_counts_before_a_faster_row(void **state)
{
	Bench *b = *state;
	Log *l = opened(b);
	LogRow far = row("fast elsewhere\n", 1), here = row("here\n", 100), bad = row("bad\n", 0);
	LogBest best;

	far.key.device = "other";
	bad.status = "WRONG";
	added(l, &far);
	added(l, &bad);
	assert_string_equal(best_sched(l, b->a, &best), "fast elsewhere\n");
	assert_int_equal(best.grade, LOG_TARGET);
	added(l, &here);
	assert_string_equal(best_sched(l, b->a, &best), "here\n");
	assert_int_equal(best.grade, LOG_EXACT);
	log_close(l);
}

static void
a_race_counts_before_single_times(void **state)
{
	Bench *b = *state;
	Log *l = opened(b);
	LogRow lucky = row("lucky\n", 10);
	LogBest best;

	add_timed(l, "a\n", 30, 0, "s1", "top");
	add_timed(l, "b\n", 30, 0, "s1", "top");
	added(l, &lucky);
	assert_string_equal(best_sched(l, b->a, &best), "lucky\n");
	add_timed(l, "a\n", 31, 1, "s1", "race");
	add_timed(l, "b\n", 29, 1, "s1", "race");
	add_timed(l, "c\n", 29, 1, "s1", "race"); /* tie: the older */
	assert_string_equal(best_sched(l, b->a, &best), "b\n");
	add_timed(l, "d\n", 11, 0, "s2", "random"); /* alone, later: does not count */
	assert_string_equal(best_sched(l, b->a, &best), "b\n");
	add_timed(l, "a\n", 40, 1, "s2", "race"); /* the newest race, though slower */
	add_timed(l, "c\n", 41, 1, "s2", "race");
	assert_string_equal(best_sched(l, b->a, &best), "a\n");
	add_timed(l, "e\n", 20, 2, "s2", "race");
	add_timed(l, "f\n", 21, 2, "s2", LOG_STAGE_WINNER); /* the judge's word */
	add_timed(l, "g\n", 19, 2, "s2", "race");
	assert_string_equal(best_sched(l, b->a, &best), "f\n");
	log_close(l);
}

static void
bad_rows_are_refused_by_field(void **state)
{
	Bench *b = *state;
	Log *l = opened(b);
	LogRow r[6], *got;
	const char *field[] = {"sched", "max_error", "samples", "best_ns", "task", "race"};
	const double bad[] = {1, -1};
	LogKey any = {0};
	int n;

	for (int i = 0; i < 6; i++)
		r[i] = row("a\n", 3);
	r[0].sched = "";
	r[1].max_error = NAN;
	r[2].samples = bad;
	r[2].nsample = 2;
	r[3].best_ns = 0;
	r[4].key.task = NULL;
	r[5].race = -1;
	for (int i = 0; i < 6; i++) {
		LogRow two[2] = {row("good\n", 1), r[i]};
		Err e = {0};

		assert_int_equal(log_add(l, two, 2, &e), ERR_INPUT);
		assert_non_null(strstr(e.msg, field[i]));
	}
	assert_int_equal(log_rows(l, b->a, &any, &got, &n, &(Err){0}), OK);
	assert_int_equal(n, 0);
	log_close(l);
}

static void
only_listed_algorithms_count(void **state)
{
	static const char *const some[] = {"direct", "winograd2", NULL}, *const none[] = {NULL};
	Bench *b = *state;
	Log *l = opened(b);
	LogRow plain = row("direct\n", 30), lossy = row("winograd4\n", 10), other;
	LogBest best;
	LogKey k = key();
	Err e = {0};

	lossy.algorithm = "winograd4";
	added(l, &plain);
	added(l, &lossy);
	assert_string_equal(best_sched(l, b->a, &best), "winograd4\n");
	assert_int_equal(log_best(l, b->a, &k, some, &best, &e), OK);
	assert_string_equal(best.row.sched, "direct\n");
	assert_int_equal(log_best(l, b->a, &k, none, &best, &e), NOT_APPLICABLE);
	assert_int_equal(best.grade, LOG_NONE);
	/* The winner of a race does not count, the others of that race do. */
	lossy.race = plain.race = 1;
	lossy.stage = LOG_STAGE_WINNER;
	plain.sched = "raced\n";
	added(l, &plain);
	added(l, &lossy);
	assert_int_equal(log_best(l, b->a, &k, some, &best, &e), OK);
	assert_string_equal(best.row.sched, "raced\n");
	/* A strict row of the exact key counts before a faster one of another class. */
	other = row("strict\n", 100);
	other.key.tolerance = k.tolerance = "strict";
	added(l, &other);
	assert_int_equal(log_best(l, b->a, &k, some, &best, &e), OK);
	assert_string_equal(best.row.sched, "strict\n");
	log_close(l);
}

/* What an emulator took counts for that emulated machine only, also when nothing else is known. */
static void
emulated_times_are_never_mixed(void **state)
{
	Bench *b = *state;
	Log *l = opened(b);
	LogRow emulated = row("emulated\n", 1), real = row("real\n", 100);
	LogKey k = key(), any = {.task = k.task};
	LogBest best;
	Err e = {0};

	emulated.key.device = "emulated cortex-a72 on AMD EPYC";
	added(l, &emulated);
	assert_int_equal(log_best(l, b->a, &k, NULL, &best, &e), NOT_APPLICABLE);
	assert_int_equal(log_best(l, b->a, &any, NULL, &best, &e), NOT_APPLICABLE);
	k.device = emulated.key.device;
	assert_string_equal(best_sched_of(l, b->a, &k, &best), "emulated\n");
	assert_int_equal(best.grade, LOG_EXACT);
	added(l, &real);
	assert_string_equal(best_sched_of(l, b->a, &any, &best), "real\n");
	assert_string_equal(best_sched_of(l, b->a, &k, &best), "emulated\n");
	k.device = "emulated cortex-a53";
	assert_string_equal(best_sched_of(l, b->a, &k, &best), "real\n");
	log_close(l);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(rows_come_back),
		CASE(time_is_filled_in),
		CASE(texts_and_plans_come_back),
		CASE(grades_fall_and_name_what_differs),
		CASE(a_better_grade_counts_before_a_faster_row),
		CASE(a_race_counts_before_single_times),
		CASE(bad_rows_are_refused_by_field),
		CASE(only_listed_algorithms_count),
		CASE(emulated_times_are_never_mixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
