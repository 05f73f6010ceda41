/* SIGKILL to tuner, agent and runner at seeded moments while the real program tunes a model: what
 * was acknowledged is in the log, nothing that is there is measured again, the search gets to its
 * end by itself or when it is started again, and nothing is left behind.
 *
 * Environment: HONE_KILLS (10), half of them with a private agent, half with one at a socket;
 * HONE_SEED (1). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rng.h"
#include "db/log.h"
#include "tests/unit/log_file.h"
#include "tests/unit/process.h"

enum {
	KILLS = 10,
	IDS_MAX = 4096,
	BYTES_MAX = 65536,
	COMMITS_MAX = 4,    /* of the log, that pass before a kill */
	DELAY_MAX_MS = 150, /* after them */
	START_MAX_MS = 500, /* of a kill while the program starts */
	SOON_MS = 10000,
	END_MS = 120000,
};

typedef enum Victim { TUNER, AGENT, RUNNER, VICTIMS } Victim;

static const char *const victim_name[] = {"tuner", "agent", "runner"};

/* One log, and who works on it. */
typedef struct Run {
	const char *socket; /* of the agent at a socket; NULL: private agents */
	pid_t tuner, agent; /* 0: not running; agent: the one at the socket */
	int progress;       /* pipe from the tuner */
	char said[BYTES_MAX];
	size_t nsaid; /* what came through the pipe since the log was begun */
	Rng rng;
	int killed[VICTIMS], logs, lost;
} Run;

static char folder[] = "/tmp/hone-test-XXXXXX", model[64], log_path[64], socket_path[64],
	    private_path[64], said_path[64];

/* --- programs --- */

/* Starts a program with that descriptor as its number 3, or none, and its output thrown away. */
static pid_t
start(const char *const argv[], int fd)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (fd >= 0 && dup2(fd, 3) != 3)
		_exit(127);
	fd = open("/dev/null", O_RDWR);
	dup2(fd, 1);
	fd = open(said_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, 2);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

/* What the last program started said on its way. */
static void
print_what_was_said(void)
{
	char *text;
	size_t n;

	if (file_read(said_path, 1 << 20, &text, &n, NULL))
		return;
	print_message("%s", text);
	free(text);
}

static void
expect_success(int code)
{
	if (code)
		print_what_was_said();
	assert_int_equal(code, 0);
}

static int
exit_code(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
start_agent(Run *r)
{
	const char *argv[] = {HONE_BIN "/rpc_server", "--socket", socket_path, NULL};

	r->agent = start(argv, -1);
}

static void
start_tuner(Run *r)
{
	const char *argv[] = {
		HONE_BIN "/hone", "tune", model,           "--log", log_path,
		"--trials",       "4",    "--progress-fd", "3",     r->socket ? "--device" : NULL,
		r->socket,        NULL};
	int pair[2];

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	r->tuner = start(argv, pair[1]);
	close(pair[1]);
	r->progress = pair[0];
}

/* --- what the tuner acknowledges --- */

/* Reads once within ms. 1: something came; 0: nothing; -1: the other end is closed. */
static int
read_progress(Run *r, int ms)
{
	struct pollfd p = {.fd = r->progress, .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return 0;
	n = read(r->progress, r->said + r->nsaid, sizeof r->said - 1 - r->nsaid);
	if (n <= 0)
		return -1;
	r->nsaid += (size_t)n;
	r->said[r->nsaid] = 0;
	return 1;
}

/* Waits for a seeded moment: some commits and a little more, or a while after the start. False when
 * the tuner ended before. */
static bool
await_moment(Run *r)
{
	bool starting = rng_below(&r->rng, 4) == 0;
	int commits = starting ? 0 : (int)rng_below(&r->rng, COMMITS_MAX + 1), came = 1;
	uint64_t delay = rng_below(&r->rng, starting ? START_MAX_MS : DELAY_MAX_MS), end;

	for (; commits > 0 && came >= 0; commits -= came > 0)
		came = read_progress(r, SOON_MS);
	end = clock_ns() + delay * 1000000;
	while (came >= 0 && clock_ns() < end)
		came = read_progress(r, 1);
	return came >= 0;
}

static void
drain(Run *r)
{
	while (read_progress(r, END_MS) > 0)
		;
	close(r->progress);
}

/* --- the log --- */

static bool
is_among(const LogRow *row, int n, int64_t id)
{
	for (int i = 0; i < n; i++)
		if (row[i].id == id)
			return true;
	return false;
}

/* Every id that was printed, in whole lines, is that of a row. */
static int
check_ids(const Run *r, const LogRow *row, int n)
{
	const char *at = r->said;
	int count = 0;

	for (; *at; count++) {
		char *end;
		long long id = strtoll(at, &end, 10);

		assert_true(end > at && *end == '\n');
		if (!is_among(row, n, id))
			fail_msg("row %lld was acknowledged and is not in the log", id);
		at = end + 1;
	}
	return count;
}

static bool
same_task(const LogRow *a, const LogRow *b)
{
	return !strcmp(a->key.task, b->key.task) && !strcmp(a->key.form, b->key.form);
}

static bool
same_kernel(const LogRow *a, const LogRow *b)
{
	return same_task(a, b) && !strcmp(a->sched, b->sched);
}

/* Outside of races a kernel has one row, but for those that say it was lost. */
static void
check_trials(const LogRow *row, int n)
{
	for (int i = 0; i < n; i++)
		for (int k = 0; k < i && !row[i].race && strcmp(row[i].status, "LOST") != 0; k++)
			if (!row[k].race && strcmp(row[k].status, "LOST") != 0 &&
			    same_kernel(&row[i], &row[k]))
				fail_msg("rows %lld (%s) and %lld (%s) are of one kernel: %s",
					 (long long)row[k].id, row[k].status, (long long)row[i].id,
					 row[i].status, row[i].sched);
}

/* Whether every kernel of a's race is in b's. */
static bool
race_within(const LogRow *row, int n, const LogRow *a, const LogRow *b)
{
	bool all = true;

	for (int i = 0; i < n; i++) {
		bool found = !log_same_race(&row[i], a);

		for (int k = 0; k < n && !found; k++)
			found = log_same_race(&row[k], b) && same_kernel(&row[i], &row[k]);
		all &= found;
	}
	return all;
}

static bool
is_ok(const LogRow *row)
{
	return !strcmp(row->status, "OK");
}

/* A race has one winner and rounds for each of its racers that is right, and was not run twice. */
static void
check_races(const LogRow *row, int n)
{
	for (int i = 0; i < n; i++) {
		int winners = 0;

		if (!row[i].race)
			continue;
		for (int k = 0; k < n; k++) {
			bool same = log_same_race(&row[i], &row[k]);

			winners += same && !strcmp(row[k].stage, LOG_STAGE_WINNER);
			if (same && is_ok(&row[k]) && is_ok(&row[i]) &&
			    (row[k].nsample != row[i].nsample || !row[k].nsample))
				fail_msg("race of row %lld: %d samples, others have %d",
					 (long long)row[k].id, row[k].nsample, row[i].nsample);
			if (!same && row[k].race && same_kernel(&row[i], &row[k]) &&
			    race_within(row, n, &row[i], &row[k]) &&
			    race_within(row, n, &row[k], &row[i]))
				fail_msg("rows %lld and %lld: one race was run twice",
					 (long long)row[i].id, (long long)row[k].id);
		}
		assert_int_equal(winners, 1);
		if (!is_ok(&row[i]))
			print_message("  row %lld, in a race: %s, %s\n", (long long)row[i].id,
				      row[i].status, row[i].reason);
	}
}

/* Whether a kernel was lost each time it was sent, or a Task has no race because that was: nothing
 * is known of these, and the next run tries them. */
static bool
was_lost(const LogRow *row, int n)
{
	bool lost = false;

	for (int i = 0; i < n; i++) {
		bool known = false, raced = false;

		for (int k = 0; k < n; k++) {
			known |= same_kernel(&row[i], &row[k]) && strcmp(row[k].status, "LOST");
			raced |= row[k].race && same_task(&row[i], &row[k]);
		}
		lost |= !known || !raced;
	}
	return lost;
}

/* Checks the log after the search has come to its end. Number of rows. */
static int
check_log(const Run *r, bool *lost)
{
	Arena *a = arena_new();
	int n, acknowledged;
	LogRow *row = log_file_rows(log_path, a, &n);

	acknowledged = check_ids(r, row, n);
	assert_true(acknowledged > 0 && acknowledged <= n);
	check_trials(row, n);
	check_races(row, n);
	*lost = was_lost(row, n);
	arena_free(a);
	return n;
}

/* --- kills --- */

static bool
is_empty(const char *path)
{
	return process_entries(path) == 2; /* . and .. */
}

/* True when it measured something. */
static bool
tune_again(Run *r)
{
	size_t said = r->nsaid;

	start_tuner(r);
	drain(r);
	expect_success(exit_code(r->tuner));
	r->tuner = 0;
	return r->nsaid != said;
}

/* The tuner came to its end: all is well, and it knows that nothing is left to do. What was lost as
 * often as it was sent is left for one more run, which nobody disturbs. */
static void
check_ended(Run *r)
{
	bool lost, more;
	int rows = check_log(r, &lost);
	size_t said = r->nsaid;

	more = tune_again(r);
	if (more && lost) {
		r->lost++;
		rows = check_log(r, &lost);
		said = r->nsaid;
		more = tune_again(r);
	}
	if (more)
		fail_msg("a search that was over measured again: rows %s after %d", r->said + said,
			 rows);
	assert_true(is_empty(private_path));
	log_file_remove(log_path);
	r->said[r->nsaid = 0] = 0;
	r->logs++;
}

static void
check_end(Run *r)
{
	drain(r);
	expect_success(exit_code(r->tuner));
	check_ended(r);
}

/* The process of that part, 0 when there is none at this moment. */
static pid_t
process_of(Run *r, Victim v)
{
	pid_t agent = r->socket ? r->agent : process_child(r->tuner, "rpc_server");
	pid_t keeper = agent && v == RUNNER ? process_child(agent, "hone_runner") : 0;
	pid_t worker = keeper ? process_child(keeper, "hone_runner") : 0;

	if (v != RUNNER)
		return v == TUNER ? r->tuner : agent;
	return worker && rng_below(&r->rng, 2) ? worker : keeper;
}

/* What has to be done by others after a part was killed. False when nobody was, because the tuner
 * came to its end in that very moment. */
static bool
mend(Run *r, Victim v)
{
	int code;

	if (v == TUNER) {
		drain(r);
		code = exit_code(r->tuner);
		if (code == 0) {
			check_ended(r);
			return false;
		}
		assert_int_equal(code, 128 + SIGKILL);
		r->tuner = 0;
		assert_true(r->socket || process_all_gone());
		assert_true(is_empty(private_path));
	} else if (v == AGENT && r->socket) {
		assert_int_equal(exit_code(r->agent), 128 + SIGKILL);
		start_agent(r);
	}
	return true;
}

/* The next moment at which that part is running. */
static pid_t
await_victim(Run *r, Victim v)
{
	for (;;) {
		int came = 0;
		pid_t pid;

		if (!r->tuner)
			start_tuner(r);
		if (await_moment(r))
			while (came >= 0) {
				if ((pid = process_of(r, v)))
					return pid;
				came = read_progress(r, 1);
			}
		check_end(r);
	}
}

static bool
kill_one(Run *r)
{
	Victim v = (Victim)rng_below(&r->rng, VICTIMS);
	bool killed;

	kill(await_victim(r, v), SIGKILL);
	killed = mend(r, v);
	r->killed[v] += killed;
	return killed;
}

static void
tune_under_fire(Run *r, int kills)
{
	const char *seed = getenv("HONE_SEED");

	rng_init(&r->rng, (seed ? strtoull(seed, NULL, 10) : 1) * 2 + (r->socket != NULL));
	if (r->socket)
		start_agent(r);
	while (kills > 0)
		kills -= kill_one(r);
	if (!r->tuner)
		start_tuner(r);
	check_end(r);
	if (r->socket) {
		kill(r->agent, SIGTERM);
		assert_int_equal(exit_code(r->agent), 0);
	}
	assert_true(process_all_gone());
	assert_true(access(socket_path, F_OK) && errno == ENOENT);
	print_message(
		"%d kills of %s, %d of %s, %d of %s; %d searches came to their end, %d of them "
		"with something lost each time it was sent\n",
		r->killed[TUNER], victim_name[TUNER], r->killed[AGENT], victim_name[AGENT],
		r->killed[RUNNER], victim_name[RUNNER], r->logs, r->lost);
}

static int
kills(void)
{
	const char *text = getenv("HONE_KILLS");

	return text ? atoi(text) : KILLS;
}

static void
private_agent(void **state)
{
	Run r = {0};

	(void)state;
	tune_under_fire(&r, kills() - kills() / 2);
}

static void
agent_at_a_socket(void **state)
{
	Run r = {.socket = socket_path};

	(void)state;
	tune_under_fire(&r, kills() / 2);
}

static int
setup(void **state)
{
	const char *argv[] = {HONE_BIN "/hone", "zoo", "ds_cnn", "-o", model, NULL};

	(void)state;
	process_adopt_orphans();
	if (!mkdtemp(folder))
		return -1;
	snprintf(model, sizeof model, "%s/model.onnx", folder);
	snprintf(log_path, sizeof log_path, "%s/log.db", folder);
	snprintf(socket_path, sizeof socket_path, "%s/agent", folder);
	snprintf(private_path, sizeof private_path, "%s/private", folder);
	snprintf(said_path, sizeof said_path, "%s/said", folder);
	if (mkdir(private_path, 0700))
		return -1;
	setenv("TMPDIR", private_path, 1);
	setenv("XDG_RUNTIME_DIR", private_path, 1);
	return exit_code(start(argv, -1));
}

/* A test that failed leaves programs running, and a log. */
static int
end_test(void **state)
{
	static const char *const name[] = {"hone", "rpc_server", "hone_runner"};
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < sizeof name / sizeof *name; i++)
		while ((pid = process_child(getpid(), name[i])) > 0) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
	unlink(socket_path); /* an agent that was killed leaves it */
	log_file_remove(log_path);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(model);
	unlink(said_path);
	rmdir(private_path);
	return rmdir(folder); /* fails when something was left there */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(private_agent, end_test),
		cmocka_unit_test_teardown(agent_at_a_socket, end_test),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
