/* What the files of fetch share. */
#ifndef FETCH_INTERNAL_H
#define FETCH_INTERNAL_H

#include "base/str.h"
#include "fetch/fetch.h"

/* digest.c. Where the digest of a URL's file lies, and the file's name. */
void fetch_digest_url(const char *url, Str *at, Str *name);

/* What one request is to do, and what came of it. */
typedef struct Request {
	const char *url;
	const FetchOptions *o;
	int to;        /* descriptor for what comes; -1: to text */
	uint64_t from; /* bytes that are there already */
	bool head;     /* ask for nothing but what there is */
	int body;      /* descriptor whose contents go by PUT; -1: none */
	uint64_t body_bytes;
	const char *text_body; /* or this text; NULL: none */
	const char *if_match;  /* put only over this version; "*": only where nothing is; NULL */

	long status;      /* of HTTP; 0 for files */
	bool ranged;      /* the server went on at `from` */
	uint64_t moved;   /* bytes of this request */
	char text[4096];  /* what came, when there was no descriptor; ends with NUL */
	size_t text_size; /* without it */
	char etag[256];   /* "" when there was none */
	int64_t time;     /* when it changed, seconds since 1970; -1: not told */
} Request;

/* transfer.c. Performs one request. A missing file, local or remote, is NOT_APPLICABLE; a range
 * that cannot be had is OK with !ranged and status 416; a version that is another one ERR_BUSY.
 * Other errors as in fetch.h. */
int request_run(Request *r, Err *e);

#endif
