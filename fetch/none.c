/* Builds without libcurl. */
#include "fetch/fetch.h"

static int
refuse(const char *url, Err *e)
{
	return err_set(e, ERR_UNSUPPORTED,
		       "%s: not supported: this program was built without libcurl", url);
}

int
fetch_expected(const char *url, const FetchOptions *o, char sha256[SHA256_TEXT], Err *e)
{
	(void)o;
	*sha256 = 0;
	return refuse(url, e);
}

int
fetch_get(const char *url, const char *part, const FetchOptions *o, Fetched *out, Err *e)
{
	(void)part;
	(void)o;
	*out = (Fetched){0};
	return refuse(url, e);
}

int
fetch_put(const char *path, const char *url, int64_t time, const FetchOptions *o, Fetched *out,
	  Err *e)
{
	(void)path;
	(void)time;
	(void)o;
	*out = (Fetched){0};
	return refuse(url, e);
}
