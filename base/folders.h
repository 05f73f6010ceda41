/* Where a user's own files go, as the XDG base directory specification says. */
#ifndef BASE_FOLDERS_H
#define BASE_FOLDERS_H

#include "base/err.h"

enum { FOLDER_MAX = 1024 };

/* $XDG_CONFIG_HOME/hone/NAME, or ~/.config/hone/NAME. Errors: ERR_INPUT when neither variable is
 * set or the path is too long. */
int folder_config(const char *name, char path[FOLDER_MAX], Err *e);

/* $XDG_CACHE_HOME/hone/NAME, or ~/.cache/hone/NAME. */
int folder_cache(const char *name, char path[FOLDER_MAX], Err *e);

/* The same for state: $STATE_DIRECTORY/NAME for a service, else $XDG_STATE_HOME/hone/NAME, else
 * /var/lib/hone/NAME for root and ~/.local/state/hone/NAME for others. */
int folder_state(const char *name, char path[FOLDER_MAX], Err *e);

#endif
