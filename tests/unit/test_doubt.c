/* What makes a measurement doubtful, on the tuner's side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tuner/doubt.h"

enum { N = 4 };

typedef struct Case {
	Work work;
	ParcelItem item[N];
	Parcel parcel;
	double samples[N][2];
} Case;

/* Item i took found[i] ns in the search and now[i] ns now. */
static void
make(Case *c, const double *found, const double *now)
{
	static const char *const name[N] = {"a", "b", "c", "d"};

	*c = (Case){.parcel = {.n = N, .item = c->item}};
	c->work.arena = arena_new();
	for (int i = 0; i < N; i++) {
		Result *r = &c->item[i].result;

		c->item[i].text = name[i];
		c->samples[i][0] = 2 * now[i];
		c->samples[i][1] = now[i];
		*r = (Result){.calibration_before = 50, .calibration_after = 40};
		r->samples.v = c->samples[i];
		r->samples.n = 2;
		vec_push(c->work.arena, &c->work.trial,
			 ((Trial){.text = name[i], .known = true, .best_ns = found[i]}));
	}
}

static void
what_exceeds_the_peak_is_implausible(void **state)
{
	const double ns[N] = {1000, 50, 35, 39};
	Case c;

	(void)state;
	make(&c, ns, ns);
	c.work.space.floor_flops = 5000; /* 100 ns at the peak of 50 */
	c.item[3].result.calibration_before = 0;
	c.item[3].result.calibration_after = 0; /* not known */
	doubt_peaks(&c.work, &c.parcel);
	assert_int_equal(c.item[0].result.status, STATUS_OK);
	assert_int_equal(c.item[1].result.status, STATUS_OK); /* borders are not computed */
	assert_int_equal(c.item[2].result.status, STATUS_IMPLAUSIBLE);
	assert_string_equal(c.item[2].result.reason,
			    "a run of 35.0 ns needs 142.9 GFLOPS a thread, the machine did 50");
	assert_int_equal(c.item[2].result.samples.n, 0);
	assert_int_equal(c.item[3].result.status, STATUS_OK);
	free(c.item[2].result.reason);
	arena_free(c.work.arena);
}

static void
drift_is_against_the_other_finalists(void **state)
{
	const double found[N] = {100, 50, 60, 0}, now[N] = {150, 150, 90, 70};
	Case c;

	(void)state;
	make(&c, found, now); /* all are 1.5 times as slow, the second 3 times */
	assert_float_equal(doubt_drift(&c.work, &c.parcel, 0), 1, 1e-9);
	assert_float_equal(doubt_drift(&c.work, &c.parcel, 1), 2, 1e-9);
	assert_float_equal(doubt_drift(&c.work, &c.parcel, 3), 0, 1e-9); /* never found */
	c.item[0].result.status = c.item[2].result.status = STATUS_WRONG;
	assert_float_equal(doubt_drift(&c.work, &c.parcel, 1), 0, 1e-9); /* alone */
	arena_free(c.work.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_exceeds_the_peak_is_implausible),
		cmocka_unit_test(drift_is_against_the_other_finalists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
