/* The answer of a command to --json. */
#ifndef CLI_JSON_OUT_H
#define CLI_JSON_OUT_H

#include "base/json.h"

/* Prints an outermost value to stdout, and frees it. */
void json_out(Json *top);

#endif
