/* Uploading. The digest goes last: who fetches between the two is refused, not misled. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "fetch/internal.h"

typedef struct Upload {
	const char *path, *url;
	Str digest_url, name;
	int64_t time;
	const FetchOptions *o;
	Fetched *out;
	Request found; /* what the server has, by HEAD */
	bool exists;
} Upload;

static int
look(Upload *u, Err *e)
{
	Err own = {0};
	int rc;

	u->found = (Request){.url = u->url, .o = u->o, .to = -1, .body = -1, .head = true};
	rc = request_run(&u->found, &own);
	u->exists = rc == OK;
	return rc == NOT_APPLICABLE || !rc ? OK : err_set(e, rc, "%s", own.msg);
}

/* Whether the server says that it has these very bytes. */
static int
has_same(Upload *u, bool *same, Err *e)
{
	Request r = {.url = str_get(&u->digest_url), .o = u->o, .to = -1, .body = -1};
	char there[SHA256_TEXT];
	Err own = {0};
	int rc = request_run(&r, &own);

	*same = !rc && !fetch_digest_parse(r.text, r.text_size, str_get(&u->name), there, &own) &&
		!strcmp(there, u->out->sha256);
	return rc < 0 ? err_set(e, rc, "%s", own.msg) : OK;
}

static int
check_newer(const Upload *u, Err *e)
{
	char when[CLOCK_TEXT] = "of unknown age";

	if (u->o->force || (u->found.time >= 0 && u->found.time <= u->time))
		return OK;
	if (u->found.time >= 0)
		clock_text(when, "of %Y-%m-%d %H:%M:%SZ", u->found.time);
	return err_set(e, ERR_BUSY,
		       "%s: has another one, %s: pull it first, or --force to replace it", u->url,
		       when);
}

/* Where the server tells versions, only that version is replaced which was looked at. */
static int
put_file(Upload *u, Err *e)
{
	Request r = {.url = u->url, .o = u->o, .to = -1};
	bool http = u->found.status != 0;
	int rc;

	r.body = open(u->path, O_RDONLY | O_CLOEXEC);
	if (r.body < 0)
		return err_set(e, ERR_IO, "%s: %s", u->path, strerror(errno));
	r.body_bytes = u->out->bytes;
	if (http && !u->exists)
		r.if_match = "*";
	else if (http && *u->found.etag && strncmp(u->found.etag, "W/", 2) != 0)
		r.if_match = u->found.etag;
	rc = request_run(&r, e);
	u->out->moved = r.moved;
	close(r.body);
	return rc == NOT_APPLICABLE ? ERR_DEVICE : rc;
}

static int
put_digest(Upload *u, Err *e)
{
	Request r = {.url = str_get(&u->digest_url), .o = u->o, .to = -1, .body = -1};
	Str text = {0};
	int rc;

	str_printf(&text, "%s  %s\n", u->out->sha256, str_get(&u->name));
	r.text_body = str_get(&text);
	rc = request_run(&r, e);
	str_fini(&text);
	return rc == NOT_APPLICABLE ? ERR_DEVICE : rc;
}

static int
upload(Upload *u, Err *e)
{
	int rc = look(u, e);

	if (!rc && u->exists)
		rc = has_same(u, &u->out->same, e);
	if (rc || u->out->same)
		return rc;
	if (u->exists)
		rc = check_newer(u, e);
	if (!rc)
		rc = put_file(u, e);
	return rc ? rc : put_digest(u, e);
}

int
fetch_put(const char *path, const char *url, int64_t time, const FetchOptions *o, Fetched *out,
	  Err *e)
{
	Upload u = {.path = path, .url = url, .time = time, .o = o, .out = out};
	int rc;

	*out = (Fetched){0};
	fetch_digest_url(url, &u.digest_url, &u.name);
	rc = fetch_digest_file(path, out->sha256, &out->bytes, e);
	if (!rc)
		rc = upload(&u, e);
	str_fini(&u.digest_url);
	str_fini(&u.name);
	return rc;
}
