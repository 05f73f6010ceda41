/* regress: comparisons on a real agent. What is slower is slower by far, so that nothing here
 * depends on how well this machine keeps time. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "regress/compare.h"
#include "regress/delay.h"
#include "regress/exit.h"
#include "regress/process.h"
#include "regress/record.h"
#include "regress/selftest.h"
#include "tests/unit/tune_case.h"

enum { PROCESSES = 1 };

/* A model, boards of one kind, and two ways to compile it. */
typedef struct Case {
	Arena *a;
	Graph *g;
	Device device[2]; /* the second where a test opens it */
	Board board;
	Target target;
	CompileOptions plain, scalar;
	RegressPolicy policy;
} Case;

static const char *const name[] = {"first", "second"};
static const RpcWay way = {.server_path = HONE_BIN "/rpc_server"};

static void
begin(Case *c)
{
	Err e = {0};

	*c = (Case){.a = arena_new(), .g = tune_case_product()};
	if (device_open(&c->device[0], &way, SECOND_NS, (DeviceHooks){0}, &e) ||
	    board_of(device_info(&c->device[0]), 1, c->a, &c->board, &c->target, &e))
		fail_msg("%s", e.msg);
	c->plain = (CompileOptions){.name = "model", .target = &c->target};
	c->scalar = c->plain;
	c->scalar.scalar = true;
	regress_policy_init(&c->policy);
	c->policy.family_error = 0.2; /* fewer pairs: what is looked for is large */
	c->policy.pairs_first = 6;
	c->policy.pairs_most = 12;
	c->policy.dropped_most = 1000; /* and a busy machine */
	c->policy.canary_limit = 100;
}

static void
end(Case *c)
{
	device_close(&c->device[0]);
	device_close(&c->device[1]);
	graph_free(c->g);
	arena_free(c->a);
}

static void
open_suite(Case *c, const CompileOptions *opt, Suite *s)
{
	Err e = {0};

	if (suite_open(c->g, opt, s, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(s->nkernel, 1);
}

/* The plain kernels as a baseline. */
static Baseline
record(Case *c, Suite *s)
{
	RecordOptions opt = {
		.device = c->device, .board = &c->board, .name = "product", .processes = PROCESSES};
	Baseline b;
	Err e = {0};

	if (record_baseline(s, &opt, c->a, &b, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(b.kernel.n, 1);
	assert_int_equal(b.kernel.v[0].ns.n, PROCESSES);
	assert_int_equal(b.model.ns.n, PROCESSES);
	return b;
}

static CompareOptions
options(Case *c)
{
	return (CompareOptions){.device = c->device,
				.device_name = name,
				.ndevice = 1,
				.policy = &c->policy,
				.budget_s = 60,
				.command = "again"};
}

static RegressResult
compare(Case *c, Suite *s, const Baseline *b, const CompareOptions *opt)
{
	RegressResult r;
	Err e = {0};

	if (compare_suite(s, b, opt, c->a, &r, &e))
		fail_msg("%s", e.msg);
	return r;
}

static const RegressKernel *
entry(const RegressResult *r, RegressKind kind)
{
	for (int i = 0; i < r->nkernel; i++)
		if (r->kernel[i].kind == kind)
			return &r->kernel[i];
	fail_msg("no such entry");
	return NULL;
}

/* On a machine whose times wander the answer may be that nobody knows, but never another. */
static void
is(const RegressKernel *k, RegressVerdict v)
{
	if (k->verdict != v && k->verdict != REGRESS_INCONCLUSIVE)
		fail_msg("%s is %s: %s", k->name, regress_verdict_fact(k->verdict)->word,
			 k->reason);
}

static void
equal_is_unchanged(void **state)
{
	RegressResult r;
	CompareOptions opt;
	Baseline b;
	Suite s;
	Case c;

	(void)state;
	begin(&c);
	open_suite(&c, &c.plain, &s);
	b = record(&c, &s);
	opt = options(&c);
	r = compare(&c, &s, &b, &opt);
	assert_int_equal(r.nkernel, 2);
	assert_int_equal(entry(&r, REGRESS_KERNEL)->verdict, REGRESS_UNCHANGED);
	assert_int_equal(entry(&r, REGRESS_MODEL)->verdict, REGRESS_UNCHANGED);
	assert_true(entry(&r, REGRESS_KERNEL)->nround >= 1); /* a control */
	assert_true(entry(&r, REGRESS_KERNEL)->est.used >= c.policy.pairs_first);
	assert_int_equal(r.ncanary, 1);
	assert_true(r.canary[0].start_ns > 0 && r.canary[0].end_ns > 0);
	assert_int_equal(regress_exit(&r), 0);

	opt.kernel = "nobody";
	assert_int_equal(compare_suite(&s, &b, &opt, c.a, &r, NULL), ERR_INPUT);
	suite_close(&s);
	end(&c);
}

/* A schedule without vectors takes many times as long. */
static void
slower_is_regressed(void **state)
{
	RegressResult r;
	CompareOptions opt;
	Baseline b;
	Suite s, slow;
	Case c;

	(void)state;
	begin(&c);
	open_suite(&c, &c.plain, &s);
	open_suite(&c, &c.scalar, &slow);
	b = record(&c, &s);
	opt = options(&c);
	assert_int_equal(device_open(&c.device[1], &way, SECOND_NS, (DeviceHooks){0}, NULL), OK);
	opt.ndevice = 2;
	r = compare(&c, &slow, &b, &opt);
	assert_true(c.device[1].last_batch > 0); /* the repeat was there */
	is(entry(&r, REGRESS_KERNEL), REGRESS_REGRESSED);
	is(entry(&r, REGRESS_MODEL), REGRESS_REGRESSED);
	assert_true(entry(&r, REGRESS_KERNEL)->est.ratio > 1.5);
	assert_true(entry(&r, REGRESS_MODEL)->est.ratio > 1.5);
	assert_int_equal(entry(&r, REGRESS_KERNEL)->nround, 2);
	assert_int_equal(r.attempts, 2);
	assert_non_null(strstr(entry(&r, REGRESS_KERNEL)->command, "again --kernel '"));

	/* and the other way */
	b = record(&c, &slow);
	opt.kernel = b.kernel.v[0].name;
	r = compare(&c, &s, &b, &opt);
	is(entry(&r, REGRESS_KERNEL), REGRESS_IMPROVED);
	assert_int_not_equal(regress_exit(&r), 1);
	suite_close(&s);
	suite_close(&slow);
	end(&c);
}

/* The new side computes with other weights than the checks expect. */
static void
wrong_is_wrong(void **state)
{
	RegressResult r;
	CompareOptions opt;
	Baseline b;
	Suite s;
	Case c;

	(void)state;
	begin(&c);
	open_suite(&c, &c.plain, &s);
	b = record(&c, &s);
	opt = options(&c);
	for (uint32_t i = 0; i < s.kernel[0].parcel->batch.buffers.n; i++)
		if (s.kernel[0].parcel->batch.buffers.v[i].role == ROLE_CONST)
			s.kernel[0].parcel->batch.buffers.v[i].fill.seed++;
	r = compare(&c, &s, &b, &opt);
	assert_int_equal(entry(&r, REGRESS_KERNEL)->verdict, REGRESS_WRONG);
	assert_int_equal(regress_exit(&r), 7);
	suite_close(&s);
	end(&c);
}

/* Both sides of the model get other weights: the outputs differ, the times do not. */
static void
wrong_outputs_of_the_model_are_seen(void **state)
{
	RegressResult r;
	CompareOptions opt;
	Baseline b;
	Suite s, slow;
	Case c;
	float *w;

	(void)state;
	begin(&c);
	open_suite(&c, &c.plain, &s);
	open_suite(&c, &c.scalar, &slow);
	b = record(&c, &s);
	opt = options(&c);
	opt.kernel = SUITE_MODEL;
	w = (float *)slow.model->blob.v[1].data;
	w[3] += 1;
	slow.model->blob.v[1].digest = digest_of(w, slow.model->blob.v[1].size);
	slow.model->batch.candidates.v[0].pool.blob = slow.model->blob.v[1].digest;
	r = compare(&c, &slow, &b, &opt);
	assert_int_equal(r.nkernel, 1);
	assert_int_equal(r.kernel[0].verdict, REGRESS_WRONG);
	assert_non_null(strstr(r.kernel[0].reason, "differ from the baseline's"));
	suite_close(&s);
	suite_close(&slow);
	end(&c);
}

/* Code that the agent cannot load, on the one side and on the other. */
static void
broken_code_is_told(void **state)
{
	RegressResult r;
	CompareOptions opt;
	Baseline b;
	Suite s, slow;
	Case c;

	(void)state;
	begin(&c);
	open_suite(&c, &c.plain, &s);
	open_suite(&c, &c.scalar, &slow);
	b = record(&c, &s);
	opt = options(&c);
	opt.kernel = b.kernel.v[0].name;
	b.kernel.v[0].call.phase.v[0] = "nowhere";
	r = compare(&c, &slow, &b, &opt);
	assert_int_equal(r.kernel[0].verdict, REGRESS_STALE);
	assert_int_equal(regress_exit(&r), 6);
	slow.kernel[0].parcel->batch.candidates.v[0].phases.v[0] = arena_strdup(c.a, "nowhere");
	r = compare(&c, &slow, &b, &opt);
	assert_int_equal(r.kernel[0].verdict, REGRESS_CRASH);
	assert_int_equal(regress_exit(&r), 7);
	suite_close(&s);
	suite_close(&slow);
	end(&c);
}

static void
other_kernels_are_new_and_missing(void **state)
{
	RegressResult r;
	CompareOptions opt;
	Baseline b;
	Suite s;
	Case c;

	(void)state;
	begin(&c);
	open_suite(&c, &c.plain, &s);
	b = record(&c, &s);
	opt = options(&c);
	b.kernel.v[0].task = digest_of_text("another task");
	r = compare(&c, &s, &b, &opt);
	assert_int_equal(r.nkernel, 3);
	assert_int_equal(regress_count(&r, REGRESS_NEW), 1);
	assert_int_equal(regress_count(&r, REGRESS_MISSING), 1);
	assert_int_equal(regress_count(&r, REGRESS_UNCHANGED), 1);
	suite_close(&s);
	end(&c);
}

/* SIGKILL to the rpc_server that is a child of this process. */
static void
kill_agent(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;

	while (proc && (d = readdir(proc))) {
		char path[300], who[32] = "";
		int pid = atoi(d->d_name), parent = 0;
		FILE *f;

		snprintf(path, sizeof path, "/proc/%s/stat", d->d_name);
		if (pid <= 0 || !(f = fopen(path, "r")))
			continue;
		if (fscanf(f, "%*d (%31[^)]) %*c %d", who, &parent) == 2 && parent == getpid() &&
		    !strcmp(who, "rpc_server"))
			kill(pid, SIGKILL);
		fclose(f);
	}
	if (proc)
		closedir(proc);
}

/* The agent dies in the middle and cannot be started again. */
static void
lost_board_is_no_board(void **state)
{
	RegressResult r;
	CompareOptions opt;
	Baseline b;
	Suite s, slow;
	Case c;

	(void)state;
	begin(&c);
	open_suite(&c, &c.plain, &s);
	open_suite(&c, &c.scalar, &slow);
	b = record(&c, &s);
	opt = options(&c);
	c.device[0].reopen.way.server_path = "/nowhere/rpc_server";
	kill_agent();
	r = compare(&c, &slow, &b, &opt);
	assert_int_equal(entry(&r, REGRESS_KERNEL)->verdict, REGRESS_NO_BOARD);
	assert_int_equal(entry(&r, REGRESS_MODEL)->verdict, REGRESS_NO_BOARD);
	assert_int_equal(regress_exit(&r), 4);

	compare_nothing(&b, "gone", &opt, c.a, &r);
	assert_int_equal(r.nkernel, 2);
	assert_int_equal(regress_exit(&r), 4);
	suite_close(&s);
	suite_close(&slow);
	end(&c);
}

/* A millisecond and more of additions, and the outputs are right. */
static void
a_delay_only_takes_time(void **state)
{
	Process x[2];
	Parcel *p[2];
	Code code;
	Suite s;
	Case c;
	Err e = {0};

	(void)state;
	begin(&c);
	open_suite(&c, &c.plain, &s);
	p[0] = s.kernel[0].parcel;
	if (delay_build(s.emit, 1000000, c.a, &code, &e) ||
	    suite_delayed(&s, 0, &code, &p[1], &e) ||
	    process_run(&c.device[0], p, 2, NULL, NULL, x, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(x[0].end, PROCESS_OK);
	assert_int_equal(x[1].end, PROCESS_OK);
	assert_true(x[1].ns > x[0].ns + 200000);
	parcel_free(p[1]);
	suite_close(&s);
	end(&c);
}

static int
count(const int v[REGRESS_VERDICTS])
{
	int n = 0;

	for (int i = 0; i < REGRESS_VERDICTS; i++)
		n += v[i];
	return n;
}

static void
self_test_tells_sides_apart(void **state)
{
	SelftestOptions opt = {.equal = 1, .slow = 1, .by = 1};
	Selftest found;
	Suite s;
	Case c;
	Err e = {0};

	(void)state;
	begin(&c);
	open_suite(&c, &c.scalar, &s);
	opt.compare = options(&c);
	if (selftest_run(&s, &opt, c.a, &found, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(found.equal[REGRESS_REGRESSED], 0);
	assert_int_equal(count(found.equal), 1);
	assert_int_equal(count(found.slow), 1);
	assert_int_equal(found.slow[REGRESS_REGRESSED] + found.slow[REGRESS_INCONCLUSIVE], 1);
	assert_true(found.ratio > 1.3 && found.ratio < 3);
	suite_close(&s);
	end(&c);
}

/* Without time nothing can be said, and that is said. */
static void
no_time_is_inconclusive(void **state)
{
	RegressResult r;
	CompareOptions opt;
	Baseline b;
	Suite s, slow;
	Case c;

	(void)state;
	begin(&c);
	open_suite(&c, &c.plain, &s);
	open_suite(&c, &c.scalar, &slow);
	b = record(&c, &s);
	opt = options(&c);
	opt.budget_s = 1e-6;
	r = compare(&c, &slow, &b, &opt);
	assert_int_equal(entry(&r, REGRESS_KERNEL)->verdict, REGRESS_INCONCLUSIVE);
	assert_non_null(strstr(entry(&r, REGRESS_KERNEL)->reason, "--budget"));
	assert_int_equal(regress_exit(&r), 6);
	suite_close(&s);
	suite_close(&slow);
	end(&c);
}

static bool
at_once(void *self)
{
	(void)self;
	return true;
}

static void
stopping_is_an_error(void **state)
{
	RegressResult r;
	CompareOptions opt;
	Baseline b;
	Suite s;
	Case c;
	Err e = {0};

	(void)state;
	begin(&c);
	open_suite(&c, &c.plain, &s);
	b = record(&c, &s);
	opt = options(&c);
	opt.stop = at_once;
	assert_int_equal(compare_suite(&s, &b, &opt, c.a, &r, &e), ERR_CANCELLED);
	suite_close(&s);
	end(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_is_unchanged),
		cmocka_unit_test(slower_is_regressed),
		cmocka_unit_test(wrong_is_wrong),
		cmocka_unit_test(wrong_outputs_of_the_model_are_seen),
		cmocka_unit_test(broken_code_is_told),
		cmocka_unit_test(other_kernels_are_new_and_missing),
		cmocka_unit_test(lost_board_is_no_board),
		cmocka_unit_test(no_time_is_inconclusive),
		cmocka_unit_test(a_delay_only_takes_time),
		cmocka_unit_test(self_test_tells_sides_apart),
		cmocka_unit_test(stopping_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
