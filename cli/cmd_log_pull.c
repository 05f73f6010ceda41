/* hone log pull, push: logs from and to a server. What comes is checked before a row of it is
 * taken: its digest, the file, each row; it is never put in the place of a log, but read into one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/log_commands.h"
#include "fetch/fetch.h"

static FetchOptions
fetch_options(const Args *a)
{
	return (FetchOptions){.connect_s = args_seconds(a, "connect", 0),
			      .stall_s = args_seconds(a, "stall", 0)};
}

/* A path is the URL of that file. */
static int
url_of(const Args *a, const char *text, const char **url, Err *e)
{
	char *whole;
	Str s = {0};

	*url = text;
	if (strstr(text, "://"))
		return fetch_is_url(text)
			       ? OK
			       : err_set(e, ERR_INPUT, "%s: expected http://, https:// or file://",
					 text);
	whole = realpath(text, NULL);
	if (!whole)
		return err_set(e, ERR_IO, "%s: no such file", text);
	str_add(&s, "file://");
	for (const char *p = whole; *p; p++)
		str_printf(&s, strchr("%?# ", *p) ? "%%%02X" : "%c", (unsigned char)*p);
	*url = arena_strdup(a->arena, str_get(&s));
	free(whole);
	str_fini(&s);
	return OK;
}

static const char *
name_of(const Args *a, const char *url)
{
	size_t n;
	const char *name = fetch_url_name(url, &n);

	return arena_printf(a->arena, "%.*s", (int)n, name);
}

/* Reads what came into the log, which is made when there is none. */
static int
take(const char *part, const char *path, const char *url, int64_t *refused, Err *e)
{
	Log *from, *into = NULL;
	int rc = log_open_whole(part, &from, e);

	if (!rc)
		rc = log_check(from, e);
	if (!rc)
		rc = log_open(path, &into, e);
	if (!rc)
		rc = log_merge_told(into, from, url, refused, e);
	log_close(into);
	log_close(from);
	return rc;
}

static int
run_pull(const Args *a, Err *e)
{
	FetchOptions o = fetch_options(a);
	const char *url, *path, *part;
	int64_t refused = 0;
	Fetched got;
	int rc = url_of(a, a->operand.v[0], &url, e);

	if (rc)
		return rc;
	o.sha256 = args_text(a, "sha256", NULL);
	path = args_text(a, "output", name_of(a, url));
	if (!*path || (!*name_of(a, url) && !o.sha256))
		return err_set(e, ERR_INPUT,
			       "%s: names no file; -o LOG and --sha256 say which log it goes into "
			       "and what it is",
			       url);
	part = arena_printf(a->arena, "%s.part", path);
	o.bytes_max = args_bytes(a, "max", 0);
	rc = fetch_get(url, part, &o, &got, e);
	if (rc)
		return rc;
	printf("%s: %llu bytes, %llu of them now, sha256 %s\n", url, (unsigned long long)got.bytes,
	       (unsigned long long)got.moved, got.sha256);
	rc = take(part, path, url, &refused, e);
	if (!rc || rc == ERR_INPUT) /* whole, and of no other use */
		unlink(part);
	if (!rc && refused)
		rc = err_set(e, ERR_INPUT, "%lld rows skipped, reasons above", (long long)refused);
	return rc;
}

/* When the log last changed: its file, or what waits beside it. */
static int64_t
changed(const Args *a, const char *path)
{
	struct stat st;
	int64_t t = stat(path, &st) ? 0 : st.st_mtime;

	if (!stat(arena_printf(a->arena, "%s-wal", path), &st) && st.st_size && st.st_mtime > t)
		t = st.st_mtime;
	return t;
}

static int
snapshot(const char *path, const char *copy, Err *e)
{
	Log *l;
	int rc = log_open_read(path, &l, e);

	if (!rc)
		rc = log_check(l, e);
	if (!rc)
		rc = log_snapshot(l, copy, e);
	log_close(l);
	return rc;
}

static int
push(const Args *a, const char *copy, const char *url, int64_t time, Err *e)
{
	FetchOptions o = fetch_options(a);
	Fetched put;
	int rc;

	o.force = args_has(a, "force");
	rc = fetch_put(copy, url, time, &o, &put, e);
	if (!rc)
		printf("%s: %llu bytes, %s, sha256 %s\n", url, (unsigned long long)put.bytes,
		       put.same ? "there already" : "put", put.sha256);
	return rc;
}

static int
run_push(const Args *a, Err *e)
{
	const char *path = a->operand.v[0], *url = a->operand.v[1], *tmp = getenv("TMPDIR"), *copy;
	char *dir = arena_printf(a->arena, "%s/hone-push-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	int64_t time = changed(a, path);
	int rc;

	if (!fetch_is_url(url))
		return err_set(e, ERR_INPUT, "%s: expected http://, https:// or file://", url);
	if (!*name_of(a, url))
		return err_set(e, ERR_INPUT, "%s: names no file", url);
	if (!mkdtemp(dir))
		return err_set(e, ERR_IO, "%s: cannot be made", dir);
	copy = arena_printf(a->arena, "%s/log.db", dir);
	rc = snapshot(path, copy, e);
	if (!rc)
		rc = push(a, copy, url, time, e);
	unlink(copy);
	rmdir(dir);
	return rc;
}

#define NETWORK_OPTIONS                                                                         \
	{.name = "connect",                                                                     \
	 .kind = ARG_DURATION,                                                                  \
	 .min = 0.1,                                                                            \
	 .max = 86400,                                                                          \
	 .value = "TIME",                                                                       \
	 .help = "how long a connection may take; default 15s"},                                \
	{                                                                                       \
		.name = "stall", .kind = ARG_DURATION, .min = 1, .max = 86400, .value = "TIME", \
		.help = "how long nothing may come; default 30s"                                \
	}

static const ArgOption pull_options[] = {
	{.name = "output",
	 .letter = 'o',
	 .kind = ARG_TEXT,
	 .value = "LOG",
	 .help = "the log that it goes into; default: the URL's last name, in this folder"},
	{.name = "sha256",
	 .kind = ARG_TEXT,
	 .value = "HEX",
	 .help = "digest of the file; without it, URL.sha256 says"},
	{.name = "max",
	 .kind = ARG_BYTES,
	 .min = 1,
	 .max = 0x1p50,
	 .value = "BYTES",
	 .help = "largest file that is taken; default 16G"},
	NETWORK_OPTIONS,
	{0},
};

static const ArgOption push_options[] = {
	{.name = "force", .help = "replace what is there, though it is newer"},
	NETWORK_OPTIONS,
	{0},
};

const Command log_pull_command = {
	.name = "pull",
	.summary = "Merge a log from a URL into a log here, which is made when there is none",
	.operands = "URL|FILE",
	.min = 1,
	.max = 1,
	.text = "http, https or file. The file comes to LOG.part; an interrupted pull goes on "
		"there. It\n"
		"is taken when its SHA-256 is that of --sha256 or of URL.sha256 and the file is "
		"sound;\n"
		"its rows are then merged like those of hone log merge.",
	.option = pull_options,
	.run = run_pull,
};

const Command log_push_command = {
	.name = "push",
	.summary = "Put a log to a URL, and its digest beside it",
	.operands = "LOG URL",
	.min = 2,
	.max = 2,
	.text = "PUT of the log as it is now, then of URL.sha256. Refused when the server has "
		"another\n"
		"file there that changed after the log did: pull it first.",
	.option = push_options,
	.run = run_push,
};
