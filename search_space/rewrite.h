/* Rewrites: other algorithms for the same Task, as other Tasks. One file each, one line in the
 * table of rewrite.c. A Sched names its rewrite; lowering, oracle and search see the rewritten
 * Task. */
#ifndef SEARCH_SPACE_REWRITE_H
#define SEARCH_SPACE_REWRITE_H

#include "graph/form.h"
#include "graph/task.h"
#include "search_space/target.h"

typedef struct Rewrite {
	const char *name;
	/* What single precision loses against the Task as written: multiplies the oracle's error
	 * bound. 1 for an exact reordering. */
	double slack;
	/* Makes the new Task and Form in a. The in, const and out tensors of t keep their numbers,
	 * names and Forms, and the room is kept; new tensors follow. NOT_APPLICABLE when t is not
	 * of the right kind. */
	int (*apply)(Arena *a, const Task *t, const TaskForm *f, Task **to, TaskForm *form);
	/* Whether a search should try it on the Target; NULL: on every one. */
	bool (*useful)(const Task *t, const Target *target);
} Rewrite;

/* Tolerance classes, and the largest slack a rewrite may have in them */
#define TOLERANCE_LIST(X)         \
	X(DEFAULT, "default", 40) \
	X(STRICT, "strict", 4)

typedef enum ToleranceClass {
#define X(name, text, slack) TOLERANCE_##name,
	TOLERANCE_LIST(X)
#undef X
} ToleranceClass;

const char *tolerance_name(ToleranceClass t); /* in the log's key */
bool rewrite_allowed(const Rewrite *r, ToleranceClass t);

/* Names of the rewrites that are allowed, in a; NULL-terminated. */
const char *const *rewrite_names(Arena *a, ToleranceClass t);

/* All rewrites, "direct" (nothing changed) first; NULL-terminated. */
const Rewrite *const *rewrites(void);

/* ERR_INPUT for an unknown name or a Task it does not apply to. */
int rewrite_apply(const char *name, Arena *a, const Task *t, const TaskForm *f, Task **to,
		  TaskForm *form, Err *e);
const Rewrite *rewrite_named(const char *name); /* NULL when there is none */

extern const Rewrite rewrite_pack, rewrite_signs, rewrite_winograd2, rewrite_winograd4;

#endif
