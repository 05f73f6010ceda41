/* Schedules as tuning parameters: what other tuners' tools call a configuration. The text of a
 * Sched is cut into names and values, from which it could be put together again:
 *
 *   algorithm       its first line                 "direct"
 *   fuse            the shared loops               "ty:7"
 *   sN.loops        axes of stage N's nest         "k p | c", or "inline"
 *   sN.AXIS         step; the second is sN.AXIS.2  16
 *   sN.FLAG         vec, vl, dot, par; pf, peel: 1
 */
#ifndef CLI_LOG_PARAMS_H
#define CLI_LOG_PARAMS_H

#include "base/arena.h"
#include "base/json.h"

typedef struct Param {
	const char *name;
	bool number; /* else text */
} Param;

typedef struct Params {
	Arena *a;
	VEC(Param) name;           /* of all schedules, in the order they were met */
	VEC(const char **) config; /* a schedule's values, by name; NULL: it has none of that */
	VEC(int) width;            /* names that were known when it was read */
} Params;

/* Adds a schedule; its number is that of the call. */
void params_add(Params *p, const char *sched);

/* A value as text; "" or "0" where the schedule says nothing of that. */
const char *params_value(const Params *p, int config, int name);

/* Puts all values of a schedule into an object. */
void params_json(const Params *p, int config, Json *object);
/* Puts a value into an array, or under the parameter's name into an object. */
void params_json_value(const Params *p, int config, int name, bool named, Json *in);

#endif
