/* db: merging, checking, forgetting, and what doctors ask. */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/rng.h"
#include "db/upkeep.h"
#include "tests/unit/log_case.h"
#include "tests/unit/log_file.h"

static const double plain_samples[] = {12, 10, 11};

/* A row that is right in every respect. */
static LogRow
right_row(const LogKey *k, const char *sched)
{
	LogRow r = row(sched, 10);

	r.key = *k;
	r.samples = plain_samples;
	r.nsample = 3;
	r.median_ns = 11;
	return r;
}

static void
put_text(Log *l, Arena *a, const char *kind, const char *body, const char **digest)
{
	char *hex = arena_alloc(a, DIGEST_TEXT);
	Err e = {0};

	digest_name(body, hex);
	assert_int_equal(log_put_text(l, kind, hex, body, &e), OK);
	*digest = hex;
}

/* A key whose texts are in the log. */
static LogKey
texted_key(Log *l, Arena *a, const char *name)
{
	LogKey k = key();

	put_text(l, a, "task", name, &k.task);
	put_text(l, a, "form", "a form", &k.form);
	return k;
}

static Log *
second(Bench *b)
{
	char path[72];
	Err e = {0};
	Log *l;

	snprintf(path, sizeof path, "%s.2", b->path);
	if (log_open(path, &l, &e))
		fail_msg("%s", e.msg);
	return l;
}

static int
count_rows(Bench *b, Log *l)
{
	LogRow *r;
	Err e = {0};
	int n;

	if (log_rows(l, b->a, &(LogKey){0}, &r, &n, &e))
		fail_msg("%s", e.msg);
	return n;
}

/* Runs SQL over the file, past every check. */
static void
damage(const Bench *b, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL))
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void
a_merge_adds_what_is_not_there(void **state)
{
	Bench *b = *state;
	Log *into = opened(b), *from = second(b);
	LogKey k = texted_key(from, b->a, "a task");
	LogRow both = right_row(&k, "both\n"), one = right_row(&k, "one\n"),
	       again = right_row(&k, "both\n"), old = both;
	const char *text;
	LogMerge m;
	Err e = {0};

	again.time++; /* measured twice */
	old.insecure = old.sandbox = 0;
	old.reason = "what an older format has of it";
	added(into, &old);
	added(from, &both);
	added(from, &one);
	added(from, &again);
	assert_int_equal(log_put_plan(into, "g", "t", "mine", &e), OK);
	assert_int_equal(log_put_plan(from, "g", "t", "theirs", &e), OK);
	assert_int_equal(log_put_plan(from, "g", "u", "theirs", &e), OK);
	assert_int_equal(log_put_text(from, "task", "00", "of another digest", &e), OK);
	assert_int_equal(log_put_text(from, LOG_TEXT_CALIBRATION, "s1", "fma=1", &e), OK);
	assert_int_equal(log_put_text(from, LOG_TEXT_VERDICT, "v", "rows 2", &e), OK);
	assert_int_equal(log_merge(into, from, &m, &e), OK);
	assert_int_equal(m.added, 2);
	assert_int_equal(m.known, 1);
	assert_int_equal(m.refused, 0);
	assert_int_equal(m.texts, 3);
	assert_int_equal(m.plans, 1);
	assert_int_equal(count_rows(b, into), 3);
	assert_int_equal(log_get_plan(into, b->a, "g", "t", &text, &e), OK);
	assert_string_equal(text, "mine");
	assert_int_equal(log_get_text(into, b->a, "task", k.task, &text, &e), OK);
	assert_int_equal(log_get_text(into, b->a, "task", "00", &text, &e), NOT_APPLICABLE);
	assert_int_equal(log_get_text(into, b->a, LOG_TEXT_VERDICT, "v", &text, &e),
			 NOT_APPLICABLE);
	assert_int_equal(log_merge(into, from, &m, &e), OK);
	assert_int_equal(m.added, 0);
	assert_int_equal(m.known, 3);
	log_close(from);
	assert_int_equal(log_open_read(b->path, &from, &e), OK);
	assert_int_equal(log_merge(into, from, &m, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "is the log itself"));
	log_close(from);
	log_close(into);
}

/* Files of every format are merged, as they are. */
static void
older_formats_are_merged(void **state)
{
	Bench *b = *state;
	char command[256], path[72];
	Log *into = opened(b), *from;
	LogMerge m;
	Err e = {0};

	snprintf(path, sizeof path, "%s.2", b->path);
	for (int format = 1; format <= 4; format++) {
		unlink(path);
		snprintf(command, sizeof command, "sqlite3 %s < tests/golden/log-%d.sql", path,
			 format);
		assert_int_equal(system(command), 0);
		if (log_open_read(path, &from, &e) || log_merge(into, from, &m, &e))
			fail_msg("format %d: %s", format, e.msg);
		assert_int_equal(m.added + m.known, 2);
		assert_int_equal(m.refused, 0);
		log_close(from);
	}
	assert_int_equal(m.known, 2); /* the file of the format before, brought up */
	log_close(into);
}

static void
bad_rows_are_left_behind_by_reason(void **state)
{
	Bench *b = *state;
	Log *l = opened(b), *into;
	LogKey k = texted_key(l, b->a, "a task");
	LogMerge m;
	Err e = {0};

	for (int i = 0; i < 6; i++) {
		LogRow r = right_row(&k, "s\n");

		r.time += i;
		added(l, &r);
	}
	log_close(l);
	damage(b, "PRAGMA ignore_check_constraints = 1; UPDATE trial SET time = 0 WHERE id = 2; "
		  "UPDATE trial SET sched = '' WHERE id > 4; UPDATE trial SET sandbox = -1 WHERE "
		  "id = 3");
	into = second(b);
	assert_int_equal(log_open_read(b->path, &l, &e), OK);
	assert_int_equal(log_merge(into, l, &m, &e), OK);
	assert_int_equal(m.added, 2);
	assert_int_equal(m.refused, 4);
	assert_int_equal(m.nrefusal, 3);
	assert_string_equal(m.refusal[2].field, "sched");
	assert_int_equal(m.refusal[2].rows, 2);
	assert_int_equal(m.refusal[2].first, 5);
	assert_string_equal(m.refusal[0].field, "time");
	assert_string_equal(m.refusal[1].field, "sandbox");
	log_close(l);
	log_close(into);
}

enum { MERGED_ROWS = 600, MERGE_KILLS = 8 };

static int
merge_until_killed(Bench *b, const char *from)
{
	Log *into, *source;
	LogMerge m;
	Err e = {0};

	if (log_open(b->path, &into, &e) || log_open_read(from, &source, &e) ||
	    log_merge(into, source, &m, &e))
		return 1;
	log_close(source);
	log_close(into);
	return 0;
}

/* A merge that is killed has added everything or nothing, and the next one completes it. */
static void
a_killed_merge_is_whole_or_nothing(void **state)
{
	Bench *b = *state;
	Log *l = second(b);
	LogKey k = texted_key(l, b->a, "a task");
	LogRow *r = ARENA_ARRAY(b->a, LogRow, MERGED_ROWS);
	uint64_t start, takes;
	char from[72];
	int nothing = 0;
	Err e = {0};
	Rng rng;

	for (int i = 0; i < MERGED_ROWS; i++) {
		r[i] = right_row(&k, "s\n");
		r[i].time += i;
	}
	assert_int_equal(log_add(l, r, MERGED_ROWS, &e), OK);
	log_close(l);
	snprintf(from, sizeof from, "%s.2", b->path);
	rng_init(&rng, 1);
	start = clock_ns();
	assert_int_equal(merge_until_killed(b, from), 0);
	takes = clock_ns() - start;
	log_file_remove(b->path);
	for (int i = 0; i < MERGE_KILLS; i++) {
		pid_t pid = fork();
		int status, n;

		if (!pid)
			_exit(merge_until_killed(b, from));
		clock_sleep_ns(rng_below(&rng, takes + takes / 2));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
		l = opened(b);
		n = count_rows(b, l);
		assert_true(n == 0 || n == MERGED_ROWS);
		assert_int_equal(log_check(l, &e), OK);
		nothing += n == 0;
		log_close(l);
		if (n)
			log_file_remove(b->path);
	}
	print_message("%d kills, nothing was added by %d of them\n", MERGE_KILLS, nothing);
	assert_int_equal(merge_until_killed(b, from), 0);
	l = opened(b);
	assert_int_equal(count_rows(b, l), MERGED_ROWS);
	log_close(l);
}

typedef struct Faults {
	int n;
	int64_t row[32];
	char text[32][160];
} Faults;

static void
on_fault(void *self, int64_t id, const char *text)
{
	Faults *f = self;

	if (f->n < 32) {
		f->row[f->n] = id;
		snprintf(f->text[f->n++], 160, "%s", text);
	}
}

static Faults
verified(Bench *b)
{
	static const char *const status[] = {"OK", "WRONG", NULL};
	Faults f = {0};
	LogVerify v = {.status = status, .now = 1800000000, .fault = on_fault, .self = &f};
	LogVerified out;
	Err e = {0};
	Log *l;

	if (log_open_read(b->path, &l, &e) || log_verify(l, &v, &out, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(out.faults, f.n);
	log_close(l);
	return f;
}

static void
every_fault_is_told_by_row(void **state)
{
	static const struct {
		const char *sql, *text;
		int64_t row;
	} cases[] = {
		{"UPDATE trial SET status = 'GOOD' WHERE id = 2", "status: 'GOOD' is not known", 2},
		{"UPDATE trial SET best_ns = 9 WHERE id = 3", "samples: best_ns", 3},
		{"UPDATE trial SET median_ns = 13 WHERE id = 3", "samples: best_ns", 3},
		{"UPDATE trial SET samples = x'000000000000f8ff' WHERE id = 1", "samples: ", 1},
		{"UPDATE trial SET max_error = -1 WHERE id = 1", "cannot be below 0", 1},
		{"UPDATE trial SET time = 1900000000 WHERE id = 4", "time: in the future", 4},
		{"UPDATE trial SET sched = '' WHERE id = 4", "sched: nothing", 4},
		{"DELETE FROM text WHERE kind = 'task' AND body = 'b task'",
		 "the text of its task is not in the log", 4},
		{"UPDATE text SET body = 'c task' WHERE body = 'b task'",
		 "the text of its task has another digest", 4},
		{"DELETE FROM keys WHERE id = 2", "its key is not in the log", 4},
		{"DROP INDEX trial_fast; CREATE INDEX trial_fast ON trial (key, best_ns) WHERE "
		 "status = 'OK' AND race = 0; PRAGMA writable_schema = 1; UPDATE sqlite_schema SET "
		 "sql = replace(sql, 'race = 0', 'race = 1') WHERE name = 'trial_fast'",
		 "damaged: ", 0},
	};
	Bench *b = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Log *l = opened(b);
		LogKey k = texted_key(l, b->a, "a task"), other = texted_key(l, b->a, "b task");
		Faults f;

		for (int r = 0; r < 4; r++) {
			LogRow one = right_row(r == 3 ? &other : &k, "s\n");

			added(l, &one);
		}
		log_close(l);
		f = verified(b);
		assert_int_equal(f.n, 0);
		damage(b, cases[i].sql);
		f = verified(b);
		if (f.n < 1 || !strstr(f.text[0], cases[i].text) || f.row[0] != cases[i].row)
			fail_msg("%s: %d faults, row %lld: %s", cases[i].sql, f.n,
				 (long long)f.row[0], f.text[0]);
		unlink(b->path);
	}
}

static void
only_selected_rows_are_forgotten(void **state)
{
	static const char *const none[] = {"00", NULL};
	Bench *b = *state;
	Log *l = opened(b);
	LogKey k = texted_key(l, b->a, "a task"), other = texted_key(l, b->a, "b task");
	const char *tasks[] = {other.task, NULL}, *text;
	const struct {
		LogSelection s;
		int64_t rows;
	} cases[] = {
		{{.task = k.task}, 3},     {{.task = "zz"}, 0},
		{{.device = "cortex"}, 1}, {{.device = "EPYC"}, 4},
		{{.target = "znver3"}, 5}, {{.target = "znver3", .status = "WRONG"}, 1},
		{{.status = "OK"}, 4},     {{.before = 1700000001}, 4},
		{{.insecure = true}, 4},   {{.tasks = none}, 0},
		{{.tasks = tasks}, 2},
	};
	LogSelected x;
	int64_t removed;
	Err e = {0};

	other.device = "emulated cortex-a72";
	for (int i = 0; i < 5; i++) {
		LogRow r = right_row(i < 3 ? &k : &other, "s\n");

		if (i == 4)
			r.key.device = k.device;
		if (i == 1)
			r.status = "WRONG";
		r.time += i == 2;
		r.insecure = i != 0;
		added(l, &r);
	}
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(log_select(l, &cases[i].s, &x, &e), OK);
		if (x.rows != cases[i].rows)
			fail_msg("case %d: %d rows", (int)i, (int)x.rows);
	}
	assert_int_equal(log_forget(l, &cases[1].s, &removed, &e), OK);
	assert_int_equal(removed, 0);
	assert_int_equal(log_put_text(l, LOG_TEXT_VERDICT, "v", "rows 5", &e), OK);
	assert_int_equal(log_forget(l, &cases[0].s, &removed, &e), OK);
	assert_int_equal(log_get_text(l, b->a, LOG_TEXT_VERDICT, "v", &text, &e), NOT_APPLICABLE);
	assert_int_equal(removed, 3);
	assert_int_equal(count_rows(b, l), 2);
	assert_int_equal(log_get_text(l, b->a, "task", k.task, &text, &e), NOT_APPLICABLE);
	assert_int_equal(log_get_text(l, b->a, "task", other.task, &text, &e), OK);
	assert_int_equal(log_get_text(l, b->a, "form", k.form, &text, &e), OK);
	assert_int_equal(log_shrink(l, &e), OK);
	assert_int_equal(log_check(l, &e), OK);
	log_close(l);
}

/* What was said of a session goes with its last row, what was said of a run of several boards with
 * the last of theirs. */
static void
forgetting_takes_what_was_said_of_sessions(void **state)
{
	static const char *const kind[] = {LOG_TEXT_CALIBRATION, LOG_TEXT_BOARD, LOG_TEXT_SESSION,
					   LOG_TEXT_STATS};
	static const struct {
		const char *session;
		const char *status; /* of its row; NULL: none */
		bool stays;
	} cases[] = {{"1-1", "WRONG", false},
		     {"2-2", NULL, true},
		     {"2-2.1", "WRONG", false},
		     {"2-2.2", "OK", true}};
	Bench *b = *state;
	Log *l = opened(b);
	LogKey k = texted_key(l, b->a, "a task");
	int64_t removed;
	Err e = {0};

	for (int i = 0; i < 4; i++) {
		LogRow r = right_row(&k, "s\n");

		for (int n = 0; n < 4; n++)
			assert_int_equal(log_put_text(l, kind[n], cases[i].session, "said", &e),
					 OK);
		r.session = cases[i].session;
		r.status = cases[i].status;
		if (r.status)
			added(l, &r);
	}
	assert_int_equal(log_forget(l, &(LogSelection){.status = "WRONG"}, &removed, &e), OK);
	assert_int_equal(removed, 2);
	for (int i = 0; i < 4; i++)
		for (int n = 0; n < 4; n++) {
			const char *text;

			if ((log_get_text(l, b->a, kind[n], cases[i].session, &text, &e) == OK) !=
			    cases[i].stays)
				fail_msg("%s of %s", kind[n], cases[i].session);
		}
	log_close(l);
}

static void
a_survey_counts(void **state)
{
	Bench *b = *state;
	Log *l = opened(b);
	LogKey k = texted_key(l, b->a, "a task"), bare = key();
	LogCount *c;
	LogDrift *d;
	LogSizes x;
	Err e = {0};
	int n;

	for (int i = 0; i < 6; i++) {
		LogRow r = right_row(i < 5 ? &k : &bare, "s\n");

		r.session = i < 3 ? "s1" : "s2";
		r.calibration_before = r.calibration_after = i < 3 ? 100 : 80;
		r.race = i == 4;
		r.stage = i == 4 ? LOG_STAGE_WINNER : "top";
		r.status = i == 1 ? "WRONG" : "OK";
		r.generator = i == 2 ? "0.0" : "0.1";
		added(l, &r);
	}
	assert_int_equal(log_tally(l, b->a, "generator", &c, &n, &e), OK);
	assert_int_equal(n, 2);
	assert_string_equal(c[0].value, "0.1");
	assert_int_equal(c[0].rows, 5);
	assert_int_equal(log_drifts(l, b->a, &d, &n, &e), OK);
	assert_int_equal(n, 1);
	assert_int_equal(d[0].sessions, 2);
	assert_float_equal(d[0].lowest, 80, 0);
	assert_float_equal(d[0].highest, 100, 0);
	assert_string_equal(d[0].lowest_session, "s2");
	assert_int_equal(log_sizes(l, &x, &e), OK);
	assert_int_equal(x.rows, 6);
	assert_int_equal(x.keys, 2);
	assert_int_equal(x.keys_right, 2);
	assert_int_equal(x.keys_won, 1);
	assert_int_equal(x.failed, 1);
	assert_int_equal(x.lacking, 1);
	assert_int_equal(x.samples, 6 * 24);
	log_close(l);
}

/* What is sent is all in one file, and reading it makes nothing beside it. */
static void
a_snapshot_is_whole(void **state)
{
	Bench *b = *state;
	Log *l = opened(b), *copy;
	LogKey k = texted_key(l, b->a, "a task");
	LogRow r = right_row(&k, "s\n");
	char path[72], beside[96];
	Err e = {0};

	added(l, &r);
	snprintf(path, sizeof path, "%s.2", b->path);
	assert_int_equal(log_snapshot(l, path, &e), OK);
	assert_int_equal(log_snapshot(l, path, &(Err){0}), ERR_INPUT); /* it is there */
	assert_int_equal(log_open_whole(path, &copy, &e), OK);
	assert_int_equal(count_rows(b, copy), 1);
	snprintf(beside, sizeof beside, "%s-shm", path);
	assert_int_not_equal(access(beside, F_OK), 0);
	log_close(copy);
	log_close(l);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_merge_adds_what_is_not_there),
		CASE(older_formats_are_merged),
		CASE(bad_rows_are_left_behind_by_reason),
		CASE(a_killed_merge_is_whole_or_nothing),
		CASE(every_fault_is_told_by_row),
		CASE(only_selected_rows_are_forgotten),
		CASE(forgetting_takes_what_was_said_of_sessions),
		CASE(a_survey_counts),
		CASE(a_snapshot_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
