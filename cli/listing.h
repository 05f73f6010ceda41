/* What is in a folder. */
#ifndef CLI_LISTING_H
#define CLI_LISTING_H

#include "base/arena.h"

typedef VEC(const char *) Names;

/* Names in a folder, in the order of their bytes; what begins with a dot is left out. None when the
 * folder cannot be read. In a. */
Names names_in(const char *folder, Arena *a);

#endif
