/* Tuning a small model from end to end: real agent, real log, real faults. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/log.h"
#include "search_space/features.h"
#include "tests/unit/log_file.h"
#include "tests/unit/tune_case.h"
#include "tuner/tune.h"
#include "tuner/work.h"

enum { TRIALS = 4, IDS_MAX = 256, KILLS_MAX = 3 };

typedef struct Watch {
	int64_t id[IDS_MAX];
	int nid;
	int kill_at[KILLS_MAX]; /* kill the agent when so many rows are in the log */
	int nkill;
	int stop_at;        /* 0: never */
	const char *effort; /* its trials instead of TRIALS */
	int trials;         /* instead of both */
	bool strict, cold;
	const Trees *prior;
	int fd; /* where ids go, or -1 */
	int notices;
} Watch;

static char log_path[] = "/tmp/hone-test-tune-XXXXXX";

/* SIGKILL to every rpc_server that is a child of this process. */
static int
kill_agents(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;
	int killed = 0;

	while (proc && (d = readdir(proc))) {
		char path[300], name[32] = "";
		int pid = atoi(d->d_name), parent = 0;
		FILE *f;

		snprintf(path, sizeof path, "/proc/%s/stat", d->d_name);
		if (pid <= 0 || !(f = fopen(path, "r")))
			continue;
		if (fscanf(f, "%*d (%31[^)]) %*c %d", name, &parent) == 2 && parent == getpid() &&
		    !strcmp(name, "rpc_server"))
			killed += kill(pid, SIGKILL) == 0;
		fclose(f);
	}
	if (proc)
		closedir(proc);
	return killed;
}

static void
on_event(void *self, const TuneEvent *ev)
{
	Watch *w = self;

	w->notices += ev->kind == TUNE_TEXT;
	if (ev->kind != TUNE_ROWS)
		return;
	for (int i = 0; i < ev->nid && w->nid < IDS_MAX; i++)
		w->id[w->nid++] = ev->id[i];
	if (w->fd >= 0 && write(w->fd, ev->id, (size_t)ev->nid * sizeof *ev->id) < 0)
		abort();
	for (int i = 0; i < w->nkill; i++)
		if (w->kill_at[i] && w->nid >= w->kill_at[i]) {
			w->kill_at[i] = 0;
			kill_agents();
		}
}

static bool
stop(void *self)
{
	const Watch *w = self;

	return w->stop_at && w->nid >= w->stop_at;
}

static int
run_tune(const Graph *g, Watch *w, const char *device, TuneReport *r, Err *e)
{
	TuneOptions opt = {.device = &device,
			   .ndevice = device != NULL,
			   .server_path = HONE_BIN "/rpc_server",
			   .log = log_path,
			   .effort = effort_named(w->effort),
			   .trials = w->trials   ? w->trials
				     : w->effort ? 0
						 : TRIALS,
			   .tolerance = w->strict ? TOLERANCE_STRICT : TOLERANCE_DEFAULT,
			   .seed = 5,
			   .cold = w->cold,
			   .prior = w->prior,
			   .event = on_event,
			   .stop = stop,
			   .self = w};

	return tune(g, &opt, r, e);
}

static void
must_tune(Watch *w, TuneReport *r)
{
	Graph *g = tune_case_model();
	Err e = {0};

	if (run_tune(g, w, NULL, r, &e))
		fail_msg("%s", e.msg);
	graph_free(g);
}

/* Rows of the log; fails when a Sched was measured twice outside of races, or an id is missing. */
static int
check_log(const Watch *w)
{
	Arena *a = arena_new();
	int n;
	const LogRow *row = log_file_rows(log_path, a, &n);

	for (int i = 0; i < n; i++)
		for (int k = 0; k < i; k++)
			assert_false(!row[i].race && !row[k].race &&
				     !strcmp(row[i].key.task, row[k].key.task) &&
				     !strcmp(row[i].sched, row[k].sched));
	for (int i = 0; i < w->nid; i++) {
		bool found = false;

		for (int k = 0; k < n; k++)
			found |= row[k].id == w->id[i];
		assert_true(found);
	}
	arena_free(a);
	return n;
}

static void
check_report(const TuneReport *r)
{
	assert_int_equal(r->ntask, 2);
	assert_int_equal(r->decided, 2);
	for (int i = 0; i < r->ntask; i++) {
		assert_true(r->task[i].trials >= 1 && r->task[i].trials <= TRIALS);
		assert_true(r->task[i].after_ns > 0 && r->task[i].sched);
		assert_true(r->task[i].ratio.ratio > 0);
	}
	assert_true(r->ratio.ratio > 0 && r->before_ns > 0);
	for (int i = 0; i < r->failure.n; i++)
		assert_int_equal(r->failure.v[i].status, STATUS_INFEASIBLE);
}

static void
a_model_is_tuned_and_a_second_run_measures_nothing(void **state)
{
	Watch w = {.fd = -1}, again = {.fd = -1};
	TuneReport r, second;
	int rows;

	(void)state;
	log_file_remove(log_path);
	must_tune(&w, &r);
	check_report(&r);
	assert_true(r.trials > 0 && w.nid >= r.trials);
	rows = check_log(&w);
	assert_int_equal(rows, w.nid);

	must_tune(&again, &second);
	check_report(&second);
	assert_int_equal(second.trials, 0);
	assert_int_equal(again.nid, 0);
	assert_int_equal(check_log(&w), rows);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(second.task[i].state, TASK_OLD);
		assert_string_equal(second.task[i].sched, r.task[i].sched);
		assert_float_equal(second.task[i].after_ns, r.task[i].after_ns, 0);
		assert_float_equal(second.task[i].before_ns, r.task[i].before_ns, 0);
		assert_float_equal(second.task[i].ratio.ratio, r.task[i].ratio.ratio, 0);
		assert_float_equal(second.task[i].floor_ns, r.task[i].floor_ns, 0);
		assert_float_equal(second.task[i].peak_gflops, r.task[i].peak_gflops, 0);
		assert_int_equal(second.task[i].trials, r.task[i].trials);
	}
	assert_float_equal(second.ratio.ratio, r.ratio.ratio, 0);
	tune_report_fini(&r);
	tune_report_fini(&second);
}

/* A row that somebody took out is measured again, and only that. */
static void
a_verdict_holds_while_its_rows_are_there(void **state)
{
	Watch w = {.fd = -1}, again = {.fd = -1}, third = {.fd = -1};
	TuneReport r;
	char command[256];

	(void)state;
	log_file_remove(log_path);
	must_tune(&w, &r);
	tune_report_fini(&r);
	snprintf(command, sizeof command,
		 "sqlite3 %s 'DELETE FROM trial WHERE id = (SELECT min(id) FROM trial)'", log_path);
	assert_int_equal(system(command), 0);
	must_tune(&again, &r);
	assert_int_equal(r.trials, 1);
	tune_report_fini(&r);
	must_tune(&third, &r);
	assert_int_equal(third.nid, 0);
	tune_report_fini(&r);
}

/* The number that a statement over the log gives. */
static int
ask(const char *sql)
{
	char command[512];
	int n = -1;
	FILE *f;

	snprintf(command, sizeof command, "sqlite3 %s \"%s\"", log_path, sql);
	assert_non_null(f = popen(command, "r"));
	if (fscanf(f, "%d", &n) != 1)
		n = -1;
	pclose(f);
	return n;
}

/* What a search with one cost model came to says nothing of a search with another. */
static void
a_verdict_is_of_one_cost_model(void **state)
{
	static const char counted[] = "SELECT count(*) FROM text WHERE kind = 'verdict'";
	Trees none = {.width = FEATURES, .name = feature_name};
	Watch w = {.fd = -1}, with = {.fd = -1, .prior = &none}, cold = {.fd = -1, .cold = true};
	Watch *const all[] = {&w, &with, &with, &cold, &w};
	static const int verdicts[] = {2, 4, 4, 6, 6};
	TuneReport r;

	(void)state;
	log_file_remove(log_path);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		must_tune(all[i], &r);
		tune_report_fini(&r);
		assert_int_equal(ask(counted), verdicts[i]);
	}
}

/* Rows of another target are no answers, and the first proposals. */
static void
what_is_known_elsewhere_goes_first(void **state)
{
	static const char began[] = "SELECT count(*) FROM text WHERE kind = 'warm'";
	Watch w = {.fd = -1}, cold = {.fd = -1, .cold = true}, again = {.fd = -1};
	TuneReport r;

	(void)state;
	log_file_remove(log_path);
	must_tune(&w, &r);
	tune_report_fini(&r);
	assert_int_equal(ask(began), 0);
	ask("UPDATE keys SET target = 'x86_64-unknown-linux-gnu x86-64-v2 '");
	must_tune(&cold, &r);
	assert_true(r.trials > 0);
	tune_report_fini(&r);
	assert_int_equal(ask(began), 0);
	ask("DELETE FROM keys WHERE target <> 'x86_64-unknown-linux-gnu x86-64-v2 '");
	ask("DELETE FROM trial WHERE key NOT IN (SELECT id FROM keys)");
	must_tune(&w, &r);
	check_report(&r);
	assert_true(r.trials > 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(r.task[i].warm, 1);
	tune_report_fini(&r);
	assert_int_equal(ask(began), 2);
	must_tune(&again, &r);
	assert_int_equal(again.nid, 0);
	tune_report_fini(&r);
}

static void
a_killed_agent_is_replaced(void **state)
{
	Watch w = {.fd = -1, .kill_at = {1, 4, 6}, .nkill = KILLS_MAX};
	TuneReport r;

	(void)state;
	log_file_remove(log_path);
	must_tune(&w, &r);
	check_report(&r);
	assert_true(r.lost >= 1 && w.notices >= r.lost);
	check_log(&w);
	tune_report_fini(&r);
}

static void
a_stopped_run_goes_on(void **state)
{
	Watch w = {.fd = -1, .stop_at = 2}, more = {.fd = -1};
	TuneReport r, rest;

	(void)state;
	log_file_remove(log_path);
	must_tune(&w, &r);
	assert_true(r.stopped && r.decided < 2);
	must_tune(&more, &rest);
	check_report(&rest);
	assert_false(rest.stopped);
	check_log(&w);
	check_log(&more);
	tune_report_fini(&r);
	tune_report_fini(&rest);
}

/* The child tunes; it is killed when it has acknowledged `rows` rows. Its ids are added to w. */
static void
tune_and_kill(const Graph *g, Watch *w, int rows)
{
	int pipe_fd[2], got = 0;
	int64_t id;
	pid_t pid;

	assert_int_equal(pipe(pipe_fd), 0);
	pid = fork();
	if (!pid) {
		Watch own = {.fd = pipe_fd[1]};
		TuneReport r;
		Err e = {0};

		_exit(run_tune(g, &own, NULL, &r, &e) ? 1 : 0);
	}
	close(pipe_fd[1]);
	while (got < rows && read(pipe_fd[0], &id, sizeof id) == sizeof id) {
		w->id[w->nid++] = id;
		got++;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(pipe_fd[0]);
}

static void
a_killed_tuner_goes_on(void **state)
{
	Graph *g = tune_case_model();
	Watch w = {.fd = -1};
	TuneReport r;

	(void)state;
	log_file_remove(log_path);
	for (int i = 1; i <= 3; i++)
		tune_and_kill(g, &w, i);
	must_tune(&w, &r);
	check_report(&r);
	check_log(&w);
	tune_report_fini(&r);
	graph_free(g);
}

/* Every row of a race tells its ratio, every session what the machine could do. */
static void
check_records(void)
{
	Arena *a = arena_new();
	LogKey any = {0};
	const char *text;
	int n, races = 0;
	LogRow *row;
	Err e = {0};
	Log *l;

	if (log_open_read(log_path, &l, &e) || log_rows(l, a, &any, &row, &n, &e))
		fail_msg("%s", e.msg);
	for (int i = 0; i < n; i++) {
		if (!row[i].best_ns) /* refused before it went to the device */
			continue;
		assert_true(row[i].calibration_before > 0 && row[i].calibration_after > 0);
		assert_int_equal(
			log_get_text(l, a, LOG_TEXT_CALIBRATION, row[i].session, &text, &e), OK);
		assert_non_null(strstr(text, "dram_gbs="));
		if (!row[i].race)
			continue;
		races++;
		assert_non_null(strstr(row[i].reason, " of the untuned time, 95 % interval "));
	}
	assert_true(races > 0);
	log_close(l);
	arena_free(a);
}

/* How many candidates a run of that effort measures with the log as it is. */
static int64_t
trials_of(const char *effort, TaskState state)
{
	Watch w = {.fd = -1, .effort = effort};
	TuneReport r;
	int64_t n;

	must_tune(&w, &r);
	n = r.trials;
	assert_int_equal(r.decided, 2);
	for (int i = 0; i < r.ntask; i++) {
		assert_int_equal(r.task[i].state, state);
		assert_true(r.task[i].after_ns > 0 && r.task[i].peak_gflops > 0);
	}
	tune_report_fini(&r);
	return n;
}

static void
more_effort_satisfies_less(void **state)
{
	(void)state;
	log_file_remove(log_path);
	assert_int_equal(trials_of("estimate", TASK_DONE), 2);
	assert_int_equal(trials_of("estimate", TASK_OLD), 0);
	assert_true(trials_of("measure", TASK_DONE) > 20);
	check_records();
	assert_int_equal(trials_of("measure", TASK_OLD), 0);
	assert_int_equal(trials_of("estimate", TASK_OLD), 0);
	assert_true(trials_of("patient", TASK_DONE) > 50);
	assert_int_equal(trials_of("patient", TASK_OLD), 0);
	assert_int_equal(trials_of("measure", TASK_OLD), 0);
	assert_int_equal(trials_of("estimate", TASK_OLD), 0);
	assert_null(effort_named("heroic"));
}

/* More of them than a round of a search has. */
static void
a_race_may_have_many_finalists(void **state)
{
	Watch w = {.fd = -1, .effort = "exhaustive", .trials = 40};
	Arena *a = arena_new();
	const LogRow *row;
	TuneReport r;
	int n, raced = 0;

	(void)state;
	log_file_remove(log_path);
	must_tune(&w, &r);
	assert_int_equal(r.decided, 2);
	row = log_file_rows(log_path, a, &n);
	for (int i = 0; i < n; i++)
		raced += row[i].race && !strcmp(row[i].key.task, row[0].key.task);
	assert_int_equal(raced, FINALISTS_MAX + 1);
	tune_report_fini(&r);
	arena_free(a);
}

static void
a_strict_run_tries_nothing_lossy(void **state)
{
	Watch w = {.fd = -1, .strict = true};
	Arena *a = arena_new();
	const LogRow *row;
	TuneReport r;
	int n;

	(void)state;
	log_file_remove(log_path);
	must_tune(&w, &r);
	check_report(&r);
	tune_report_fini(&r);
	row = log_file_rows(log_path, a, &n);
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		assert_string_equal(row[i].key.tolerance, "strict");
		assert_string_not_equal(row[i].algorithm, "winograd4");
	}
	arena_free(a);
}

static void
who_is_not_there_is_named(void **state)
{
	Graph *g = tune_case_model();
	Watch w = {.fd = -1};
	TuneReport r;
	Err e = {0};

	(void)state;
	assert_int_equal(run_tune(g, &w, "/nowhere/agent.sock", &r, &e), ERR_DEVICE);
	assert_non_null(strstr(e.msg, "/nowhere/agent.sock"));
	tune_report_fini(&r);
	graph_free(g);
}

static int
setup(void **state)
{
	int fd = mkstemp(log_path);

	(void)state;
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
		cmocka_unit_test(a_killed_tuner_goes_on),
		cmocka_unit_test(a_model_is_tuned_and_a_second_run_measures_nothing),
		cmocka_unit_test(a_verdict_holds_while_its_rows_are_there),
		cmocka_unit_test(a_verdict_is_of_one_cost_model),
		cmocka_unit_test(what_is_known_elsewhere_goes_first),
		cmocka_unit_test(a_killed_agent_is_replaced),
		cmocka_unit_test(a_stopped_run_goes_on),
		cmocka_unit_test(more_effort_satisfies_less),
		cmocka_unit_test(a_race_may_have_many_finalists),
		cmocka_unit_test(a_strict_run_tries_nothing_lossy),
		cmocka_unit_test(who_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
