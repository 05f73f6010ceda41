/* Files of URLs, in a folder of the user's own, by their digest. */
#ifndef CLI_FETCHED_H
#define CLI_FETCHED_H

#include "base/arena.h"
#include "base/err.h"
#include "fetch/fetch.h"

/* The path of a whole copy of the URL's file: $XDG_CACHE_HOME/hone/files/SHA256/NAME, fetched
 * unless it is there. The digest is what URL.sha256 says, or the URL's end, "#sha256=HEX": then
 * nothing is asked when the copy is there. Says on stderr what it fetches. Errors: those of
 * fetch_get. */
int fetched_file(const char *url, Arena *a, const char **path, Err *e);

#endif
