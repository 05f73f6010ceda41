/* The text of a session, and what a Plan says for it. */
#include "tuner/session.h"

#include "base/json.h"

const char *
plan_label(const Plan *p, int task, Arena *a)
{
	const Step *first = NULL;
	const char *text = "copy";
	const Value *v;

	for (int i = p->step.n - 1; i >= 0; i--)
		if (p->step.v[i].kind == STEP_TASK && p->step.v[i].task == task)
			first = &p->step.v[i];
	for (int i = 0; i < first->node.n; i++) {
		const char *name = op_info(p->g->node.v[first->node.v[i]].op)->name;

		text = i ? arena_printf(a, "%s+%s", text, name) : name;
	}
	v = &p->g->value.v[p->buffer.v[first->out.v[0]].value];
	for (int d = 0; d < v->rank; d++)
		text = arena_printf(a, "%s%s%lld", text, d ? "x" : " ", (long long)v->dim[d]);
	return text;
}

Session
session_of_plan(const Plan *p, PlanMemory memory, Arena *a)
{
	const char *name = p->g->name;
	Session s = {.graph = plan_key(p->g, memory, a), .model = name ? name : ""};

	for (int i = 0; i < p->task.n; i++) {
		const PlanTask *t = &p->task.v[i];

		vec_push(a, &s.task,
			 ((SessionTask){.task = arena_digest(a, &t->task_key),
					.form = arena_digest(a, &t->form_key),
					.label = plan_label(p, i, a),
					.uses = t->uses}));
	}
	return s;
}

void
session_print(const Session *s, Str *out)
{
	Json *top = json_object(NULL, NULL), *list;

	json_text(top, "graph", s->graph);
	json_text(top, "model", s->model);
	list = json_array(top, "tasks");
	for (int i = 0; i < s->task.n; i++) {
		Json *one = json_object(list, NULL);

		json_text(one, "task", s->task.v[i].task);
		json_text(one, "form", s->task.v[i].form);
		json_number(one, "uses", s->task.v[i].uses);
		json_text(one, "label", s->task.v[i].label);
	}
	json_print(top, out);
	json_free(top);
}

static const char *
member(const Json *j, const char *key, Arena *a)
{
	return arena_strdup(a, json_get_text(j, key, ""));
}

int
session_parse(const char *text, Arena *a, Session *out, Err *e)
{
	const Json *list;
	Json *top;
	int rc = json_parse(text, &top, e);

	if (rc)
		return rc;
	*out = (Session){.graph = member(top, "graph", a), .model = member(top, "model", a)};
	list = json_get(top, "tasks");
	if (json_count(list) > SESSION_TASKS_MAX)
		rc = err_set(e, ERR_INPUT, "session: %d tasks, expected at most %d",
			     json_count(list), SESSION_TASKS_MAX);
	for (int i = 0; i < json_count(list) && !rc; i++) {
		const Json *one = json_at(list, i);
		double uses = json_get_number(one, "uses", 0);

		vec_push(a, &out->task,
			 ((SessionTask){.task = member(one, "task", a),
					.form = member(one, "form", a),
					.label = member(one, "label", a),
					.uses = uses > 0 && uses < 1e6 ? (int)uses : 0}));
	}
	json_free(top);
	return rc;
}
