/* Files from and to URLs: http, https and file. The only user of libcurl; a build without it
 * (-DHONE_CURL=OFF, or no libcurl) answers ERR_UNSUPPORTED to everything.
 *
 * A file is known by its SHA-256, 64 hex digits: those that the caller names, else those in
 * URL.sha256. Without either nothing is fetched. What a server says beyond that is not believed.
 *
 * Errors of all: ERR_DEVICE when the network or the server fails, with what happened by name
 * ("404 Not Found", "connection refused"); ERR_CHECK when bytes are not those of the digest;
 * ERR_INPUT for a URL of another kind; ERR_IO and ERR_FULL of files; ERR_UNSUPPORTED.
 */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { SHA256_TEXT = 65 };

typedef struct FetchOptions {
	const char *sha256; /* hex digits; NULL: ask for URL.sha256 */
	uint64_t bytes_max; /* more is refused; 0: 16 GiB */
	double connect_s;   /* until the server answers the phone; 0: 15 */
	double stall_s;     /* without a byte; 0: 30 */
	bool force;         /* put: also over a newer one */
} FetchOptions;

typedef struct Fetched {
	char sha256[SHA256_TEXT];
	uint64_t bytes; /* of the whole file */
	uint64_t moved; /* that came or went this time */
	bool same;      /* put: the server has these very bytes already */
} Fetched;

/* Whether text names a place that fetch knows: "https://...", "file://...". */
bool fetch_is_url(const char *text);

/* The last part of a URL's path, of *n bytes; 0 when it ends with '/', or there is no path. */
const char *fetch_url_name(const char *url, size_t *n);

/* Downloads to the file `part`. What an interrupted call left there is gone on with, where the
 * server can, and never believed: after OK the file is whole and of the digest. It stays after
 * errors, except that bytes which are not those of the digest are removed. */
int fetch_get(const char *url, const char *part, const FetchOptions *o, Fetched *out, Err *e);

/* The digest that fetch_get would want: that of the options, else what URL.sha256 says. */
int fetch_expected(const char *url, const FetchOptions *o, char sha256[SHA256_TEXT], Err *e);

/* Digest and size of a file. Errors: ERR_IO. */
int fetch_digest_file(const char *path, char sha256[SHA256_TEXT], uint64_t *bytes, Err *e);

/* Uploads a file by PUT, and then its digest to URL.sha256. If the server has another file there
 * that is newer than `time` (seconds since 1970), or says nothing of its age, ERR_BUSY, unless
 * o->force; one that changes meanwhile is not replaced where the server tells versions (ETag). */
int fetch_put(const char *path, const char *url, int64_t time, const FetchOptions *o, Fetched *out,
	      Err *e);

/* Reads a file of digests as sha256sum writes it: the line of `name`, or the only one, or a lone
 * digest. Errors: ERR_INPUT. */
int fetch_digest_parse(const char *text, size_t size, const char *name, char sha256[SHA256_TEXT],
		       Err *e);

#endif
