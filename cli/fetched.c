/* The cache of fetched files. A copy is looked through before each use: what does not have the
 * digest that names its folder is fetched again. */
#include "cli/fetched.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/folders.h"
#include "base/str.h"

#define DIGEST_MARK "#sha256="

static int
fetch_into(const char *url, const char *sha256, const char *path, Arena *a, Err *e)
{
	const char *part = arena_printf(a, "%s.part", path);
	FetchOptions o = {.sha256 = sha256};
	Fetched got;
	int rc;

	fprintf(stderr, "fetching %s\n", url);
	rc = fetch_get(url, part, &o, &got, e);
	if (!rc && rename(part, path))
		rc = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	return rc;
}

int
fetched_file(const char *url, Arena *a, const char **path, Err *e)
{
	const char *mark = strstr(url, DIGEST_MARK), *name, *folder;
	char *bare = arena_printf(a, "%.*s", (int)strcspn(url, "#"), url);
	char sha256[SHA256_TEXT], found[SHA256_TEXT], root[FOLDER_MAX];
	FetchOptions o = {.sha256 = mark ? mark + strlen(DIGEST_MARK) : NULL};
	uint64_t bytes;
	size_t n;
	int rc;

	name = fetch_url_name(bare, &n);
	name = arena_printf(a, "%.*s", (int)n, name);
	if (!*name || *name == '.')
		return err_set(e, ERR_INPUT, "%s: names no file", url);
	rc = fetch_expected(bare, &o, sha256, e);
	if (!rc)
		rc = folder_cache("files", root, e);
	if (rc)
		return rc;
	folder = arena_printf(a, "%s/%s", root, sha256);
	*path = arena_printf(a, "%s/%s", folder, name);
	rc = dir_make(folder, e);
	if (rc)
		return rc;
	if (!access(*path, R_OK) && !fetch_digest_file(*path, found, &bytes, e) &&
	    !strcmp(found, sha256))
		return OK;
	return e->code ? e->code : fetch_into(bare, sha256, *path, a, e);
}
