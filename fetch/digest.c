/* Digest files, and the digest of a file. Text from outside is copied nowhere before it proved to
 * be hex digits. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "fetch/internal.h"

/* The line's digest in lower case; false when it does not begin with 64 hex digits and then a blank
 * or its end. */
static bool
take_digest(const char *line, size_t n, char sha256[SHA256_TEXT])
{
	if (n < SHA256_TEXT - 1)
		return false;
	for (int i = 0; i < SHA256_TEXT - 1; i++) {
		char c = line[i];

		if (c >= 'A' && c <= 'F')
			c = (char)(c - 'A' + 'a');
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		sha256[i] = c;
	}
	sha256[SHA256_TEXT - 1] = 0;
	return n == SHA256_TEXT - 1 || line[SHA256_TEXT - 1] == ' ' ||
	       line[SHA256_TEXT - 1] == '\t';
}

/* Whether what follows the digest is the file's name, with or without a folder. */
static bool
names(const char *rest, size_t n, const char *name)
{
	size_t want = strlen(name);

	while (n && (*rest == ' ' || *rest == '\t' || *rest == '*')) {
		rest++;
		n--;
	}
	return n == want ? !memcmp(rest, name, n)
			 : n > want && rest[n - want - 1] == '/' &&
				   !memcmp(rest + n - want, name, want);
}

int
fetch_digest_parse(const char *text, size_t size, const char *name, char sha256[SHA256_TEXT],
		   Err *e)
{
	char found[SHA256_TEXT], last[SHA256_TEXT] = "";
	int lines = 0;

	for (size_t at = 0, n; at < size; at += n + 1) {
		const char *line = text + at, *end = memchr(line, '\n', size - at);

		n = end ? (size_t)(end - line) : size - at;
		if (n == 0 || (n == 1 && *line == '\r'))
			continue;
		if (!take_digest(line, line[n - 1] == '\r' ? n - 1 : n, found))
			return err_set(e, ERR_INPUT, "expected 64 hex digits and a file's name");
		lines++;
		memcpy(last, found, sizeof last);
		if (n > SHA256_TEXT - 1 &&
		    names(line + SHA256_TEXT - 1, n - (SHA256_TEXT - 1), name)) {
			memcpy(sha256, found, sizeof found);
			return OK;
		}
	}
	if (lines != 1)
		return err_set(e, ERR_INPUT, "%d digests, expected one of '%s'", lines, name);
	memcpy(sha256, last, sizeof last);
	return OK;
}

int
fetch_digest_file(const char *path, char sha256[SHA256_TEXT], uint64_t *bytes, Err *e)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t whole[DIGEST_WHOLE], buffer[1 << 15];
	FILE *f = fopen(path, "rb");
	DigestState s;
	size_t n;
	int rc = OK;

	if (!f)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	digest_init(&s);
	*bytes = 0;
	while ((n = fread(buffer, 1, sizeof buffer, f)) > 0) {
		digest_add(&s, buffer, n);
		*bytes += n;
	}
	if (ferror(f))
		rc = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	fclose(f);
	digest_end_whole(&s, whole);
	for (int i = 0; i < DIGEST_WHOLE; i++) {
		sha256[2 * i] = hex[whole[i] >> 4];
		sha256[2 * i + 1] = hex[whole[i] & 15];
	}
	sha256[SHA256_TEXT - 1] = 0;
	return rc;
}

const char *
fetch_url_name(const char *url, size_t *n)
{
	const char *host = strstr(url, "://");
	size_t end = strcspn(url, "?#"), begin = end;
	size_t least = host ? (size_t)(host - url) + 3 : 0;

	while (begin > least && url[begin - 1] != '/')
		begin--;
	if (begin == least && host)
		begin = end; /* the host's name is no file's */
	*n = end - begin;
	return url + begin;
}

/* "https://host/a/b.db?x" is beside "https://host/a/b.db.sha256?x", and its name is "b.db". */
void
fetch_digest_url(const char *url, Str *at, Str *name)
{
	size_t n;
	const char *last = fetch_url_name(url, &n);

	str_addn(at, url, (size_t)(last - url) + n);
	str_add(at, ".sha256");
	str_add(at, last + n);
	str_addn(name, last, n);
}

bool
fetch_is_url(const char *text)
{
	static const char *const scheme[] = {"http://", "https://", "file://"};

	for (size_t i = 0; i < sizeof scheme / sizeof *scheme; i++)
		if (!strncasecmp(text, scheme[i], strlen(scheme[i])))
			return true;
	return false;
}
