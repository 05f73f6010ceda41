/* Json: values built, printed and parsed. A value belongs to the object or array it was put into;
 * the outermost one to the caller. Like Str, building ends the process when memory is out. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

typedef struct Json Json;

/* A new value under key of the object `in`, at the end of the array `in` when key is NULL, or on
 * its own when in is NULL. */
Json *json_object(Json *in, const char *key);
Json *json_array(Json *in, const char *key);
Json *json_text(Json *in, const char *key, const char *text);
Json *json_number(Json *in, const char *key, double v); /* null when not finite */
Json *json_bool(Json *in, const char *key, bool v);
void json_free(Json *j); /* an outermost value; NULL is fine */

void json_print(const Json *j, Str *out); /* indented, with a final newline */
/* Errors: ERR_INPUT with the place. */
int json_parse(const char *text, Json **out, Err *e);

/* Reading. j may be NULL or of another kind everywhere: the answer is then nothing. */
const Json *json_get(const Json *j, const char *key); /* member of an object */
int json_count(const Json *j);                        /* elements or members */
const Json *json_at(const Json *j, int i);
const char *json_key(const Json *j); /* of a member, its name; NULL of everything else */
const char *json_get_text(const Json *j, const char *key, const char *otherwise);
double json_get_number(const Json *j, const char *key, double otherwise);
bool json_is_text(const Json *j, const char **text);
bool json_is_number(const Json *j, double *v);

#endif
