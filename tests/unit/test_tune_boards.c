/* Several boards share a search: agents whose runner runs nothing and gives known times, held as
 * long as a device would be, killed, slowed, or held by somebody else. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/log.h"
#include "rpc_client/lease.h"
#include "tests/unit/agent_process.h"
#include "tests/unit/log_file.h"
#include "tests/unit/tune_case.h"
#include "tuner/tune.h"

/* ms that a candidate takes; with the greater a board is busy all the time. */
#define SHORT "3"
#define LONG  "25"

enum { TRIALS = 8, BOARDS = 2, SAID = 8192 };

static char folder[] = "/tmp/hone-test-XXXXXX", path[BOARDS][64], log_path[64];

typedef struct Watch {
	Agent agent[BOARDS];
	int kill_at, again_at; /* rows after which the second agent is killed, started again */
	int kill_all_at;
	int rows;
	char said[SAID];
} Watch;

static void
start(Agent *a, int i, const char *hold, const char *slow)
{
	agent_start(a, ARGS("--socket", path[i], "--null-hold", hold, "--null-slow", slow));
	assert_true(agent_says(a, "listening on"));
}

static void
start_all(Watch *w, const char *hold)
{
	for (int i = 0; i < BOARDS; i++)
		start(&w->agent[i], i, hold, "0");
}

static void
end_all(Watch *w)
{
	for (int i = 0; i < BOARDS; i++)
		if (w->agent[i].pid)
			agent_kill(&w->agent[i]);
}

static void
kill_one(Agent *a)
{
	agent_kill(a);
	a->pid = 0;
}

/* True once, when so many rows are there. */
static bool
is_time(const Watch *w, int *at)
{
	bool now = *at && w->rows >= *at;

	if (now)
		*at = 0;
	return now;
}

static void
on_event(void *self, const TuneEvent *ev)
{
	Watch *w = self;
	size_t n = strlen(w->said);

	w->rows += ev->nid;
	if (ev->kind == TUNE_TEXT)
		snprintf(w->said + n, sizeof w->said - n, "%s\n", ev->text);
	if (is_time(w, &w->kill_at))
		kill_one(&w->agent[1]);
	if (!w->kill_at && is_time(w, &w->again_at))
		start(&w->agent[1], 1, LONG, "0");
	if (is_time(w, &w->kill_all_at))
		for (int i = 0; i < BOARDS; i++)
			kill_one(&w->agent[i]);
}

static int
run_tune(Watch *w, const TuneOptions *like, TuneReport *r, Err *e)
{
	Graph *g = tune_case_chain();
	const char *device[] = {path[0], path[1]};
	TuneOptions opt = *like;
	int rc;

	opt.device = device;
	opt.ndevice = opt.ndevice ? opt.ndevice : BOARDS;
	opt.runner = "null";
	opt.bare = true;
	opt.log = log_path;
	opt.trials = TRIALS;
	opt.seed = 5;
	opt.event = on_event;
	opt.self = w;
	rc = tune(g, &opt, r, e);
	graph_free(g);
	return rc;
}

static void
must_tune(Watch *w, const TuneOptions *like, TuneReport *r)
{
	Err e = {0};

	if (run_tune(w, like, r, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(r->ntask, TUNE_CASE_CHAIN);
	assert_int_equal(r->decided, TUNE_CASE_CHAIN);
}

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

/* Rows that were measured, of that board and kind. */
static int
count(const LogRow *row, int n, const char *board, bool race)
{
	int found = 0;

	for (int i = 0; i < n; i++)
		found += row[i].best_ns > 0 && (row[i].race > 0) == race &&
			 ends_with(row[i].session, board);
	return found;
}

/* Nothing was lost, and nothing was measured twice; a race is of one board. */
static void
check_rows(const LogRow *row, int n, int64_t trials)
{
	int search = 0;

	for (int i = 0; i < n; i++) {
		search += row[i].best_ns > 0 && !row[i].race;
		assert_string_not_equal(row[i].status, status_name(STATUS_LOST));
		assert_string_not_equal(row[i].status, status_name(STATUS_CANCELLED));
		for (int k = 0; k < i; k++) {
			if (strcmp(row[i].key.task, row[k].key.task))
				continue;
			if (!row[i].race && !row[k].race)
				assert_string_not_equal(row[i].sched, row[k].sched);
			if (row[i].race && row[k].race)
				assert_string_equal(row[i].session, row[k].session);
		}
	}
	assert_int_equal(search, trials);
}

static void
two_boards_share_the_work(void **state)
{
	Arena *a = arena_new();
	Watch w = {0};
	TuneReport r;
	const char *name;
	LogRow *row;
	Err e = {0};
	Log *l;
	int n;

	(void)state;
	start_all(&w, SHORT);
	must_tune(&w, &(TuneOptions){0}, &r);
	row = log_file_rows(log_path, a, &n);
	assert_int_equal(n, w.rows);
	check_rows(row, n, r.trials);
	assert_int_equal(r.nboard, BOARDS);
	for (int i = 0; i < BOARDS; i++) {
		assert_string_equal(r.board[i].name, path[i]);
		assert_true(r.board[i].trials > 0);
		assert_int_equal(count(row, n, i ? ".2" : ".1", false), r.board[i].trials);
		assert_true(r.board[i].canary_ns > 0 && !r.board[i].apart && !r.board[i].why);
	}
	assert_true(log_open_read(log_path, &l, &e) == OK);
	for (int i = 0; i < n; i++) {
		assert_int_equal(log_get_text(l, a, LOG_TEXT_BOARD, row[i].session, &name, &e), OK);
		assert_string_equal(name, path[ends_with(row[i].session, ".2")]);
	}
	log_close(l);
	tune_report_fini(&r);
	end_all(&w);
	arena_free(a);
	log_file_remove(log_path);
}

/* The texts a search tried, of all Tasks, as a sum of digests: their order says nothing. */
static uint64_t
tried(void)
{
	Arena *a = arena_new();
	uint64_t sum = 0, one;
	LogRow *row;
	int n;

	row = log_file_rows(log_path, a, &n);
	for (int i = 0; i < n; i++) {
		Digest d = digest_of_text(arena_printf(a, "%s %s", row[i].key.task, row[i].sched));

		memcpy(&one, d.b, sizeof one);
		sum += row[i].race ? 0 : one;
	}
	arena_free(a);
	log_file_remove(log_path);
	return sum;
}

static void
the_same_answers_give_the_same_proposals(void **state)
{
	uint64_t sum[BOARDS];
	Watch w = {0};
	TuneReport r;

	(void)state;
	start_all(&w, SHORT);
	for (int i = 0; i < BOARDS; i++) {
		must_tune(&w, &(TuneOptions){.ndevice = i + 1}, &r);
		tune_report_fini(&r);
		sum[i] = tried();
	}
	assert_int_equal(sum[0], sum[1]);
	end_all(&w);
}

/* A search that w takes boards from, and the log that must come of it all the same. */
static void
tune_losing(Watch *w, double reconnect_s, TuneReport *r)
{
	Arena *a = arena_new();
	LogRow *row;
	int n;

	start_all(w, LONG);
	must_tune(w, &(TuneOptions){.reconnect_s = reconnect_s}, r);
	row = log_file_rows(log_path, a, &n);
	check_rows(row, n, r->trials);
	arena_free(a);
}

/* It does not come back: the others get what it had when its time is over. */
static void
a_board_that_dies_loses_nothing(void **state)
{
	Watch w = {.kill_at = 6};
	char text[128];
	TuneReport r;

	(void)state;
	tune_losing(&w, 1, &r);
	assert_true(r.board[0].trials > 0 && !r.board[0].why && r.lost >= 1);
	snprintf(text, sizeof text, "%s: connection lost", path[1]);
	assert_non_null(strstr(w.said, text));
	tune_report_fini(&r);
	end_all(&w);
	log_file_remove(log_path);
}

/* While it is away for a while, others get what it had; then it takes part again. */
static void
a_board_that_comes_back_goes_on(void **state)
{
	Watch w = {.kill_at = 4, .again_at = 30};
	TuneReport r;

	(void)state;
	tune_losing(&w, 6, &r);
	assert_int_equal(w.again_at, 0);
	assert_null(r.board[1].why);
	tune_report_fini(&r);
	end_all(&w);
	log_file_remove(log_path);
}

static void
when_no_board_is_left_each_is_named(void **state)
{
	Watch w = {.kill_all_at = 4};
	TuneReport r;
	Err e = {0};

	(void)state;
	start_all(&w, LONG);
	assert_int_equal(run_tune(&w, &(TuneOptions){.reconnect_s = 1}, &r, &e), ERR_DEVICE);
	assert_non_null(strstr(e.msg, "no board is left: '"));
	assert_non_null(strstr(e.msg, path[0]));
	assert_non_null(strstr(e.msg, path[1]));
	tune_report_fini(&r);
	end_all(&w);
	log_file_remove(log_path);
}

static void
a_slow_board_runs_no_race(void **state)
{
	(void)state;
	for (int slow = 0; slow < BOARDS; slow++) {
		Arena *a = arena_new();
		Watch w = {0};
		TuneReport r;
		LogRow *row;
		char text[300];
		int n;

		for (int i = 0; i < BOARDS; i++)
			start(&w.agent[i], i, SHORT, i == slow ? "20" : "0");
		must_tune(&w, &(TuneOptions){0}, &r);
		row = log_file_rows(log_path, a, &n);
		check_rows(row, n, r.trials);
		assert_true(count(row, n, slow ? ".2" : ".1", false) > 0);
		assert_int_equal(count(row, n, slow ? ".2" : ".1", true), 0);
		assert_true(count(row, n, slow ? ".1" : ".2", true) > 0);
		assert_true(r.board[slow].apart && !r.board[!slow].apart);
		snprintf(text, sizeof text, "20.0 %% slower than that of '%s'", path[!slow]);
		assert_non_null(strstr(w.said, text));
		snprintf(text, sizeof text, "%s: its canary takes ", path[slow]);
		assert_non_null(strstr(w.said, text));
		tune_report_fini(&r);
		end_all(&w);
		arena_free(a);
		log_file_remove(log_path);
	}
}

/* Who does not want to wait for one goes on with the other. */
static void
a_board_in_use_is_left_out(void **state)
{
	Watch w = {0};
	RpcClient *c;
	TuneReport r;
	Err e = {0};

	(void)state;
	start_all(&w, SHORT);
	c = open_or_fail(path[1]);
	assert_int_equal(rpc_lease(c, &(RpcWait){0}, &e), OK);
	must_tune(&w, &(TuneOptions){0}, &r);
	assert_int_equal(r.board[1].trials, 0);
	assert_non_null(strstr(r.board[1].why, "is held by "));
	assert_non_null(strstr(w.said, "the others go on without it"));
	tune_report_fini(&r);
	rpc_close(c);
	end_all(&w);
	log_file_remove(log_path);
}

static void
one_board_is_not_two(void **state)
{
	const char *device[] = {path[0], path[0]};
	TuneOptions opt = {.device = device, .ndevice = 2, .log = log_path};
	Graph *g = tune_case_chain();
	TuneReport r;
	Err e = {0};
	Agent a;

	(void)state;
	start(&a, 0, SHORT, "0");
	assert_int_equal(tune(g, &opt, &r, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "are one and the same rpc_server"));
	tune_report_fini(&r);
	agent_kill(&a);
	graph_free(g);
}

static int
make_folder(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(folder))
		return -1;
	for (int i = 0; i < BOARDS; i++)
		snprintf(path[i], sizeof path[i], "%s/agent%d", folder, i);
	snprintf(log_path, sizeof log_path, "%s/log", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	for (int i = 0; i < BOARDS; i++)
		unlink(path[i]);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_boards_share_the_work),
		cmocka_unit_test(the_same_answers_give_the_same_proposals),
		cmocka_unit_test(a_board_that_dies_loses_nothing),
		cmocka_unit_test(a_board_that_comes_back_goes_on),
		cmocka_unit_test(when_no_board_is_left_each_is_named),
		cmocka_unit_test(a_slow_board_runs_no_race),
		cmocka_unit_test(a_board_in_use_is_left_out),
		cmocka_unit_test(one_board_is_not_two),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
