/* cli: what is in a folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "cli/regress_commands.h"
#include "regress/history.h"

/* An empty folder of its own. */
static const char *
folder(Arena *a)
{
	char *path = arena_strdup(a, "/tmp/hone-listing-XXXXXX");

	assert_non_null(mkdtemp(path));
	return path;
}

static void
make(Arena *a, const char *dir, const char *name)
{
	FILE *f = fopen(arena_printf(a, "%s/%s", dir, name), "w");

	assert_non_null(f);
	fclose(f);
}

static void
remove_all(Arena *a, const char *dir)
{
	Names all = names_in(dir, a);

	for (int i = 0; i < all.n; i++)
		unlink(arena_printf(a, "%s/%s", dir, all.v[i]));
	unlink(arena_printf(a, "%s/.hidden.json", dir));
	assert_int_equal(rmdir(dir), 0);
}

static void
names_are_in_order(void **state)
{
	static const char *const made[] = {"b.json", "a.txt", ".hidden.json", "json", "a.json"};
	Arena *a = arena_new();
	const char *dir = folder(a);
	Names x;

	(void)state;
	assert_int_equal(names_in(dir, a).n, 0);
	assert_int_equal(names_in("/nowhere/at/all", a).n, 0);
	for (size_t i = 0; i < sizeof made / sizeof *made; i++)
		make(a, dir, made[i]);
	x = names_in(dir, a);
	assert_int_equal(x.n, 4);
	assert_string_equal(x.v[0], "a.json");
	assert_string_equal(x.v[1], "a.txt");
	assert_string_equal(x.v[2], "b.json");
	x = regress_results_in(dir, a);
	assert_int_equal(x.n, 2);
	assert_string_equal(x.v[1], arena_printf(a, "%s/b.json", dir));
	remove_all(a, dir);
	arena_free(a);
}

/* Of more results than a history takes the newest are taken, whatever the file system says first.
 */
static void
the_newest_results_are_taken(void **state)
{
	enum { MORE = 40 };
	Arena *a = arena_new();
	const char *dir = folder(a);
	Names x;

	(void)state;
	for (int i = 0; i < HISTORY_RESULTS_MAX + MORE; i++)
		make(a, dir, arena_printf(a, "%d-1.json", 1700000000 + i));
	x = regress_results_in(dir, a);
	assert_int_equal(x.n, HISTORY_RESULTS_MAX);
	assert_string_equal(x.v[0], arena_printf(a, "%s/%d-1.json", dir, 1700000000 + MORE));
	remove_all(a, dir);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_in_order),
		cmocka_unit_test(the_newest_results_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
