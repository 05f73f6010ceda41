/* Any text into a tuning log: every line is added, known or refused; importing it again adds
 * nothing, and what is exported is known. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/log.h"

enum { ROUNDS = 100 }; /* of one file, so that it stays small */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Log *the_log;
static char dir[] = "/tmp/hone-fuzz-XXXXXX";

static void
remove_log(void)
{
	static const char *const suffix[] = {"", "-wal", "-shm", ".lock"};
	char path[64];

	log_close(the_log);
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/t.db%s", dir, suffix[i]);
		unlink(path);
	}
}

static void
remove_all(void)
{
	remove_log();
	rmdir(dir);
}

/* The log, a new one every now and then. */
static Log *
some_log(void)
{
	static int round;
	char path[64];
	Err e = {0};

	if (the_log && ++round % ROUNDS)
		return the_log;
	if (!the_log && (!mkdtemp(dir) || atexit(remove_all)))
		abort();
	remove_log();
	snprintf(path, sizeof path, "%s/t.db", dir);
	if (log_open(path, &the_log, &e))
		abort();
	return the_log;
}

static LogImport
import(Log *l, const char *text, size_t size)
{
	LogImport in;
	Err e = {0};
	int rc = log_import(l, text, size, &in, &e);

	if (rc && rc != ERR_INPUT)
		abort();
	str_fini(&in.reasons);
	return in;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Log *l = some_log();
	LogImport first, second;
	Str text = {0}, out = {0};
	Err e = {0};

	str_add(&text, "hone log 1\n");
	str_addn(&text, (const char *)data, size);
	first = import(l, str_get(&text), text.n);
	second = import(l, str_get(&text), text.n);
	if (second.added || second.known != first.added + first.known ||
	    second.refused != first.refused)
		abort();
	if (log_export(l, false, &out, &e))
		abort();
	second = import(l, str_get(&out), out.n);
	if (second.added || second.refused)
		abort();
	str_fini(&text);
	str_fini(&out);
	return 0;
}
