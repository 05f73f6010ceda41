/* The sandbox of runners: hostile kernels under several profiles, layers that are what the agent
 * says they are, and an agent that is the same after many kills.
 *
 * Environment: HONE_KILLS_OF_RUNNERS (1000; the nightly run asks for 10000). */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/median.h"
#include "tests/unit/hostile.h"
#include "tests/unit/process.h"
#include "wire/sandbox.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1 /* memory comes and goes in another way */
#else
#define SANITIZED 0
#endif

enum { KILLS = 1000, WARM_UP = 50, GROWTH_MAX = 1 << 20, ROUNDS = 31 };

static char folder[] = "/tmp/hone-test-XXXXXX", path[64];
static char *good[] = {"good"};

typedef struct Agent {
	pid_t pid;
	RpcClient *client;
} Agent;

static pid_t
start(const char *layers, const char *required)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	dup2(open("/dev/null", O_RDWR), 1);
	if (required)
		dup2(1, 2);
	execl(AGENT, AGENT, "--socket", path, "--sandbox", layers,
	      required ? "--require-sandbox" : NULL, required, NULL);
	_exit(127);
}

static Agent
agent_start(const char *layers)
{
	Agent a = {.pid = start(layers, NULL)};
	uint64_t end = clock_ns() + PROCESS_PATIENCE_NS;
	Err e = {0};

	while (rpc_open(path, &a.client, &e) && process_look_again(end))
		e = (Err){0};
	if (!a.client)
		fail_msg("%s", e.msg);
	return a;
}

/* Ends as it is told to, and leaves nothing. */
static void
agent_stop(Agent *a)
{
	int status;

	rpc_close(a->client);
	kill(a->pid, SIGTERM);
	assert_int_equal(waitpid(a->pid, &status, 0), a->pid);
	assert_int_equal(status, 0);
	assert_true(process_all_gone());
}

/* What left its session outlives its runner where neither a filter nor a name space of processes
 * is there: this test has become its parent. */
static void
end_strays(uint64_t active)
{
	pid_t pid;

	if (active & (SANDBOX_BIT(PID) | SANDBOX_BIT(COMPUTE)))
		return;
	while ((pid = process_child(getpid(), "hone_runner")) > 0) {
		print_message("  killed what was left: %d\n", pid);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static void
profile(const char *layers)
{
	Agent agent = agent_start(layers);
	uint64_t active = rpc_device(agent.client)->sandbox;
	char words[SANDBOX_WORDS_BYTES];
	Str source = {0};
	AgentCase a;
	Outcomes o;

	sandbox_words(active, words);
	print_message("--sandbox %s: %u kernels in %s\n", layers, hostiles, words);
	hostile_source(&source);
	case_init(&a, agent.client, source.s);
	for (uint32_t i = 0; i < hostiles; i++)
		hostile_add(&a, i);
	case_add(&a, good);
	case_run(&a, agent.client, &o);
	for (uint32_t i = 0; i < hostiles; i++) {
		hostile_expect(&o, i, i);
		assert_int_equal(o.result[i].sandbox, active);
	}
	case_expect(&o, hostiles, STATUS_OK, "");
	assert_true(process_await_no_child(agent.pid, "hone_runner"));
	outcomes_fini(&o);
	str_fini(&source);
	end_strays(active);
	agent_stop(&agent);
}

static void
everything_hostile_under_every_profile(void **state)
{
	static const char *const layers[] = {"all", "none", "all,-load-filter,-run-filter",
					     "run-filter"};

	(void)state;
	for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
		profile(layers[i]);
}

/* Says by the number it returns which layers it finds around itself. */
static const char looks_around[] =
	"KERNEL(looks_around) {\n"
	"  long limit[2] = {1, 1}, found = 0;\n"
	"  int head[2] = {0x20080522, 0}, caps[6] = {1}, orphan = 0;\n"
	"  SYS(SYS_prlimit64, 0, 7, 0, limit);\n"
	"  SYS(SYS_capget, head, caps, 0, 0);\n"
	"  SYS(SYS_prctl, 2, &orphan, 0, 0);\n"
	"  found |= (limit[0] == 0) << LIMITS;\n"
	"  found |= (SYS(SYS_prctl, 39, 0, 0, 0) == 1) << PRIVILEGES;\n"
	"  found |= (SYS(SYS_getuid, 0, 0, 0, 0) == 65534) << USER;\n"
	"  found |= (SYS(SYS_getpid, 0, 0, 0, 0) == 1) << PID;\n"
	"  found |= (orphan == 9) << ORPHAN;\n"
	"  found |= (!caps[0] && !caps[1] && !caps[3] && !caps[4]) << CAPABILITIES;\n"
	"  if (SYS(SYS_mkdirat, -100, \"/tmp/hone-landlock\", 0700, 0) == -13)\n"
	"    found |= 1 << LANDLOCK;\n"
	"  SYS(SYS_unlinkat, -100, \"/tmp/hone-landlock\", 0x200, 0);\n"
	"  return 0x10000 | found; }\n";

static uint64_t
layers_found(const Agent *agent)
{
	char *symbol[] = {"looks_around"};
	Str source = {0};
	const char *number;
	uint64_t found;
	AgentCase a;
	Outcomes o;

	hostile_source(&source);
#define X(name, bit, word, text) str_printf(&source, "#define " #name " %d\n", bit);
	SANDBOX_LIST(X)
#undef X
	str_add(&source, looks_around);
	case_init(&a, agent->client, source.s);
	case_add(&a, symbol);
	case_run(&a, agent->client, &o);
	case_expect(&o, 0, STATUS_WRONG, "a phase returned ");
	number = strrchr(o.result[0].reason, ' ');
	found = strtoull(number, NULL, 10) ^ 0x10000;
	outcomes_fini(&o);
	str_fini(&source);
	return found;
}

/* Each layer but the filters, which would end who looks, left out once. */
static void
the_agent_tells_the_truth(void **state)
{
	uint64_t seen = SANDBOX_BIT(LIMITS) | SANDBOX_BIT(PRIVILEGES) | SANDBOX_BIT(USER) |
			SANDBOX_BIT(PID) | SANDBOX_BIT(ORPHAN) | SANDBOX_BIT(CAPABILITIES) |
			SANDBOX_BIT(LANDLOCK);

	(void)state;
	for (unsigned left_out = 0; left_out <= SANDBOX_LAYERS; left_out++) {
		uint64_t wanted = SANDBOX_ALL & ~((uint64_t)1 << left_out), active, found;
		char words[SANDBOX_WORDS_BYTES];
		Agent agent;

		wanted &= ~(SANDBOX_BIT(FILTER) | SANDBOX_BIT(COMPUTE));
		sandbox_words(wanted, words);
		agent = agent_start(words);
		active = rpc_device(agent.client)->sandbox;
		assert_int_equal(active & ~wanted, 0);
		found = layers_found(&agent);
		/* who was no superuser has no capabilities, with or without that layer */
		if ((active ^ found) & seen &
		    ~(active & SANDBOX_BIT(CAPABILITIES) ? 0 : SANDBOX_BIT(CAPABILITIES)))
			fail_msg("without %s the agent says %#llx, its kernels find %#llx",
				 sandbox_word(left_out), (unsigned long long)(active & seen),
				 (unsigned long long)found);
		agent_stop(&agent);
	}
}

static int
exit_code(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
what_is_required_must_be_there(void **state)
{
	(void)state;
	assert_int_equal(exit_code(start("all,-limits", "limits,session")), 3);
	assert_int_equal(exit_code(start("none", "all")), 3);
	assert_int_equal(exit_code(start("all", "nonsense")), 2);
	assert_int_equal(exit_code(start("all,", "none")), 2);
	assert_int_equal(access(path, F_OK), -1);
}

/* Words and masks; what is not known is refused by name. */
static void
lists_of_layers_are_read(void **state)
{
	char words[SANDBOX_WORDS_BYTES];
	uint64_t layers;
	Err e = {0};

	(void)state;
	assert_int_equal(sandbox_parse("all", &layers, &e), OK);
	assert_int_equal(layers, SANDBOX_ALL);
	sandbox_words(layers, words);
	assert_int_equal(sandbox_parse(words, &layers, &e), OK);
	assert_int_equal(layers, SANDBOX_ALL);
	assert_int_equal(sandbox_parse("all,-landlock,-limits,limits", &layers, &e), OK);
	assert_int_equal(layers, SANDBOX_ALL & ~SANDBOX_BIT(LANDLOCK));
	assert_int_equal(sandbox_parse("none", &layers, &e), OK);
	assert_int_equal(layers, 0);
	sandbox_words(0, words);
	assert_string_equal(words, "none");
	assert_int_equal(sandbox_parse("limits,landlok", &layers, &e), ERR_INPUT);
	assert_string_equal(e.msg, "'landlok': no layer of the sandbox");
}

/* What one kernel does to rounding, masks and flags, the next does not see. */
static void
arithmetic_begins_afresh(void **state)
{
	char *changes[] = {"changes"}, *looks[] = {"looks"};
	Agent agent = agent_start("all");
	AgentCase a;
	Outcomes o;

	(void)state;
	case_init(
		&a, agent.client,
#if defined(__x86_64__)
		"static void set(unsigned m) { __asm__ volatile(\"ldmxcsr %0\" : : \"m\"(m)); }\n"
		"static unsigned get(void)\n"
		"{ unsigned m; __asm__ volatile(\"stmxcsr %0\" : \"=m\"(m)); return m & ~0x3f; }\n"
		"enum { RIGHT = 0x9fc0, OTHER = 0x7f80 };\n"
#elif defined(__aarch64__)
		"static void set(unsigned long m) { __asm__ volatile(\"msr fpcr, %0\" : : "
		"\"r\"(m)); }\n"
		"static unsigned get(void)\n"
		"{ unsigned long m; __asm__ volatile(\"mrs %0, fpcr\" : \"=r\"(m)); return m & 7 "
		"<< 22; }\n"
		"enum { RIGHT = 4 << 22, OTHER = 3 << 22 };\n"
#endif
		"KERNEL(changes) { set(RIGHT); int rc = good(in, out, scratch, 0, 1); set(OTHER);\n"
		"  return rc; }\n"
		"KERNEL(looks) { return get() != RIGHT ? 9 : good(in, out, scratch, 0, 1); }\n");
	case_add(&a, changes);
	case_add(&a, looks);
	case_run(&a, agent.client, &o);
	case_expect(&o, 0, STATUS_OK, "");
	case_expect(&o, 1, STATUS_OK, "");
	outcomes_fini(&o);
	agent_stop(&agent);
}

/* --- many kills --- */

static long
resident_bytes(pid_t pid)
{
	char name[64];
	long pages = 0;
	FILE *f;

	snprintf(name, sizeof name, "/proc/%d/statm", pid);
	f = fopen(name, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

/* Every one of them ends its runner; a forbidden call, the last, only where there is a filter. */
static void
kill_many(const Agent *agent, AgentCase *a, int kills)
{
	static char *symbol[] = {"segfault", "exits", "return_address", "changes_its_input",
				 "executes"};
	bool filtered = rpc_device(agent->client)->sandbox & SANDBOX_BIT(COMPUTE);
	const int kinds = (int)(sizeof symbol / sizeof *symbol) - !filtered;

	while (kills > 0) {
		Outcomes o;

		a->batch.candidates.n = 0;
		a->batch.id++;
		for (int i = 0; i < CANDIDATES_MAX && kills > 0; i++, kills--)
			case_add(a, &symbol[i % kinds]);
		case_run(a, agent->client, &o);
		for (uint32_t i = 0; i < a->batch.candidates.n; i++)
			assert_true(o.result[i].status != STATUS_OK &&
				    o.result[i].status != STATUS_LOST);
		assert_int_equal(o.done.restarts, a->batch.candidates.n - 1);
		outcomes_fini(&o);
	}
}

static void
many_kills_leave_nothing(void **state)
{
	const char *text = getenv("HONE_KILLS_OF_RUNNERS");
	int kills = text ? atoi(text) : getenv("HONE_TEST_QUICK") ? KILLS / 10 : KILLS;
	Agent agent = agent_start("all");
	Str source = {0};
	unsigned descriptors;
	uint64_t began;
	AgentCase *a = malloc(sizeof *a);
	long bytes;

	(void)state;
	assert_non_null(a);
	hostile_source(&source);
	case_init(a, agent.client, source.s);
	kill_many(&agent, a, WARM_UP);
	descriptors = process_settled_descriptors(agent.pid);
	bytes = resident_bytes(agent.pid);
	began = clock_ns();
	kill_many(&agent, a, kills);
	assert_true(process_await_no_child(agent.pid, "hone_runner"));
	bytes = resident_bytes(agent.pid) - bytes;
	print_message("%d kills, %.2f ms each; the agent grew by %ld bytes\n", kills,
		      (double)(clock_ns() - began) * 1e-6 / kills, bytes);
	assert_true(SANITIZED || bytes < GROWTH_MAX);
	assert_true(process_await_descriptors(agent.pid, descriptors));
	free(a);
	str_fini(&source);
	agent_stop(&agent);
}

/* --- how long it takes --- */

/* From submitting until the row of the first candidate, and from there until the end. */
static void
time_batch(const Agent *agent, AgentCase *a, double *first_ms, double *rest_ms)
{
	uint64_t began = clock_ns(), row = 0;
	Err e = {0};

	a->batch.id++;
	assert_int_equal(rpc_submit(agent->client, &a->batch, &e), OK);
	for (RpcEvent event = {0}; event.kind != RPC_BATCH_DONE;) {
		assert_int_equal(rpc_wait(agent->client, 10000, &event, &e), OK);
		if (!row)
			row = clock_ns();
		if (event.kind != RPC_BATCH_DONE)
			result_fini(&event.result);
	}
	*first_ms = (double)(row - began) * 1e-6;
	*rest_ms = (double)(clock_ns() - row) * 1e-6;
}

/* Median over the rounds of what that kernel's row takes, and of what the next candidate takes: a
 * new runner, and its own measurement. */
static void
time_kernel(const char *layers, char *symbol, uint32_t deadline_ms, double *row, double *next)
{
	Agent agent = agent_start(layers);
	AgentCase *a = malloc(sizeof *a);
	double rows[ROUNDS], nexts[ROUNDS];
	Str source = {0};

	assert_non_null(a);
	hostile_source(&source);
	case_init(a, agent.client, source.s);
	case_add(a, &symbol)->deadline_ms = deadline_ms;
	case_add(a, good);
	for (int i = 0; i < ROUNDS; i++)
		time_batch(&agent, a, &rows[i], &nexts[i]);
	qsort(rows, ROUNDS, sizeof *rows, by_double);
	qsort(nexts, ROUNDS, sizeof *nexts, by_double);
	*row = rows[ROUNDS / 2];
	*next = nexts[ROUNDS / 2];
	free(a);
	str_fini(&source);
	agent_stop(&agent);
}

/* Figures for people; only what no loaded machine excuses fails. */
static void
kills_and_recoveries_are_quick(void **state)
{
	static const char *const layers[] = {"all", "none"};
	enum { DEADLINE = 50, LATE = 1000, SLOW = 1000 };

	(void)state;
	for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
		double row, next, fine, one;

		time_kernel(layers[i], "good", 1000, &fine, &one);
		time_kernel(layers[i], "segfault", 1000, &row, &next);
		print_message("--sandbox %s: a first row after %.2f ms, a second one %.2f ms "
			      "later, %.2f ms after a crash\n",
			      layers[i], fine, one, next);
		assert_true(next < SLOW);
		time_kernel(layers[i], "endless", DEADLINE, &row, &next);
		print_message("  an endless kernel is told %.2f ms after a deadline of %d ms\n",
			      row - fine - DEADLINE, DEADLINE);
		assert_true(row < DEADLINE + LATE);
	}
}

/* What a test that failed left running. */
static int
end_agents(void **state)
{
	pid_t pid;

	(void)state;
	while ((pid = process_child(getpid(), "rpc_server")) > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		unlink(path);
	}
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	process_adopt_orphans();
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/agent", folder);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return rmdir(folder);
}

#define CASE(name) cmocka_unit_test_teardown(name, end_agents)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(lists_of_layers_are_read),
		CASE(what_is_required_must_be_there),
		CASE(the_agent_tells_the_truth),
		CASE(arithmetic_begins_afresh),
		CASE(everything_hostile_under_every_profile),
		CASE(many_kills_leave_nothing),
		CASE(kills_and_recoveries_are_quick),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
