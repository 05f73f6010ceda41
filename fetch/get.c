/* Downloading: the digest first, then the rest of the file that an interrupted call has left, or
 * all of it. Nothing is taken for whole that does not have the digest. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "fetch/internal.h"

int
fetch_expected(const char *url, const FetchOptions *o, char sha256[SHA256_TEXT], Err *e)
{
	Str at = {0}, name = {0};
	Request r = {.o = o, .to = -1, .body = -1};
	Err own = {0};
	int rc;

	if (o->sha256)
		return fetch_digest_parse(o->sha256, strlen(o->sha256), "", sha256, e);
	fetch_digest_url(url, &at, &name);
	r.url = str_get(&at);
	rc = request_run(&r, &own);
	if (rc == NOT_APPLICABLE)
		rc = err_set(e, ERR_DEVICE, "%s; without it, name the file's digest by --sha256",
			     own.msg);
	else if (rc)
		err_set(e, rc, "%s", own.msg);
	else if ((rc = fetch_digest_parse(r.text, r.text_size, str_get(&name), sha256, e)))
		err_prefix(e, "%s: ", r.url);
	str_fini(&at);
	str_fini(&name);
	return rc;
}

/* Goes on behind the first `from` bytes of the part, or begins again when from is 0. */
static int
download(const char *url, const char *part, uint64_t from, const FetchOptions *o, Request *r,
	 Err *e)
{
	int fd = open(part, O_WRONLY | O_CREAT | O_CLOEXEC | (from ? O_APPEND : O_TRUNC), 0666);
	int rc;

	*r = (Request){.url = url, .o = o, .to = fd, .from = from, .body = -1};
	if (fd < 0)
		return err_set(e, ERR_IO, "%s: %s", part, strerror(errno));
	rc = request_run(r, e);
	if (!rc && fsync(fd))
		rc = err_set(e, ERR_IO, "%s: %s", part, strerror(errno));
	close(fd);
	return rc == NOT_APPLICABLE ? ERR_DEVICE : rc;
}

static uint64_t
size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) || !S_ISREG(st.st_mode) ? 0 : (uint64_t)st.st_size;
}

/* One attempt from `from`; *right says whether the part is the file now. */
static int
attempt(const char *url, const char *part, uint64_t from, const FetchOptions *o,
	const char *expected, Fetched *out, bool *right, Err *e)
{
	Request r;
	int rc = download(url, part, from, o, &r, e);

	out->moved += r.moved;
	if (!rc)
		rc = fetch_digest_file(part, out->sha256, &out->bytes, e);
	*right = !rc && !strcmp(out->sha256, expected);
	return rc;
}

int
fetch_get(const char *url, const char *part, const FetchOptions *o, Fetched *out, Err *e)
{
	uint64_t from = size_of(part);
	char expected[SHA256_TEXT];
	bool right = false;
	int rc;

	*out = (Fetched){0};
	if (!fetch_is_url(url))
		return err_set(e, ERR_INPUT, "%s: expected http://, https:// or file://", url);
	rc = fetch_expected(url, o, expected, e);
	if (!rc && from) {
		rc = fetch_digest_file(part, out->sha256, &out->bytes, e);
		right = !rc && !strcmp(out->sha256, expected);
		if (!rc && !right)
			rc = attempt(url, part, from, o, expected, out, &right, e);
	}
	if (!rc && !right) /* nothing was there, or what was there is of another file */
		rc = attempt(url, part, 0, o, expected, out, &right, e);
	if (rc || right)
		return rc;
	unlink(part);
	return err_set(e, ERR_CHECK, "%s: its SHA-256 is %s, expected %s", url, out->sha256,
		       expected);
}
