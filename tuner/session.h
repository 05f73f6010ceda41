/* Session: what a run of the tuner worked on, for those who read its log later: the model, and
 * which Tasks it consists of. Stored as the text of kind LOG_TEXT_SESSION under the session's name.
 * JSON:
 *
 *   {"graph": "0b35...", "model": "digits", "tasks":
 *     [{"task": "9f1c...", "form": "77aa...", "uses": 2, "label": "Conv+Relu 1x8x8x8"}]}
 *
 * What is not known is left out; what a reader does not know is passed over. */
#ifndef TUNER_SESSION_H
#define TUNER_SESSION_H

#include "graph/plan.h"

enum { SESSION_TASKS_MAX = 4096 };

typedef struct SessionTask {
	const char *task, *form; /* digests, hex */
	const char *label;       /* operators and result of its first use */
	int uses;
} SessionTask;

typedef struct Session {
	const char *graph; /* plan_key */
	const char *model; /* name; "" */
	VEC(SessionTask) task;
} Session;

/* Operators and result of the first step that needs the Task: "Conv+Relu 1x8x8x8". */
const char *plan_label(const Plan *p, int task, Arena *a);

/* Texts live in a. */
Session session_of_plan(const Plan *p, PlanMemory memory, Arena *a);
void session_print(const Session *s, Str *out);
/* Errors: ERR_INPUT. */
int session_parse(const char *text, Arena *a, Session *out, Err *e);

#endif
