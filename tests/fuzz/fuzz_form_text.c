/* Any text as the forms of a task: what parses is laid out within its own count of elements, and
 * prints to a text that parses to the same.
 */
#include <stdlib.h>
#include <string.h>

#include "graph/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char task[] = "task\n"
			   "  in x0 f32[1,3,8,5]\n"
			   "  in x1 f32[]\n"
			   "  out y0 f32[3,40]\n"
			   "  stage a:3 b:8 c:5\n"
			   "    y0[a,5*b+c] = x0[0,a,b,c] + x1[]\n";

/* The first and the last element lie inside the buffer. */
static void
check_layout(const TaskTensor *x, const Form *f)
{
	Layout l = form_layout(f, x->dim, x->type, 0);
	int64_t first[TASK_RANK_MAX] = {0}, last[TASK_RANK_MAX];

	for (int d = 0; d < x->rank; d++)
		last[d] = x->dim[d] - 1;
	if (layout_at(&l, first) < 0 || layout_at(&l, last) >= l.count)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new();
	Str text = {0}, first = {0}, second = {0};
	TaskForm f, again;
	Task *t;
	Err e = {0};

	str_addn(&text, (const char *)data, size);
	if (task_parse(task, a, &t, &e))
		abort();
	if (task_form_parse(str_get(&text), t, a, &f, &e) == OK) {
		for (int i = 0; i < t->tensor.n; i++)
			check_layout(&t->tensor.v[i], &f.v[i]);
		task_form_print(t, &f, &first);
		if (task_form_parse(str_get(&first), t, a, &again, &e))
			abort();
		task_form_print(t, &again, &second);
		if (strcmp(str_get(&first), str_get(&second)))
			abort();
	}
	str_fini(&text);
	str_fini(&first);
	str_fini(&second);
	arena_free(a);
	return 0;
}
