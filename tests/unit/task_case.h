/* A Task from its text, for tests of what is made of it. */
#ifndef TESTS_UNIT_TASK_CASE_H
#define TESTS_UNIT_TASK_CASE_H

#include "graph/task.h"

static inline Task *
parse_task(Arena *a, const char *text)
{
	Err e = {0};
	Task *t;

	if (task_parse(text, a, &t, &e))
		fail_msg("%s", e.msg);
	return t;
}

#endif
