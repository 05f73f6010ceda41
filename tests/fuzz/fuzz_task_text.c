/* Any text as a Task, and what follows its line "form" as the Task's Form: what parses prints to a
 * text that parses to the same; fusing, simplifying and cutting what is legal gives what is legal.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "graph/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
form_again(Arena *a, const Task *t, const TaskForm *f)
{
	Str once = {0}, twice = {0};
	TaskForm again;
	Err e = {0};

	task_form_print(t, f, &once);
	if (task_form_parse(str_get(&once), t, a, &again, &e))
		abort();
	task_form_print(t, &again, &twice);
	if (strcmp(once.s, twice.s))
		abort();
	str_fini(&once);
	str_fini(&twice);
}

static void
cut(Arena *a, const Task *t)
{
	for (int rows = 1; rows < 4; rows++) {
		Task *strips = task_copy(a, t);
		size_t room;
		Err e = {0};

		if (!task_cut(strips, rows, &room) && task_check(strips, &e))
			abort();
	}
}

static void
task_again(Arena *a, Task *t)
{
	Str once = {0}, twice = {0};
	Task *again;
	Err e = {0};

	task_print(t, &once);
	if (task_parse(once.s, a, &again, &e))
		abort();
	task_print(again, &twice);
	if (strcmp(once.s, twice.s))
		abort();
	cut(a, again);
	task_fuse(again);
	task_simplify(again, NULL);
	if (task_check(again, &e))
		abort();
	str_fini(&once);
	str_fini(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new();
	char *text = arena_alloc(a, size + 1), *form;
	TaskForm f;
	Task *t;
	Err e = {0};

	memcpy(text, data, size);
	form = strstr(text, "\nform");
	if (form)
		*++form = 0;
	if (!task_parse(text, a, &t, &e)) {
		if (form) {
			*form = 'f';
			if (!task_form_parse(form, t, a, &f, &e))
				form_again(a, t, &f);
		}
		task_again(a, t);
	} else if (!e.msg[0]) {
		abort();
	}
	arena_free(a);
	return 0;
}
