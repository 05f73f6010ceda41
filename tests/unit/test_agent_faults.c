/* Hostile and broken kernels: each gets the row it deserves, the agent lives, and what comes after
 * it in the batch is measured. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/unit/agent_case.h"
#include "tests/unit/process.h"

/* What kernels need to misbehave. */
static const char tools[] =
	"#include <sys/syscall.h>\n"
	"static long sys(long n, long a, long b) {\n"
#if defined(__x86_64__)
	"  long r = n;\n"
	"  __asm__ volatile(\"syscall\" : \"+a\"(r) : \"D\"(a), \"S\"(b)\n"
	"                   : \"rcx\", \"r11\", \"memory\");\n"
	"  return r; }\n"
#elif defined(__aarch64__)
	"  register long x0 __asm__(\"x0\") = a, x1 __asm__(\"x1\") = b, x8 __asm__(\"x8\") = n;\n"
	"  __asm__ volatile(\"svc 0\" : \"+r\"(x0) : \"r\"(x1), \"r\"(x8) : \"memory\");\n"
	"  return x0; }\n"
#endif
	"static void spin(void) { for (volatile int i = 0;; i++) ; }\n"
	"static __attribute__((noinline)) int deep(int n)\n"
	"{ volatile char a[4096]; a[0] = n; return n ? deep(n - 1) + a[0] : 0; }\n"
	"KERNEL(bad_prepare) { *(volatile int *)16 = 1; return 0; }\n";

/* A kernel does this, then computes what is right. */
static const struct {
	const char *name;
	Status status;
	const char *reason, *body;
} hostile[] = {
	{"segfault", STATUS_CRASH, "SIGSEGV (11) outside all buffers, instruction at image+0x",
	 "*(volatile int *)16 = 1;"},
	{"wild_jump", STATUS_CRASH, "SIGSEGV (11) outside all buffers",
	 "((void (*volatile)(void))64)();"},
	{"illegal", STATUS_CRASH, "instruction at image+0x", "__builtin_trap();"},
	{"past_the_end", STATUS_CRASH, "32 bytes past the end of buffer 2, instruction",
	 "Y[N + 8] = 1;"},
	{"far_past_the_end", STATUS_CRASH, "2400 bytes past the end of buffer 2",
	 "Y[N + 600] = 1;"},
	{"before_the_beginning", STATUS_CRASH, "4000 bytes before buffer 2", "Y[-1000] = 1;"},
	{"past_an_input", STATUS_CRASH, "past the end of buffer 0",
	 "Y[0] = ((volatile const float *)X)[N + 8];"},
	{"past_the_pool", STATUS_CRASH, "of pool of constants 0",
	 "Y[0] = ((volatile const float *)W)[NW];"},
	{"past_scratch", STATUS_CRASH, "at byte 4096 of scratch 0",
	 "((volatile int *)scratch)[1023] = 1; ((volatile int *)scratch)[1024] = 1;"},
	{"huge_stack", STATUS_CRASH, "below the stack", "deep(1 << 30);"},
	{"into_the_canary", STATUS_WRONG, "wrote past the end of buffer 2 (output, 4000 bytes)",
	 "Y[N] = 1;"},
	{"under_the_output", STATUS_WRONG, "wrote before the beginning of buffer 2", "Y[-1] = 1;"},
	{"changes_its_input", STATUS_WRONG, "changed the contents of buffer 0 (input",
	 "((float *)X)[3] = 9;"},
	{"changes_it_later", STATUS_WRONG, "changed the contents of buffer 0 (input",
	 "static int runs; if (runs++ == 4) ((float *)X)[3] = 9;"},
	{"writes_less_later", STATUS_WRONG, "element 0 of buffer 2 is not written",
	 "static int runs; if (runs++) return 0;"},
	{"returns_nonzero", STATUS_WRONG, "a phase returned 3", "return 3;"},
	{"returns_it_later", STATUS_WRONG, "a phase did not return 0 while it was timed",
	 "static int runs; if (runs++ == 4) return 3;"},
	{"endless", STATUS_HANG, "no result within 300 ms", "spin();"},
	{"endless_later", STATUS_HANG, "no result within 300 ms",
	 "static int runs; if (runs++ == 2) spin();"},
	{"exits", STATUS_CRASH, "exited with code 7", "sys(SYS_exit_group, 7, 0);"},
	{"exits_quietly", STATUS_CRASH, "exited with code 0", "sys(SYS_exit_group, 0, 0);"},
	{"kills_itself", STATUS_LOST, "killed (SIGKILL)",
	 "sys(SYS_kill, sys(SYS_getpid, 0, 0), 9);"},
	{"kills_its_parent", STATUS_LOST, "killed (SIGKILL)",
	 "sys(SYS_kill, sys(SYS_getppid, 0, 0), 9); spin();"},
	{"kills_its_group", STATUS_LOST, "killed (SIGKILL)", "sys(SYS_kill, 0, 9);"},
	{"closes_its_line", STATUS_CRASH, "closed or misused its connection",
	 "sys(SYS_close, 3, 0); spin();"},
	{"leaves_children", STATUS_OK, "",
	 "static int n; for (; n < 2; n++) if (sys(SYS_clone, 17, 0) == 0) spin();"},
};

enum { HOSTILE = sizeof hostile / sizeof *hostile };

static char *good[] = {"good"};

static void
hostile_source(Str *s)
{
	str_add(s, tools);
	for (int i = 0; i < HOSTILE; i++)
		str_printf(s, "KERNEL(%s) { %s\n  return good(in, out, scratch, 0, 1); }\n",
			   hostile[i].name, hostile[i].body);
}

/* The agent is the same before and after. */
static void
assert_agent_lives(pid_t agent)
{
	assert_int_equal(process_child(getpid(), "rpc_server"), agent);
}

static void
each_gets_its_row_and_the_rest_goes_on(void **state)
{
	RpcClient *c = case_agent();
	pid_t agent = process_child(getpid(), "rpc_server");
	unsigned descriptors = process_descriptors(agent);
	char *name[HOSTILE];
	Str source = {0};
	AgentCase a;
	Outcomes o;

	(void)state;
	hostile_source(&source);
	case_init(&a, c, source.s);
	for (int i = 0; i < HOSTILE; i++) {
		Candidate *k;

		name[i] = (char *)hostile[i].name;
		k = case_add(&a, &name[i]);
		k->deadline_ms = 300;
		k->scratch_bytes = 4096;
		case_add(&a, good);
	}
	case_run(&a, c, &o);
	for (uint32_t i = 0; i < HOSTILE; i++) {
		print_message("%-22s %s: %s\n", hostile[i].name,
			      status_name(o.result[2 * i].status), o.result[2 * i].reason);
		case_expect(&o, 2 * i, hostile[i].status, hostile[i].reason);
		case_expect(&o, 2 * i + 1, STATUS_OK, "");
	}
	assert_agent_lives(agent);
	assert_true(process_await_no_child(agent, "hone_runner"));
	assert_true(process_await_descriptors(agent, descriptors));
	outcomes_fini(&o);
	str_fini(&source);
	rpc_close(c);
	assert_true(process_all_gone()); /* the children that were left behind too */
}

static void
prepare_entries_may_fail_too(void **state)
{
	RpcClient *c = case_agent();
	char *prepare[] = {"bad_prepare"};
	AgentCase a;
	Outcomes o;

	(void)state;
	case_init(&a, c, tools);
	case_add(&a, good)->prepare.v = prepare;
	case_add(&a, good);
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_CRASH, "instruction at image+0x");
	case_expect(&o, 1, STATUS_OK, "");
	outcomes_fini(&o);
	rpc_close(c);
}

/* A kernel that goes bad in the middle of a race costs its own row only. */
static void
a_race_goes_on_without_the_hostile(void **state)
{
	char *late_crash[] = {"late_crash"}, *endless[] = {"endless_later"};
	RpcClient *c = case_agent();
	Str source = {0};
	AgentCase a;
	Outcomes o;

	(void)state;
	hostile_source(&source);
	str_add(&source, "KERNEL(late_crash) { static int runs; if (runs++ == 50) "
			 "*(volatile int *)16 = 1; return good(in, out, scratch, 0, 1); }\n");
	case_init(&a, c, source.s);
	case_add(&a, good);
	case_add(&a, late_crash);
	case_add(&a, endless)->deadline_ms = 300;
	case_add(&a, good);
	a.batch.measure.race_rounds = 20;
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_OK, "");
	case_expect(&o, 1, STATUS_CRASH, "SIGSEGV");
	case_expect(&o, 2, STATUS_HANG, "");
	case_expect(&o, 3, STATUS_OK, "");
	assert_int_equal(o.result[3].samples.n, 20);
	outcomes_fini(&o);
	str_fini(&source);
	rpc_close(c);
}

static void
what_is_unwritten_or_too_fast_is_found(void **state)
{
	char *gap[] = {"gap"}, *nan[] = {"nan"};
	RpcClient *c = case_agent();
	AgentCase a;
	Outcomes o;

	(void)state;
	case_init(
		&a, c,
		"KERNEL(gap) { for (int i = 0; i < N; i++) if (i != 500) Y[i] = X[i] * W[i % NW];\n"
		"  return 0; }\n"
		"KERNEL(nan) { good(in, out, scratch, 0, 1); Y[5] = __builtin_nanf(\"\");\n"
		"  return 0; }\n");
	case_add(&a, gap);
	case_add(&a, nan);
	case_add(&a, good)->floor_ns = 1e9;
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_WRONG, "element 500 of buffer 2 is nan");
	assert_true(isfinite(o.result[0].max_error)); /* else no log would take the row */
	case_expect(&o, 1, STATUS_WRONG, "element 5 of buffer 2 is nan");
	case_expect(&o, 2, STATUS_IMPLAUSIBLE, "at least 1000000000");
	outcomes_fini(&o);

	a.batch.checks.v = &a.check[1]; /* without expectations: was everything written? */
	a.batch.checks.n = 1;
	a.batch.id++;
	a.candidate[2].floor_ns = 0;
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_WRONG, "element 500 of buffer 2 is not written");
	case_expect(&o, 1, STATUS_OK, "");
	case_expect(&o, 2, STATUS_OK, "");
	outcomes_fini(&o);
	rpc_close(c);
}

/* Someone kills the runner from outside: the candidate it ran may be tried again, the rest runs. */
static void
a_killed_runner_costs_one_candidate(void **state)
{
	RpcClient *c = case_agent();
	pid_t agent = process_child(getpid(), "rpc_server");
	uint32_t lost = 0;
	AgentCase a;
	Outcomes o;
	Err e = {0};

	(void)state;
	case_init(&a, c, "");
	for (int i = 0; i < 30; i++)
		case_add(&a, good)->deadline_ms = 20000;
	a.batch.measure.max_runs = a.batch.measure.min_runs = 3000; /* 60 ms each */
	assert_int_equal(rpc_submit(c, &a.batch, &e), OK);
	for (int i = 0; i < 3; i++) {
		pid_t runner = process_await_child(agent, "hone_runner");

		assert_true(runner > 0);
		clock_sleep_ns(150000000);
		assert_int_equal(process_child(agent, "hone_runner"), runner);
		kill(runner, SIGKILL);
		while (process_child(agent, "hone_runner") == runner)
			clock_sleep_ns(1000000);
	}
	case_collect(&a, c, &o);
	for (uint32_t i = 0; i < a.batch.candidates.n; i++) {
		if (o.result[i].status == STATUS_LOST)
			lost++;
		else
			case_expect(&o, i, STATUS_OK, "");
	}
	assert_int_equal(lost, 3);
	assert_agent_lives(agent);
	outcomes_fini(&o);
	rpc_close(c);
	assert_true(process_all_gone());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_gets_its_row_and_the_rest_goes_on),
		cmocka_unit_test(prepare_entries_may_fail_too),
		cmocka_unit_test(a_race_goes_on_without_the_hostile),
		cmocka_unit_test(what_is_unwritten_or_too_fast_is_found),
		cmocka_unit_test(a_killed_runner_costs_one_candidate),
	};

	process_adopt_orphans();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
