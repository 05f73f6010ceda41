/* db: one writer, readers beside it, foreign, newer and damaged files. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/rng.h"
#include "db/log_file.h"
#include "tests/unit/log_case.h"

/* Runs child in a process of its own; its exit status. */
static int
in_child(int (*child)(Bench *b), Bench *b)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(child(b));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
expect_busy(Bench *b)
{
	char name[32];
	Err e = {0};
	Log *l;

	snprintf(name, sizeof name, "process %ld ", (long)getppid());
	if (log_open(b->path, &l, &e) != ERR_BUSY || !strstr(e.msg, name))
		return 1;
	return log_open_read(b->path, &l, &(Err){0}) ? 2 : (log_close(l), 0);
}

static void
a_second_writer_is_refused_by_name(void **state)
{
	Bench *b = *state;
	Log *l = opened(b), *again;
	Err e = {0};

	assert_int_equal(in_child(expect_busy, b), 0);
	assert_int_equal(log_open(b->path, &again, &e), ERR_BUSY); /* in the same process too */
	assert_null(again);
	log_close(l);
	log_close(opened(b));
}

enum { ROUNDS_MAX = 2000 };

static int
read_while_written(Bench *b)
{
	int before = -1;

	for (int i = 0; i < 200; i++) {
		LogKey any = {0};
		LogRow *r;
		Err e = {0};
		Log *l;
		int n;

		if (log_open_read(b->path, &l, &e) || log_rows(l, b->a, &any, &r, &n, &e))
			return 1;
		if (n < before || n % 3) /* transactions of three are seen whole */
			return 2;
		before = n;
		log_close(l);
		arena_reset(b->a);
	}
	return 0;
}

static void
the_owner_is_told(void **state)
{
	Bench *b = *state;
	int64_t pid = -1;
	Err e = {0};
	Log *l;

	assert_int_equal(log_owner(b->path, &pid, &e), OK);
	assert_true(pid == 0);
	assert_int_equal(log_open(b->path, &l, &e), OK);
	assert_int_equal(log_owner(b->path, &pid, &e), OK);
	assert_true(pid == getpid());
	log_close(l);
	assert_int_equal(log_owner(b->path, &pid, &e), OK);
	assert_true(pid == 0);
}

static void
readers_see_whole_transactions(void **state)
{
	Bench *b = *state;
	Log *l = opened(b);
	pid_t pid = fork();
	int status, rounds = 0;

	if (!pid)
		_exit(read_while_written(b));
	while (!waitpid(pid, &status, WNOHANG)) {
		LogRow r[3] = {row("a\n", 1), row("b\n", 2), row("c\n", 3)};
		Err e = {0};

		if (rounds++ < ROUNDS_MAX) /* a slow reader shall not face an ever longer log */
			assert_int_equal(log_add(l, r, 3, &e), OK);
		else
			usleep(1000);
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(rounds > 10);
	log_close(l);
}

/* Makes a log and changes a big-endian number in its header. */
static void
log_with_header(Bench *b, size_t at, uint8_t value)
{
	char *bytes;
	size_t size;

	log_close(opened(b));
	assert_int_equal(file_read(b->path, 1 << 20, &bytes, &size, &(Err){0}), OK);
	memset(bytes + at, 0, 4);
	bytes[at + 3] = (char)value;
	assert_int_equal(file_write(b->path, bytes, size, &(Err){0}), OK);
	free(bytes);
}

static void
foreign_and_newer_files_are_refused(void **state)
{
	static const struct {
		size_t at; /* where SQLite's file format has application_id and user_version */
		uint8_t value;
		const char *reason;
	} cases[] = {{68, 1, "no tuning log"},
		     {68, 0, "no tuning log"},
		     {60, 99, "format 99"},
		     {60, LOG_FORMAT + 1, "a newer one wrote it"}};
	static const char text[] = "this is not a database at all, is it? no, it is not";
	Bench *b = *state;
	Log *l;

	assert_int_equal(log_open_read(b->path, &l, &(Err){0}), ERR_IO);
	assert_int_equal(file_write(b->path, text, sizeof text, &(Err){0}), OK);
	assert_int_equal(log_open(b->path, &l, &(Err){0}), ERR_INPUT);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Err e = {0};

		unlink(b->path);
		log_with_header(b, cases[i].at, cases[i].value);
		assert_int_equal(log_open(b->path, &l, &e), ERR_INPUT);
		assert_non_null(strstr(e.msg, cases[i].reason));
		assert_int_equal(log_open_read(b->path, &l, &(Err){0}), ERR_INPUT);
	}
}

/* tests/golden/log-N.sql: files as programs of format N left them. Each is read as it is, then
 * brought up by whoever writes; nothing in it is lost. */
static void
files_of_every_format_are_read_and_brought_up(void **state)
{
	Bench *b = *state;
	LogRow mine = row("direct\nvec=k k:16\n", 100), *r;
	char command[256], path[64];
	Log *l;
	int n;

	for (int format = 1; format <= LOG_FORMAT; format++) {
		Err e = {0};

		snprintf(path, sizeof path, "tests/golden/log-%d.sql", format);
		if (access(path, R_OK) && format == LOG_FORMAT)
			break; /* made when the next one comes */
		unlink(b->path);
		snprintf(command, sizeof command, "sqlite3 %s < %s", b->path, path);
		assert_int_equal(system(command), 0);
		for (int writer = 0; writer < 3; writer++) {
			if (writer == 1)
				l = opened(b);
			else if (log_open_read(b->path, &l, &e))
				fail_msg("format %d: %s", format, e.msg);
			assert_int_equal(log_rows(l, b->a, &(LogKey){0}, &r, &n, &e), OK);
			assert_int_equal(n, writer == 2 ? 3 : 2);
			assert_float_equal(r[0].best_ns, 3857186, 0);
			assert_int_equal(r[0].nsample, 3);
			assert_int_equal(r[0].sandbox, format < 3 ? 0 : 2047);
			assert_string_equal(r[0].key.runner, "cpu");
			if (writer == 1) {
				mine.key = r[0].key;
				added(l, &mine);
				assert_int_equal(log_check(l, &e), OK);
			}
			log_close(l);
		}
	}
}

/* Flips bytes all over the file: it opens with its rows, or is refused; nothing else happens. */
static void
damaged_files_are_refused(void **state)
{
	Bench *b = *state;
	Log *l = opened(b);
	Rng rng;
	char *bytes;
	size_t size;
	int refused = 0;

	rng_init(&rng, 3);
	for (int i = 0; i < 300; i++) {
		LogRow r = row("direct\nvec=k k:16\n", 100 + i);

		added(l, &r);
	}
	log_close(l);
	assert_int_equal(file_read(b->path, 1 << 24, &bytes, &size, &(Err){0}), OK);
	for (int round = 0; round < 60; round++) {
		char *copy = malloc(size);
		size_t keep = round % 4 ? size : size / 4096 / 2 * 4096;
		LogKey any = {0};
		LogRow *r;
		Err e = {0};
		int n, rc;

		memcpy(copy, bytes, size);
		for (int i = 0; i < 16; i++) /* not in the schema's page */
			copy[4096 + rng_below(&rng, size - 4096)] ^=
				(char)(1 + rng_below(&rng, 255));
		assert_int_equal(file_write(b->path, copy, keep, &(Err){0}), OK);
		free(copy);
		rc = log_open(b->path, &l, &e);
		refused += rc != OK;
		if (!rc) {
			rc = log_rows(l, b->a, &any, &r, &n, &e);
			log_close(l);
		}
		if (rc)
			assert_true(rc == ERR_INPUT && *e.msg);
		arena_reset(b->a);
	}
	assert_true(refused > 40);
	free(bytes);
}

/* Reads the log as somebody who may write nothing. */
static int
read_as_nobody(Bench *b)
{
	LogKey any = {0};
	LogRow *r;
	Err e = {0};
	Log *l;
	int n;

	if (getuid() == 0 && (setgid(65534) || setuid(65534)))
		return 1;
	if (log_open(b->path, &l, &e) != ERR_IO)
		return 2;
	e = (Err){0};
	if (log_open_read(b->path, &l, &e) || log_rows(l, b->a, &any, &r, &n, &e)) {
		print_message("%s\n", e.msg);
		return 3;
	}
	log_close(l);
	return n == 1 ? 0 : 4;
}

static void
a_log_is_readable_where_nothing_may_be_written(void **state)
{
	Bench *b = *state;
	LogRow r = row("a\n", 1);
	char odd[sizeof b->path], name[sizeof b->path];
	Log *l = opened(b);

	added(l, &r);
	log_close(l);
	snprintf(odd, sizeof odd, "%s/a%%41 ?b#c", b->dir);
	strcpy(name, b->path);
	assert_int_equal(rename(b->path, odd), 0);
	strcpy(b->path, odd);
	chmod(b->path, 0444);
	chmod(b->dir, 0555);
	assert_int_equal(in_child(read_as_nobody, b), 0);
	chmod(b->dir, 0755);
	assert_int_equal(rename(odd, name), 0);
	strcpy(b->path, name);
}

static void
only_regular_files_are_logs(void **state)
{
	Bench *b = *state;
	char lock[96];
	Err e = {0};
	Log *l;

	assert_int_equal(mkfifo(b->path, 0600), 0);
	assert_int_equal(log_open(b->path, &l, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "no regular file"));
	assert_int_equal(log_open_read(b->path, &l, &(Err){0}), ERR_INPUT);
	snprintf(lock, sizeof lock, "%s.lock", b->path);
	assert_int_not_equal(access(lock, F_OK), 0);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_second_writer_is_refused_by_name),
		CASE(the_owner_is_told),
		CASE(readers_see_whole_transactions),
		CASE(foreign_and_newer_files_are_refused),
		CASE(files_of_every_format_are_read_and_brought_up),
		CASE(damaged_files_are_refused),
		CASE(a_log_is_readable_where_nothing_may_be_written),
		CASE(only_regular_files_are_logs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
