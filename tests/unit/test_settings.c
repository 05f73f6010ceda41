/* Settings: every one of the table from the command line and from a file, which of them wins, what
 * is refused and how that is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc_server/settings.h"
#include "rpc_server/settings_table.h"
#include "wire/sandbox.h"

enum { ARGS_MAX = 16 };

/* Parses words that blanks divide; "FILE" stands for a file that holds text. */
static int
parse(Settings *s, const char *words, const char *text, Err *e)
{
	static char buffer[512], path[64];
	char *argv[ARGS_MAX] = {"rpc_server"};
	int argc = 1, rc, fd;

	snprintf(path, sizeof path, "/tmp/test_settings.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	snprintf(buffer, sizeof buffer, "%s", words);
	for (char *w = strtok(buffer, " "); w && argc < ARGS_MAX; w = strtok(NULL, " "))
		argv[argc++] = strcmp(w, "FILE") != 0 ? w : path;
	*e = (Err){0};
	settings_init(s);
	rc = settings_parse(s, argc, argv, e);
	unlink(path);
	return rc;
}

static void
refuse(const char *words, const char *text, const char *why)
{
	Settings s;
	Err e;

	assert_int_equal(parse(&s, words, text, &e), ERR_INPUT);
	if (!strstr(e.msg, why))
		fail_msg("'%s' does not say '%s'", e.msg, why);
	settings_fini(&s);
}

static void
test_command_line(void **state)
{
	Settings s;
	Err e;

	(void)state;
	assert_int_equal(parse(&s, "--socket ./a --core=3 --clients 7 --blob-bytes 2K", "", &e),
			 OK);
	assert_string_equal(s.config.address, "./a");
	assert_int_equal(s.config.core, 3);
	assert_int_equal(s.config.limits.clients, 7);
	assert_int_equal(s.config.blob_bytes, 2048);
	assert_int_equal(s.config.limits.queue, 64);
	assert_int_equal(s.config.sandbox, SANDBOX_ALL);
	settings_fini(&s);
	refuse("", "", "expected --listen");
	refuse("--socket a --stdio", "", "expected --listen");
	refuse("--socket a --clients 0", "", "--clients: '0', expected 1 to 4096");
	refuse("--socket a --clients 4097", "", "--clients: '4097', expected 1 to 4096");
	refuse("--socket a --clients 1x", "", "--clients: '1x', expected 1 to 4096");
	refuse("--socket a --clients 99999999999999999999", "", "expected 1 to 4096");
	refuse("--socket a --blob-bytes 9000000000G", "", "expected a number of bytes, or like");
	refuse("--socket a --core 5 --core 5", "", "--core: given twice");
	refuse("--socket", "", "--socket: nothing, expected PATH");
	refuse("--socket a b", "", "'b': not an option");
	refuse("--sock a", "", "'--sock': not an option");
	refuse("--stdio=maybe", "", "--stdio: 'maybe', expected yes or no");
	refuse("--socket a --name=", "", "--name: '', expected a text");
	refuse("--socket a --sandbox all,x", "", "--sandbox: 'x': no layer");
	refuse("--socket a --role tune", "", "--role goes with --add-key");
	refuse("--socket a --insecure-no-auth", "", "goes with --listen");
}

static void
test_file(void **state)
{
	Settings s;
	Err e;

	(void)state;
	assert_int_equal(parse(&s, "--config FILE",
			       "# a board\n\n  socket = ./b   # its socket\r\nname=left one\n"
			       "\tsandbox = all,-pid-ns\nblob-bytes = 64M\nstdio = no\n"
			       "keys = /a#b\ncore = any",
			       &e),
			 OK);
	assert_string_equal(s.config.address, "./b");
	assert_string_equal(s.config.name, "left one");
	assert_string_equal(s.keys, "/a#b");
	assert_int_equal(s.config.sandbox, SANDBOX_ALL & ~SANDBOX_BIT(PID));
	assert_int_equal(s.config.blob_bytes, 64 << 20);
	settings_fini(&s);
	refuse("--config FILE", "socket = a\nclient = 3\n", ":2: 'client': no such setting");
	refuse("--config FILE", "socket = a\n\nclients = 0",
	       ":3: clients: '0', expected 1 to 4096");
	refuse("--config FILE", "socket = a\nsocket = b", ":2: 'socket': said in line 1 already");
	refuse("--config FILE", "socket a", ":1: 'socket a', expected NAME = VALUE");
	refuse("--config FILE", "socket =", ":1: socket: '', expected a text");
	refuse("--config FILE", "= a", ":1: '': no such setting");
	refuse("--config FILE", "--socket = a", ":1: '--socket': no such setting");
	refuse("--config FILE", "add-key = a", ":1: 'add-key': for the command line only");
	refuse("--config FILE", "name = a\x01z", ":1: name: ");
	refuse("--config FILE", "stdio = 1", ":1: stdio: '1', expected yes or no");
	refuse("--config FILE --clients 5", "socket = a\nclients = none", ":2: clients: 'none'");
	refuse("--config FILE", "# nothing", "expected --listen");
	assert_int_equal(parse(&s, "--config /nowhere/x", "", &e), ERR_IO);
}

static void
test_zero_byte(void **state)
{
	char text[] = "name = a\0b\n";
	Settings s;
	Err e = {0};

	(void)state;
	settings_init(&s);
	assert_int_equal(settings_read(&s, "f", text, sizeof text - 1, &e), ERR_INPUT);
	assert_string_equal(e.msg, "f:1: a zero byte, expected text");
}

static void
test_command_line_wins(void **state)
{
	Settings s;
	Err e;

	(void)state;
	assert_int_equal(
		parse(&s, "--config FILE --stdio --clients 5", "socket = b\nclients = 6\n", &e),
		OK);
	assert_null(s.config.address);
	assert_true(s.stdio);
	assert_int_equal(s.config.limits.clients, 5);
	settings_fini(&s);
	/* Keys are looked after where the agent will find them. */
	assert_int_equal(parse(&s, "--config FILE --list-keys", "stdio = yes\nkeys = /k\n", &e),
			 OK);
	assert_string_equal(s.keys, "/k");
	settings_fini(&s);
}

/* Ends of its range and what is beyond them. */
static void
test_ranges(void **state)
{
	const Setting *x;
	Settings s;

	(void)state;
	settings_init(&s);
	for (int i = 0; (x = setting_at(i)); i++) {
		int64_t n[] = {x->least, x->most, x->usual, x->least - 1, x->most + 1};
		char text[32], buffer[SETTING_TEXT_BYTES];

		if (x->kind != SETTING_NUMBER && x->kind != SETTING_BYTES)
			continue;
		assert_true(x->least < x->most);
		for (int k = 0; k < 5; k++) {
			snprintf(text, sizeof text, "%lld", (long long)n[k]);
			assert_int_equal(setting_take(&s, x, text, false, NULL),
					 k < 3 ? OK : ERR_INPUT);
			if (k < 3)
				assert_string_equal(setting_text(&s, x, buffer), text);
		}
	}
}

static char *
printed(const Settings *s)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	settings_print(s, out);
	fclose(out);
	return text;
}

/* What is printed reads back as the same values, now from the file. */
static void
test_print(void **state)
{
	Settings s, back;
	char *first, *again, *copy;
	Err e;

	(void)state;
	assert_int_equal(parse(&s, "--config FILE --print-config --core 2 --name a=b",
			       "listen = [::1]:90\nclients = 9\nsandbox = limits,landlock\n"
			       "blob-bytes = 3G\n",
			       &e),
			 OK);
	first = printed(&s);
	assert_non_null(strstr(first, "core = 2                         # command line\n"));
	assert_non_null(strstr(first, "# socket = PATH                  # default: none\n"));
	assert_non_null(strstr(first, ":2\nclients-per-address = 32         # default\n"));
	settings_init(&back);
	back.file = "f";
	copy = strdup(first);
	assert_int_equal(settings_read(&back, "f", copy, strlen(copy), &e), OK);
	assert_memory_equal(&s.config.limits, &back.config.limits, sizeof s.config.limits);
	assert_string_equal(back.listen, "[::1]:90");
	assert_string_equal(back.config.name, "a=b");
	assert_int_equal(back.config.sandbox, SANDBOX_BIT(LIMITS) | SANDBOX_BIT(LANDLOCK));
	assert_int_equal(back.config.blob_bytes, (uint64_t)3 << 30);
	again = printed(&back);
	free(first);
	free(again);
	free(copy);
	settings_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_line), cmocka_unit_test(test_file),
		cmocka_unit_test(test_zero_byte),    cmocka_unit_test(test_command_line_wins),
		cmocka_unit_test(test_ranges),       cmocka_unit_test(test_print),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
