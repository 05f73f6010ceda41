/* The table of rewrites. */
#include "search_space/rewrite.h"

#include <string.h>

static int
keep(Arena *a, const Task *t, const TaskForm *f, Task **to, TaskForm *form)
{
	*to = task_copy(a, t);
	form->n = f->n;
	form->v = arena_copy(a, f->v, (size_t)f->n * sizeof *f->v);
	form->room = f->room;
	return OK;
}

static const Rewrite direct = {.name = "direct", .slack = 1, .apply = keep};

static const Rewrite *const table[] = {
	&direct, &rewrite_pack, &rewrite_winograd2, &rewrite_winograd4, &rewrite_signs, NULL,
};

const Rewrite *const *
rewrites(void)
{
	return table;
}

static const struct {
	const char *name;
	double slack;
} tolerance[] = {
#define X(name, text, slack) {text, slack},
	TOLERANCE_LIST(X)
#undef X
};

const char *
tolerance_name(ToleranceClass t)
{
	return tolerance[t].name;
}

bool
rewrite_allowed(const Rewrite *r, ToleranceClass t)
{
	return r->slack <= tolerance[t].slack;
}

const char *const *
rewrite_names(Arena *a, ToleranceClass t)
{
	VEC(const char *) names = {0};

	for (int i = 0; table[i]; i++)
		if (rewrite_allowed(table[i], t))
			vec_push(a, &names, table[i]->name);
	vec_push(a, &names, NULL);
	return names.v;
}

const Rewrite *
rewrite_named(const char *name)
{
	for (int i = 0; table[i]; i++)
		if (!strcmp(table[i]->name, name))
			return table[i];
	return NULL;
}

int
rewrite_apply(const char *name, Arena *a, const Task *t, const TaskForm *f, Task **to,
	      TaskForm *form, Err *e)
{
	const Rewrite *r = rewrite_named(name);
	int rc;

	if (!r)
		return err_set(e, ERR_INPUT, "sched text: no rewrite '%s'", name);
	rc = r->apply(a, t, f, to, form);
	return rc ? err_set(e, ERR_INPUT, "rewrite %s does not apply to this task", name) : OK;
}
