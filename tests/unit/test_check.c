/* Verdicts on outputs, and which batches make sense. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rpc_server/check.h"

enum { N = 12 };

/* A job with one OUT buffer of N f32 and one check, on the test's stack. */
typedef struct Case {
	Job job;
	BufferSpec buffer;
	CheckSpec check;
	Nest nest;
	Blob blob;
	float out[N];
	const uint8_t *data[1];
} Case;

static void
make(Case *c, CheckKind kind, const void *expected, size_t bytes)
{
	*c = (Case){.buffer = {ROLE_OUT, DT_F32, N * sizeof(float), {.kind = FILL_POISON}}};
	c->check.kind = kind;
	c->check.type = DT_F64;
	c->blob.data = (uint8_t *)expected;
	c->blob.size = bytes;
	c->job.batch.buffers.v = &c->buffer;
	c->job.batch.buffers.n = 1;
	c->job.batch.checks.v = &c->check;
	c->job.batch.checks.n = 1;
	c->job.check[0] = &c->blob;
	c->check.nests.v = &c->nest;
	c->check.nests.n = 1;
	c->data[0] = (const uint8_t *)c->out;
	for (int i = 0; i < N; i++)
		c->out[i] = (float)i;
}

static void
samples_are_judged_one_by_one(void **state)
{
	static const struct {
		float got;
		double expected, tolerance;
		bool right;
		double error;
	} list[] = {
		{1.5f, 1.25, 0.25, true, 1},
		{1.5f, 1.25, 0.2, false, 1.25},
		{1.5f, 1.5, 0, true, 0},
		{1.5f, 1.25, 0, false, INFINITY},
		{NAN, NAN, 0, true, 0},
		{NAN, 1, 100, false, INFINITY},
		{1, NAN, 100, false, INFINITY},
		{INFINITY, INFINITY, 0, true, 0},
		{-INFINITY, INFINITY, 1, false, INFINITY},
		{INFINITY, 1, 1e30, false, INFINITY},
		{3e38f, INFINITY, 1, false, INFINITY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		CheckRecord r[2] = {{.element = 2, .expected = 2},
				    {0, 0, 7, list[i].expected, list[i].tolerance}};
		Verdict v;
		Case c;

		make(&c, CHECK_SAMPLES, r, sizeof r);
		c.out[7] = list[i].got;
		check_outputs(&c.job, false, c.data, &v);
		if (v.right != list[i].right ||
		    !(fabs(v.max_error - list[i].error) < 1e-6 || v.max_error == list[i].error))
			fail_msg("%zu: %d, error %g", i, v.right, v.max_error);
		assert_true(v.right || strstr(v.text, "element 7 of buffer 0 is "));
	}
}

static void
dense_values_follow_the_nest(void **state)
{
	/* elements 1, 5, 9, then 2, 6, 10 */
	double expected[] = {1, 5, 9, 2, 6, 10};
	Verdict v;
	Case c;

	(void)state;
	make(&c, CHECK_DENSE, expected, sizeof expected);
	c.nest = (Nest){1, 2, {2, 3}, {1, 4}};
	check_outputs(&c.job, false, c.data, &v);
	assert_true(v.right && v.max_error == 0);
	c.out[3] = 77; /* outside the nest */
	check_outputs(&c.job, false, c.data, &v);
	assert_true(v.right);
	c.out[6] = 6.5f;
	check_outputs(&c.job, false, c.data, &v);
	assert_false(v.right);
	assert_non_null(strstr(v.text, "element 6 of buffer 0 is 6.5, expected 6"));
	c.check.rtol = 0.05; /* 0.1 + 0.05 * 6 = 0.4 < 0.5 */
	c.check.atol = 0.1;
	check_outputs(&c.job, false, c.data, &v);
	assert_true(!v.right && fabs(v.max_error - 1.25) < 1e-9);
	c.check.atol = 0.2;
	check_outputs(&c.job, false, c.data, &v);
	assert_true(v.right && fabs(v.max_error - 1) < 1e-9);
}

static void
what_differs_between_runs_was_not_written(void **state)
{
	float before[N];
	const uint8_t *was[1] = {(const uint8_t *)before};
	Verdict v;
	Case c;

	(void)state;
	make(&c, CHECK_WRITTEN, NULL, 0);
	c.nest = (Nest){.offset = 2, .rank = 1, .count = {4}, .stride = {2}}; /* 2, 4, 6, 8 */
	c.out[4] = NAN;
	memcpy(before, c.out, sizeof before);
	before[3] = 50;
	check_written(&c.job, c.data, was, &v);
	assert_true(v.right); /* a NaN that is written is no poison */
	before[8] = 50;
	check_written(&c.job, c.data, was, &v);
	assert_false(v.right);
	assert_non_null(strstr(v.text, "element 8 of buffer 0"));

	c.nest = (Nest){1, 2, {2, 3}, {6, 1}}; /* rows 1 2 3 and 7 8 9 */
	check_written(&c.job, c.data, was, &v);
	assert_non_null(strstr(v.text, "element 3 of buffer 0"));
	before[3] = c.out[3];
	check_written(&c.job, c.data, was, &v);
	assert_non_null(strstr(v.text, "element 8 of buffer 0"));
	before[8] = c.out[8];
	before[4] = before[10] = 50; /* beside the rows */
	check_written(&c.job, c.data, was, &v);
	assert_true(v.right);
}

/* One thing at a time is made inconsistent. */
static void
batches_without_sense_are_refused(void **state)
{
	char *phases[] = {"k"};
	Candidate k = {.phases = {phases, 1}};
	Patch outside = {.nest = {.offset = N}};
	Case c;
	Err e = {0};

	(void)state;
#define REFUSED(change, code, text)                                  \
	do {                                                         \
		make(&c, CHECK_WRITTEN, NULL, 0);                    \
		c.nest = (Nest){.offset = N - 1};                    \
		c.job.batch.runner = "";                             \
		c.job.batch.candidates.v = &k;                       \
		c.job.batch.candidates.n = 1;                        \
		e = (Err){0};                                        \
		assert_int_equal(job_check(&c.job.batch, &e), OK);   \
		change;                                              \
		assert_int_equal(job_check(&c.job.batch, &e), code); \
		assert_non_null(strstr(e.msg, text));                \
	} while (0)
	REFUSED(c.job.batch.runner = "gpu", ERR_UNSUPPORTED, "runner 'gpu'");
	REFUSED(c.job.batch.buffers.n = 0; c.job.batch.checks.n = 0, ERR_INPUT, "no buffers");
	REFUSED(c.job.batch.candidates.n = 0, ERR_INPUT, "no candidates");
	REFUSED(c.buffer.bytes = 0, ERR_INPUT, "buffer 0: 0 bytes");
	REFUSED(c.buffer.fill.hi = NAN, ERR_INPUT, "bounds are not finite");
	REFUSED(c.check.buffer = 9, ERR_INPUT, "buffer 9 is not an output");
	REFUSED(c.buffer.role = ROLE_IN, ERR_INPUT, "buffer 0 is not an output");
	REFUSED(c.nest.offset = N, ERR_INPUT, "nest 0 reaches outside");
	REFUSED(c.check.kind = CHECK_DENSE; c.check.type = DT_I8, ERR_INPUT, "f32 or f64");
	REFUSED(c.buffer.fill.kind = FILL_ZERO, ERR_INPUT, "not poisoned");
	REFUSED(c.job.batch.measure.max_runs = SAMPLES_MAX + 1, ERR_INPUT, "samples");
	REFUSED(c.job.batch.measure.race_rounds = 2;
		c.job.batch.measure.fetch = true, ERR_UNSUPPORTED, "not fetched in a race");
	REFUSED(c.buffer.fill.patches.v = &outside; c.buffer.fill.patches.n = 1;
		c.job.batch.checks.n = 0, ERR_INPUT, "patch 0 reaches outside");
#undef REFUSED
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_are_judged_one_by_one),
		cmocka_unit_test(dense_values_follow_the_nest),
		cmocka_unit_test(what_differs_between_runs_was_not_written),
		cmocka_unit_test(batches_without_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
