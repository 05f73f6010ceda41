/* Keys as text and as files, and folders of them: what is damaged or open to others is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "trust/ring.h"

static char folder[32];

static int
make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/hone-key-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int
remove_folder(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

static const char *
in_folder(const char *name)
{
	static char path[96];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void
text_and_back(void **state)
{
	char text[KEY_TEXT_MAX], print[FINGERPRINT_TEXT], again[FINGERPRINT_TEXT];
	Key k, back;
	Err e = {0};

	(void)state;
	for (int i = 0; i < KEY_ROLE_COUNT; i++) {
		assert_int_equal(key_make(&k, "a-name_of.40", (KeyRole)i, &e), OK);
		key_print(&k, text);
		if (key_parse(text, &back, &e))
			fail_msg("%s", e.msg);
		assert_memory_equal(&k, &back, sizeof k);
		key_fingerprint(&k, print);
		key_fingerprint(&back, again);
		assert_string_equal(print, again);
		assert_int_equal(strlen(print), FINGERPRINT_TEXT - 1);
		assert_null(strstr(text, "\n\n"));
		k.secret[31] ^= 1;
		key_fingerprint(&k, again);
		assert_string_not_equal(print, again);
	}
}

/* Not even eight digits of it. */
static void
expect_no_secret(const Key *k, const char *text)
{
	char hex[2 * KEY_BYTES + 1], part[9] = "";

	for (int i = 0; i < KEY_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", k->secret[i]);
	for (size_t i = 0; i + 8 <= 2 * KEY_BYTES; i++) {
		memcpy(part, hex + i, 8);
		assert_null(strstr(text, part));
	}
}

/* Every byte of a key's text changed: it is refused, or the change was none. */
static void
a_damaged_copy_is_refused(void **state)
{
	char text[KEY_TEXT_MAX];
	Key k, back;
	size_t n;
	Err e = {0};

	(void)state;
	assert_int_equal(key_make(&k, "alice", KEY_TUNE, &e), OK);
	key_print(&k, text);
	n = strlen(text);
	for (size_t i = 0; i < n; i++) {
		Err why = {0};
		char was = text[i];

		text[i] = was == '7' ? '8' : '7';
		if (key_parse(text, &back, &why) == OK)
			assert_memory_equal(&k, &back, sizeof k);
		else
			expect_no_secret(&k, why.msg);
		text[i] = was;
	}
	for (size_t i = 0; i < n; i++) { /* cut off: complete only once the secret is */
		Err why = {0};
		char cut[KEY_TEXT_MAX] = "";

		memcpy(cut, text, i);
		if (key_parse(cut, &back, &why) == OK)
			assert_memory_equal(&k, &back, sizeof k);
	}
}

static void
names_are_plain(void **state)
{
	static const char *const bad[] = {
		"",    "-x",       ".x",
		"a/b", "a b",      "a\nb",
		"a:b", "\xc3\xa4", "a23456789012345678901234567890123456789012"};
	Key k;

	(void)state;
	assert_false(key_name_ok("a\0b", 3));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		Err e = {0};

		assert_false(key_name_ok(bad[i], strlen(bad[i])));
		assert_int_equal(key_make(&k, bad[i], KEY_TUNE, &e), ERR_INPUT);
	}
}

static void
files_that_others_may_touch_are_refused(void **state)
{
	static const mode_t mode[] = {0644, 0640, 0660, 0604, 0601, 0620, 0777};
	char path[96];
	Key k, back;
	Err e = {0};
	struct stat st;

	(void)state;
	snprintf(path, sizeof path, "%s", in_folder("a.key"));
	assert_int_equal(key_make(&k, "a", KEY_TUNE, &e), OK);
	assert_int_equal(key_write(path, &k, &e), OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(key_read(path, &back, &e), OK);
	assert_memory_equal(&k, &back, sizeof k);
	assert_int_equal(key_write(path, &k, &e), ERR_INPUT); /* never over another */
	for (size_t i = 0; i < sizeof mode / sizeof *mode; i++) {
		char text[8];
		Err why = {0};

		chmod(path, mode[i]);
		assert_int_equal(key_read(path, &back, &why), ERR_INPUT);
		snprintf(text, sizeof text, "%04o", mode[i]);
		assert_non_null(strstr(why.msg, text));
		assert_non_null(strstr(why.msg, path));
	}
	chmod(path, 0600);
	assert_int_equal(symlink(path, in_folder("link.key")), 0);
	e = (Err){0};
	assert_int_equal(key_read(in_folder("link.key"), &back, &e), ERR_IO);
	e = (Err){0};
	assert_int_equal(key_read(folder, &back, &e), ERR_INPUT);
	e = (Err){0};
	assert_int_equal(key_read("/dev/zero", &back, &e), ERR_INPUT);
	e = (Err){0};
	assert_int_equal(key_read(in_folder("none"), &back, &e), ERR_IO);
}

static void
a_ring_follows_its_folder(void **state)
{
	Err e = {0}, none = {0};
	Key alice;
	Ring *r;

	(void)state;
	assert_int_equal(ring_open(in_folder("ring/keys"), &r, &e), OK);
	assert_int_equal(ring_count(r), 0);
	assert_null(ring_find(r, "", 0));
	assert_int_equal(ring_add(r, "bob", KEY_READ_ONLY, &e), OK);
	assert_int_equal(ring_add(r, "alice", KEY_TUNE, &e), OK);
	assert_int_equal(ring_add(r, "alice", KEY_TUNE, &none), ERR_INPUT);
	assert_int_equal(ring_count(r), 2);
	assert_string_equal(ring_at(r, 0)->name, "alice");
	assert_null(ring_find(r, "alic", 4));
	assert_null(ring_find(r, "alicex", 6));
	assert_null(ring_find(r, "alice\0", 6));
	alice = *ring_find(r, "alice", 5);
	assert_true(ring_holds(r, &alice));
	assert_false(ring_refresh(r, &e));
	alice.role = KEY_READ_ONLY;
	assert_false(ring_holds(r, &alice));
	alice.role = KEY_TUNE;
	alice.secret[0] ^= 1;
	assert_false(ring_holds(r, &alice));
	alice.secret[0] ^= 1;

	chmod(in_folder("ring/keys/alice.key"), 0644); /* no longer secret: no longer good */
	assert_true(ring_refresh(r, &e));
	assert_int_equal(e.code, ERR_INPUT);
	assert_false(ring_holds(r, &alice));
	chmod(in_folder("ring/keys/alice.key"), 0600);
	e = (Err){0};
	assert_true(ring_refresh(r, &e));
	assert_int_equal(e.code, OK);
	assert_true(ring_holds(r, &alice));

	assert_int_equal(unlink(in_folder("ring/keys/alice.key")), 0);
	assert_true(ring_refresh(r, &e));
	assert_false(ring_holds(r, &alice));
	assert_int_equal(ring_add(r, "alice", KEY_TUNE, &e), OK); /* the name again, not the key */
	assert_false(ring_holds(r, &alice));
	assert_int_equal(ring_count(r), 2);
	ring_close(r);
}

static void
a_folder_that_others_may_write_is_refused(void **state)
{
	char from[96];
	Err e = {0};
	Ring *r;

	(void)state;
	assert_int_equal(ring_open(in_folder("open"), &r, &e), OK);
	assert_int_equal(ring_add(r, "a", KEY_TUNE, &e), OK);
	chmod(in_folder("open"), 0770);
	ring_close(r);
	assert_int_equal(ring_open(in_folder("open"), &r, &e), ERR_INPUT);
	assert_null(r);
	assert_non_null(strstr(e.msg, "0770"));
	chmod(in_folder("open"), 0700);
	e = (Err){0};
	snprintf(from, sizeof from, "%s", in_folder("open/a.key"));
	assert_int_equal(rename(from, in_folder("open/b.key")), 0);
	assert_int_equal(ring_open(in_folder("open"), &r, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "named 'a'"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_back),
		cmocka_unit_test(a_damaged_copy_is_refused),
		cmocka_unit_test(names_are_plain),
		cmocka_unit_test(files_that_others_may_touch_are_refused),
		cmocka_unit_test(a_ring_follows_its_folder),
		cmocka_unit_test(a_folder_that_others_may_write_is_refused),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
