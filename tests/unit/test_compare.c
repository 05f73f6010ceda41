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

/* A model compiled in two ways, one of them many times slower, and boards of one kind. The baseline
 * is of the faster one. */
typedef struct Case {
	Arena *a;
	Graph *g;
	Device device[2]; /* the second where a test opens it */
	Board board;
	Target target;
	CompileOptions plain, scalar;
	RegressPolicy policy;
	Suite suite, slow;
	Baseline b;
	CompareOptions opt;
	RegressResult r;
} Case;

static const char *const name[] = {"first", "second"};
static const RpcWay way = {.server_path = HONE_BIN "/rpc_server"};

static void
open_suite(Case *c, const CompileOptions *opt, Suite *s)
{
	Err e = {0};

	if (suite_open(c->g, opt, s, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(s->nkernel, 1);
}

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

static void
set_policy(RegressPolicy *p)
{
	regress_policy_init(p);
	p->family_error = 0.2; /* fewer pairs: what is looked for is large */
	p->pairs_first = 6;
	p->pairs_most = 12;
	p->dropped_most = 1000; /* and a busy machine */
	p->canary_limit = 100;
}

static int
prepare(void **state)
{
	Case *c = calloc(1, sizeof *c);
	Err e = {0};

	assert_non_null(c);
	*state = c;
	c->a = arena_new();
	c->g = tune_case_product();
	if (device_open(&c->device[0], &way, SECOND_NS, (DeviceHooks){0}, &e) ||
	    board_of(device_info(&c->device[0]), 1, c->a, &c->board, &c->target, &e))
		fail_msg("%s", e.msg);
	c->plain = (CompileOptions){.name = "model", .target = &c->target};
	c->scalar = c->plain;
	c->scalar.scalar = true;
	set_policy(&c->policy);
	open_suite(c, &c->plain, &c->suite);
	open_suite(c, &c->scalar, &c->slow);
	c->b = record(c, &c->suite);
	c->opt = (CompareOptions){.device = c->device,
				  .device_name = name,
				  .ndevice = 1,
				  .policy = &c->policy,
				  .budget_s = 60,
				  .command = "again"};
	return 0;
}

static int
finish(void **state)
{
	Case *c = *state;

	suite_close(&c->suite);
	suite_close(&c->slow);
	device_close(&c->device[0]);
	device_close(&c->device[1]);
	graph_free(c->g);
	arena_free(c->a);
	free(c);
	return 0;
}

/* The baseline against s; the answer is in r. */
static void
compare(Case *c, Suite *s)
{
	Err e = {0};

	if (compare_suite(s, &c->b, &c->opt, c->a, &c->r, &e))
		fail_msg("%s", e.msg);
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
is_unchanged(const RegressKernel *k)
{
	if (k->verdict != REGRESS_UNCHANGED)
		fail_msg("%s is %s: %s", k->name, regress_verdict_fact(k->verdict)->word,
			 k->reason);
}

static void
equal_is_unchanged(void **state)
{
	Case *c = *state;

	compare(c, &c->suite);
	assert_int_equal(c->r.nkernel, 2);
	is_unchanged(entry(&c->r, REGRESS_KERNEL));
	is_unchanged(entry(&c->r, REGRESS_MODEL));
	assert_true(entry(&c->r, REGRESS_KERNEL)->nround >= 1); /* a control */
	assert_true(entry(&c->r, REGRESS_KERNEL)->est.used >= c->policy.pairs_first);
	assert_int_equal(c->r.ncanary, 1);
	assert_true(c->r.canary[0].start_ns > 0 && c->r.canary[0].end_ns > 0);
	assert_int_equal(regress_exit(&c->r), 0);

	c->opt.kernel = "nobody";
	assert_int_equal(compare_suite(&c->suite, &c->b, &c->opt, c->a, &c->r, NULL), ERR_INPUT);
}

/* A schedule without vectors takes many times as long. */
static void
slower_is_regressed(void **state)
{
	Case *c = *state;

	assert_int_equal(device_open(&c->device[1], &way, SECOND_NS, (DeviceHooks){0}, NULL), OK);
	c->opt.ndevice = 2;
	compare(c, &c->slow);
	assert_true(c->device[1].last_batch > 0); /* the repeat was there */
	is(entry(&c->r, REGRESS_KERNEL), REGRESS_REGRESSED);
	is(entry(&c->r, REGRESS_MODEL), REGRESS_REGRESSED);
	assert_true(entry(&c->r, REGRESS_KERNEL)->est.ratio > 1.5);
	assert_true(entry(&c->r, REGRESS_MODEL)->est.ratio > 1.5);
	assert_int_equal(entry(&c->r, REGRESS_KERNEL)->nround, 2);
	assert_int_equal(c->r.attempts, 2);
	assert_non_null(strstr(entry(&c->r, REGRESS_KERNEL)->command, "again --kernel '"));

	/* and the other way */
	c->b = record(c, &c->slow);
	c->opt.kernel = c->b.kernel.v[0].name;
	compare(c, &c->suite);
	is(entry(&c->r, REGRESS_KERNEL), REGRESS_IMPROVED);
	assert_int_not_equal(regress_exit(&c->r), 1);
}

/* The new side computes with other weights than the checks expect. */
static void
wrong_is_wrong(void **state)
{
	Case *c = *state;
	Batch *now = &c->suite.kernel[0].parcel->batch;

	for (uint32_t i = 0; i < now->buffers.n; i++)
		if (now->buffers.v[i].role == ROLE_CONST)
			now->buffers.v[i].fill.seed++;
	compare(c, &c->suite);
	assert_int_equal(entry(&c->r, REGRESS_KERNEL)->verdict, REGRESS_WRONG);
	assert_int_equal(regress_exit(&c->r), 7);
}

/* Both sides of the model get other weights: the outputs differ, the times do not. */
static void
wrong_outputs_of_the_model_are_seen(void **state)
{
	Case *c = *state;
	Blob *weights = &c->slow.model->blob.v[1];

	c->opt.kernel = SUITE_MODEL;
	((float *)weights->data)[3] += 1;
	weights->digest = digest_of(weights->data, weights->size);
	c->slow.model->batch.candidates.v[0].pool.blob = weights->digest;
	compare(c, &c->slow);
	assert_int_equal(c->r.nkernel, 1);
	assert_int_equal(c->r.kernel[0].verdict, REGRESS_WRONG);
	assert_non_null(strstr(c->r.kernel[0].reason, "differ from the baseline's"));
}

/* Code that the agent cannot load, on the one side and on the other. */
static void
broken_code_is_told(void **state)
{
	Case *c = *state;

	c->opt.kernel = c->b.kernel.v[0].name;
	c->b.kernel.v[0].call.phase.v[0] = "nowhere";
	compare(c, &c->slow);
	assert_int_equal(c->r.kernel[0].verdict, REGRESS_STALE);
	assert_int_equal(regress_exit(&c->r), 6);
	c->slow.kernel[0].parcel->batch.candidates.v[0].phases.v[0] = arena_strdup(c->a, "nowhere");
	compare(c, &c->slow);
	assert_int_equal(c->r.kernel[0].verdict, REGRESS_CRASH);
	assert_int_equal(regress_exit(&c->r), 7);
}

static void
other_kernels_are_new_and_missing(void **state)
{
	Case *c = *state;

	c->b.kernel.v[0].task = digest_of_text("another task");
	compare(c, &c->suite);
	assert_int_equal(c->r.nkernel, 3);
	assert_int_equal(regress_count(&c->r, REGRESS_NEW), 1);
	assert_int_equal(regress_count(&c->r, REGRESS_MISSING), 1);
	assert_int_equal(regress_count(&c->r, REGRESS_UNCHANGED), 1);
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
	Case *c = *state;

	c->device[0].reopen.way.server_path = "/nowhere/rpc_server";
	kill_agent();
	compare(c, &c->slow);
	assert_int_equal(entry(&c->r, REGRESS_KERNEL)->verdict, REGRESS_NO_BOARD);
	assert_int_equal(entry(&c->r, REGRESS_MODEL)->verdict, REGRESS_NO_BOARD);
	assert_int_equal(regress_exit(&c->r), 4);

	compare_nothing(&c->b, "gone", &c->opt, c->a, &c->r);
	assert_int_equal(c->r.nkernel, 2);
	assert_int_equal(regress_exit(&c->r), 4);
}

/* A millisecond and more of additions, and the outputs are right. */
static void
a_delay_only_takes_time(void **state)
{
	Case *c = *state;
	Process x[2];
	Parcel *p[2];
	Code code;
	Err e = {0};

	p[0] = c->suite.kernel[0].parcel;
	if (delay_build(c->suite.emit, 1000000, c->a, &code, &e) ||
	    suite_delayed(&c->suite, 0, &code, &p[1], &e) ||
	    process_run(&c->device[0], p, 2, NULL, NULL, x, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(x[0].end, PROCESS_OK);
	assert_int_equal(x[1].end, PROCESS_OK);
	assert_true(x[1].ns > x[0].ns + 200000);
	parcel_free(p[1]);
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
	Case *c = *state;
	SelftestOptions opt = {.compare = c->opt, .equal = 1, .slow = 1, .by = 1};
	Selftest found;
	Err e = {0};

	if (selftest_run(&c->slow, &opt, c->a, &found, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(found.equal[REGRESS_REGRESSED], 0);
	assert_int_equal(count(found.equal), 1);
	assert_int_equal(count(found.slow), 1);
	assert_int_equal(found.slow[REGRESS_REGRESSED] + found.slow[REGRESS_INCONCLUSIVE], 1);
	assert_true(found.ratio > 1.3 && found.ratio < 3);
}

/* Without time nothing can be said, and that is said. */
static void
no_time_is_inconclusive(void **state)
{
	Case *c = *state;

	c->opt.budget_s = 1e-6;
	compare(c, &c->slow);
	assert_int_equal(entry(&c->r, REGRESS_KERNEL)->verdict, REGRESS_INCONCLUSIVE);
	assert_non_null(strstr(entry(&c->r, REGRESS_KERNEL)->reason, "--budget"));
	assert_int_equal(regress_exit(&c->r), 6);
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
	Case *c = *state;
	Err e = {0};

	c->opt.stop = at_once;
	assert_int_equal(compare_suite(&c->suite, &c->b, &c->opt, c->a, &c->r, &e), ERR_CANCELLED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, prepare, finish)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(equal_is_unchanged),      TEST(slower_is_regressed),
		TEST(wrong_is_wrong),          TEST(wrong_outputs_of_the_model_are_seen),
		TEST(broken_code_is_told),     TEST(other_kernels_are_new_and_missing),
		TEST(lost_board_is_no_board),  TEST(no_time_is_inconclusive),
		TEST(a_delay_only_takes_time), TEST(self_test_tells_sides_apart),
		TEST(stopping_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
