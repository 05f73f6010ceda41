/* db: SIGKILL to a writer and a disk that is full at any write. What was acknowledged is there, the
 * file is sound, and a writer goes on when there is room again.
 *
 * Environment: HONE_LOG_KILLS (100), HONE_SEED (1). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/rng.h"
#include "tests/unit/log_case.h"
#include "tests/unit/log_file.h"

/* --- SIGKILL --- */

enum {
	KILLS = 100,
	KILLS_PER_LOG = 10,
	TOLD_MAX = 1 << 16,
	LIFE_MAX_NS = 10000000,
	FIRST_ROW_MS = 5000
};

/* Adds batches for ever and tells every id that was acknowledged. */
static int
write_and_tell(Bench *b, int out)
{
	Err e = {0};
	Log *l;

	if (log_open(b->path, &l, &e))
		return 1;
	for (int round = 0;; round++) {
		LogRow r[3] = {row("a\n", 1), row("b\n", 2), row("c\n", 3)};
		int n = 1 + round % 3;

		if (log_add(l, r, n, &e))
			return 2;
		for (int i = 0; i < n; i++)
			if (write(out, &r[i].id, sizeof r[i].id) != sizeof r[i].id)
				return 3;
	}
}

/* Every row that was told is there, whole. */
static void
check_told(Bench *b, const int64_t *told, int ntold)
{
	Log *l = opened(b); /* the dead owner's lock is gone */
	Err e = {0};
	LogRow *r;
	int n, at = 0;

	assert_int_equal(log_rows(l, b->a, &(LogKey){0}, &r, &n, &e), OK);
	for (int i = 0; i < ntold; i++) {
		while (at < n && r[at].id < told[i])
			at++;
		if (at == n || r[at].id != told[i])
			fail_msg("row %lld was acknowledged and is lost", (long long)told[i]);
		assert_int_equal(r[at].nsample, 4);
	}
	if (log_check(l, &e))
		fail_msg("%s", e.msg);
	log_close(l);
	arena_reset(b->a);
}

/* Starts a writer and kills it: while it opens the log, or some time after its first row. More ids
 * are in told. */
static void
kill_writer(Bench *b, Rng *rng, int64_t *told, int *ntold)
{
	int pipes[2], status;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		close(pipes[0]);
		_exit(write_and_tell(b, pipes[1]));
	}
	close(pipes[1]);
	fcntl(pipes[0], F_SETPIPE_SZ, 1 << 20);
	if (rng_below(rng, 4))
		poll(&(struct pollfd){.fd = pipes[0], .events = POLLIN}, 1, FIRST_ROW_MS);
	clock_sleep_ns(rng_below(rng, LIFE_MAX_NS));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status)); /* it met no error */
	while (*ntold < TOLD_MAX && read(pipes[0], &told[*ntold], sizeof *told) == sizeof *told)
		++*ntold;
	close(pipes[0]);
}

static uint64_t
number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void
what_was_acknowledged_survives_kill(void **state)
{
	uint64_t kills = number_from("HONE_LOG_KILLS", KILLS), acknowledged = 0, empty = 0;
	int64_t *told = calloc(TOLD_MAX, sizeof *told);
	Bench *b = *state;
	int ntold = 0;
	Rng rng;

	rng_init(&rng, number_from("HONE_SEED", 1));
	for (uint64_t i = 0; i < kills; i++) {
		int before = ntold;

		kill_writer(b, &rng, told, &ntold);
		check_told(b, told, ntold);
		acknowledged += (uint64_t)(ntold - before);
		empty += ntold == before;
		if (i % KILLS_PER_LOG == KILLS_PER_LOG - 1) {
			log_file_remove(b->path);
			ntold = 0;
		}
	}
	print_message("%llu kills, %llu rows acknowledged, none lost; %llu before the first row\n",
		      (unsigned long long)kills, (unsigned long long)acknowledged,
		      (unsigned long long)empty);
	assert_true(acknowledged > 0);
	free(told);
}

/* --- a full disk --- */

/* Writes that still find room; negative: all do. The last one before is cut in half. */
static long room = -1;

static ssize_t
write_in_room(int fd, const void *data, size_t n, off_t at)
{
	if (room == 0) {
		errno = ENOSPC;
		return -1;
	}
	if (room > 0 && --room == 0)
		n = n / 2 + 1;
	return at < 0 ? write(fd, data, n) : pwrite(fd, data, n, at);
}

static ssize_t
full_write(int fd, const void *data, size_t n)
{
	return write_in_room(fd, data, n, -1);
}

static ssize_t
full_pwrite(int fd, const void *data, size_t n, off_t at)
{
	return write_in_room(fd, data, n, at);
}

static void
replace_calls(bool ours)
{
	static const struct {
		const char *name;
		sqlite3_syscall_ptr call;
	} list[] = {{"write", (sqlite3_syscall_ptr)full_write},
		    {"pwrite", (sqlite3_syscall_ptr)full_pwrite},
		    {"pwrite64", (sqlite3_syscall_ptr)full_pwrite}};
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		vfs->xSetSystemCall(vfs, list[i].name, ours ? list[i].call : NULL);
}

/* One thing after the other is written into an open log. */
enum { STEPS = 9, ROWS_PER_STEP = 3 };

static int
step(Log *l, int i, int64_t *id, Err *e)
{
	LogRow r[ROWS_PER_STEP] = {row("a\n", 1), row("b\n", 2), row("c\n", 3)};
	int rc;

	if (i % 3 == 1)
		return log_put_text(l, "task", i == 1 ? "d1" : i == 4 ? "d4" : "d7", "text", e);
	if (i % 3 == 2)
		return log_put_plan(l, "g", "t", i == 2 ? "p2" : i == 5 ? "p5" : "p8", e);
	rc = log_add(l, r, ROWS_PER_STEP, e);
	for (int k = 0; k < ROWS_PER_STEP; k++)
		id[k] = r[k].id;
	return rc;
}

static void
assert_full(int rc, const Err *e)
{
	if (rc != ERR_FULL || !(strstr(e->msg, "full") || strstr(e->msg, "No space")))
		fail_msg("%d: %s", rc, e->msg);
}

/* Opens when there is room at last. */
static Log *
open_at_last(Bench *b, int *failed)
{
	Err e = {0};
	Log *l;
	int rc = log_open(b->path, &l, &e);

	if (!rc)
		return l;
	assert_full(rc, &e);
	room = -1;
	++*failed;
	return opened(b);
}

/* Writes everything with room for so many writes, then with more. How often it was full. */
static int
fill(Bench *b, long writes)
{
	int64_t told[STEPS * ROWS_PER_STEP] = {0};
	int failed = 0, ntold = 0;
	Log *l;

	room = writes;
	l = open_at_last(b, &failed);
	for (int i = 0; i < STEPS; i++) {
		int64_t id[ROWS_PER_STEP] = {0};
		Err e = {0};
		int rc = step(l, i, id, &e);

		if (rc) {
			assert_full(rc, &e);
			assert_int_equal(id[0], 0);
			e = (Err){0};
			assert_full(step(l, i, id, &e), &e); /* it stays full */
			room = -1;
			failed++;
			e = (Err){0};
			if (step(l, i, id, &e))
				fail_msg("when there is room again: %s", e.msg);
		}
		for (int k = 0; k < ROWS_PER_STEP && id[0]; k++)
			told[ntold++] = id[k];
	}
	log_close(l); /* a checkpoint, for which there may be no room */
	failed += room == 0;
	room = -1;
	assert_int_equal(ntold, STEPS / 3 * ROWS_PER_STEP);
	check_told(b, told, ntold);
	return failed;
}

static void
a_disk_full_at_any_write_costs_nothing(void **state)
{
	Bench *b = *state;
	long writes = 0;

	replace_calls(true);
	for (; fill(b, writes); writes++)
		log_file_remove(b->path);
	replace_calls(false);
	print_message("full at each of %ld writes\n", writes);
	assert_true(writes > 20);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_was_acknowledged_survives_kill),
		CASE(a_disk_full_at_any_write_costs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
