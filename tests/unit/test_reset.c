/* Boards that reset: the agent is killed with SIGKILL and comes back in another life of the board.
 * Who did that twice is not run a third time, there or on a board of the same kind, and the tuner
 * goes on by itself. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/str.h"
#include "db/log.h"
#include "rpc_server/poison.h"
#include "rpc_server/record.h"
#include "tests/unit/agent_process.h"
#include "tests/unit/log_file.h"
#include "tests/unit/tune_case.h"
#include "tuner/tune.h"

enum { TRIALS = 6, PATIENCE_MS = 60000 };

/* One board: where its agent listens and keeps its state, and which life it is in. */
typedef struct Board {
	char folder[64], state[80], boot[80], socket[80];
	int life;
	Agent agent;
} Board;

static void
path_in(const char *folder, const char *name, char path[96])
{
	snprintf(path, 96, "%s/%s", folder, name);
}

/* The board begins a new life. */
static void
start_board(Board *b)
{
	char id[16];

	snprintf(id, sizeof id, "life-%d", b->life++);
	assert_int_equal(file_write(b->boot, id, strlen(id), NULL), OK);
	agent_start(&b->agent,
		    ARGS("--socket", b->socket, "--state", b->state, "--boot-id", b->boot));
	if (!agent_says(&b->agent, "listening on"))
		fail_msg("%s", b->agent.said);
}

static void
reset_board(Board *b)
{
	agent_kill(&b->agent);
	unlink(b->socket);
	start_board(b);
}

static void
open_board(Board *b)
{
	*b = (Board){.folder = "/tmp/hone-test-XXXXXX"};
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->state, sizeof b->state, "%s/state", b->folder);
	snprintf(b->boot, sizeof b->boot, "%s/boot_id", b->folder);
	snprintf(b->socket, sizeof b->socket, "%s/agent", b->folder);
	start_board(b);
}

static void
remove_board(Board *b)
{
	static const char *const name[] = {"running", "poison", "lock"};
	char path[96];

	for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
		path_in(b->state, name[i], path);
		unlink(path);
	}
	rmdir(b->state);
	unlink(b->boot);
	unlink(b->socket);
	assert_int_equal(rmdir(b->folder), 0);
}

static void
close_board(Board *b)
{
	kill(b->agent.pid, SIGTERM);
	assert_int_equal(agent_exit_code(&b->agent), 0);
	remove_board(b);
}

/* What is running there now; false when nothing is, or it is just being written. */
static bool
look(const Board *b, Record *r)
{
	char path[96], *text;
	bool runs;
	size_t n;

	path_in(b->state, "running", path);
	if (file_read(path, RECORD_BYTES, &text, &n, NULL))
		return false;
	runs = record_parse(r, text, n) == OK && r->n;
	free(text);
	return runs;
}

/* --- one batch --- */

static char *good[] = {"good"}, *endless[] = {"endless"};

static RpcClient *
submit(AgentCase *a, const Board *b)
{
	RpcClient *c = open_or_fail(b->socket);
	Err e = {0};

	case_init(a, c, CASE_ENDLESS);
	case_add(a, good);
	case_add(a, endless)->deadline_ms = PATIENCE_MS;
	case_add(a, good);
	if (rpc_submit(c, &a->batch, &e))
		fail_msg("submit: %s", e.msg);
	return c;
}

/* Waits until the endless one runs: second of the batch, or alone. */
static void
await_endless(const Board *b, bool alone, Digest *d)
{
	Record r;

	for (int i = 0; i < PATIENCE_MS; i++) {
		if (look(b, &r) && (alone ? r.n == 1 && digest_equal(&r.run[0], d) : r.at == 1)) {
			*d = r.run[r.at];
			return;
		}
		clock_sleep_ns(1000000);
	}
	fail_msg("it does not run");
}

static void
what_resets_the_board_twice_is_refused(void **state)
{
	Digest d = {0};
	RpcClient *c;
	AgentCase a;
	Outcomes o;
	Board b;

	(void)state;
	open_board(&b);
	for (int i = 0; i < 2; i++) {
		c = submit(&a, &b);
		assert_int_equal(rpc_device(c)->poisoned, 0);
		await_endless(&b, i == 1, &d);
		reset_board(&b);
		rpc_close(c);
		assert_non_null(strstr(b.agent.said, "BOARD_RESET"));
	}
	for (int i = 0; i < 2; i++) { /* also when it was shut down properly in between */
		c = submit(&a, &b);
		assert_int_equal(rpc_device(c)->poisoned, 1);
		case_collect(&a, c, &o);
		case_expect(&o, 0, STATUS_OK, "");
		case_expect(&o, 1, STATUS_POISON, "the board was reset 2 times");
		case_expect(&o, 2, STATUS_OK, "");
		outcomes_fini(&o);
		rpc_close(c);
		if (i == 0) {
			kill(b.agent.pid, SIGTERM);
			assert_int_equal(agent_exit_code(&b.agent), 0);
			start_board(&b);
			assert_null(strstr(b.agent.said, "BOARD_RESET"));
		}
	}
	close_board(&b);
	assert_true(process_all_gone());
}

/* A race that takes the board down is not run again; its racers are, one by one. */
static void
a_race_is_refused_as_a_whole(void **state)
{
	RpcClient *c;
	AgentCase a;
	Outcomes o;
	Board b;

	(void)state;
	open_board(&b);
	for (int i = 0; i < 3; i++) {
		Record r = {0};
		Err e = {0};

		c = open_or_fail(b.socket);
		case_init(&a, c, "");
		case_add(&a, good);
		case_add(&a, good)->chunks = 1; /* another digest */
		a.batch.measure.race_rounds = i < 2 ? 16384 : 10;
		assert_int_equal(rpc_submit(c, &a.batch, &e), OK);
		if (i == 2)
			break;
		while (!(look(&b, &r) && r.n == 1)) /* neither of the two: their race */
			clock_sleep_ns(1000000);
		reset_board(&b);
		rpc_close(c);
	}
	case_collect(&a, c, &o);
	case_expect(&o, 0, STATUS_POISON, "was reset 2 times");
	case_expect(&o, 1, STATUS_POISON, "was reset 2 times");
	outcomes_fini(&o);
	a.batch.id++;
	a.batch.measure.race_rounds = 0;
	case_run(&a, c, &o);
	case_expect(&o, 0, STATUS_OK, "");
	case_expect(&o, 1, STATUS_OK, "");
	outcomes_fini(&o);
	rpc_close(c);
	close_board(&b);
}

/* --- a tuner --- */

static char log_path[] = "/tmp/hone-test-reset-XXXXXX";

static void
tune_on(const char *device)
{
	TuneOptions opt = {.device = &device,
			   .ndevice = device != NULL,
			   .server_path = AGENT,
			   .log = log_path,
			   .trials = TRIALS,
			   .seed = 5};
	Graph *g = tune_case_product();
	TuneReport r;
	Err e = {0};

	if (tune(g, &opt, &r, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(r.decided, 1);
	tune_report_fini(&r);
	graph_free(g);
}

static volatile sig_atomic_t over;

static void
on_over(int signal)
{
	(void)signal;
	over = 1;
}

static bool
has_poison(const Board *b)
{
	PoisonList *l = calloc(1, sizeof *l);
	char path[96], why[POISON_LINE], *text;
	bool found = false;
	size_t n;

	path_in(b->state, "poison", path);
	if (!file_read(path, POISON_TEXT, &text, &n, NULL)) {
		found = poison_parse(l, text, n, why) && poison_fatal_count(l);
		free(text);
	}
	free(l);
	return found;
}

/* A process that is the board: resets it while the first batch runs, and then whenever a suspect
 * other than the first runs alone, until one of them is poison. The first is what is taken without
 * tuning, and a Task without that fails. */
static int
be_board(Board *b)
{
	Digest first = {0};
	bool known = false;
	Record r;

	signal(SIGTERM, on_over);
	while (!over) {
		if (!has_poison(b) && look(b, &r)) {
			if (b->life == 1 || (known && r.n == 1 && !digest_equal(&first, &r.run[0])))
				reset_board(b);
			else if (!known && r.n == 1)
				first = r.run[0], known = true;
		}
		clock_sleep_ns(200000);
	}
	close_board(b);
	return 0;
}

/* The rows of the log; those of a poison in *poison and its number of rows on that device. */
static int
count_poison(const char *device_of_others, LogRow *poison, Arena *a)
{
	int n, rows = 0;
	const LogRow *row = log_file_rows(log_path, a, &n);

	for (int i = 0; i < n && !device_of_others; i++)
		if (!strcmp(row[i].status, "POISON")) {
			*poison = row[i];
			rows++;
		}
	for (int i = 0; i < n && device_of_others; i++)
		rows += strcmp(row[i].key.device, device_of_others) != 0 &&
			!strcmp(row[i].sched, poison->sched);
	return rows;
}

static void
a_tuner_goes_on_and_spares_other_boards(void **state)
{
	Arena *a = arena_new();
	char command[160];
	LogRow poison = {0};
	int status;
	Board b;
	pid_t pid;

	(void)state;
	open_board(&b);
	pid = fork();
	if (!pid)
		_exit(be_board(&b));
	close(b.agent.out);
	tune_on(b.socket);
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	assert_int_equal(count_poison(NULL, &poison, a), 1);
	assert_non_null(strstr(poison.reason, "the board was reset 2 times"));

	/* What was measured there was measured by another device, as far as the log knows. */
	snprintf(command, sizeof command, "sqlite3 %s \"UPDATE keys SET device = 'other'\"",
		 log_path);
	assert_int_equal(system(command), 0);
	tune_on(NULL);
	assert_int_equal(count_poison("other", &poison, a), 0);
	arena_free(a);
}

static int
setup(void **state)
{
	int fd = mkstemp(log_path);

	(void)state;
	process_adopt_orphans();
	signal(SIGPIPE, SIG_IGN);
	return fd < 0 || close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	log_file_remove(log_path);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_resets_the_board_twice_is_refused),
		cmocka_unit_test(a_race_is_refused_as_a_whole),
		cmocka_unit_test(a_tuner_goes_on_and_spares_other_boards),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
