/* One request by libcurl: http, https and file, nothing else, also after a redirect. A server gets
 * to choose how many bytes come, up to the bound, and nothing beside them: no cookies, no passwords
 * from files, no name of another scheme. */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "fetch/internal.h"

static const double CONNECT_S = 15, STALL_S = 30;
static const uint64_t BYTES_MAX = (uint64_t)16 << 30;

enum { REDIRECTS_MAX = 5, PAGE_MAX = 1 << 20 };

typedef struct Transfer {
	Request *r;
	CURL *curl;
	size_t body_at;
	uint64_t page; /* bytes that came and are not the file */
	bool too_large;
	int io; /* errno of a file */
} Transfer;

static uint64_t
bound(const Request *r)
{
	uint64_t most = r->o->bytes_max ? r->o->bytes_max : BYTES_MAX;

	return r->to < 0 && !r->head ? sizeof r->text - 1 : most;
}

static bool
is_upload(const Request *r)
{
	return r->body >= 0 || r->text_body;
}

/* Called by curl for bytes that came; another count than n ends the transfer. */
static size_t
on_bytes(char *data, size_t one, size_t n, void *self)
{
	Transfer *t = self;
	Request *r = t->r;
	long status = 0;

	(void)one;
	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 300 || r->head || is_upload(r)) {
		t->page += n; /* about what was done, or why not */
		t->too_large = t->page > PAGE_MAX;
		return t->too_large ? 0 : n;
	}
	if (r->moved == 0 && r->from && status == 200)
		return 0; /* all from the start, and not the rest */
	if (r->from + r->moved + n > bound(r)) {
		t->too_large = true;
		return 0;
	}
	if (r->to < 0)
		memcpy(r->text + r->moved, data, n);
	else if (!fd_write(r->to, data, n)) {
		t->io = errno;
		return 0;
	}
	r->moved += n;
	return n;
}

static size_t
on_body(char *data, size_t one, size_t n, void *self)
{
	Transfer *t = self;
	size_t room = one * n, left;
	ssize_t got;

	if (!t->r->text_body) {
		got = pread(t->r->body, data, room, (off_t)t->body_at);
		if (got < 0) {
			t->io = errno;
			return CURL_READFUNC_ABORT;
		}
	} else {
		left = strlen(t->r->text_body) - t->body_at;
		got = (ssize_t)(left < room ? left : room);
		memcpy(data, t->r->text_body + t->body_at, (size_t)got);
	}
	t->body_at += (size_t)got;
	t->r->moved += (uint64_t)got;
	return (size_t)got;
}

/* A server that wants the body again, after a redirect or over a new connection. */
static int
on_seek(void *self, curl_off_t at, int origin)
{
	Transfer *t = self;

	if (origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	t->body_at = (size_t)at;
	t->r->moved = (uint64_t)at;
	return CURL_SEEKFUNC_OK;
}

/* Lines of the answer's head; those of redirects come first and are forgotten. */
static size_t
on_head(char *data, size_t one, size_t n, void *self)
{
	static const char etag[] = "etag:";
	Request *r = ((Transfer *)self)->r;
	size_t at = sizeof etag - 1, end = n;

	(void)one;
	if (n > 5 && !memcmp(data, "HTTP/", 5))
		*r->etag = 0;
	if (n < sizeof etag || strncasecmp(data, etag, sizeof etag - 1) != 0)
		return n;
	while (at < end && data[at] == ' ')
		at++;
	while (end > at && (data[end - 1] == '\r' || data[end - 1] == '\n' || data[end - 1] == ' '))
		end--;
	if (end - at < sizeof r->etag && !memchr(data + at, 0, end - at)) {
		memcpy(r->etag, data + at, end - at);
		r->etag[end - at] = 0;
	}
	return n;
}

static void
set_limits(Transfer *t)
{
	const FetchOptions *o = t->r->o;
	bool secure = !strncasecmp(t->r->url, "https:", 6);
	CURL *c = t->curl;

	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https,file");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)(1000 * (o->connect_s > 0 ? o->connect_s : CONNECT_S)));
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME,
			 (long)(o->stall_s >= 1  ? o->stall_s
				: o->stall_s > 0 ? 1
						 : STALL_S));
	if (t->r->to >= 0) /* a page about an error may be larger than a text */
		curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)bound(t->r));
	curl_easy_setopt(c, CURLOPT_USERAGENT, "hone");
	curl_easy_setopt(c, CURLOPT_FILETIME, 1L);
}

static struct curl_slist *
set_request(Transfer *t)
{
	struct curl_slist *lines = NULL;
	Request *r = t->r;
	CURL *c = t->curl;
	char line[300];

	curl_easy_setopt(c, CURLOPT_URL, r->url);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(c, CURLOPT_NOBODY, (long)r->head);
	if (r->from)
		curl_easy_setopt(c, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)r->from);
	if (!is_upload(r))
		return NULL;
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_READDATA, t);
	curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(c, CURLOPT_SEEKDATA, t);
	curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE,
			 (curl_off_t)(r->text_body ? strlen(r->text_body) : r->body_bytes));
	if (r->if_match) {
		snprintf(line, sizeof line, "%s: %s",
			 strcmp(r->if_match, "*") ? "If-Match" : "If-None-Match", r->if_match);
		lines = curl_slist_append(lines, line);
	}
	lines = curl_slist_append(lines, "Content-Type: application/octet-stream");
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, lines);
	return lines;
}

/* What a status of HTTP is, in words that people know. */
static const char *
status_words(long status)
{
	static const struct {
		long status;
		const char *words;
	} list[] = {
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{409, "Conflict"},
		{410, "Gone"},
		{411, "Length Required"},
		{412, "Precondition Failed"},
		{413, "Content Too Large"},
		{416, "Range Not Satisfiable"},
		{429, "Too Many Requests"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{507, "Insufficient Storage"},
	};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (list[i].status == status)
			return list[i].words;
	return "";
}

static int
answer_of_server(Request *r, Err *e)
{
	const char *words = status_words(r->status);

	if (r->status == 404 || r->status == 410) {
		err_set(e, ERR_DEVICE, "%s: %ld %s", r->url, r->status, words);
		return NOT_APPLICABLE;
	}
	if (r->status == 416 && r->from)
		return OK;
	if (r->status == 412)
		return err_set(e, ERR_BUSY, "%s: another one was put there meanwhile", r->url);
	if (r->status >= 300)
		return err_set(e, ERR_DEVICE, "%s: the server says %ld%s%s", r->url, r->status,
			       *words ? " " : "", words);
	return OK;
}

static int
failure_of(const Transfer *t, CURLcode rc, Err *e)
{
	static const struct {
		CURLcode code;
		const char *words;
	} list[] = {
		{CURLE_PARTIAL_FILE, "the connection ended in the middle of the file"},
		{CURLE_RECV_ERROR, "the connection broke"},
		{CURLE_SEND_ERROR, "the connection broke"},
		{CURLE_GOT_NOTHING, "the server hung up without an answer"},
		{CURLE_OPERATION_TIMEDOUT, "nothing came for too long"},
	};
	const Request *r = t->r;
	long why = 0;

	curl_easy_getinfo(t->curl, CURLINFO_OS_ERRNO, &why);
	if (t->too_large || rc == CURLE_FILESIZE_EXCEEDED)
		return err_set(e, ERR_CHECK, "%s: more than %llu bytes", r->url,
			       (unsigned long long)(t->page > PAGE_MAX ? PAGE_MAX : bound(r)));
	if (t->io)
		return err_set(e, t->io == ENOSPC || t->io == EDQUOT ? ERR_FULL : ERR_IO, "%s: %s",
			       r->url, strerror(t->io));
	if (rc == CURLE_UNSUPPORTED_PROTOCOL || rc == CURLE_URL_MALFORMAT)
		return err_set(e, ERR_INPUT, "%s: %sexpected http://, https:// or file://", r->url,
			       r->status >= 300
				       ? "leads to another kind of place, or from https to "
					 "http; "
				       : "");
	if (rc == CURLE_FILE_COULDNT_READ_FILE) {
		err_set(e, ERR_DEVICE, "%s: no such file, or it may not be read", r->url);
		return NOT_APPLICABLE;
	}
	if (rc == CURLE_COULDNT_CONNECT && why == ECONNREFUSED)
		return err_set(e, ERR_DEVICE, "%s: connection refused", r->url);
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (list[i].code == rc)
			return err_set(e, ERR_DEVICE, "%s: %s", r->url, list[i].words);
	return err_set(e, ERR_DEVICE, "%s: %s", r->url, curl_easy_strerror(rc));
}

static int
conclude(Transfer *t, CURLcode rc, Err *e)
{
	Request *r = t->r;
	curl_off_t when = -1;
	bool partial;

	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &r->status);
	curl_easy_getinfo(t->curl, CURLINFO_FILETIME_T, &when);
	r->time = when;
	partial = r->status == 206 || r->status == 0;
	r->ranged = r->from && partial && rc == CURLE_OK;
	if (r->to < 0) {
		r->text_size = r->moved < sizeof r->text ? (size_t)r->moved : 0;
		r->text[r->text_size] = 0;
	}
	if (r->from && !t->io && !t->too_large && r->moved == 0 && rc != CURLE_OK &&
	    (r->status == 200 || rc == CURLE_RANGE_ERROR || rc == CURLE_BAD_DOWNLOAD_RESUME))
		return OK; /* it cannot go on, only begin again */
	if (rc != CURLE_OK)
		return failure_of(t, rc, e);
	return answer_of_server(r, e);
}

int
request_run(Request *r, Err *e)
{
	Transfer t = {.r = r, .curl = curl_easy_init()};
	struct curl_slist *lines;
	int rc;

	if (!t.curl)
		return err_set(e, ERR_NOMEM, "no memory");
	set_limits(&t);
	lines = set_request(&t);
	rc = conclude(&t, curl_easy_perform(t.curl), e);
	curl_slist_free_all(lines);
	curl_easy_cleanup(t.curl);
	return rc;
}
