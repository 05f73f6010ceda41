/* The journal: who is blamed for a reset, who is forgiven, and what damaged files and full disks do
 * to it. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "rpc_server/journal.h"
#include "rpc_server/poison.h"
#include "rpc_server/record.h"
#include "trust/ring.h"

static char parent[32], folder[64], boot_path[64];
static char said[65536];

static void
note(void *self, const char *line)
{
	size_t n = strlen(said);

	(void)self;
	snprintf(said + n, sizeof said - n, "%s\n", line);
}

static void
write_text(const char *path, const void *text, size_t n)
{
	Err e = {0};

	if (file_write(path, text, n, &e))
		fail_msg("%s", e.msg);
}

static void
set_boot(const char *id)
{
	write_text(boot_path, id, strlen(id));
}

/* An agent starts in that life of the board; NULL: in that of set_boot. */
static Journal *
opened(const char *boot)
{
	JournalConfig c = {folder, boot_path, NULL, note};
	Journal *j;
	Err e = {0};

	*said = 0;
	if (boot)
		set_boot(boot);
	if (journal_open(&c, &j, &e))
		fail_msg("%s", e.msg);
	return j;
}

static const char *
path_of(const char *name)
{
	static char path[4][96];
	static int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof path[0], "%s/%s", folder, name);
	return p;
}

/* The agent goes without a word: files stay as they are. */
static void
killed(Journal *j)
{
	size_t n, m;
	char *running, *poison;
	bool listed = access(path_of("poison"), F_OK) == 0;

	assert_int_equal(file_read(path_of("running"), 1 << 20, &running, &n, NULL), OK);
	if (listed)
		assert_int_equal(file_read(path_of("poison"), 1 << 20, &poison, &m, NULL), OK);
	journal_close(j);
	write_text(path_of("running"), running, n);
	if (listed) {
		write_text(path_of("poison"), poison, m);
		free(poison);
	}
	free(running);
}

static Digest
digest(int i)
{
	return digest_of(&i, sizeof i);
}

static bool
refuses(const Journal *j, int i)
{
	Digest d = digest(i);
	Reason why = "";
	bool no = journal_refuses(j, &d, why);

	assert_true(no == (*why != 0));
	return no;
}

static void
runs(Journal *j, int n, int at)
{
	Digest d[8];

	for (int i = 0; i < n; i++)
		d[i] = digest(i);
	journal_running(j, d, (uint32_t)n, (uint32_t)at);
}

static void
passes(Journal *j, int i)
{
	Digest d = digest(i);

	journal_passed(j, &d);
}

static Record
on_disk(void)
{
	Record r;
	char *text;
	size_t n;

	assert_int_equal(file_read(path_of("running"), 1 << 20, &text, &n, NULL), OK);
	assert_int_equal(record_parse(&r, text, n), OK);
	free(text);
	return r;
}

/* Digest 1 takes the board down, in lives a and b; life c begins. */
static Journal *
poisoned(void)
{
	Journal *j = opened("a");

	runs(j, 4, 1);
	killed(j);
	j = opened("b");
	runs(j, 4, 1);
	killed(j);
	return opened("c");
}

static void
two_resets_are_poison(void **state)
{
	Journal *j = opened("a");

	(void)state;
	assert_string_equal(said, "");
	runs(j, 4, 0);
	assert_int_equal(on_disk().n, 4); /* at the cost of one sync */
	runs(j, 4, 1);
	assert_int_equal(on_disk().n, 4);
	assert_int_equal(on_disk().at, 1);
	killed(j);

	j = opened("b");
	assert_non_null(strstr(said, "BOARD_RESET: the board was reset while one of 4"));
	assert_int_equal(journal_refused(j), 0);
	runs(j, 4, 0);
	assert_int_equal(on_disk().n, 1); /* alone: it is a suspect */
	passes(j, 0);
	runs(j, 4, 1);
	assert_int_equal(on_disk().n, 1);
	killed(j);

	j = opened("c");
	assert_int_equal(journal_refused(j), 1);
	assert_true(refuses(j, 1));
	for (int i = 0; i < 4; i++)
		assert_true(refuses(j, i) == (i == 1));
	passes(j, 1); /* changes nothing: it never ran */
	runs(j, 4, 0);
	assert_int_equal(on_disk().n, 1); /* forgiven; the others are not, and 1 will not run */
	journal_idle(j);
	journal_close(j);
	j = opened("d");
	assert_string_equal(said, "");
	assert_true(refuses(j, 1));
	journal_close(j);
}

static void
three_kills_of_the_agent_are_poison(void **state)
{
	Journal *j;

	(void)state;
	for (int i = 0; i < POISON_KILLS; i++) {
		j = opened("a");
		assert_true(!i || strstr(said, "the agent was killed while one of"));
		assert_false(refuses(j, 2));
		runs(j, 4, 2);
		killed(j);
	}
	j = opened("a");
	for (int i = 0; i < 4; i++)
		assert_true(refuses(j, i) == (i == 2));
	journal_close(j);
}

/* The list is on disk and the record is not cleared yet: the same reset is found again. */
static void
a_reset_counts_once(void **state)
{
	Journal *j = opened("a");
	char *left;
	size_t n;

	(void)state;
	runs(j, 1, 0);
	assert_int_equal(file_read(path_of("running"), 1 << 20, &left, &n, NULL), OK);
	killed(j);
	for (int i = 0; i < 3; i++) {
		journal_close(opened("b"));
		write_text(path_of("running"), left, n);
	}
	j = opened("b");
	assert_int_equal(journal_refused(j), 0);
	journal_close(j);
	free(left);
}

static void
one_agent_has_the_folder(void **state)
{
	JournalConfig c = {folder, boot_path, NULL, note};
	Journal *j = opened("a"), *second;
	Err e = {0};

	(void)state;
	assert_int_equal(journal_open(&c, &second, &e), ERR_BUSY);
	assert_null(second);
	journal_close(j);
	assert_int_equal(chmod(folder, 0755), 0);
	e = (Err){0};
	assert_int_equal(journal_open(&c, &second, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "mode 0700"));
	assert_int_equal(chmod(folder, 0700), 0);
	assert_true(!journal_refuses(NULL, NULL, NULL) && !journal_refused(NULL));
}

static void
people_edit_the_list(void **state)
{
	Journal *j = poisoned();
	char hex[DIGEST_TEXT], text[256];
	Digest d = digest(7);

	(void)state;
	assert_true(refuses(j, 1));
	journal_close(j);
	digest_print(&d, hex);
	snprintf(text, sizeof text,
		 "hone poison 1: not run again here; delete a line to allow it\n%s\nend\n", hex);
	write_text(path_of("poison"), text, strlen(text));
	j = opened("c");
	assert_string_equal(said, "");
	assert_true(refuses(j, 7));
	assert_false(refuses(j, 1));
	journal_close(j);
}

/* --- damage --- */

/* Whatever a byte or the end of a file becomes: what was poison still is, or it is said. */
static void
damaged_lists_are_never_taken_for_whole(void **state)
{
	PoisonList *l = calloc(1, sizeof *l), *back = calloc(1, sizeof *l);
	char *text = malloc(POISON_TEXT), why[POISON_LINE], *again;
	size_t n, quiet = 0;

	(void)state;
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 2; k++) {
			Digest d = digest(i);

			assert_true(poison_reset(l, &d, k ? "b" : "a", "2026-11-22T01:02:03Z"));
		}
	n = poison_print(l, text);
	assert_true(poison_parse(back, text, n, why));
	again = malloc(POISON_TEXT);
	assert_int_equal(poison_print(back, again), n);
	assert_memory_equal(text, again, n);
	free(again);
	for (size_t at = 0; at < n; at++) {
		assert_false(poison_parse(back, text, at, why));
		assert_true(*why != 0);
		for (int x = 1; x < 256; x++) {
			text[at] ^= (char)x;
			if (poison_parse(back, text, n, why))
				quiet++;
			text[at] ^= (char)x;
		}
	}
	assert_int_equal(quiet, 0);
	free(text);
	free(l);
	free(back);
}

static void
damaged_records_blame_nobody_else(void **state)
{
	static char text[RECORD_BYTES];
	Record r = {.boot = "a-b", .pid = 4711, .began = 1700000000, .at = 1, .n = 3}, back;
	size_t n;

	(void)state;
	for (int i = 0; i < 3; i++)
		r.run[i] = digest(i);
	n = record_print(&r, text);
	assert_int_equal(record_parse(&back, text, n), OK);
	assert_memory_equal(&r, &back, sizeof r);
	for (size_t at = 0; at < n; at++) {
		assert_int_equal(record_parse(&back, text, at), ERR_INPUT);
		for (int x = 1; x < 256; x++) {
			bool number = at >= RECORD_AT && at < RECORD_AT + RECORD_AT_LEN;

			text[at] ^= (char)x;
			if (record_parse(&back, text, n) == OK) {
				assert_true(number); /* which is written without a check */
				assert_memory_equal(r.run, back.run, sizeof r.run);
			}
			text[at] ^= (char)x;
		}
	}
}

/* The same through the files, at every length, and with a byte changed everywhere. */
static void
cut_and_changed_files_are_told(void **state)
{
	static const char *const name[] = {"running", "poison"};
	Journal *j = poisoned();

	(void)state;
	runs(j, 4, 0);
	killed(j);
	for (int f = 0; f < 2; f++) {
		char *text, *other;
		size_t n, m, used;

		assert_int_equal(file_read(path_of(name[f]), 1 << 20, &text, &n, NULL), OK);
		assert_int_equal(file_read(path_of(name[!f]), 1 << 20, &other, &m, NULL), OK);
		used = strlen(text);
		for (size_t i = 0; i < 2 * used; i++) {
			size_t at = i / 2;
			bool number = !f && at >= RECORD_AT && at < RECORD_AT + RECORD_AT_LEN;

			text[at] ^= (char)(i % 2 ? 1 : 0);
			write_text(path_of(name[f]), text, i % 2 ? n : at);
			text[at] ^= (char)(i % 2 ? 1 : 0);
			write_text(path_of(name[!f]), other, m);
			j = opened("d");
			if (!(number && i % 2))
				assert_true(strstr(said, "damaged") || strstr(said, "not under") ||
					    strstr(said, "is missing"));
			assert_true(f || refuses(j, 1));
			journal_close(j);
		}
		write_text(path_of(name[f]), text, n);
		write_text(path_of(name[!f]), other, m);
		free(text);
		free(other);
	}
}

static void
the_list_is_bounded(void **state)
{
	PoisonList *l = calloc(1, sizeof *l);
	char *text = malloc(POISON_TEXT);
	Digest first = digest(0), d;
	bool full = false;

	(void)state;
	for (int k = 0; k < POISON_RESETS; k++)
		assert_true(poison_reset(l, &first, k ? "b" : "a", "-"));
	for (int i = 1; i < 2 * POISON_MAX; i++) {
		d = digest(i);
		assert_true(poison_kill(l, &d, "2026-11-22T01:02:03Z")); /* suspects go first */
	}
	assert_int_equal(l->n, POISON_MAX);
	assert_true(poison_fatal(poison_find(l, &first)));
	assert_true(poison_print(l, text) < POISON_TEXT);
	for (int i = 0; i < 2 * POISON_MAX; i++) {
		d = digest(i);
		full |= !poison_reset(l, &d, "c", "-");
		assert_true(poison_reset(l, &d, "d", "-"));
	}
	assert_true(full); /* and it was said that poison may run again */
	assert_int_equal(l->n, POISON_MAX);
	free(text);
	free(l);
}

/* --- a disk that takes nothing --- */

static void
limit_files(rlim_t bytes)
{
	struct rlimit l;

	getrlimit(RLIMIT_FSIZE, &l);
	l.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void
a_full_disk_is_told_and_outlived(void **state)
{
	Journal *j = opened("a");

	(void)state;
	limit_files(0);
	runs(j, 4, 0);
	runs(j, 4, 1);
	limit_files(RLIM_INFINITY);
	assert_non_null(strstr(said, "candidates run, but"));
	assert_null(strstr(strstr(said, "candidates run") + 1, "candidates run")); /* once */
	runs(j, 4, 2);
	assert_non_null(strstr(said, "is written again"));
	assert_int_equal(on_disk().n, 4);
	killed(j);

	set_boot("b"); /* while the next agent starts */
	limit_files(0);
	j = opened(NULL);
	limit_files(RLIM_INFINITY);
	assert_non_null(strstr(said, "candidates run, but"));
	runs(j, 4, 0);
	assert_int_equal(on_disk().n, 1); /* it knows its suspects all the same */
	killed(j);
	j = opened("c");
	assert_true(refuses(j, 0));
	journal_close(j);
}

static void
a_key_is_whole_or_not_there(void **state)
{
	char path[96];
	Ring *r;
	Err e = {0};

	(void)state;
	assert_int_equal(ring_open(folder, &r, &e), OK);
	limit_files(0);
	assert_int_equal(ring_add(r, "alice", KEY_TUNE, &e), ERR_IO);
	limit_files(RLIM_INFINITY);
	assert_non_null(strstr(e.msg, "alice.key: File too large"));
	snprintf(path, sizeof path, "%s/alice.key", folder);
	assert_int_not_equal(access(path, F_OK), 0);
	e = (Err){0};
	assert_int_equal(ring_add(r, "alice", KEY_TUNE, &e), OK);
	ring_close(r);
	assert_int_equal(unlink(path), 0);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(parent, sizeof parent, "%s/hone-test-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm"); /* where a sync is cheap */
	if (!mkdtemp(parent))
		return -1;
	snprintf(folder, sizeof folder, "%s/state", parent);
	snprintf(boot_path, sizeof boot_path, "%s/boot_id", parent);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const name[] = {"running", "running~",       "poison",
					   "poison~", "poison.damaged", "lock"};

	(void)state;
	for (size_t i = 0; i < sizeof name / sizeof *name; i++)
		unlink(path_of(name[i]));
	rmdir(folder);
	unlink(boot_path);
	return rmdir(parent);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(two_resets_are_poison),
		CASE(three_kills_of_the_agent_are_poison),
		CASE(a_reset_counts_once),
		CASE(one_agent_has_the_folder),
		CASE(people_edit_the_list),
		CASE(damaged_lists_are_never_taken_for_whole),
		CASE(damaged_records_blame_nobody_else),
		CASE(cut_and_changed_files_are_told),
		CASE(the_list_is_bounded),
		CASE(a_full_disk_is_told_and_outlived),
		CASE(a_key_is_whole_or_not_there),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
