/* Batches from end to end: client, agent, runner, and back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/agent_case.h"

static char *good[] = {"good"}, *wrong[] = {"wrong"}, *lacking[] = {"nowhere"};

static const char more[] =
	"KERNEL(wrong) { for (int i = 0; i < N; i++) Y[i] = X[i] * W[i % NW] + (i == 777);\n"
	"  return 0; }\n"
	"KERNEL(first) { float *t = scratch;\n"
	"  for (int i = 0; i < N; i++) t[i] = X[i] * W[i % NW];\n"
	"  return 0; }\n"
	"KERNEL(second) { const float *t = scratch;\n"
	"  for (int i = 0; i < N; i++) Y[i] = t[i];\n"
	"  return 0; }\n"
	"KERNEL(slow) { volatile int n; for (n = 0; n < 300000; n++) ; return good(in, out, "
	"scratch, 0, 1); }\n";

static int
start_agent(void **state)
{
	*state = case_agent();
	return 0;
}

static int
stop_agent(void **state)
{
	rpc_close(*state);
	return 0;
}

static void
check_samples(const Result *r, uint32_t n)
{
	assert_int_equal(r->samples.n, n);
	assert_true(r->inner > 0);
	for (uint32_t i = 0; i < n; i++)
		assert_true(isfinite(r->samples.v[i]) && r->samples.v[i] > 0);
}

static void
a_batch_gives_times_and_verdicts(void **state)
{
	RpcClient *c = *state;
	AgentCase a;
	Outcomes o;

	case_init(&a, c, more);
	case_add(&a, good);
	case_add(&a, wrong);
	case_add(&a, lacking);
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_OK, "");
	case_expect(&o, 1, STATUS_WRONG, "element 777 of buffer 2");
	case_expect(&o, 2, STATUS_BUILD, "symbol 'nowhere' is not in the image");
	check_samples(&o.result[0], 10);
	assert_true(o.result[0].max_error <= 1 && o.result[1].max_error > 1);
	assert_int_equal(o.result[1].samples.n, 0);
	assert_int_equal(o.done.ok, 1);
	assert_int_equal(o.done.restarts, 1); /* after the wrong one */
	assert_true(o.done.calibration_before > 0 && o.done.calibration_after > 0);
	outcomes_fini(&o);
}

/* The pool comes from a description sent as a blob, or its bytes come as a blob. */
static void
pools_come_as_blobs_too(void **state)
{
	RpcClient *c = *state;
	float w[CASE_W];
	Candidate *k;
	AgentCase a;
	Outcomes o;
	Err e = {0};

	case_init(&a, c, more);
	k = case_add(&a, good);
	assert_int_equal(rpc_put_blob(c, k->pool.inline_.v, k->pool.inline_.n, &k->pool.blob, &e),
			 OK);
	k->pool.inline_.n = 0;

	fill_buffer(DT_F32, w, sizeof w, &a.buffer[CASE_CONST].fill, NULL, 0, NULL);
	for (int i = 0; i < CASE_W; i++)
		w[i] *= 2;
	k = case_add(&a, good);
	k->prepare.n = k->derived.n = 0;
	k->pool = (Pool){.kind = POOL_BLOB, .bytes = sizeof w};
	assert_int_equal(rpc_put_blob(c, w, sizeof w, &k->pool.blob, &e), OK);

	k = case_add(&a, good); /* a description that does not fit */
	k->pool.bytes += 64;
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_OK, "");
	case_expect(&o, 1, STATUS_OK, "");
	case_expect(&o, 2, STATUS_BUILD, "does not fit the constants");
	outcomes_fini(&o);
}

static void
phases_share_scratch(void **state)
{
	char *phases[] = {"first", "second"}, *reversed[] = {"second", "first"};
	RpcClient *c = *state;
	Candidate *k;
	AgentCase a;
	Outcomes o;

	case_init(&a, c, more);
	k = case_add(&a, phases);
	k->phases.n = 2;
	k->scratch_bytes = sizeof a.y;
	k = case_add(&a,
		     reversed); /* scratch begins undefined: never the values of the one before */
	k->phases.n = 2;
	k->scratch_bytes = sizeof a.y;
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_OK, "");
	case_expect(&o, 1, STATUS_WRONG, "");
	outcomes_fini(&o);
}

static void
outputs_are_fetched(void **state)
{
	RpcClient *c = *state;
	AgentCase a;
	Outcomes o;
	void *data;
	size_t size;
	Err e = {0};

	case_init(&a, c, more);
	case_add(&a, good);
	a.batch.measure.fetch = true;
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_OK, "");
	assert_int_equal(o.result[0].fetched.n, 1);
	assert_int_equal(rpc_get_blob(c, &o.result[0].fetched.v[0], &data, &size, &e), OK);
	assert_int_equal(size, sizeof a.y);
	assert_memory_equal(data, a.y, size);
	free(data);
	outcomes_fini(&o);
}

static void
a_race_interleaves_what_is_right(void **state)
{
	char *slow[] = {"slow"};
	RpcClient *c = *state;
	AgentCase a;
	Outcomes o;

	case_init(&a, c, more);
	case_add(&a, good);
	case_add(&a, wrong);
	case_add(&a, slow);
	case_add(&a, good);
	a.batch.measure.race_rounds = 15;
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_OK, "");
	case_expect(&o, 1, STATUS_WRONG, "element 777");
	case_expect(&o, 2, STATUS_OK, "");
	case_expect(&o, 3, STATUS_OK, "");
	check_samples(&o.result[0], 15);
	check_samples(&o.result[2], 15);
	check_samples(&o.result[3], 15);
	assert_true(result_least(&o.result[2]) >
		    result_least(&o.result[0])); /* any one may be disturbed */
	outcomes_fini(&o);
}

/* A candidate that is slow is measured once. */
static void
the_slow_are_stopped_early(void **state)
{
	char *slow[] = {"slow"};
	RpcClient *c = *state;
	AgentCase a;
	Outcomes o;

	case_init(&a, c, more);
	case_add(&a, slow);
	a.batch.measure.stop_above_ns = 20000;
	case_run(&a, c, &o);
	check_samples(&o.result[0], 1);
	outcomes_fini(&o);
}

static void
batches_queue_in_both_modes(void **state)
{
	RpcClient *c = *state;
	AgentCase a;
	Outcomes o;
	Err e = {0};

	case_init(&a, c, more);
	case_add(&a, good);
	a.batch.measure.mode = MEASURE_HOT;
	assert_int_equal(rpc_submit(c, &a.batch, &e), OK);
	a.batch.id = 2;
	a.batch.measure.mode = MEASURE_COLD;
	assert_int_equal(rpc_submit(c, &a.batch, &e), OK);
	for (a.batch.id = 1; a.batch.id <= 2; a.batch.id++) {
		case_collect(&a, c, &o);
		case_expect(&o, 0, STATUS_OK, "");
		outcomes_fini(&o);
	}
}

static void
a_batch_can_be_cancelled(void **state)
{
	RpcClient *c = *state;
	AgentCase a;
	Outcomes o;
	Err e = {0};
	uint32_t cancelled = 0;

	case_init(&a, c, more);
	for (int i = 0; i < 100; i++)
		case_add(&a, good);
	a.batch.measure.max_runs = a.batch.measure.min_runs = 10000;
	assert_int_equal(rpc_submit(c, &a.batch, &e), OK);
	assert_int_equal(rpc_cancel(c, a.batch.id, &e), OK);
	case_collect(&a, c, &o);
	for (int i = 0; i < 100; i++)
		cancelled += o.result[i].status == STATUS_CANCELLED;
	assert_true(cancelled > 50);
	outcomes_fini(&o);
}

static void
what_makes_no_sense_is_refused(void **state)
{
	RpcClient *c = *state;
	AgentCase a;
	Err e = {0};

	case_init(&a, c, more);
	case_add(&a, good);
	a.check[1].buffer = CASE_X;
	assert_int_equal(rpc_submit(c, &a.batch, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "check 1: buffer 0 is not an output"));
	e = (Err){0};
	a.check[1].buffer = CASE_Y;
	memset(&a.batch.image, 0x11, sizeof a.batch.image);
	assert_int_equal(rpc_submit(c, &a.batch, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "blob 1111"));
}

static void
the_null_runner_needs_nothing(void **state)
{
	RpcClient *c = *state;
	AgentCase a;
	Outcomes o;

	case_init(&a, c, more);
	case_add(&a, lacking);
	case_add(&a, lacking);
	a.batch.runner = "null";
	memset(&a.batch.image, 0x11, sizeof a.batch.image);
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_OK, "");
	check_samples(&o.result[1], 10);
	assert_true(o.result[0].samples.v[0] == o.result[0].samples.v[9]);
	assert_true(o.result[0].samples.v[0] != o.result[1].samples.v[0]);
	outcomes_fini(&o);
}

/* A kernel that does little but read 256 KiB of constants is slower when no cache holds them. */
static void
constants_are_cold_unless_asked_otherwise(void **state)
{
	enum { BYTES = 256 << 10 };
	char *reader[] = {"reader"};
	float *zeroes = calloc(1, BYTES);
	RpcClient *c = *state;
	double ns[2];
	Candidate *k;
	AgentCase a;
	Outcomes o;
	Err e = {0};

	case_init(&a, c,
		  "KERNEL(reader) { long s = 0; const long *w = in[1];\n"
		  "  for (int i = 0; i < 4096; i++) s += w[i * 1031 % 4096 * 8];\n"
		  "  for (int i = 0; i < N; i++) Y[i] = s;\n"
		  "  return 0; }\n");
	a.batch.checks.n = 0;
	k = case_add(&a, reader);
	k->prepare.n = k->derived.n = 0;
	k->pool = (Pool){.kind = POOL_BLOB, .bytes = BYTES};
	assert_int_equal(rpc_put_blob(c, zeroes, BYTES, &k->pool.blob, &e), OK);
	free(zeroes);
	a.batch.measure.max_runs = a.batch.measure.min_runs = 100;
	for (uint32_t mode = MEASURE_COLD; mode <= MEASURE_HOT; mode++) {
		a.batch.measure.mode = mode;
		a.batch.id++;
		case_run(&a, c, &o);
		case_expect(&o, 0, STATUS_OK, "");
		ns[mode] = result_least(&o.result[0]);
		outcomes_fini(&o);
	}
	print_message("256 KiB: cold %.0f ns, hot %.0f ns\n", ns[MEASURE_COLD], ns[MEASURE_HOT]);
	assert_true(ns[MEASURE_COLD] > 1.2 * ns[MEASURE_HOT]);
}

/* What a candidate costs beyond its own runs, everything from submit to the end included. */
static void
overhead_per_candidate_is_small(void **state)
{
	enum { N = 64 };
	char *slow[] = {"ten_us"};
	RpcClient *c = *state;
	AgentCase a;
	Outcomes o;
	double ms, own = 0;
	uint64_t began;

	case_init(&a, c,
		  "KERNEL(ten_us) { for (volatile int n = 0; n < 5000; n++) ;\n"
		  "  return good(in, out, scratch, 0, 1); }\n");
	for (int i = 0; i < N; i++)
		case_add(&a, slow);
	began = clock_ns();
	case_run(&a, c, &o);
	ms = (double)(clock_ns() - began) * 1e-6;
	for (uint32_t i = 0; i < N; i++) {
		const Result *r = &o.result[i];

		case_expect(&o, i, STATUS_OK, "");
		for (uint32_t k = 0; k < r->samples.n; k++)
			own += r->samples.v[k] * r->inner * 1e-6;
	}
	print_message("%d candidates in %.1f ms (%.0f/s), %.2f ms overhead for each\n", N, ms,
		      N / ms * 1e3, (ms - own) / N);
	print_message("load %.2f ms; prepare %.3f, run %.3f, check %.3f ms each\n",
		      o.result[0].load_s * 1e3, o.result[9].prepare_s * 1e3,
		      o.result[9].run_s * 1e3, o.result[9].check_s * 1e3);
	assert_true((ms - own) / N < 40); /* ten times what is expected of a quiet machine */
	outcomes_fini(&o);
}

static void
the_device_describes_itself(void **state)
{
	const DeviceInfo *d = rpc_device(*state);

	assert_true(*d->name && *d->cpu && *d->arch && *d->triple && *d->kernel);
	assert_true(d->cores > 0 && d->memory_total > d->memory_free && d->memory_free > 0);
	assert_true(d->features.n > 0 && d->runners.n == 2);
	assert_string_equal(d->runners.v[0], "cpu");
	assert_false(d->insecure);
}

static void
the_machine_is_calibrated_on_request(void **state)
{
	RpcClient *c = *state;
	Calibration k, again;
	AgentCase a;
	Outcomes o;
	Err e = {0};

	if (rpc_calibrate(c, NULL, NULL, &k, &e))
		fail_msg("%s", e.msg);
	assert_true(k.fma_gflops > 0 && k.dram_gbs > 0 && k.tick_ns > 0);
	assert_int_equal(rpc_calibrate(c, NULL, NULL, &again, &e), OK);
	case_init(&a, c, more);
	case_add(&a, good);
	a.batch.calibrate = true;
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_OK, "");
	assert_true(o.done.calibration.fma_gflops > 0 && o.done.calibration.l1_gbs > 0);
	outcomes_fini(&o);
	a.batch.calibrate = false;
	case_run(&a, c, &o);
	assert_true(o.done.calibration.fma_gflops == 0);
	outcomes_fini(&o);
	a.batch.calibrate = true;
	a.batch.candidates.n = 0; /* with buffers, it is a mistake as ever */
	assert_int_equal(rpc_submit(c, &a.batch, &e), ERR_INPUT);
}

static bool
at_once(void *self)
{
	(void)self;
	return true;
}

static void
waiting_for_a_calibration_can_be_given_up(void **state)
{
	RpcClient *c = *state;
	Calibration k;
	Err e = {0};

	assert_int_equal(rpc_calibrate(c, at_once, NULL, &k, &e), ERR_CANCELLED);
}

int
main(void)
{
#define WITH_AGENT(test) cmocka_unit_test_setup_teardown(test, start_agent, stop_agent)
	const struct CMUnitTest tests[] = {
		WITH_AGENT(a_batch_gives_times_and_verdicts),
		WITH_AGENT(pools_come_as_blobs_too),
		WITH_AGENT(phases_share_scratch),
		WITH_AGENT(outputs_are_fetched),
		WITH_AGENT(a_race_interleaves_what_is_right),
		WITH_AGENT(the_slow_are_stopped_early),
		WITH_AGENT(batches_queue_in_both_modes),
		WITH_AGENT(a_batch_can_be_cancelled),
		WITH_AGENT(what_makes_no_sense_is_refused),
		WITH_AGENT(the_null_runner_needs_nothing),
		WITH_AGENT(constants_are_cold_unless_asked_otherwise),
		WITH_AGENT(overhead_per_candidate_is_small),
		WITH_AGENT(the_device_describes_itself),
		WITH_AGENT(the_machine_is_calibrated_on_request),
		WITH_AGENT(waiting_for_a_calibration_can_be_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
