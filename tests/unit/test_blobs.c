/* The blob store and its files: who goes first, and what is refused. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc_server/blobs.h"

enum { SIZE = 10000, TAKES = SIZE + 4096, NOTES_MAX = 4096 };

static char folder[] = "/tmp/test_blobs.XXXXXX";

static void
take_note(void *self, const char *line)
{
	char *notes = self;
	size_t n = strlen(notes);

	snprintf(notes + n, NOTES_MAX - n, "%s\n", line);
}

static Blobs *
open_store(uint64_t cap, char notes[NOTES_MAX])
{
	BlobFiles *files;
	Blobs *s;

	notes[0] = 0;
	assert_int_equal(blob_files_open(&files, folder, cap, take_note, notes, NULL), OK);
	s = blobs_new(cap, files);
	assert_non_null(s);
	return s;
}

static uint8_t *
content(int seed)
{
	static uint8_t data[SIZE];

	for (int i = 0; i < SIZE; i++)
		data[i] = (uint8_t)(i * 7 + seed * 13 + i / 256);
	return data;
}

/* Uploads content(seed) in two chunks. */
static Digest
upload(Blobs *s, int seed)
{
	uint8_t *data = content(seed);
	Upload slots[UPLOADS_MAX] = {0};
	BlobChunk c = {.digest = digest_of(data, SIZE), .size = SIZE};

	c.bytes.v = data;
	c.bytes.n = 4000;
	assert_int_equal(blobs_chunk(s, slots, &c, NULL), OK);
	c.offset = 4000;
	c.bytes.v = data + 4000;
	c.bytes.n = SIZE - 4000;
	assert_int_equal(blobs_chunk(s, slots, &c, NULL), OK);
	return c.digest;
}

static void
expect_content(Blobs *s, const Digest *d, int seed)
{
	Blob *b = blobs_hold(s, d);

	assert_non_null(b);
	assert_int_equal(b->size, SIZE);
	assert_memory_equal(b->data, content(seed), SIZE);
	blobs_drop(b);
}

static void
path_of(const Digest *d, const char *end, char path[128])
{
	char text[DIGEST_TEXT];

	digest_print(d, text);
	snprintf(path, 128, "%s/%s%s", folder, text, end);
}

static bool
is_there(const Digest *d)
{
	char path[128];

	path_of(d, ".blob", path);
	return !access(path, F_OK);
}

static void
put_file(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

static int
empty_folder(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s/*", folder);
	return system(command);
}

static void
files_outlive_the_store(void **state)
{
	char notes[NOTES_MAX];
	Blobs *s = open_store(10 * TAKES, notes);
	Digest d[3], unknown = digest_of("?", 1);
	struct stat st;
	char path[128];

	(void)state;
	for (int i = 0; i < 3; i++)
		d[i] = upload(s, i);
	blobs_free(s);
	path_of(&d[0], ".blob", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	s = open_store(10 * TAKES, notes);
	for (int i = 0; i < 3; i++) {
		assert_true(blobs_have(s, &d[i]));
		expect_content(s, &d[i], i);
	}
	assert_false(blobs_have(s, &unknown));
	blobs_free(s);
	assert_string_equal(notes, "");
}

static void
results_are_not_kept(void **state)
{
	char notes[NOTES_MAX];
	Blobs *s = open_store(10 * TAKES, notes);
	Digest d;

	(void)state;
	assert_int_equal(blobs_put(s, content(1), SIZE, &d, NULL), OK);
	assert_false(is_there(&d));
	blobs_free(s);
}

static void
the_least_recently_used_goes(void **state)
{
	char notes[NOTES_MAX];
	Blobs *s = open_store(3 * TAKES, notes);
	Digest d[5];

	(void)state;
	for (int i = 0; i < 3; i++)
		d[i] = upload(s, i);
	blobs_free(s);
	s = open_store(3 * TAKES, notes);
	assert_true(blobs_have(s, &d[0])); /* used again */
	d[3] = upload(s, 3);
	assert_false(is_there(&d[1]));
	d[4] = upload(s, 4);
	assert_false(is_there(&d[2]));
	assert_true(is_there(&d[0]) && is_there(&d[3]) && is_there(&d[4]));
	/* Memory went through as many blobs, but the files bring them back. */
	for (int i = 0; i < 5; i++)
		if (i != 1 && i != 2)
			expect_content(s, &d[i], i);
	blobs_free(s);
	s = open_store(2 * TAKES, notes); /* a lower cap: the order outlived the store */
	assert_false(is_there(&d[0]));
	blobs_free(s);
	s = open_store(SIZE, notes);
	assert_false(is_there(&d[3]) || is_there(&d[4]));
	blobs_free(s);
}

/* Every way in which a file is not what its name says. */
static void
damage_is_refused_and_removed(void **state)
{
	char notes[NOTES_MAX], path[128];
	uint8_t wrong[SIZE + 1];
	const struct {
		int kind;
		size_t size;
	} list[] = {{0, 0}, {0, 1}, {0, SIZE - 1}, {0, SIZE + 1}, {1, SIZE}, {2, SIZE}};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		Blobs *s = open_store(10 * TAKES, notes);
		Digest d = upload(s, 1);

		blobs_free(s);
		memcpy(wrong, content(1), SIZE);
		wrong[SIZE] = 0;
		wrong[SIZE / 2] ^= list[i].kind == 1; /* one bit */
		path_of(&d, ".blob", path);
		put_file(path, wrong, list[i].size);
		s = open_store(10 * TAKES, notes);
		if (list[i].kind == 2) /* cut after the folder was looked at */
			assert_int_equal(truncate(path, 77), 0);
		assert_false(blobs_have(s, &d));
		assert_false(is_there(&d));
		assert_non_null(strstr(notes, "which is not what its name says"));
		upload(s, 1); /* the client sends it again */
		assert_true(is_there(&d));
		expect_content(s, &d, 1);
		blobs_free(s);
	}
}

static void
what_was_not_finished_goes_and_what_is_foreign_stays(void **state)
{
	char notes[NOTES_MAX], path[128], other[64], link_path[128];
	Digest d = digest_of("a", 1), l = digest_of("l", 1);
	Blobs *s;

	(void)state;
	path_of(&d, ".part", path);
	put_file(path, "x", 1);
	snprintf(other, sizeof other, "%s/letter.txt", folder);
	put_file(other, "x", 1);
	path_of(&l, ".blob", link_path);
	assert_int_equal(symlink(other, link_path), 0);
	s = open_store(10 * TAKES, notes);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_not_equal(access(link_path, F_OK), 0);
	assert_int_equal(access(other, F_OK), 0);
	assert_non_null(strstr(notes, "which was not written to its end"));
	assert_non_null(strstr(notes, "which is no file or too large"));
	assert_non_null(strstr(notes, "1 files are not blobs, and left alone"));
	blobs_free(s);
}

/* No file may grow: a full disk, as far as this can be had without one. */
static void
a_full_disk_leaves_memory(void **state)
{
	struct rlimit usual, none = {0};
	char notes[NOTES_MAX];
	Blobs *s = open_store(10 * TAKES, notes);
	Digest d[3];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &usual);
	none = (struct rlimit){5000, usual.rlim_max}; /* some of it can be written */
	setrlimit(RLIMIT_FSIZE, &none);
	d[0] = upload(s, 0);
	d[1] = upload(s, 1);
	setrlimit(RLIMIT_FSIZE, &usual);
	assert_non_null(strstr(notes, "nothing more is kept there"));
	assert_null(strstr(strstr(notes, "nothing more") + 1, "nothing more")); /* said once */
	expect_content(s, &d[0], 0);
	expect_content(s, &d[1], 1);
	assert_false(is_there(&d[0]) || is_there(&d[1]));
	d[2] = upload(s, 2);
	assert_true(is_there(&d[2]));
	blobs_free(s);
}

static void
a_folder_has_one_agent(void **state)
{
	char notes[NOTES_MAX];
	Blobs *s = open_store(10 * TAKES, notes);
	BlobFiles *f;
	Err e = {0};

	(void)state;
	assert_int_equal(blob_files_open(&f, folder, TAKES, NULL, NULL, &e), ERR_BUSY);
	blobs_free(s);
	e = (Err){0};
	assert_int_equal(blob_files_open(&f, "/nowhere/at/all", TAKES, NULL, NULL, &e), ERR_IO);
	assert_non_null(strstr(e.msg, "/nowhere/at/all"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(files_outlive_the_store, empty_folder),
		cmocka_unit_test_setup(results_are_not_kept, empty_folder),
		cmocka_unit_test_setup(the_least_recently_used_goes, empty_folder),
		cmocka_unit_test_setup(damage_is_refused_and_removed, empty_folder),
		cmocka_unit_test_setup(what_was_not_finished_goes_and_what_is_foreign_stays,
				       empty_folder),
		cmocka_unit_test_setup(a_full_disk_leaves_memory, empty_folder),
		cmocka_unit_test_setup(a_folder_has_one_agent, empty_folder),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	empty_folder(NULL);
	rmdir(folder);
	return failed;
}
