/* What is not measured at all, and what a parcel forgets before it is sent again. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tuner/parcel.h"

enum { ITEMS = 4 };

static Candidate candidate[] = {{.id = 0}, {.id = 2}, {.id = 3}};
static ParcelItem item[ITEMS];

/* Item 1 could not be built; the others are on the device. */
static Parcel
make(uint32_t race_rounds)
{
	Parcel p = {.n = ITEMS, .item = item};

	memset(item, 0, sizeof item);
	p.batch.measure.race_rounds = race_rounds;
	p.batch.candidates.v = candidate;
	p.batch.candidates.n = 3;
	parcel_settle(&p, 1, STATUS_INFEASIBLE, "too wide");
	return p;
}

static void
expect_back(Parcel *p, const char *back)
{
	for (int i = 0; i < ITEMS; i++)
		assert_int_equal(p->item[i].back, back[i] == '1');
	for (int i = 0; i < ITEMS; i++)
		if (p->item[i].back)
			result_fini(&p->item[i].result);
}

static void
what_was_measured_stays(void **state)
{
	Parcel p = make(0);

	(void)state;
	parcel_settle(&p, 0, STATUS_OK, "");
	parcel_settle(&p, 2, STATUS_LOST, "the runner was killed");
	assert_true(parcel_lost(&p));
	assert_false(parcel_complete(&p));
	parcel_forget(&p);
	assert_false(parcel_lost(&p));
	expect_back(&p, "1100");
}

static void
of_a_race_nothing_stays_when_one_is_lost(void **state)
{
	Parcel p = make(9);

	(void)state;
	parcel_settle(&p, 0, STATUS_OK, "");
	parcel_settle(&p, 2, STATUS_LOST, "the runner was killed");
	parcel_settle(&p, 3, STATUS_OK, "");
	assert_true(parcel_complete(&p));
	parcel_forget(&p);
	expect_back(&p, "0100");
}

static void
of_a_race_nothing_stays_when_one_is_missing(void **state)
{
	Parcel p = make(9);

	(void)state;
	parcel_settle(&p, 0, STATUS_OK, "");
	parcel_settle(&p, 3, STATUS_CRASH, "");
	parcel_forget(&p);
	expect_back(&p, "0100");
}

static void
a_race_that_is_over_stays(void **state)
{
	Parcel p = make(9);

	(void)state;
	parcel_settle(&p, 0, STATUS_OK, "");
	parcel_settle(&p, 2, STATUS_CRASH, "");
	parcel_settle(&p, 3, STATUS_OK, "");
	parcel_forget(&p);
	expect_back(&p, "1111");
}

/* An agent may say anything; what is kept can be computed with. */
static void
what_is_no_number_is_not_believed(void **state)
{
	static const double bad[] = {NAN, INFINITY, 0, -1};
	Parcel p = make(0);

	(void)state;
	for (size_t i = 0; i <= sizeof bad / sizeof *bad; i++) {
		bool good = i == sizeof bad / sizeof *bad;
		Result r = {.status = STATUS_OK, .max_error = NAN, .calibration_before = INFINITY};

		r.samples.v = malloc(2 * sizeof(double));
		r.samples.v[0] = 1.5;
		r.samples.v[1] = good ? 2.5 : bad[i];
		r.samples.n = 2;
		assert_true(parcel_store(&p, &r));
		assert_int_equal(item[0].result.status, good ? STATUS_OK : STATUS_IMPLAUSIBLE);
		assert_int_equal(item[0].result.samples.n, good ? 2 : 0);
		assert_true(item[0].result.max_error == 0);
		assert_true(item[0].result.calibration_before == 0);
		result_fini(&item[0].result);
		item[0].back = false;
	}
	assert_true(parcel_store(&p, &(Result){.status = STATUS_OK})); /* without times */
	assert_int_equal(item[0].result.status, STATUS_IMPLAUSIBLE);
	assert_false(parcel_store(&p, &(Result){.candidate = ITEMS}));
	expect_back(&p, "1100");
}

/* Two candidates of a matrix product, of which the second spills. */
static void
build_two(ParcelSpec spec, void (*check)(const ParcelSpec *, const Parcel *))
{
	static const char *const texts[] = {"direct\nnest vec=n n:32 m:4 | k:4\n",
					    "direct\nnest vec=n n:96 m:8 | k:4\n"};
	static const char task[] = "task\n in a f32[32,64]\n const b f32[64,96]\n"
				   " out y f32[32,96]\n stage m:32 n:96 | k:64\n"
				   "  acc f32 sum a[m,k] * b[k,n]\n  y[m,n] = acc\n";
	Arena *a = arena_new();
	ObjectCache object = {.arena = a};
	Target target;
	Parcel *parcel;
	Problem problem;
	TaskForm f;
	Err e = {0};
	Task *t;

	if (task_parse(task, a, &t, &e) || target_named("x86-64-v4", &target, &e) ||
	    emit_open("llvm", &target, &spec.emit, &e))
		fail_msg("%s", e.msg);
	f = task_form_plain(a, t);
	assert_int_equal(problem_build(a, t, &f, &problem, &e), OK);
	spec.object = &object;
	spec.text = texts;
	spec.n = 2;
	spec.problem = &problem;
	if (parcel_build(&spec, &parcel, &e))
		fail_msg("%s", e.msg);
	check(&spec, parcel);
	parcel_free(parcel);
	emit_close(spec.emit);
	arena_free(a);
}

static void
expect_refused(const Parcel *p, int i, const char *why)
{
	assert_true(p->item[i].back);
	assert_int_equal(p->item[i].result.status, STATUS_INFEASIBLE);
	assert_string_equal(p->item[i].result.reason, why);
}

static void
check_spills(const ParcelSpec *spec, const Parcel *p)
{
	assert_false(p->item[0].back);
	if (spec->spills)
		assert_false(p->item[1].back);
	else
		expect_refused(p, 1, "vectors spill in the multiply-add loop");
}

/* A candidate whose accumulators do not fit the registers is settled without the device, unless so
 * many spills are let pass. */
static void
spilling_candidates_are_not_measured(void **state)
{
	(void)state;
	build_two((ParcelSpec){.spills = 0}, check_spills);
	build_two((ParcelSpec){.spills = 10000}, check_spills);
}

static void
check_length(const ParcelSpec *spec, const Parcel *p)
{
	assert_false(p->item[0].back);
	expect_refused(p, 1, "more code than is worth compiling");
	assert_int_equal(spec->object->code.n, 1);
}

static void
long_candidates_are_not_compiled(void **state)
{
	(void)state;
	build_two((ParcelSpec){.spills = 10000, .operations = 250}, check_length);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spilling_candidates_are_not_measured),
		cmocka_unit_test(long_candidates_are_not_compiled),
		cmocka_unit_test(what_was_measured_stays),
		cmocka_unit_test(of_a_race_nothing_stays_when_one_is_lost),
		cmocka_unit_test(of_a_race_nothing_stays_when_one_is_missing),
		cmocka_unit_test(a_race_that_is_over_stays),
		cmocka_unit_test(what_is_no_number_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
