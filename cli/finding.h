/* Findings: what `hone doctor` says, a line each, with what to do about it. */
#ifndef CLI_FINDING_H
#define CLI_FINDING_H

#include "base/arena.h"
#include "base/json.h"

/* name, text */
#define VERDICT_LIST(X)                                                       \
	X(OK, "ok")           /* as it should be */                           \
	X(NOTE, "note")       /* works, and costs accuracy, time or safety */ \
	X(PROBLEM, "problem") /* something that hone needs does not work */

typedef enum Verdict {
#define X(name, text) VERDICT_##name,
	VERDICT_LIST(X)
#undef X
} Verdict;

typedef struct Finding {
	Verdict verdict;
	const char *topic, *text;
	const char *advice; /* what to do; "" when nothing */
} Finding;

typedef struct Findings {
	Arena *arena;
	VEC(Finding) list;
} Findings;

/* Adds one; text is formatted. advice lives as long as the list. */
void finding_add(Findings *f, Verdict v, const char *topic, const char *advice, const char *text,
		 ...) __attribute__((format(printf, 5, 6)));

/* The end of a command: prints them to stdout, as lines, or as members of json, which it frees,
 * where that is not NULL. Errors: ERR_CHECK when one is a problem. */
int findings_end(const Findings *f, Json *json, Err *e);

#endif
