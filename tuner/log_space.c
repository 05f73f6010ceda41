/* A Space keeps its Target by address, so a copy of it lives beside. */
#include "tuner/log_space.h"

#include <stdlib.h>

static int
space_of(Arena *a, const char *task_text, const char *form_text, const Target *t, Space *out)
{
	Err ignored = {0};
	TaskForm form;
	Task *task;

	if (t->threads < 1 || task_parse(task_text, a, &task, &ignored) ||
	    task_form_parse(form_text, task, a, &form, &ignored) ||
	    space_build(a, task, &form, t, TOLERANCE_DEFAULT, out, &ignored))
		return NOT_APPLICABLE;
	return OK;
}

int
log_space(Log *log, Arena *a, const LogKey *key, const Target *t, Space *out, Err *e)
{
	const char *task_text, *form_text;
	Target *own = ARENA_NEW(a, Target);
	int rc;

	*own = *t;
	own->threads = atoi(key->threads);
	if ((rc = log_get_text(log, a, "task", key->task, &task_text, e)) ||
	    (rc = log_get_text(log, a, "form", key->form, &form_text, e)))
		return rc;
	return space_of(a, task_text, form_text, own, out);
}
